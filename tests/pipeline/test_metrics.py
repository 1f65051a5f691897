"""What is measured of a turn, however it ended, live or from its record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.events import (
    Ending,
    Event,
    FieldDelta,
    FieldReset,
    Recovered,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
)
from pipeline.metrics import measure
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import TurnMetrics
from tests.recorded import compact

STARTED = TurnStarted(turn_id="t", conversation_id="c", question="Why?", model="asked", program="p", language="en")
SAID: list[Event] = [
    STARTED,
    StepChanged(step="retrieve", state="began", at_s=0.1),
    StepChanged(step="retrieve", state="ended", took_s=0.25, at_s=0.4),
    FieldDelta(field="reasoning", text="So", at_s=1.0),
    FieldDelta(field="reasoning", text=" it is", at_s=1.1),
    FieldDelta(field="answer", text="Hot", at_s=2.0),
    FieldDelta(field="answer", text=" water.", at_s=2.2),
]
FINISHED = TurnFinished(
    fields={"reasoning": "So it is", "answer": "Hot water."},
    passages=(),
    usage=Usage(100, 40, exact=True),
    cost=0.002,
    finish="length",
    model="asked",
    cached=False,
    saved=True,
    at_s=3.0,
)
PARTIAL = {"reasoning": "So it is", "answer": "Hot"}
FAILED = TurnFailed(code="idle_timeout", retryable=True, partial=PARTIAL, saved=True, at_s=3.0)
STOPPED = TurnStopped(partial=PARTIAL, saved=True, at_s=3.0)


def test_a_finished_turn_is_measured_whole() -> None:
    assert measure([*SAID, FINISHED]) == TurnMetrics(
        model_asked="asked",
        model_used="asked",
        ending="finished",
        finish="length",
        retrieval_s=0.25,
        first_token_s=1.0,
        first_answer_s=2.0,
        total_s=3.0,
        prompt_tokens=100,
        tokens=40,
        tokens_per_s=20.0,
        exact=True,
        cost=0.002,
        chars=18,
        chunks=4,
    )


def test_the_built_in_model_has_no_speed_for_it_only_pauses_between_words() -> None:
    started, finished = replace(STARTED, model=BUILTIN_MODEL), replace(FINISHED, model=BUILTIN_MODEL)
    measured = measure([started, *SAID[1:], finished])
    assert (measured.tokens, measured.tokens_per_s) == (40, None)
    assert measure([started, *SAID[1:], STOPPED]).tokens_per_s is None


@pytest.mark.parametrize(("ending", "how", "code"), [(FAILED, "failed", "idle_timeout"), (STOPPED, "stopped", None)])
def test_a_turn_that_broke_off_counts_what_had_arrived_and_says_that_it_estimates(
    ending: Ending, how: str, code: str | None
) -> None:
    measured = measure([*SAID, ending])
    assert (measured.ending, measured.code, measured.finish) == (how, code, None)
    assert (measured.tokens, measured.exact, measured.cost) == (3, False, None)
    assert (measured.first_token_s, measured.total_s) == (1.0, 3.0)


def test_a_turn_that_failed_before_its_first_token_has_no_speed() -> None:
    measured = measure([STARTED, replace(FAILED, partial={})])
    assert (measured.first_token_s, measured.first_answer_s, measured.tokens_per_s) == (None, None, None)
    assert (measured.tokens, measured.total_s, measured.retrieval_s) == (0, 3.0, None)


def test_the_rung_that_answered_is_the_last_one_and_the_model_used_is_its() -> None:
    said: list[Event] = [
        STARTED,
        Recovered(what="retry", from_model="asked", to_model="asked", code="server"),
        Recovered(what="fallback", from_model="asked", to_model="other", code="server"),
    ]
    assert measure([STARTED]).rung is None
    failed = measure([*said, FAILED])
    assert (failed.rungs, failed.rung) == (("retry", "fallback"), "fallback")
    assert (failed.model_asked, failed.model_used) == ("asked", "other")
    assert measure([*said, replace(FINISHED, model="other")]).model_used == "other"


@pytest.mark.parametrize("ending", [FINISHED, FAILED, STOPPED])
def test_a_record_measures_as_the_live_turn_did_but_for_its_chunks(ending: Ending) -> None:
    events = [*SAID, FieldReset(field="answer", at_s=2.5), FieldDelta(field="answer", text="Cold.", at_s=2.6), ending]
    assert replace(measure(compact(events)), chunks=0) == replace(measure(events), chunks=0)


def test_nothing_of_the_text_is_in_the_figures() -> None:
    assert "water" not in repr(measure([*SAID, FINISHED]))
    assert "Why" not in repr(measure([*SAID, FINISHED]))
