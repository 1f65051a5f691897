"""`/api/public/chat`: what a widget reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects import Problem
from api.dialects.frames import NOTHING
from api.dialects.public_chat import CHUNK_WORDS, PublicChat
from i18n import text
from pipeline.events import (
    FieldDelta,
    PassagesFound,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
)
from pipeline.passages import Passage
from pipeline.turn import Turn
from tests.dialect_streams import joined, read, written
from tests.event_strategies import SIZES, TEXT, turns
from tests.scripted import PASSAGE

STARTED = TurnStarted(turn_id="turn", conversation_id="talk", question="q", model="m", program="p", language="de")
FOUND = PassagesFound(query="q", passages=(PASSAGE,), quality="good")
FINISHED = TurnFinished(
    fields={"reasoning": "[1] says it.", "answer": "80 °C. [1]"},
    passages=(PASSAGE,),
    usage=Usage(7, 5, exact=True),
    cost=None,
    finish="stop",
    model="m",
    cached=False,
    saved=True,
)
SAID = (STARTED, FOUND, FieldDelta(field="answer", text="80 °C. "), FieldDelta(field="answer", text="[1]"))
TURN = Turn("turn", "talk", "q", "m", "finished", (*SAID, FINISHED))
COMPLETE = {
    "content": "80 °C. [1]",
    "done": True,
    "sources": [
        {
            "number": 1,
            "document": "tea.md",
            "title": "Tea",
            "section": "Brewing",
            "page": None,
            "text": "Green tea wants water of 80 °C.",
            "url": "https://glass.example/1",
        }
    ],
    "context_quality": {"label": "good", "passages": 1},
    "rationale": "[1] says it.",
    "session_id": "mine",
}


def link(passage: Passage) -> str:
    return f"https://glass.example/{passage.number}"


CHUNKED = PublicChat(is_chunked=True)


def turn_saying(answer: str) -> Turn:
    return replace(TURN, record=(STARTED, replace(FINISHED, fields={"answer": answer})))


def test_a_stream_is_tokens_and_one_complete() -> None:
    assert read(written(PublicChat("mine", link=link), TURN)) == [
        {"type": "token", "content": "80 °C. ", "done": False},
        {"type": "token", "content": "[1]", "done": False},
        {"type": "complete", **COMPLETE},
    ]


def test_one_object_is_complete_without_its_type() -> None:
    assert json.loads(PublicChat("mine", link=link).whole(TURN)) == COMPLETE


def test_a_session_without_a_name_is_that_of_its_conversation() -> None:
    assert json.loads(PublicChat().whole(TURN))["session_id"] == "talk"


def test_without_a_search_sources_and_quality_are_there_and_empty() -> None:
    data = read(written(PublicChat(), replace(TURN, record=(STARTED, replace(FINISHED, passages=())))))[-1]
    assert (data["sources"], data["context_quality"]) == ([], {"label": "none", "passages": 0})


@pytest.mark.parametrize("dialect", [PublicChat(), CHUNKED])
@pytest.mark.parametrize(
    ("ending", "why"),
    [
        (TurnFailed(code="connection", retryable=True, partial={}, saved=True), text("model.connection", "de")),
        (TurnStopped(partial={}, saved=True), text("status.stopped", "de")),
    ],
)
def test_a_turn_that_did_not_finish_ends_with_its_error(
    dialect: PublicChat, ending: TurnFailed | TurnStopped, why: str
) -> None:
    data = read(written(dialect, replace(TURN, record=(STARTED, FOUND, ending))))
    assert data == [{"type": "error", "error": why, "done": True}]


@pytest.mark.parametrize(
    ("problem", "status", "detail"),
    [
        (Problem(404, "unknown_profile", "Unknown."), 404, "Unknown."),
        (Problem(422, "unknown_profile", "Unknown."), 404, "Unknown."),
        (Problem(422, "blank_question", "Blank."), 422, "Blank."),
        (Problem(429, "rate", "Later."), 429, "Later."),
        (Problem(500, "internal", "Sorry."), 500, "Chat service unavailable"),
        (Problem(502, "connection", "Broke."), 502, "Broke."),
        (Problem(503, "store", "Gone."), 500, "Chat service unavailable"),
    ],
)
def test_an_error_has_its_status_and_text(problem: Problem, status: int, detail: str) -> None:
    assert PublicChat().status(problem) == status
    assert json.loads(PublicChat().error(problem)) == {"detail": detail}


@given(turn=turns(), sizes=SIZES)
def test_any_turn_adds_up_and_ends_once(turn: Turn, sizes: Sequence[int]) -> None:
    data = read(written(PublicChat(), turn, sizes))
    assert [each["done"] for each in data] == [False] * (len(data) - 1) + [True]
    assert {each["type"] for each in data[:-1]} <= {"token"}
    answer = turn.fields.get("answer", "")
    assert joined(data).endswith(answer)
    assert data[-1]["type"] == ("complete" if turn.state == "finished" else "error")
    if turn.state == "finished":
        assert data[-1]["content"] == answer


@given(turn=turns(), sizes=SIZES, is_chunked=st.booleans(), data=st.data())
def test_a_get_stream_is_continued_at_any_place_without_loss_or_doubling(
    turn: Turn, sizes: Sequence[int], is_chunked: bool, data: st.DataObject
) -> None:
    whole = b"".join(written(PublicChat(received=NOTHING, is_chunked=is_chunked), turn))
    opening, *events = whole.split(b"\n\n")[:-1]
    assert opening == b"id: turn.0"
    ids = [event.split(b"\n")[0] for event in events]
    assert ids == [f"id: turn.{number}".encode() for number in range(1, len(events) + 1)]
    assert read([whole]) == read(written(PublicChat(is_chunked=is_chunked), turn))
    received = data.draw(st.integers(0, len(events)))
    rest = b"".join(written(PublicChat(received=received, is_chunked=is_chunked), turn, sizes))
    assert rest.split(b"\n\n")[:-1] == events[received:]


@given(answer=st.lists(TEXT | st.sampled_from([" ", "\n\n", "word ", "word. " * 60]), max_size=9).map("".join))
def test_chunks_add_up_to_the_answer(answer: str) -> None:
    data = read(written(CHUNKED, turn_saying(answer)))
    assert "".join(each["chunk"] for each in data) == answer
    assert [each["index"] for each in data] == list(range(len(data)))
    assert [each["done"] for each in data] == [False] * (len(data) - 1) + [True]
    assert all(set(each) == {"chunk", "index", "done"} for each in data)
    assert all(len(each["chunk"].split()) <= CHUNK_WORDS for each in data)
    assert all(each["chunk"][-1].isspace() for each in data[:-1])
