"""OpenAI's Responses API: the grammar of its events, their numbers, and what the pieces add up to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from api.dialects import Problem
from api.dialects.cited import cited_in
from api.dialects.responses import Responses, turn_id_of, turn_id_of_item
from i18n import text
from pipeline.events import (
    Ending,
    Event,
    FieldDelta,
    FieldReset,
    Finish,
    PassagesFound,
    Recovered,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
    passages_after,
)
from pipeline.passages import Passage
from pipeline.recording import Recording, fields_of
from pipeline.turn import AskOptions, Turn, TurnState
from pipeline.turns.running import STATES
from tests.event_strategies import MIDDLE
from tests.scripted import PASSAGE, checked

Json = dict[str, Any]

STREAM: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
STARTED = TurnStarted(
    turn_id="turn-1", conversation_id="talk-1", question="How hot?", model="fast", program="Rag", language="en"
)
TURN = Turn("turn-1", "talk-1", "How hot?", "fast", record=(STARTED,), asked_at=1_700_000_000.5, asked=AskOptions())
SAID = st.sampled_from(["Tea ", "[1]", " is [2, 3].", "hot", "T", "é😀", "`[1]` "])
FIELDS = st.sampled_from(["thinking", "reasoning", "answer", "answer", "findings"])
PIECES = st.one_of(
    st.builds(FieldDelta, field=FIELDS, text=SAID),
    st.builds(FieldDelta, field=FIELDS, text=SAID),
    st.builds(FieldReset, field=FIELDS),
    MIDDLE.filter(lambda event: not isinstance(event, FieldDelta | FieldReset)),
)


def link(passage: Passage) -> str:
    return f"https://glassbox.test/p/{passage.number}"


def delta(field: str, said: str) -> FieldDelta:
    return FieldDelta(field=field, text=said)


def found(*numbers: int) -> PassagesFound:
    return PassagesFound(query="tea", passages=tuple(replace(PASSAGE, number=number) for number in numbers))


def finished(events: Sequence[Event], finish: Finish = "stop") -> TurnFinished:
    passages: tuple[Passage, ...] = ()
    for event in events:
        passages = passages_after(passages, event) if isinstance(event, PassagesFound) else passages
    return TurnFinished(
        fields=fields_of(events),
        passages=passages,
        usage=Usage(70, 30, exact=True),
        cost=None,
        finish=finish,
        model="fast",
        cached=False,
        saved=True,
        at_s=2.0,
    )


def answered(*events: Event, **changed: Any) -> list[Event]:
    return [STARTED, *events, replace(finished(events), **changed)]


@st.composite
def turns(draw: st.DrawFn) -> list[Event]:
    events = draw(st.lists(PIECES, max_size=25))
    partial = fields_of(events)
    endings: list[Ending] = [
        finished(events),
        finished(events, finish="length"),
        TurnFailed(code="server", retryable=True, partial=partial, saved=True),
        TurnStopped(partial=partial, saved=True),
    ]
    return [STARTED, *events, draw(st.sampled_from(endings))]


def written(events: Sequence[Event], sizes: Sequence[int] = (), **asked: Any) -> list[Json]:
    """What is written of a turn, read as a client reads it."""
    encode, rest, body = Responses(link, **asked).encoder(TURN), list(events), b""
    for size in sizes:
        body += encode(rest[:size])
        rest = rest[size:]
    body += encode(rest)
    read = []
    for frame in body.decode("ascii").split("\n\n")[:-1]:
        named, data = frame.split("\n")
        read.append(json.loads(data.removeprefix("data: ")))
        assert named == f"event: {read[-1]['type']}"
    return read


def turn_of(events: Sequence[Event]) -> Turn:
    record = Recording()
    for event in events:
        record.add(event)
    ending = events[-1]
    state: TurnState = STATES[type(ending)] if isinstance(ending, Ending) else "running"
    return replace(TURN, record=record.events(), fields=record.fields(), state=state)


def whole(events: Sequence[Event], **asked: Any) -> Json:
    return dict(json.loads(Responses(link, **asked).whole(turn_of(events))))


class Reader:
    """Reads a stream as strictly as its grammar is: at most one item and one part are open at a time."""

    def __init__(self) -> None:
        self.items: list[Json] = []  # as they were done
        self.texts: list[str] = []
        self.item: Json | None = None
        self.part: int | None = None
        self.parts: list[Json] = []
        self.annotations: list[Json] = []
        self.text, self.is_done, self.number = "", False, 0

    def read(self, event: Json) -> None:
        assert event["sequence_number"] == self.number
        self.number += 1
        STREAM.validate_python(event, strict=True)
        kind = event["type"].removeprefix("response.")
        if kind in ("created", "in_progress", "completed", "incomplete", "failed"):
            assert self.item is None
            Response.model_validate(event["response"], strict=True)
            return
        assert event["output_index"] == len(self.items)
        if kind == "output_item.added":
            assert self.item is None
            self.item, self.part, self.parts = event["item"], None, []
            assert event["item"].get("content", event["item"].get("summary")) == []
            assert event["item"]["status"] == "in_progress"
            return
        assert self.item is not None
        if kind == "output_item.done":
            assert self.part is None
            assert event["item"]["id"] == self.item["id"]
            assert event["item"].get("content", event["item"].get("summary")) == self.parts
            assert event["item"]["status"] in ("completed", "incomplete")
            self.items.append(event["item"])
            self.item = None
            return
        assert event["item_id"] == self.item["id"]
        index = event["content_index" if self.item["type"] == "message" else "summary_index"]
        assert index == len(self.parts)
        if kind in ("content_part.added", "reasoning_summary_part.added"):
            assert self.part is None
            assert event["part"]["text"] == ""
            self.part, self.text, self.is_done, self.annotations = index, "", False, []
            return
        assert self.part == index
        if kind in ("output_text.delta", "reasoning_summary_text.delta"):
            assert not self.is_done
            self.text += event["delta"]
        elif kind == "output_text.annotation.added":
            assert not self.is_done
            assert event["annotation_index"] == len(self.annotations)
            self.annotations.append(event["annotation"])
        elif kind in ("output_text.done", "reasoning_summary_text.done"):
            assert event["text"] == self.text
            self.is_done = True
        else:
            assert kind in ("content_part.done", "reasoning_summary_part.done")
            assert self.is_done
            assert event["part"]["text"] == self.text
            assert event["part"].get("annotations", []) == self.annotations
            self.parts.append(event["part"])
            self.texts.append(self.text)
            self.part = None


def read(events: Sequence[Json]) -> Reader:
    reader = Reader()
    for event in events:
        reader.read(event)
    return reader


def texts_in(response: Json, type: str) -> list[str]:
    return [
        part["text"]
        for item in response["output"]
        if item["type"] == type
        for part in item.get("content", item.get("summary"))
    ]


@settings(deadline=None, max_examples=60)
@given(events=turns())
def test_any_turn_is_written_in_the_grammar_and_adds_up(events: list[Event]) -> None:
    said, ending = written(events), events[-1]
    reader = read(said)
    assert [event["type"] for event in said[:2]] == ["response.created", "response.in_progress"]
    ends = {TurnFinished: ("completed", "incomplete"), TurnFailed: ("failed",), TurnStopped: ("failed",)}
    assert said[-1]["type"].removeprefix("response.") in ends[type(ending)]
    final, fields = said[-1]["response"], fields_of(events)
    assert "".join(texts_in(final, "message")) == fields.get("answer", "")
    thought = "".join(texts_in(final, "reasoning"))
    assert thought.count("hot") == sum(said.count("hot") for name, said in fields.items() if name != "answer")
    standing = [item["id"] for item in final["output"]]
    assert standing == [item["id"] for item in reader.items if item["id"] in standing]
    if isinstance(ending, TurnFinished):
        (message,) = [item for item in final["output"] if item["type"] == "message"]
        (part,) = message["content"]
        assert [(each["start_index"], each["end_index"], each["url"]) for each in part["annotations"]] == [
            (each.start, each.end, link(each.passage)) for each in cited_in(part["text"], ending.passages)
        ]


@settings(deadline=None, max_examples=60)
@given(events=turns(), sizes=st.lists(st.integers(0, 4), max_size=6), after=st.integers(-1, 30))
def test_events_have_one_number_however_they_are_sent_and_the_object_is_that_of_the_last_one(
    events: list[Event], sizes: list[int], after: int
) -> None:
    said = written(events, sizes)
    assert written(events, after=after) == [each for each in said if each["sequence_number"] > after]
    streamed, object = said[-1]["response"], whole(events)
    assert "".join(texts_in(streamed, "message")) == "".join(texts_in(object, "message"))
    for response in (streamed, object):  # a stored turn has one piece for each field, so their parts may differ
        del response["output"], response["usage"]
    assert streamed == object


def test_a_turn_is_the_whole_grammar_in_order() -> None:
    events = answered(
        found(1, 2),
        delta("reasoning", "Passage "),
        delta("reasoning", "1."),
        delta("answer", "Hot"),
        delta("answer", " [1]."),
    )
    said = written(events)
    assert [event["type"].removeprefix("response.") for event in said] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    read(said)
    final = said[-1]["response"]
    assert whole(events) == final
    citation = {
        "type": "url_citation",
        "start_index": 4,
        "end_index": 7,
        "url": link(PASSAGE),
        "title": "Tea › Brewing",
    }
    assert final["output"] == [
        {
            "id": "rs_turn-1_0",
            "type": "reasoning",
            "status": "completed",
            "summary": [{"type": "summary_text", "text": "Passage 1."}],
        },
        {
            "id": "msg_turn-1_1",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hot [1].", "annotations": [citation], "logprobs": []}],
        },
    ]
    assert (final["id"], final["status"], final["created_at"]) == ("resp_turn-1", "completed", 1_700_000_000)
    assert final["usage"]["total_tokens"] == 100
    assert final["citations"] == [link(PASSAGE), "https://glassbox.test/p/2"]
    assert [turn_id_of(final["id"]), turn_id_of_item("msg_turn-1_1"), turn_id_of("x"), turn_id_of_item("rs_a_0")] == [
        "turn-1",
        "turn-1",
        "",
        "",
    ]


def test_passages_are_named_once_and_in_order_by_the_first_event_after_they_were_found() -> None:
    events = answered(found(1, 2), found(1, 2, 3), delta("answer", "Hot"), found(4), delta("answer", " [3][1]."))
    said = [each for each in written(events) if "event" in each]
    assert [each["type"] for each in said] == ["response.output_item.added", "response.output_text.annotation.added"]
    assert [len(each["event"]["data"]["document"]) for each in said] == [3, 1]
    first = said[0]["event"]["data"]
    assert [each["source"] for each in first["metadata"]] == [link(replace(PASSAGE, number=n)) for n in (1, 2, 3)]
    assert first["source"] == {"name": "Tea › Brewing", "url": link(PASSAGE)}


def test_other_fields_are_parts_of_the_reasoning_under_their_titles() -> None:
    final = whole(answered(delta("analysis", "It is so."), delta("findings", "- high | x"), delta("answer", "Yes.")))
    assert texts_in(final, "reasoning") == ["**Analysis**\n\nIt is so.", "**Findings**\n\n- high | x"]
    assert texts_in(final, "message") == ["Yes."]


def test_a_text_that_is_said_again_goes_on_where_it_was() -> None:
    events = answered(
        delta("answer", "Tea is"), FieldReset(field="answer"), delta("answer", "Tea"), delta("answer", " is hot.")
    )
    said = written(events)
    assert [event["delta"] for event in said if "delta" in event] == ["Tea is", " hot."]
    assert len(read(said).items) == 1


def test_a_text_that_is_withdrawn_is_an_incomplete_item_that_the_response_does_not_hold() -> None:
    events = answered(
        found(1),
        delta("reasoning", "So."),
        delta("answer", "Tea [1]"),
        FieldReset(field="reasoning"),
        FieldReset(field="answer"),
        delta("reasoning", "No."),
        delta("answer", "Milk [1]"),
    )
    said = written(events)
    reader = read(said)
    assert [item["status"] for item in reader.items] == ["completed", "incomplete", "completed", "completed"]
    assert reader.items[1]["content"][0]["annotations"] == []
    final = said[-1]["response"]
    assert (texts_in(final, "reasoning"), texts_in(final, "message")) == (["No."], ["Milk [1]"])
    assert whole(events)["output"] == final["output"]


def test_reasoning_that_comes_during_the_answer_follows_it() -> None:
    said = written(answered(delta("answer", "Tea"), delta("thinking", "Hm."), delta("answer", " it is.")))
    assert [item["type"] for item in read(said).items] == ["message", "reasoning"]
    assert texts_in(said[-1]["response"], "message") == ["Tea it is."]


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_an_answer_that_was_cut_is_incomplete(finish: str, reason: str) -> None:
    last = written(answered(delta("answer", "Tea"), finish=finish))[-1]
    assert (last["type"], last["response"]["status"]) == ("response.incomplete", "incomplete")
    assert last["response"]["incomplete_details"] == {"reason": reason}
    assert last["response"]["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        (
            TurnFailed(code="rate_limit", retryable=True, partial={}, saved=True),
            "failed",
            {"code": "rate_limit_exceeded", "message": text("model.rate_limit")},
        ),
        (
            TurnFailed(code="auth", retryable=False, partial={}, saved=True),
            "failed",
            {"code": "server_error", "message": text("model.auth")},
        ),
        (TurnStopped(partial={}, saved=True), "cancelled", {"code": "server_error", "message": text("status.stopped")}),
    ],
)
def test_a_failure_closes_what_was_said_and_is_the_end(ending: Any, status: str, error: Json) -> None:
    said = written([STARTED, delta("answer", "Tea"), ending])
    assert [item["status"] for item in read(said).items] == ["incomplete"]
    last = said[-1]
    assert (last["type"], last["response"]["status"], last["response"]["error"]) == ("response.failed", status, error)
    assert texts_in(last["response"], "message") == ["Tea"]


def test_a_running_turn_is_in_progress_with_what_was_said() -> None:
    response = whole([STARTED, delta("answer", "Tea")])
    assert (response["status"], texts_in(response, "message")) == ("in_progress", ["Tea"])
    assert response["usage"] is None


def test_what_was_asked_is_echoed() -> None:
    asked = AskOptions(instructions="Short.", temperature=0.5, max_tokens=90, profile="desk")
    turn = replace(turn_of(answered(delta("answer", "Tea"))), asked=asked, parent_id="turn-0")
    response = json.loads(Responses(link, metadata={"run": "7"}).whole(turn))
    assert (response["instructions"], response["temperature"], response["max_output_tokens"]) == ("Short.", 0.5, 90)
    assert (response["metadata"], response["previous_response_id"]) == ({"run": "7"}, "resp_turn-0")
    assert (response["model"], response["conversation"]) == ("fast@desk", {"id": "talk-1"})


def test_the_model_that_answered_is_named() -> None:
    fell_back = Recovered(what="fallback", from_model="fast", to_model="slow", code="server")
    said = written(answered(fell_back, delta("answer", "Tea"), model="slow"))
    assert [said[0]["response"]["model"], said[-1]["response"]["model"]] == ["fast", "slow"]


def test_a_stream_that_breaks_says_so_in_both_forms_that_clients_read() -> None:
    dialect = Responses(link)
    begun = dialect.encoder(turn_of(answered()))(answered()[:1])
    error = json.loads(dialect.broken(Problem(500, "internal", "It broke.")).decode().split("data: ")[1])
    STREAM.validate_python(error, strict=True)
    assert (error["type"], error["message"], error["error"]["message"]) == ("error", "It broke.", "It broke.")
    assert error["sequence_number"] == begun.count(b"data: ")


def test_an_annotation_names_the_verdict_of_its_sentence() -> None:
    withdrawn = (delta("answer", "Cold [1]."), checked(0, 9, "not_found"), FieldReset(field="answer"))
    said = (delta("answer", "Tea [1]. Hot [1]."), checked(0, 8, "verbatim"), checked(9, 17, "weak"))
    for before in ((), withdrawn):
        events = answered(found(1), *before, *said)
        [message] = [each for each in whole(events)["output"] if each["type"] == "message"]
        assert [each["verdict"] for each in message["content"][0]["annotations"]] == ["verbatim", "weak"]
