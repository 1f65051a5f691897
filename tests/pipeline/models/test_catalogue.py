from __future__ import annotations

import asyncio
from typing import Any

import dspy
import pytest

from pipeline.exchanges import PromptExchange
from pipeline.models.catalogue import Models
from pipeline.models.lm import POOL_CONNECTIONS, RecordedLM, prompts
from pipeline.settings import ModelEntry, Settings
from tests.provider import Provider


async def test_more_calls_of_one_model_than_a_pool_has_connections_wait_for_nothing() -> None:
    wanted = 2 * POOL_CONNECTIONS
    with Provider() as provider:
        entry = ModelEntry(label="m", model="hosted_vllm/hang", api_base=provider.base)
        lm: RecordedLM | None = Models(Settings(models=(entry,))).lm("m")
        assert lm
        calls = [asyncio.create_task(lm.acall("?")) for _ in range(wanted)]
        async with asyncio.timeout(60):
            while len(provider.requests) < wanted:  # noqa: ASYNC110  a list of another thread
                await asyncio.sleep(0.05)
        assert provider.active == wanted
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        while lm is not None:
            assert lm._calls == 0
            await lm.aclose()
            lm = lm._next_pool


def test_models_whose_calls_cost_something_unknown_are_named() -> None:
    def entry(label: str, model: str, **more: Any) -> ModelEntry:
        return ModelEntry(label=label, model=model, **more)

    models = (
        entry("unknown", "hosted_vllm/x", api_base="https://models.example/v1"),
        entry("priced", "hosted_vllm/x", api_base="https://models.example/v1", input_cost_per_token=0),
        entry("local", "hosted_vllm/x", api_base="http://127.0.0.1:1/v1"),
        entry("listed", "openai/gpt-5-mini"),
        entry("says it", "openrouter/some/model"),
    )
    assert Models(Settings(models=models)).without_price() == ("unknown",)


def states(*entries: ModelEntry) -> list[str]:
    return [choice.state for choice in Models(Settings(models=entries)).choices[1 : 1 + len(entries)]]


def test_a_provider_that_takes_nobody_without_a_key_is_shown_to_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ModelEntry(label="plain", model="openai/gpt-5-mini")
    own = ModelEntry(label="own", model="openai/llama", api_base="http://127.0.0.1:1/v1")
    assert states(plain, own) == ["no_key", "ready"]
    typed = Models(Settings())
    assert typed.add("gemini/gemini-2.5-pro") == "gemini/gemini-2.5-pro"
    state = {choice.label: choice.state for choice in typed.choices}
    assert state["gemini/gemini-2.5-pro"] == "no_key"
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    state = {choice.label: choice.state for choice in typed.choices}
    assert state["gemini/gemini-2.5-pro"] == "ready"
    assert Models(Settings()).add("hosted_vllm/any") == "hosted_vllm/any"


@pytest.mark.parametrize("more", [{}, {"top_k": 4, "extra_body": {"min_tokens": 2}}], ids=["native", "litellm"])
async def test_parameters_of_an_entry_are_in_its_requests_and_in_their_exchanges(more: dict[str, Any]) -> None:
    wanted: dict[str, Any] = {"top_p": 0.5, "seed": 3, "stop": ["end"], "reasoning_effort": "low"}
    recorded: list[PromptExchange] = []
    prompts.set(recorded)
    with Provider() as provider:
        entry = ModelEntry(label="m", model="hosted_vllm/ok", api_base=provider.base, **wanted, **more)
        lm = Models(Settings(models=(entry,))).lm("m")
        await lm.ready()
        with dspy.context(lm=lm, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)):
            await dspy.Predict("question -> reasoning, answer").acall(question="Why?")
        await lm.aclose()
    assert lm.is_native is not bool(more)
    assert wanted.items() <= provider.requests[0].items()
    assert wanted.items() <= recorded[0].parameters.items()
    if more:
        assert (provider.requests[0]["top_k"], provider.requests[0]["min_tokens"]) == (4, 2)
        assert "extra_body" not in recorded[0].parameters
