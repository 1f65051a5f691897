"""Finds tables and columns on a page of a PDF by where its words are; it knows no file and no library.

A row of words with wide gaps in it may belong to a table. Rows of such rows are divided into columns, beginning with
the row that has the most. What stands in columns that are written line by line is prose, and is read column by column.
Lines drawn around cells are not looked at: most tables have none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

GAP = 0.75  # of a line's height; a wider gap between two words divides cells
FAR = 2.5  # line heights between two rows that belong together at most
ROWS = 3  # the fewest rows of a table
PROSE_WORDS = 4.0  # words of a line of a column of prose, on average at least
PROSE_WIDTH = 0.7  # of the column's width, that most of its lines fill
HEADER_ROWS, HEADER_LINES = 4, 12  # rows of names at most, and lines of names that are broken
NEAR_ROWS = 8  # rows above a line that are compared with the one below it
COLUMNS = 40
_NUMBER = re.compile(
    r"[-\u2013\u2212+(]*[$€£¥]?[-\u2013\u2212]?\s?\d[\d.,:/' ]*\s?(?:%|[$€£¥]|\w{1,3})?\)?[*†‡]?|"
    r"[-\u2013\u2014\u2212.…]+|n/?a|N/?A"
)
_YEAR = re.compile(r"(?:19|20)\d\d(?:[/–-]\d{2,4})?")
_ITEM = re.compile(r"[•◦▪‣·●○■□◆➢➤✓✔*–—\-o]|\(?\w{1,4}[.)]|\[[\w+]{1,12}\]|[\uf000-\uf0ff]")
_LEADER = re.compile(r"(?:[.·_…]\s?){4,}")
_FORMULA = re.compile(r"[=·×÷∑∏∫√∈]|(?:^|\s)[+\u2212](?:\s|$)")
_CODE = re.compile(r".*[;{}]")
_CURRENCY = re.compile(r"[$€£¥]")


@dataclass(slots=True)
class Word:
    """A word in reading order: its span in the text, and its box with y growing downwards, in points."""

    start: int
    end: int
    left: float
    top: float
    right: float
    bottom: float
    text: str

    @property
    def height(self) -> float:
        return self.bottom - self.top


Cell = list[Word]


@dataclass(slots=True)
class Block:
    """What stands in columns: `rows` of cells for a table, whose first one names the columns if `has_header`.

    Prose in columns has no rows but `lines`, in the order in which they are read.
    """

    words: list[Word]
    rows: list[list[Cell]] = field(default_factory=list)
    has_header: bool = False
    lines: list[list[Word]] = field(default_factory=list)
    sides: tuple[tuple[float, float], ...] = ()


@dataclass(slots=True)
class _Row:
    """Words at one height, and the fragments between wide gaps."""

    fragments: list[list[Word]]
    top: float
    bottom: float
    height: float  # of its highest word


def blocks_of(words: Sequence[Word], split: Callable[[Word, Sequence[float]], list[Word]]) -> list[Block]:
    """Return the tables and columns of a page. `split` cuts a word where others end that are glued to it."""
    rows = _rows(words)
    if sum(len(row.fragments) > 1 for row in rows) < 2:
        return []
    found = (_block(run, split) for run in _runs(rows))
    return [block for block in found if block]


def anchor_of(box: tuple[float, float, float, float], words: Sequence[Word], *, is_right: bool) -> Word | None:
    """Return the word that a value in a form belongs to: at its side, else the last one above it; None for no word.

    `box` is left, top, right and bottom. `is_right` tells that the word is right of it, as beside a box to tick.
    """
    left, top, right, bottom = box
    beside = [
        word
        for word in words
        if min(bottom, word.bottom) - max(top, word.top) > 0.5 * min(bottom - top, word.height)
        and (word.left > right - 2 if is_right else word.right < left + 2)
    ]
    if beside:
        return min(beside, key=lambda word: abs(word.left - right) if is_right else abs(left - word.right))
    above = [word for word in words if word.bottom < top + 0.5 * word.height]
    over = [word for word in above if word.left < right and word.right > left - 2]
    lowest = max((word.bottom for word in over or above), default=0.0)
    near = [word for word in over or above if word.bottom > lowest - 0.5 * word.height]
    return max(near, key=lambda word: word.left, default=words[-1] if words else None)


def _rows(words: Sequence[Word]) -> list[_Row]:
    rows: list[list[Word]] = []
    middle = height = 0.0
    for word in sorted(words, key=lambda each: each.top + each.bottom):
        its = (word.top + word.bottom) / 2
        if rows and its - middle < 0.5 * min(height, word.height):
            rows[-1].append(word)
        else:
            rows.append([word])
            middle, height = its, word.height
    return [_row(row) for row in rows]


def _row(words: list[Word]) -> _Row:
    words.sort(key=lambda each: each.left)
    fragments = [[words[0]]]
    for before, word in pairwise(words):
        gap = word.left - before.right
        wide = gap > 0 and gap >= GAP * max(before.height, word.height)
        fragments.append([word]) if wide else fragments[-1].append(word)
    top, bottom = min(word.top for word in words), max(word.bottom for word in words)
    return _Row(fragments, top, bottom, max(word.bottom - word.top for word in words))


def _runs(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Iterate over runs of rows near to each other that begin and end with one that has cells."""
    run: list[_Row] = []
    single = 0
    for row in rows:
        is_far = bool(run) and row.top - run[-1].bottom > FAR * max(row.height, run[-1].height)
        single = 0 if len(row.fragments) > 1 else single + 1
        if is_far or single > 2 or (single and _is_prose_line(row, run)) or _begins_anew(row, run):
            yield from _trimmed(run)
            run = []
        run.append(row)
    yield from _trimmed(run)


