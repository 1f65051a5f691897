"""The words of the domain, as values: passages, questions, turns, conversations.

No identity tricks, no storage, no clock: equal content means equal objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipeline.events import Event

Span = tuple[int, int]
TurnState = Literal["running", "finished", "failed", "stopped"]
Rating = Literal[-1, 0, 1]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document as it was found for one question; `number` counts from 1 and is what `[n]` cites.

    `score` compares only within its own search. `matched` holds the spans of `text` whose words the query holds.
    """

    number: int
    document: str
    title: str
    section: str
    text: str
    score: float
    matched: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched: the question, and for a follow-up earlier texts with the weight (0..1) of their words."""

    question: str
    past: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        """What a person is shown as the query."""
        return " · ".join([self.question, *(text for text, _ in self.past[:1])])


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One question and how it is to be answered. None means: the default of the settings or of the model.

    `replaces` is the id of a stored turn of the same conversation that this one takes the place of (retry, edit); with
    `goes_on` its partial answer is kept, and the model is asked for the rest.
    """

    question: str
    visitor: str | None = None
    conversation_id: str | None = None
    model: str | None = None
    passages_wanted: int = 4
    history_turns: int = 4
    temperature: float | None = None
    max_tokens: int | None = None
    instructions: str | None = None
    replaces: str | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored turn. `record` holds its events in compact form (`events.compact`); folding it gives what was seen."""

    id: str
    conversation_id: str
    question: str
    model: str
    state: TurnState = "running"
    record: tuple[Event, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    rating: Rating = 0
    asked_at: float = 0.0  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in order, under the title of their first question. `owner` None: whoever knows the id continues it."""

    id: str
    owner: str | None
    title: str
    changed_at: float = 0.0  # seconds since the epoch
