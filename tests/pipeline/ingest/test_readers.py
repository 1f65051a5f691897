"""Each format's reader, called as the child process calls it."""

from __future__ import annotations

from datetime import date, datetime
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from i18n.messages import file_text
from pipeline.errors import FILE_CODES
from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.blocks import CONTROL, ExtractBuilder, one_line
from pipeline.ingest.chunks import page_at
from pipeline.ingest.decoding import decoded
from pipeline.ingest.pdf import opened, page_text
from pipeline.ingest.reading import read
from tests.documents import BOLD, LARGE, Line, docx, paragraph, pdf, pptx, word_table, xlsx
from tests.effort import grows_linearly

LIMITS = ReadingLimits()
FULL = "A line of prose that is as long as most of the other lines that stand on this page are"


def read_as(name: str, content: bytes | str, size: ChunkSize = ChunkSize()) -> Document:  # noqa: B008 (a frozen value)
    return read(content.encode() if isinstance(content, str) else content, name, LIMITS, size)


def pieces(document: Document) -> list[tuple[str, str]]:
    return [(chunk.section, chunk.text) for chunk in document.chunks]


def assert_places_are_true(document: Document) -> None:
    for chunk in document.chunks:
        header, own = document.text[slice(*chunk.header)], document.text[chunk.start : chunk.end]
        assert header + own == chunk.text
        assert own
        assert not header or header.endswith("\n")
        assert chunk.first_page == page_at(document.page_starts, chunk.start)
        assert chunk.last_page == page_at(document.page_starts, chunk.end - 1)
    assert list(document.page_starts) == sorted(document.page_starts)
    assert len(document.page_starts) == (document.pages or 0)


# PDF


def test_a_pdf_is_folded_into_paragraphs_and_knows_its_pages() -> None:
    document = read_as(
        "a.pdf", pdf([[FULL, "goes on here and then it ends.", FULL, FULL], ["here."], [], ["Last page."]])
    )
    assert document.text == f"{FULL} goes on here and then it ends.\n{FULL} {FULL} here.\nLast page."
    assert (document.pages, document.title) == (4, "a")
    [chunk] = document.chunks
    assert (chunk.first_page, chunk.last_page) == (1, 4)
    assert_places_are_true(document)


def test_lists_and_tables_of_a_pdf_keep_their_lines() -> None:
    lines = [FULL, FULL, "• first", f"• {FULL}", "Cup 30 ml", "Mug 240 ml", "Pot 700 ml", FULL]
    assert read_as("a.pdf", pdf([lines])).text == (
        f"{FULL} {FULL}\n• first\n• {FULL} Cup 30 ml\nMug 240 ml\nPot 700 ml\n{FULL}"
    )


def test_bookmarks_are_the_headings_of_a_pdf() -> None:
    pages: list[list[Line]] = [["1 Roasting", FULL, FULL], [FULL, "2 Brewing", FULL], [FULL, "Water", "and heat", FULL]]
    names = [("Roasting", 0), ("Brewing", 1), ("Nowhere to be seen", 2), ("Water and heat", 2)]
    document = read_as("a.pdf", pdf(pages, bookmarks=names))
    assert [(chunk.section, chunk.first_page) for chunk in document.chunks] == [
        ("Roasting", 1),
        ("Brewing", 2),
        ("Nowhere to be seen", 3),
        ("Water and heat", 3),
    ]
    assert "Water" not in document.chunks[2].text
    assert_places_are_true(document)


def test_without_bookmarks_large_and_bold_lines_are_the_headings_of_a_pdf() -> None:
    body: list[Line] = [FULL] * 8
    pages = [[("Coffee", LARGE), *body, ("Roasting", BOLD), *body], [*body, ("Tea", LARGE), *body]]
    document = read_as("a.pdf", pdf(pages))
    assert [chunk.section for chunk in document.chunks] == ["", "Roasting", "Roasting", "Tea"]
    assert document.title == "Coffee"


