"""The ladder: which rung follows which fault, what is said of it, and when a model is left to rest."""

from __future__ import annotations

import pytest

from pipeline.errors import MODEL_FAULTS, ModelFault
from pipeline.events import Emit, Event, FieldDelta, Recovered
from pipeline.models.breakers import Breakers
from pipeline.settings import BUILTIN_MODEL
from pipeline.turns.recovery import LONGEST_WAIT_S, Attempt, ask_with_recovery, next_step

FIRST = Attempt("fast", has_own_instructions=False, has_history=False, has_token_limit=False)
CHAIN = ("spare", BUILTIN_MODEL)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def walk(
    faults: list[str], first: Attempt = FIRST, says: int = 99, field: str = "answer"
) -> tuple[list[Attempt], list[Event], str]:
    """Attempts that fail as `faults` say, the one at `says` after a delta of `field` → asked, said, and the outcome."""
    asked: list[Attempt] = []
    events: list[Event] = []

    async def ask(attempt: Attempt, emit: Emit) -> str:
        asked.append(attempt)
        if len(asked) > len(faults):
            return "answered"
        if len(asked) == says:
            emit(FieldDelta(field=field, text="half"))
        raise ModelFault(faults[len(asked) - 1], retry_after_s=0)

    try:
        outcome = await ask_with_recovery(first, CHAIN, Breakers(), ask, events.append)
    except ModelFault as fault:
        outcome = fault.code
    return asked, events, outcome


async def test_a_model_is_tried_three_times_then_the_chain_then_the_built_in_model() -> None:
    asked, events, outcome = await walk(["server", "rate_limit", "connection", "auth"])
    assert [(each.model, each.tries) for each in asked] == [
        ("fast", 1),
        ("fast", 2),
        ("fast", 3),
        ("spare", 1),
        (BUILTIN_MODEL, 1),
    ]
    said = [(each.what, each.from_model, each.to_model, each.code) for each in events if isinstance(each, Recovered)]
    assert said == [
        ("retry", "fast", "fast", "server"),
        ("retry", "fast", "fast", "rate_limit"),
        ("fallback", "fast", "spare", "connection"),
        ("extractive", "spare", BUILTIN_MODEL, "auth"),
    ]
    assert outcome == "answered"


@pytest.mark.parametrize("field", ["reasoning", "thinking"])
async def test_what_was_said_before_the_answer_is_taken_back_when_the_ladder_is_climbed(field: str) -> None:
    asked, events, outcome = await walk(["connection", "server"], says=1, field=field)
    assert (len(asked), outcome) == (3, "answered")
    assert [event.kind for event in events] == ["field_delta", "field_reset", "recovered", "recovered"]


async def test_what_nobody_names_is_tried_with_the_next_model() -> None:
    asked, _, outcome = await walk(["unexpected"])
    assert ([each.model for each in asked], outcome) == (["fast", "spare"], "answered")


async def test_own_instructions_are_left_out_where_they_left_no_answer() -> None:
    asked, events, _ = await walk(["empty"], Attempt("fast"))
    assert [each.has_own_instructions for each in asked] == [True, False]
    assert [event.what for event in events if isinstance(event, Recovered)] == ["default_prompt"]


async def test_nothing_is_replayed_after_the_answer_was_seen() -> None:
    asked, events, outcome = await walk(["connection"], says=1)
    assert (len(asked), outcome) == (1, "connection")
    assert not any(isinstance(event, Recovered) for event in events)


@pytest.mark.parametrize("code", ["content_filter", "invalid_request", "prompt_too_long", "answer_limit"])
async def test_what_no_other_attempt_would_change_ends_the_turn(code: str) -> None:
    asked, _, outcome = await walk([code])
    assert (len(asked), outcome) == (1, code)


async def test_only_a_fault_of_the_stream_is_tried_without_one() -> None:
    asked, _, _ = await walk(["incomplete", "incomplete"])
    assert [(each.model, each.is_streamed) for each in asked] == [("fast", True), ("fast", False), ("spare", True)]


