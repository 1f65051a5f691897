"""`GET /api/stats` and the budget of the day, over HTTP with a provider whose model has a price."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from pipeline.logs import short_name
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import ModelEntry, Settings
from server import build
from tests.in_process import api_of
from tests.provider import Provider

QUESTION = "Why does water temperature change the taste of coffee?"
MAYA, BEN = "maya-0123456789abcdef", "ben-0123456789abcdef"
TOKEN = "token-0123456789"
THROUGH_A_PROXY = {"X-Forwarded-For": "203.0.113.7"}
PRICED = "openai/gpt-4o-mini"


@pytest.fixture
async def client(
    tmp_path: Path, provider: Provider, search: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("TEST_MODEL_KEY", "sk-0123456789abcdef")
    model = ModelEntry(label="priced", model=PRICED, api_base=provider.base, api_key_env="TEST_MODEL_KEY")
    settings = Settings(
        data_dir=tmp_path,
        models=(model,),
        metrics_token=SecretStr(TOKEN),
        budget_usd_day=1,
        budget_usd_day_visitor=0.00001,
    )
    parts = build(settings, index=search)
    async with api_of(parts) as made:
        yield made
    await parts.end_turns()
    parts.store.close()


async def asked(client: httpx.AsyncClient, body: dict[str, Any], visitor: str) -> list[dict[str, Any]]:
    """The events of a turn, read to the end."""
    answer = await client.post("/api/turns", json=body, headers={"X-Visitor": visitor})
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


async def stats(client: httpx.AsyncClient) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = (await client.get("/api/stats")).json()
    return found


async def test_over_the_budget_the_built_in_model_answers_and_no_provider_is_asked(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    body = {"question": QUESTION, "model": "priced"}
    first = await asked(client, body, MAYA)
    assert first[-1]["kind"] == "turn_finished"
    assert not [event for event in first if event["kind"] == "recovered"]
    spent, requests = await stats(client), len(provider.requests)
    assert spent["spending"]["calls"] == 1
    assert spent["budget"]["spent_usd"] == pytest.approx(spent["spending"]["cost"])
    assert spent["spending"]["cost"] > 0

    second = await asked(client, body | {"temperature": 0.3}, MAYA)
    recovered = [(event["what"], event["code"]) for event in second if event["kind"] == "recovered"]
    assert recovered == [("extractive", "over_budget")]
    assert second[-1]["kind"] == "turn_finished"
    assert len(provider.requests) == requests


async def test_the_figures_are_for_this_machine_and_for_the_token_alone(client: httpx.AsyncClient) -> None:
    await asked(client, {"question": QUESTION, "model": "priced"}, BEN)
    url = "/api/stats"
    assert (await client.get(url, headers=THROUGH_A_PROXY)).status_code == 404
    found = (await client.get(url, headers=THROUGH_A_PROXY | {"Authorization": f"Bearer {TOKEN}"})).json()
    assert found["spending"]["visitors"][short_name(BEN)]["calls"] == 1
    assert BEN not in json.dumps(found)
    assert found["spending"]["models"]["priced"]["prompt_tokens"] > 0
    assert (await client.get(url, params={"hours": "0"})).status_code == 422
