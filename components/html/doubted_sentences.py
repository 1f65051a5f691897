"""Doubtful sentences of an answer in its HTML: which block holds each, and the elements that underline it. Pure.

A sentence stands in Markdown and is looked for in what was made of that, by its letters: what both have in common. One
that is not found, as with a link inside, is only marked at its chips and listed under the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape

from components.html.flow import Flow, Piece, ReadBlock
from components.html.verdict_marks import Doubt, Mark
from pipeline.passages import Span

LETTERS_MIN = 8  # a shorter sentence may stand anywhere


def by_block(blocks: Sequence[ReadBlock], doubts: Sequence[Doubt]) -> list[tuple[Doubt, ...]]:
    """Return for each block the sentences that it holds; both are in order."""
    held: list[list[Doubt]] = [[] for _ in blocks]
    first = begin = 0
    for doubt in doubts:
        for number in range(first, len(blocks)):
            at = _found(blocks[number], doubt, begin if number == first else 0)
            if at >= 0:
                held[number].append(doubt)
                first, begin = number, at + len(doubt.letters)
                break
    return [tuple(each) for each in held]


def located(block: ReadBlock, doubts: Sequence[Doubt]) -> list[tuple[Span, Mark]]:
    """Return where the sentences of a block stand in what is read of it."""
    places, begin = [], 0
    for doubt in doubts:
        at = _found(block, doubt, begin)
        if at >= 0:
            begin = at + len(doubt.letters)
            places.append((block.place_of(at, begin), doubt.mark))
    return places


def doubted(
    flow: Flow, places: Sequence[tuple[Span, Mark]], behind: Callable[[Span, Mark], str]
) -> Iterator[tuple[int, str]]:
    """Yield the pieces that hold a part of a sentence, each with an element around that part.

    `behind` makes what follows the end of a sentence. Formulas stay as they are.
    """
    for at, piece in enumerate(flow.pieces if places else ()):
        inside = [(span, mark) for span, mark in places if span[0] < piece.end and piece.start < span[1]]
        if inside and piece.start < piece.end and not piece.is_formula:
            yield at, _divided(flow.text, piece, inside, behind)


def _found(block: ReadBlock, doubt: Doubt, begin: int) -> int:
    return block.letters.find(doubt.letters, begin) if len(doubt.letters) >= LETTERS_MIN else -1


def _divided(text: str, piece: Piece, places: Sequence[tuple[Span, Mark]], behind: Callable[[Span, Mark], str]) -> str:
    out, at = [], piece.start
    for span, mark in places:
        begin, end = max(span[0], at), min(span[1], piece.end)
        out += [escape(text[at:begin]), _underlined(text[begin:end], mark)]
        out += [behind(span, mark)] if end == span[1] else []
        at = end
    return "".join([*out, escape(text[at : piece.end])])


def _underlined(text: str, mark: Mark) -> str:
    if not text.strip():
        return escape(text)
    kind = "doubted repaired" if mark.ours else "doubted"
    return f'<span class="{kind}" data-v="{mark.label}" data-check="{mark.check}">{escape(text)}</span>'
