"""Inquiries over a scripted provider: what is asked, who pays, what is stored, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.errors import Busy, NotFound, Refused
from pipeline.events import TurnFinished, TurnStarted
from pipeline.inquiries.results import Counterfactual, SecondCheck
from pipeline.inquiries.running import Inquiry
from pipeline.models.catalogue import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import AskOptions, TurnRequest
from pipeline.turns.sentence_checks import checks_of
from server import Parts, build
from tests.in_process import events_of
from tests.provider import PRESSURE, Provider

MAYA, OTHER = "m" * 32, "o" * 32
QUESTION = "With how much pressure is an espresso made?"
PER_TOKEN = 0.00001
EACH = 100 * PER_TOKEN  # what a call costs at least: the provider counts 100 tokens of each prompt
LABELS = ("grounded", "fickle", "never-cold", "judge", "hang", "cites")


def settings_of(data_dir: Path, provider: Provider, **more: Any) -> Settings:
    models = tuple(
        ModelEntry(
            label=label,
            model=f"hosted_vllm/{label}",
            api_base=provider.base,
            input_cost_per_token=PER_TOKEN,
            output_cost_per_token=0.0,
        )
        for label in LABELS
    )
    return Settings(models=models, data_dir=data_dir, cache_answers=False, **more)


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider, search: EdgeIndex) -> AsyncIterator[Parts]:
    provider.requests.clear()
    made = made_of(settings_of(tmp_path, provider), search)
    yield made
    await made.end_turns()
    made.store.close()


def made_of(settings: Settings, search: EdgeIndex) -> Parts:
    return build(settings, index=search, models=Models(settings, pace_s=0.0))


async def answered(parts: Parts, model: str, **options: Any) -> str:
    """Ask, and return the id of the turn."""
    events = await events_of(parts.pipeline, TurnRequest(QUESTION, AskOptions(**options), visitor=MAYA, model=model))
    assert isinstance(events[-1], TurnFinished)
    assert isinstance(events[0], TurnStarted)
    return events[0].turn_id


async def ended(inquiry: Inquiry[Any]) -> Any:
    """Follow an inquiry to its end, and return its last state."""
    async with aclosing(inquiry.states()) as states:
        async for _ in states:
            pass
    return inquiry.state


async def until(holds: Callable[[], bool]) -> None:
    """Return when something holds that other threads do."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  the provider runs in a loop of its own
            await asyncio.sleep(0.01)


async def counterfactual(parts: Parts, turn_id: str, visitor: str = MAYA) -> Counterfactual:
    found = await ended(await parts.counterfactuals.ask(TurnRequest("", visitor=visitor), turn_id, "answer", 0))
    assert isinstance(found, Counterfactual)
    return found


async def test_each_call_is_the_prompt_of_the_answer_less_one_passage(parts: Parts, provider: Provider) -> None:
    turn_id = await answered(parts, "grounded", temperature=0.9)
    price = await parts.counterfactuals.price(MAYA, turn_id, "answer", 0)
    found = await counterfactual(parts, turn_id)
    asked, *trials = provider.requests
    assert (found.conclusion, found.passages, found.sentence) == ("stands_on", (1,), PRESSURE)
    assert [each.left_out for each in found.trials] == [(), (2,), (1,), (3,), (4,)]
    assert [each.outcome for each in found.trials] == ["said", "said", "gone", "said", "said"]
    assert trials[0]["messages"] == asked["messages"]
    left = trials[2]["messages"][-1]["content"]
    assert ("\n[1] " in left, "\n[2] " in left) == (False, True)
    assert [each["temperature"] for each in provider.requests] == [0.9, *[0.0] * 5]
    assert (price.calls, found.calls) == (6, 5)
    assert price.cost == pytest.approx(6 * EACH)
    assert found.cost.usd == pytest.approx(5 * EACH)


async def test_calls_are_paid_by_who_asks_and_stop_at_the_budget(
    tmp_path: Path, provider: Provider, search: EdgeIndex
) -> None:
    made = made_of(settings_of(tmp_path, provider, budget_usd_day=3.5 * EACH), search)
    turn_id = await answered(made, "grounded")
    found = await counterfactual(made, turn_id)
    assert found.fault
    assert (found.fault.code, found.calls, len(found.trials)) == ("over_budget", 3, 3)
    assert made.spending.spent_usd == pytest.approx(4 * EACH)
    assert await made.counterfactuals.known(MAYA, turn_id, "answer", 0) is None  # it may be asked again tomorrow
    [expense] = await made.spending.expenses(0)
    assert (expense.visitor, expense.model, expense.calls) == (MAYA, "grounded", 4)
    await made.end_turns()
    made.store.close()


