"""The routes that ask about an answer: price, result, progress, and what a client that leaves ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.inquiries.rates import ErrorRates, save_rates
from pipeline.models.catalogue import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from server import Parts, build
from tests.in_process import api_of
from tests.provider import Provider

MAYA = "m" * 32
QUESTION = "With how much pressure is an espresso made?"


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider, search: EdgeIndex) -> AsyncIterator[Parts]:
    entry = ModelEntry(label="judge", model="hosted_vllm/judge", api_base=provider.base)
    settings = Settings(models=(entry,), data_dir=tmp_path, check_model="judge")
    made = build(settings, index=search, models=Models(settings, pace_s=0.0))
    yield made
    await made.end_turns()
    made.store.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts, MAYA) as client:
        yield client


async def turn_of(client: httpx.AsyncClient, model: str) -> str:
    asked = await client.post("/api/turns", json={"question": QUESTION, "model": model, "stream": False})
    turn_id: str = asked.json()["turn_id"]
    return turn_id


def events_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Server-sent events as (kind, data)."""
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks]


async def test_a_counterfactual_has_a_price_before_progress_meanwhile_and_a_result(client: httpx.AsyncClient) -> None:
    path = f"/api/turns/{await turn_of(client, BUILTIN_MODEL)}/sentences/answer/0/counterfactual"
    before = (await client.get(path)).json()
    assert before["result"] is None
    assert before["price"]["text"] == "at most 6 calls of builtin/extractive, free"
    answer = await client.post(path, json={"stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    *progress, (kind, result) = events_of(answer.text)
    assert {each for each, _ in progress} == {"progress"}
    assert [len(each["trials"]) for _, each in progress] == [0, 1, 2, 3, 4, 5]
    assert (kind, result["conclusion"], result["is_over"], result["cost"]) == ("result", "stands_on", True, 0.0)
    assert result["text"] == f"It stands on [{result['passages'][0]}]: left out, the sentence goes."
    assert (await client.post(path, json={})).json() == result
    assert (await client.get(path)).json()["result"] == result


async def test_a_second_check_has_a_price_error_rates_and_a_result(client: httpx.AsyncClient, parts: Parts) -> None:
    path = f"/api/turns/{await turn_of(client, 'judge')}/second-check"
    before = (await client.get(path)).json()
    assert (before["price"]["calls"], before["price"]["cost"], before["result"]) == (1, 0.0, None)
    assert before["rates"] == {"text": "How often this model errs was not measured here."}
    save_rates(parts.settings.data_dir, "hosted_vllm/judge", ErrorRates(90, 9, 80, 20, 4, "2026-11-29"))
    rates = (await client.get(path)).json()["rates"]
    assert (rates["errors"], rates["passed"], rates["measured_on"]) == (90, 9, "2026-11-29")
    assert "9 of 90 planted errors" in rates["text"]
    result = (await client.post(path, json={})).json()
    assert result["judgements"][0]["verdict"] == "supported"
    assert result["judgements"][0]["evidence"][0].keys() == {"passage", "place"}
    assert (await client.get(path)).json()["result"] == result


async def test_what_cannot_be_asked_is_refused_before_anything_is_asked(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    turn_id = await turn_of(client, "judge")
    asked = len(provider.requests)
    sentence = f"/api/turns/{turn_id}/sentences/answer/0/counterfactual"
    for path, body, status in (
        (sentence.replace("/0/", "/99/"), {}, 404),
        (sentence.replace("/0/", "/first/"), {}, 422),
        (sentence.replace(turn_id, "nobodys"), {}, 404),
        (sentence, {"calls": 9}, 422),
        (f"/api/turns/{turn_id}/second-check", {"model": "nobody"}, 422),
        (f"/api/turns/{turn_id}/second-check", {"model": BUILTIN_MODEL}, 422),
    ):
        refused = await client.post(path, json=body)
        assert (refused.status_code, list(refused.json())) == (status, ["detail"]), path
    assert (await client.get(f"{sentence}?x=1", headers={"X-Visitor": "o" * 32})).status_code == 404
    assert len(provider.requests) == asked


async def test_a_fault_is_a_result_that_says_what_to_do(client: httpx.AsyncClient, parts: Parts) -> None:
    turn_id = await turn_of(client, "judge")
    parts.models.breakers.failed("judge", "auth")
    result = (await client.post(f"/api/turns/{turn_id}/second-check", json={})).json()
    assert (result["code"], result["is_over"], result["judgements"]) == ("resting", True, [])
    assert result["text"]
    assert (await client.get(f"/api/turns/{turn_id}/second-check")).json()["result"] is None
