"""`/api/models` over HTTP: what is listed, the test of a model, and what a conversation cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from server import Parts, build
from tests.in_process import api_of
from tests.provider import Provider
from tests.scripted import TeaIndex


@asynccontextmanager
async def parts_of(folder: Path, *entries: ModelEntry, **more: Any) -> AsyncGenerator[Parts]:
    """The parts of a server with these models."""
    settings = Settings(data_dir=folder, models=entries, ollama_base_url="off", **more)
    parts = build(settings, index=cast("Any", TeaIndex()))
    yield parts
    await parts.pipeline.close()
    parts.store.close()


@asynccontextmanager
async def client_of(folder: Path, *entries: ModelEntry, **more: Any) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the API alone, over these models."""
    async with parts_of(folder, *entries, **more) as parts, api_of(parts) as client:
        yield client


def entry(name: str, base: str, **more: Any) -> ModelEntry:
    return ModelEntry(label=name, model=f"hosted_vllm/{name}", api_base=base, **more)


async def asked(client: httpx.AsyncClient, conversation_id: str | None = None) -> dict[str, Any]:
    body = {"question": "Hello?", "model": "ok", "stream": False, "conversation_id": conversation_id}
    answer = await client.post("/api/turns", json=body)
    said: dict[str, Any] = answer.json()
    return said


