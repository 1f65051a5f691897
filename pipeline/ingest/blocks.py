"""Blocks of a document, written down as Markdown one after the other: what readers of marked-up formats share.

Knows no format. Every heading is placed in the text it is part of; a long table repeats its first row, so that each
passage of it says what its columns mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.ingest.chunks import Extract, Heading

TABLE_CHARS = 700  # of the rows of one piece of a table: with the first row it is below the size of a passage
REPEATED_CHARS = 250  # a longer first row is no row of names: it is not repeated
CELLS = 16_384  # most columns of a spreadsheet; a row does not grow past it

_GAP = "\n\n"
# What no text is made of: control characters but for tab and line end, halves of surrogate pairs, and the tags that
# spell ASCII without being seen: a model reads them.
CONTROL = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160), *range(0xD800, 0xE000), *range(0xE0000, 0xE0080)])
_BLANKS = re.compile(r"\s+")


def one_line(text: str) -> str:
    """`text` with every run of blanks as one."""
    return _BLANKS.sub(" ", text).strip()


class Blocks:
    """The text as far as it is written."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._headings: list[Heading] = []
        self._length, self._tight = 0, False

    def add(self, block: str, *, tight: bool = False) -> None:
        """One paragraph, list item, piece of code or table; nothing when it is blank. Tight ones stand close."""
        clean = block.translate(CONTROL).strip("\n")
        if clean.strip():
            self._write(clean, tight=tight)

    def heading(self, level: int, title: str) -> None:
        """A heading of level 1 to 6; nothing when it is blank."""
        if clean := one_line(title.translate(CONTROL)):
            begin = self._write(f"{'#' * level} {clean}")
            self._headings.append(Heading(level, clean, begin, self._length))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Rows of cells, the first one naming the columns. Blank rows and columns at the end are left out."""
        kept = [[_cell(cell) for cell in row[:CELLS]] for row in rows]
        kept = [row for row in kept if any(row)]
        width = max((place for row in kept for place, cell in enumerate(row, 1) if cell), default=0)
        lines = [_line([*row, *[""] * (width - len(row))][:width]) for row in kept]
        if width < 2:  # one column is a list, and reads better as one
            self.add("\n".join(row[0] for row in kept))
            return
        rule = _line(["---"] * width)
        head = [lines[0], rule] if len(lines[0]) <= REPEATED_CHARS else []
        piece, size = [lines[0], rule], 0
        for line in lines[1:]:
            if size and size + len(line) > TABLE_CHARS:
                self.add("\n".join(piece))
                piece, size = [*head], 0
            piece.append(line)
            size += len(line) + 1
        self.add("\n".join(piece))

    def extract(self, title: str = "") -> Extract:
        """All of it."""
        return Extract("".join(self._parts), tuple(self._headings), title)

    @property
    def next_start(self) -> int:
        """Where the next block will begin, unless it is a tight one."""
        return self._length + len(_GAP) if self._parts else 0

    def _write(self, block: str, *, tight: bool = False) -> int:
        """→ where it begins."""
        if self._parts:
            self._parts.append("\n" if tight and self._tight else _GAP)
            self._length += len(self._parts[-1])
        begin, self._tight = self._length, tight
        self._parts.append(block)
        self._length += len(block)
        return begin


def _cell(text: str) -> str:
    return one_line(text.translate(CONTROL)).replace("|", "\\|")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
