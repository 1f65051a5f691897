"""Reads CSV and TSV: one table for each run of rows without a blank row between them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from pipeline.ingest.blocks import ExtractBuilder
from pipeline.ingest.chunks import Extract

_DELIMITERS = ",;\t|"


def delimited_extract(text: str, delimiter: str = "") -> Extract:
    """Read a table; without a `delimiter` it is the most frequent one in the first line."""
    blocks = ExtractBuilder()
    first = text.lstrip("\n").partition("\n")[0]
    csv.field_size_limit(len(text) + 1)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or max(_DELIMITERS, key=first.count))
    add_tables(blocks, rows)
    return blocks.extract()


def add_tables(blocks: ExtractBuilder, rows: Iterable[Sequence[str]]) -> None:
    """Add a table for each run of rows between blank ones."""
    run: list[Sequence[str]] = []
    for row in rows:
        if any(cell.strip() for cell in row):
            run.append(row)
        elif run:
            blocks.table(run)
            run = []
    if run:
        blocks.table(run)
