"""Reads workbooks of Excel 97 to 2003 (XLS)."""

from __future__ import annotations

import io

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import ExtractBuilder
from pipeline.ingest.chunks import Extract
from pipeline.ingest.delimited import add_tables


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
            rows = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=True)
            add_tables(blocks, ([str(cell) for cell in row] for row in rows))
    return blocks.extract()
