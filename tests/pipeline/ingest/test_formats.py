"""Formats beside PDF and Office: a small file of each, and all that is read of it."""

from __future__ import annotations

import base64
import json
from email.message import EmailMessage

import pytest

from pipeline.errors import IngestFault
from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.reading import read
from tests.documents import docx, paragraph, zipped

LIMITS, SIZE = ReadingLimits(), ChunkSize()


def read_as(name: str, content: bytes | str) -> Document:
    return read(content.encode() if isinstance(content, str) else content, name, LIMITS, SIZE)


def text_of(name: str, content: bytes | str) -> str:
    return read_as(name, content).text


def sections(document: Document) -> list[tuple[str, str]]:
    return [(chunk.section, chunk.text) for chunk in document.chunks]


def refusal(name: str, content: bytes | str) -> str:
    with pytest.raises(IngestFault) as caught:
        read_as(name, content)
    return caught.value.code


# CSV, TSV


def test_a_tsv_is_a_table_even_where_its_cells_hold_commas() -> None:
    assert text_of("a.tsv", "Guild\tTown\nRopes, nets\tPiran\n") == (
        "| Guild | Town |\n| --- | --- |\n| Ropes, nets | Piran |"
    )


# JSON, YAML, XML


def test_like_objects_are_a_table_below_their_keys() -> None:
    mills = [
        {"name": "Sava", "wheels": {"water": 3, "spare": 1}, "open": True},
        {"name": "Drava", "wheels": {"water": 2}},
    ]
    assert text_of("a.json", json.dumps({"mills": mills})) == (
        "mills:\n\n| name | wheels.water | wheels.spare | open |\n| --- | --- | --- | --- |\n"
        "| Sava | 3 | 1 | true |\n| Drava | 2 |  |  |"
    )


def test_values_stand_behind_their_path_and_numbers_are_as_the_file_spells_them() -> None:
    text = '{"mill": {"weight": 1.50, "big": 12345678901234567890, "tags": ["old", "wet"], "owner": null}}'
    assert text_of("a.json", text) == (
        "mill.weight: 1.50\nmill.big: 12345678901234567890\nmill.tags: old, wet\nmill.owner: null"
    )


def test_a_large_object_is_a_section_under_its_name() -> None:
    parts = {f"part {number}": {"cost": number, "size": 2 * number} for number in range(9)}
    document = read_as("a.json", json.dumps({"mill": parts, "owner": "Ana"}))
    assert [section for section, _ in sections(document)] == [""] * 2 or document.title == "mill"
    assert "part 8.size: 16" in document.text


def test_objects_with_long_texts_are_written_one_by_one() -> None:
    text = text_of(
        "a.json", json.dumps([{"name": "Sava", "story": "long " * 100}, {"name": "Drava", "story": "short"}])
    )
    assert "name: Sava\nstory: long long" in text
    assert "name: Drava\nstory: short" in text


def test_json_lines_are_a_table() -> None:
    assert text_of("a.jsonl", '{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n').endswith("| 1 | 2 |\n| 3 | 4 |")


@pytest.mark.parametrize("content", ['{"a": [1, 2', "{'a': 1}", "words"])
def test_what_is_no_json_is_called_damaged(content: str) -> None:
    assert refusal("a.json", content) == "broken"


def test_yaml_is_read_as_it_is_spelled_whatever_its_tags() -> None:
    text = "on: yes\nversion: 1.10\nkey: !Secret hidden\nlist:\n  - a\n  - b\n---\nsecond: 2\n"
    assert text_of("a.yaml", text).splitlines() == [
        "on: yes",
        "version: 1.10",
        "key: hidden",
        "list: a, b",
        "",
        "second: 2",
    ]


def test_a_template_of_yaml_is_read_as_it_stands() -> None:
    assert text_of("a.yml", "{{- if .Values }}\nname: {{ .Name }}\n{{- end }}\n").startswith("{{- if")


def test_aliases_that_multiply_are_refused() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert refusal("a.yaml", bomb) == "too_complex"


