from __future__ import annotations

import asyncio

import pytest

from pipeline.errors import Refused
from pipeline.models import POOL_CONNECTIONS, Models, RecordedLM
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
            lm = lm._twin


def states(*entries: ModelEntry) -> list[str]:
    return [choice.state for choice in Models(Settings(models=entries)).choices[1:]]


def test_a_provider_that_takes_nobody_without_a_key_is_shown_to_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ModelEntry(label="plain", model="openai/gpt-5-mini")
    own = ModelEntry(label="own", model="openai/llama", api_base="http://127.0.0.1:1/v1")
    assert states(plain, own) == ["no_key", "ready"]
    with pytest.raises(Refused, match="missing_key"):
        Models(Settings()).add("gemini/gemini-2.5-pro")
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    assert Models(Settings()).add("gemini/gemini-2.5-pro") == "gemini/gemini-2.5-pro"
    assert Models(Settings()).add("hosted_vllm/any") == "hosted_vllm/any"
