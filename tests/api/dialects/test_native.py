"""The dialect of `/api`: what stands on the wire."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from api.dialects.native import NATIVE
from api.error_responses import problem_of
from i18n import CATALOGUE, text
from i18n.event_json import event_json
from pipeline.events import (
    Event,
    PassagesFound,
    SentenceChecked,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Warned,
)
from pipeline.messages import Message
from pipeline.passages import Passage
from pipeline.turn import Turn
from tests.event_strategies import EVENT
from tests.recorded import record_from_wire

SECRET = "sk-what-somebody-wrote"
LANGUAGES = st.sampled_from([*CATALOGUE, "fi"])


def event_of(line: str | bytes) -> Event:
    (event,) = record_from_wire(f"[{line if isinstance(line, str) else line.decode()}]")
    return event


@given(event=EVENT, language=LANGUAGES)
def test_an_event_is_one_flat_object_on_one_line_with_its_kind_seq_and_time(event: Event, language: str) -> None:
    line = event_json(event, language)
    assert b"\n" not in line
    said = json.loads(line)
    assert (said["kind"], said["seq"], said["at_s"]) == (event.kind, event.seq, event.at_s)


@given(event=EVENT, language=LANGUAGES)
def test_sentences_stand_in_the_place_of_codes_and_values(event: Event, language: str) -> None:
    said = json.loads(event_json(event, language))
    assert "values" not in said
    assert "place" not in said
    if isinstance(event, Warned | TurnFailed | StepChanged):
        assert isinstance(said["text"], str)
    for passage in [*said.get("passages", ()), *said.get("rejected", ())]:
        assert isinstance(passage["reason"], str)


@given(event=EVENT)
def test_what_holds_no_sentence_comes_back_from_the_wire_as_it_went(event: Event) -> None:
    if isinstance(event, Warned | TurnFailed):
        return
    if isinstance(event, StepChanged):
        event = replace(event, place=None)
    if isinstance(event, PassagesFound | TurnFinished):
        event = replace(event, passages=tuple(replace(each, reason=None) for each in event.passages))
    if isinstance(event, SentenceChecked):
        event = replace(event, reason=None)
    assert event_of(event_json(event)) == event


def turn_in(language: str) -> Turn:
    started = TurnStarted(turn_id="t", conversation_id="c", question="q", model="m", program="p", language=language)
    return Turn("t", "c", "q", "m", record=(started,))


@given(events=st.lists(EVENT, max_size=20), language=LANGUAGES)
def test_a_stream_is_the_lines_of_its_events(events: list[Event], language: str) -> None:
    encode = NATIVE.encoder(turn_in(language))
    for event in events:
        data = f"data: {event_json(event, language).decode()}"
        lines = encode([event]).decode().split("\n")
        assert lines == [f"event: {event.kind}", data, f"id: {event.seq}", "", ""]


def test_a_text_is_in_the_language_of_the_turn() -> None:
    failed = TurnFailed(code="connection", retryable=True, partial={}, saved=True)
    turn = Turn("t", "c", "q", "m", state="failed", record=(*turn_in("de").record, failed))
    assert json.loads(NATIVE.whole(turn))["text"] == text("model.connection", "de")
    assert text("model.connection", "de") in NATIVE.encoder(turn_in("de"))([failed]).decode()


@pytest.mark.parametrize(
    ("language", "reason"),
    [("en", "Place 5, and 4 were wanted; it lacks “tea”."), ("de", "Platz 5; gewünscht waren 4; ohne „tea“.")],
)
def test_a_passage_says_why_it_was_not_chosen(language: str, reason: str) -> None:
    why = Message("not_chosen", {"place": 5, "wanted": 4, "words": ("tea",)})
    found = PassagesFound(query="q", passages=(), rejected=(Passage(5, "a", "A", "", "x", 1.0, reason=why),))
    assert json.loads(event_json(found, language))["rejected"][0]["reason"] == reason


# Errors


@given(
    error=st.sampled_from([ValueError, KeyError, OSError, RuntimeError]).map(lambda kind: kind(SECRET))
    | st.sampled_from([400, 404, 405, 500]).map(lambda status: HTTPException(status, SECRET))
)
def test_an_error_never_holds_the_text_of_an_exception(error: Exception) -> None:
    problem = problem_of(error)
    written = NATIVE.error(problem) + NATIVE.broken(problem) + NATIVE.whole_broken("t", problem)
    assert SECRET not in written.decode() + repr(problem)
    assert json.loads(NATIVE.error(problem)) == {"detail": problem.text}