def test_data_in_xml_is_a_table() -> None:
    text = (
        "<?xml version='1.0'?><mills><mill id='1'><name>Sava</name></mill><mill id='2'>"
        "<name>Drava</name></mill></mills>"
    )
    assert text_of("a.xml", text) == "mills:\n\n| id | name |\n| --- | --- |\n| 1 | Sava |\n| 2 | Drava |"


def test_a_document_in_xml_keeps_headings_and_paragraphs() -> None:
    text = (
        "<article><title>Mills</title><section><title>Water</title><para>A <emphasis>wheel</emphasis> turns.</para>"
        "</section></article>"
    )
    document = read_as("a.xml", text)
    assert (document.title, sections(document)) == ("Mills", [("Water", "A wheel turns.")])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>', "bomb"),
        ("<html><p>words</html>", "no fault"),
    ],
)
def test_entities_that_multiply_are_refused(content: str, code: str) -> None:
    if code == "no fault":
        assert text_of("a.xml", content) == "words"
    else:
        assert refusal("a.xml", content) == code


def test_an_entity_of_another_file_is_not_read() -> None:
    text = (
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd"><!ENTITY c "three">]><a><d>&c; mills</d><e>words</e></a>'
    )
    assert text_of("a.xml", text) == "a.d: three mills\na.e: words"


# Source code, notebooks


def test_a_function_is_a_section_with_what_stands_above_it() -> None:
    text = (
        "import os\n\n\nclass Mill:\n    # turns\n    @cached\n    def turn(self):\n        return 1\n\n"
        "\ndef main():\n    pass\n"
    )
    document = read_as("mills.py", text)
    assert document.title == "mills.py"
    assert sections(document) == [
        ("", "import os"),
        ("Mill", "class Mill:"),
        ("Mill › turn", "# turns\n    @cached\n    def turn(self):\n        return 1"),
        ("main", "def main():\n    pass"),
    ]


@pytest.mark.parametrize(
    ("name", "line", "section"),
    [
        ("a.ts", "export async function turn(wheel: Wheel): Promise<void> {", "turn"),
        ("a.js", "const turn = async (wheel) => {", "turn"),
        ("a.go", "func (m *Mill) Turn() error {", "Turn"),
        ("a.rs", "pub(crate) fn turn<'a>(&self) {", "turn"),
        ("a.java", "    public static List<String> turn(Wheel wheel) {", "turn"),
        ("a.cpp", "void Mill::turn(const Wheel& wheel) {", "Mill::turn"),
        ("a.sql", "CREATE TABLE IF NOT EXISTS mills (id INTEGER);", "mills"),
        ("a.sh", "turn() {", "turn"),
        ("a.toml", "[tool.mill]", "tool.mill"),
        ("a.c", "if (turns(wheel)) {", ""),
    ],
)
def test_definitions_of_many_languages_are_found(name: str, line: str, section: str) -> None:
    assert read_as(name, line + "\n").chunks[0].section == section


