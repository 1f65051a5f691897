"""What a request cost, in USD: as its provider says, else its tokens times their prices, as LiteLLM reckons.

An unknown price is None, never 0. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.model_entries import ModelEntry
from pipeline.models.price_table import Row, row_of

_THRESHOLD = re.compile(r"_above_(\d+)k_tokens$")


def has_own_rates(entry: ModelEntry) -> bool:
    """Whether the host has set prices for an entry."""
    return entry.input_cost_per_token is not None or entry.output_cost_per_token is not None


def rates_of(entry: ModelEntry) -> Row:
    """Return the prices of a token: those of the entry, else the row of the table; an empty one where none is known."""
    if has_own_rates(entry):
        prices = entry.input_cost_per_token, entry.output_cost_per_token
        return {"input_cost_per_token": prices[0] or 0.0, "output_cost_per_token": prices[1] or 0.0}
    row = row_of(entry.model)
    return row if row.get("input_cost_per_token") or row.get("output_cost_per_token") else {}


def rates_at(rates: Row, at: datetime) -> Row:
    """Return the prices at a time: some providers have lower ones off peak, which go before those of long prompts."""
    lower = rates.get("off_peak_pricing")
    if not isinstance(lower, Mapping) or not _is_off_peak(lower, at.astimezone(UTC)):
        return rates
    changed = {name: price for name, price in lower.items() if isinstance(price, int | float)}
    return {**{name: price for name, price in rates.items() if name.partition("_above_")[0] not in changed}, **changed}


def _is_off_peak(lower: Mapping[str, Any], at: datetime) -> bool:
    """Whether a time is in the hours of every day, or in those of its day of the week (Monday is 1)."""
    rules = [{"hours_utc": lower.get("hours_utc")}, *(lower.get("windows") or ())]
    every_day = range(1, 8)
    today = (each.get("hours_utc") or () for each in rules if at.isoweekday() in each.get("weekdays", every_day))
    spans = (each for hours in today for each in ([hours] if isinstance(hours, str) else hours))
    return any(_is_within(each, f"{at:%H:%M}") for each in spans)


def _is_within(span: str, now: str) -> bool:
    """Whether a time is in a span like 22:00-04:00; one that ends where it begins is the whole day."""
    start, _, end = span.partition("-")
    return start <= now < end if start < end else now >= start or now < end


def reported_cost(entry: Mapping[str, Any]) -> float | None:
    """Return the cost that a provider has put into its answer, as OpenRouter does, from DSPy's entry of an exchange.

    DSPy's own engine leaves it in the answer, LiteLLM in the usage.
    """
    answer = getattr(entry.get("response"), "provider_data", None)
    usages = (entry.get("usage"), answer.get("usage") if isinstance(answer, Mapping) else None)
    costs = [usage.get("cost") for usage in usages if isinstance(usage, Mapping)]
    cost = next((each for each in costs if each is not None), None)
    return float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) and cost >= 0 else None


def cost_of(rates: Row, usage: Mapping[str, Any]) -> float | None:
    """Return the cost of counted tokens; None where the price is unknown, or a provider has not counted them.

    Tokens that were read from a provider's cache, written to it or thought have prices of their own, where the table
    has them; so do all tokens of a long prompt.
    """
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if not rates or not (prompt or completion):
        return None
    asked, said = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    cached, written = _count(asked, "cached_tokens"), _count(asked, "cache_creation_tokens")
    thought = min(_count(said, "reasoning_tokens"), completion)

    def rate(name: str, otherwise: float = 0.0) -> float:
        return _rate(rates, name, prompt, otherwise)

    of_prompt, of_reply = rate("input_cost_per_token"), rate("output_cost_per_token")
    return (
        max(prompt - cached - written, 0) * of_prompt
        + cached * rate("cache_read_input_token_cost", of_prompt)
        + written * rate("cache_creation_input_token_cost", of_prompt)
        + (completion - thought) * of_reply
        + thought * rate("output_cost_per_reasoning_token", of_reply)
    )


def _rate(rates: Row, name: str, prompt_tokens: int, otherwise: float) -> float:
    """Return the price of a token: that of the highest threshold which the prompt passes."""
    price = rates.get(name)
    passed = [
        (int(found[1]) * 1000, value)
        for key, value in rates.items()
        if key.startswith(f"{name}_above_") and (found := _THRESHOLD.search(key)) and value is not None
    ]
    for threshold, value in sorted(passed):
        price = value if prompt_tokens > threshold else price
    return float(otherwise if price is None else price)


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) else 0
