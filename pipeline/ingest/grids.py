"""Finds the tables in a grid of cells, and the names of their columns.

A merged cell stands in each place that it covers, so that each row can be read by itself. Rows of headers become one,
the names of a column joined by " › ". A row above them that has one cell alone is the table's caption.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from pipeline.ingest.blocks import ExtractBuilder, one_line

REPEATED_CHARS = 160  # a longer merged cell is text, and stands in its first place alone
SPANNED = 100_000  # places that the merged cells of a grid are written to
HEADERS = 4  # the most rows of headers
_NUMBER = re.compile(r"[-+(]*[^\w\s]?\s?\d[\d.,:/' -]*\s?\S{0,3}\)?")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged cell: its first and last row and column, from 0."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Grid:
    """Rows of cells. `copied` are places that a merged cell covers, `across` those of them right of its first column.

    `headers` is the number of rows that name columns, 0 where it is unknown.
    """

    rows: list[list[str]]
    merged: Sequence[Merged] = ()
    headers: int = 0
    copied: set[tuple[int, int]] = field(default_factory=set)
    across: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Write each merged cell to the places it covers."""
        for cell in self.merged:
            row = self.rows[cell.top] if cell.top < len(self.rows) else []
            text = row[cell.left] if cell.left < len(row) else ""
            if not text or len(text) > REPEATED_CHARS:
                continue
            places = (
                (y, x)
                for y in range(cell.top, min(cell.bottom + 1, len(self.rows)))
                for x in range(cell.left, cell.right + 1)
                if (y, x) != (cell.top, cell.left)
            )
            for y, x in islice(places, max(0, SPANNED - len(self.copied))):
                its = self.rows[y]
                its += [""] * (x + 1 - len(its))
                if not its[x]:
                    its[x] = text
                    self.copied.add((y, x))
                    if x > cell.left:
                        self.across.add((y, x))


@dataclass(frozen=True, slots=True)
class _Region:
    top: int
    left: int
    bottom: int  # exclusive, as is `right`
    right: int

    @property
    def sides(self) -> tuple[int, int]:
        return self.left, self.right


def add_table(blocks: ExtractBuilder, grid: Grid) -> None:
    """Add the grid as one table."""
    width = max(map(len, grid.rows), default=0)
    _add(blocks, grid, _Region(0, 0, len(grid.rows), width))


def add_tables(blocks: ExtractBuilder, grid: Grid) -> None:
    """Add each table of a sheet: what blank rows and columns divide, but for the one between headers and rows."""
    width = max(map(len, grid.rows), default=0)
    for region in _regions(grid, _Region(0, 0, len(grid.rows), width)):
        _add(blocks, grid, region)


def _add(blocks: ExtractBuilder, grid: Grid, region: _Region) -> None:
    numbers = [y for y in range(region.top, region.bottom) if not _is_blank(grid, y, region)]
    rows = [_row(grid, y, region) for y in numbers]
    known = grid.headers
    while len(rows) > 2 and known != 1 and _is_caption(rows[0], rows[1]):
        blocks.add(next(filter(None, rows[0])))
        rows, numbers, known = rows[1:], numbers[1:], max(0, known - 1)
    headers = min(known or _headers(grid, rows, numbers, region.left), HEADERS, max(1, len(rows) - 1))
    if headers > 1:
        rows[:headers] = [[_joined(names) for names in zip(*rows[:headers], strict=True)]]
    blocks.table(rows)


def _row(grid: Grid, y: int, region: _Region) -> list[str]:
    """Return the cells of a row; one that is merged over all of it stands once."""
    cells = [*grid.rows[y], *[""] * (region.right - len(grid.rows[y]))][region.left : region.right]
    cells = [one_line(cell) for cell in cells]
    if len(cells) > 1 and all((y, x) in grid.across for x in range(region.left + 1, region.right)):
        return [cells[0], *[""] * (len(cells) - 1)]
    return cells


def _is_caption(row: Sequence[str], following: Sequence[str]) -> bool:
    """Whether a row with one cell stands above a row that names columns."""
    named = [cell for cell in following if cell]
    return sum(map(bool, row)) == 1 and len(named) > 1 and not any(map(_is_number, named))


