"""A turn belongs to the server: readers come and go, it ends exactly once, and what was said is stored."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.conversation import TurnRequest
from pipeline.errors import Busy, NotFound, Refused
from pipeline.events import (
    Estimated,
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
    fields_of,
)
from pipeline.ingest.markdown import read_folder
from pipeline.metrics import measure
from pipeline.models import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.running import RunningTurn
from pipeline.settings import BUILTIN_MODEL, ROOT, ModelEntry, Settings
from pipeline.store import Store
from pipeline.turns import Pipeline
from tests.provider import Provider

QUESTION = "Why does water temperature change the taste of coffee?"
MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"

Make = Callable[..., Pipeline]


@pytest.fixture(scope="session")
def search() -> Any:
    built = EdgeIndex.build(read_folder(ROOT / "samples"))
    yield built
    built.close()


@pytest.fixture
def provider() -> Any:
    with Provider() as running:
        yield running


@pytest.fixture
async def make(tmp_path: Path, search: EdgeIndex, provider: Provider) -> AsyncIterator[Make]:
    """A function that builds a Pipeline whose models are the local provider's behaviours."""
    built: list[tuple[Pipeline, Store]] = []

    def build(*behaviours: str, **settings: Any) -> Pipeline:
        models = tuple(
            ModelEntry(label=name, model=f"hosted_vllm/{name}", api_base=provider.base) for name in behaviours
        )
        values = Settings(**{"models": models, "data_dir": tmp_path, **settings})
        store = Store(values.database_address)
        store.open()
        pipeline = Pipeline(values, Models(values, pace_s=0.0), search, store)
        built.append((pipeline, store))
        return pipeline

    yield build
    for pipeline, store in built:
        await pipeline.close()
        store.close()


async def events_of(pipeline: Pipeline, request: TurnRequest) -> list[Event]:
    turn = await pipeline.start(request)
    return [event async for event in pipeline.follow(turn.id) if event]


async def test_the_built_in_model_answers_with_quotes_and_the_grammar_holds(make: Make) -> None:
    events = await events_of(make(), TurnRequest(QUESTION))
    assert [event.seq for event in events] == list(range(len(events)))
    assert all(before.at_s <= after.at_s for before, after in itertools.pairwise(events))
    assert isinstance(events[0], TurnStarted)
    ending = events[-1]
    assert isinstance(ending, TurnFinished)
    assert ending.saved
    assert "[1]" in ending.fields["answer"]
    assert ending.fields["reasoning"]
    assert fields_of(events) == ending.fields
    assert sum(isinstance(event, TurnFinished | TurnFailed | TurnStopped) for event in events) == 1


async def test_a_reader_who_comes_back_misses_nothing_and_costs_no_second_request(
    make: Make, provider: Provider
) -> None:
    pipeline = make("ok-tokens-60-gap-10")
    turn = await pipeline.start(TurnRequest(QUESTION, model="ok-tokens-60-gap-10"))
    first: list[Event] = []
    reader = pipeline.follow(turn.id)
    async for event in reader:
        if event:
            first.append(event)
        if len(first) == 15:
            break
    await reader.aclose()
    rest = [event async for event in pipeline.follow(turn.id, after=first[-1].seq) if event]
    assert [event.seq for event in first + rest] == list(range(len(first + rest)))
    assert isinstance(rest[-1], TurnFinished)
    assert fields_of(first + rest) == rest[-1].fields
    assert len(provider.requests) == 1


async def test_stop_ends_at_once_keeps_the_text_and_closes_the_connection(make: Make, provider: Provider) -> None:
    pipeline = make("endless")
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless", visitor=MAYA))
    async for _ in pipeline.follow(turn.id):
        if "answer" in fields_of(turn.events):
            break
    await pipeline.stop(turn.id)
    ending = turn.events[-1]
    assert isinstance(ending, TurnStopped)
    assert ending.partial == fields_of(turn.events)
    await gone(provider)
    (stored,) = await pipeline.turns(turn.conversation_id, MAYA)
    assert (stored.state, stored.fields) == ("stopped", ending.partial)


