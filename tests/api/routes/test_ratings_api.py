"""Thumbs with what is said beside them: kept for their owner, given as a data set, erased with the conversation."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import dspy
import httpx
import pytest
from pydantic import SecretStr

from pipeline.database.store import RATED
from pipeline.feedback import COMMENT_CHARS, MOST_TAGS, Feedback
from pipeline.programs.chain_of_thought import AnswerFromPassages
from pipeline.turn import Conversation, Turn
from server import Parts
from tests.in_process import api_of, tea_parts
from tests.provider import Provider

MAYA, NOAH, USER = "m" * 32, "n" * 32, "user:" + "a" * 64
TOKEN = "token-of-the-host"
FROM_ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}
COMMENT, RIGHT = "=It names green tea, I asked about coffee.", "Coffee wants water of 93 °C."


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(tmp_path, provider, metrics_token=SecretStr(TOKEN)) as parts:
        yield parts


async def asked(client: httpx.AsyncClient, question: str = "How hot?") -> dict[str, Any]:
    answer = await client.post("/api/turns", json={"question": question, "stream": False})
    return dict(answer.json())


async def rate(client: httpx.AsyncClient, turn: dict[str, Any], **body: Any) -> int:
    return (await client.post(f"/api/turns/{turn['turn_id']}/rating", json=body)).status_code


async def ratings(client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/ratings", params=query)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return list(answer.json()["ratings"])


async def test_a_thumb_alone_is_a_rating_and_the_rest_can_be_said_later(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        turn = await asked(maya)
        assert await rate(maya, turn, rating=-1) == 204
        [row] = await ratings(maya)
        assert (row["rating"], row["comment"], row["corrected"], row["tags"]) == (-1, "", "", [])
        assert await rate(maya, turn, rating=-1, comment=f"  {COMMENT} ") == 204
        assert await rate(maya, turn, rating=-1, corrected=RIGHT, tags=["wrong", " tea", "wrong"]) == 204
        [row] = await ratings(maya)
        assert (row["comment"], row["corrected"], row["tags"]) == (COMMENT, RIGHT, ["wrong", "tea"])
        assert (row["question"], row["answered"]) == ("How hot?", turn["fields"]["answer"])
        assert (row["model"], row["program"], row["turn_id"]) == ("ok", "ChainOfThought", turn["turn_id"])
        assert row["options"]["passages_wanted"] == 4
        assert "Green tea wants water of 80 °C." in row["passages"]
        assert await rate(maya, turn, rating=1, comment="") == 204
        [row] = await ratings(maya)
        assert (row["rating"], row["comment"], row["corrected"]) == (1, "", RIGHT)


async def test_a_thumb_that_is_taken_back_leaves_nothing_of_what_was_said(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        turn = await asked(maya)
        await rate(maya, turn, rating=-1, comment=COMMENT, tags=["wrong"])
        assert await rate(maya, turn, rating=0) == 204
        assert await ratings(maya) == []
        await rate(maya, turn, rating=1)
        assert (await ratings(maya))[0]["comment"] == ""


async def test_nobody_rates_or_reads_what_is_not_theirs(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya, api_of(parts, NOAH) as noah, api_of(parts) as nobody:
        turn = await asked(maya)
        for client in (noah, nobody):
            assert await rate(client, turn, rating=1) == 404
        await rate(maya, turn, rating=1)
        assert await ratings(noah) == await ratings(nobody) == []
        open_turn = await asked(nobody)
        assert await rate(noah, open_turn, rating=1) == 204  # it belongs to whoever knows its id
        assert await ratings(noah) == []


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("rating", {}),
        ("rating", {"rating": 2}),
        ("rating", {"rating": "1"}),
        ("rating", {"rating": True}),
        ("comment", {"rating": 1, "comment": "x" * (COMMENT_CHARS + 1)}),
        ("corrected", {"rating": 1, "corrected": 7}),
        ("tags", {"rating": 1, "tags": "wrong"}),
        ("tags", {"rating": 1, "tags": ["a,b"]}),
        ("tags", {"rating": 1, "tags": ["x" * 41]}),
        ("tags", {"rating": 1, "tags": [str(each) for each in range(MOST_TAGS + 1)]}),
    ],
)
async def test_a_value_out_of_its_limits_is_refused_by_its_key_and_changes_nothing(
    parts: Parts, key: str, body: dict[str, Any]
) -> None:
    async with api_of(parts, MAYA) as maya:
        turn = await asked(maya)
        await rate(maya, turn, rating=-1, comment=COMMENT)
        refused = await maya.post(f"/api/turns/{turn['turn_id']}/rating", json=body)
        assert refused.status_code == 422
        assert f"The key {key} " in refused.json()["detail"]
        [row] = await ratings(maya)
        assert (row["rating"], row["comment"]) == (-1, COMMENT)


async def test_the_limits_hold_for_the_page_too(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        turn = await asked(maya)
    with pytest.raises(Exception, match="invalid_value"):
        await parts.conversations.rate(turn["turn_id"], MAYA, 1, comment="x" * (COMMENT_CHARS + 1))


async def test_dspy_takes_the_lines_as_a_data_set_with_the_right_answers(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        turns = [await asked(maya, f"How hot {each}?") for each in range(3)]
        await rate(maya, turns[0], rating=1)
        await rate(maya, turns[1], rating=-1, corrected=RIGHT)
        await rate(maya, turns[2], rating=-1, comment=COMMENT)
        file = await maya.get("/api/ratings", params={"as": "jsonl"})
    assert file.headers["content-type"] == "application/x-ndjson"
    assert 'filename="ratings.jsonl"' in file.headers["content-disposition"]
    rows = [json.loads(line) for line in file.text.splitlines()]
    examples = [dspy.Example(**row).with_inputs("question") for row in rows]
    assert [each.inputs().toDict() for each in examples] == [{"question": f"How hot {at}?"} for at in (2, 1, 0)]
    assert [each.answer for each in examples] == [None, RIGHT, turns[0]["fields"]["answer"]]
    demos = dspy.LabeledFewShot(k=2).compile(dspy.Predict(AnswerFromPassages), trainset=examples[1:]).demos
    assert {each.answer for each in demos} == {RIGHT, turns[0]["fields"]["answer"]}


async def test_a_spreadsheet_gets_the_same_rows_without_formulas(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        await rate(maya, await asked(maya), rating=-1, comment=COMMENT, tags=["wrong", "tea"])
        [row] = await ratings(maya)
        file = await maya.get("/api/ratings", params={"as": "csv"})
        [read] = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
        assert list(read) == list(row)
        assert (read["comment"], read["tags"], read["rating"]) == ("'" + COMMENT, "wrong, tea", "'-1")
        refused = await maya.get("/api/ratings", params={"as": "xml"})
        assert (refused.status_code, "as=jsonl" in refused.json()["detail"]) == (422, True)


async def test_who_runs_glassbox_gets_the_ratings_of_all(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya, api_of(parts) as nobody:
        for client in (maya, nobody):
            await rate(client, await asked(client), rating=1)
        assert len(await ratings(nobody, of="all")) == 2
        refused = await maya.get("/api/ratings", params={"of": "all"}, headers=FROM_ELSEWHERE)
        assert refused.status_code == 404
        token = {**FROM_ELSEWHERE, "Authorization": f"Bearer {TOKEN}"}
        assert len((await maya.get("/api/ratings", params={"of": "all"}, headers=token)).json()["ratings"]) == 2


async def test_ratings_go_with_their_conversation_and_to_the_user_who_signs_in(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        kept, gone = await asked(maya), await asked(maya)
        for turn in (kept, gone):
            await rate(maya, turn, rating=-1, comment=COMMENT)
        await parts.conversations.delete(gone["conversation_id"], MAYA)
        assert [each["turn_id"] for each in await ratings(maya)] == [kept["turn_id"]]
        await parts.pipeline.adopt(MAYA, USER)
        assert await ratings(maya) == []
    [adopted] = await parts.conversations.rated(USER)
    assert (adopted.id, adopted.rating, adopted.feedback.comment) == (kept["turn_id"], -1, COMMENT)


async def test_more_ratings_than_are_read_at_once_all_arrive_in_order(parts: Parts) -> None:
    ids = [f"t{at:03}" for at in range(RATED + 3)]
    conversation = Conversation("c1", MAYA, "")
    for at, id in enumerate(ids):
        await parts.store.open_turn(conversation, Turn(id, "c1", "How hot?", "ok"), continues=at > 0)
        await parts.store.rate(id, MAYA, 1, Feedback(changed_at=float(at // 2)))  # two at a time
    assert [each.id for each in await parts.conversations.rated(MAYA)] == ids[::-1]
