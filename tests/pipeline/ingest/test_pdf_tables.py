"""Tables of PDFs: rows stay rows below the names of their columns, and text that only looks like one stays text."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.chunks import page_at
from pipeline.ingest.pdf import opened, page_text
from pipeline.ingest.reading import read
from tests.documents import drawn_pdf, placed_pdf

Place = tuple[float, float, str]
COLUMNS = (72.0, 250.0, 400.0)


def read_pdf(*pages: Sequence[Place], turned: int = 0) -> Document:
    return read(placed_pdf(pages, turned=turned), "a.pdf", ReadingLimits(), ChunkSize())


def table(rows: Sequence[Sequence[str]], *, top: float = 780, step: float = 15) -> list[Place]:
    return [
        (x, top - step * number, cell)
        for number, row in enumerate(rows)
        for x, cell in zip(COLUMNS, row, strict=False)
        if cell
    ]


ROWS = [["Item", "Crates", "Price"], ["Quince", "14", "1.20"], ["Medlar", "25", "0.80"], ["Sorb", "31", "2.10"]]
WRITTEN = (
    "| Item | Crates | Price |\n| --- | --- | --- |\n"
    "| Quince | 14 | 1.20 |\n| Medlar | 25 | 0.80 |\n| Sorb | 31 | 2.10 |"
)


def test_the_rows_of_a_table_stay_rows_under_its_header() -> None:
    before = (72.0, 810.0, "The harvest of the valley in crates, and what each of them was sold for in the town")
    after = (72.0, 600.0, "All prices are in crowns, and were asked for in the week after the harvest of the fruit")
    assert read_pdf([before, *table(ROWS), after]).text == f"{before[2]}\n{WRITTEN}\n{after[2]}"


def test_a_table_is_read_by_rows_in_whatever_order_the_file_has_its_cells() -> None:
    assert read_pdf(sorted(table(ROWS))).text == WRITTEN


def test_a_table_on_a_turned_page_is_a_table() -> None:
    assert read_pdf(table(ROWS), turned=90).text == WRITTEN


def test_a_table_that_lies_on_its_side_is_a_table() -> None:
    assert read_pdf(table(ROWS), turned=-90).text == WRITTEN


def test_prose_beside_a_picture_with_letters_is_no_table() -> None:
    prose = [
        "The field of learning is related to",
        "statistics and some methods try to",
        "find a model for what is known",
        "of the data.",
    ]
    places = [(72.0, 700.0 - 14 * number, line) for number, line in enumerate(prose)]
    places += [
        (320.0, 700.0 - 14 * number, word) for number, word in enumerate(["weights", "inputs", "outputs", "sum"])
    ]
    assert "|" not in read_pdf(places).text


def test_a_receipt_without_names_of_columns_keeps_its_rows() -> None:
    places = [(72.0, 700.0, "Coffee"), (300.0, 700.0, "3.20"), (72.0, 685.0, "Apple cake"), (300.0, 685.0, "4.10")]
    places += [(72.0, 670.0, "Total"), (300.0, 670.0, "7.30")]
    assert read_pdf(places).text == "| Coffee | 3.20 |\n| Apple cake | 4.10 |\n| Total | 7.30 |"


def test_lines_of_a_cell_and_names_over_several_columns_are_joined() -> None:
    places = [(250.0, 780.0, "Sold in the autumn of the whole year"), *table(ROWS[:1], top=766)]
    places += [*table([["Quince of the", "14", "1.20"], ["northern valley"]], top=744, step=12)]
    places += [*table([["Medlar", "25", "0.80"], ["Sorb", "31", "2.10"], ["Pear", "3", "0.40"]], top=712, step=20)]
    assert read_pdf(places).text.startswith(
        "| Item | Sold in the autumn of the whole year Crates | Sold in the autumn of the whole year Price |\n"
        "| --- | --- | --- |\n"
        "| Quince of the northern valley | 14 | 1.20 |\n| Medlar | 25 | 0.80 |"
    )


def test_tables_of_other_columns_are_told_apart_though_they_are_close() -> None:
    summary = [(72.0, 780.0, "Start"), (160.0, 780.0, "End"), (240.0, 780.0, "Shows"), (320.0, 780.0, "Gross")]
    summary += [(72.0, 766.0, "12/20"), (160.0, 766.0, "12/31"), (240.0, 766.0, "48"), (320.0, 766.0, "12,500.00")]
    totals = [(72.0, 752.0, "Totals of the month"), *table(ROWS, top=738, step=14)]
    assert read_pdf([*summary, *totals]).text == (
        "| Start | End | Shows | Gross |\n| --- | --- | --- | --- |\n| 12/20 | 12/31 | 48 | 12,500.00 |\n"
        f"Totals of the month\n{WRITTEN}"
    )


def test_the_line_below_the_last_row_goes_on_with_its_cell() -> None:
    rows = table([["Item", "Name", "Price"], ["1", "Quince", "1.20"], ["2", "Medlar of the", "0.80"]])
    assert read_pdf([*rows, (250.0, 738.0, "southern valley")]).text.endswith(
        "| 2 | Medlar of the southern valley | 0.80 |"
    )


def test_the_lines_of_a_receipt_are_not_folded() -> None:
    lines = ["Tea house", "Store 342 of the southern town", "Teapot", "AB-5521 1 @ 34.99", "Discount -5.00", "29.99"]
    lines += [
        "Two cups",
        "CD-8834 2 @ 7.99",
        "15.98",
        "-" * 35,
        "Subtotal 45.97",
        "Tax 3.20",
        "Total 49.17",
        "Thank you",
    ]
    places = [(72.0, 780.0 - 12 * number, line) for number, line in enumerate(lines)]
    assert read_pdf(places).text.split("\n") == lines


def test_the_broken_names_of_columns_of_words_are_joined() -> None:
    rows = [["Organ", "Prevention in", "Treatment of"], ["", "adult patients", "children"], ["Blood"]]
    rows += [["Anaemia", "Common", "Rare"], ["Bruises", "Uncommon", "Common"], ["Eyes"], ["Pain", "Rare", "Rare"]]
    assert read_pdf(table(rows)).text == (
        "| Organ | Prevention in adult patients | Treatment of children |\n| --- | --- | --- |\n| Blood | | |\n"
        "| Anaemia | Common | Rare |\n| Bruises | Uncommon | Common |\n| Eyes | | |\n| Pain | Rare | Rare |"
    )


def test_each_passage_of_a_long_table_repeats_its_header_also_on_the_next_page() -> None:
    rows = [[f"Item {number}", str(number), f"{number}.50"] for number in range(100)]
    pages = [table([ROWS[0], *rows[:40]]), table(rows[40:80]), table(rows[80:])]
    document = read_pdf(*pages)
    assert len(document.chunks) > 3
    for chunk in document.chunks:
        assert chunk.text.startswith("| Item | Crates | Price |\n| --- | --- | --- |\n| Item ")
        assert chunk.text.endswith("0 |")
        assert chunk.text == document.text[slice(*chunk.header)] + document.text[chunk.start : chunk.end]
        assert chunk.first_page == page_at(document.page_starts, chunk.start)
    assert [row for row in document.text.split("\n") if row.startswith("| Item 4")] == [
        f"| Item {number} | {number} | {number}.50 |" for number in (4, *range(40, 50))
    ]


def test_prose_in_two_columns_is_read_column_by_column_though_written_across() -> None:
    left = [
        "The committee of Ostrava met and",
        "reviewed the report of the year,",
        "and then approved the new budget",
        "of the foundry.",
    ]
    right = [
        "Meanwhile the harbour of Piran was",
        "closed because of the storm that",
        "broke two of its old wooden piers",
        "in the winter.",
    ]
    places = [
        (x, 700 - 14 * n, t)
        for n, pair in enumerate(zip(left, right, strict=True))
        for x, t in zip((72, 320), pair, strict=True)
    ]
    text = " ".join(read_pdf(places).text.split())
    assert text == " ".join([*left, *right])


def test_a_list_with_wide_gaps_after_its_numbers_is_no_table() -> None:
    items = [
        "first of all wash the fruit",
        "then cut it into pieces",
        "boil it for an hour or two",
        "fill it into the jars",
    ]
    places = [
        place
        for n, item in enumerate(items)
        for place in ((72.0, 700.0 - 14 * n, f"{n + 1}."), (110.0, 700.0 - 14 * n, item))
    ]
    assert "|" not in read_pdf(places).text


def test_every_letter_of_a_table_has_its_place_on_the_page() -> None:
    content = placed_pdf([table(ROWS)])
    with opened(content) as source:
        page = source[0]
        textpage = page.get_textpage()
        found = page_text(page, textpage, 0)
        letters = [
            (letter, textpage.get_text_range(place, 1))
            for letter, place in zip(found.text, found.places, strict=True)
            if letter.isalnum()
        ]
    assert all(letter == there for letter, there in letters)
    assert len(found.tables) == 1


def test_a_page_without_words_has_no_table() -> None:
    assert (
        "|" not in read(drawn_pdf("BT /F1 11 Tf 72 700 Td (words) Tj ET"), "a.pdf", ReadingLimits(), ChunkSize()).text
    )