def test_a_running_head_and_a_dotted_line_of_contents_are_no_headings() -> None:
    head: list[Line] = [("Annual report of the guild", LARGE)]
    contents: list[Line] = [f"{name} {'.' * 60} {number}" for number, name in enumerate(["Fruit", "Salt", "Wool"], 2)]
    pages: list[list[Line]] = [
        [*head, *contents, FULL],
        *([*head, FULL, (name, LARGE), FULL] for name in ("Fruit", "Salt")),
    ]
    document = read_as("a.pdf", pdf(pages))
    assert document.title == "a"
    assert list(dict.fromkeys(chunk.section for chunk in document.chunks)) == ["", "Fruit", "Salt"]
    assert "Wool" in document.text
    assert not any("Wool" in chunk.text for chunk in document.chunks)


def test_a_bold_row_of_a_table_is_no_heading() -> None:
    row = "Drink".ljust(30) + "Portion".ljust(30) + "Caffeine"
    assert read_as("a.pdf", pdf([[FULL] * 8 + [(row, BOLD), "Espresso 30 ml"]])).chunks[0].section == ""


def test_where_many_lines_stand_out_none_is_a_heading() -> None:
    lines: list[Line] = [line for _ in range(9) for line in (("Name", BOLD), FULL)]
    assert {chunk.section for chunk in read_as("a.pdf", pdf([lines])).chunks} == {""}


@pytest.mark.parametrize(("told", "title"), [("On coffee", "On coffee"), ("Microsoft Word - x.doc", "a"), ("", "a")])
def test_a_pdf_is_called_by_the_title_that_stands_in_it(told: str, title: str) -> None:
    assert read_as("b/a.pdf", pdf([["On Coffee", FULL]], title=told)).title == title


def test_a_pdf_with_one_page_of_text_is_not_refused_for_its_pictures() -> None:
    assert read_as("a.pdf", pdf([[FULL], [FULL]], image=True)).pages == 2


LETTERS = st.text(st.sampled_from("abc äß–(\\).!?•1 "), max_size=90)
LINES = st.lists(st.tuples(LETTERS, st.sampled_from([("F1", 11.0), BOLD, LARGE])), max_size=6)


@settings(deadline=None, max_examples=60)
@given(st.lists(LINES, min_size=1, max_size=4), st.lists(st.tuples(LETTERS, st.integers(0, 3)), max_size=3))
def test_every_character_of_a_pdf_is_where_its_page_has_it(
    pages: list[list[tuple[str, tuple[str, float]]]], bookmarks: list[tuple[str, int]]
) -> None:
    content = pdf(
        [["Words", *lines] for lines in pages],
        bookmarks=[(title, page) for title, page in bookmarks if page < len(pages)],
    )
    document = read_as("a.pdf", content, ChunkSize(80, 20))
    assert_places_are_true(document)
    with opened(content) as source:
        for number, start in enumerate(document.page_starts):
            page = source[number]
            found = page_text(page, page.get_textpage(), number)
            there = document.text[start : start + len(found.text)]
            assert there.split() == found.text.split()
            assert len(there) == len(found.text) == len(found.places)


# Office


def test_a_docx_is_read_by_headings_with_its_tables_and_what_is_in_them() -> None:
    inner = word_table([[paragraph("deep")]])
    body = [
        paragraph("Handbook", "Title"),
        paragraph("Before."),
        paragraph("Water", "Heading2"),
        word_table([[paragraph("Cup"), paragraph("ml")], [paragraph("small | big"), paragraph("30")]]),
        word_table([[paragraph("left"), inner]]),
    ]
    document = read_as("a.docx", docx("".join(body)))
    assert (document.title, document.pages) == ("Handbook", None)
    assert pieces(document) == [
        ("", "Before."),
        ("Water", "| Cup | ml |\n| --- | --- |\n| small \\| big | 30 |\n\nleft\n\ndeep"),
    ]
    assert_places_are_true(document)


def test_the_slides_of_a_presentation_are_its_pages() -> None:
    document = read_as(
        "a.pptx",
        pptx(
            [
                {"title": "Beans", "text": "Arabica\nRobusta", "notes": "Say hello."},
                {"title": "Secret", "text": "hidden words", "hidden": True},
                {"title": "Figures", "table": [["Year", "Tons"], ["2025", "7"]], "chart": {"Sold": (1.0, 2.5)}},
            ]
        ),
    )
    assert (document.title, document.pages) == ("Beans", 3)
    assert [(chunk.section, chunk.first_page) for chunk in document.chunks] == [("", 1), ("Figures", 3)]
    assert document.chunks[0].text == "Arabica\nRobusta\n\nSay hello."
    assert "| Year | Tons |\n| --- | --- |\n| 2025 | 7 |" in document.chunks[1].text
    assert "|  | Sold |\n| --- | --- |\n| 2024 | 1 |\n| 2025 | 2.5 |" in document.chunks[1].text
    assert "hidden words" not in document.text
    assert_places_are_true(document)