def _headers(grid: Grid, rows: Sequence[Sequence[str]], numbers: Sequence[int], left: int) -> int:
    """Return the number of rows that name columns: as long as cells merged across give several of them one name."""
    names, count = list(rows[0]) if rows else [], 1
    while count < min(HEADERS, len(rows) - 1):
        shared = {x for x in range(len(names)) if (numbers[count - 1], left + x) in grid.across}
        shared |= {x - 1 for x in shared if x}
        below = rows[count]
        named = list(filter(None, names))
        if not shared or len(set(named)) == len(named) or len(set(named)) == 1:
            break
        if any(map(_is_number, below)) or not all(below[x] for x in _named(rows[0])):
            break
        names = [_joined(pair) for pair in zip(names, below, strict=True)]
        count += 1
    if count == 1:
        return 1
    is_all = all(
        (numbers[0], left + x) in grid.across or (numbers[0], left + x + 1) in grid.across for x in _named(rows[0])
    )
    return count if is_all or any(map(_is_number, rows[count])) else 1


def _named(row: Sequence[str]) -> Sequence[int]:
    """Return the columns but the first that have a name."""
    return [x for x, cell in enumerate(row) if cell and x]


def _joined(names: Sequence[str]) -> str:
    return " › ".join(dict.fromkeys(filter(None, names)))


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None and not _YEAR.fullmatch(cell)


def _is_blank(grid: Grid, y: int, region: _Region) -> bool:
    """Whether a row has no cell of its own: a merged one that reaches into it adds nothing."""
    row = grid.rows[y]
    return not any(
        row[x].strip() and (y, x) not in grid.copied for x in range(region.left, min(region.right, len(row)))
    )


def _regions(grid: Grid, region: _Region) -> Iterator[_Region]:
    """Iterate over tables from top to bottom, those side by side from left to right."""
    runs = [run for run in _runs(grid, region) if run.left < run.right]
    at = 0
    while at < len(runs):
        run = runs[at]
        if at + 1 < len(runs) and _is_header_of(grid, run, runs[at + 1]):
            run = _Region(run.top, run.left, runs[at + 1].bottom, run.right)
            at += 1
        parts = list(_side_by_side(grid, run))
        for part in parts:
            if len(parts) > 1:
                yield from _regions(grid, part)
            else:
                yield run
        at += 1


def _runs(grid: Grid, region: _Region) -> Iterator[_Region]:
    """Iterate over runs of rows between blank ones, each as wide as what is in it."""
    top = None
    for y in range(region.top, region.bottom + 1):
        ended = y == region.bottom or (_is_blank(grid, y, region) and not _is_covered(grid, y, region))
        if ended and top is not None:
            yield _trimmed(grid, _Region(top, region.left, y, region.right))
            top = None
        elif not ended and top is None:
            top = y


def _is_covered(grid: Grid, y: int, region: _Region) -> bool:
    return any((y, x) in grid.copied for x in range(region.left, min(region.right, len(grid.rows[y]))))


def _trimmed(grid: Grid, region: _Region) -> _Region:
    used = _used_columns(grid, region)
    return _Region(region.top, min(used, default=0), region.bottom, max(used, default=-1) + 1)


def _used_columns(grid: Grid, region: _Region) -> set[int]:
    used: set[int] = set()
    wanted = range(region.left, region.right)
    for y in range(region.top, region.bottom):
        row = grid.rows[y]
        if len(used) == len(wanted):
            break
        used.update(x for x in range(region.left, min(region.right, len(row))) if x not in used and row[x].strip())
    return used


def _is_header_of(grid: Grid, run: _Region, following: _Region) -> bool:
    """Whether a single row of words stands above a table as wide as it, with a blank row between them."""
    if run.bottom - run.top != 1 or run.sides != following.sides or run.right - run.left < 2:
        return False
    row = _row(grid, run.top, run)
    return all(row) and len(set(row)) == len(row) and not any(map(_is_number, row))


def _side_by_side(grid: Grid, region: _Region) -> Iterator[_Region]:
    """Divide a run at its blank columns where each part is a table of its own."""
    used = sorted(_used_columns(grid, region))
    bounds = [used[0], *(b for a, b in pairwise(used) if b > a + 1), used[-1] + 1] if used else []
    parts = [_own_rows(grid, _Region(region.top, left, region.bottom, right)) for left, right in pairwise(bounds)]
    yield from parts if len(parts) > 1 and all(_is_table(grid, part) for part in parts) else [region]


def _own_rows(grid: Grid, part: _Region) -> _Region:
    rows = [y for y in range(part.top, part.bottom) if not _is_blank(grid, y, part)]
    return _Region(min(rows, default=0), part.left, max(rows, default=-1) + 1, part.right)


def _is_table(grid: Grid, part: _Region) -> bool:
    """Whether a part has two columns, and each of them a name."""
    part = _trimmed(grid, part)
    if part.right - part.left < 2 or part.bottom - part.top < 2:
        return False
    first = _row(grid, part.top, part)
    if sum(map(bool, first)) == 1 and part.bottom - part.top > 2:
        first = _row(grid, part.top + 1, part)  # below a caption
    return all(first) and not any(map(_is_number, first))
