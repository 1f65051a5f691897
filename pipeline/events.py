"""The events of one turn, which the pipeline emits while it answers: typed, frozen events with exactly one ending.

Grammar: `TurnStarted (any other)* (TurnFinished | TurnFailed | TurnStopped)`. No gradio, no dspy, no clock, no I/O.
`seq` and `at_s` (seconds since the turn's start) are stamped where the turn says an event, and nowhere else; until then
they hold -1 and 0. An event type arrives with the work that first says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args

from pydantic import PlainSerializer, StringConstraints

from pipeline.messages import StoredMessage, Values, no_values
from pipeline.passages import Passage, Span, union
from pipeline.verdicts import Difference, Label

# Steps are those of STEP_ORDER in this order, "search:<n>" for the n-th search of a turn (from 2 on) and "tool:<name>".
SingleStep = Literal["wait", "rewrite", "retrieve", "rerank", "reason", "answer"]
STEP_ORDER: tuple[str, ...] = get_args(SingleStep)
_STEP = rf"^(?:{'|'.join(STEP_ORDER)}|search:(?:[2-9]|[1-9]\d+)|tool:\w{{1,64}})$"
Step = Annotated[str, StringConstraints(pattern=_STEP)]

Scalar = str | int | float | bool | None
# The arguments of a call of a tool: a flat object.
Arguments = Annotated[
    Mapping[str, Scalar | tuple[Scalar, ...]], PlainSerializer(dict, dict[str, Scalar | tuple[Scalar, ...]])
]
Finish = Literal["stop", "length", "content_filter"]
ArtifactType = Literal["code", "table", "document", "formula"]
Rung = Literal["retry", "unstreamed", "default_prompt", "fallback", "extractive"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one turn; `exact` is False where the provider said nothing and the count is an estimate."""

    prompt_tokens: int
    completion_tokens: int
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBase:
    """The fields of every event: its place in the turn and its time."""

    seq: int = -1
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(EventBase):
    """First event of every turn."""

    turn_id: str
    conversation_id: str
    question: str
    model: str
    program: str
    language: str
    kind: Literal["turn_started"] = "turn_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChanged(EventBase):
    """A step of the program began, ended or was skipped; `took_s` counts when it ended.

    `text` is what the step worked on (the queries of a rewrite or of a later search). `place` counts from 1 in the line
    of waiting turns.
    `status` is what the turn's profile calls the step in its own words, "" for the usual name.
    """

    step: Step
    state: Literal["began", "ended", "skipped"]
    text: str = ""
    place: int | None = None
    took_s: float = 0.0
    status: str = ""
    kind: Literal["step_changed"] = "step_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassagesFound(EventBase):
    """Passages that the answer may cite, best first; emitted once per search; a later search may come after deltas.

    With an empty `query` it is no search: an earlier attempt's prompt was too long for the model, and the passages in
    `rejected` are not sent any more. The words of the question are told apart by whether a passage has them; `coverage`
    is the share (0 to 1) that some passage has, None where no words were searched for.
    """

    query: str
    passages: tuple[Passage, ...]
    rejected: tuple[Passage, ...] = ()
    quality: str | None = None
    coverage: float | None = None
    found_words: tuple[str, ...] = ()
    missing_words: tuple[str, ...] = ()
    mode: str | None = None
    kind: Literal["passages_found"] = "passages_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled(EventBase):
    """The model has chosen a tool and its arguments; `call` pairs it with the tool_returned of the same call."""

    call: str
    tool: str
    arguments: Arguments
    kind: Literal["tool_called"] = "tool_called"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReturned(EventBase):
    """A tool's result, as the model sees it in `text`; where it `failed`, `text` says why. Missing after a stop."""

    call: str
    text: str
    took_s: float
    failed: bool
    kind: Literal["tool_returned"] = "tool_returned"


def passages_after(before: Iterable[Passage], event: PassagesFound) -> tuple[Passage, ...]:
    """Return the passages that may be cited after one more event, in the order of their numbers."""
    withdrawn = set() if event.query else {each.number for each in event.rejected}
    return union((each for each in before if each.number not in withdrawn), event.passages)