def test_a_workbook_is_a_section_a_sheet_and_a_table_a_block_of_rows() -> None:
    rows: list[list[object]] = [
        ["Cup", "ml", "since"],
        ["small", 30.0, date(2026, 1, 2)],
        [],
        ["Note"],
        ["warm", datetime(2026, 1, 2, 3, 4)],
    ]
    document = read_as("prices.xlsx", xlsx({"Sizes": rows, "Lists": [["hidden words"]]}, hidden=["Lists"]))
    assert pieces(document) == [
        (
            "Sizes",
            "| Cup | ml | since |\n| --- | --- | --- |\n| small | 30 | 2026-01-02 |\n\n"
            "| Note |  |\n| --- | --- |\n| warm | 2026-01-02 |",
        )
    ]
    assert_places_are_true(document)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_a_table_whatever_parts_its_cells(delimiter: str) -> None:
    rows = [["Cup", "Text"], ["small", '"a, b; c\nd"']]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    assert pieces(read_as("a.csv", text)) == [("", "| Cup | Text |\n| --- | --- |\n| small | a, b; c d |")]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("Name;Betrag, EUR\nLampe;2,5\nNebelhorn;3,75\n", "| Name | Betrag, EUR |"),
        ("Preis;Gewicht\n1,5;2,5\n3,5;4\n", "| Preis | Gewicht |"),
        ("name|said\nA|one, two, three\nB|four, five\n", "| name | said |"),
        ("sep=;\na;b,c;d\n1;2,5;3\n", "| a | b,c | d |"),
        ('a,b\n"x;y;z",1\n"x;y;z",2\n', "| a | b |"),
        ("a,b\n", "| a | b |"),
    ],
)
def test_the_delimiter_is_the_character_that_cuts_every_row_alike(text: str, header: str) -> None:
    assert read_as("a.csv", text).text.startswith(f"{header}\n| --- ")


def test_reading_a_table_costs_in_proportion_to_its_rows() -> None:
    def read_rows(count: int) -> None:
        read_as("a.csv", "Code,Town\n" + "".join(f"K-{number},Ostrava\n" for number in range(count)))

    assert grows_linearly(read_rows, 5_000)


def test_every_piece_of_a_long_table_names_its_columns() -> None:
    text = "\n".join(["name,words", *(f"row {number},{'word ' * 12}" for number in range(60))])
    document = read_as("a.csv", text)
    assert len(document.chunks) > 4
    for chunk in document.chunks:
        names, rule, *rows = chunk.text.split("\n")
        assert (names, rule) == ("| name | words |", "| --- | --- |")
        assert all(row.startswith("| row ") and row.endswith(" |") for row in rows)
        assert len(chunk.text) <= 1000
    assert document.text.count("| name | words |") == document.text.count("| row 7 |") == 1
    assert_places_are_true(document)


@pytest.mark.parametrize("overlap", [0, 100])
@pytest.mark.parametrize("rows", [3, 12, 60])
def test_a_passage_that_begins_in_a_table_repeats_its_header(rows: int, overlap: int) -> None:
    lines = ["| name | words |", "| --- | --- |", *(f"| row {number} | {'word ' * 9}|" for number in range(rows))]
    prose = "Words of a sentence stand here. " * 25
    document = read_as("a.md", "\n".join([prose, "", *lines, "", prose]), ChunkSize(1000, overlap))
    with_rows = [chunk for chunk in document.chunks if "| row" in chunk.text]
    assert all("| name | words |\n| --- | --- |\n| row" in chunk.text for chunk in with_rows)
    assert all(sum(line in chunk.text for chunk in document.chunks) for line in lines)
    assert_places_are_true(document)


