"""The passages that a text cites, each with the place of its marker, and how a source is called. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pipeline.citations.markers import markers
from pipeline.events import SentenceChecked
from pipeline.passages import Passage
from pipeline.verdicts import Label

Link = Callable[[Passage], str]  # the address that opens a passage


class Cited(NamedTuple):
    """A passage, and the span [start, end) of the marker that cites it, in characters (code points) of the text.

    `verdict` is the one on the sentence that the marker stands in, None where that has none.
    """

    start: int
    end: int
    passage: Passage
    verdict: Label | None = None


def cited_in(
    text: str, passages: Iterable[Passage], checks: Iterable[SentenceChecked] = (), begin: int = 0
) -> tuple[Cited, ...]:
    """Return what a text cites, in order. `[1, 2]` gives two with the same span.

    `checks` are the verdicts on the sentences of a field that begins at character `begin` of the text. A number that no
    passage has is left out, as are markers in code and formulas, which the page does not take for citations either.
    """
    by_number = {passage.number: passage for passage in passages}
    places = [(each.start + begin, each.end + begin, each.verdict) for each in checks]

    def verdict_at(place: int) -> Label | None:
        return next((verdict for start, end, verdict in places if start <= place < end), None)

    return tuple(
        Cited(marker.start, marker.end, by_number[number], verdict_at(marker.start))
        for marker in markers(text)
        for number in marker.numbers
        if number in by_number
    )


def title_of(passage: Passage) -> str:
    """Return how a source is called: its document and section. Never empty."""
    named = (passage.title or passage.document, passage.section)
    return " › ".join(part for part in named if part) or f"[{passage.number}]"


def verdict_json(cited: Cited) -> dict[str, str]:
    """Return the key of an annotation that names the verdict on its sentence; none where that has none."""
    return {"verdict": cited.verdict} if cited.verdict else {}
