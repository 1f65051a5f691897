"""Question sets and evaluations over HTTP: faults with their line, events that resume, comparison, export."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server import Parts
from tests.in_process import api_of, tea_parts
from tests.provider import Provider

MAYA, NOAH = "m" * 32, "n" * 32
SET = "question,answer,documents\n=How hot is green tea brewed?,80 °C,tea.md\nHow hot is it?,80 °C,\n"
QUESTIONS = [{"question": "How hot?", "answer": "80 °C"}, {"question": "Why?", "unanswerable": True}]


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(tmp_path, provider) as parts:
        yield parts


async def evaluated(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """An evaluation that has ended."""
    begun = await client.post("/api/evaluations", json={"questions": QUESTIONS, **body})
    assert begun.status_code == 201, begun.text
    async with asyncio.timeout(60):
        await client.get(f"/api/evaluations/{begun.json()['id']}/events")
    return dict((await client.get(f"/api/evaluations/{begun.json()['id']}")).json())


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


async def test_an_evaluation_has_rows_and_scores_with_intervals(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        found = await evaluated(maya)
        assert (found["state"], found["done"], found["total"]) == ("finished", 2, 2)
        assert {row["question"] for row in found["rows"]} == {"How hot?", "Why?"}
        assert found["scores"]["gold"].keys() == {"mean", "low", "high", "n"}
        assert found["scores"]["refused_rightly"]["n"] == 1
        listed = (await maya.get("/api/evaluations")).json()["evaluations"]
        assert [each["id"] for each in listed] == [found["id"]]
        turn = await maya.get(f"/api/turns/{found['rows'][0]['turn_id']}")
        assert turn.json()["conversation_id"] == found["conversation_id"]
    async with api_of(parts, NOAH) as noah:
        for path in ("", "/events", "/export"):
            assert (await noah.get(f"/api/evaluations/{found['id']}{path}")).status_code == 404


async def test_events_count_without_gaps_and_resume_behind_the_last(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        found = await evaluated(maya)
        path = f"/api/evaluations/{found['id']}/events"
        every = events_of(await maya.get(path))
        assert [each["seq"] for each in every] == [0, 1, 2]
        assert [each["kind"] for each in every] == ["question_evaluated", "question_evaluated", "evaluation_finished"]
        assert [each["done"] for each in every] == [1, 2, 2]
        rest = await maya.get(path, headers={"Last-Event-ID": "0"})
        assert events_of(rest) == every[1:]
        assert (await maya.get(path, headers={"Last-Event-ID": "2"})).status_code == 204
        for unknown in ("3", "x", "-2"):
            assert (await maya.get(path, headers={"Last-Event-ID": unknown})).status_code == 422


async def test_two_evaluations_are_compared_question_by_question(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        before, after = await evaluated(maya), await evaluated(maya, passages_wanted=2)
        assert after["options"]["passages_wanted"] == 2
        compared = (await maya.get(f"/api/evaluations/{after['id']}?against={before['id']}")).json()["against"]
        assert compared["id"] == before["id"]
        gold = compared["differences"]["gold"]
        assert (gold["mean"], gold["low"], gold["high"], gold["n"]) == (0, -1, 1, 1)


async def test_a_set_is_uploaded_evaluated_exported_and_removed(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        added = await maya.post("/api/question-sets?title=Tea", content=SET.encode())
        assert (added.status_code, added.json()["title"], added.json()["questions"]) == (201, "Tea", 2)
        again = await maya.post("/api/question-sets", json={"title": "Tea", "text": SET})
        assert again.json()["questions"] == 2
        await maya.delete(f"/api/question-sets/{again.json()['name']}")
        names = [each["name"] for each in (await maya.get("/api/question-sets")).json()["question_sets"]]
        assert names == ["bundled", added.json()["name"]]
        found = await evaluated(maya, questions=added.json()["name"])
        assert found["title"] == "Tea"
        file = await maya.get(f"/api/evaluations/{found['id']}/export")
        rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
        assert sorted(row["question"] for row in rows) == ["'=How hot is green tea brewed?", "How hot is it?"]
        assert (await maya.get(f"/api/evaluations/{found['id']}/export?as=json")).json() == found
        assert (await maya.get(f"/api/evaluations/{found['id']}/export?as=xls")).status_code == 422
        assert (await maya.delete(f"/api/question-sets/{added.json()['name']}")).status_code == 204
        gone = await maya.post("/api/evaluations", json={"questions": added.json()["name"]})
        assert gone.status_code == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"questions": []}, "no question"),
        ({"questions": [{"question": "a"}, {"question": "b", "gold": "c"}]}, "Line 2"),
        ({"questions": [{"question": "a"}], "metrics": ["gold"]}, "gold"),
        ({"questions": [{"question": "a"}], "metrics": ["bleu"]}, "metric"),
        ({"questions": "bundled", "model": "gone"}, "model"),
        ({"questions": 7}, "questions"),
        ({"questions": "ratings"}, "no question"),
        ({}, "questions"),
    ],
)
async def test_what_cannot_be_evaluated_is_422_and_nothing_is_stored(parts: Parts, body: Any, said: str) -> None:
    async with api_of(parts, MAYA) as maya:
        refused = await maya.post("/api/evaluations", json=body)
        assert refused.status_code == 422
        assert said in refused.json()["detail"]
        assert (await maya.get("/api/evaluations")).json() == {"evaluations": []}


async def test_a_bad_file_is_422_with_its_line(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        for content, line in ((b"question,gold\na,b\n", 1), (b"question\na\n\xff\n", 3), (b'{"question": 7}', 1)):
            refused = await maya.post("/api/question-sets", content=content)
            assert refused.status_code == 422
            assert f"Line {line}" in refused.json()["detail"]
        assert len((await maya.get("/api/question-sets")).json()["question_sets"]) == 1
    async with api_of(parts, None) as nobody:
        assert (await nobody.post("/api/question-sets", content=SET.encode())).status_code == 422


async def test_a_stopped_evaluation_says_so(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        begun = (await maya.post("/api/evaluations", json={"questions": QUESTIONS * 20})).json()
        stopped = (await maya.post(f"/api/evaluations/{begun['id']}/stop")).json()
        assert stopped["state"] == "stopped"
        assert events_of(await maya.get(f"/api/evaluations/{begun['id']}/events"))[-1]["kind"] == "evaluation_stopped"
        assert (await maya.post(f"/api/evaluations/{begun['id']}/resume")).status_code == 422