async def test_a_model_that_said_it_does_not_stream_is_not_asked_to_again() -> None:
    breakers, asked = Breakers(), list[Attempt]()

    async def ask(attempt: Attempt, _: Emit) -> str:
        asked.append(attempt)
        if attempt.is_streamed:
            raise ModelFault("cannot_stream")
        return "answered"

    for _ in range(2):
        assert await ask_with_recovery(FIRST, CHAIN, breakers, ask, lambda _: None) == "answered"
    assert [attempt.is_streamed for attempt in asked] == [True, False, False]


async def test_what_the_request_had_is_left_out_once_where_it_was_the_fault() -> None:
    full = Attempt("fast")
    for code, left_out in [
        ("format", "has_own_instructions"),
        ("context_window_exceeded", "has_history"),
        ("cut_short", "has_token_limit"),
    ]:
        (_, second), _, outcome = await walk([code], full)
        assert not getattr(second, left_out)
        assert outcome == "answered"


async def test_a_prompt_that_is_too_long_is_sent_without_history_then_with_fewer_passages() -> None:
    asked, events, outcome = await walk(["context_window_exceeded"] * 4, Attempt("fast"))
    assert [(each.has_history, each.halvings) for each in asked] == [(True, 0), (False, 0), (False, 1), (False, 2)]
    assert [event.what for event in events if isinstance(event, Recovered)] == ["retry"] * 3
    assert outcome == "context_window_exceeded"


def test_a_provider_that_asks_for_long_patience_is_left_at_once() -> None:
    patient = next_step(FIRST, FIRST, ModelFault("rate_limit", retry_after_s=10), CHAIN)
    assert patient is not None
    assert (patient.rung, patient.waits_s) == ("retry", 10)
    left = next_step(FIRST, FIRST, ModelFault("rate_limit", retry_after_s=11), CHAIN)
    assert left is not None
    assert (left.rung, left.waits_s) == ("fallback", 0)


def test_waits_are_spread_and_bounded() -> None:
    fault = ModelFault("server")
    waits = [next_step(FIRST, FIRST, fault, ()) for _ in range(50)]
    assert len({wait.waits_s for wait in waits if wait}) > 40
    assert all(wait and 0 <= wait.waits_s <= LONGEST_WAIT_S for wait in waits)


@pytest.mark.parametrize("code", sorted(MODEL_FAULTS))
async def test_whatever_fails_and_however_often_the_ladder_ends(code: str) -> None:
    asked, _, outcome = await walk([code] * 50)
    assert outcome == code
    assert len(asked) <= 9


def test_three_faults_in_a_row_send_a_model_to_rest_and_one_success_forgets_them() -> None:
    clock = Clock()
    breakers = Breakers(clock)
    for _ in range(3):
        breakers.worked("fast")
    breakers.failed("fast", "server")
    breakers.failed("fast", "server")
    breakers.worked("fast")
    breakers.failed("fast", "server")
    breakers.failed("fast", "server")
    assert not breakers.rest_s("fast")
    breakers.failed("fast", "server")
    assert breakers.rest_s("fast") == 30
    clock.now += 30
    assert not breakers.rest_s("fast")
    breakers.failed("fast", "server")  # its one attempt after the rest
    assert breakers.rest_s("fast") == 30


def test_a_model_that_fails_more_than_half_of_the_time_rests() -> None:
    breakers = Breakers(Clock())
    breakers.failed("fast", "server")
    for code in ("server", "server"):
        breakers.worked("fast")
        breakers.failed("fast", code)
    assert breakers.rest_s("fast") == 30


def test_a_refused_key_rests_longer_and_a_refused_question_not_at_all() -> None:
    breakers = Breakers(Clock())
    breakers.failed("keyless", "auth")
    assert breakers.rest_s("keyless") == 300
    for _ in range(9):
        breakers.failed("fast", "invalid_request")
    assert not breakers.rest_s("fast")


async def test_a_model_that_rests_is_not_asked() -> None:
    breakers = Breakers(Clock())
    breakers.failed("fast", "billing")
    breakers.failed("spare", "auth")
    asked: list[str] = []

    async def ask(attempt: Attempt, _: Emit) -> str:
        asked.append(attempt.model)
        return "answered"

    events: list[Event] = []
    assert await ask_with_recovery(FIRST, CHAIN, breakers, ask, events.append) == "answered"
    assert asked == [BUILTIN_MODEL]
    assert [event.code for event in events if isinstance(event, Recovered)] == ["resting"]
