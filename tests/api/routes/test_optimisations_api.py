"""Optimisations over HTTP: started, followed, resumed by the last event, used, undone, and refused in words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.retrieval.edge import EdgeIndex
from server import Parts
from tests.in_process import api_of
from tests.optimising import QUESTIONS, made_of, settings_of
from tests.provider import Provider

MAYA, NOAH = "m" * 32, "n" * 32
LISTED = [{"question": each.question, "answer": each.answer} for each in QUESTIONS]
BODY = {"model": "learns", "questions": LISTED, "optimizer": "labelled", "calls": 60}


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider, search: EdgeIndex) -> AsyncIterator[Parts]:
    provider.requests.clear()
    made = made_of(settings_of(tmp_path, provider), search)
    yield made
    await made.end_turns()
    made.store.close()


async def followed(client: httpx.AsyncClient, id: str, **headers: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of an optimisation until its ending."""
    answer = await client.get(f"/api/optimisations/{id}/events", headers=headers, timeout=120)
    assert answer.status_code == 200
    blocks = [each.splitlines() for each in answer.text.split("\n\n") if each.startswith("event:")]
    named = [dict(line.split(": ", 1) for line in block if ": " in line) for block in blocks]
    return [(each["event"], json.loads(each["data"]) | {"id": each.get("id")}) for each in named]


async def test_the_road_from_an_estimate_to_a_used_program_and_back(parts: Parts, provider: Provider) -> None:
    async with api_of(parts, MAYA) as maya, api_of(parts, NOAH) as noah:
        estimate = (await maya.post("/api/optimisations/estimate", json=BODY)).json()
        assert estimate["calls"] == 60
        assert estimate["cost"] > 0
        assert not provider.requests
        started = (await maya.post("/api/optimisations", json=BODY)).json()
        assert started["state"] == "running"
        path = f"/api/optimisations/{started['id']}"
        assert (await maya.post(f"{path}/use")).status_code == 409
        events = await followed(maya, started["id"])
        numbered = [(kind, event) for kind, event in events if event["id"] is not None]
        assert [event["seq"] for _, event in numbered] == list(range(len(numbered)))
        assert numbered[-1][1]["state"] == "finished"
        assert {"index", "score", "calls", "cost", "instruction"} <= numbered[0][1].keys()
        again = await followed(maya, started["id"], **{"Last-Event-ID": str(numbered[-2][1]["seq"])})
        assert [event["seq"] for _, event in again] == [numbered[-1][1]["seq"]]
        found = (await maya.get(path)).json()
        assert found["improved"]
        assert found["before"]["mean"] < found["after"]["mean"]
        assert found["calls"] == len(provider.requests) <= 60
        assert (await noah.get(path)).status_code == 404
        used = (await maya.post(f"{path}/use")).json()
        names = [each["name"] for each in (await maya.get("/api/programs")).json()["programs"]]
        assert used["program"] in names
        assert used["program"] not in (await noah.get("/api/programs")).text
        assert (await maya.post(f"{path}/use")).json() == used
        assert (await maya.post(f"{path}/undo")).json() == {"program": "ChainOfThought"}
        assert used["program"] not in (await maya.get("/api/programs")).text
        assert (await maya.post(f"{path}/resume")).status_code == 409
        [listed] = (await maya.get("/api/optimisations")).json()["optimisations"]
        assert listed["id"] == started["id"]
        assert (await noah.get("/api/optimisations")).json() == {"optimisations": []}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"questions": LISTED[:9]}, "at least 10"),
        ({"questions": "ratings"}, "at least 10"),
        ({"calls": 5}, "at least"),
        ({"optimizer": "magic"}, "optimizer"),
        ({"model": "builtin/extractive"}, "only quotes"),
        ({"questions": [{"question": ""}]}, "Line 1"),
        ({"program": "DocumentAnalysis"}, "whole document"),
    ],
)
async def test_what_cannot_be_optimised_is_refused_in_words(parts: Parts, body: dict[str, Any], said: str) -> None:
    async with api_of(parts, MAYA) as maya:
        for path in ("/api/optimisations", "/api/optimisations/estimate"):
            refused = await maya.post(path, json=BODY | body)
            assert refused.status_code == 422
            assert said in refused.json()["detail"]


async def test_an_unknown_optimisation_or_set_is_not_found(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        assert (await maya.get("/api/optimisations/none")).status_code == 404
        assert (await maya.get("/api/optimisations/none/events")).status_code == 404
        assert (await maya.post("/api/optimisations", json=BODY | {"questions": "none"})).status_code == 404