async def test_the_last_readers_leaving_ends_the_turn_after_the_grace_time(make: Make, provider: Provider) -> None:
    pipeline = make("endless", leave_grace_s=0)
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless"))
    reader = pipeline.follow(turn.id)
    async for _ in reader:
        if "answer" in fields_of(turn.events):
            break
    await reader.aclose()
    await gone(provider)
    assert turn.task
    await asyncio.wait({turn.task}, timeout=2)
    assert isinstance(turn.events[-1], TurnStopped)


async def test_a_turn_stopped_before_it_began_still_has_its_ending(make: Make) -> None:
    pipeline = make()
    turn = await pipeline.start(TurnRequest(QUESTION))
    await asyncio.gather(pipeline.stop(turn.id), pipeline.stop(turn.id))
    assert isinstance(turn.events[-1], TurnStopped)


async def test_stop_right_after_the_start_stops(make: Make, provider: Provider) -> None:
    pipeline = make("endless")
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless"))
    await asyncio.wait_for(pipeline.stop(turn.id), 2)
    assert isinstance(turn.events[-1], TurnStopped)
    await gone(provider)


async def test_a_start_that_overlaps_the_close_still_ends_stopped(make: Make) -> None:
    pipeline = make("endless")
    starting = asyncio.create_task(pipeline.start(TurnRequest(QUESTION, model="endless", visitor=MAYA)))
    while not pipeline._turns:  # noqa: ASYNC110  until the turn is being stored
        await asyncio.sleep(0)
    await asyncio.wait_for(pipeline.close(), 3)
    turn = await starting
    assert isinstance(turn.events[-1], TurnStopped)
    (stored,) = await pipeline.turns(turn.conversation_id, MAYA)
    assert stored.state == "stopped"


@pytest.mark.parametrize("name", ["openai/", "no-slash", "x/ y", "", "opnai/gpt-4o", "<b>/x", "nosuchprovider/x"])
async def test_a_typed_model_that_cannot_be_is_refused_with_the_form_of_a_name(make: Make, name: str) -> None:
    with pytest.raises(Refused) as raised:
        make().add_model(name)
    assert "provider/model" in raised.value.text
    assert "<b>" not in raised.value.text


async def test_the_names_that_may_have_been_meant_are_told(make: Make) -> None:
    pipeline = make("ok-tokens-60", "endless")
    with pytest.raises(Refused, match="typed_model") as typed:
        pipeline.add_model("opnai/gpt-4o")
    assert "Nearest: openai" in typed.value.text
    with pytest.raises(Refused, match="unknown_model") as asked:
        await pipeline.start(TurnRequest(QUESTION, model="OK-tokens-61"))
    assert "Nearest: ok-tokens-60" in asked.value.text
    with pytest.raises(Refused, match="unknown_model") as strange:
        await pipeline.start(TurnRequest(QUESTION, model="<script>alert(1)</script>"))
    assert "Nearest" not in strange.value.text
    assert "script" not in strange.value.text
    assert pipeline.add_model("hosted_vllm/own") == "hosted_vllm/own"


@pytest.mark.parametrize("settings", [{"host": "0.0.0.0"}, {"host": "192.168.1.2"}, {"space_id": "a/b"}])
async def test_where_strangers_come_no_model_is_added_by_name(make: Make, settings: dict[str, str]) -> None:
    with pytest.raises(Refused, match="not_here"):
        make(**settings).add_model("hosted_vllm/own")


async def test_a_model_of_no_provider_is_not_offered_rather_than_the_questions_fault(make: Make) -> None:
    pipeline = make(models=(ModelEntry(label="none", model="nosuchprovider/x"),))
    events = await events_of(pipeline, TurnRequest(QUESTION, model="none"))
    assert [event.code for event in events if isinstance(event, Recovered)] == ["unsupported_model"]
    assert isinstance(events[-1], TurnFinished)


