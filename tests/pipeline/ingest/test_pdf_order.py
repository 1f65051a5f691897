"""The order in which the text of a PDF's page is read, in whatever order the file has it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.pdf_order import PIECES, Piece, ordered, outside_text, pieces_of
from pipeline.ingest.pdf_tables import Word
from pipeline.ingest.reading import read
from tests.documents import placed_pdf

Place = tuple[float, float, str]
LEFT = [
    "The harvest of the valley was larger",
    "than in any year since the flood, and",
    "was sold in the town by the river",
]
RIGHT = [
    "Prices fell in the autumn, as in each",
    "year with as much fruit on the trees",
    "of the gardens that lie to the south",
]
HEAD: Place = (72, 810, "The report of the gardens")
NUMBER: Place = (290, 30, "17")


def read_pdf(*places: Place) -> Document:
    return read(placed_pdf([places]), "a.pdf", ReadingLimits(), ChunkSize())


def column(left: float, top: float, lines: Sequence[str], step: float = 14) -> list[Place]:
    return [(left, top - step * number, line) for number, line in enumerate(lines)]


def words_of(*parts: Place | Sequence[Place]) -> str:
    flat = [place for part in parts for place in ([part] if isinstance(part, tuple) else part)]
    return " ".join(text for _, _, text in flat)


def test_a_head_and_a_page_number_anywhere_in_the_file_are_read_at_the_top_and_at_the_end() -> None:
    left, right = column(72, 780, LEFT), column(320, 780, RIGHT)
    found = read_pdf(NUMBER, *left, *right, HEAD).text
    assert found.split() == words_of(HEAD, left, right, NUMBER).split()


def test_a_footer_below_one_column_does_not_bring_that_column_forward() -> None:
    left, right = column(72, 780, LEFT), column(320, 780, RIGHT)
    footer: Place = (420, 30, "The report 65")
    assert read_pdf(footer, *left, *right).text.split() == words_of(left, right, footer).split()


def test_what_reaches_over_both_columns_divides_them() -> None:
    above, below = column(72, 780, LEFT), column(72, 600, LEFT[::-1])
    beside, below_right = column(320, 780, RIGHT), column(320, 600, RIGHT[::-1])
    over: Place = (
        72,
        680,
        "What was asked for fruit in the towns along the river in the years after the flood of spring",
    )
    found = read_pdf(*above, *below, *beside, *below_right, over).text
    assert found.split() == words_of(above, beside, over, below, below_right).split()


def test_columns_stay_whole_where_a_quotation_stands_between_them() -> None:
    left, right = column(72, 780, LEFT * 3), column(320, 780, RIGHT * 3)
    quotation: Place = (270, 720, "as much fruit")
    assert read_pdf(*left, *right, quotation).text.split() == words_of(left, right, quotation).split()


def test_a_table_beside_a_column_of_text_is_not_read_across_both() -> None:
    rows = [["Fruit", "Crates", "Price"], ["Quince", "14", "1.20"], ["Medlar", "25", "0.80"], ["Sorb", "31", "2.10"]]
    table = [
        (x, 775 - 19 * number, cell)
        for number, row in enumerate(rows)
        for x, cell in zip((320, 420, 500), row, strict=True)
    ]
    text = read_pdf(*column(72, 780, LEFT * 3), *table).text
    assert text == (
        " ".join(LEFT * 3) + "\n| Fruit | Crates | Price |\n| --- | --- | --- |\n"
        "| Quince | 14 | 1.20 |\n| Medlar | 25 | 0.80 |\n| Sorb | 31 | 2.10 |"
    )


@pytest.mark.parametrize(("shift", "kept"), [(0, 9 * 6 + 9), (5, 9)])
def test_long_texts_are_cells_where_the_lines_beside_them_stand_at_the_same_heights(shift: int, kept: int) -> None:
    text = [row_of(100, 14 * number, 6) for number in range(9)]
    beside = [row_of(400, 14 * number + shift, 1) for number in range(9)]
    words = [word for line in [*text, *beside] for word in line]
    for number, word in enumerate(words):
        word.start, word.end = 2 * number, 2 * number + 1
    starts = frozenset(line[0].start for line in [*text, *beside])
    assert len(outside_text(pieces_of(words, (), starts))) == kept


def row_of(left: float, top: float, count: int) -> list[Word]:
    return [Word(0, 1, left + 40 * number, top, left + 40 * number + 37, top + 10, "fruits") for number in range(count)]


BOXES = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 5), st.integers(1, 5), st.integers(1, 3))


def piece(left: float, top: float, width: float, height: float, words: int) -> Piece:
    line = [Word(0, 1, left, top, left + width, top + height, "a")] * words
    return Piece([line], left, top, left + width, top + height)


@given(st.lists(BOXES, max_size=12))
def test_every_piece_is_kept_and_none_comes_before_what_stands_above_it_in_its_column(
    boxes: list[tuple[int, ...]],
) -> None:
    pieces = [piece(*box) for box in boxes]
    found = ordered(pieces)
    assert sorted(map(id, found)) == sorted(map(id, pieces))
    for number, upper in enumerate(found):
        for lower in found[:number]:
            same = upper.left == lower.left and upper.right == lower.right
            assert not (same and upper.bottom <= lower.top)
    assert [id(each) for each in ordered(found)] == [id(each) for each in found]


def test_the_most_pieces_in_the_worst_order_take_no_second() -> None:
    began = time.process_time()
    found = ordered([piece(0, 20 * (PIECES - number), 10, 10, 3) for number in range(PIECES)])
    assert [each.top for each in found] == sorted(each.top for each in found)
    assert time.process_time() - began < 1
