"""What inquiries find, as sentences and as the JSON of the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from i18n import ENGLISH, text
from i18n.messages import fault_message_text
from pipeline.inquiries.rates import ErrorRates
from pipeline.inquiries.results import (
    COUNTERFACTUAL,
    SECOND_CHECK,
    Counterfactual,
    Judgement,
    Price,
    SecondCheck,
    Trial,
)

LEAST_SHOWN_USD = 0.0001

Json = dict[str, Any]


def price_text(price: Price, language: str = ENGLISH) -> str:
    """Return what would be asked, and what it would cost at most."""
    if not price.calls:
        return text("price.nothing", language)
    calls = text("price.calls", language, count=price.calls)
    return text("price.whole", language, calls=calls, model=price.model, cost=cost_text(price.cost, language))


def cost_text(cost: float | None, language: str = ENGLISH) -> str:
    """Return a cost in USD that is estimated; None is an unknown one."""
    if cost is None:
        return text("price.unknown", language)
    return (
        text("price.usd", language, usd=f"{max(cost, LEAST_SHOWN_USD):.4f}") if cost else text("price.free", language)
    )


def counterfactual_text(found: Counterfactual, language: str = ENGLISH) -> str:
    """Return what follows from the calls, or why there were no more; "" while they are made."""
    if found.fault:
        return fault_message_text(found.fault, language)
    if found.conclusion is None:
        return ""
    parts = [text(f"counterfactual.{found.conclusion}", language, passages=numbers(found.passages))]
    if found.untested:
        parts.append(text("counterfactual.untested", language, passages=numbers(found.untested)))
    if found.samples:
        parts.append(text("counterfactual.samples", language))
    return " ".join(parts)


def left_out_text(found: Counterfactual, left_out: tuple[int, ...], language: str = ENGLISH) -> str:
    """Return what a call leaves out."""
    if not left_out:
        return text("counterfactual.with_all", language)
    if left_out == found.planned[-1] and len(left_out) > 1:
        return text("counterfactual.without_any", language)
    return text("counterfactual.without", language, passages=numbers(left_out))


def outcome_text(trial: Trial, language: str = ENGLISH) -> str:
    """Return what became of the sentence in one call."""
    return text(f"counterfactual.{trial.outcome or 'unusable'}", language)


def judgement_text(judgement: Judgement, language: str = ENGLISH) -> str:
    """Return a model's verdict in a few words."""
    return text(f"second.{judgement.verdict or 'none'}", language)


def rates_text(rates: ErrorRates | None, language: str = ENGLISH) -> str:
    """Return how often a model was wrong where that was measured."""
    if rates is None:
        return text("second.unmeasured", language)
    values = {name: getattr(rates, name) for name in ("passed", "errors", "doubted", "right", "silent")}
    return text("second.rates", language, count=rates.errors + rates.right, **values)


def numbers(passages: Iterable[int]) -> str:
    """Return passages as an answer cites them."""
    return ", ".join(f"[{number}]" for number in passages)


def price_json(price: Price, language: str = ENGLISH) -> Json:
    """Return what would be asked as the wire has it."""
    return {
        "model": price.model,
        "calls": price.calls,
        "prompt_tokens": price.prompt_tokens,
        "reply_tokens": price.reply_tokens,
        "cost": price.cost,
        "text": price_text(price, language),
    }


def counterfactual_json(found: Counterfactual, language: str = ENGLISH) -> Json:
    """Return what was found so far as the wire has it."""
    return _json(COUNTERFACTUAL.dump_python(found, mode="json"), found, counterfactual_text(found, language))


def second_check_json(found: SecondCheck, language: str = ENGLISH) -> Json:
    """Return a second check so far as the wire has it."""
    fault = fault_message_text(found.fault, language) if found.fault else ""
    return _json(SECOND_CHECK.dump_python(found, mode="json"), found, fault)


def _json(keys: Json, found: Counterfactual | SecondCheck, said: str) -> Json:
    """Flatten the cost, and put the sentence in the place of the fault's values."""
    keys["cost"], keys["cost_exact"] = found.cost.usd, found.cost.exact
    keys["code"] = found.fault.code if keys.pop("fault") and found.fault else None
    return {**keys, "text": said, "is_over": found.is_over}
