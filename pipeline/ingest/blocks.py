"""Writes the blocks of a document as Markdown; the readers of marked-up formats share it.

It knows no file format. It records the position of every heading. A long table repeats its first row, so that each
passage of it names the columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.ingest.chunks import Extract, Heading

TABLE_CHARS = 700  # rows of one piece of a table; with the first row they stay below the size of a passage
REPEATED_CHARS = 250  # a longer first row does not name columns and is not repeated
CELLS = 16_384  # the most columns of a spreadsheet; longer rows are cut

_GAP = "\n\n"
# Characters to drop: control characters except tab and line feed, halves of surrogate pairs, and the invisible tag
# characters that spell ASCII, which a model would read.
CONTROL = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160), *range(0xD800, 0xE000), *range(0xE0000, 0xE0080)])
_BLANKS = re.compile(r"\s+")


def one_line(text: str) -> str:
    """Return `text` with every run of blanks replaced by one."""
    return _BLANKS.sub(" ", text).strip()


class ExtractBuilder:
    """Builds the Markdown text and the headings of an `Extract`."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._headings: list[Heading] = []
        self._length, self._tight = 0, False

    def add(self, block: str, *, tight: bool = False) -> None:
        """Add a paragraph, list item, code block or table unless it is blank. No empty line precedes a tight block."""
        clean = block.translate(CONTROL).strip("\n")
        if clean.strip():
            self._write(clean, tight=tight)

    def heading(self, level: int, title: str) -> None:
        """Add a heading of level 1 to 6 unless it is blank."""
        if clean := one_line(title.translate(CONTROL)):
            begin = self._write(f"{'#' * level} {clean}")
            self._headings.append(Heading(level, clean, begin, self._length))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Add a table whose first row names the columns. Blank rows and columns at the end are left out."""
        kept = [[_cell(cell) for cell in row[:CELLS]] for row in rows]
        kept = [row for row in kept if any(row)]
        width = max((place for row in kept for place, cell in enumerate(row, 1) if cell), default=0)
        lines = [_line([*row, *[""] * (width - len(row))][:width]) for row in kept]
        if width < 2:  # one column reads better as a list
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
        """Return the extract of everything added."""
        return Extract("".join(self._parts), tuple(self._headings), title)

    @property
    def next_start(self) -> int:
        """The offset where the next block will begin, unless it is tight."""
        return self._length + len(_GAP) if self._parts else 0

    def _write(self, block: str, *, tight: bool = False) -> int:
        """Write a block and return the offset where it begins."""
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