@pytest.mark.parametrize("name", ["huggingface/https://elsewhere.example/v1", "openai/http://127.0.0.1:1/x"])
async def test_an_address_is_no_name(make: Make, name: str) -> None:
    with pytest.raises(Refused, match="typed_address"):
        make().add_model(name)


@pytest.mark.parametrize("question", [QUESTION, "Warum ändert die Temperatur des Wassers den Geschmack?"])
@pytest.mark.parametrize(
    ("settings", "is_local", "is_named"),
    [({}, True, True), ({}, False, False), ({"host": "0.0.0.0"}, True, False), ({"space_id": "a/b"}, True, False)],
)
async def test_where_a_models_server_was_looked_for_is_told_to_who_configured_it_alone(
    make: Make, provider: Provider, question: str, settings: dict[str, str], is_local: bool, is_named: bool
) -> None:
    lost = ModelEntry(label="lost", model="hosted_vllm/ok", api_base=f"http://127.0.0.1:{closed_port()}/v1")
    pipeline = make(models=(lost,), **settings)
    events = await events_of(pipeline, TurnRequest(question, model="lost", is_local=is_local))
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].model == BUILTIN_MODEL
    again = await events_of(pipeline, TurnRequest(question, model="lost", is_local=is_local))
    for said in (events, again):  # it rests by now, and is still not there
        told = [event.text for event in said if isinstance(event, Warned)]
        assert any("127.0.0.1:" in text for text in told) == is_named


def closed_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("status-400", "invalid_request"),
        ("cut-after-30-gap-10", "connection"),
        ("eof-after-30-gap-10", "incomplete"),
        ("stall-after-30-gap-10", "idle_timeout"),
        ("error-in-stream-after-30-gap-10", "server"),
        ("drip", "turn_timeout"),
    ],
)
async def test_a_fault_that_cannot_be_made_good_ends_once_with_a_constant_text(
    make: Make, provider: Provider, behaviour: str, code: str
) -> None:
    pipeline = make(behaviour, first_token_timeout_s=0.5, idle_timeout_s=1, turn_timeout_s=3)
    events = await events_of(pipeline, TurnRequest(QUESTION, model=behaviour))
    ending = events[-1]
    assert isinstance(ending, TurnFailed)
    assert ending.code == code
    assert ending.partial == fields_of(events)
    assert "Bearer" not in str(events)
    assert len(provider.requests) == 1
    await gone(provider)


async def test_after_three_answers_a_model_is_estimated_also_after_a_restart(make: Make) -> None:
    model = "ok-tokens-80-gap-20"
    asking = TurnRequest(QUESTION, model=model)
    first = make(model)
    learnt = await asyncio.gather(*(events_of(first, asking) for _ in range(3)))
    events = await events_of(make(model), asking)
    for said in (*learnt, events):
        assert [event.seq for event in said] == list(range(len(said)))
        assert isinstance(said[-1], TurnFinished)
        times = [event.at_s for event in said if isinstance(event, Estimated)]
        assert times
        assert all(later - earlier >= 0.5 for earlier, later in itertools.pairwise(times))
    estimates = [event for event in events if isinstance(event, Estimated)]
    ending = events[-1]
    assert isinstance(ending, TurnFinished)
    for estimate in estimates:
        assert estimate.expected_tokens == ending.usage.completion_tokens
        assert estimate.confidence == 0.6
    last = estimates[-1]
    assert last.eta_s is not None
    assert last.at_s + last.eta_s == pytest.approx(ending.at_s, abs=1.5)


@pytest.mark.parametrize(
    ("behaviour", "ending"), [("ok", "finished"), ("cut-after-30-gap-10", "failed"), ("endless", "stopped")]
)
async def test_however_a_turn_ended_what_it_measured_is_stored_with_it(make: Make, behaviour: str, ending: str) -> None:
    pipeline = make(behaviour)
    turn = await pipeline.start(TurnRequest(QUESTION, model=behaviour, visitor=MAYA))
    async for _ in pipeline.follow(turn.id):
        if ending == "stopped" and "answer" in fields_of(turn.events):
            await pipeline.stop(turn.id)
    (stored,) = await pipeline.turns(turn.conversation_id, MAYA)
    measured = stored.metrics
    assert measured
    assert (measured.ending, measured.model_asked, measured.model_used) == (ending, behaviour, behaviour)
    assert measured.retrieval_s is not None
    assert measured.first_token_s is not None
    assert measured.total_s is not None
    assert measured.retrieval_s < measured.first_token_s < measured.total_s
    assert measured.tokens
    assert measured.chunks == sum(isinstance(event, FieldDelta) for event in turn.events)
    assert measured.exact == (ending == "finished")


