"""Reads CSV and TSV: one table for each run of rows without a blank row between them.

Rows are read one by one, so that 100 MB fit in the memory of the process that reads them.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from pipeline.ingest.blocks import ExtractBuilder
from pipeline.ingest.chunks import Extract
from pipeline.ingest.progress import EXTRACTED, tell

_DELIMITERS = ";\t|,"
_ROWS_TRIED = 50
_NAMED = re.compile(r"\s*sep=([;,\t|])\r?\n", re.IGNORECASE)  # a first line that Excel reads and writes
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def delimited_extract(text: str, delimiter: str = "") -> Extract:
    """Read a table; without a `delimiter` it is recognised."""
    blocks = ExtractBuilder()
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    begin = 0
    if not delimiter and (named := _NAMED.match(text)):
        delimiter, begin = named[1], named.end()
    add_tables(blocks, _rows(text, delimiter or _delimiter(text), begin))
    return blocks.extract()


def add_tables(blocks: ExtractBuilder, rows: Iterable[Sequence[str]]) -> None:
    """Add a table for each run of rows between blank ones."""
    for is_blank, run in groupby(rows, key=_is_blank):
        if not is_blank:
            blocks.table(run)


def _is_blank(row: Sequence[str]) -> bool:
    return not any(map(str.strip, row))


def _rows(text: str, delimiter: str, begin: int = 0) -> Iterator[list[str]]:
    return csv.reader(_lines(text, begin), delimiter=delimiter)


def _lines(text: str, begin: int) -> Iterator[str]:
    step = len(text) // 100 + 1
    next_told = begin + step
    for line in _LINE.finditer(text, begin):
        if line.end() > next_told:
            tell(EXTRACTED * line.end() / len(text))
            next_told += step
        yield line[0]


def _delimiter(text: str) -> str:
    """Return the character that cuts the first rows into the same number of cells most often, then into most cells.

    A comma within numbers or sentences does not; where two do it equally well, a semicolon, tab or bar is meant.
    """
    return max(_DELIMITERS, key=lambda each: _evenness(text, each))


def _evenness(text: str, delimiter: str) -> tuple[float, int]:
    """Return the share of the first rows that have the most frequent number of cells, and that number."""
    widths = Counter(len(row) for row in islice(filter(None, _rows(text, delimiter)), _ROWS_TRIED))
    cells, rows = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
    return (rows / widths.total(), cells) if cells > 1 else (0.0, 1)