async def listed_in(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {each["label"]: each for each in (await client.get("/api/models")).json()["models"]}


async def test_the_models_are_listed_with_their_windows_and_prices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    own = entry("own", "http://127.0.0.1:1/v1", context_tokens=4096)
    async with client_of(tmp_path, own, default_model="own") as client:
        listed = await listed_in(client)
    assert next(iter(listed)) == BUILTIN_MODEL
    assert listed["own"] == {
        "label": "own",
        "provider": "hosted_vllm",
        "state": "ready",
        "note": "local",
        "context_tokens": 4096,
        "prices": None,
        "is_default": True,
    }
    hosted = listed["openai/gpt-5-mini"]
    assert hosted["context_tokens"] > 100_000
    assert hosted["prices"] == {"prompt": 0.25, "completion": 2}
    assert not hosted["is_default"]
    assert listed["anthropic/claude-haiku-4-5"]["state"] == "no_key"


async def test_a_test_says_how_fast_a_model_is_and_heals_it(tmp_path: Path, provider: Provider) -> None:
    lost, ok = entry("gone", "http://127.0.0.1:9/v1"), entry("ok-tokens-30-gap-2", provider.base)
    async with client_of(tmp_path, lost, ok) as client:
        said = (await client.post("/api/models/test", json={"model": ok.label})).json()
        assert (said["ok"], said["code"]) == (True, "")
        assert said["first_token_s"] > 0
        assert said["tokens_per_s"] > 0
        assert provider.requests[-1]["max_tokens"] <= 100
        assert (await listed_in(client))[ok.label]["note"] == f"{said['first_token_s']:.2f} s"
        said = (await client.post("/api/models/test", json={"model": "gone"})).json()
        assert (said["ok"], said["code"], said["first_token_s"]) == (False, "refused", None)
        assert "127.0.0.1:9" in said["text"]  # asked from this machine
        assert (await listed_in(client))["gone"]["state"] == "unreachable"
        said = (await client.post("/api/models/test", json={"model": BUILTIN_MODEL})).json()
        assert (said["ok"], said["tokens_per_s"]) == (True, None)


@pytest.mark.parametrize(("name", "code"), [("status-401", "auth"), ("status-500", "server"), ("empty", "empty")])
async def test_a_test_gives_the_fault_and_what_to_do_without_its_own_words(
    tmp_path: Path, provider: Provider, name: str, code: str
) -> None:
    async with client_of(tmp_path, entry(name, provider.base)) as client:
        said = (await client.post("/api/models/test", json={"model": name})).json()
    assert said["code"] == code
    assert said["text"].endswith(".")
    assert "Incorrect" not in said["text"]


async def test_a_good_test_ends_a_models_rest(tmp_path: Path, provider: Provider) -> None:
    async with parts_of(tmp_path, entry("ok", provider.base)) as parts, api_of(parts) as client:
        parts.models.breakers.failed("ok", "auth")
        assert [each.state for each in parts.models.choices[:2]] == ["ready", "resting"]
        assert (await client.post("/api/models/test", json={"model": "ok"})).json()["ok"]
        assert [each.state for each in parts.models.choices[:2]] == ["ready", "ready"]


async def test_bad_requests_are_refused_and_tests_are_limited_as_questions(tmp_path: Path) -> None:
    async with client_of(tmp_path, rate_limit="2/minute") as client:
        unknown = await client.post("/api/models/test", json={"model": "builtin/extractiv"})
        assert (unknown.status_code, BUILTIN_MODEL in unknown.json()["detail"]) == (422, True)
        for body in ({}, {"model": 1}, {"model": BUILTIN_MODEL, "more": 1}):
            assert (await client.post("/api/models/test", json=body)).status_code == 422
        assert (await client.post("/api/models/test", content=b"model=x")).status_code == 422
        answers = [await client.post("/api/models/test", json={"model": BUILTIN_MODEL}) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 0


async def test_the_same_key_gives_the_same_result_while_a_test_runs_and_after_a_restart(
    tmp_path: Path, provider: Provider
) -> None:
    ok, failing = entry("ok-gap-20", provider.base), entry("status-401", provider.base)
    before = len(provider.requests)

    async def tested(client: httpx.AsyncClient, model: str, key: str, **headers: str) -> httpx.Response:
        sent = {"Idempotency-Key": key, **headers}
        return await client.post("/api/models/test", json={"model": model}, headers=sent)

    async with client_of(tmp_path, ok, failing) as client:
        first, second = await asyncio.gather(*(tested(client, ok.label, "one") for _ in range(2)))
        refused = await tested(client, failing.label, "two")
        while_it_runs = await asyncio.gather(*(tested(client, each.label, "three") for each in (ok, failing)))
    async with client_of(tmp_path, ok, failing) as client:
        assert first.json()["ok"]
        assert first.json() == second.json() == (await tested(client, ok.label, "one")).json()
        assert refused.json()["code"] == "auth"
        assert refused.json() == (await tested(client, failing.label, "two")).json()
        assert len(provider.requests) == before + 3
        [refused_while] = [each for each in while_it_runs if each.status_code != 200]  # Either may be the first to run.
        for other in (await tested(client, failing.label, "one"), refused_while):
            assert (other.status_code, "Idempotency-Key" in other.json()["detail"]) == (422, True)
        await tested(client, ok.label, "one", **{"X-Visitor": "maya-0123456789abcdef"})
        assert len(provider.requests) == before + 4
        assert (await tested(client, ok.label, "a b")).status_code == 422


async def test_what_was_refused_is_no_result(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        headers = {"Idempotency-Key": "again"}
        answers = [
            await client.post("/api/models/test", json={"model": each}, headers=headers)
            for each in ("builtin/extractiv", BUILTIN_MODEL)
        ]
    assert [each.status_code for each in answers] == [422, 200]


async def test_a_turn_says_what_its_conversation_cost(tmp_path: Path, provider: Provider) -> None:
    priced = entry("ok", provider.base, input_cost_per_token=1e-6, output_cost_per_token=1e-6)
    async with client_of(tmp_path, priced) as client:
        said = [await asked(client)]
        said.append(await asked(client, said[0]["conversation_id"]))
        turn = (await client.get(f"/api/turns/{said[1]['turn_id']}")).json()
    costs = [each["cost"] for each in said]
    for each in said:
        tokens = each["usage"]["prompt_tokens"] + each["usage"]["completion_tokens"]
        assert each["cost"] == pytest.approx(tokens * 1e-6)
    assert turn["conversation_cost"] == pytest.approx(sum(costs))
    assert turn["conversation_cost_exact"] is True
