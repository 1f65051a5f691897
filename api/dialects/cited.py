"""The passages that a text cites, each with the place of its marker, and how a source is called. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pipeline.citations.markers import markers
from pipeline.passages import Passage

Link = Callable[[Passage], str]  # the address that opens a passage


class Cited(NamedTuple):
    """A passage, and the span [start, end) of the marker that cites it, in characters (code points) of the text."""

    start: int
    end: int
    passage: Passage


def cited_in(text: str, passages: Iterable[Passage]) -> tuple[Cited, ...]:
    """Return what a text cites, in order. `[1, 2]` gives two with the same span.

    A number that no passage has is left out, as are markers in code and formulas, which the page does not take for
    citations either.
    """
    by_number = {passage.number: passage for passage in passages}
    return tuple(
        Cited(marker.start, marker.end, by_number[number])
        for marker in markers(text)
        for number in marker.numbers
        if number in by_number
    )


def title_of(passage: Passage) -> str:
    """Return how a source is called: its document and section. Never empty."""
    named = (passage.title or passage.document, passage.section)
    return " › ".join(part for part in named if part) or f"[{passage.number}]"
