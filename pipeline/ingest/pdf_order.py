"""Orders what stands on a page of a PDF as people read it; it knows no file and no library.

Files write most pages in reading order, but headers, footers, figures and the parts of forms anywhere. So the order of
the file is kept, except that what stands above something in the same column comes before it. Columns are kept whole,
since what stands in one is not above what stands in the other; what reaches over both divides them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise

from pipeline.ingest.pdf_tables import GAP, Block, Word

PIECES = 200  # a page with more is a drawing or a map, and is left as the file has it
CLOSE = 1.0  # line heights between two lines of one piece at most
SHARED = 0.5  # of the narrower piece's width that two pieces of one column have in common at least
PROSE_LINES, PROSE_WORDS, FULL = 8, 4, 0.85  # of a column of text: lines, words of a line, and share of its width
ROW_GAP = 2.0  # line heights; a wider gap than justified lines have
ALIGNED = 0.15  # line heights by which two lines at one height differ at most
TOUCHING = 0.2  # of the lower piece's height, by which two pieces that stand above each other may overlap


@dataclass(slots=True)
class Piece:
    """Lines that follow each other in the file and on the page, or one table: its words, and its box in points."""

    lines: list[list[Word]]
    left: float
    top: float
    right: float
    bottom: float
    block: Block | None = None

    @property
    def words(self) -> int:
        return sum(map(len, self.lines))

    @property
    def is_prose(self) -> bool:
        """Whether it is a part of a column of text: most of many lines fill its width with words."""
        if len(self.lines) < PROSE_LINES or self.words < PROSE_WORDS * len(self.lines):
            return False
        width = self.right - self.left
        full = sum(_right(line) - _left(line) >= FULL * width and not _has_gap(line) for line in self.lines)
        return full >= 0.6 * len(self.lines)


def pieces_of(words: Sequence[Word], blocks: Sequence[Block], line_starts: frozenset[int]) -> list[Piece]:
    """Return the pieces of a page in the order of the file. `line_starts` are the offsets at which lines begin."""
    owner = {id(word): block for block in blocks for word in block.words}
    begun: set[int] = set()
    pieces: list[Piece] = []
    last: Piece | None = None  # the last line, which the last piece ends with
    for line in _lines(words, owner, line_starts):
        block = owner.get(id(line[0]))
        if block is None:
            its = _piece([line])
            if last is not None and _goes_on(last, its):
                _add(pieces[-1], its)
            else:
                pieces.append(replace(its, lines=[line]))
            last = its
        else:
            last = None
            if id(block) not in begun:
                begun.add(id(block))
                pieces.append(_piece([block.words], block))
    return pieces


def _lines(words: Sequence[Word], owner: dict[int, Block], line_starts: frozenset[int]) -> Iterator[list[Word]]:
    """Iterate over the words of a line that belong to the same block, or to none."""
    line: list[Word] = []
    for word in words:
        if line and (word.start in line_starts or owner.get(id(word)) is not owner.get(id(line[-1]))):
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def _piece(lines: list[list[Word]], block: Block | None = None) -> Piece:
    first = lines[0][0]
    left, top, right, bottom = first.left, first.top, first.right, first.bottom
    for line in lines:
        for word in line:  # loops are twice as fast as four calls of min and max
            left = word.left if word.left < left else left
            top = word.top if word.top < top else top
            right = word.right if word.right > right else right
            bottom = word.bottom if word.bottom > bottom else bottom
    return Piece(lines, left, top, right, bottom, block)


def _left(line: Sequence[Word]) -> float:
    return min(word.left for word in line)


def _right(line: Sequence[Word]) -> float:
    return max(word.right for word in line)


def _has_gap(line: Sequence[Word], wide: float = GAP) -> bool:
    room = wide * line[0].height
    return any(after.left - before.right > room or before.left - after.right > room for before, after in pairwise(line))


def outside_text(pieces: Sequence[Piece]) -> list[Word]:
    """Return the words that do not stand in columns of text, so that a table beside one is not read across both.

    A table between the lines of a column has rows with gaps, which are kept.
    """
    prose = {id(piece) for piece in pieces if piece.is_prose}
    lines = [line for piece in pieces if id(piece) not in prose for line in piece.lines]
    columns = {id(piece) for piece in pieces if id(piece) in prose and not _is_cell(piece, lines)}
    kept = (_rows_within(piece) if id(piece) in columns else piece.lines for piece in pieces)
    return [word for lines in kept for line in lines for word in line]


def _rows_within(prose: Piece) -> Iterator[list[Word]]:
    """Iterate over lines with gaps, where one of those that follow each other has a gap that no justified line has."""
    for has_gap, lines in groupby(prose.lines, _has_gap):
        rows = list(lines)
        if has_gap and any(_has_gap(row, ROW_GAP) for row in rows):
            yield from rows


def _is_cell(prose: Piece, lines: Sequence[Sequence[Word]]) -> bool:
    """Whether most lines beside a long text stand at the height of one of its own, as in the cells of a table."""
    middles = [line[0].top + line[0].bottom for line in prose.lines]
    beside = [
        line[0].top + line[0].bottom for line in lines if prose.top <= line[0].top and line[0].bottom <= prose.bottom
    ]
    room = ALIGNED * 2 * prose.lines[0][0].height
    aligned = sum(any(abs(middle - its) < room for its in middles) for middle in beside)
    return 2 * aligned > len(beside)


def _goes_on(line: Piece, below: Piece) -> bool:
    """Whether a line goes on with the one above it, or at its right."""
    height = min(line.bottom - line.top, below.bottom - below.top)
    if _overlap(line.top, line.bottom, below.top, below.bottom) > 0.5 * height:
        return 0 <= below.left - line.right + height < 3 * height
    is_below = below.top + below.bottom > line.top + line.bottom and below.top - line.bottom < CLOSE * height
    return is_below and _overlap(line.left, line.right, below.left, below.right) > 0


def _add(piece: Piece, line: Piece) -> None:
    piece.lines += line.lines
    piece.left, piece.right = min(piece.left, line.left), max(piece.right, line.right)
    piece.top, piece.bottom = min(piece.top, line.top), max(piece.bottom, line.bottom)


def _overlap(start: float, end: float, other_start: float, other_end: float) -> float:
    return min(end, other_end) - max(start, other_start)


def ordered(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Return pieces in the order of reading; the same sequence where it is in that order."""
    if len(pieces) > PIECES or all(one.bottom <= other.top for one, other in pairwise(pieces)):
        return pieces
    above = _above(pieces)
    if not any(numbers >> at for at, numbers in enumerate(above)):
        return pieces
    found: list[int] = []
    _order([piece.words for piece in pieces], above, (1 << len(pieces)) - 1, found)
    return [pieces[at] for at in found]


