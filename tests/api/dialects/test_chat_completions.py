"""OpenAI's chat completions: whatever a turn says, chunks and object say it, in the order clients need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.chat_completions import ChatCompletions
from api.dialects.cited import title_of
from i18n import text
from i18n.messages import recovery_text
from pipeline.citations.markers import markers
from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
    Warned,
)
from pipeline.passages import Passage
from pipeline.recording import Recording, fields_of
from pipeline.turn import Turn
from tests.event_strategies import DELTAS, MIDDLE
from tests.scripted import PASSAGE, checked

SECOND = replace(PASSAGE, number=2, document="coffee.md", title="Coffee", section="", text="Hot.")
THIRD = replace(PASSAGE, number=3, document="cocoa.md", title="", section="", text="Sweet.")
STARTED = TurnStarted(
    turn_id="turn", conversation_id="talk", question="How hot?", model="fast", program="ChainOfThought", language="en"
)
TURN = Turn("turn", "talk", "How hot?", "fast", record=(STARTED,), asked_at=1_800_000_000.5)


def link(passage: Passage) -> str:
    return f"http://127.0.0.1/cited/{passage.document}/{passage.number}"


PLAIN, WITH_USAGE = ChatCompletions(link, "fast"), ChatCompletions(link, "fast", with_usage=True)

CITING = st.sampled_from(["Tea. [1]", " [2, 3]", "`[1]`", "😀 【2】", "\n\n"]).map(
    lambda said: FieldDelta(field="answer", text=said)
)
ENDS = st.sampled_from(["finished", "failed", "stopped"])


def finished(said: Sequence[Event], **given: Any) -> TurnFinished:
    ending = {"usage": Usage(7, 5, exact=True), "cost": None, "finish": "stop", "model": "fast", "cached": False}
    return TurnFinished(**{**ending, "fields": fields_of(said), "passages": (), "saved": True, **given})


def ended(said: Sequence[Event], end: str = "finished") -> list[Event]:
    """A turn that says these events and ends."""
    partial = fields_of(said)
    endings: dict[str, Event] = {
        "finished": finished(said),
        "failed": TurnFailed(code="auth", retryable=False, partial=partial, saved=True),
        "stopped": TurnStopped(partial=partial, saved=True),
    }
    return [STARTED, *said, endings[end]]


def written(events: Sequence[Event], dialect: ChatCompletions = PLAIN, sizes: Iterable[int] = ()) -> bytes:
    encode, at, wrote = dialect.encoder(TURN), 0, b""
    for size in (*sizes, len(events)):
        wrote += encode(events[at : at + size])
        at += size
    return wrote


def chunks_in(wrote: bytes) -> list[Any]:
    """The JSON of each frame; "[DONE]" as it is."""
    frames = wrote.decode("ascii").split("\n\n")
    assert frames.pop() == ""
    lines = [frame.removeprefix("data: ") for frame in frames]
    assert all("\n" not in line for line in lines)
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def deltas(chunks: Iterable[Any], key: str) -> list[Any]:
    choices = [choice for chunk in chunks if isinstance(chunk, dict) for choice in chunk.get("choices", ())]
    return [choice["delta"][key] for choice in choices if key in choice["delta"]]


def whole(events: Sequence[Event]) -> Any:
    said = Recording()
    for event in events:
        said.add(event)
    turn = replace(TURN, state="finished", record=said.events(), fields=said.fields())
    return json.loads(PLAIN.whole(turn))


def kind(chunk: Any) -> str:
    """What a chunk is for."""
    if not isinstance(chunk, dict):
        return "done"
    if "error" in chunk:
        return "error"
    if not chunk["choices"]:
        return "usage"
    (choice,) = chunk["choices"]
    named = [key for key in ("role", "reasoning_content", "annotations", "content") if key in choice["delta"]]
    return "finish" if choice["finish_reason"] else next(iter([*named, *({"event", "citations"} & chunk.keys())]))


@given(
    said=st.lists(MIDDLE | DELTAS | CITING, max_size=25),
    end=ENDS,
    sizes=st.lists(st.integers(1, 5)),
    usage=st.booleans(),
)
def test_any_turn_becomes_a_stream_that_clients_can_read(
    said: list[Event], end: str, sizes: list[int], usage: bool
) -> None:
    chunks = chunks_in(written(ended(said, end), WITH_USAGE if usage else PLAIN, sizes))
    kinds = [kind(chunk) for chunk in chunks]
    assert kinds[0] == "role"
    assert kinds.count("finish") + kinds.count("error") == 1
    assert ("finish" in kinds) == (end == "finished")
    tail = ["finish", *(["usage"] if usage else []), "done"] if end == "finished" else ["error"]
    assert kinds[-len(tail) :] == tail
    assert not any("content" in delta and "reasoning_content" in delta for delta in all_deltas(chunks))
    if end == "finished":
        answer, content = fields_of(said).get("answer", ""), "".join(deltas(chunks, "content"))
        assert content.endswith(answer)
        if not any(isinstance(event, FieldReset) for event in said):
            assert content == answer
        for annotation in [each for found in deltas(chunks, "annotations") for each in found]:
            cited = annotation["url_citation"]
            assert (cited["start_index"], cited["end_index"]) in {(each.start, each.end) for each in markers(content)}
            assert cited["title"]


def all_deltas(chunks: Iterable[Any]) -> list[Any]:
    return [choice["delta"] for chunk in chunks if isinstance(chunk, dict) for choice in chunk.get("choices", ())]


@given(said=st.lists(DELTAS | CITING, max_size=25))
def test_all_fields_arrive_and_the_object_holds_the_answer_to_the_byte(said: list[FieldDelta | FieldReset]) -> None:
    events = ended(said)
    message = whole(events)["choices"][0]["message"]
    chunks = chunks_in(written(events))
    fields = fields_of(said)
    assert message["content"] == fields.get("answer", "")
    for name, reasoned in fields.items():
        if name != "answer":
            assert reasoned in message["reasoning_content"]
    if not any(isinstance(event, FieldReset) for event in said):
        streamed = "".join(deltas(chunks, "reasoning_content"))
        assert all(isinstance(event, FieldReset) or event.text in streamed for event in said if event.field != "answer")


SAID: list[Event] = [
    PassagesFound(query="How hot?", passages=(PASSAGE, SECOND)),
    FieldDelta(field="reasoning", text="[1] says "),
    FieldDelta(field="reasoning", text="it."),
    FieldDelta(field="answer", text="80 °C 😀 [2], "),
    FieldDelta(field="answer", text="as [1, 7] says."),
]


def test_sources_come_before_the_text_that_cites_them_and_citations_behind_it() -> None:
    chunks = chunks_in(written(ended(SAID), WITH_USAGE))
    kinds = [kind(chunk) for chunk in chunks]
    order = ["role", "citations", "event", "event", *["reasoning_content"] * 2, *["content"] * 2]
    assert kinds == [*order, "annotations", "finish", "usage", "done"]
    named = [{"title": title_of(each), "url": link(each), "snippet": each.text} for each in (PASSAGE, SECOND)]
    assert chunks[1]["search_results"] == named
    assert chunks[1]["citations"] == [link(PASSAGE), link(SECOND)]
    assert [("search_results" in chunk) for chunk in chunks[4:8]] == [False, False, True, False]
    assert chunks[6]["search_results"] == named
    assert chunks[2]["event"] == {
        "type": "source",
        "data": {
            "source": {"name": "Tea › Brewing", "url": link(PASSAGE)},
            "document": [PASSAGE.text],
            "metadata": [{"source": link(PASSAGE), "name": "Tea › Brewing", "external": True}],
        },
    }
    assert chunks[8]["choices"][0]["delta"] == {
        "annotations": [
            {
                "type": "url_citation",
                "url_citation": {"start_index": 8, "end_index": 11, "url": link(SECOND), "title": "Coffee"},
            },
            {
                "type": "url_citation",
                "url_citation": {"start_index": 16, "end_index": 22, "url": link(PASSAGE), "title": "Tea › Brewing"},
            },
        ]
    }
    assert chunks[9]["choices"][0]["finish_reason"] == "stop"
    assert chunks[10]["usage"] == {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    assert {(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks[:-1]} == {
        ("chatcmpl-turn", 1_800_000_000, "fast")
    }
    assert {chunk["usage"] for chunk in chunks[:-2]} == {None}


def test_without_streaming_one_object_holds_all_of_it() -> None:
    events: list[Event] = [*SAID[:-1], Warned(code="length"), SAID[-1]]
    answer, chunks = whole(ended(events)), chunks_in(written(ended(events)))
    (choice,) = answer["choices"]
    assert answer["object"] == "chat.completion"
    assert choice["message"]["content"] == "".join(deltas(chunks, "content"))
    assert choice["message"]["reasoning_content"] == "".join(deltas(chunks, "reasoning_content"))
    assert [choice["message"]["annotations"]] == deltas(chunks, "annotations")
    assert choice["finish_reason"] == "stop"
    assert answer["usage"]["total_tokens"] == 12
    for key in ("search_results", "citations"):
        assert answer[key] == chunks[1][key]
    assert answer["warnings"] == chunks[-2]["warnings"] == [{"code": "length", "text": text("warning.length")}]


def test_an_annotation_names_the_verdict_of_its_sentence_also_behind_a_withdrawn_text() -> None:
    found = PassagesFound(query="tea", passages=(PASSAGE,))
    withdrawn: list[Event] = [
        FieldDelta(field="answer", text="Cold [1]."),
        checked(0, 9, "not_found"),
        FieldReset(field="answer"),
    ]
    said: list[Event] = [
        FieldDelta(field="answer", text="Tea [1]. Hot [1]."),
        checked(0, 8, "verbatim"),
        checked(9, 17, "weak"),
        checked(0, 17, "uncited", field="analysis"),
    ]
    cases: list[tuple[list[Event], list[str | None]]] = [
        ([], ["verbatim", "weak"]),
        (withdrawn, [None, "verbatim", "weak"]),
    ]
    for before, verdicts in cases:
        events = ended([found, *before, *said])
        (annotations,) = deltas(chunks_in(written(events)), "annotations")
        assert [each["url_citation"].get("verdict") for each in annotations] == verdicts
        alone = whole(events)["choices"][0]["message"]["annotations"]
        assert [each["url_citation"]["verdict"] for each in alone] == ["verbatim", "weak"]


def test_a_later_search_adds_its_passages_before_the_text_that_cites_them() -> None:
    said: list[Event] = [
        PassagesFound(query="tea", passages=(PASSAGE,)),
        FieldDelta(field="reasoning", text="More."),
        PassagesFound(query="coffee", passages=(SECOND, PASSAGE)),
        FieldDelta(field="answer", text="[2] and "),
        PassagesFound(query="cocoa", passages=(THIRD,)),
        FieldDelta(field="answer", text="[3]"),
    ]
    chunks = chunks_in(written(ended(said)))
    assert [kind(chunk) for chunk in chunks[1:-3]] == [
        *("citations", "event", "reasoning_content", "citations", "event", "content"),
        *("citations", "event", "content"),
    ]
    named = [chunk["event"]["data"]["source"]["url"] for chunk in chunks[:-1] if "event" in chunk]
    assert named == [link(PASSAGE), link(SECOND), link(THIRD)]
    assert [len(chunk["search_results"]) for chunk in chunks[:-1] if "search_results" in chunk] == [1, 2, 2, 3, 3]
    cited = [each["url_citation"]["url"] for each in deltas(chunks, "annotations")[0]]
    assert cited == [link(SECOND), link(THIRD)]


def test_a_passage_that_was_withdrawn_keeps_its_place_in_the_list() -> None:
    said: list[Event] = [
        PassagesFound(query="tea", passages=(PASSAGE, SECOND, THIRD)),
        PassagesFound(query="", passages=(), rejected=(SECOND,)),
        FieldDelta(field="answer", text="Sweet [3]."),
    ]
    assert whole(ended(said))["citations"] == [link(PASSAGE), link(SECOND), link(THIRD)]
    assert [kind(chunk) for chunk in chunks_in(written(ended(said)))].count("event") == 3


def test_fields_of_other_programs_are_reasoning_under_their_titles() -> None:
    said: list[Event] = [
        FieldDelta(field="thinking", text="Hm."),
        FieldDelta(field="analysis", text="Kept."),
        FieldDelta(field="findings", text="- low | dust [1]"),
        FieldDelta(field="own_words", text="Dusty."),
        FieldDelta(field="answer", text="Clean it."),
    ]
    reasoned = "Hm.\n\n**Analysis**\n\nKept.\n\n**Findings**\n\n- low | dust [1]\n\n**own words**\n\nDusty."
    message = whole(ended(said))["choices"][0]["message"]
    assert (
        message["reasoning_content"]
        == reasoned
        == "".join(deltas(chunks_in(written(ended(said))), "reasoning_content"))
    )
    assert message["content"] == "Clean it."


def answer(*pieces: str | None) -> list[Event]:
    """Deltas of the answer; None for a reset."""
    return [FieldReset(field="answer") if each is None else FieldDelta(field="answer", text=each) for each in pieces]


NOTICE = f"\n\n{text('answer.withdrawn')}\n\n"


@pytest.mark.parametrize(
    ("pieces", "content"),
    [
        (["Te", None, "T", "e", "a."], "Tea."),
        (["Tea", None, "Tea"], "Tea"),
        (["Tea", None, "Te"], f"Tea{NOTICE}Te"),
        (["Tea", None, "Cof", "fee"], f"Tea{NOTICE}Coffee"),
        (["Tea", None, "T", None, "Tea."], "Tea."),
        ([None, "Tea"], "Tea"),
        (["Tea", None], "Tea"),
        (["A", None, "B", None, "Bc"], f"A{NOTICE}Bc"),
    ],
)
def test_an_answer_that_begins_anew_goes_on_where_it_is_the_same_and_is_announced_where_it_is_not(
    pieces: list[str | None], content: str
) -> None:
    assert "".join(deltas(chunks_in(written(ended(answer(*pieces)))), "content")) == content


def test_citations_of_an_answer_that_began_anew_have_their_places_in_all_that_was_sent() -> None:
    said: list[Event] = [SAID[0], *answer("Hot", None, "😀 80 °C [1]")]
    chunks = chunks_in(written(ended(said)))
    content = "".join(deltas(chunks, "content"))
    ((annotation,),) = deltas(chunks, "annotations")
    cited = annotation["url_citation"]
    assert content[cited["start_index"] : cited["end_index"]] == "[1]"


@pytest.mark.parametrize(("end", "code"), [("failed", "auth"), ("stopped", "stopped")])
def test_a_turn_without_a_whole_answer_ends_as_an_error_behind_what_was_said(end: str, code: str) -> None:
    chunks = chunks_in(written(ended(SAID, end)))
    assert chunks[-1]["error"]["code"] == code
    assert chunks[-1]["error"]["message"]
    assert "".join(deltas(chunks, "content")).startswith("80 °C")


def test_the_model_is_the_one_asked_until_a_fallback_leads_to_another() -> None:
    retried = Recovered(what="retry", from_model="fast", to_model="fast", code="server")
    fell_back = Recovered(what="fallback", from_model="fast", to_model="slow", code="server")
    events = ended([*SAID[:2], retried, SAID[2], fell_back, *SAID[3:]])
    dialect = ChatCompletions(link, "fast@desk")
    said = chunks_in(written(events, dialect))
    models = [chunk["model"] for chunk in said if isinstance(chunk, dict)]
    assert [name for name, _ in groupby(models)] == ["fast@desk", "slow"]
    assert whole(events)["model"] == "slow"
    assert whole(ended(SAID))["model"] == "fast"


def test_each_recovery_is_a_status_between_the_texts_and_no_text_itself() -> None:
    fell_back = Recovered(what="extractive", from_model="fast", to_model="builtin/extractive", code="auth")
    chunks = chunks_in(written(ended([*SAID[:2], fell_back, *SAID[2:]])))
    told = [chunk for chunk in chunks[:-1] if chunk.get("event", {}).get("type") == "status"]
    assert [each["event"]["data"] for each in told] == [{"description": recovery_text(fell_back), "done": True}]
    assert told[0]["choices"][0]["delta"] == {}
    assert deltas(chunks, "content") == deltas(chunks_in(written(ended(SAID))), "content")
    assert not any(
        "event" in chunk and chunk["event"]["type"] == "status" for chunk in chunks_in(written(ended(SAID)))[:-1]
    )


def test_a_stream_in_one_write_is_the_same_as_in_many() -> None:
    events = ended(SAID)
    assert written(events) == written(events, sizes=[1] * len(events))


def test_every_frame_is_one_line_of_ascii_as_simple_clients_need() -> None:
    assert all(len(list(lines)) == 1 for empty, lines in groupby(written(ended(SAID)).split(b"\n"), bool) if empty)
