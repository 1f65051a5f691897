"""The stored form of a turn's events: compact events, the text of each field, and the time of each piece. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Annotated, NamedTuple

from pydantic import Field, TypeAdapter

from pipeline.events import (
    Ending,
    Estimated,
    Event,
    FieldDelta,
    FieldReset,
    Recovered,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    passages_of,
)
from pipeline.passages import Passage

TICKS_PER_S = 10_000  # events have times with four decimals
STEP_TICKS = 500  # deltas of a field are joined in steps that are no longer: 50 ms

_record: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Annotated[Event, Field(discriminator="kind")], ...])


def record_to_wire(events: tuple[Event, ...]) -> bytes:
    """Write events as one JSON array."""
    return _record.dump_json(events)


def fields_of(events: Iterable[Event]) -> dict[str, str]:
    """Return every field's text: its deltas since its last reset, in the order in which fields were first said."""
    record = Recording()
    for event in events:
        record.add(event)
    return record.fields()


def language_of_turn(events: Iterable[Event]) -> str:
    """The language that the turn's first event names, English without one."""
    return next((event.language for event in events if isinstance(event, TurnStarted)), "en")


def answered_by(events: Iterable[Event]) -> str:
    """Return the label of the model that answered last: the asked one, or the one that a fallback led to."""
    model = ""
    for event in events:
        if isinstance(event, TurnStarted):
            model = event.model
        elif isinstance(event, Recovered):
            model = event.to_model
    return model


def cited_from(record: Sequence[Event]) -> tuple[Passage, ...]:
    """Return the passages that the answer of a turn may cite: those of its ending, else those found so far."""
    ending = record[-1] if record else None
    return ending.passages if isinstance(ending, TurnFinished) else passages_of(record)


class Steps(NamedTuple):
    """The times of the pieces of one delta of a compact record, as columns with an entry for each step.

    A step is one or more deltas that were said within STEP_TICKS. It has the number and the time of the first of them,
    both as the difference to the step before, and the characters of all.
    """

    seqs: tuple[int, ...]
    ticks: tuple[int, ...]
    chars: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Timings:
    """The time of each piece of a compact record.

    `steps` holds the steps of each delta of the record, in the order of the deltas. `estimates` are the estimates that
    the record leaves out, each of which was replaced by a later one.
    """

    steps: tuple[Steps, ...] = ()
    estimates: tuple[Estimated, ...] = ()


def timed(record: Iterable[Event], timings: Timings | None) -> tuple[Event, ...]:
    """Return a compact record with each delta split into its steps, as it was said.

    A delta without steps, as in a record from before there were timings, stays whole.
    """
    timings = timings or Timings()
    steps = iter(timings.steps)
    events: list[Event] = [*timings.estimates]
    for event in record:
        if isinstance(event, FieldDelta):
            events += _split(event, next(steps, None))
        else:
            events.append(event)
    return tuple(sorted(events, key=lambda event: event.seq))


def _split(delta: FieldDelta, steps: Steps | None) -> Iterator[FieldDelta]:
    if steps is None or sum(steps.chars) != len(delta.text):
        yield delta
        return
    ends = accumulate(steps.chars)
    for seq, tick, chars, end in zip(accumulate(steps.seqs), accumulate(steps.ticks), steps.chars, ends, strict=True):
        yield replace(delta, seq=seq, at_s=tick / TICKS_PER_S, text=delta.text[end - chars : end])


class _GrowingSteps:
    """The columns of `Steps` of a delta that still grows."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.ticks: list[int] = []
        self.chars: list[int] = []
        self._seq = self._tick = 0  # of the last step

    def add(self, delta: FieldDelta, *, may_join: bool) -> None:
        """Add a delta: to the last step where it may join it and is early enough, else as a new one."""
        tick = round(delta.at_s * TICKS_PER_S)
        if may_join and self.chars and tick - self._tick <= STEP_TICKS:
            self.chars[-1] += len(delta.text)
            return
        self.seqs.append(delta.seq - self._seq)
        self.ticks.append(tick - self._tick)
        self.chars.append(len(delta.text))
        self._seq, self._tick = delta.seq, tick


class Recording:
    """The compact record and the timings of a turn that is still running; adding an event costs its own length."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._texts: dict[int, list[str]] = {}  # place of a delta → its pieces
        self._steps: dict[int, _GrowingSteps] = {}  # place of a delta → its steps
        self._open: dict[str, int | None] = {}  # field → the place of its delta since its last reset
        self._estimates: list[Estimated] = []
        self._last_place: int | None = None  # of the delta that a further one may be joined to

    def add(self, event: Event) -> None:
        """Add the next event of the turn."""
        if isinstance(event, FieldDelta):
            self._add_delta(event)
            return
        self._last_place = None
        if isinstance(event, Estimated):
            self._estimates.append(event)
            return
        if isinstance(event, FieldReset):
            self._open[event.field] = None
        self._events.append(event)

    def _add_delta(self, delta: FieldDelta) -> None:
        place = self._open.get(delta.field)
        if place is None:
            place = self._open[delta.field] = len(self._events)
            self._events.append(delta)
            self._texts[place], self._steps[place] = [], _GrowingSteps()
        self._texts[place].append(delta.text)
        self._steps[place].add(delta, may_join=place == self._last_place)
        self._last_place = place

    def events(self, ending: Ending | None = None) -> tuple[Event, ...]:
        """Return the compact record: what was added, and the ending that is about to be emitted.

        It has one delta per field and reset, with the number and the time of its first, and of the estimates the last.
        Folding it gives the same view as folding all events; `seq` keeps its order but has gaps.
        """
        events = [*self._events, ending] if ending else [*self._events]
        for place, texts in self._texts.items():
            delta = self._events[place]
            if isinstance(delta, FieldDelta):
                events[place] = replace(delta, text="".join(texts))
        if self._estimates:
            has_ended = bool(events) and isinstance(events[-1], TurnFinished | TurnFailed | TurnStopped)
            events.insert(len(events) - has_ended, self._estimates[-1])
        return tuple(events)

    def timings(self) -> Timings:
        """Return when each piece of the compact record was said."""
        steps = (Steps(tuple(each.seqs), tuple(each.ticks), tuple(each.chars)) for each in self._steps.values())
        return Timings(tuple(steps), tuple(self._estimates[:-1]))

    def fields(self) -> dict[str, str]:
        """Return every field's text, in the order in which fields were first said."""
        texts = {name: "".join(self._texts[place]) for name, place in self._open.items() if place is not None}
        return {name: text for name, text in texts.items() if text}
