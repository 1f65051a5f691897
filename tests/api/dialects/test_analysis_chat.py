"""`/api/chat/stream`: what its clients read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects import Problem
from api.dialects.analysis_chat import AnalysisChat
from api.dialects.frames import number_in
from i18n import text
from pipeline.events import (
    ArtifactFound,
    Event,
    FieldDelta,
    FieldReset,
    Recovered,
    StepChanged,
    ToolCalled,
    ToolReturned,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
)
from pipeline.turn import Said, Turn
from tests.dialect_streams import joined, read, written
from tests.event_strategies import SIZES, turns
from tests.scripted import PASSAGE, checked

STARTED = TurnStarted(
    turn_id="turn", conversation_id="talk", question="q", model="m", program="Compliance", language="en"
)
CODE = "See\n\n```python\nbrew()\n```\n"
FINISHED = TurnFinished(
    fields={"analysis": "It is kept.", "findings": "- low | heat [1]", "answer": CODE},
    passages=(PASSAGE,),
    usage=Usage(7, 5, exact=True),
    cost=None,
    finish="stop",
    model="m",
    program="Compliance",
    cached=False,
    saved=True,
    at_s=2.5,
)
ARTIFACT = ArtifactFound(
    index=0, type="code", language="python", title="python", field="answer", start=5, end=len(CODE) - 1
)
KINDS = {"content", "reasoning", "status", "artifacts", "done", "error"}


def turn_of(*events: Event) -> Turn:
    return Turn("turn", "talk", "q", "m", "finished", (STARTED, *events), program="Compliance")


def delta(field: str, said: str) -> FieldDelta:
    return FieldDelta(field=field, text=said)


def test_the_first_status_names_the_earlier_turns_that_were_sent() -> None:
    first = read(written(AnalysisChat(history=(Said("Hi", "Hello"),)), turn_of(FINISHED)))[0]
    assert first["type"] == "status"
    assert first["content"]
    assert first["metadata"]["history"] == [{"question": "Hi", "answer": "Hello"}]


def test_other_fields_come_under_their_own_names_behind_the_answer() -> None:
    said = (delta("analysis", "It is kept."), delta("findings", "- low | heat [1]"), delta("answer", CODE))
    chunks = read(written(AnalysisChat(), turn_of(*said, FINISHED)))
    content = [(each["field"], each["content"]) for each in chunks if each["type"] == "content"]
    assert content == [("response", CODE), ("analysis", "It is kept."), ("findings", "- low | heat [1]")]


def test_reasoning_streams_as_rationale_and_steps_of_several_calls_as_reasoning() -> None:
    said = (delta("reasoning", "So "), delta("reasoning", "it is."), delta("next_thought", "Search."))
    chunks = [each for each in read(written(AnalysisChat(), turn_of(*said, FINISHED))) if each["type"] == "reasoning"]
    assert [(each["field"], each["content"]) for each in chunks] == [
        ("rationale", "So "),
        ("rationale", "it is."),
        ("next_thought", "Search."),
    ]


def test_artifacts_are_objects_before_done_with_suggestions_what_to_make_of_them() -> None:
    *_, artifacts, done = read(written(AnalysisChat(), turn_of(delta("answer", CODE), ARTIFACT, FINISHED)))
    assert artifacts["type"] == "artifacts"
    assert artifacts["content"] == [
        {
            "index": 0,
            "type": "code",
            "language": "python",
            "title": "python",
            "field": "response",
            "content": "brew()\n",
        }
    ]
    hrefs = [each["href"] for each in done["metadata"]["artifact_suggestions"]]
    assert hrefs == ["/api/turns/turn/artifacts/0"]


def test_an_artifact_of_text_that_was_withdrawn_is_not_sent() -> None:
    said = (delta("answer", CODE), ARTIFACT, FieldReset(field="answer"), delta("answer", CODE))
    assert "artifacts" not in {each["type"] for each in read(written(AnalysisChat(), turn_of(*said, FINISHED)))}


def test_done_names_sources_duration_and_tools() -> None:
    called = ToolCalled(call="1", tool="calculate", arguments={})
    returned = ToolReturned(call="1", text="4", took_s=0.25, failed=False)
    done = read(written(AnalysisChat(), turn_of(called, returned, FINISHED)))[-1]
    assert (done["content"], done["done"]) == ("", True)
    metadata = done["metadata"]
    assert metadata["sources"][0]["document"] == "tea.md"
    assert metadata["connection_duration_s"] == 2.5
    assert metadata["tools_used"] == [{"tool": "calculate", "took_s": 0.25, "failed": False}]


def test_steps_in_the_words_of_a_profile_and_recoveries_are_statuses() -> None:
    steps = (
        StepChanged(step="retrieve", state="began", status="Reading the rules …"),
        StepChanged(step="answer", state="began"),
        Recovered(what="fallback", from_model="m", to_model="other", code="connection"),
    )
    said = [each["content"] for each in read(written(AnalysisChat(), turn_of(*steps, FINISHED)))[1:4]]
    assert said[:2] == ["Reading the rules …", text("doing.answer")]
    assert "other" in said[2]


@pytest.mark.parametrize(
    ("ending", "why"),
    [
        (TurnFailed(code="connection", retryable=True, partial={"answer": "80"}, saved=True), text("model.connection")),
        (TurnStopped(partial={"answer": "80"}, saved=True), text("status.stopped")),
    ],
)
def test_a_turn_that_did_not_finish_ends_with_its_error(ending: TurnFailed | TurnStopped, why: str) -> None:
    *_, content, error = read(written(AnalysisChat(), turn_of(ending)))
    assert content["content"] == "80"
    assert error == {"type": "error", "content": "", "done": True, "error": why}


def test_a_stream_that_breaks_ends_with_an_error_without_an_id() -> None:
    written_end = AnalysisChat(received=0).broken(Problem(500, "internal", "Sorry."))
    assert read([written_end]) == [{"type": "error", "content": "", "done": True, "error": "Sorry."}]
    assert b"id:" not in written_end


def test_one_object_has_the_answer_and_the_metadata() -> None:
    whole = json.loads(AnalysisChat().whole(turn_of(checked(0, 3, "weak"), FINISHED)))
    assert whole["content"] == CODE
    assert whole["metadata"]["turn_id"] == "turn"
    [sentence] = whole["metadata"]["sentences"]
    assert (sentence["field"], sentence["end"], sentence["verdict"]) == ("response", 3, "weak")


@pytest.mark.parametrize(("sent", "received"), [("turn.7", 7), ("turn", 0), ("turn.x", 0), ("turn.²", 0), ("", 0)])
def test_an_id_says_how_much_a_client_has(sent: str, received: int) -> None:
    assert number_in(sent) == received


@given(turn=turns(), sizes=SIZES)
def test_any_turn_adds_up_and_ends_once(turn: Turn, sizes: Sequence[int]) -> None:
    chunks = read(written(AnalysisChat(), turn, sizes))
    assert {each["type"] for each in chunks} <= KINDS
    assert chunks[0]["type"] == "status"
    assert [each["done"] for each in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1]["type"] == ("done" if turn.state == "finished" else "error")
    assert all(each["field"] for each in chunks if each["type"] in ("content", "reasoning"))
    answer = turn.fields.get("answer", "")
    if any(isinstance(event, FieldReset) for event in turn.record):
        assert joined(chunks, "content").endswith(answer)
    else:
        assert joined(chunks, "content") == answer


@given(turn=turns(), sizes=SIZES, data=st.data())
def test_a_get_stream_is_continued_at_any_place_without_loss_or_doubling(
    turn: Turn, sizes: Sequence[int], data: st.DataObject
) -> None:
    whole = b"".join(written(AnalysisChat(received=0), turn))
    events = whole.split(b"\n\n")[:-1]
    assert [event.split(b"\n")[0] for event in events] == [b"id: turn.%d" % n for n in range(1, len(events) + 1)]
    assert read([whole]) == read(written(AnalysisChat(), turn))
    received = data.draw(st.integers(0, len(events)))
    rest = b"".join(written(AnalysisChat(received=received), replace(turn), sizes))
    assert rest.split(b"\n\n")[:-1] == events[received:]