def _begins_anew(row: _Row, run: Sequence[_Row]) -> bool:
    """Whether a row has other columns than the table above it, from which a single line divides it: a heading."""
    if len(row.fragments) < 2 or len(run) < 2 or len(run[-1].fragments) > 1:
        return False
    above = next((each for each in reversed(run) if len(each.fragments) > 1), None)
    if above is None:
        return False
    heading = run[-1]
    if (
        heading.height >= 1.1 * max(row.height, above.height)
        and heading.fragments[0][0].left <= row.fragments[0][0].left + 2
    ):
        return True
    others = [other for each in run[-NEAR_ROWS:] if len(each.fragments) > 1 for other in each.fragments]
    met = sum(any(_is_under(each, other, 0.5 * row.height) for other in others) for each in row.fragments)
    return met < 0.4 * len(row.fragments)


def _is_under(one: Sequence[Word], other: Sequence[Word], room: float) -> bool:
    """Whether two fragments have their left side, right side or middle in common."""
    left, right = one[0].left - other[0].left, _right(one) - _right(other)
    return min(abs(left), abs(right), abs(left + right) / 2) < room


def _trimmed(run: list[_Row]) -> Iterator[list[_Row]]:
    below = None
    while run and not _has_cells(run[-1]):
        below = run.pop()
    if below is not None and run and _is_below(below, run[-1]):
        run.append(below)
    first = next((at for at, row in enumerate(run) if _has_cells(row)), len(run))
    while 0 < first < len(run) and _is_above(run[first - 1], run[first]):
        first -= 1
    if len(run) - first >= ROWS or (len(run) - first == 2 and _is_pair(*run[first:])):
        yield run[first:]


def _is_below(row: _Row, above: _Row) -> bool:
    """Whether a line goes on with a cell of the row above it: it is close, and not where rows begin."""
    first, *others = row.fragments
    is_close = row.top - above.bottom < 0.5 * row.height
    return is_close and not others and first[0].left > _right(above.fragments[0])


def _is_pair(names: _Row, row: _Row) -> bool:
    """Whether two rows alone are a table: three columns or more, each with a name above it."""
    if not 2 < len(names.fragments) == len(row.fragments):
        return False
    return all(
        above[0].left < _right(cell) and cell[0].left < _right(above)
        for above, cell in zip(names.fragments, row.fragments, strict=True)
    )


def _is_above(row: _Row, names: _Row) -> bool:
    """Whether a line stands close above the columns but for the first: a name over several of them."""
    fragment = row.fragments[0]
    is_close = names.top - row.bottom < 0.8 * row.height and row.height <= 1.2 * names.height
    return is_close and len(fragment) < 9 and fragment[0].left > _right(names.fragments[0])


def _has_cells(row: _Row) -> bool:
    """Whether a row has cells, and is no item of a list: a number or sign, and then a sentence."""
    first, *others = row.fragments
    is_item = len(others) == 1 and _ITEM.fullmatch(text_of(first)) and len(others[0]) > 4
    return bool(others) and not is_item


