"""The host's money: counts every call of a provider, and keeps to the budget of the day.

A call first sets aside what it will cost at most as far as that can be told, so that many calls at once do not pass the
budget together. When it has ended, its real cost replaces that, and is stored. A day begins at midnight UTC. What the
calls of a visitor's own key cost is stored too, and counts for no budget.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Protocol

from pipeline.errors import ModelFault, StoreFault
from pipeline.exchanges import PromptExchange
from pipeline.expenses import Expense, Spent, day_of
from pipeline.metrics import tokens_of_chars

REPLY_TOKENS = 1_000  # expected of a reply without a token limit

log = logging.getLogger(__name__)

Price = Callable[[int, int], float | None]  # tokens of prompt and reply → USD, None where the price is unknown


@dataclass(frozen=True, slots=True)
class PaidModel:
    """A model of a provider: its label, and what its tokens cost."""

    label: str
    price: Price


class ExpenseStore(Protocol):
    """The part of the store that keeps expenses. Each method raises StoreFault."""

    async def add_expense(self, day: str, expense: Expense) -> None:
        """Add what a call used to the sums of its day."""

    async def spent(self, day: str, visitor: str) -> Spent:
        """What the host paid on a day, in all and for one visitor."""

    async def expenses(self, day: str) -> tuple[Expense, ...]:
        """The expenses of a day and of all later ones."""


@dataclass(frozen=True, slots=True)
class Payer:
    """For whom a provider is called: a visitor, under a profile, and whether the visitor's own key pays."""

    visitor: str = ""
    profile: str = ""
    own_key: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of the day's budget, in USD: the smaller of what is left in all and for the visitor."""

    left: float
    budget: float

    @property
    def is_spent(self) -> bool:
        """Whether no more is paid for today."""
        return self.left <= 0