def passages_of(events: Iterable[Event]) -> tuple[Passage, ...]:
    """Return the passages that may be cited after these events, in the order of their numbers."""
    found: tuple[Passage, ...] = ()
    for event in events:
        if isinstance(event, PassagesFound):
            found = passages_after(found, event)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDelta(EventBase):
    """More text of one output field; `thinking` is the native reasoning of a model."""

    field: str
    text: str
    kind: Literal["field_delta"] = "field_delta"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReset(EventBase):
    """The text of a field so far is withdrawn: other text replaces it."""

    field: str
    kind: Literal["field_reset"] = "field_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(EventBase):
    """Something a reader should know about this answer; the catalogue has its text by `code`."""

    code: str
    values: Values = field(default_factory=no_values)
    kind: Literal["warned"] = "warned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(EventBase):
    """A fault (`code`) was met and the turn goes on: by `what`, with `to_model`, after `waits_s` seconds."""

    what: Rung
    from_model: str
    to_model: str
    code: str
    waits_s: float = 0.0
    kind: Literal["recovered"] = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated(EventBase):
    """Progress of the answer, estimated from the model's earlier turns; None means unknown. `confidence` is 0 to 1."""

    tokens: int
    expected_tokens: int | None
    tokens_per_s: float | None
    eta_s: float | None
    confidence: float
    kind: Literal["estimated"] = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactFound(EventBase):
    """A part of a field that is of use by itself; `start` and `end` are characters of that field's text.

    Emitted as soon as the part is complete. `index` counts over the turn. A reset of the field withdraws its artifacts,
    and their indices are not used again. Derived from the deltas: whoever emits stored events anew leaves it out.
    `language` is what is written behind a fence, "" where nothing is.
    """

    index: int
    type: ArtifactType
    language: str
    title: str
    field: str
    start: int
    end: int
    kind: Literal["artifact_found"] = "artifact_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceChecked(EventBase):
    """The verdict on a sentence of a field, as soon as the sentence is complete; see `Verdict`.

    `start` and `end` are characters of that field's text, `quote` those of the text of the passage with the number
    `passage`. `index` counts per field. A reset of the field withdraws its verdicts. Derived from the deltas: whoever
    emits stored events anew leaves it out.
    """

    index: int
    field: str
    start: int
    end: int
    citations: tuple[int, ...]
    verdict: Label
    passage: int | None
    quote: Span | None
    score: float
    suggested: int | None
    reason: StoredMessage
    differences: tuple[Difference, ...] = ()
    kind: Literal["sentence_checked"] = "sentence_checked"


@dataclass(frozen=True, slots=True)
class Parts:
    """How many parts a question has, and how many of them are answered."""

    asked: int
    answered: int


@dataclass(frozen=True, slots=True)
class LookedIn:
    """How many documents and passages a turn's searches could find."""

    documents: int
    passages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(EventBase):
    """Ending: `fields[f]` is what f's deltas since its last reset add up to. `cost` is in USD.

    `program` is that of the turn, "" in recordings of earlier versions. `checks` counts the sentences by verdict.
    `abstained` says that the answer refuses, `missing` what the passages lack, also where they answer a part.
    `confidence` (0 to 1) is that the passages answer the question, None in recordings of earlier versions. Where
    something is missing, `parts` counts those of a question that has several, and `looked_in` is what was searched.
    """

    fields: Mapping[str, str]
    passages: tuple[Passage, ...]
    usage: Usage
    cost: float | None
    finish: Finish
    model: str
    program: str = ""
    cached: bool
    saved: bool
    checks: Mapping[Label, int] = field(default_factory=dict)
    abstained: bool = False
    missing: str | None = None
    confidence: float | None = None
    parts: Parts | None = None
    looked_in: LookedIn | None = None
    kind: Literal["turn_finished"] = "turn_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFailed(EventBase):
    """Ending: a fault, by the code and values of its error; what had arrived is in `partial`."""

    code: str
    values: Values = field(default_factory=no_values)
    retryable: bool
    partial: Mapping[str, str]
    saved: bool
    kind: Literal["turn_failed"] = "turn_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStopped(EventBase):
    """Ending: by the user, because everybody left, or because the server ends."""

    partial: Mapping[str, str]
    saved: bool
    kind: Literal["turn_stopped"] = "turn_stopped"


Ending = TurnFinished | TurnFailed | TurnStopped
Event = (
    TurnStarted
    | StepChanged
    | PassagesFound
    | ToolCalled
    | ToolReturned
    | FieldDelta
    | FieldReset
    | Recovered
    | Warned
    | Estimated
    | ArtifactFound
    | SentenceChecked
    | Ending  # one per line, so that a new event is one new line
)

Emit = Callable[[Event], None]


def search_step(number: int) -> Step:
    """Return the step of the n-th search of a turn, counted from 1."""
    return "retrieve" if number < 2 else f"search:{number}"


def is_search(step: Step) -> bool:
    """Return whether a step is a search, the first or a later one."""
    return step == "retrieve" or step.startswith("search:")


def tool_step(name: str) -> Step:
    """Return the step in which the tool of that name works."""
    return f"tool:{name}"