def _is_prose_line(row: _Row, run: Sequence[_Row]) -> bool:
    """Whether a line of words reaches across most of the columns above it."""
    above = [row for row in run if len(row.fragments) > 1]
    if not above:
        return True
    left = min(each.fragments[0][0].left for each in above)
    right = max(each.fragments[-1][-1].right for each in above)
    fragment = row.fragments[0]
    return len(fragment) > 6 and _right(fragment) - fragment[0].left > 0.6 * (right - left)


def _right(fragment: Sequence[Word]) -> float:
    return max(word.right for word in fragment)


# Columns


def _block(run: Sequence[_Row], split: Callable[[Word, Sequence[float]], list[Word]]) -> Block | None:
    columns = _columns(run)
    if not 2 <= len(columns) <= COLUMNS:
        return None
    words = [word for row in run for fragment in row.fragments for word in fragment]
    if len(columns) <= 4 and _is_prose(run, columns):
        return _prose(run, columns, words)
    placed = [_placed(row, columns, split) for row in run]
    if _is_numbered(placed):
        return Block(words, lines=[[word for fragment in row.fragments for word in fragment] for row in run])
    placed, columns = _with_names(placed, columns)
    if not _is_table(placed, run, columns):
        return None
    rows, headers = _joined(placed, run, columns)
    rows, columns = _with_currency(rows, columns)
    if _has_labels(placed):
        rows = [[cell for cell in row if cell] for row in rows]
    return Block(words, rows, has_header=headers, sides=tuple(columns))


def _columns(run: Sequence[_Row]) -> list[tuple[float, float]]:
    """Return the left and right side of each column."""
    columns: list[tuple[float, float]] = []
    for row in sorted(run, key=lambda row: -len(row.fragments)):
        for fragment in row.fragments:
            left, right = fragment[0].left, _right(fragment)
            met = [at for at, side in enumerate(columns) if left < side[1] and side[0] < right]
            if not met:
                at = sum(side[1] <= left for side in columns)
                columns.insert(at, (left, right))
            elif len(met) == 1:
                at = met[0]
                after = columns[at + 1][0] if at + 1 < len(columns) else right
                before = columns[at - 1][1] if at else left
                columns[at] = (max(before, min(columns[at][0], left)), min(after, max(columns[at][1], right)))
    return columns


def _met(left: float, right: float, columns: Sequence[tuple[float, float]]) -> list[int]:
    """Return the columns that an interval reaches into by more than a hair, else the nearest one."""
    found = [
        at
        for at, (start, end) in enumerate(columns)
        if min(right, end) - max(left, start) > 0.15 * min(right - left, end - start)
    ]
    if found:
        return found
    middle = (left + right) / 2
    return [min(range(len(columns)), key=lambda at: abs(sum(columns[at]) / 2 - middle))]


def _placed(
    row: _Row, columns: Sequence[tuple[float, float]], split: Callable[[Word, Sequence[float]], list[Word]]
) -> list[Cell]:
    """Return the words of a row by column. Numbers that stand close together are divided; words are not."""
    cells: list[Cell] = [[] for _ in columns]
    for fragment in row.fragments:
        met = _met(fragment[0].left, _right(fragment), columns)
        if len(met) > 1 and all(_is_number(word.text) or _YEAR.fullmatch(word.text) for word in fragment):
            for word in fragment:
                its = _met(word.left, word.right, columns)
                for part in split(word, [columns[at][0] for at in its[1:]]) if len(its) > 1 else [word]:
                    cells[_met(part.left, part.right, columns)[0]].append(part)
        else:
            cells[met[0]] += fragment
    return cells


def _with_names(
    placed: list[list[Cell]], columns: list[tuple[float, float]]
) -> tuple[list[list[Cell]], list[tuple[float, float]]]:
    """Join a column of names alone to the one beside it, whose numbers do not stand exactly below."""
    filled = [{number for number, row in enumerate(placed) if row[at]} for at in range(len(columns))]
    at = 0
    while at + 1 < len(columns):
        one, other = filled[at], filled[at + 1]
        is_name = any(its and max(its) < HEADER_ROWS for its in (one, other))
        if one and other and not one & other and is_name and (max(one) >= HEADER_ROWS or max(other) >= HEADER_ROWS):
            placed = [[*row[:at], [*row[at], *row[at + 1]], *row[at + 2 :]] for row in placed]
            columns = [*columns[:at], (columns[at][0], columns[at + 1][1]), *columns[at + 2 :]]
            filled[at : at + 2] = [one | other]
        else:
            at += 1
    return placed, columns


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and not _YEAR.fullmatch(text)


