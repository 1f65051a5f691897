"""A turn belongs to the server: readers come and go, it ends exactly once, and what was said is stored."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from i18n.messages import error_text, step_text, warning_text
from pipeline.database.write_behind import WriteBehind
from pipeline.errors import Busy, Gone, NotFound, Refused
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
)
from pipeline.exchanges import PromptExchange
from pipeline.metrics import measure
from pipeline.models.catalogue import Models
from pipeline.models.spending import Spending
from pipeline.programs.chain_of_thought import DEFAULT_INSTRUCTIONS
from pipeline.programs.profiles import Profiles
from pipeline.programs.registry import PROGRAMS
from pipeline.programs.saved_programs import SavedPrograms
from pipeline.recording import fields_of
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import AskOptions, Turn, TurnMetrics, TurnRequest
from pipeline.turns.engine import Pipeline
from pipeline.turns.running import RunningTurn
from server import Parts, build
from tests.in_process import events_of
from tests.more_options import MoreOptions
from tests.provider import Provider

QUESTION = "Why does water temperature change the taste of coffee?"
MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"

Make = Callable[..., Parts]


@pytest.fixture
def provider() -> Any:
    with Provider() as running:
        yield running


@pytest.fixture
async def make(tmp_path: Path, search: EdgeIndex, provider: Provider) -> AsyncIterator[Make]:
    """A function that builds the parts with a model for each behaviour of the local provider."""
    built: list[Parts] = []

    def make(*behaviours: str, **settings: Any) -> Parts:
        models = tuple(
            ModelEntry(label=name, model=f"hosted_vllm/{name}", api_base=provider.base) for name in behaviours
        )
        values = Settings(**{"models": models, "data_dir": tmp_path, **settings})
        parts = build(values, index=search, models=Models(values, pace_s=0.0))
        built.append(parts)
        return parts

    yield make
    for parts in built:
        await parts.pipeline.close()
        parts.store.close()


async def test_the_built_in_model_answers_with_quotes_and_the_grammar_holds(make: Make) -> None:
    events = await events_of(make().pipeline, TurnRequest(QUESTION))
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
    pipeline = make("ok-tokens-60-gap-10").pipeline
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
    parts = make("endless")
    pipeline, conversations = parts.pipeline, parts.conversations
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless", visitor=MAYA))
    async for _ in pipeline.follow(turn.id):
        if "answer" in fields_of(turn.events):
            break
    await pipeline.stop(turn.id)
    ending = turn.events[-1]
    assert isinstance(ending, TurnStopped)
    assert ending.partial == fields_of(turn.events)
    await gone(provider)
    (stored,) = await conversations.turns(turn.conversation_id, MAYA)
    assert (stored.state, stored.fields) == ("stopped", ending.partial)


async def test_the_last_readers_leaving_ends_the_turn_after_the_grace_time(make: Make, provider: Provider) -> None:
    pipeline = make("endless", leave_grace_s=0).pipeline
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless"))
    reader = pipeline.follow(turn.id)
    async for _ in reader:
        if "answer" in fields_of(turn.events):
            break
    await reader.aclose()
    await gone(provider)
    assert turn.task
    await asyncio.wait({turn.task}, timeout=60)
    assert isinstance(turn.events[-1], TurnStopped)


async def test_a_turn_stopped_before_it_began_still_has_its_ending(make: Make) -> None:
    pipeline = make().pipeline
    turn = await pipeline.start(TurnRequest(QUESTION))
    await asyncio.gather(pipeline.stop(turn.id), pipeline.stop(turn.id))
    assert isinstance(turn.events[-1], TurnStopped)


async def test_stop_right_after_the_start_stops(make: Make, provider: Provider) -> None:
    pipeline = make("endless").pipeline
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless"))
    await asyncio.wait_for(pipeline.stop(turn.id), 60)
    assert isinstance(turn.events[-1], TurnStopped)
    await gone(provider)


async def test_a_start_that_overlaps_the_close_still_ends_stopped(make: Make) -> None:
    parts = make("endless")
    pipeline, conversations = parts.pipeline, parts.conversations
    starting = asyncio.create_task(pipeline.start(TurnRequest(QUESTION, model="endless", visitor=MAYA)))
    while not pipeline._turns:  # noqa: ASYNC110  until the turn is being stored
        await asyncio.sleep(0)
    await asyncio.wait_for(pipeline.close(), 60)
    turn = await starting
    assert isinstance(turn.events[-1], TurnStopped)
    (stored,) = await conversations.turns(turn.conversation_id, MAYA)
    assert stored.state == "stopped"


@pytest.mark.parametrize("name", ["openai/", "no-slash", "x/ y", "", "opnai/gpt-4o", "<b>/x", "nosuchprovider/x"])
async def test_a_typed_model_that_cannot_be_is_refused_with_the_form_of_a_name(make: Make, name: str) -> None:
    with pytest.raises(Refused) as raised:
        make().models.add(name)
    assert "provider/model" in error_text(raised.value)
    assert "<b>" not in error_text(raised.value)


async def test_the_names_that_may_have_been_meant_are_told(make: Make) -> None:
    parts = make("ok-tokens-60", "endless")
    pipeline, models = parts.pipeline, parts.models
    with pytest.raises(Refused, match="typed_model") as typed:
        models.add("opnai/gpt-4o")
    assert "Nearest: openai" in error_text(typed.value)
    with pytest.raises(Refused, match="unknown_model") as asked:
        await pipeline.start(TurnRequest(QUESTION, model="OK-tokens-61"))
    assert "Nearest: ok-tokens-60" in error_text(asked.value)
    with pytest.raises(Refused, match="unknown_model") as strange:
        await pipeline.start(TurnRequest(QUESTION, model="<script>alert(1)</script>"))
    assert "Nearest" not in error_text(strange.value)
    assert "script" not in error_text(strange.value)
    assert models.add("hosted_vllm/own") == "hosted_vllm/own"


@pytest.mark.parametrize("settings", [{"host": "0.0.0.0"}, {"host": "192.168.1.2"}, {"space_id": "a/b"}])
async def test_where_strangers_come_no_model_is_added_by_name(make: Make, settings: dict[str, str]) -> None:
    with pytest.raises(Refused, match="not_here"):
        make(**settings).models.add("hosted_vllm/own")


async def test_a_model_of_no_provider_is_not_offered_rather_than_the_questions_fault(make: Make) -> None:
    pipeline = make(models=(ModelEntry(label="none", model="nosuchprovider/x"),)).pipeline
    events = await events_of(pipeline, TurnRequest(QUESTION, model="none"))
    assert [event.code for event in events if isinstance(event, Recovered)] == ["unsupported_model"]
    assert isinstance(events[-1], TurnFinished)


@pytest.mark.parametrize("name", ["huggingface/https://elsewhere.example/v1", "openai/http://127.0.0.1:1/x"])
async def test_an_address_is_no_name(make: Make, name: str) -> None:
    with pytest.raises(Refused, match="typed_address"):
        make().models.add(name)


@pytest.mark.parametrize("question", [QUESTION, "Warum ändert die Temperatur des Wassers den Geschmack?"])
@pytest.mark.parametrize(
    ("settings", "is_local", "is_named"),
    [({}, True, True), ({}, False, False), ({"host": "0.0.0.0"}, True, False), ({"space_id": "a/b"}, True, False)],
)
async def test_where_a_models_server_was_looked_for_is_told_to_who_configured_it_alone(
    make: Make, provider: Provider, question: str, settings: dict[str, str], is_local: bool, is_named: bool
) -> None:
    lost = ModelEntry(label="lost", model="hosted_vllm/ok", api_base=f"http://127.0.0.1:{closed_port()}/v1")
    pipeline = make(models=(lost,), **settings).pipeline
    events = await events_of(pipeline, TurnRequest(question, model="lost", is_local=is_local))
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].model == BUILTIN_MODEL
    again = await events_of(pipeline, TurnRequest(question, model="lost", is_local=is_local))
    for said in (events, again):  # it rests by now, and is still not there
        told = [warning_text(event) for event in said if isinstance(event, Warned)]
        assert any("127.0.0.1:" in text for text in told) == is_named


def closed_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("status-400", "invalid_request"),
        ("cut-after-30", "connection"),
        ("eof-after-30", "incomplete"),
        ("stall-after-30", "idle_timeout"),
        ("error-in-stream-after-30", "server"),
        ("drip", "turn_timeout"),
    ],
)
async def test_a_fault_that_cannot_be_made_good_ends_once_with_a_constant_text(
    make: Make, provider: Provider, behaviour: str, code: str
) -> None:
    pipeline = make(behaviour, first_token_timeout_s=0.5, idle_timeout_s=1, turn_timeout_s=3).pipeline
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
    first = make(model).pipeline
    learnt = await asyncio.gather(*(events_of(first, asking) for _ in range(3)))
    events = await events_of(make(model).pipeline, asking)
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
    ("behaviour", "ending"), [("ok", "finished"), ("cut-after-30", "failed"), ("endless", "stopped")]
)
async def test_however_a_turn_ended_what_it_measured_is_stored_with_it(make: Make, behaviour: str, ending: str) -> None:
    parts = make(behaviour)
    pipeline, conversations = parts.pipeline, parts.conversations
    turn = await pipeline.start(TurnRequest(QUESTION, model=behaviour, visitor=MAYA))
    async for _ in pipeline.follow(turn.id):
        if ending == "stopped" and "answer" in fields_of(turn.events):
            await pipeline.stop(turn.id)
    (stored,) = await conversations.turns(turn.conversation_id, MAYA)
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
    pipeline = make(behaviour, first_token_timeout_s=0.5).pipeline
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
    pipeline = make("status-503", "ok-tokens-40", fallbacks=("ok-tokens-40",)).pipeline
    events = await events_of(pipeline, TurnRequest(QUESTION, model="status-503"))
    assert [event.what for event in events if isinstance(event, Recovered)] == ["retry", "retry", "fallback"]
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].model == "ok-tokens-40"


async def test_an_answer_that_broke_off_is_gone_on_with_from_its_last_whole_word(
    make: Make, provider: Provider
) -> None:
    parts = make("cut-after-25", "ok-tokens-40")
    pipeline, conversations = parts.pipeline, parts.conversations
    broken = await pipeline.start(TurnRequest(QUESTION, model="cut-after-25", visitor=MAYA))
    *_, failed = [event async for event in pipeline.follow(broken.id) if event]
    assert isinstance(failed, TurnFailed)
    request = TurnRequest(
        QUESTION,
        visitor=MAYA,
        conversation_id=broken.conversation_id,
        model="ok-tokens-40",
        replaces=broken.id,
        continues=True,
    )
    *_, ending = await events_of(pipeline, request)
    assert isinstance(ending, TurnFinished)
    kept = failed.partial["answer"].rpartition(" ")[0]
    assert ending.fields["answer"].startswith(kept + " ")
    assert len(ending.fields["answer"]) > len(kept) + 20
    said = json.dumps(provider.requests[-1]["messages"])
    assert kept in said
    assert "Go on with it exactly where it ends" in said
    (stored,) = await conversations.turns(broken.conversation_id, MAYA)
    assert stored.fields == ending.fields


async def test_what_an_answer_began_with_stays_where_the_model_takes_its_own_text_back(make: Make) -> None:
    pipeline = make("cut-after-25", "late-markers").pipeline
    broken = await pipeline.start(TurnRequest(QUESTION, model="cut-after-25", visitor=MAYA))
    *_, failed = [event async for event in pipeline.follow(broken.id) if event]
    assert isinstance(failed, TurnFailed)
    request = TurnRequest(
        QUESTION,
        visitor=MAYA,
        conversation_id=broken.conversation_id,
        model="late-markers",
        replaces=broken.id,
        continues=True,
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
    parts = make("cut-after-25", "status-400")
    pipeline, conversations = parts.pipeline, parts.conversations
    broken = await pipeline.start(TurnRequest(QUESTION, model="cut-after-25", visitor=MAYA))
    *_, failed = [event async for event in pipeline.follow(broken.id) if event]
    assert isinstance(failed, TurnFailed)
    request = TurnRequest(
        QUESTION,
        visitor=MAYA,
        conversation_id=broken.conversation_id,
        model="status-400",
        replaces=broken.id,
        continues=True,
    )
    *events, ending = await events_of(pipeline, request)
    assert isinstance(ending, TurnFailed)
    assert ending.partial["answer"] == failed.partial["answer"]
    measured = measure([*events, ending])
    assert (measured.tokens, measured.tokens_per_s, measured.first_token_s) == (None, None, None)
    (stored,) = await conversations.turns(broken.conversation_id, MAYA)
    assert measure(stored.record).tokens is None


@pytest.mark.parametrize("behaviour", ["no-markers", "thinking", "late-markers"])
async def test_own_instructions_are_kept_where_there_is_an_answer_whatever_its_format(
    make: Make, provider: Provider, behaviour: str
) -> None:
    events = await events_of(
        make(behaviour).pipeline, TurnRequest(QUESTION, model=behaviour, options=AskOptions(instructions="Sing."))
    )
    assert not any(isinstance(event, Recovered) for event in events)
    assert isinstance(events[-1], TurnFinished)
    assert ["Sing." in json.dumps(request["messages"]) for request in provider.requests] == [True]


async def test_own_instructions_that_leave_no_answer_are_left_out_once(make: Make, provider: Provider) -> None:
    events = await events_of(
        make("dazed").pipeline, TurnRequest(QUESTION, AskOptions(instructions="Be in a daze."), model="dazed")
    )
    assert [event.what for event in events if isinstance(event, Recovered)] == ["default_prompt"]
    assert [event.field for event in events if isinstance(event, FieldReset)] == ["thinking"]
    assert isinstance(events[-1], TurnFinished)
    assert ["daze" in json.dumps(request["messages"]) for request in provider.requests] == [True, False]


async def test_a_continue_whose_first_try_only_thinks_keeps_what_it_goes_on_with(make: Make) -> None:
    pipeline = make("cut-after-25", "dazed").pipeline
    broken = await pipeline.start(TurnRequest(QUESTION, model="cut-after-25", visitor=MAYA))
    *_, failed = [event async for event in pipeline.follow(broken.id) if event]
    assert isinstance(failed, TurnFailed)
    request = TurnRequest(
        QUESTION,
        visitor=MAYA,
        conversation_id=broken.conversation_id,
        model="dazed",
        replaces=broken.id,
        continues=True,
    )
    events = await events_of(pipeline, replace(request, options=AskOptions(instructions="Be in a daze.")))
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].fields["answer"].startswith(failed.partial["answer"].rpartition(" ")[0] + " ")
    assert events[-1].fields["reasoning"].startswith(failed.partial["reasoning"])


@pytest.mark.parametrize(
    "behaviour", ["chars", "onechunk", "no-markers", "no-reasoning", "splitutf8", "dup-markers", "thinking"]
)
async def test_odd_replies_still_answer(make: Make, behaviour: str) -> None:
    events = await events_of(make(behaviour).pipeline, TurnRequest(QUESTION, model=behaviour))
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].fields["answer"]
    assert {"reasoning": "", **fields_of(events)} == events[-1].fields


async def test_refused_questions_store_nothing(make: Make) -> None:
    parts = make()
    pipeline, conversations = parts.pipeline, parts.conversations
    for request in (
        TurnRequest("  "),
        TurnRequest("x" * 9_000),
        TurnRequest("half a \ud800 pair"),
        TurnRequest(QUESTION, model="gpt-9"),
        TurnRequest(QUESTION, AskOptions(passages_wanted=0)),
        TurnRequest(QUESTION, AskOptions(temperature=9.0)),
        TurnRequest(QUESTION, AskOptions(documents=("",))),
        TurnRequest(QUESTION, AskOptions(program="Unheard")),
    ):
        with pytest.raises(Refused):
            await pipeline.start(TurnRequest(**{**_asdict(request), "visitor": MAYA}))
    assert await conversations.list(MAYA) == ()


async def test_the_language_of_a_turn_is_told_to_the_model_and_in_its_first_event(
    make: Make, provider: Provider
) -> None:
    pipeline = make("ok").pipeline
    for instructions, told in ((None, "in German."), ("Sing.", "Sing.\\nAnswer in German.")):
        options = AskOptions(language="de", instructions=instructions)
        (started, *_) = await events_of(pipeline, TurnRequest(QUESTION, options, model="ok"))
        assert isinstance(started, TurnStarted)
        assert started.language == "de"
        assert told in json.dumps(provider.requests[-1]["messages"])
    (started, *_) = await events_of(pipeline, TurnRequest(QUESTION, model="ok"))
    assert isinstance(started, TurnStarted)
    assert started.language == "en"
    assert "in the language of the question" in json.dumps(provider.requests[-1]["messages"])


async def test_an_option_that_is_added_as_a_parameter_is_sent_to_a_language_model(
    make: Make, provider: Provider
) -> None:
    pipeline = make("ok").pipeline
    await events_of(pipeline, TurnRequest(QUESTION, MoreOptions(top_p=0.5), model="ok"))
    assert provider.requests[-1]["top_p"] == 0.5
    with pytest.raises(Refused):
        await pipeline.start(TurnRequest(QUESTION, MoreOptions(top_p=1.5), model="ok"))


async def test_two_visitors_cannot_see_continue_or_delete_each_others_conversations(make: Make) -> None:
    parts = make()
    pipeline, conversations = parts.pipeline, parts.conversations
    (started, *_) = await events_of(pipeline, TurnRequest(QUESTION, visitor=MAYA))
    assert isinstance(started, TurnStarted)
    theirs = started.conversation_id
    for stranger in (NOAH, None):
        with pytest.raises(NotFound):
            await pipeline.start(TurnRequest("And then?", visitor=stranger, conversation_id=theirs))
        with pytest.raises(NotFound):
            await conversations.turns(theirs, stranger)
        with pytest.raises(NotFound):
            await conversations.delete(theirs, stranger)
        with pytest.raises(NotFound):
            await conversations.rate(started.turn_id, stranger, 1)
    assert await conversations.list(NOAH) == ()
    (mine,) = await conversations.list(MAYA)
    assert (mine.id, mine.title) == (theirs, QUESTION)


async def test_a_follow_up_is_sent_with_the_turns_before_it(make: Make, provider: Provider) -> None:
    pipeline = make("ok").pipeline
    (started, *_) = await events_of(pipeline, TurnRequest(QUESTION, model="ok"))
    assert isinstance(started, TurnStarted)
    again = TurnRequest("And why is that?", model="ok", conversation_id=started.conversation_id)
    await events_of(pipeline, again)
    assert QUESTION in str(provider.requests[-1])
    await events_of(
        pipeline,
        TurnRequest(
            "Which pot?", model="ok", conversation_id=started.conversation_id, options=AskOptions(history_turns=0)
        ),
    )
    assert QUESTION not in str(provider.requests[-1])


async def test_every_attempt_leaves_its_exact_prompt_and_a_failed_one_its_fault(make: Make) -> None:
    parts = make("status-401", fallbacks=["builtin/extractive"])
    request = TurnRequest(QUESTION, visitor=MAYA, model="status-401")
    (started, *_) = await events_of(parts.pipeline, request)
    assert isinstance(started, TurnStarted)
    failed, answered = await parts.pipeline.exchanges(started.turn_id, MAYA)
    assert (failed.fault, failed.reply) == ("auth", None)
    assert QUESTION in failed.messages[-1].content
    assert answered.fault is None
    assert answered.reply
    assert failed.first_token_s is None
    assert answered.first_token_s is not None
    assert 0 < answered.first_token_s <= (answered.took_s or 0)
    assert [each.label for each in (failed, answered)] == ["status-401", BUILTIN_MODEL]
    assert answered.fields == ("reasoning", "answer")
    assert started.at_s < answered.asked_at
    assert "key" not in str((failed.parameters, answered.parameters))
    stored = await parts.pipeline.turn(started.turn_id, MAYA)
    assert stored.prompt_chars == answered.prompt_chars
    with pytest.raises(NotFound):
        await parts.pipeline.exchanges(started.turn_id, NOAH)


async def test_a_running_turn_shows_the_prompt_of_the_call_that_runs_and_keeps_what_arrived_until_a_stop(
    make: Make,
) -> None:
    parts = make("endless-gap-20")
    turn = await parts.pipeline.start(TurnRequest(QUESTION, visitor=MAYA, model="endless-gap-20"))
    async for event in parts.pipeline.follow(turn.id):
        if isinstance(event, FieldDelta) and event.field == "answer":
            break
    (running,) = await parts.pipeline.exchanges(turn.id, MAYA)
    assert QUESTION in running.messages[-1].content
    assert (running.took_s, running.reply, running.fault) == (None, None, None)
    with pytest.raises(NotFound):
        await parts.pipeline.exchanges(turn.id, NOAH)
    await parts.pipeline.stop(turn.id)
    (stopped,) = await parts.history.exchanges(turn.id, MAYA) or ()
    assert stopped.fault == "cancelled"
    assert stopped.took_s
    said = (await parts.pipeline.turn(turn.id, MAYA)).fields["answer"]
    assert stopped.reply is not None
    assert said.strip() in stopped.reply


async def test_what_is_asked_of_an_unknown_turn_says_that_the_turn_is_missing(make: Make) -> None:
    parts = make()
    conversations = parts.conversations
    asked = (conversations.turn, parts.pipeline.exchanges, conversations.activate)
    for coroutine in (*(ask("t", MAYA) for ask in asked), conversations.rate("t", MAYA, 1)):
        with pytest.raises(NotFound) as missing:
            await coroutine
        assert missing.value.code == "turn"


async def test_no_prompts_are_stored_where_none_are_to_be(make: Make) -> None:
    parts = make("ok", exchanges_retention_d=0)
    (started, *_) = await events_of(parts.pipeline, TurnRequest(QUESTION, visitor=MAYA, model="ok"))
    assert isinstance(started, TurnStarted)
    assert await parts.pipeline.exchanges(started.turn_id, MAYA) == ()


async def test_a_retry_takes_the_place_of_the_turn(make: Make) -> None:
    parts = make()
    pipeline, conversations = parts.pipeline, parts.conversations
    (started, *_) = await events_of(pipeline, TurnRequest(QUESTION, visitor=MAYA))
    assert isinstance(started, TurnStarted)
    again = TurnRequest("How hot?", visitor=MAYA, conversation_id=started.conversation_id, replaces=started.turn_id)
    await events_of(pipeline, again)
    turns = await conversations.turns(started.conversation_id, MAYA)
    assert [turn.question for turn in turns] == ["How hot?"]


async def test_a_replaced_turn_stays_readable_and_is_shown_and_replaced_again_with_its_own_history(
    make: Make, provider: Provider
) -> None:
    parts = make("ok")
    pipeline, conversations = parts.pipeline, parts.conversations
    request = TurnRequest("Tell me about cups.", visitor=MAYA, model="ok")
    (first, *_) = await events_of(pipeline, request)
    assert isinstance(first, TurnStarted)
    request = replace(request, conversation_id=first.conversation_id)
    (second, *_) = await events_of(pipeline, replace(request, question="And mugs?"))
    (edited, *_) = await events_of(pipeline, replace(request, question="Of beans.", replaces=first.turn_id))
    assert isinstance(second, TurnStarted)
    assert isinstance(edited, TurnStarted)
    assert (await pipeline.turn(first.turn_id, MAYA)).question == "Tell me about cups."
    assert await conversations.versions(first.conversation_id, MAYA) == {
        edited.turn_id: (first.turn_id, edited.turn_id)
    }
    with pytest.raises(NotFound):
        await conversations.activate(first.turn_id, NOAH)
    (again, *_) = await events_of(pipeline, replace(request, question="And jugs?", replaces=second.turn_id))
    assert isinstance(again, TurnStarted)
    assert "about cups" in str(provider.requests[-1])
    assert "Of beans." not in str(provider.requests[-1])
    await conversations.activate(second.turn_id, MAYA)
    shown = [turn.id for turn in await conversations.turns(first.conversation_id, MAYA)]
    assert shown == [first.turn_id, second.turn_id]
    await conversations.activate(edited.turn_id, MAYA)
    assert [turn.id for turn in await conversations.turns(first.conversation_id, MAYA)] == [edited.turn_id]


async def test_over_the_limit_of_turns_is_busy(make: Make) -> None:
    pipeline = make("endless", max_turns=1).pipeline
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless"))
    with pytest.raises(Busy):
        await pipeline.start(TurnRequest(QUESTION))
    await pipeline.stop(turn.id)
    assert isinstance((await events_of(pipeline, TurnRequest(QUESTION)))[-1], TurnFinished)


async def test_a_refused_question_stores_nothing_and_asks_no_provider(make: Make, provider: Provider) -> None:
    parts = make("ok", rate_limit="2/hour")
    pipeline, conversations = parts.pipeline, parts.conversations
    request = TurnRequest(QUESTION, model="ok", visitor=MAYA, address="203.0.113.7")
    for question in (QUESTION, f"{QUESTION} And why?"):  # a second answer to the same one would be a stored one
        assert isinstance((await events_of(pipeline, replace(request, question=question)))[-1], TurnFinished)
    for refused in (request, replace(request, visitor=NOAH), replace(request, visitor=None)):
        with pytest.raises(Busy):
            await pipeline.start(refused)
    assert len(provider.requests) == 2
    assert len(await conversations.list(MAYA)) == 2
    assert await conversations.list(NOAH) == ()


async def test_two_starts_at_once_do_not_both_take_the_last_place(make: Make) -> None:
    pipeline = make("endless", max_turns=3).pipeline
    starts = [pipeline.start(TurnRequest(QUESTION, model="endless")) for _ in range(8)]
    started = await asyncio.gather(*starts, return_exceptions=True)
    assert sum(isinstance(each, Busy) for each in started) == 5


async def test_a_turn_that_was_left_counts_until_it_has_ended(make: Make) -> None:
    pipeline = make("endless", max_turns_per_visitor=1, leave_grace_s=60).pipeline
    turn = await pipeline.start(TurnRequest(QUESTION, model="endless", visitor=MAYA))
    reader = pipeline.follow(turn.id)
    await anext(reader)
    await reader.aclose()
    with pytest.raises(Busy):
        await pipeline.start(TurnRequest(QUESTION, visitor=MAYA))
    await pipeline.stop(turn.id)
    assert isinstance((await events_of(pipeline, TurnRequest(QUESTION, visitor=MAYA)))[-1], TurnFinished)


async def test_a_retry_needs_no_second_place_and_a_refused_one_leaves_the_turn_alone(make: Make) -> None:
    pipeline = make("endless", max_turns=1, rate_limit="2/hour").pipeline
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
    pipeline = make("endless", "ok", max_turns=1, max_waiting=2, turn_timeout_s=5).pipeline
    first = await pipeline.start(TurnRequest(QUESTION, model="endless"))
    second = await pipeline.start(TurnRequest(QUESTION, model="ok", waits=True))
    third = await pipeline.start(TurnRequest(QUESTION, model="ok", waits=True))
    for waits in (True, False):
        with pytest.raises(Busy):
            await pipeline.start(TurnRequest(QUESTION, waits=waits))
    assert places(second) == ["number 1 in line"]
    assert places(third) == ["number 2 in line"]
    assert first.task
    await asyncio.wait({first.task}, timeout=60)  # its time is over: theirs must not be, though they waited as long
    rest = [event async for event in pipeline.follow(third.id) if event]
    assert isinstance(second.events[-1], TurnFinished)
    assert isinstance(rest[-1], TurnFinished)
    assert places(third) == ["number 2 in line", "number 1 in line"]
    assert [event.seq for event in rest] == list(range(len(rest)))
    assert len(provider.requests) == 3


async def test_stop_works_in_the_line_and_the_others_move_up(make: Make, provider: Provider) -> None:
    pipeline = make("endless", max_turns=1).pipeline
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
        step_text(event)
        for event in turn.events
        if isinstance(event, StepChanged) and event.state == "began" and event.step == "wait"
    ]


async def test_closing_stores_what_was_running_and_leaves_no_task(make: Make, provider: Provider) -> None:
    parts = make("endless")
    pipeline, conversations = parts.pipeline, parts.conversations
    turns = [await pipeline.start(TurnRequest(QUESTION, model="endless", visitor=MAYA)) for _ in range(5)]
    await asyncio.sleep(0.5)
    await pipeline.close()
    assert all(isinstance(turn.events[-1], TurnStopped) for turn in turns)
    await gone(provider)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for turn in turns:
        (stored,) = await conversations.turns(turn.conversation_id, MAYA)
        assert stored.state == "stopped"
        assert stored.fields == fields_of(turn.events)


async def gone(provider: Provider) -> None:
    """Wait until the provider has seen every connection close."""
    while provider.active:  # noqa: ASYNC110  it runs in a thread of its own
        await asyncio.sleep(0.02)


def _asdict(request: TurnRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in TurnRequest.__dataclass_fields__}


async def test_deleting_a_conversation_stops_what_runs_in_it_and_leaves_nothing_to_follow(make: Make) -> None:
    parts = make("endless")
    turn = await parts.pipeline.start(TurnRequest(QUESTION, model="endless", visitor=MAYA))
    await parts.conversations.delete(turn.conversation_id, MAYA)
    assert turn.ended
    assert isinstance(turn.events[-1], TurnStopped)
    assert parts.pipeline.running(turn.conversation_id) is None
    with pytest.raises(Gone):
        parts.pipeline.batches(turn.id)
    with pytest.raises(NotFound):
        await parts.conversations.turns(turn.conversation_id, MAYA)


async def test_a_question_in_a_conversation_that_is_deleted_while_it_is_opened_is_not_found(make: Make) -> None:
    parts = make()
    (first, *_) = await events_of(parts.pipeline, TurnRequest(QUESTION, visitor=MAYA))
    assert isinstance(first, TurnStarted)
    is_free = threading.Event()
    writer = asyncio.create_task(parts.store._writes.in_thread(is_free.wait))
    deleted = asyncio.create_task(parts.store.delete(first.conversation_id, MAYA))
    request = TurnRequest(QUESTION, visitor=MAYA, conversation_id=first.conversation_id)
    started = asyncio.create_task(parts.pipeline.start(request))
    while not parts.pipeline.running(first.conversation_id):  # noqa: ASYNC110  it has no event for this
        await asyncio.sleep(0.001)
    await parts.pipeline.end_turns(first.conversation_id)
    is_free.set()
    with pytest.raises(NotFound):
        await started
    assert await writer
    assert await deleted


async def test_a_turn_is_stored_below_the_history_that_the_model_was_sent(make: Make, provider: Provider) -> None:
    parts = make("ok")
    request = TurnRequest("Tell me about cups.", visitor=MAYA, model="ok")
    (first, *_) = await events_of(parts.pipeline, request)
    assert isinstance(first, TurnStarted)
    request = replace(request, conversation_id=first.conversation_id)
    (edited, *_) = await events_of(parts.pipeline, replace(request, question="Of mugs.", replaces=first.turn_id))
    assert isinstance(edited, TurnStarted)
    is_free = threading.Event()
    writer = asyncio.create_task(parts.store._writes.in_thread(is_free.wait))
    activated = asyncio.create_task(parts.store.activate(first.turn_id, MAYA))
    started = asyncio.create_task(parts.pipeline.start(replace(request, question="And jugs?")))
    while parts.store._writes._threads._work_queue.qsize() < 2:  # noqa: ASYNC110  a queue of another thread
        await asyncio.sleep(0.001)
    is_free.set()
    turn = await started
    await parts.pipeline.wait_for_ending(turn.id, 30)
    assert "Of mugs." in str(provider.requests[-1])
    shown = [each.id for each in await parts.conversations.turns(first.conversation_id, MAYA)]
    assert shown == [edited.turn_id, turn.id]
    await asyncio.gather(writer, activated)


@pytest.mark.parametrize(("saves", "state", "is_saved"), [(True, "failed", True), (False, "stopped", False)])
async def test_a_turn_that_a_bug_ended_is_not_running_any_more(
    make: Make, search: EdgeIndex, tmp_path: Path, saves: bool, state: str, is_saved: bool
) -> None:
    class Broken(WriteBehind):
        async def measured(self, each: int) -> tuple[TurnMetrics, ...]:
            raise RuntimeError

        async def save_turn(self, turn: Turn, exchanges: Sequence[PromptExchange] = ()) -> bool:
            if saves:
                return await super().save_turn(turn, exchanges)
            raise RuntimeError

    store = make().store
    history, settings = Broken(store), Settings(data_dir=tmp_path)
    pipeline = Pipeline(
        settings, Models(settings, pace_s=0.0), search, history, SavedPrograms(PROGRAMS), Spending(store), Profiles()
    )
    started, *_, failed = await events_of(pipeline, TurnRequest(QUESTION, visitor=MAYA))
    assert isinstance(started, TurnStarted)
    assert isinstance(failed, TurnFailed)
    stored = await history.turn(started.turn_id, MAYA)
    assert stored
    assert (failed.saved, stored.state) == (is_saved, state)
    await pipeline.close()


@pytest.mark.parametrize(
    "options",
    [
        AskOptions(temperature=0.3, instructions="Answer in one word."),
        AskOptions(program="Direct", instructions=DEFAULT_INSTRUCTIONS),  # as the page shows them
    ],
)
async def test_what_will_be_sent_is_what_is_sent_and_no_model_is_asked_for_it(
    make: Make, provider: Provider, options: AskOptions
) -> None:
    parts = make("ok")
    first, *_ = await events_of(parts.pipeline, TurnRequest(QUESTION, visitor=MAYA, model="ok"))
    assert isinstance(first, TurnStarted)
    asked_before = len(provider.requests)
    request = TurnRequest("And how hot?", options, MAYA, first.conversation_id, "ok")
    preview = await parts.pipeline.preview(request)
    assert len(provider.requests) == asked_before
    started, *_ = await events_of(parts.pipeline, request)
    assert isinstance(started, TurnStarted)
    (sent,) = await parts.pipeline.exchanges(started.turn_id, MAYA)
    assert (preview.exchange.messages, preview.exchange.parameters) == (sent.messages, sent.parameters)
    assert QUESTION in str(sent.messages)
    assert preview.notes == ()
    assert len(await parts.conversations.turns(first.conversation_id, MAYA)) == 2
    with pytest.raises(NotFound):
        await parts.pipeline.preview(replace(request, visitor=NOAH))


@pytest.mark.parametrize("model", [BUILTIN_MODEL, "ok"])
@pytest.mark.parametrize("program", PROGRAMS)
async def test_the_first_prompt_of_every_program_can_be_seen(make: Make, program: str, model: str) -> None:
    options = AskOptions(program=program, rewrites=True)
    parts = make("ok")
    preview = await parts.pipeline.preview(TurnRequest(QUESTION, options, model=model))
    assert QUESTION in preview.exchange.messages[-1].content
    assert preview.passages
    assert ("rewrites" in preview.notes) == (model == "ok")
    assert ("further_calls" in preview.notes) == ("answer" not in preview.exchange.fields)


async def test_what_will_be_sent_counts_like_a_search(make: Make) -> None:
    parts = make(rate_limit="1/minute")
    await parts.pipeline.preview(TurnRequest(QUESTION, visitor=MAYA))
    with pytest.raises(Busy):
        await parts.pipeline.preview(TurnRequest(QUESTION, visitor=MAYA))


async def test_a_question_that_names_a_document_asks_it_alone_and_is_kept_as_it_was_typed(make: Make) -> None:
    parts = make()
    milk = next(each for each in await parts.library.documents(MAYA) if "milk" in each.name)
    typed = f"@{milk.name} How hot is the water?"

    async def asked(question: str, **options: Any) -> tuple[TurnStarted, PassagesFound]:
        request = TurnRequest(question, AskOptions(**options), visitor=MAYA)
        started, *events = await events_of(parts.pipeline, request)
        assert isinstance(started, TurnStarted)
        return started, next(event for event in events if isinstance(event, PassagesFound))

    started, found = await asked(typed)
    assert (started.question, found.query) == (typed, "How hot is the water?")
    assert {each.document_id for each in found.passages} == {milk.id}
    assert parts.pipeline.options_of(started.turn_id) == AskOptions(documents=(milk.id,))
    for outside in ({"documents": ("gone",)}, {"collections": ("gone",)}):  # a request only narrows
        assert not (await asked(typed, **outside))[1].passages
    assert len({each.document_id for each in (await asked("@nothing How hot is the water?"))[1].passages}) > 1
