"""What a pipeline says while it answers one turn: typed, frozen events with exactly one ending.

Grammar: `TurnStarted (any other)* (TurnFinished | TurnFailed | TurnStopped)`. No gradio, no dspy, no clock, no I/O.
`seq` and `at_s` (seconds since the turn's start) are stamped where the turn says an event, and nowhere else; until then
they hold -1 and 0. An event type arrives with the work that first says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from pipeline.conversation import Passage

Step = Literal["wait", "rewrite", "retrieve", "reason", "answer"]
Finish = Literal["stop", "length", "content_filter"]
Rung = Literal["retry", "unstreamed", "default_prompt", "fallback", "extractive"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one turn; `exact` is False where the provider said nothing and the count is an estimate."""

    prompt_tokens: int
    completion_tokens: int
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What every event has: its place in the turn and its time."""

    seq: int = -1
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(Said):
    """First event of every turn."""

    turn_id: str
    conversation_id: str
    question: str
    model: str
    program: str
    language: str
    kind: Literal["turn_started"] = "turn_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChanged(Said):
    """A step of the program began, ended or was skipped; `took_s` counts when it ended."""

    step: Step
    state: Literal["began", "ended", "skipped"]
    text: str = ""
    took_s: float = 0.0
    kind: Literal["step_changed"] = "step_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassagesFound(Said):
    """What the answer may stand on, best first; said once per search, before the first delta."""

    query: str
    passages: tuple[Passage, ...]
    rejected: tuple[Passage, ...] = ()
    quality: str | None = None
    mode: str | None = None
    kind: Literal["passages_found"] = "passages_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDelta(Said):
    """More text of one output field; `thinking` is the native reasoning of a model."""

    field: str
    text: str
    kind: Literal["field_delta"] = "field_delta"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReset(Said):
    """What a field said so far is taken back: other text replaces it."""

    field: str
    kind: Literal["field_reset"] = "field_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(Said):
    """Something a reader should know about this answer; `text` is constant and safe."""

    code: str
    text: str
    kind: Literal["warned"] = "warned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(Said):
    """A fault (`code`) was met and the turn goes on: by `what`, with `to_model`, after `waits_s` seconds."""

    what: Rung
    from_model: str
    to_model: str
    code: str
    waits_s: float = 0.0
    kind: Literal["recovered"] = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated(Said):
    """How far the answer is, from the model's earlier turns; None where nothing is known. `confidence` is 0 to 1."""

    tokens: int
    expected_tokens: int | None
    tokens_per_s: float | None
    eta_s: float | None
    confidence: float
    kind: Literal["estimated"] = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(Said):
    """Ending: `fields[f]` is what f's deltas since its last reset add up to. `cost` is in USD."""

    fields: Mapping[str, str]
    passages: tuple[Passage, ...]
    usage: Usage
    cost: float | None
    finish: Finish
    model: str
    cached: bool
    saved: bool
    kind: Literal["turn_finished"] = "turn_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFailed(Said):
    """Ending: a fault, as one of the constant texts of `errors`; what had arrived is in `partial`."""

    code: str
    text: str
    retryable: bool
    partial: Mapping[str, str]
    saved: bool
    kind: Literal["turn_failed"] = "turn_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStopped(Said):
    """Ending: by the user, because everybody left, or because the server ends."""

    partial: Mapping[str, str]
    saved: bool
    kind: Literal["turn_stopped"] = "turn_stopped"


Ending = TurnFinished | TurnFailed | TurnStopped
Event = TurnStarted | StepChanged | PassagesFound | FieldDelta | FieldReset | Recovered | Warned | Estimated | Ending

_wire: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
_record: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Annotated[Event, Field(discriminator="kind")], ...])


def to_wire(event: Event) -> bytes:
    """One event → one flat JSON object on one line, as the wire has it."""
    return _wire.dump_json(event)


def from_wire(line: bytes | str) -> Event:
    """The reverse of `to_wire`; raises pydantic's ValidationError for anything else."""
    return _wire.validate_json(line)


def record_to_wire(events: tuple[Event, ...]) -> bytes:
    """Events → one JSON array, as the store keeps them."""
    return _record.dump_json(events)


def record_from_wire(text: bytes | str) -> tuple[Event, ...]:
    """The reverse of `record_to_wire`."""
    return _record.validate_json(text)


def fields_of(events: Iterable[Event]) -> dict[str, str]:
    """Every field's text: its deltas since its last reset, in the order in which fields were first said."""
    record = Record()
    for event in events:
        record.add(event)
    return record.fields()


def answered_by(events: Iterable[Event]) -> str:
    """The label of the model that spoke last: the asked one, or the one that a fallback led to."""
    model = ""
    for event in events:
        if isinstance(event, TurnStarted):
            model = event.model
        elif isinstance(event, Recovered):
            model = event.to_model
    return model


def compact(events: Iterable[Event]) -> tuple[Event, ...]:
    """The same turn in few events: one delta per field and reset, at the place and time of its first.

    Folding the result shows what folding the whole would; `seq` keeps its order but has gaps. Of the estimates, which
    each replace the one before, only the last is kept.
    """
    record = Record()
    for event in events:
        record.add(event)
    return record.events()


class Record:
    """`compact` and `fields_of` of a turn that goes on: asking again costs its texts, not its events."""

    def __init__(self) -> None:
        self._kept: list[Event] = []
        self._texts: dict[int, list[str]] = {}  # place of a delta → its pieces
        self._open: dict[str, list[str]] = {}  # field → the pieces since its last reset
        self._estimate: Estimated | None = None

    def add(self, event: Event) -> None:
        """The next event of the turn."""
        match event:
            case FieldDelta():
                if not (texts := self._open.get(event.field)):
                    texts = self._open[event.field] = self._texts[len(self._kept)] = []
                    self._kept.append(event)
                texts.append(event.text)
            case Estimated():
                self._estimate = event
            case _:
                if isinstance(event, FieldReset):
                    self._open[event.field] = []
                self._kept.append(event)

    def events(self, ending: Ending | None = None) -> tuple[Event, ...]:
        """What was added, and the ending that is about to be, in few events."""
        events = [*self._kept, ending] if ending else [*self._kept]
        for at, texts in self._texts.items():
            delta = self._kept[at]
            if isinstance(delta, FieldDelta):
                events[at] = replace(delta, text="".join(texts))
        if self._estimate:
            has_ended = bool(events) and isinstance(events[-1], TurnFinished | TurnFailed | TurnStopped)
            events.insert(len(events) - has_ended, self._estimate)
        return tuple(events)

    def fields(self) -> dict[str, str]:
        """Every field's text."""
        return {name: "".join(texts) for name, texts in self._open.items() if texts}
