"""`/chat/basic`: what its clients read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given

from api.dialects import Problem
from api.dialects.basic_chat import BasicChat
from i18n import text
from pipeline.events import FieldDelta, TurnFailed, TurnFinished, TurnStarted, TurnStopped, Usage
from pipeline.turn import Turn
from tests.dialect_streams import DONE, joined, read, written
from tests.event_strategies import SIZES, turns
from tests.scripted import PASSAGE

STARTED = TurnStarted(turn_id="turn", conversation_id="talk", question="q", model="m", program="p", language="de")
FINISHED = TurnFinished(
    at_s=4.3,
    fields={"reasoning": "[1] says it.", "answer": "80 °C. [1]"},
    passages=(PASSAGE, replace(PASSAGE, number=2), replace(PASSAGE, number=3, document="cup.md")),
    usage=Usage(prompt_tokens=700, completion_tokens=158, exact=True),
    cost=None,
    finish="stop",
    model="m",
    cached=False,
    saved=True,
)
SAID = (STARTED, FieldDelta(field="reasoning", text="[1] says it."), FieldDelta(field="answer", text="80 °C. "))
TURN = Turn("turn", "talk", "q", "m", "finished", (*SAID, FINISHED), asked_at=1_771_495_200.0)


def test_a_stream_is_start_tokens_rationale_done_metadata_and_the_mark_of_the_end() -> None:
    assert read(written(BasicChat(), TURN)) == [
        {"type": "start", "timestamp": "2026-02-19T10:00:00.000Z", "language": "de"},
        {"type": "token", "content": "80 °C. "},
        {"type": "token", "content": "[1]"},
        {"type": "rationale", "content": "[1] says it."},
        {"type": "done", "content": "80 °C. [1]", "sources": ["tea.md", "cup.md"]},
        {"type": "metadata", "token_count": 158, "duration_ms": 4300},
        DONE,
    ]


def test_rationale_and_metadata_are_left_out_where_the_host_wants_that() -> None:
    dialect = BasicChat(has_rationale=False, has_metadata=False)
    kinds = [each if each == DONE else each["type"] for each in read(written(dialect, TURN))]
    assert kinds == ["start", "token", "token", "done", DONE]
    assert json.loads(dialect.whole(TURN)) == {"content": "80 °C. [1]", "sources": ["tea.md", "cup.md"]}


def test_one_object_has_the_keys_of_the_last_events() -> None:
    assert json.loads(BasicChat().whole(TURN)) == {
        "content": "80 °C. [1]",
        "sources": ["tea.md", "cup.md"],
        "rationale": "[1] says it.",
        "metadata": {"token_count": 158, "duration_ms": 4300},
    }


def test_a_cached_answer_has_tokens_too() -> None:
    cached = replace(FINISHED, usage=Usage(0, 0, exact=True), cached=True)
    assert json.loads(BasicChat().whole(replace(TURN, record=(*SAID, cached))))["metadata"]["token_count"] == 3


@pytest.mark.parametrize(
    ("ending", "why"),
    [
        (
            TurnFailed(code="connection", retryable=True, partial={"answer": "80 °C. "}, saved=True),
            text("model.connection", "de"),
        ),
        (TurnStopped(partial={"answer": "80 °C. "}, saved=True), text("status.stopped", "de")),
    ],
)
def test_a_turn_that_did_not_finish_ends_with_its_error(ending: TurnFailed | TurnStopped, why: str) -> None:
    data = read(written(BasicChat(), replace(TURN, record=(*SAID, ending))))
    assert data[1:] == [{"type": "token", "content": "80 °C. "}, {"type": "error", "content": why}, DONE]


def test_a_broken_stream_ends_like_a_failed_turn() -> None:
    assert read([BasicChat().broken(Problem(500, "internal", "Sorry."))]) == [
        {"type": "error", "content": "Sorry."},
        DONE,
    ]


@given(turn=turns(), sizes=SIZES)
def test_any_turn_adds_up_and_ends_once(turn: Turn, sizes: Sequence[int]) -> None:
    data = read(written(BasicChat(), turn, sizes))
    assert data[0]["type"] == "start"
    assert data.count(DONE) == 1
    assert data[-1] == DONE
    kinds = [each["type"] for each in data[:-1]]
    answer = turn.fields.get("answer", "")
    assert joined(data).endswith(answer)
    if turn.state == "finished":
        assert kinds.count("done") == kinds.count("metadata") == 1
        assert "error" not in kinds
        done, metadata = data[-3:-1]
        assert done["content"] == answer
        assert metadata["token_count"] > 0
    else:
        assert kinds.count("error") == 1
        assert kinds[-1] == "error"
        assert not {"done", "metadata", "rationale"} & set(kinds)


@given(turn=turns(), sizes=SIZES)
def test_any_grouping_of_the_events_says_the_same(turn: Turn, sizes: Sequence[int]) -> None:
    assert b"".join(written(BasicChat(), turn, sizes)) == b"".join(written(BasicChat(), turn))