def text_of(cell: Sequence[Word]) -> str:
    """Return the words of a cell."""
    return " ".join(word.text for word in cell)


# Prose in columns


def _is_prose(run: Sequence[_Row], columns: Sequence[tuple[float, float]]) -> bool:
    """Whether most lines of each column fill it with words."""
    lines: list[list[list[Word]]] = [[] for _ in columns]
    for row in run:
        for fragment in row.fragments:
            met = _met(fragment[0].left, _right(fragment), columns)
            if len(met) == 1:
                lines[met[0]].append(fragment)
    for (left, right), its in zip(columns, lines, strict=True):
        full = [each for each in its if _right(each) - each[0].left >= PROSE_WIDTH * (right - left)]
        words = sum(map(len, its)) / max(1, len(its))
        if len(its) < ROWS or len(full) < 0.6 * len(its) or words < PROSE_WORDS:
            return False
    return True


def _prose(run: Sequence[_Row], columns: Sequence[tuple[float, float]], words: list[Word]) -> Block | None:
    """Return prose column by column where the file has it line by line, across the columns."""
    across = sum(
        before[-1].end < after[0].start <= before[-1].end + 2
        for row in run
        for before, after in pairwise(row.fragments)
    )
    if across < 0.5 * sum(len(row.fragments) - 1 for row in run):
        return None
    lines: list[list[list[Word]]] = [[] for _ in columns]
    for row in run:
        for fragment in row.fragments:
            lines[_met(fragment[0].left, _right(fragment), columns)[0]].append(fragment)
    return Block(words, lines=[line for column in lines for line in column])


# Tables


def _is_table(placed: Sequence[Sequence[Cell]], run: Sequence[_Row], columns: Sequence[tuple[float, float]]) -> bool:
    cells = [cell for row in placed for cell in row if cell]
    texts = [text_of(cell) for cell in cells]
    numbers = sum(map(_is_number, texts))
    if len(cells) < 0.3 * len(placed) * len(columns) or sum(bool(_LEADER.search(text)) for text in texts) > 1:
        return False
    if sum(sum(map(bool, row)) > 1 for row in placed) < max(2, 0.4 * len(placed)):
        return False
    first = [text_of(row[0]) for row in placed if row[0]]
    if len(columns) == 2 and len(set(first)) == 1 and len(first[0]) == 1:
        return False  # a list whose signs come from a font of signs
    items = sum(bool(_ITEM.fullmatch(text)) for text in first)
    if items >= 0.5 * len(first) and len(cells) < 2.5 * len(placed):
        return False  # a list
    if sum(bool(_FORMULA.search(text)) for text in texts) > 0.2 * len(texts):
        return False
    if sum(bool(_CODE.fullmatch(text)) for text in texts) > 0.2 * len(texts):
        return False
    widths = [[len(cell) for cell in column if cell] for column in zip(*placed, strict=True)]
    usual = [sum(width) / len(width) for width in widths if width]
    if numbers < 0.2 * len(cells) and max(usual) > 6 and sum(width < 2.5 for width in usual) > 3:
        return False  # prose beside spaced out lines
    short = sum(len(text) == 1 and not text.isdigit() for text in texts)
    if short > 0.4 * len(texts):
        return False  # letters of a formula or a drawing
    if median(len(cell) for cell in cells) > 12:
        return False
    if not _is_aligned(placed, median(row.height for row in run)):
        return False
    return numbers >= 0.4 * len(cells) or not _is_by_column(run, columns)


def _is_numbered(placed: Sequence[Sequence[Cell]]) -> bool:
    """Whether lines of text have their numbers at the margin, as those of courts do."""
    numbers = [text_of(row[0]) for row in placed]
    cells = sum(bool(cell) for row in placed for cell in row)
    return numbers == [str(number) for number in range(1, len(placed) + 1)] and cells < 2.3 * len(placed)


def _is_aligned(placed: Sequence[Sequence[Cell]], height: float) -> bool:
    """Whether the cells of most columns have a left side, right side or middle in common."""
    aligned = counted = 0
    for column in zip(*placed, strict=True):
        cells = [cell for cell in column if cell]
        if len(cells) < ROWS:
            continue
        counted += 1
        lefts, rights = [cell[0].left for cell in cells], [_right(cell) for cell in cells]
        middles = [(left + right) / 2 for left, right in zip(lefts, rights, strict=True)]
        best = max(_together(values, 0.4 * height) for values in (lefts, rights, middles))
        aligned += best >= 0.6 * len(cells)
    return aligned >= 0.6 * counted