def test_a_notebook_is_its_prose_its_code_and_its_outputs() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Mills\n", "Prose."]},
        {
            "cell_type": "code",
            "source": "count()",
            "outputs": [
                {"output_type": "stream", "text": ["three\n"]},
                {"output_type": "execute_result", "data": {"text/html": "<table><tr><th>a<tr><td>1</table>"}},
                {"output_type": "display_data", "data": {"image/png": "iVBOR", "text/plain": "<Figure>"}},
                {"output_type": "error", "ename": "ValueError", "evalue": "no mill", "traceback": ["\x1b[0m"]},
            ],
        },
    ]
    document = read_as("a.ipynb", json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
    assert document.title == "Mills"
    assert document.text == (
        "# Mills\nProse.\n\n```\ncount()\n```\n\n```\nthree\n```\n\na\n\n1\n\n```\nValueError: no mill\n```"
    ).replace("a\n\n1", "a\n1")


def test_json_that_is_no_notebook_is_not_what_its_name_says() -> None:
    assert refusal("a.ipynb", "[1, 2]") == "wrong_type"


# Mail


def mail() -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Mühlen", "Ana <ana@example.org>", "ben@example.org"
    return message


def test_a_mail_is_its_headers_its_body_and_its_attachments() -> None:
    message = mail()
    message.set_content("plain")
    message.add_alternative("<p style='display:none'>hidden</p><p>The mill <b>turns</b>.</p>", subtype="html")
    message.add_attachment(docx(paragraph("Wheels are wet.")), "application", "octet-stream", filename="wheels.docx")
    message.add_attachment(b"\0\1", "application", "octet-stream", filename="firmware.bin")
    document = read_as("a.eml", message.as_bytes())
    assert document.title == "Mühlen"
    assert document.text == (
        "Subject: Mühlen\nFrom: Ana <ana@example.org>\nTo: ben@example.org\n"
        "Attachments: wheels.docx, firmware.bin\n\nThe mill turns.\n\n# wheels.docx\n\nWheels are wet."
    )


def test_a_mail_within_a_mail_is_a_section() -> None:
    inner, message = mail(), mail()
    inner.replace_header("Subject", "Before")
    inner.set_content("Earlier words.")
    message.set_content("See below.")
    message.add_attachment(inner)
    assert "# Before\n\nSubject: Before" in text_of("a.eml", message.as_bytes())


def test_a_mail_in_a_wrongly_named_encoding_is_read() -> None:
    text = b"Subject: a\nContent-Type: text/plain; charset=nonsense\nContent-Transfer-Encoding: 8bit\n\n"
    assert text_of("a.eml", text + "Die Mühle.".encode()).endswith("Die Mühle.")


def test_what_has_no_header_of_a_mail_is_none() -> None:
    assert refusal("a.eml", "words without a header") == "wrong_type"


def test_an_archived_page_is_read_with_the_style_sheets_that_lie_beside_it() -> None:
    page = "<html><link rel=stylesheet href='cid:css@mhtml.blink'><p class=off>hidden</p><p>Shown ü"
    archive = (
        "From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\n"
        "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
        f"{base64.b64encode(page.encode()).decode()}\n--b\nContent-Type: text/css\nContent-ID: <css@mhtml.blink>\n\n"
        ".off { display: none }\n--b--\n"
    )
    assert text_of("a.mht", archive) == "Shown ü"


# E-books


def epub(**parts: str) -> bytes:
    package = (
        "<package><metadata><dc:title xmlns:dc='d'>Mills</dc:title><dc:language xmlns:dc='d'>de-AT</dc:language>"
        "</metadata><manifest><item id='n' href='nav.xhtml' media-type='application/xhtml+xml' properties='nav'/>"
        "<item id='b' href='two%20b.xhtml' media-type='application/xhtml+xml'/>"
        "<item id='a' href='one.xhtml' media-type='application/xhtml+xml'/></manifest>"
        "<spine><itemref idref='n'/><itemref idref='a'/><itemref idref='b'/></spine></package>"
    )
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": "<container><rootfile full-path='in/book.opf'/></container>",
            "in/book.opf": package,
            "in/nav.xhtml": "<html><body>contents</body></html>",
            "in/one.xhtml": "<html><head><title>Water</title><link rel='stylesheet' href='a.css'/></head>"
            "<body><p>First.</p><p class='x'>hidden</p></body></html>",
            "in/two b.xhtml": "<html><body><h1>Wind</h1><p>Second.</p></body></html>",
            "in/a.css": ".x{display:none}",
            **parts,
        }
    )


def test_a_book_is_its_chapters_in_their_order() -> None:
    document = read_as("a.epub", epub())
    assert (document.title, document.language) == ("Mills", "de")
    assert sections(document) == [("Water", "First."), ("Wind", "Second.")]


def test_a_locked_book_says_so() -> None:
    locked = "<encryption><CipherReference URI='in/one.xhtml'/></encryption>"
    assert refusal("a.epub", epub(**{"META-INF/encryption.xml": locked})) == "encrypted"