def test_a_row_that_is_too_long_for_a_passage_names_its_columns_in_each_part() -> None:
    text = "\n".join(["term,meaning,source", f"crema,{'a foam ' * 300},handbook", "tamper,a tool,handbook"])
    document = read_as("a.csv", text)
    assert all(chunk.text.startswith("term: crema\n") for chunk in document.chunks[:-1])
    assert document.chunks[0].text.startswith("term: crema\nmeaning: a foam")
    assert document.chunks[-2].text.endswith("\nsource: handbook")
    assert document.chunks[-1].text == (
        "| term | meaning | source |\n| --- | --- | --- |\n| tamper | a tool | handbook |"
    )
    assert_places_are_true(document)


ODD_CELLS = st.text(st.sampled_from([*"ab |\\\t\r\n\x1f\xa0\x85é", "\ud800", "\U000e0041"]), max_size=6)


@given(st.lists(st.lists(ODD_CELLS, min_size=1, max_size=4), min_size=1, max_size=6))
def test_each_cell_of_a_table_is_one_clean_line_under_its_column(rows: list[list[str]]) -> None:
    cells = [[one_line(cell.translate(CONTROL)).replace("|", "\\|") for cell in row] for row in rows]
    kept = [row for row in cells if any(row)]
    width = max((place for row in kept for place, cell in enumerate(row, 1) if cell), default=0)
    blocks = ExtractBuilder()
    blocks.table(rows)
    lines = [f"| {' | '.join([*row, *[''] * width][:width])} |" for row in kept]
    if width > 1:
        lines.insert(1, f"|{' --- |' * width}")
        assert blocks.extract().text == "\n".join(lines)
    else:
        assert blocks.extract().text == "\n".join(row[0] for row in kept)


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, max_size=4), max_size=30), st.integers(20, 300))
def test_no_cell_of_a_table_is_lost(rows: list[list[str]], most: int) -> None:
    written = [[cell.replace('"', "").replace("\0", "") for cell in row] for row in rows]
    text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in [["a", "b"], *written])
    document = read_as("a.csv", text, ChunkSize(most, 0))
    assert_places_are_true(document)
    kept = "".join(document.text.split())
    letters = [letter for row in written for cell in row for letter in normalize("NFC", cell) if letter.isalnum()]
    assert all(letter in kept for letter in letters)


# HTML


def test_html_is_read_as_markdown_blocks() -> None:
    page = """<html lang=de><head><title> My
        page </title></head><body><h1>Cof<b>fee</b></h1><p>Hot<br>black &amp; sweet</p>
        <ul><li>one<ul><li>inner</li></ul></li><li><p>two</p></li></ul><ol><li>first</li><li>second</li></ol>
        <h2>Code</h2><pre>x = 1
  y</pre><a href="u">link</a> end</body></html>"""
    document = read_as("a.html", page)
    assert document.title == "My page"
    assert pieces(document) == [
        ("Coffee", "Hot\nblack & sweet\n\n- one\n  - inner\n- two\n1. first\n2. second"),
        ("Coffee › Code", "```\nx = 1\n  y\n```\n\nlink end"),
    ]
    assert_places_are_true(document)


def test_tables_of_html_are_tables_unless_they_are_layout() -> None:
    rows = "<tr><th colspan=2>Cup</th><th>ml</th></tr><tr><td>a<p>b</p></td><td></td><td>3</td></tr>"
    data = f"<table><caption>Sizes</caption>{rows}</table>"
    assert read_as("a.html", data).text == "Sizes\n\n| Cup | Cup | ml |\n| --- | --- | --- |\n| a b |  | 3 |"
    layout = f"<table><tr><td>menu</td><td>go<h2>Head</h2>text{data}</td></tr></table>after"
    assert read_as("a.html", layout).text.startswith("menu\n\ngo\n\n## Head\n\ntext\n\nSizes\n\n| Cup |")
    assert read_as("a.html", layout).text.endswith("| 3 |\n\nafter")


def test_a_spanning_cell_stands_in_every_row_and_column_it_covers() -> None:
    page = """<table><tr><th rowspan=2>Region<th colspan=2>Units<tr><th>Spring<th>Autumn
        <tr><td rowspan=2>Vellmark<td>7<td>8<tr><td>9<td>10<tr><td>Ostrava<td>1<td>2</table>"""
    assert read_as("a.html", page).text == (
        "| Region | Units › Spring | Units › Autumn |\n| --- | --- | --- |\n"
        "| Vellmark | 7 | 8 |\n| Vellmark | 9 | 10 |\n| Ostrava | 1 | 2 |"
    )


