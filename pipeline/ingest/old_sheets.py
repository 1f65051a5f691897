"""Reads workbooks of Excel 97 to 2003 (XLS)."""

from __future__ import annotations

import io
from datetime import datetime, time

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import ExtractBuilder
from pipeline.ingest.chunks import Extract
from pipeline.ingest.grids import Grid, Merged, add_tables
from pipeline.ingest.number_formats import general


def xls_extract(content: bytes) -> Extract:
    """Read a section per visible sheet. Raises IngestFault where it is locked."""
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except PasswordError as error:
        raise IngestFault("encrypted") from error
    blocks = ExtractBuilder()
    for sheet in book.sheets_metadata:
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet:
            blocks.heading(2, sheet.name)
            cells = book.get_sheet_by_name(sheet.name)
            top, left = cells.start or (0, 0)
            merged = [
                Merged(first[0] - top, first[1] - left, last[0] - top, last[1] - left)
                for first, last in cells.merged_cell_ranges or ()
                if first[0] >= top and first[1] >= left
            ]
            rows = [[_written(cell) for cell in row] for row in cells.to_python(skip_empty_area=True)]
            add_tables(blocks, Grid(rows, merged))
    return blocks.extract()


def _written(value: object) -> str:
    """Write a value as a person would; its format is not known."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return general(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes") if value.time() != time() else value.date().isoformat()
    return str(value)
