"""Writes the blocks of a document as Markdown; the readers of marked-up formats share it.

It knows no file format. It records the position of every heading and table. A row that is too long for a passage is
written as a record, one line a cell, so that each part of it names its column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.ingest import Unread
from pipeline.ingest.chunks import Extract, Heading, Table

ROW_CHARS = 600  # a longer row is written as a record; with the header, others stay below the size of a passage
LABEL_CHARS = 250  # a longer first cell does not name a record and is not repeated
CELLS = 16_384  # the most columns of a spreadsheet; longer rows are cut

_GAP = "\n\n"
# Characters to drop: control characters except tab and line feed, halves of surrogate pairs, and the invisible tag
# characters that spell ASCII, which a model would read.
CONTROL = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160), *range(0xD800, 0xE000), *range(0xE0000, 0xE0080)])
_BLANKS = re.compile(r"\s+")
_BETWEEN = "\x1f"  # stands between the cells of a row while it is made: no cell holds one
_UNCLEAN = re.compile(
    rf"[\0-\x1e\x7f-\x9f|\ud800-\udfff\U000e0000-\U000e007f]|[^\S {_BETWEEN}]|  | {_BETWEEN}|{_BETWEEN} |\A | \Z"
)
_NO_CELL = "  |"


def one_line(text: str) -> str:
    """Return `text` with every run of blanks replaced by one."""
    return _BLANKS.sub(" ", text).strip()


class ExtractBuilder:
    """Builds the Markdown text and the headings of an `Extract`."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._headings: list[Heading] = []
        self._tables: list[Table] = []
        self._length, self._tight = 0, False
        self._unread: Counter[Unread] = Counter()

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

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Add a table whose first row names the columns. Blank rows and columns at the end are left out.

        Rows are kept as lines from the start, since a list of cells takes ten times the memory of their text.
        """
        lines = [line for row in rows if (line := _line(row))]
        width = max(map(_cells_of, lines), default=0)
        if width < 2:  # one column reads better as a list
            self.add("\n".join(line[2:-2] for line in lines))
            return
        run: list[str] = []
        for place, line in enumerate(lines):
            lines[place] = ""
            full = line + _NO_CELL * (width - _cells_of(line))
            if not place:
                header = full
            elif len(full) <= ROW_CHARS:
                run.append(full)
            else:
                if run:
                    self._table(header, width, run)
                self._record(header, full)
                run = []
        if run or len(lines) == 1:
            self._table(header, width, run)

    def leave_out(self, what: Unread, count: int = 1) -> None:
        """Count something that could not be read."""
        self._unread[what] += count

    def separate(self) -> None:
        """Put an empty line before the next block, even where it and the last one are tight."""
        self._tight = False

    def include(self, inner: Extract, *, deeper: int = 0) -> None:
        """Add all of another extract; its headings are `deeper` levels lower."""
        if not inner.text.strip():
            return
        begin = self._write(inner.text)
        for each in inner.headings:
            level = min(each.level + deeper, 6)
            self._headings.append(Heading(level, each.title, begin + each.start, begin + each.end))
        self._unread.update(dict(inner.unread))
        self._tables += (Table(begin + each.start, begin + each.body, begin + each.end) for each in inner.tables)

    def extract(self, title: str = "") -> Extract:
        """Return the extract of everything added."""
        unread = tuple((what, count) for what, count in self._unread.items() if count)
        text = "".join(self._parts)
        return Extract(text, tuple(self._headings), title, tables=tuple(self._tables), unread=unread)

    def _table(self, header: str, width: int, lines: Sequence[str]) -> None:
        """Write a header and rows, and record where they are."""
        head = f"{header}\n|{' --- |' * width}"
        start = self._write("\n".join([head, *lines]))
        self._tables.append(Table(start, min(start + len(head) + 1, self._length), self._length))

    def _record(self, header: str, row: str) -> None:
        """Write each cell of a row in its own line, behind its column's name; its first cell stands for its header."""
        cells = zip(_split(header), _split(row), strict=True)
        lines = [f"{name}: {cell}" if name else cell for name, cell in cells if cell]
        start = self._write("\n".join(lines))
        if len(lines) > 1 and len(lines[0]) <= LABEL_CHARS:
            self._tables.append(Table(start, start + len(lines[0]) + 1, self._length))

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


def _line(row: Sequence[str]) -> str:
    """Return the line of a row without the blank cells at its end, "" for a blank row."""
    whole = _BETWEEN.join(row[:CELLS])
    if _UNCLEAN.search(whole) or whole.count(_BETWEEN) != len(row) - 1:
        cells = [one_line(cell.translate(CONTROL)).replace("|", "\\|") for cell in row[:CELLS]]
        while cells and not cells[-1]:
            cells.pop()
        whole = _BETWEEN.join(cells)
    else:
        whole = whole.rstrip(_BETWEEN)
    return f"| {whole.replace(_BETWEEN, ' | ')} |" if whole else ""


def _cells_of(line: str) -> int:
    return line.count(" | ") + 1  # within a cell a backslash stands before each "|"


def _split(line: str) -> list[str]:
    return line[2:-2].split(" | ")