def test_a_name_over_all_columns_is_still_their_name() -> None:
    page = "<table><tr><th colspan=2>Action<tr><td>Swim<td>in the lake<tr><td>Fly<td>over it</table>"
    assert read_as("a.html", page).text == "| Action |  |\n| --- | --- |\n| Swim | in the lake |\n| Fly | over it |"


def test_a_table_in_a_cell_is_text_of_it_where_the_columns_have_names() -> None:
    inner = "<table><tr><th>Size<th>Price</tr><tr><td>small<td>3</tr><tr><td>big<td>4</tr></table>"
    page = f"<table><tr><td>Drink<td>Prices</tr><tr><td>Tea<td>now {inner} €</tr><tr><td>Milk<td>1</tr></table>"
    assert read_as("a.html", page).text == (
        "| Drink | Prices |\n| --- | --- |\n| Tea | now Size: small, Price: 3; Size: big, Price: 4 € |\n| Milk | 1 |"
    )


def test_a_heading_in_a_cell_names_a_column() -> None:
    page = "<table><tr><td><h2>Drink</h2><td><h2>ml</h2></tr><tr><td>Tea<td>240</tr></table>"
    assert read_as("a.html", page).text == "| Drink | ml |\n| --- | --- |\n| Tea | 240 |"


def test_a_merged_cell_of_a_docx_stands_in_every_row_it_covers() -> None:
    def merged(text: str, how: str) -> str:
        return f'<w:tcPr><w:vMerge w:val="{how}"/></w:tcPr>{paragraph(text)}'

    table = word_table(
        [
            [paragraph("Region"), paragraph("Product"), paragraph("Units")],
            [merged("Vellmark", "restart"), paragraph("Rim"), paragraph("5")],
            [merged("", "continue"), paragraph("Hub"), paragraph("7")],
        ]
    )
    assert "| Vellmark | Hub | 7 |" in read_as("a.docx", docx(table)).text


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- injected -->",
        "<p hidden>injected</p>",
        "<div popover>injected</div>",
        "<p style='font-size:1px'>injected</p>",
        "<p style='font-size: .5pt'>injected</p>",
        "<p style='opacity:0.01'>injected</p>",
        "<p style='color:transparent'>injected</p>",
        "<p style='color: white'>injected</p>",
        "<p style='color:#FFF;background:#ffffff'>injected</p>",
        "<font color=white>injected</font>",
        "<style>.w {color: #fff}</style><p class=w>injected</p>",
        "<style>.o {position:absolute; left:-9999px}</style><p class=o>injected</p>",
        "<p style='position:absolute;clip:rect(0,0,0,0)'>injected</p>",
        "<p style='clip-path: inset(100%)'>injected</p>",
        "<div style='height:0;overflow:hidden'>injected</div>",
        "<div style='transform:scale(0)'>injected</div>",
        "<div style='transform:translateX(-9999px)'>injected</div>",
        "<p style='margin-left:-9999px'>injected</p>",
        "<div style='color:red; DISPLAY : none'><p>injected</p></div>",
        "<p style='visibility:hidden'>injected</p>",
        "<p style='font-size:0px'>injected</p>",
        "<p style='opacity: 0'>injected</p>",
        "<p style='position:absolute;left:-9999px'>injected</p>",
        "<p style='display:/**/none'>injected</p>",
        "<style>.a, .x > b {display:none}</style><p class=a>injected</p><p class=x><b>injected</b></p>",
        "<style>@media screen { .a {display:none} }</style><p class=a>injected</p>",
        "<script>injected</script><template>injected</template><noscript>injected</noscript>",
        "<div><svg><text>injected</text></svg><input type=hidden value=injected><img alt=injected></div>",
    ],
)
def test_hidden_html_is_not_read(hidden: str) -> None:
    assert read_as("a.html", f"<p>before</p>{hidden}<p>after</p>").text == "before\n\nafter"
    assert read_as("a.md", f"before\n\n{hidden}\n\nafter").text.split() == ["before", "after"]