def _together(values: Sequence[float], room: float) -> int:
    """Return how many values lie in one interval of a width, at most."""
    ordered = sorted(values)
    first = most = 0
    for last, value in enumerate(ordered):
        while value - ordered[first] > room:
            first += 1
        most = max(most, last - first + 1)
    return most


def _is_by_column(run: Sequence[_Row], columns: Sequence[tuple[float, float]]) -> bool:
    """Whether the file has the cells column by column, as it has text in columns and not a table.

    Only the widest space between columns is looked at, since spaced out words make columns that are none.
    """
    _, gutter = max((right[0] - left[1], (left[1] + right[0]) / 2) for left, right in pairwise(columns))
    order = sorted((fragment[0].start, fragment[0].left > gutter) for row in run for fragment in row.fragments)
    changes = sum(before[1] != after[1] for before, after in pairwise(order))
    both = sum(row.fragments[0][0].left < gutter < row.fragments[-1][0].left for row in run)
    return changes <= max(2, 0.4 * both)


def _joined(
    placed: Sequence[list[Cell]], run: Sequence[_Row], columns: Sequence[tuple[float, float]]
) -> tuple[list[list[Cell]], bool]:
    """Join the lines of a row whose cells are broken. Return rows, and whether the first one names the columns."""
    numeric = [any(_is_number(text_of(cell)) for cell in row[1:] if cell) for row in placed]
    pitches = [after.bottom - before.bottom for before, after in pairwise(run)]
    usual = median(pitches) if pitches else 0.0
    if _has_labels(placed):
        headers = 0
    elif any(numeric):
        headers = numeric.index(True)
        if headers > HEADER_ROWS:
            headers = 1
    else:
        headers = 1
        above = placed[0]
        while headers < min(len(placed) - 1, HEADER_LINES) and _continues(
            placed[headers], above, pitches[headers - 1], usual
        ):
            above = [[*cell, *more] for cell, more in zip(above, placed[headers], strict=True)]
            headers += 1
    rows: list[list[Cell]] = []
    if headers:
        names = [_spread(row, columns) for row in run[: headers - 1]] + [placed[headers - 1]]
        rows.append([[word for row in names for word in row[at]] for at in range(len(columns))])
    for number in range(headers, len(placed)):
        row = placed[number]
        if number > headers and not numeric[number] and _continues(row, rows[-1], pitches[number - 1], usual):
            rows[-1] = [[*above, *cell] for above, cell in zip(rows[-1], row, strict=True)]
        else:
            rows.append(row)
    return rows, bool(headers)


def _has_labels(placed: Sequence[Sequence[Cell]]) -> bool:
    """Whether a form has its labels in the first column, so that no row names the columns."""
    labels = [text_of(row[0]) for row in placed if row[0]]
    return 2 * sum(label.endswith(":") for label in labels) >= len(labels) > 0


def _spread(row: _Row, columns: Sequence[tuple[float, float]]) -> list[Cell]:
    """Return a row of names by column; a name over several columns stands in each of them."""
    cells: list[Cell] = [[] for _ in columns]
    for fragment in row.fragments:
        left, right = fragment[0].left, _right(fragment)
        under = [
            at for at, (start, end) in enumerate(columns) if min(right, end) - max(left, start) > 0.4 * (end - start)
        ]
        for at in under or _met(left, right, columns)[:1]:
            cells[at] += fragment
    return cells


def _continues(row: Sequence[Cell], above: Sequence[Cell], pitch: float, usual: float) -> bool:
    """Whether a line goes on with the cells of the row above: it lacks what each row begins with, or is close to it."""
    if any(cell and not its for cell, its in zip(row, above, strict=True)):
        return False
    return (not row[0] and pitch <= 1.2 * usual) or pitch < 0.8 * usual


def _with_currency(
    rows: list[list[Cell]], columns: list[tuple[float, float]]
) -> tuple[list[list[Cell]], list[tuple[float, float]]]:
    """Join a column of currency signs to the numbers right of it."""
    for at in range(len(columns) - 2, -1, -1):
        texts = {text_of(row[at]) for row in rows[1:] if row[at]}
        if texts and all(_CURRENCY.fullmatch(text) for text in texts):
            rows = [[*row[:at], [*row[at], *row[at + 1]], *row[at + 2 :]] for row in rows]
            columns = [*columns[:at], (columns[at][0], columns[at + 1][1]), *columns[at + 2 :]]
    return rows, columns
