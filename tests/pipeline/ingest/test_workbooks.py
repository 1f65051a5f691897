"""Workbooks as people see them: formats, merged cells, several tables on a sheet, what stands beside the cells."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import xlsxwriter

from pipeline.ingest.files import read_file
from pipeline.ingest.number_formats import shown
from pipeline.ingest.workbooks import xlsx_extract
from tests.documents import xlsx


def text_of(write: Callable[[Any, Any], None]) -> str:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        write(book, book.add_worksheet("Sheet"))
    return xlsx_extract(out.getvalue()).text.removeprefix("## Sheet\n\n")


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.375, "0.0%", "37.5%"),
        (1 / 6, "0.00%", "16.67%"),
        (0.22222, "0%", "22%"),
        (1234.5, '#,##0.00 "€"', "1,234.50 €"),
        (-1234.5, r"#,##0.00\ [$€-407]", "-1,234.50 €"),
        (12.3, '"$"#,##0.00_);[Red]("$"#,##0.00)', "$12.30"),
        (-12.3, '"$"#,##0.00_);[Red]("$"#,##0.00)', "($12.30)"),
        (0, '_-* #,##0.00 _€_-;-* #,##0.00 _€_-;_-* "-"?? _€_-;_-@_-', "-"),
        (46024, "dd.mm.yyyy", "02.01.2026"),
        (46024.6, "d. mmmm yyyy h:mm", "2. January 2026 14:24"),
        (0.6, "h:mm AM/PM", "2:24 PM"),
        (1.5, "[h]:mm", "36:00"),
        (59.5 / 86400, "mm:ss.0", "00:59.5"),
        (5, "00000", "00005"),
        (123456789, "000-00-0000", "123-45-6789"),
        (1234567, '0.0,,"M"', "1.2M"),
        (0.00012, "0.00E+00", "1.20E-04"),
        (2.75, "# ?/?", "2 3/4"),
        (150, '[<100]"low";[>=100]"high "0', "high 150"),
        (7, '0 "kg"', "7 kg"),
        (5, ";;;", ""),
        (7, "@", "7"),
        (1 / 3, "General", "0.3333333333"),
        (2026.0, "General", "2026"),
        (1e300, "yyyy-mm-dd", "1e+300"),
    ],
)
def test_a_number_is_written_as_its_format_shows_it(value: float, code: str, text: str) -> None:
    assert shown(value, code) == text


def test_cells_are_read_as_a_person_sees_them() -> None:
    def write(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["What", "Value"])
        sheet.write_row(1, 0, ["Share", 0.375], book.add_format({"num_format": "0.0%"}))
        sheet.write(2, 0, "Due")
        sheet.write_datetime(2, 1, datetime(2026, 1, 2), book.add_format({"num_format": 14}))
        sheet.write(3, 0, "Long")
        sheet.write(3, 1, timedelta(hours=30), book.add_format({"num_format": "[h]:mm"}))
        sheet.write_row(4, 0, ["Open", True])
        sheet.write_formula(5, 1, "=B2*2", None, "")
        sheet.write(5, 0, "Twice")

    assert text_of(write) == (
        "| What | Value |\n| --- | --- |\n| Share | 37.5% |\n| Due | 2026-01-02 |\n| Long | 30:00 |\n"
        "| Open | TRUE |\n| Twice | =B2*2 |"
    )


def test_formulas_without_values_are_counted_in_a_document_that_a_child_read() -> None:
    def write(_book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["What", "Value"])
        sheet.write_formula(1, 0, "=A1", None, "")
        sheet.write_formula(1, 1, "=2+3", None, 5)

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        write(book, book.add_worksheet("Sheet"))
    document = asyncio.run(read_file(out.getvalue(), "a.xlsx"))
    assert "| =A1 | 5 |" in document.text
    assert document.unread == (("formula", 1),)


def test_a_merged_cell_stands_in_every_row_and_column_it_covers() -> None:
    def write(book: Any, sheet: Any) -> None:
        sheet.merge_range("A1:E1", "Harvest of the valleys")
        sheet.merge_range("A2:A3", "Valley")
        sheet.merge_range("B2:C2", "Spring")
        sheet.merge_range("D2:E2", "Autumn")
        sheet.write_row(2, 1, ["Crates", "Share", "Crates", "Share"])
        sheet.merge_range("A4:A5", "Northmark")
        sheet.write_row(3, 1, [1, 2, 3, 4])
        sheet.write_row(4, 1, [5, 6, 7, 8])

    assert text_of(write) == (
        "Harvest of the valleys\n\n"
        "| Valley | Spring › Crates | Spring › Share | Autumn › Crates | Autumn › Share |\n"
        "| --- | --- | --- | --- | --- |\n| Northmark | 1 | 2 | 3 | 4 |\n| Northmark | 5 | 6 | 7 | 8 |"
    )


def test_a_blank_row_under_the_names_of_columns_divides_no_table_and_other_blank_rows_do() -> None:
    rows: list[list[object]] = [
        ["Item", "Crates"],
        [],
        ["Quince", 14],
        ["Medlar", 25],
        [],
        ["Depot", "Town"],
        ["A", "B"],
    ]
    assert xlsx_extract(xlsx({"S": rows})).text == (
        "## S\n\n| Item | Crates |\n| --- | --- |\n| Quince | 14 |\n| Medlar | 25 |\n\n"
        "| Depot | Town |\n| --- | --- |\n| A | B |"
    )


def test_tables_side_by_side_are_tables_of_their_own() -> None:
    rows: list[list[object]] = [
        ["Item", "Crates", "", "Depot", "Town"],
        ["Quince", 14, "", "East", "Piran"],
        ["Medlar", 25, "", "West", "Koper"],
        ["Sorb", 31],
    ]
    assert xlsx_extract(xlsx({"S": rows})).text == (
        "## S\n\n| Item | Crates |\n| --- | --- |\n| Quince | 14 |\n| Medlar | 25 |\n| Sorb | 31 |\n\n"
        "| Depot | Town |\n| --- | --- |\n| East | Piran |\n| West | Koper |"
    )


def test_a_blank_column_within_a_table_does_not_divide_it() -> None:
    rows: list[list[object]] = [["", "", "", "2024", "2025"], ["Income", "", "", 3, 4], ["Costs", "", "", 1, 2]]
    assert "| Costs |  | 1 | 2 |" in xlsx_extract(xlsx({"S": rows})).text


def test_comments_and_text_boxes_of_a_sheet_are_read() -> None:
    def write(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["Item", "Crates"])
        sheet.write_row(1, 0, ["Quince", 14])
        sheet.write_comment("B2", "Counted twice", {"author": "A"})
        sheet.insert_textbox("D5", "Closed in winter")

    text = text_of(write)
    assert "B2: Counted twice" in text
    assert text.endswith("Closed in winter")


def test_a_cell_in_the_last_corner_of_a_sheet_does_no_harm() -> None:
    assert xlsx_extract(xlsx({"S": [[1]]}, far=True)).text == "## S\n\n1\n\nfar"