@pytest.mark.parametrize(
    ("behaviour", "code", "requests"),
    [
        ("status-401", "auth", 1),
        ("status-404", "unsupported_model", 1),
        ("status-429-retry-60", "rate_limit", 1),
        ("status-500", "server", 3),
        ("empty", "empty", 2),
        ("hang", "first_token_timeout", 1),
        ("head-no-token", "first_token_timeout", 1),
    ],
)
async def test_a_fault_before_any_text_is_answered_by_the_ladder(
    make: Make, provider: Provider, behaviour: str, code: str, requests: int
) -> None:
    pipeline = make(behaviour, first_token_timeout_s=0.5)
    events = await events_of(pipeline, TurnRequest(QUESTION, model=behaviour))
    (*_, last) = [event for event in events if isinstance(event, Recovered)]
    assert (last.what, last.code, last.to_model) == ("extractive", code, "builtin/extractive")
    ending = events[-1]
    assert isinstance(ending, TurnFinished)
    assert ending.model == "builtin/extractive"
    assert sum(isinstance(event, PassagesFound) for event in events) == 1
    assert len(provider.requests) == requests
    await gone(provider)


async def test_the_configured_chain_answers_before_the_built_in_model(make: Make) -> None:
    pipeline = make("status-503", "ok-tokens-40", fallbacks=("ok-tokens-40",))
    events = await events_of(pipeline, TurnRequest(QUESTION, model="status-503"))
    assert [event.what for event in events if isinstance(event, Recovered)] == ["retry", "retry", "fallback"]
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].model == "ok-tokens-40"


async def test_an_answer_that_broke_off_is_gone_on_with_from_its_last_whole_word(
    make: Make, provider: Provider
) -> None:
    pipeline = make("cut-after-25", "ok-tokens-40")
    broken = await pipeline.start(TurnRequest(QUESTION, model="cut-after-25", visitor=MAYA))
    *_, failed = [event async for event in pipeline.follow(broken.id) if event]
    assert isinstance(failed, TurnFailed)
    request = TurnRequest(
        QUESTION, MAYA, broken.conversation_id, model="ok-tokens-40", replaces=broken.id, goes_on=True
    )
    *_, ending = await events_of(pipeline, request)
    assert isinstance(ending, TurnFinished)
    kept = failed.partial["answer"].rpartition(" ")[0]
    assert ending.fields["answer"].startswith(kept + " ")
    assert len(ending.fields["answer"]) > len(kept) + 20
    said = json.dumps(provider.requests[-1]["messages"])
    assert kept in said
    assert "Go on with it exactly where it ends" in said
    (stored,) = await pipeline.turns(broken.conversation_id, MAYA)
    assert stored.fields == ending.fields


async def test_what_an_answer_began_with_stays_where_the_model_takes_its_own_text_back(make: Make) -> None:
    pipeline = make("cut-after-25", "late-markers")
    broken = await pipeline.start(TurnRequest(QUESTION, model="cut-after-25", visitor=MAYA))
    *_, failed = [event async for event in pipeline.follow(broken.id) if event]
    assert isinstance(failed, TurnFailed)
    request = TurnRequest(
        QUESTION, MAYA, broken.conversation_id, model="late-markers", replaces=broken.id, goes_on=True
    )
    events = await events_of(pipeline, request)
    assert any(isinstance(event, FieldReset) for event in events)
    assert all(before.at_s <= after.at_s for before, after in itertools.pairwise(events))
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].fields["answer"].startswith(failed.partial["answer"].rpartition(" ")[0] + " ")
    assert events[-1].fields == {"reasoning": "", **fields_of(events)}


