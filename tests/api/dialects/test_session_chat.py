"""`/ai/chat`: what its clients read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given

from api.dialects import Problem
from api.dialects.session_chat import SessionChat
from i18n import text
from i18n.messages import recovery_text, warning_text
from pipeline.events import (
    FieldDelta,
    Recovered,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
    Warned,
)
from pipeline.passages import Passage
from pipeline.turn import Turn
from tests.dialect_streams import joined, read, written
from tests.event_strategies import SIZES, turns
from tests.scripted import PASSAGE

STARTED = TurnStarted(turn_id="turn", conversation_id="talk", question="q", model="m", program="p", language="de")
RECOVERED = Recovered(what="fallback", from_model="fast", to_model="spare", code="connection")
WARNED = Warned(code="length")
FINISHED = TurnFinished(
    at_s=1.2504,
    fields={"reasoning": "[1] says it.", "answer": "80 °C. [1]"},
    passages=(PASSAGE,),
    usage=Usage(7, 5, exact=True),
    cost=None,
    finish="length",
    model="spare",
    cached=False,
    saved=True,
)
SAID = (STARTED, RECOVERED, FieldDelta(field="answer", text="80 °C. "), FieldDelta(field="answer", text="[1]"), WARNED)
TURN = Turn("turn", "talk", "q", "fast", "finished", (*SAID, FINISHED))
INFO = {"type": "session_info", "session_id": "talk", "status": "processing"}
WARNINGS = [
    {"message": recovery_text(RECOVERED, "de"), "code": "connection"},
    {"message": warning_text(WARNED, "de"), "code": "length"},
]
SOURCES = [
    {
        "number": 1,
        "document": "tea.md",
        "title": "Tea",
        "section": "Brewing",
        "page": None,
        "text": "Green tea wants water of 80 °C.",
        "url": "https://glass.example/1",
    }
]
END = {"type": "stream_end"}


def link(passage: Passage) -> str:
    return f"https://glass.example/{passage.number}"


def kinds(data: Sequence[dict[str, str]]) -> list[str]:
    return [each["type"] for each in data]


def test_a_stream_is_the_session_tokens_warnings_done_saved_and_end() -> None:
    assert read(written(SessionChat(link=link), TURN)) == [
        INFO,
        {"type": "warning", **WARNINGS[0]},
        {"type": "token", "content": "80 °C. "},
        {"type": "token", "content": "[1]"},
        {"type": "warning", **WARNINGS[1]},
        {"type": "done", "message": "Streaming complete", "rationale": "[1] says it.", "sources": SOURCES},
        {"type": "response_saved", "message_id": "turn", "processing_time_ms": 1250},
        END,
    ]


def test_the_session_is_named_as_the_client_names_it_before_anything_else_happens() -> None:
    encode = SessionChat("mine").encoder(TURN)
    assert read([encode((STARTED,))]) == [{**INFO, "session_id": "mine"}]


def test_one_object_says_the_same() -> None:
    assert json.loads(SessionChat(link=link).whole(TURN)) == {
        "session_id": "talk",
        "message_id": "turn",
        "response": "80 °C. [1]",
        "rationale": "[1] says it.",
        "processing_time_ms": 1250,
        "sources": SOURCES,
        "warnings": WARNINGS,
    }


def test_what_was_not_saved_is_a_warning_instead() -> None:
    turn = replace(TURN, record=(*SAID, replace(FINISHED, saved=False)))
    *_, warning, done, end = read(written(SessionChat(), turn))
    assert warning == {"type": "warning", "message": text("turn.not_saved", "de"), "code": "not_saved"}
    assert kinds([done, end]) == ["done", "stream_end"]
    assert json.loads(SessionChat().whole(turn))["warnings"][-1]["code"] == "not_saved"


@pytest.mark.parametrize(
    ("ending", "why"),
    [
        (TurnFailed(code="connection", retryable=True, partial={}, saved=True), text("model.connection", "de")),
        (TurnStopped(partial={}, saved=True), text("status.stopped", "de")),
    ],
)
def test_a_turn_that_did_not_finish_ends_with_its_error(ending: TurnFailed | TurnStopped, why: str) -> None:
    data = read(written(SessionChat(), replace(TURN, record=(STARTED, ending))))
    assert data == [INFO, {"type": "error", "message": why}, END]


def test_a_broken_stream_ends_like_a_failed_turn() -> None:
    assert read([SessionChat().broken(Problem(500, "internal", "Sorry."))]) == [
        {"type": "error", "message": "Sorry."},
        END,
    ]


@given(turn=turns(), sizes=SIZES)
def test_any_turn_adds_up_and_ends_once_with_a_warning_for_each_notice(turn: Turn, sizes: Sequence[int]) -> None:
    data = read(written(SessionChat(), turn, sizes))
    said = kinds(data)
    assert (said[0], said[-1]) == ("session_info", "stream_end")
    assert said.count("session_info") == said.count("stream_end") == 1
    assert joined(data).endswith(turn.fields.get("answer", ""))
    notices = sum(isinstance(event, Warned | Recovered) for event in turn.record)
    ending = turn.record[-1]
    if isinstance(ending, TurnFinished):
        assert said.count("warning") == notices + (not ending.saved)
        assert said[-3:] == ["done", "response_saved", "stream_end"] if ending.saved else ["done", "stream_end"]
        assert "error" not in said
    else:
        assert said.count("warning") == notices
        assert said[-2:] == ["error", "stream_end"]
        assert not {"done", "response_saved"} & set(said)


@given(turn=turns(), sizes=SIZES)
def test_any_grouping_of_the_events_says_the_same(turn: Turn, sizes: Sequence[int]) -> None:
    assert b"".join(written(SessionChat(), turn, sizes)) == b"".join(written(SessionChat(), turn))