async def test_a_visitors_own_key_pays_for_every_call(parts: Parts, provider: Provider) -> None:
    turn_id = await answered(parts, "grounded")
    request = TurnRequest("", visitor=MAYA, model_key=SecretStr("sk-own"))
    provider.authorized.clear()
    await ended(await parts.counterfactuals.ask(request, turn_id, "answer", 0))
    assert set(provider.authorized) == {"sk-own"}
    await parts.spending.flush()
    assert sum(each.calls for each in await parts.spending.expenses(0) if each.own_key) == 5


async def test_a_result_is_given_again_without_a_call_also_after_a_restart(
    parts: Parts, provider: Provider, search: EdgeIndex
) -> None:
    turn_id = await answered(parts, "grounded")
    found = await counterfactual(parts, turn_id)
    asked = len(provider.requests)
    assert await counterfactual(parts, turn_id) == found
    again = made_of(parts.settings, search)
    assert await again.counterfactuals.known(MAYA, turn_id, "answer", 0) == found
    assert await counterfactual(again, turn_id) == found
    assert len(provider.requests) == asked
    await again.end_turns()
    again.store.close()


async def test_two_requests_at_once_are_one_inquiry(parts: Parts, provider: Provider) -> None:
    turn_id = await answered(parts, "grounded")
    first, second = await asyncio.gather(counterfactual(parts, turn_id), counterfactual(parts, turn_id))
    assert first == second
    assert len(provider.requests) == 1 + 5


async def test_a_model_that_says_something_else_each_time_is_asked_once(parts: Parts, provider: Provider) -> None:
    found = await counterfactual(parts, await answered(parts, "fickle"))
    assert (found.conclusion, found.calls, len(provider.requests)) == ("unstable", 1, 2)


async def test_a_model_that_takes_no_temperature_is_asked_with_its_own(parts: Parts, provider: Provider) -> None:
    turn_id = await answered(parts, "never-cold")
    found = await counterfactual(parts, turn_id)
    assert found.samples
    assert [each.get("temperature") for each in provider.requests[1:4]] == [0.0, None, None]


async def test_the_built_in_model_is_asked_for_nothing(parts: Parts) -> None:
    turn_id = await answered(parts, BUILTIN_MODEL)
    price = await parts.counterfactuals.price(MAYA, turn_id, "answer", 0)
    found = await counterfactual(parts, turn_id)
    assert (price.cost, found.cost.usd) == (0.0, 0.0)
    assert found.conclusion == "stands_on"
    [check, *_] = checks_of((await parts.pipeline.turn(turn_id, MAYA)).record)
    assert found.passages == check.citations


async def test_who_may_not_read_a_turn_may_not_ask_about_it(parts: Parts) -> None:
    turn_id = await answered(parts, "grounded")
    for work in (
        parts.counterfactuals.price(OTHER, turn_id, "answer", 0),
        parts.counterfactuals.known(OTHER, turn_id, "answer", 0),
        parts.counterfactuals.ask(TurnRequest("", visitor=OTHER), turn_id, "answer", 0),
        parts.second_checks.price(OTHER, turn_id, "judge"),
        parts.second_checks.known(OTHER, turn_id),
        parts.second_checks.ask(TurnRequest("", visitor=OTHER, model="judge"), turn_id),
        parts.inquiries.stop(OTHER, turn_id),
        parts.counterfactuals.price(MAYA, turn_id, "answer", 7),
        parts.counterfactuals.price(MAYA, turn_id, "reasoning", 0),
    ):
        with pytest.raises(NotFound):
            await work


async def test_nothing_is_asked_where_the_prompt_is_not_kept(
    tmp_path: Path, provider: Provider, search: EdgeIndex
) -> None:
    made = made_of(settings_of(tmp_path, provider, exchanges_retention_d=0), search)
    turn_id = await answered(made, "grounded")
    with pytest.raises(Refused, match="no_prompt"):
        await made.counterfactuals.price(MAYA, turn_id, "answer", 0)
    await made.end_turns()
    made.store.close()