async def test_a_continue_that_brings_nothing_leaves_the_answer_as_it_was_and_measures_nothing(
    make: Make, provider: Provider
) -> None:
    pipeline = make("cut-after-25", "status-400")
    broken = await pipeline.start(TurnRequest(QUESTION, model="cut-after-25", visitor=MAYA))
    *_, failed = [event async for event in pipeline.follow(broken.id) if event]
    assert isinstance(failed, TurnFailed)
    request = TurnRequest(QUESTION, MAYA, broken.conversation_id, model="status-400", replaces=broken.id, goes_on=True)
    *events, ending = await events_of(pipeline, request)
    assert isinstance(ending, TurnFailed)
    assert ending.partial["answer"] == failed.partial["answer"]
    measured = measure([*events, ending])
    assert (measured.tokens, measured.tokens_per_s, measured.first_token_s) == (None, None, None)
    (stored,) = await pipeline.turns(broken.conversation_id, MAYA)
    assert measure(stored.record).tokens is None


@pytest.mark.parametrize("behaviour", ["no-markers", "thinking", "late-markers"])
async def test_own_instructions_are_kept_where_there_is_an_answer_whatever_its_format(
    make: Make, provider: Provider, behaviour: str
) -> None:
    events = await events_of(make(behaviour), TurnRequest(QUESTION, model=behaviour, instructions="Sing."))
    assert not any(isinstance(event, Recovered) for event in events)
    assert isinstance(events[-1], TurnFinished)
    assert ["Sing." in json.dumps(request["messages"]) for request in provider.requests] == [True]


async def test_own_instructions_that_leave_no_answer_are_left_out_once(make: Make, provider: Provider) -> None:
    events = await events_of(make("dazed"), TurnRequest(QUESTION, model="dazed", instructions="Be in a daze."))
    assert [event.what for event in events if isinstance(event, Recovered)] == ["default_prompt"]
    assert [event.field for event in events if isinstance(event, FieldReset)] == ["thinking"]
    assert isinstance(events[-1], TurnFinished)
    assert ["daze" in json.dumps(request["messages"]) for request in provider.requests] == [True, False]


async def test_a_continue_whose_first_try_only_thinks_keeps_what_it_goes_on_with(make: Make) -> None:
    pipeline = make("cut-after-25", "dazed")
    broken = await pipeline.start(TurnRequest(QUESTION, model="cut-after-25", visitor=MAYA))
    *_, failed = [event async for event in pipeline.follow(broken.id) if event]
    assert isinstance(failed, TurnFailed)
    request = TurnRequest(QUESTION, MAYA, broken.conversation_id, model="dazed", replaces=broken.id, goes_on=True)
    events = await events_of(pipeline, replace(request, instructions="Be in a daze."))
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].fields["answer"].startswith(failed.partial["answer"].rpartition(" ")[0] + " ")
    assert events[-1].fields["reasoning"].startswith(failed.partial["reasoning"])


@pytest.mark.parametrize(
    "behaviour", ["chars", "onechunk", "no-markers", "no-reasoning", "splitutf8", "dup-markers", "thinking"]
)
async def test_odd_replies_still_answer(make: Make, behaviour: str) -> None:
    events = await events_of(make(behaviour), TurnRequest(QUESTION, model=behaviour))
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].fields["answer"]
    assert {"reasoning": "", **fields_of(events)} == events[-1].fields


async def test_refused_questions_store_nothing(make: Make) -> None:
    pipeline = make()
    for request in (
        TurnRequest("  "),
        TurnRequest("x" * 9_000),
        TurnRequest("half a \ud800 pair"),
        TurnRequest(QUESTION, model="gpt-9"),
        TurnRequest(QUESTION, passages_wanted=0),
        TurnRequest(QUESTION, temperature=9.0),
    ):
        with pytest.raises(Refused):
            await pipeline.start(TurnRequest(**{**_asdict(request), "visitor": MAYA}))
    assert await pipeline.conversations(MAYA) == ()