def _above(pieces: Sequence[Piece]) -> list[int]:
    """Return for each piece the bits of those that come before it, directly or not."""
    alone = [_is_alone(piece, pieces) for piece in pieces]
    above = [0] * len(pieces)
    for at in sorted(range(len(pieces)), key=lambda at: pieces[at].top):
        for number, other in enumerate(pieces):
            piece = pieces[at]
            if _is_above(other, piece) and (alone[at] or alone[number] or _is_in_column(other, piece)):
                above[at] |= 1 << number | above[number]
    return above


def _order(words: Sequence[int], above: Sequence[int], left: int, found: list[int]) -> None:
    """Add the pieces that are left, as bits, to those that are found. `words` are how many each has.

    Where a piece comes too early, it waits, or what is above it is brought forward, whichever has fewer words.
    """
    while left:
        for at in _numbers(left):
            missing = above[at] & left
            so_far = accumulate(words[number] for number in _numbers(missing))
            if all(count <= words[at] for count in so_far):
                _order(words, above, missing, found)
                found.append(at)
                left &= ~(missing | 1 << at)
                break


def _numbers(bits: int) -> Iterator[int]:
    """Iterate over the numbers of the bits that are set, from the lowest."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _is_above(piece: Piece, other: Piece) -> bool:
    room = TOUCHING * min(piece.bottom - piece.top, other.bottom - other.top)
    return piece.bottom <= other.top + room and piece.top < other.top


def _is_in_column(piece: Piece, other: Piece) -> bool:
    width = min(piece.right - piece.left, other.right - other.left)
    return _overlap(piece.left, piece.right, other.left, other.right) >= SHARED * width


def _is_alone(piece: Piece, pieces: Sequence[Piece]) -> bool:
    """Whether nothing stands beside, above or below a piece, as with a page's number."""
    return not any(
        other is not piece
        and (_overlap(piece.top, piece.bottom, other.top, other.bottom) > 0 or _is_in_column(piece, other))
        for other in pieces
    )