async def test_an_inquiry_ends_when_nobody_follows_it_and_when_it_is_stopped(parts: Parts, provider: Provider) -> None:
    turn_id = await answered(parts, "judge")
    for leaves in (True, False):
        inquiry = await parts.second_checks.ask(TurnRequest("", visitor=MAYA, model="hang"), turn_id)
        states = inquiry.states()
        await anext(states)
        await until(lambda: provider.talking["hang"] == 1)
        await (states.aclose() if leaves else parts.inquiries.stop(MAYA, turn_id))
        await until(lambda: provider.talking["hang"] == 0)
        assert inquiry.has_ended
        assert not inquiry.state.is_over
        await states.aclose()
    assert await parts.second_checks.known(MAYA, turn_id) is None


async def test_an_inquiry_takes_a_place_and_gives_it_back(
    tmp_path: Path, provider: Provider, search: EdgeIndex
) -> None:
    made = made_of(settings_of(tmp_path, provider, max_turns=1), search)
    turn_id = await answered(made, "judge")
    inquiry = await made.second_checks.ask(TurnRequest("", visitor=MAYA, model="hang"), turn_id)
    for asked in (
        made.pipeline.start(TurnRequest(QUESTION, visitor=OTHER, model="cites")),
        made.counterfactuals.ask(TurnRequest("", visitor=MAYA), turn_id, "answer", 0),
    ):
        with pytest.raises(Busy):
            await asked
    waiting = await made.pipeline.start(TurnRequest(QUESTION, visitor=OTHER, model="cites", waits=True))
    assert not waiting.may_begin.is_set()
    await inquiry.stop()
    events = [event async for event in made.pipeline.follow(waiting.id) if event]
    assert isinstance(events[-1], TurnFinished)
    await made.end_turns()
    made.store.close()


async def test_weak_sentences_are_judged_in_one_call_and_the_first_verdicts_stay(
    parts: Parts, provider: Provider
) -> None:
    turn_id = await answered(parts, "judge")
    before = (await parts.pipeline.turn(turn_id, MAYA)).record
    price = await parts.second_checks.price(MAYA, turn_id, "judge")
    found = await ended(await parts.second_checks.ask(TurnRequest("", visitor=MAYA, model="judge"), turn_id))
    assert isinstance(found, SecondCheck)
    assert (price.calls, found.calls, len(provider.requests)) == (1, 1, 2)
    assert found.cost.usd == pytest.approx(EACH)
    weak = [(each.field, each.index) for each in checks_of(before) if each.verdict == "weak"]
    assert [(each.field, each.index) for each in found.judgements] == weak == list(found.asked)
    assert found.judgements[0].verdict == "supported"
    assert provider.requests[-1]["temperature"] == 0.0
    assert (await parts.pipeline.turn(turn_id, MAYA)).record == before
    assert await ended(await parts.second_checks.ask(TurnRequest("", visitor=MAYA, model="judge"), turn_id)) == found
    assert len(provider.requests) == 2


async def test_a_second_check_needs_a_model_that_can_judge_and_something_weak(parts: Parts) -> None:
    turn_id = await answered(parts, "grounded")
    for model, code in ((None, "no_check_model"), (BUILTIN_MODEL, "cannot_judge"), ("nobody", "unknown_model")):
        with pytest.raises(Refused, match=code):
            await parts.second_checks.ask(TurnRequest("", visitor=MAYA, model=model), turn_id)
    with pytest.raises(Refused, match="nothing_weak"):
        await parts.second_checks.ask(TurnRequest("", visitor=MAYA, model="judge"), turn_id)
    assert (await parts.second_checks.price(MAYA, turn_id, "judge")).calls == 0


async def test_by_setting_every_answer_is_checked_after_its_ending(
    tmp_path: Path, provider: Provider, search: EdgeIndex
) -> None:
    provider.requests.clear()
    made = made_of(settings_of(tmp_path, provider, check_model="judge", check_weak="auto"), search)
    turn_id = await answered(made, "judge")
    assert made.second_checks.model == "judge"
    inquiry = await made.second_checks.ask(TurnRequest("", visitor=MAYA), turn_id)
    found = await ended(inquiry)
    assert len(provider.requests) == 2
    assert found.judgements[0].verdict == "supported"
    await made.end_turns()
    made.store.close()
