"""Numbers and times are given in one place, and what is derived from an event follows it at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import Event, FieldDelta, StepChanged, TurnStopped, Warned
from pipeline.turns.emitter import Deriver, Emitter

DELTA = FieldDelta(field="answer", text="x", at_s=99.0)


class Clock:
    """A clock that a test sets; it may even go backwards."""

    def __init__(self) -> None:
        self.now_s = 5.0

    def __call__(self) -> float:
        return self.now_s


def collected(derivers: Sequence[Deriver] = (), clock: Clock | None = None) -> tuple[Emitter, list[Event]]:
    events: list[Event] = []
    return Emitter(events.append, derivers, clock or Clock()), events


def warns_of_deltas(event: Event) -> list[Event]:
    return [Warned(code="length", at_s=50.0)] * 2 if isinstance(event, FieldDelta) else []


def steps_of_warnings(event: Event) -> list[Event]:
    return [StepChanged(step="retrieve", state="began")] if isinstance(event, Warned) else []


@given(st.lists(st.floats(-2, 5), max_size=20))
def test_numbers_have_no_gap_and_times_never_decrease(pauses_s: list[float]) -> None:
    clock = Clock()
    emitter, events = collected([warns_of_deltas, steps_of_warnings], clock)
    for pause_s in pauses_s:
        clock.now_s += pause_s
        emitter.emit(DELTA)
    emitter.pass_on(emitter.stamped(TurnStopped(partial={}, saved=True)))
    assert [event.seq for event in events] == list(range(5 * len(pauses_s) + 1))
    assert all(before.at_s <= after.at_s for before, after in pairwise(events))


def test_a_derived_event_has_the_time_of_its_cause_and_may_cause_others() -> None:
    clock = Clock()
    emitter, events = collected([warns_of_deltas, steps_of_warnings], clock)
    clock.now_s += 1.5
    emitter.emit(DELTA)
    kinds = ["field_delta", "warned", "step_changed", "warned", "step_changed"]
    assert [(event.kind, event.at_s) for event in events] == [(kind, 1.5) for kind in kinds]


def test_nothing_is_derived_from_an_ending_and_its_time_is_that_of_its_stamp() -> None:
    clock = Clock()
    emitter, events = collected([lambda _: [DELTA]], clock)
    stamped = emitter.stamped(TurnStopped(partial={}, saved=True))
    clock.now_s += 3.0
    emitter.pass_on(stamped)
    assert events == [stamped]
    assert stamped.at_s == 0.0
