"""Optimisations over a scripted provider: what is found, what is counted, what is kept, and what ends them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import Busy, NotFound, Refused
from pipeline.optimisation.run import THREADS_HOSTED
from pipeline.optimisation.values import Optimisation, Plan, comparison_of
from pipeline.optimisation.wire import Optimizer
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import AskOptions, TurnRequest
from server import Parts
from tests.in_process import events_of
from tests.optimising import PER_TOKEN, QUESTIONS, made_of, settings_of
from tests.provider import NUMBERS, Provider

MAYA, OTHER = "m" * 32, "o" * 32


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider, search: EdgeIndex) -> AsyncIterator[Parts]:
    provider.requests.clear()
    made = made_of(settings_of(tmp_path, provider), search)
    yield made
    await made.end_turns()
    made.store.close()


def request(model: str = "learns", visitor: str | None = MAYA) -> TurnRequest:
    return TurnRequest("", visitor=visitor, model=model)


def plan(optimizer: Optimizer, **more: Any) -> Plan:
    return Plan(program="", model="", optimizer=optimizer, **more)


async def ended(parts: Parts, found: Optimisation) -> Optimisation:
    """Follow an optimisation until it stands still."""
    async with aclosing(parts.optimisations.states(found.owner, found.id)) as states:
        async for state in states:
            if state and state.is_over:
                return state
    raise AssertionError("it did not end")


async def trials_of(parts: Parts, found: Optimisation, count: int) -> Optimisation:
    """Follow an optimisation until it has so many trials."""
    async with aclosing(parts.optimisations.states(found.owner, found.id)) as states:
        async for state in states:
            if state and len(state.trials) >= count:
                return state
    raise AssertionError("it has ended before")


@pytest.mark.parametrize("optimizer", ["labelled", "bootstrap", "mipro", "gepa"])
async def test_the_program_that_answers_better_is_found_and_proven(
    parts: Parts, provider: Provider, optimizer: Optimizer
) -> None:
    started = await parts.optimisations.start(request(), plan(optimizer, calls=100), QUESTIONS)
    found = await ended(parts, started)
    assert found.fault is None
    assert found.state == "finished"
    compared = comparison_of(found)
    assert compared
    assert compared.improved
    assert compared.before.mean < 0.5 < compared.after.mean
    assert found.best
    assert found.best.demos or NUMBERS in found.best.instruction
    assert found.calls == len(provider.requests) <= 100
    saved = await parts.optimisations.use(MAYA, found.id)
    events = await events_of(
        parts.pipeline, TurnRequest(QUESTIONS[0].question, AskOptions(program=saved.name), visitor=MAYA, model="learns")
    )
    assert "9 bar" in events[-1].fields["answer"]  # type: ignore[union-attr]


async def test_the_process_that_searches_is_told_no_held_out_question(parts: Parts, provider: Provider) -> None:
    found = await ended(parts, await parts.optimisations.start(request(), plan("labelled", calls=60), QUESTIONS))
    held_out = {each.question for each in found.split.held_out}
    asked = [str(each["messages"][-1]["content"]) for each in provider.requests]
    count = len(held_out)
    assert all(any(question in text for question in held_out) for text in asked[:count] + asked[-count:])
    assert not any(question in str(each) for each in provider.requests[count:-count] for question in held_out)


async def test_calls_and_dollars_are_never_exceeded(parts: Parts, provider: Provider) -> None:
    few = await ended(parts, await parts.optimisations.start(request(), plan("bootstrap", calls=30), QUESTIONS))
    assert few.calls == len(provider.requests) <= 30
    assert few.trials
    assert len(few.after) == len(few.split.held_out)
    provider.requests.clear()
    cheap = await ended(
        parts, await parts.optimisations.start(request(), plan("labelled", calls=500, max_usd=0.05), QUESTIONS)
    )
    assert cheap.cost <= 0.05
    assert cheap.cost == pytest.approx(len(provider.requests) * 100 * PER_TOKEN)


async def test_a_seed_reproduces_a_run(parts: Parts) -> None:
    runs = [
        await ended(parts, await parts.optimisations.start(request(), plan("bootstrap", seed=3, calls=60), QUESTIONS))
        for _ in range(2)
    ]
    first, second = ([(each.score, each.state) for each in run.trials] for run in runs)
    assert first == second
    assert comparison_of(runs[0]) == comparison_of(runs[1])


async def test_a_program_that_cannot_be_better_is_not_offered(parts: Parts) -> None:
    found = await ended(parts, await parts.optimisations.start(request("grounded"), plan("labelled"), QUESTIONS))
    compared = comparison_of(found)
    assert compared
    assert not compared.improved
    assert compared.difference.mean == 0
    with pytest.raises(Refused, match="nothing_improved"):
        await parts.optimisations.use(MAYA, found.id, anyway=True)


async def test_a_stop_ends_the_calls_within_a_second_and_keeps_what_was_found(parts: Parts, provider: Provider) -> None:
    started = await parts.optimisations.start(request(), plan("labelled", calls=400), QUESTIONS)
    await trials_of(parts, started, 2)
    began = time.monotonic()
    stopped = await parts.optimisations.stop(MAYA, started.id)
    assert time.monotonic() - began < 1
    assert stopped.state == "stopped"
    made = len(provider.requests)
    kept = await parts.optimisations.get(MAYA, started.id)
    assert kept == stopped
    assert len(kept.trials) >= 2
    assert made <= kept.calls <= made + THREADS_HOSTED  # counted before it is made: a stop may come in between
    resumed = await ended(parts, await parts.optimisations.resume(request(), started.id))
    assert resumed.state == "finished"
    assert [each.index for each in resumed.trials] == list(range(len(resumed.trials)))
    assert [state for _, state in resumed.endings] == ["stopped", "finished"]


async def test_what_a_killed_server_left_running_is_interrupted_until_it_is_resumed(
    parts: Parts, tmp_path: Path, provider: Provider, search: EdgeIndex
) -> None:
    started = await parts.optimisations.start(request(), plan("labelled", calls=400), QUESTIONS)
    await trials_of(parts, started, 2)
    later = made_of(settings_of(tmp_path, provider), search)  # the first is still there, as a killed one's rows are
    try:
        left = await later.optimisations.get(MAYA, started.id)
        assert left.state == "interrupted"
        assert len(left.trials) >= 2
        assert left.endings[-1][1] == "interrupted"
    finally:
        later.store.close()


async def test_each_visitor_has_one_at_a_time_and_nobody_sees_those_of_others(parts: Parts) -> None:
    started = await parts.optimisations.start(request(), plan("labelled", calls=400), QUESTIONS)
    with pytest.raises(Busy):
        await parts.optimisations.start(request(), plan("labelled"), QUESTIONS)
    with pytest.raises(NotFound):
        await parts.optimisations.get(OTHER, started.id)
    with pytest.raises(NotFound):
        await parts.optimisations.stop(OTHER, started.id)
    await parts.optimisations.stop(MAYA, started.id)
    again = await parts.optimisations.start(request(), plan("labelled"), QUESTIONS)
    assert [each.id for each in await parts.optimisations.of(MAYA)] == [again.id, started.id]


async def test_a_model_that_cannot_be_asked_ends_it_with_the_fault(parts: Parts) -> None:
    found = await ended(parts, await parts.optimisations.start(request("status-401"), plan("labelled"), QUESTIONS))
    assert found.state == "failed"
    assert found.fault
    assert found.fault.code == "auth"


async def test_what_cannot_be_optimised_is_refused_before_anything_is_asked(parts: Parts, provider: Provider) -> None:
    refused = (
        (request(BUILTIN_MODEL), plan("labelled"), QUESTIONS, "cannot_learn"),
        (request(), plan("labelled"), QUESTIONS[:9], "few_examples"),
        (request(), plan("labelled", calls=10), QUESTIONS, "few_calls"),
        (request(), plan("labelled", source="ratings"), (), "few_examples"),
        (request(visitor=None), plan("labelled", source="ratings"), (), "whose_optimisation"),
    )
    for asks, wanted, questions, code in refused:
        with pytest.raises(Refused, match=code):
            await parts.optimisations.start(asks, wanted, questions)
    assert not provider.requests


async def test_ratings_are_examples(parts: Parts) -> None:
    for question in QUESTIONS[:10]:
        events = await events_of(parts.pipeline, TurnRequest(question.question, visitor=MAYA, model="learns"))
        await parts.conversations.rate(events[0].turn_id, MAYA, -1, comment="9 bar")  # type: ignore[union-attr]
    started = await parts.optimisations.start(request(), plan("labelled", source="ratings"), ())
    assert {each.answer for each in started.split.held_out} == {"9 bar"}
    found = await ended(parts, started)
    compared = comparison_of(found)
    assert compared
    assert compared.improved
    assert await asyncio.wait_for(parts.optimisations.undo(MAYA, found.id), 5) == "ChainOfThought"
