"""Passages as a search finds them, and what is searched for. Values only: no storage, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.messages import StoredMessage

Span = tuple[int, int]


SearchMode = Literal["keyword", "vector", "hybrid"]


@dataclass(frozen=True, slots=True)
class Scores:
    """The score that each stage of a search gave a passage; None where the stage was not used or did not find it."""

    keyword: float | None = None
    vector: float | None = None
    fused: float | None = None
    reranked: float | None = None


class Closeness(NamedTuple):
    """What the similarities of a model say, as cosines: from `related` the subject is the same, from `good` the matter.

    Those of texts in two languages are lower by `across`.
    """

    related: float
    good: float
    across: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document as it was found for one question; `number` counts from 1 and is what `[n]` cites.

    `score` compares only within its own search. `matched` holds the spans of `text` whose words the query holds.
    [`start`, `end`) is its place in the document's text. A passage that continues a table repeats the names of the
    columns in front of that text. `reason` says why a candidate was not chosen.
    """

    number: int
    document: str
    title: str
    section: str
    text: str
    score: float
    matched: tuple[Span, ...] = ()
    document_id: str | None = None
    start: int | None = None
    end: int | None = None
    first_page: int | None = None
    last_page: int | None = None
    scores: Scores = Scores()
    reason: StoredMessage = None

    @property
    def header_chars(self) -> int:
        """The length of the header that `text` repeats; the document's text from `start` follows it."""
        if self.start is None or self.end is None:
            return 0
        return max(0, len(self.text) - (self.end - self.start))

    @property
    def pages(self) -> range:
        """The pages that it lies on; none in a document without pages."""
        first = self.first_page
        return range(0) if first is None else range(first, max(first, self.last_page or first) + 1)


class ListedDocument(NamedTuple):
    """A document in the list of those that all may ask, and how many passages it has."""

    title: str
    passages: int
    language: str = "en"
    collection: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """Texts to search for: the question, and for a follow-up earlier texts with the weight (0..1) of their words."""

    question: str
    past: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        """The text that a person is shown as the query."""
        return " · ".join([self.question, *(text for text, _ in self.past[:1])])


def union(*found: Iterable[Passage]) -> tuple[Passage, ...]:
    """The passages of several searches of one turn, in the order of their numbers; of one number the latest."""
    by_number = {passage.number: passage for passages in found for passage in passages}
    return tuple(by_number[number] for number in sorted(by_number))
