"""The instructions that a visitor's turns were answered by, and how well those went."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.programs.chain_of_thought import DEFAULT_INSTRUCTIONS
from server import Parts
from tests.in_process import api_of, tea_parts
from tests.provider import Provider

MAYA, NOAH, USER = "m" * 32, "n" * 32, "user:" + "a" * 64
OWN = "Answer in one sentence, with the number of its passage."


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(tmp_path, provider) as parts:
        yield parts


async def asked(client: httpx.AsyncClient, **keys: Any) -> dict[str, Any]:
    return dict((await client.post("/api/turns", json={"question": "How hot?", "stream": False, **keys})).json())


async def prompts(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return list((await client.get("/api/prompts")).json()["prompts"])


async def test_every_text_that_was_used_is_there_with_its_turns(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya, api_of(parts, NOAH) as noah, api_of(parts) as nobody:
        for _ in range(2):
            await asked(maya)
        turn = await asked(maya, instructions=OWN)
        await maya.post(f"/api/turns/{turn['turn_id']}/rating", json={"rating": 1})
        own, usual = await prompts(maya)
        assert (own["text"], own["turns"], own["likes"]) == (OWN, 1, 1)
        assert (usual["text"], usual["turns"], usual["liked"]) == (DEFAULT_INSTRUCTIONS, 2, None)
        assert own["liked"]["mean"] == own["succeeded"]["mean"] == 1
        assert own["first_token_s"]["n"] == 1
        assert sum(each["mean"] for each in own["verdicts"].values()) == pytest.approx(1)
        assert await prompts(noah) == await prompts(nobody) == []


async def test_a_text_goes_with_the_last_turn_that_used_it(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya:
        first, second = await asked(maya, instructions=OWN), await asked(maya)
        await parts.conversations.delete(first["conversation_id"], MAYA)
        assert [each["text"] for each in await prompts(maya)] == [DEFAULT_INSTRUCTIONS]
        assert [each.text for each in await parts.store.prompts(MAYA)] == [DEFAULT_INSTRUCTIONS]
        await parts.conversations.delete(second["conversation_id"], MAYA)
    assert await parts.store.prompts(MAYA) == ()


async def test_who_signs_in_takes_the_texts_along_also_those_that_both_used(parts: Parts) -> None:
    async with api_of(parts, MAYA) as maya, api_of(parts, NOAH) as noah:
        await asked(maya)
        await asked(maya, instructions=OWN)
        await asked(noah)
    for visitor in (MAYA, NOAH):
        await parts.pipeline.adopt(visitor, USER)
    assert {each.text for each in await parts.store.prompts(USER)} == {OWN, DEFAULT_INSTRUCTIONS}
    assert await parts.store.prompts(MAYA) == ()