async def test_two_visitors_cannot_see_continue_or_delete_each_others_conversations(make: Make) -> None:
    pipeline = make()
    (started, *_) = await events_of(pipeline, TurnRequest(QUESTION, visitor=MAYA))
    assert isinstance(started, TurnStarted)
    theirs = started.conversation_id
    for stranger in (NOAH, None):
        with pytest.raises(NotFound):
            await pipeline.start(TurnRequest("And then?", visitor=stranger, conversation_id=theirs))
        with pytest.raises(NotFound):
            await pipeline.turns(theirs, stranger)
        with pytest.raises(NotFound):
            await pipeline.delete(theirs, stranger)
        with pytest.raises(NotFound):
            await pipeline.rate(started.turn_id, stranger, 1)
    assert await pipeline.conversations(NOAH) == ()
    (mine,) = await pipeline.conversations(MAYA)
    assert (mine.id, mine.title) == (theirs, QUESTION)


async def test_a_follow_up_is_sent_with_the_turns_before_it(make: Make, provider: Provider) -> None:
    pipeline = make("ok")
    (started, *_) = await events_of(pipeline, TurnRequest(QUESTION, model="ok"))
    assert isinstance(started, TurnStarted)
    again = TurnRequest("And why is that?", model="ok", conversation_id=started.conversation_id)
    await events_of(pipeline, again)
    assert QUESTION in str(provider.requests[-1])
    await events_of(
        pipeline, TurnRequest("Which pot?", model="ok", conversation_id=started.conversation_id, history_turns=0)
    )
    assert QUESTION not in str(provider.requests[-1])


async def test_a_retry_takes_the_place_of_the_turn(make: Make) -> None:
    pipeline = make()
    (started, *_) = await events_of(pipeline, TurnRequest(QUESTION, visitor=MAYA))
    assert isinstance(started, TurnStarted)
    again = TurnRequest("How hot?", visitor=MAYA, conversation_id=started.conversation_id, replaces=started.turn_id)
    await events_of(pipeline, again)
    turns = await pipeline.turns(started.conversation_id, MAYA)
    assert [turn.question for turn in turns] == ["How hot?"]


async def test_over_the_limit_of_turns_is_busy(make: Make) -> None:
    pipeline = make("endless", max_turns=1)
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless"))
    with pytest.raises(Busy):
        await pipeline.start(TurnRequest(QUESTION))
    await pipeline.stop(turn.id)
    assert isinstance((await events_of(pipeline, TurnRequest(QUESTION)))[-1], TurnFinished)


async def test_a_refused_question_stores_nothing_and_asks_no_provider(make: Make, provider: Provider) -> None:
    pipeline = make("ok", rate_limit="2/hour")
    request = TurnRequest(QUESTION, model="ok", visitor=MAYA, address="203.0.113.7")
    for _ in range(2):
        assert isinstance((await events_of(pipeline, request))[-1], TurnFinished)
    for refused in (request, replace(request, visitor=NOAH), replace(request, visitor=None)):
        with pytest.raises(Busy):
            await pipeline.start(refused)
    assert len(provider.requests) == 2
    assert len(await pipeline.conversations(MAYA)) == 2
    assert await pipeline.conversations(NOAH) == ()


async def test_two_starts_at_once_do_not_both_take_the_last_place(make: Make) -> None:
    pipeline = make("endless", max_turns=3)
    starts = [pipeline.start(TurnRequest(QUESTION, model="endless")) for _ in range(8)]
    started = await asyncio.gather(*starts, return_exceptions=True)
    assert sum(isinstance(each, Busy) for each in started) == 5


