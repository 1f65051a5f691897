from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from typing import Any

import dspy
import pytest

from pipeline.exchange_costs import Cost, cost_of_exchanges, sum_of_costs
from pipeline.exchanges import PromptExchange
from pipeline.models.catalogue import Models
from pipeline.models.costs import cost_of, rates_at, rates_of
from pipeline.models.lm import RecordedLM, prompts
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from tests.provider import Provider
from tests.scripted import reply, scripted_lm

PLAIN: dict[str, Any] = {"prompt_tokens": 1234, "completion_tokens": 321}
CACHED: dict[str, Any] = {
    "prompt_tokens": 4000,
    "completion_tokens": 900,
    "prompt_tokens_details": {"cached_tokens": 1500, "cache_creation_tokens": 500},
    "completion_tokens_details": {"reasoning_tokens": 400},
}
LONG: dict[str, Any] = {**CACHED, "prompt_tokens": 300_000}
MODELS = ("openai/gpt-5-mini", "anthropic/claude-sonnet-5-5", "gemini/gemini-2.5-pro", "groq/openai/gpt-oss-20b")
LITELLM = """
import json, sys, litellm
usages = json.loads(sys.argv[1])
def cost(model, usage):
    given = litellm.Usage(**usage)
    return sum(litellm.cost_per_token(model=model, usage_object=given))
print(json.dumps({model: [cost(model, usage) for usage in usages] for model in sys.argv[2:]}))
"""


def test_the_cost_is_litellms_own_figure() -> None:
    """LiteLLM is imported in a process of its own, since it takes seconds and 100 MB."""
    usages = [PLAIN, CACHED, LONG]
    run = subprocess.run(
        [sys.executable, "-c", LITELLM, json.dumps(usages), *MODELS],
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        check=True,
    )
    for model, theirs in json.loads(run.stdout.splitlines()[-1]).items():
        rates = rates_of(ModelEntry(label="m", model=model))
        assert [cost_of(rates, usage) for usage in usages] == pytest.approx(theirs, rel=1e-12), model


@pytest.mark.parametrize(
    ("at", "is_lower"),
    [
        ("2026-11-27T00:59", True),
        ("2026-11-27T01:00", False),
        ("2026-11-27T09:59", False),
        ("2026-11-27T23:59", True),
        ("2026-11-28T02:00", True),  # a Saturday
        ("2026-11-30T02:00", False),
    ],
)
def test_off_peak_prices_count_in_their_hours(at: str, is_lower: bool) -> None:
    rates = rates_of(ModelEntry(label="m", model="deepseek/deepseek-v4-pro"))
    usual, now = cost_of(rates, PLAIN), cost_of(rates_at(rates, datetime.fromisoformat(f"{at}+00:00")), PLAIN)
    assert usual
    assert now == pytest.approx(usual / 2 if is_lower else usual)
    assert rates_at(rates, datetime.fromisoformat(f"{at}+00:00")).get("max_tokens")


def test_prices_of_an_entry_go_before_the_table_and_an_unknown_price_is_no_zero() -> None:
    own = ModelEntry(label="m", model="openai/gpt-5-mini", input_cost_per_token=1e-3, output_cost_per_token=2e-3)
    assert cost_of(rates_of(own), PLAIN) == pytest.approx(1.234 + 0.642)
    for unknown in ("hosted_vllm/own", "ollama_chat/qwen3:8b", "openrouter/moonshotai/kimi-dev-72b"):
        assert cost_of(rates_of(ModelEntry(label="m", model=unknown)), PLAIN) is None
    assert cost_of(rates_of(own), {}) is None


async def exchange_with(lm: RecordedLM) -> PromptExchange:
    recorded: list[PromptExchange] = []
    prompts.set(recorded)
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)):
        await dspy.Predict("question -> reasoning, answer").acall(question="Why?")
    return recorded[-1]


async def test_an_exchange_has_the_cost_of_the_tokens_that_its_provider_counted() -> None:
    with Provider() as provider:
        entry = ModelEntry(label="m", model="openai/ok", api_base=provider.base, input_cost_per_token=1e-6)
        lm = Models(Settings(models=(entry,))).lm("m")
        exchange = await exchange_with(lm)
        await lm.aclose()
    assert exchange.usage
    assert exchange.cost == pytest.approx(exchange.usage["prompt_tokens"] * 1e-6)


async def test_prices_of_the_host_go_before_litellms_and_what_a_provider_reports_before_both() -> None:
    with Provider() as provider:
        more = {"min_p": 0.1}  # LiteLLM makes the calls
        entry = ModelEntry.model_validate(
            {"label": "m", "model": "openai/ok", "api_base": provider.base, "input_cost_per_token": 1e-6, **more}
        )
        lm = Models(Settings(models=(entry,))).lm("m")
        assert not lm.is_native
        await lm.ready()
        exchange = await exchange_with(lm)
    assert exchange.usage
    assert exchange.cost == pytest.approx(exchange.usage["prompt_tokens"] * 1e-6)
    lm.update_history(said := {"usage": {**PLAIN, "cost": 0.5}, "cost": 0.1})
    assert said["cost"] == 0.5


async def test_an_exchange_of_a_native_engine_has_the_cost_of_its_rates() -> None:
    lm, _ = scripted_lm([reply("So.", "Hot.")])
    lm.rates = {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
    whole = await exchange_with(lm)
    assert whole.cost == pytest.approx(12e-6)  # 7 and 5 tokens
    assert cost_of_exchanges([whole]) == Cost(whole.cost, exact=True)


def exchange(cost: float | None, **more: Any) -> PromptExchange:
    known: dict[str, Any] = {"model": "m", "parameters": {}, "messages": (), "reply": "x"}
    return PromptExchange(**{**known, "usage": {"completion_tokens": 1}, "cost": cost, **more})


def test_every_exchange_of_a_turn_counts_but_those_that_failed_before_any_text() -> None:
    refused = exchange(None, fault="auth", usage=None, reply=None)
    broken = exchange(0.25, fault="connection", usage=None, first_token_s=0.1)
    builtin = exchange(None, model=BUILTIN_MODEL)
    assert cost_of_exchanges([refused, exchange(0.5), exchange(1.0)]) == Cost(1.5, exact=True)
    assert cost_of_exchanges([broken, exchange(0.5), builtin]) == Cost(0.75, exact=False)
    assert cost_of_exchanges([exchange(None), exchange(0.5)]) == Cost(None, exact=True)
    assert cost_of_exchanges([builtin, refused]) == Cost(None, exact=True)
    assert sum_of_costs([Cost(None, exact=False), Cost(0.5, exact=True)]) == Cost(0.5, exact=True)
    assert sum_of_costs([Cost(0.25, exact=False), Cost(0.5, exact=True)]) == Cost(0.75, exact=False)
