"""Reads OpenDocument spreadsheets (ODS): cells as they are displayed, without hidden sheets, rows and columns."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract
from pipeline.ingest.grids import Grid, add_tables
from pipeline.ingest.open_document import attribute, count, local, parsed, refuse_encrypted, table_rows
from pipeline.ingest.open_styles import Styles

_COMMENT = "annotation"


def ods_extract(content: bytes) -> Extract:
    """Read a section per visible sheet: its tables, comments and text boxes. Raises IngestFault."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        refuse_encrypted(archive)
        root = parsed(archive.read("content.xml"))
        other = parsed(archive.read("styles.xml")) if "styles.xml" in archive.namelist() else None
    book = next((each for each in root.iter() if local(each) == "spreadsheet"), None)
    if book is None:
        raise IngestFault("wrong_type")
    blocks, styles = ExtractBuilder(), Styles(root, other)
    for sheet in book:
        if local(sheet) == "table" and not styles.is_hidden_sheet(sheet):
            blocks.heading(2, attribute(sheet, "name"))
            _add_sheet(blocks, sheet, styles)
    return blocks.extract()


def _add_sheet(blocks: ExtractBuilder, sheet: Any, styles: Styles) -> None:
    hidden = frozenset(_hidden_columns(sheet))
    rows = table_rows(sheet, styles, _shown, keeps_blank=True)
    add_tables(blocks, Grid([[cell for at, cell in enumerate(row) if at not in hidden] for row in rows]))
    for each in sheet.iter():
        if local(each) == _COMMENT or (local(each) == "text-box" and attribute(each, "display") != "none"):
            blocks.add(_paragraphs(each))


def _shown(cell: Any) -> str:
    """Return the text of a cell as it is displayed; its value where a program left out the text."""
    text = _paragraphs(cell)
    return text or attribute(cell, "value") or attribute(cell, "date-value") or attribute(cell, "string-value")


def _paragraphs(element: Any) -> str:
    return one_line(" ".join("".join(each.itertext()) for each in element if local(each) == "p"))


def _hidden_columns(sheet: Any) -> Iterator[int]:
    at = 0
    for column in (each for each in sheet.iter() if local(each) == "table-column"):
        repeated = count(column, "number-columns-repeated", 1)
        if attribute(column, "visibility") == "collapse":
            yield from range(at, min(at + repeated, at + 20_000))
        at += repeated
