"""`GET /api/stats`: what models used and cost, for whoever runs Glassbox; who may read it is as for `/metrics`."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import time
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request

from api.access import Access
from api.operations import operation
from api.operators import is_operator
from pipeline.expenses import Expense
from pipeline.logs import short_name
from pipeline.models.spending import Spending

MOST_HOURS = 24 * 366
SUMS = ("calls", "unpriced_calls", "prompt_tokens", "completion_tokens", "cost")


def routes(spending: Spending, tokens: Access) -> APIRouter:
    """Make the route; it answers 404 to clients that may not read it."""
    router = APIRouter()

    @router.get("/api/stats", **operation("What was spent"))
    async def stats(request: Request, hours: Annotated[int, Query(ge=1, le=MOST_HOURS)] = 24) -> dict[str, Any]:
        if not is_operator(request, tokens):
            raise HTTPException(404)
        await spending.refresh("")
        expenses = await spending.expenses(time.time() - 3600 * hours)
        return {"budget": _budget(spending), "spending": _spending(expenses)}

    return router


def _budget(spending: Spending) -> dict[str, float] | None:
    rest = spending.rest("")
    if rest is None:
        return None
    return {"day_usd": rest.budget, "spent_usd": spending.spent_usd, "left_usd": max(0.0, rest.left)}


def _spending(expenses: Iterable[Expense]) -> dict[str, Any]:
    """Sums of what the host paid: in all, by model, by profile and by visitor. `own_keys` is what visitors paid.

    A visitor stands under the short name of the log: the token itself is a secret.
    """
    rows = tuple(expenses)
    paid = [each for each in rows if not each.own_key]
    return {
        **_sums(paid),
        "models": _by(paid, lambda each: each.model),
        "profiles": _by(paid, lambda each: each.profile),
        "visitors": _by(paid, lambda each: short_name(each.visitor) if each.visitor else ""),
        "own_keys": _sums(each for each in rows if each.own_key),
    }


def _by(expenses: Iterable[Expense], key: Callable[[Expense], str]) -> dict[str, dict[str, float]]:
    grouped: dict[str, list[Expense]] = {}
    for each in expenses:
        grouped.setdefault(key(each), []).append(each)
    return {name: _sums(rows) for name, rows in grouped.items()}


def _sums(expenses: Iterable[Expense]) -> dict[str, float]:
    rows = tuple(expenses)
    return {name: sum(getattr(each, name) for each in rows) for name in SUMS}
