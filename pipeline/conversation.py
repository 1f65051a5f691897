"""The words of the domain, as values: passages, questions, turns, conversations.

No identity tricks, no storage, no clock: equal content means equal objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from pipeline.events import Event, Finish, Rung

Span = tuple[int, int]
TurnState = Literal["running", "finished", "failed", "stopped"]
Rating = Literal[-1, 0, 1]
SearchMode = Literal["keyword", "vector", "hybrid"]

_VISITOR = re.compile(r"[A-Za-z0-9_-]{16,128}")


def is_visitor(token: object) -> bool:
    """Whether that is how a visitor is named; nobody else can own anything."""
    return isinstance(token, str) and bool(_VISITOR.fullmatch(token))


@dataclass(frozen=True, slots=True)
class Scores:
    """What each stage of a search gave a passage; None where the stage was not used or did not find it."""

    keyword: float | None = None
    vector: float | None = None
    fused: float | None = None
    reranked: float | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document as it was found for one question; `number` counts from 1 and is what `[n]` cites.

    `score` compares only within its own search. `matched` holds the spans of `text` whose words the query holds.
    [`start`, `end`) is its place in the document's text. `reason` says why a candidate was not chosen.
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
    reason: str = ""


class Listed(NamedTuple):
    """A document in the list of those that all may ask: its title, how many passages it has, its language."""

    title: str
    passages: int
    language: str = "en"


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
class AskOptions:
    """How a question was asked, as it is stored with its turn; the fields mean what they mean in TurnRequest.

    `instructions` are None where they are the default ones.
    """

    passages_wanted: int = 4
    history_turns: int = 4
    temperature: float | None = None
    max_tokens: int | None = None
    instructions: str | None = None
    mode: SearchMode | None = None
    candidates: int = 50
    reranks: bool = False
    rewrites: bool = False


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One question and how it is to be answered. None means: the default of the settings or of the model.

    `address` is where it came from, `is_local` whether that is this machine itself, and a visitor who `waits` takes a
    place in the line when all are taken. `replaces` is the id of a stored turn of the same conversation that this one
    takes the place of (retry, edit); with `goes_on` its partial answer is kept, and the model is asked for the rest.
    How to search: `mode`, None for the best there is; `candidates` of each ranking are looked at; a reranker may put
    them in order (`reranks`), and the model may first say what to search for (`rewrites`).
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
    address: str | None = None
    is_local: bool = False
    waits: bool = False
    mode: SearchMode | None = None
    candidates: int = 50
    reranks: bool = False
    rewrites: bool = False

    @property
    def options(self) -> AskOptions:
        """What of it is kept with the turn."""
        return AskOptions(**{each.name: getattr(self, each.name) for each in fields(AskOptions)})


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnMetrics:
    """What was measured of a turn (`metrics.measure`), without any of its text; what did not happen is None.

    Times are seconds since the turn's start, `tokens` those of the reply.

    `exact` tells counted tokens, and a cost made of them, from estimated ones. `chunks` are deltas as they came,
    `updates` the views that pages were sent of them. `rungs` are the recoveries in their order.
    """

    model_asked: str = ""
    model_used: str = ""
    rungs: tuple[Rung, ...] = ()
    ending: Literal["finished", "failed", "stopped"] | None = None
    code: str | None = None
    finish: Finish | None = None
    retrieval_s: float | None = None
    first_token_s: float | None = None
    first_answer_s: float | None = None
    total_s: float | None = None
    prompt_tokens: int | None = None
    tokens: int | None = None
    tokens_per_s: float | None = None
    exact: bool = False
    cost: float | None = None
    chars: int = 0
    chunks: int = 0
    updates: int = 0

    @property
    def rung(self) -> Rung | None:
        """The rung that answered, or was tried last; None where the first try sufficed."""
        return self.rungs[-1] if self.rungs else None


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored turn. `record` holds its events in compact form (`events.compact`); folding it gives what was seen.

    `metrics` are there once it has ended; `asked` is None for a turn that was stored before options were.
    """

    id: str
    conversation_id: str
    question: str
    model: str
    state: TurnState = "running"
    record: tuple[Event, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    rating: Rating = 0
    asked_at: float = 0.0  # seconds since the epoch
    metrics: TurnMetrics | None = None
    asked: AskOptions | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in order, under the title of their first question. `owner` None: whoever knows the id continues it."""

    id: str
    owner: str | None
    title: str
    changed_at: float = 0.0  # seconds since the epoch
