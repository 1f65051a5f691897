"""Verdicts that people call wrong: kept for their owner, given as a set of the bench, erased with the conversation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bench.reported import is_report_set, report_table, reported
from pipeline.models.catalogue import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import ModelEntry, Settings
from server import Parts, build
from tests.in_process import api_of
from tests.provider import Provider

MAYA, NOAH = "m" * 32, "n" * 32
QUESTION = "How is espresso made?"
TOKEN = "token-of-the-host"
EXPORT = "/api/verdict-reports"
FROM_ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider, search: EdgeIndex) -> AsyncIterator[Parts]:
    entry = ModelEntry(label="checked", model="hosted_vllm/checked", api_base=provider.base)
    settings = Settings(models=(entry,), data_dir=tmp_path, metrics_token=SecretStr(TOKEN))
    made = build(settings, index=search, models=Models(settings, pace_s=0.0))
    yield made
    await made.end_turns()
    made.store.close()


async def asked(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/api/turns", json={"question": QUESTION, "model": "checked", "stream": False})
    return dict(answer.json())


def path_of(turn: dict[str, Any], index: int | str = 3) -> str:
    return f"/api/turns/{turn['turn_id']}/sentences/answer/{index}/report"


async def exported(
    client: httpx.AsyncClient, of: str = "", headers: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    answer = await client.get(EXPORT, params={"of": of} if of else {}, headers=headers or {})
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_report_is_kept_for_its_owner_and_taken_back(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya, api_of(parts, NOAH) as noah:
        turn = await asked(maya)
        sentence = next(each for each in turn["sentences"] if each["index"] == 3)
        assert [(await maya.post(path_of(turn))).status_code for _ in range(2)] == [204, 204]
        [case] = await exported(maya)
        for key in ("field", "index", "verdict", "reason", "citations", "score", "passage", "suggested"):
            assert case[key] == sentence[key]
        assert case["sentence"] == turn["fields"]["answer"][sentence["start"] : sentence["end"]].strip()
        assert (case["turn_id"], case["model"], case["language"]) == (turn["turn_id"], "checked", "en")
        assert [each["text"] for each in case["passages"]] == [each["text"] for each in turn["passages"]]
        assert await exported(noah) == []
        for method in ("POST", "DELETE"):
            assert (await noah.request(method, path_of(turn))).status_code == 404
            assert (await maya.request(method, path_of(turn, 99))).status_code == 404
        assert (await maya.post(path_of(turn, "x"))).status_code == 422
        assert [(await maya.delete(path_of(turn))).status_code for _ in range(2)] == [204, 204]
        assert await exported(maya) == []


async def test_a_report_goes_with_its_conversation(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        turn = await asked(maya)
        await maya.post(path_of(turn))
        await parts.conversations.delete(turn["conversation_id"], MAYA)
        assert await exported(maya) == []
        assert await parts.verdict_reports.of_all() == ()


async def test_who_runs_glassbox_gets_the_reports_of_all(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya, api_of(parts) as nobody:
        for client in (maya, nobody):
            await client.post(path_of(await asked(client)))
        assert len(await exported(maya)) == 1
        assert await exported(nobody) == []
        token = {"Authorization": f"Bearer {TOKEN}"}
        assert len(await exported(nobody, of="all")) == 2
        assert (await maya.get(EXPORT, headers=FROM_ELSEWHERE, params={"of": "all"})).status_code == 404
        assert len(await exported(maya, of="all", headers={**FROM_ELSEWHERE, **token})) == 2


async def test_the_bench_reads_an_export_and_says_which_verdicts_are_the_same_still(
    parts: Parts, tmp_path: Path
) -> None:
    async with api_of(parts, MAYA) as maya:
        turn = await asked(maya)
        for index in (0, 3):
            await maya.post(path_of(turn, index))
        file = tmp_path / "cases.jsonl"
        file.write_bytes((await maya.get(EXPORT)).content)
    assert is_report_set(file)
    reports = reported(file)
    labels = {each["index"]: each["verdict"] for each in turn["sentences"]}
    assert [each.was for each in reports] == [each.now for each in reports] == [labels[0], labels[3]]
    table = "\n".join(report_table("cases", reports))
    assert f"| {labels[3]} | 1 | 1 | – |" in table
    assert f"- {labels[3]}: {reports[1].sentence}" in table