# RTF


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"One\par Two\line three", "One\n\nTwo\nthree"),
        (r"caf\'e9 \u8364?5 \u-10179?\u-8704? \{x\}", "café €5 😀 {x}"),
        (r"{\fonttbl{\f1\fcharset204 A;}}\f1\'cc\'e8\'f0", "Мир"),
        (r"{\fonttbl{\f1\fcharset128 A;}}\f1\'83\'52\'81\'5b", "コー"),
        (r"seen {\v hidden}{\v\fs24 too}{\fs1 tiny} text", "seen text"),
        (r"{\colortbl;\red255\green255\blue255;}seen {\cf1 white}{\cf1\highlight2 shaded}", "seen shaded"),
        (r"{\*\unknown junk}{\pict 00ff}{\object{\*\objdata 00}{\result shown}}words", "shownwords"),
        (r"a\bin3 }}{b", "ab"),
        (r"{\stylesheet{\s1 heading 1;}}{\s1 Mills\par}\pard words", "# Mills\n\nwords"),
        (r"\outlinelevel1 Mills\par\pard words", "## Mills\n\nwords"),
        (r"words{\footnote a note} end", "words end\n\na note"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt link}} end", "link end"),
        (r"{\uc0 \u233}t\u233 ?", "été"),
    ],
)
def test_what_is_read_of_rtf(body: str, text: str) -> None:
    assert text_of("a.rtf", r"{\rtf1\ansi\ansicpg1252 " + body + "}") == text


def test_merged_cells_of_rtf_stand_in_each_place_that_they_cover() -> None:
    body = (
        r"\trowd\clvmgf\cellx1\cellx2\intbl Kind\cell Name\cell\row"
        r"\trowd\clvmgf\cellx1\cellx2\intbl Water\cell Sava\cell\row"
        r"\trowd\clvmrg\cellx1\cellx2\intbl\cell Drava\par mill\cell\row\pard after"
    )
    assert text_of("a.rtf", r"{\rtf1 " + body + "}") == (
        "| Kind | Name |\n| --- | --- |\n| Water | Sava |\n| Water | Drava mill |\n\nafter"
    )


# OpenDocument

NAMES = " ".join(
    f'xmlns:{name}="urn:{name}"'
    for name in ["office", "text", "table", "draw", "style", "fo", "presentation", "svg", "xlink"]
)