async def test_a_turn_that_was_left_counts_until_it_has_ended(make: Make) -> None:
    pipeline = make("endless", max_turns_per_visitor=1, leave_grace_s=0.5)
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless", visitor=MAYA))
    reader = pipeline.follow(turn.id)
    await anext(reader)
    await reader.aclose()
    with pytest.raises(Busy):
        await pipeline.start(TurnRequest(QUESTION, visitor=MAYA))
    assert turn.task
    await asyncio.wait({turn.task}, timeout=3)
    assert isinstance((await events_of(pipeline, TurnRequest(QUESTION, visitor=MAYA)))[-1], TurnFinished)


async def test_a_retry_needs_no_second_place_and_a_refused_one_leaves_the_turn_alone(make: Make) -> None:
    pipeline = make("endless", max_turns=1, rate_limit="2/hour")
    first = await pipeline.start(TurnRequest(QUESTION, model="endless", address="203.0.113.7"))
    again = TurnRequest(
        QUESTION, model="endless", address="203.0.113.7", conversation_id=first.conversation_id, replaces=first.id
    )
    second = await pipeline.start(again)
    assert isinstance(first.events[-1], TurnStopped)
    with pytest.raises(Busy):
        await pipeline.start(replace(again, replaces=second.id))
    assert not second.ended


async def test_the_page_waits_in_line_says_its_place_and_begins_when_its_turn_has_come(
    make: Make, provider: Provider
) -> None:
    pipeline = make("endless", "ok", max_turns=1, max_waiting=2, turn_timeout_s=2)
    first = await pipeline.start(TurnRequest(QUESTION, model="endless"))
    second = await pipeline.start(TurnRequest(QUESTION, model="ok", waits=True))
    third = await pipeline.start(TurnRequest(QUESTION, model="ok", waits=True))
    for waits in (True, False):
        with pytest.raises(Busy):
            await pipeline.start(TurnRequest(QUESTION, waits=waits))
    assert places(second) == ["number 1 in line"]
    assert places(third) == ["number 2 in line"]
    assert first.task
    await asyncio.wait({first.task}, timeout=5)  # its time is over: theirs must not be, though they waited as long
    rest = [event async for event in pipeline.follow(third.id) if event]
    assert isinstance(second.events[-1], TurnFinished)
    assert isinstance(rest[-1], TurnFinished)
    assert places(third) == ["number 2 in line", "number 1 in line"]
    assert [event.seq for event in rest] == list(range(len(rest)))
    assert len(provider.requests) == 3


async def test_stop_works_in_the_line_and_the_others_move_up(make: Make, provider: Provider) -> None:
    pipeline = make("endless", max_turns=1)
    first, second, third = [await pipeline.start(TurnRequest(QUESTION, model="endless", waits=True)) for _ in range(3)]
    async for _ in pipeline.follow(first.id):
        if "answer" in fields_of(first.events):
            break
    await pipeline.stop(second.id)
    assert isinstance(second.events[-1], TurnStopped)
    assert places(third) == ["number 2 in line", "number 1 in line"]
    await pipeline.stop(first.id)
    async for _ in pipeline.follow(third.id):
        if "answer" in fields_of(third.events):
            break
    assert len(provider.requests) == 2


def places(turn: RunningTurn) -> list[str]:
    """What a turn said of the line."""
    return [
        event.text
        for event in turn.events
        if isinstance(event, StepChanged) and event.state == "began" and event.step == "wait"
    ]


async def test_closing_stores_what_was_running_and_leaves_no_task(make: Make, provider: Provider) -> None:
    pipeline = make("endless")
    turns = [await pipeline.start(TurnRequest(QUESTION, model="endless", visitor=MAYA)) for _ in range(5)]
    await asyncio.sleep(0.5)
    await pipeline.close()
    assert all(isinstance(turn.events[-1], TurnStopped) for turn in turns)
    await gone(provider)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for turn in turns:
        (stored,) = await pipeline.turns(turn.conversation_id, MAYA)
        assert stored.state == "stopped"
        assert stored.fields == fields_of(turn.events)


async def gone(provider: Provider) -> None:
    """Wait until the provider has seen every connection close; at most 2 s."""
    for _ in range(100):
        if not provider.active:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the provider still streams")


def _asdict(request: TurnRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in TurnRequest.__dataclass_fields__}
