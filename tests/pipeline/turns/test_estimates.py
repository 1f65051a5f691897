"""Estimates: honest where nothing is known, right within reason after three answers of a model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import Estimated, Event, FieldDelta, FieldReset, Recovered, TurnStarted
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import TurnMetrics
from pipeline.turns.estimates import EVERY_S, LATEST, Estimator, PastAnswers

STARTED = TurnStarted(turn_id="t", conversation_id="c", question="Why?", model="m", program="p", language="en")


def answered(tokens: int, *, model: str = "m", per_char: float = 0.2, pace: float = 50.0) -> TurnMetrics:
    return TurnMetrics(
        model_used=model, ending="finished", tokens=tokens, chars=round(tokens / per_char), tokens_per_s=pace
    )


def knowing(*answers: TurnMetrics) -> PastAnswers:
    experience = PastAnswers()
    for each in answers:
        experience.learn(each)
    return experience


def streamed(
    experience: PastAnswers,
    tokens: int,
    *,
    pace: float = 50.0,
    per_char: float = 0.2,
    begins_s: float = 1.0,
    model: str = "m",
) -> list[tuple[float, Estimated]]:
    """The estimates of a reply of so many tokens that comes at an even pace, with the times they were said at."""
    progress, said = Estimator(experience), []
    progress.derive(replace(STARTED, model=model))
    for at in range(tokens):
        delta = FieldDelta(field="answer", text="x" * round(1 / per_char), at_s=begins_s + at / pace)
        for estimate in progress.derive(delta):
            said.append((delta.at_s, estimate))
    return said


def test_of_a_model_that_never_answered_only_what_is_seen_is_said() -> None:
    said = [estimate for _, estimate in streamed(PastAnswers(), 200, per_char=0.25)]
    assert said
    for estimate in said:
        assert (estimate.expected_tokens, estimate.eta_s, estimate.confidence) == (None, None, 0.0)
        assert estimate.tokens_per_s == pytest.approx(50, rel=0.1)
    assert said[-1].tokens == pytest.approx(200, rel=0.15)


def test_the_pause_of_the_built_in_model_is_told_as_no_speed() -> None:
    knows = knowing(answered(240, model=BUILTIN_MODEL))
    said = [estimate for each in (PastAnswers(), knows) for _, estimate in streamed(each, 200, model=BUILTIN_MODEL)]
    assert {estimate.tokens_per_s for estimate in said} == {None}


@pytest.mark.parametrize("length", [220, 250, 280])
def test_after_three_answers_the_time_left_is_right_within_reason(length: int) -> None:
    experience = knowing(answered(240), answered(250), answered(265))
    said = streamed(experience, length)
    ends_s = 1.0 + length / 50
    for at_s, estimate in said:
        assert estimate.eta_s is not None
        assert abs(at_s + estimate.eta_s - ends_s) <= 0.2 * (ends_s - 1.0) + 0.2
        assert estimate.confidence >= 0.5


def test_the_pace_follows_the_provider_within_seconds() -> None:
    experience = knowing(*[answered(2_000, pace=100.0)] * 5)
    slow = [estimate for _, estimate in streamed(experience, 300, pace=20.0)]
    assert slow[0].tokens_per_s == pytest.approx(87, rel=0.05)
    assert slow[-1].tokens_per_s == pytest.approx(20, rel=0.1)


def test_the_longer_a_reply_gets_the_longer_it_is_expected_to_be() -> None:
    experience = knowing(*[answered(tokens) for tokens in (100, 100, 100, 400, 400)])
    said = [estimate for _, estimate in streamed(experience, 300)]
    assert said[0].expected_tokens == 100
    assert said[-1].expected_tokens == 400


def test_a_reply_longer_than_all_before_says_that_nothing_is_known() -> None:
    said = [estimate for _, estimate in streamed(knowing(*[answered(100)] * 3), 300)]
    assert (said[-1].expected_tokens, said[-1].eta_s, said[-1].confidence) == (None, None, 0.0)


def test_confidence_grows_with_experience_and_falls_with_scatter() -> None:
    def first(*lengths: int) -> float:
        return streamed(knowing(*map(answered, lengths)), 50)[0][1].confidence

    assert first(200) < first(200, 200, 200) < first(*[200] * 20)
    assert first(*[200] * 20) > 0.9
    assert first(50, 120, 200, 500, 1_000, 3_000) < 0.3


def test_the_model_that_a_fallback_asks_is_the_one_whose_answers_count() -> None:
    experience = knowing(*[answered(100)] * 3, *[answered(500, model="other")] * 3)
    progress = Estimator(experience)
    progress.derive(STARTED)
    progress.derive(Recovered(what="fallback", from_model="m", to_model="other", code="server"))
    progress.derive(FieldDelta(field="answer", text="x" * 10, at_s=1.0))
    (estimate,) = progress.derive(FieldDelta(field="answer", text="x" * 10, at_s=2.0))
    assert estimate.expected_tokens == 500


def test_what_is_taken_back_counts_no_more() -> None:
    progress = Estimator(PastAnswers())
    for event in (STARTED, FieldDelta(field="answer", text="x" * 400, at_s=1.0), FieldReset(field="answer", at_s=1.1)):
        progress.derive(event)
    progress.derive(FieldDelta(field="answer", text="x" * 20, at_s=1.2))
    (estimate,) = progress.derive(FieldDelta(field="answer", text="x" * 20, at_s=2.0))
    assert estimate.tokens == 10


def test_only_the_latest_answers_count_and_broken_ones_never() -> None:
    experience = knowing(*[answered(900)] * 5, *[answered(100)] * LATEST)
    assert experience.lengths("m") == [100] * LATEST
    broken = TurnMetrics(model_used="m", ending="failed", tokens=5, chars=20)
    assert knowing(broken).lengths("m") == []


@given(
    st.lists(st.tuples(st.floats(0, 2), st.text(max_size=40), st.booleans()), max_size=60),
    st.lists(st.integers(1, 5_000), max_size=25),
)
def test_any_stream_is_estimated_at_most_twice_a_second_with_sane_numbers(
    stream: list[tuple[float, str, bool]], lengths: list[int]
) -> None:
    progress, at_s, said_at = Estimator(knowing(*map(answered, lengths))), 0.0, -1.0
    progress.derive(STARTED)
    for pause_s, text, is_reset in stream:
        at_s += pause_s
        event: Event = FieldReset(field="answer", at_s=at_s)
        if not is_reset:
            event = FieldDelta(field="answer", text=text, at_s=at_s)
        for estimate in progress.derive(event):
            assert at_s - said_at >= EVERY_S
            said_at = at_s
            assert estimate.tokens >= 0
            assert 0 <= estimate.confidence <= 1
            assert estimate.eta_s is None or estimate.eta_s >= 0
            assert estimate.expected_tokens is None or estimate.expected_tokens >= estimate.tokens
