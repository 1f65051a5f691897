"""The cost of several exchanges with models. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.exchanges import PromptExchange
from pipeline.settings import BUILTIN_MODEL


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost in USD, None where a price is unknown; `exact` is False where it, or its tokens, are estimated."""

    usd: float | None
    exact: bool


NO_COST = Cost(None, exact=True)


def cost_of_exchanges(exchanges: Iterable[PromptExchange]) -> Cost:
    """Return the cost of all exchanges that a provider has worked on. The built-in model costs nothing."""
    billed = [each for each in exchanges if each.model != BUILTIN_MODEL and each.is_billed]
    costs = [each.cost for each in billed]
    known = [cost for cost in costs if cost is not None]
    is_exact = all(each.usage and each.usage.get("completion_tokens") for each in billed)
    return Cost(sum(known) if known and len(known) == len(costs) else None, is_exact)


def sum_of_costs(costs: Iterable[Cost]) -> Cost:
    """Return the sum of the costs that are known."""
    known = [each for each in costs if each.usd is not None]
    usd = sum(each.usd or 0.0 for each in known) if known else None
    return Cost(usd, all(each.exact for each in known))
