"""What Word shows and mammoth does not read: formulas, counted numbers, ticks, charts, headers and footers."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.ingest import ChunkSize, ReadingLimits
from pipeline.ingest.reading import read
from tests.documents import docx, paragraph

LIST = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="{}"/></w:numPr>'


def text_of(body: str, more: Mapping[str, tuple[str, str]] | None = None) -> str:
    return read(docx(body, more), "a.docx", ReadingLimits(), ChunkSize()).text


def item(text: str, number: int, level: int = 0, style: str = "") -> str:
    kind = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{kind}{LIST.format(level, number)}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def level(number: int, form: str, text: str, start: int = 1) -> str:
    kind = f'<w:start w:val="{start}"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/>'
    return f'<w:lvl w:ilvl="{number}">{kind}</w:lvl>'


NUMBERING = {
    "numbering.xml": (
        "numbering",
        "<w:numbering names>"
        f'<w:abstractNum w:abstractNumId="1">{level(0, "decimal", "%1.")}{level(1, "lowerLetter", "%2)")}'
        "</w:abstractNum>"
        f'<w:abstractNum w:abstractNumId="2">{level(0, "bullet", "•")}</w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="3">{level(0, "upperRoman", "§ %1")}{level(1, "decimal", "%1.%2")}'
        "</w:abstractNum>"
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="2"/></w:num>'
        '<w:num w:numId="3"><w:abstractNumId w:val="3"/></w:num><w:num w:numId="4"><w:abstractNumId w:val="1"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num></w:numbering>',
    )
}


def test_a_list_goes_on_counting_behind_other_lists() -> None:
    body = [
        item("first", 1),
        item("inner", 1, 1),
        item("second", 1),
        item("point", 2),
        item("third", 1),
        item("anew", 4),
    ]
    assert text_of("".join(body), NUMBERING) == "1. first\n  a) inner\n2. second\n- point\n3. third\n7. anew"


def test_headings_are_numbered_as_word_numbers_them() -> None:
    body = [item("Fruit", 3, 0, "Heading1"), item("Quinces", 3, 1, "Heading2"), item("Medlars", 3, 1, "Heading2")]
    text = text_of("".join(part + paragraph("words") for part in body), NUMBERING)
    assert [line for line in text.split("\n") if line.startswith("#")] == [
        "# § I Fruit",
        "## I.1 Quinces",
        "## I.2 Medlars",
    ]


def test_a_heading_whose_style_has_another_name_is_numbered_too() -> None:
    style = '<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'
    more = {**NUMBERING, "styles.xml": ("styles", f"<w:styles names>{style}</w:styles>")}
    assert text_of(item("Obst", 3, 0, "berschrift1") + paragraph("Text"), more) == "# § I Obst\n\nText"


def test_formulas_stand_in_their_sentences() -> None:
    def run(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    def square(text: str) -> str:
        return f"<m:sSup><m:e>{run(text)}</m:e><m:sup>{run('2')}</m:sup></m:sSup>"

    pythagoras = f"<m:oMath>{square('a')}{run(' + ')}{square('b')}{run(' = ')}{square('c')}</m:oMath>"
    fraction = f"<m:f><m:num>{run('x+1')}</m:num><m:den>{run('y')}</m:den></m:f>"
    root = f"<m:rad><m:deg/><m:e>{run('z')}</m:e></m:rad>"
    limits = f"<m:sub>{run('i=1')}</m:sub><m:sup>{run('N')}</m:sup>"
    total = f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr>{limits}<m:e>{run('i')}</m:e></m:nary>"
    body = f"<w:p><w:r><w:t>The formula </w:t></w:r>{pythagoras}<w:r><w:t> is old.</w:t></w:r></w:p>"
    assert text_of(body) == "The formula a² + b² = c² is old."
    assert text_of(f"<w:p><m:oMath>{run('a=b')}</m:oMath><m:oMath>{run('c=d')}</m:oMath></w:p>") == "a=b c=d"
    assert (
        text_of(f"<w:p><m:oMathPara><m:oMath>{fraction}{root}{total}</m:oMath></m:oMathPara></w:p>")
        == "(x+1)/y√(z)∑_(i=1)^N i"
    )


def test_a_box_is_read_with_its_tick() -> None:
    def box(state: int) -> str:
        field = f'<w:ffData><w:checkBox><w:checked w:val="{state}"/></w:checkBox></w:ffData>'
        begin = f'<w:r><w:fldChar w:fldCharType="begin">{field}</w:fldChar></w:r>'
        end = '<w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:t>paid</w:t></w:r>'
        return f"<w:p>{begin}<w:r><w:instrText>FORMCHECKBOX</w:instrText></w:r>{end}</w:p>"

    assert text_of(box(1) + box(0)) == "☒ paid\n\n☐ paid"


def test_headers_and_footers_are_read_once_and_numbers_of_pages_are_not() -> None:
    header = "<w:hdr names><w:p><w:r><w:t>Guild of Ostrava &amp; Koper</w:t></w:r></w:p></w:hdr>"
    number = "<w:ftr names><w:p><w:r><w:t>7</w:t></w:r></w:p></w:ftr>"
    more = {"header1.xml": ("header", header), "header2.xml": ("header", header), "footer1.xml": ("footer", number)}
    assert text_of(paragraph("words"), more) == "words\n\nGuild of Ostrava & Koper"


def test_the_table_of_a_chart_stands_where_the_chart_does() -> None:
    points = '<c:pt idx="0"><c:v>{}</c:v></c:pt><c:pt idx="1"><c:v>{}</c:v></c:pt>'
    series = (
        f"<c:ser><c:tx><c:v>Ducks</c:v></c:tx><c:cat><c:strLit>{points.format('2024', '2025')}</c:strLit></c:cat>"
        f"<c:val><c:numLit>{points.format('120', '150')}</c:numLit></c:val></c:ser>"
    )
    drawn = f"<c:plotArea><c:pie3DChart>{series}</c:pie3DChart></c:plotArea>"
    chart = f"<c:chartSpace names><c:chart>{drawn}</c:chart></c:chartSpace>"
    drawing = '<w:p><w:r><w:drawing><c:chart r:id="chart1"/></w:drawing></w:r></w:p>'
    text = text_of(paragraph("before") + drawing + paragraph("after"), {"chart1.xml": ("chart", chart)})
    assert text == "before\n\n|  | Ducks |\n| --- | --- |\n| 2024 | 120 |\n| 2025 | 150 |\n\nafter"
