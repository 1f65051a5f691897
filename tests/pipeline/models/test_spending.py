"""The budget of the day: what is set aside, charged, stored and refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from pipeline.database.store import Store
from pipeline.errors import ModelFault
from pipeline.exchanges import CANCELLED, Message, PromptExchange
from pipeline.models.spending import PaidModel, Payer, Spending, expense_of

ANNA, BEN = Payer("anna-0123456789ab"), Payer("ben-0123456789abc")
MORNING_S = 1_795_860_000.0  # 2026-11-28 06:00 UTC


def a_cent(prompt_tokens: int, completion_tokens: int) -> float | None:
    return 0.01


PAID = PaidModel("m", a_cent)


def exchange(cost: float | None = None, fault: str | None = None, tokens: int = 10) -> PromptExchange:
    usage = {"prompt_tokens": tokens, "completion_tokens": tokens} if fault is None else None
    return PromptExchange(
        model="m", parameters={}, messages=(Message("user", "Why?"),), usage=usage, cost=cost, fault=fault
    )


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'glassbox.db'}")
    store.open()
    yield store
    store.close()


async def test_a_call_sets_aside_what_it_may_cost_and_is_charged_what_it_did(store: Store) -> None:
    spending = Spending(store, 1.0)
    charge = spending.begin(ANNA, 0.4)
    assert rest(spending, ANNA) == pytest.approx(0.6)
    charge.settle(exchange(cost=0.1), PAID)
    assert rest(spending, ANNA) == pytest.approx(0.9)
    await spending.flush()


async def test_nobody_is_charged_for_a_call_that_the_provider_refused(store: Store) -> None:
    spending = Spending(store, 1.0)
    spending.begin(ANNA, 0.4).settle(exchange(fault="auth"), PAID)
    assert rest(spending, ANNA) == 1.0
    assert await store.expenses("2000-01-01") == ()


@pytest.mark.parametrize("fault", [CANCELLED, "first_token_timeout", "idle_timeout", "turn_timeout"])
async def test_who_stops_before_the_first_text_pays_for_the_prompt(fault: str) -> None:
    expense = expense_of(exchange(fault=fault), PAID)
    assert expense
    assert (expense.prompt_tokens, expense.completion_tokens, expense.cost) == (1, 0, 0.01)


async def test_a_reply_that_broke_off_is_charged_by_an_estimate() -> None:
    broken = PromptExchange(
        model="m",
        parameters={},
        messages=(Message("user", "x" * 400),),
        reply="y" * 40,
        first_token_s=0.1,
        fault="connection",
    )
    expense = expense_of(broken, PAID)
    assert expense
    assert (expense.prompt_tokens, expense.completion_tokens, expense.cost) == (100, 10, 0.01)


async def test_the_budget_is_for_all_visitors_and_ends_at_midnight(store: Store) -> None:
    now = MORNING_S
    spending = Spending(store, 0.02, clock=lambda: now)
    spending.begin(ANNA, 0.01).settle(exchange(cost=0.02), PAID)
    with pytest.raises(ModelFault, match="over_budget"):
        spending.begin(BEN, 0.01)
    now += 86_400
    spending.begin(BEN, 0.01)
    await spending.flush()


async def test_one_visitor_cannot_spend_more_than_a_share(store: Store) -> None:
    spending = Spending(store, 1.0, 0.02)
    spending.begin(ANNA, 0.01).settle(exchange(cost=0.02), PAID)
    with pytest.raises(ModelFault, match="over_budget"):
        spending.begin(ANNA, 0.01)
    spending.begin(BEN, 0.01)
    await spending.flush()


async def test_a_spent_budget_refuses_neither_a_free_model_nor_an_own_key(store: Store) -> None:
    spending = Spending(store, 0.0)
    with pytest.raises(ModelFault, match="over_budget"):
        spending.begin(ANNA, None)  # a model of an unknown price is not free
    spending.begin(ANNA, 0.0)
    spending.begin(Payer(ANNA.visitor, own_key=True), 5.0)


async def test_what_was_spent_outlives_the_process_and_counts_in_another_one(store: Store) -> None:
    first, second = Spending(store, 1.0), Spending(store, 1.0)
    first.begin(ANNA, 0.1).settle(exchange(cost=0.3), PAID)
    await first.flush()
    await second.refresh(ANNA.visitor)
    assert rest(second, ANNA) == pytest.approx(0.7)
    own = Payer(ANNA.visitor, own_key=True)
    second.begin(own, 0.1).settle(exchange(cost=9.0), PAID)
    await second.flush()
    await first.account(ANNA)
    assert rest(first, ANNA) == pytest.approx(0.7)
    stored = await store.expenses("2000-01-01")
    assert [(each.own_key, each.calls, each.cost, each.prompt_tokens) for each in stored] == [
        (False, 1, 0.3, 10),
        (True, 1, 9.0, 10),
    ]


async def test_every_call_after_the_first_counts_for_the_rate(store: Store) -> None:
    counted = 0

    async def count() -> None:
        nonlocal counted
        counted += 1

    account = await Spending(store).account(ANNA, count)
    for _ in range(3):
        await account.begin(PAID, 100, None)
    assert counted == 2


@given(st.lists(st.tuples(st.sampled_from([ANNA, BEN]), st.floats(0, 1), st.floats(0, 1)), max_size=20))
def test_all_that_was_charged_is_gone_from_the_rest_whatever_was_set_aside(
    calls: list[tuple[Payer, float, float]],
) -> None:
    class Nowhere:
        async def add_expense(self, day: str, expense: object) -> None:
            pass

        async def spent(self, day: str, visitor: str) -> object:
            raise NotImplementedError

        async def expenses(self, day: str) -> object:
            raise NotImplementedError

    async def spend() -> float:
        spending = Spending(Nowhere(), 1_000.0)  # type: ignore[arg-type]
        open_charges = [(spending.begin(payer, aside), cost) for payer, aside, cost in calls]
        for charge, cost in open_charges:
            charge.settle(exchange(cost=cost), PAID)
        await spending.flush()
        return 1_000.0 - rest(spending, ANNA)

    assert asyncio.run(spend()) == pytest.approx(sum(cost for _, _, cost in calls))


def rest(spending: Spending, payer: Payer) -> float:
    found = spending.rest(payer.visitor)
    assert found
    return found.left