def test_what_only_print_hides_is_read() -> None:
    assert read_as("a.html", "<style>@media print {.a {display:none}}</style><p class=a>seen</p>").text == "seen"


def test_a_comment_inside_a_paragraph_of_markdown_is_not_read_and_one_in_code_is() -> None:
    text = "a <!-- injected\nstill --> b\n\n```\n<!-- code -->\n```\n\n<p>c</p>\n\n# D"
    assert read_as("a.md", text).text == "a \n b\n\n```\n<!-- code -->\n```\n\nc\n\n# D"


TAGS = ("p", "table", "tr", "td", "/td", "/table", "h2", "/h2", "li", "ul", "/ul", "pre", "/pre", "br", "b", "/p")


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from([f"<{tag}>" for tag in TAGS]), st.text(max_size=8)), max_size=30))
def test_any_html_is_read_with_true_places(parts: list[str]) -> None:
    source = "<p>words</p>" + "x".join(parts).replace("\0", "")
    assert_places_are_true(read_as("a.html", source.encode("utf-8", "replace"), ChunkSize(40, 10)))


@pytest.mark.parametrize(
    ("content", "declared", "text"),
    [
        ("ä".encode(), False, "ä"),
        ("ä".encode("utf-8-sig"), False, "ä"),
        ("ä".encode("utf-16"), False, "ä"),
        (b"\xfe\xff" + "ä".encode("utf-16-be"), False, "ä"),
        ("„ä“ €".encode("cp1252"), False, "„ä“ €"),
        ("<meta charset='iso-8859-7'>αβ".encode("iso-8859-7"), True, "<meta charset='iso-8859-7'>αβ"),
        (b"<meta charset=nonsense>a", True, "<meta charset=nonsense>a"),
        ("<meta charset=utf-16>ä".encode(), True, "<meta charset=utf-16>ä"),
        (b"<meta charset=utf-7>+2AA-", True, "<meta charset=utf-7>?"),
    ],
)
def test_text_is_decoded_by_mark_declaration_and_habit(content: bytes, declared: bool, text: str) -> None:
    assert decoded(content, declared=declared) == text


def test_every_fault_of_a_file_says_what_to_do_and_names_no_path() -> None:
    for said in (file_text(code) for code in FILE_CODES):
        assert len(said.rstrip(".").split(". ")) == 2
        assert "/" not in said
        assert len(said) < 200  # with the list of formats


@pytest.mark.parametrize(
    "seen",
    [
        "<body bgcolor=navy><p style='color:white'>seen</p>",
        "<div style='background:#024'><p style='color:white'>seen</p></div>",
        "<link rel=stylesheet href=a.css><p style='color:white'>seen</p>",
        "<style>th {background: #024; color: #fff}</style><table><tr><th>seen</th></tr></table>",
        "<p style='font-size:.8em;opacity:.9;background-color:transparent'>seen</p>",
        "<p aria-hidden=true>seen</p>",
        "<p style='border-color:white;max-height:0'>seen</p>",
        "<details><summary>seen</summary></details>",
    ],
)
def test_what_a_page_shows_is_read(seen: str) -> None:
    assert "seen" in read_as("a.html", f"<p>before</p>{seen}<p>after</p>").text


@pytest.mark.parametrize(
    "hidden",
    [
        "<div style='display:none'>\n\ninjected\n\n# injected\n\n</div>",
        "[//]: # (injected)",
        "[comment]: <> (injected)",
        '[injected]: https://example.org "injected"',
        "<span hidden>injected *and* more</span>",
        "<span style='font-size:0'>injected</span>",
        "\U000e0069\U000e006e\U000e006a",
    ],
)
def test_hidden_markdown_is_not_read(hidden: str) -> None:
    assert read_as("a.md", f"before\n\n{hidden}\n\nafter").text.split() == ["before", "after"]
    assert read_as("a.md", "before\n\n```\n[x]: y (kept)\n```\n\nafter <b>kept</b>").text.count("kept") == 2


def test_text_around_something_hidden_in_its_line_is_read() -> None:
    text = "One <span style='display:none'>injected</span> two.\nThree <!-- injected --> four [five][1].\n\n[1]: a.md"
    assert read_as("a.md", text).text.split() == ["One", "two.", "Three", "four", "[five][1]."]
