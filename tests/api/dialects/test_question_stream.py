"""`/api/question/stream`: what its clients read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects import Problem
from api.dialects.question_stream import ENDING, TOKENS, UPDATES_A_PROGRESS, Place, QuestionStream, tokens_of
from i18n import text
from pipeline.events import (
    Estimated,
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
from pipeline.turn import Turn
from tests.dialect_streams import written
from tests.event_strategies import SIZES, turns
from tests.scripted import PASSAGE

STARTED = TurnStarted(turn_id="turn", conversation_id="talk", question="q", model="m", program="p", language="en")


class Sent(NamedTuple):
    """One server-sent event."""

    name: str
    id: str
    data: Any


def sent_in(writes: Sequence[bytes]) -> list[Sent]:
    """The events, as EventSource reads them."""
    events = []
    for block in b"".join(writes).decode("ascii").split("\n\n")[:-1]:
        keys = dict(line.split(": ", 1) for line in block.split("\n"))
        events.append(Sent(keys.get("event", "message"), keys.get("id", ""), json.loads(keys["data"])))
    return events


def content(events: Sequence[Sent]) -> str:
    return "".join(each.data["content"] for each in events if each.name == "message")


def names(events: Sequence[Sent]) -> list[str]:
    return [each.name for each in events]


def turn_saying(words: Sequence[str], *, before: Sequence[Event] = ()) -> Turn:
    """A finished turn of those deltas, 50 ms apart."""
    deltas = [FieldDelta(field="answer", text=word, at_s=0.05 * n) for n, word in enumerate(words, 1)]
    finished = TurnFinished(
        fields={"reasoning": "[1] says it.", "answer": "".join(words)},
        passages=(PASSAGE,),
        usage=Usage(7, 5, exact=True),
        cost=None,
        finish="stop",
        model="m",
        cached=False,
        saved=True,
    )
    record = tuple(replace(each, seq=seq) for seq, each in enumerate([STARTED, *before, *deltas, finished]))
    return Turn("turn", "talk", "q", "m", "finished", record)


def ended(ending: TurnFailed | TurnStopped) -> Turn:
    return Turn("turn", "talk", "q", "m", "failed", (replace(STARTED, seq=0), replace(ending, seq=1)))


def test_tokens_of_one_write_are_one_batch_without_a_name() -> None:
    events = sent_in(written(QuestionStream(), turn_saying(["Water ", "of ", "80 °C"]), [1, 2, 9]))
    assert names(events) == ["thinking", "message", "message", "done"]
    assert [each.data for each in events[1:3]] == [
        {"content": "Water of ", "batch_size": 2},
        {"content": "80 °C", "batch_size": 1},
    ]
    done = events[-1].data
    assert done["total_tokens"] == 3
    assert (done["rationale"], done["sources"][0]["document"]) == ("[1] says it.", "tea.md")


def test_progress_comes_directly_after_every_tenth_update_and_nowhere_else() -> None:
    events = sent_in(written(QuestionStream(), turn_saying(["word "] * 35)))
    expected = ["thinking", *(["message"] * 10 + ["progress"]) * 3, *["message"] * 5, "done"]
    assert names(events) == expected
    counts = [each.data["update_count"] for each in events if each.name == "progress"]
    assert counts == [10, 20, 30]


def test_the_last_batch_with_the_ending_is_no_update() -> None:
    events = sent_in(written(QuestionStream(), turn_saying(["word "] * 10), [1] * 10 + [9]))
    assert names(events) == ["thinking", *["message"] * 10, "done"]


def test_progress_follows_the_estimate_and_never_falls() -> None:
    near = Estimated(tokens=10, expected_tokens=20, tokens_per_s=30.0, eta_s=0.3, confidence=0.6)
    turn = turn_saying(["word "] * 20)
    far = replace(near, expected_tokens=100, tokens_per_s=20.0)
    events = [*turn.record[:5], near, *turn.record[5:12], far, *turn.record[12:]]
    turn = replace(turn, record=tuple(replace(each, seq=seq) for seq, each in enumerate(events)))
    first, second = [each.data for each in sent_in(written(QuestionStream(), turn)) if each.name == "progress"]
    assert first == {
        "percentageComplete": 50,
        "tokensPerSecond": 30.0,
        "update_count": 10,
        "confidence": 0.6,
        "trend": "stable",
        "eta_s": 0.3,
    }
    assert (second["percentageComplete"], second["trend"]) == (50, "falling")


def test_without_an_estimate_the_pace_is_measured() -> None:
    progress = next(
        each.data for each in sent_in(written(QuestionStream(), turn_saying(["word "] * 11))) if each.name == "progress"
    )
    assert progress["percentageComplete"] > 0
    assert progress["tokensPerSecond"] == pytest.approx(22.2)


def test_steps_and_recoveries_are_thinking() -> None:
    steps = (
        StepChanged(step="retrieve", state="began", status="Suche …"),
        Recovered(what="retry", from_model="m", to_model="m", code="connection"),
    )
    events = sent_in(written(QuestionStream(), turn_saying(["a"], before=steps)))
    assert names(events)[:3] == ["thinking"] * 3
    assert events[1].data == {"message": "Suche …"}
    assert all(each.data["message"] for each in events[:3])


@pytest.mark.parametrize(
    ("ending", "why", "recoverable"),
    [
        (TurnFailed(code="connection", retryable=True, partial={}, saved=True), text("model.connection"), True),
        (TurnFailed(code="auth", retryable=False, partial={}, saved=True), None, False),
        (TurnStopped(partial={}, saved=True), text("status.stopped"), False),
    ],
)
def test_an_error_has_data_that_is_never_empty(
    ending: TurnFailed | TurnStopped, why: str | None, *, recoverable: bool
) -> None:
    error = sent_in(written(QuestionStream(), ended(ending)))[-1]
    assert error.name == "error"
    assert error.data["message"] == why if why else error.data["message"]
    assert error.data["recoverable"] is recoverable


def test_a_stream_that_breaks_ends_with_an_error_without_an_id() -> None:
    (error,) = sent_in([QuestionStream().broken(Problem(500, "internal", "Sorry."))])
    assert error == ("error", "", {"message": "Sorry.", "recoverable": False})


def test_one_object_has_the_answer_and_what_done_says() -> None:
    whole = json.loads(QuestionStream().whole(turn_saying(["Water ", "80 °C"])))
    assert whole["content"] == "Water 80 °C"
    assert whole["turn_id"] == "turn"


def test_a_text_that_came_whole_has_the_tokens_of_its_length() -> None:
    assert [tokens_of("tea"), tokens_of("x" * 100)] == [1, 25]


@pytest.mark.parametrize("sent", ["turn.1", "turn.1.0.2", "turn.1.7.2.3", "turn.x.0.0.0", "turn.².0.0.0", ""])
def test_an_id_of_another_form_is_the_beginning(sent: str) -> None:
    assert Place.of(sent) == Place()


@given(turn=turns(), sizes=SIZES)
def test_any_turn_adds_up_and_ends_once(turn: Turn, sizes: Sequence[int]) -> None:
    events = sent_in(written(QuestionStream(), turn, sizes))
    assert events[0].name == "thinking"
    assert [each.name for each in events if each.name in ("done", "error")] == [events[-1].name]
    assert (events[-1].name == "done") == (turn.state == "finished")
    answer = turn.fields.get("answer", "")
    if any(isinstance(event, FieldReset) for event in turn.record):
        assert content(events).endswith(answer)
    else:
        assert content(events) == answer
    if turn.state == "finished":
        assert events[-1].data["total_tokens"] == sum(e.data["batch_size"] for e in events if e.name == "message")
    places = [(place.seq, place.part) for place in (Place.of(each.id) for each in events)]
    assert places == sorted(set(places))


@given(words=st.lists(st.sampled_from(["a ", "longer ", "x" * 60]), max_size=45), sizes=SIZES)
def test_progress_is_a_percentage_that_never_falls(words: Sequence[str], sizes: Sequence[int]) -> None:
    events = sent_in(written(QuestionStream(), turn_saying(words), sizes))
    percents = [each.data["percentageComplete"] for each in events if each.name == "progress"]
    assert percents == sorted(percents)
    assert all(0 < each <= 100 for each in percents)


def resumes(turn: Turn, sizes: Sequence[int], data: st.DataObject) -> None:
    """Break a stream behind any event and go on in other batches."""
    events = sent_in(written(QuestionStream(), turn, sizes))
    got = data.draw(st.integers(1, len(events)))
    place = Place.of(events[got - 1].id)
    rest = sent_in(written(QuestionStream(place), turn, data.draw(SIZES)))
    both = [*events[:got], *rest]
    assert content(both) == content(events)
    # Their ids count updates, and how many there are depends on which events share a write.
    thinking = [[each.data for each in sent if each.name == "thinking"] for sent in (both, events)]
    assert thinking[0] == thinking[1]
    assert both[-1].data == events[-1].data
    assert [each.name for each in both].count(events[-1].name) == 1
    if both[-1].name == "done":
        assert both[-1].data["total_tokens"] == sum(e.data["batch_size"] for e in both if e.name == "message")
    updates = 0
    for event, following in pairwise(both):
        is_final = Place.of(event.id).part == TOKENS and Place.of(event.id).seq == turn.record[-1].seq
        updates += event.name == "message" and not is_final
        due = event.name == "message" and not is_final and updates % UPDATES_A_PROGRESS == 0
        assert (following.name == "progress") == due
    if place.part == ENDING:
        assert rest == []


@given(turn=turns(), sizes=SIZES, data=st.data())
def test_any_stream_is_continued_at_any_place_without_loss_or_doubling(
    turn: Turn, sizes: Sequence[int], data: st.DataObject
) -> None:
    resumes(turn, sizes, data)


@given(words=st.lists(st.sampled_from(["a ", "x" * 60]), min_size=10, max_size=45), sizes=SIZES, data=st.data())
def test_a_long_stream_is_continued_with_its_count_of_updates(
    words: Sequence[str], sizes: Sequence[int], data: st.DataObject
) -> None:
    resumes(turn_saying(words), sizes, data)