class Spending:
    """What was spent today. It holds this process's calls, and those of others as of the last `account`."""

    def __init__(
        self,
        store: ExpenseStore,
        budget_usd: float | None = None,
        visitor_budget_usd: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._clock = store, clock
        self._budget, self._visitor_budget = budget_usd, visitor_budget_usd
        self._day = ""
        self._total = 0.0
        self._by_visitor: defaultdict[str, float] = defaultdict(float)
        self._set_aside: dict[Charge, float] = {}  # of calls that have not ended
        self._writes: set[asyncio.Task[None]] = set()

    @property
    def has_budget(self) -> bool:
        """Whether what is spent on a day is limited, in all or for one visitor."""
        return self._budget is not None or self._visitor_budget is not None

    async def account(self, payer: Payer, count_call: Callable[[], Awaitable[None]] | None = None) -> Account:
        """An account for one piece of work; `count_call` is called for each of its calls after the first."""
        await self.refresh(payer.visitor)
        return Account(self, payer, count_call)

    async def refresh(self, visitor: str) -> None:
        """Read what was stored today, where there is a budget; without a database, what this process knows counts."""
        if not self.has_budget:
            return
        self._begin_day()
        with suppress(StoreFault):
            await self.flush()
            stored, day = await self._store.spent(self._day, visitor), self._day
            if day == self._day:
                self._total = max(self._total, stored.total)
                if stored.visitor > self._by_visitor.get(visitor, 0.0):
                    self._by_visitor[visitor] = stored.visitor

    def rest(self, visitor: str) -> Rest | None:
        """What is left for a visitor today; None without a budget."""
        self._begin_day()
        open_total = sum(self._set_aside.values())
        open_own = sum(usd for charge, usd in self._set_aside.items() if charge.payer.visitor == visitor)
        rests = []
        if self._budget is not None:
            rests.append(Rest(self._budget - self._total - open_total, self._budget))
        if self._visitor_budget is not None and visitor:
            rests.append(
                Rest(self._visitor_budget - self._by_visitor.get(visitor, 0.0) - open_own, self._visitor_budget)
            )
        return min(rests, key=lambda each: each.left, default=None)

    @property
    def spent_usd(self) -> float:
        """What the host paid today, as far as this process knows."""
        self._begin_day()
        return self._total

    async def expenses(self, since_s: float) -> tuple[Expense, ...]:
        """What calls used since the day of a time in seconds since the epoch. Raises StoreFault."""
        await self.flush()
        return await self._store.expenses(day_of(since_s))

    def begin(self, payer: Payer, most_usd: float | None) -> Charge:
        """Set aside what a call may cost, None where that is unknown. Raises ModelFault when the budget is spent.

        A model that costs nothing may always be called, and the last call may pass the budget.
        """
        charge = Charge(self, payer)
        if payer.own_key:
            return charge
        rest = self.rest(payer.visitor)
        if rest and rest.is_spent and most_usd != 0:
            raise ModelFault("over_budget")
        self._set_aside[charge] = most_usd or 0.0
        return charge

    def settle(self, charge: Charge, expense: Expense) -> None:
        """Replace what was set aside by the real cost, and store it."""
        self._begin_day()
        self._set_aside.pop(charge, None)
        if not expense.own_key:
            self._total += expense.cost
            self._by_visitor[expense.visitor] += expense.cost
        writing = asyncio.get_running_loop().create_task(self._write(self._day, expense))
        self._writes.add(writing)
        writing.add_done_callback(self._writes.discard)

    def drop(self, charge: Charge) -> None:
        """Give back what was set aside for a call that nobody is charged for."""
        self._set_aside.pop(charge, None)

    async def flush(self) -> None:
        """Wait until the expenses of all ended calls are stored, or cannot be."""
        if self._writes:
            await asyncio.wait(set(self._writes))

    async def _write(self, day: str, expense: Expense) -> None:
        try:
            await self._store.add_expense(day, expense)
        except StoreFault:
            log.warning("what a call of a provider cost could not be stored; this process still counts it")

    def _begin_day(self) -> None:
        today = day_of(self._clock())
        if today != self._day:
            self._day, self._total = today, 0.0
            self._by_visitor.clear()


class Charge:
    """One call of a provider, from its beginning to its end."""

    __slots__ = ("_spending", "payer")

    def __init__(self, spending: Spending, payer: Payer) -> None:
        self._spending, self.payer = spending, payer

    def settle(self, exchange: PromptExchange, model: PaidModel) -> None:
        """Charge for what the call used. One that the provider refused costs nothing."""
        expense = expense_of(exchange, model)
        if expense is None:
            self._spending.drop(self)
            return
        payer = self.payer
        self._spending.settle(
            self, replace(expense, visitor=payer.visitor, profile=payer.profile, own_key=payer.own_key)
        )


class Account:
    """For whom the calls of one piece of work are made."""

    def __init__(self, spending: Spending, payer: Payer, count_call: Callable[[], Awaitable[None]] | None) -> None:
        self._spending, self._payer, self._count_call = spending, payer, count_call
        self._calls = 0

    async def begin(self, model: PaidModel, prompt_chars: int, max_tokens: int | None) -> Charge:
        """Begin a call. Raises ModelFault when the budget of the day is spent."""
        most_usd = model.price(tokens_of_chars(prompt_chars), max_tokens or REPLY_TOKENS)
        self._calls += 1
        if self._calls > 1 and self._count_call:
            await self._count_call()
        return self._spending.begin(self._payer, most_usd)


account: ContextVar[Account | None] = ContextVar("account", default=None)  # of the work that runs


def expense_of(exchange: PromptExchange, model: PaidModel) -> Expense | None:
    """What an exchange used and cost; None for one that the provider does not charge for."""
    if not exchange.is_billed:
        return None
    usage = exchange.usage or {}
    prompt = usage.get("prompt_tokens") or tokens_of_chars(exchange.prompt_chars)
    completion = usage.get("completion_tokens") or tokens_of_chars(exchange.reply_chars)
    cost = exchange.cost if exchange.cost is not None else model.price(prompt, completion)
    return Expense(
        model=model.label,
        unpriced_calls=int(cost is None),
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=cost or 0.0,
    )