def open_document(kind: str, body: str, styles: str = "", **parts: str) -> bytes:
    content = (
        f"<office:document-content {NAMES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    return zipped({"mimetype": "application/vnd.oasis.opendocument", "content.xml": content, **parts})


def test_a_text_keeps_headings_lists_tables_and_notes() -> None:
    body = (
        "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Mills</text:h>'
        '<text:p>One<text:s text:c="2"/>two<text:note><text:note-citation>1</text:note-citation><text:note-body>'
        "<text:p>A note.</text:p></text:note-body></text:note>.</text:p>"
        '<text:list text:style-name="L"><text:list-item><text:p>first</text:p></text:list-item><text:list-item>'
        "<text:p>second</text:p></text:list-item></text:list><text:p>between</text:p>"
        '<text:list text:style-name="L" text:continue-numbering="true"><text:list-item><text:p>third</text:p>'
        "</text:list-item></text:list>"
        '<table:table><table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>Water</text:p>'
        "</table:table-cell><table:table-cell>"
        "<text:p>Sava</text:p></table:table-cell></table:table-row><table:table-row>"
        "<table:covered-table-cell/><table:table-cell><text:p>Drava</text:p></table:table-cell></table:table-row>"
        "</table:table>"
    )
    styles = (
        '<text:list-style style:name="L">'
        '<text:list-level-style-number text:level="1" style:num-format="1"/></text:list-style>'
    )
    document = read_as("a.odt", open_document("text", body, styles))
    assert document.title == "Mills"
    assert document.text == (
        "# Mills\n\nOne two.\n\n1. first\n2. second\n\nbetween\n\n3. third\n\n"
        "| Water | Sava |\n| --- | --- |\n| Water | Drava |\n\n[1] A note."
    )


def test_hidden_parts_of_a_text_are_not_read() -> None:
    body = (
        '<text:p>seen <text:span text:style-name="H">hidden</text:span>'
        '<text:span text:style-name="B">based</text:span></text:p>'
        '<text:section text:display="none"><text:p>folded</text:p></text:section>'
        "<text:hidden-paragraph>x</text:hidden-paragraph>"
    )
    styles = (
        '<style:style style:family="text" style:name="H"><style:text-properties text:display="none"/></style:style>'
        '<style:style style:family="text" style:name="B" style:parent-style-name="H"/>'
    )
    assert text_of("a.odt", open_document("text", body, styles)) == "seen"


def test_a_presentation_has_a_page_per_slide_with_its_notes() -> None:
    def slide(title: str, text: str, style: str = "") -> str:
        return (
            f'<draw:page draw:style-name="{style}"><draw:frame presentation:class="title"><draw:text-box>'
            f"<text:p>{title}</text:p>"
            f"</draw:text-box></draw:frame><draw:custom-shape><text:p>{text}</text:p></draw:custom-shape>"
            f"<presentation:notes>"
            "<draw:frame><draw:text-box><text:p>Say this.</text:p></draw:text-box></draw:frame>"
            "</presentation:notes></draw:page>"
        )

    styles = (
        '<style:style style:family="drawing-page" style:name="H"><style:drawing-page-properties '
        'presentation:visibility="hidden"/></style:style>'
    )
    body = slide("Mills", "They turn.") + slide("Secret", "words", "H") + slide("Wind", "It blows.")
    document = read_as("a.odp", open_document("presentation", body, styles))
    assert (document.title, document.pages) == ("Mills", 3)
    assert [(chunk.text, chunk.first_page) for chunk in document.chunks] == [
        ("They turn.\n\nSay this.", 1),
        ("It blows.\n\nSay this.", 3),
    ]


def test_a_spreadsheet_shows_cells_as_people_see_them_and_no_hidden_ones() -> None:
    body = (
        '<table:table table:name="Seen"><table:table-column/>'
        '<table:table-column table:visibility="collapse"/><table:table-row>'
        "<table:table-cell><text:p>Share</text:p></table:table-cell><table:table-cell>"
        "<text:p>secret</text:p></table:table-cell>"
        "<table:table-cell><text:p>Town</text:p></table:table-cell></table:table-row>"
        '<table:table-row table:visibility="collapse"><table:table-cell>'
        "<text:p>folded</text:p></table:table-cell></table:table-row>"
        '<table:table-row><table:table-cell office:value="0.5"><text:p>50 %</text:p></table:table-cell>'
        "<table:table-cell/>"
        "<table:table-cell><office:annotation><text:p>By sea.</text:p></office:annotation><text:p>Piran</text:p>"
        '</table:table-cell><table:table-cell table:number-columns-repeated="9000"/></table:table-row>'
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="1024"/>'
        '</table:table-row></table:table><table:table table:name="Off" table:style-name="H">'
        "<table:table-row><table:table-cell>"
        "<text:p>hidden</text:p></table:table-cell></table:table-row></table:table>"
    )
    styles = (
        '<style:style style:family="table" style:name="H"><style:table-properties table:display="false"/></style:style>'
    )
    assert text_of("a.ods", open_document("spreadsheet", body, styles)) == (
        "## Seen\n\n| Share | Town |\n| --- | --- |\n| 50 % | Piran |\n\nBy sea."
    )


def test_a_locked_open_document_says_so() -> None:
    manifest = {"META-INF/manifest.xml": "<manifest><encryption-data/></manifest>"}
    assert refusal("a.odt", open_document("text", "", **manifest)) == "encrypted"


@pytest.mark.parametrize("name", ["a.odt", "a.odp", "a.ods"])
def test_an_open_document_of_another_kind_is_not_what_its_name_says(name: str) -> None:
    assert refusal(name, open_document("drawing", "<text:p>words</text:p>")) == "wrong_type"
