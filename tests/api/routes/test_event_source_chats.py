"""`/api/chat/stream` and `/api/question/stream`, as `EventSource` and other clients ask them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import server
from pipeline.settings import Settings
from server import Parts
from tests.in_process import api_of

MAYA = "maya-0123456789abcdef"
QUESTION = "Why does water temperature change the taste of coffee?"
STREAMS = (
    f"/api/chat/stream?message={QUESTION}",
    f"/api/question/stream?question={QUESTION}",
    f"/api/public/chat/stream?message={QUESTION}",
)


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    parts = server.build(Settings(data_dir=tmp_path))
    yield parts
    await parts.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts, MAYA) as client:
        yield client


def data_in(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


def ids_in(answer: httpx.Response) -> list[str]:
    return [line[4:] for line in answer.text.splitlines() if line.startswith("id: ")]


@pytest.mark.parametrize("path", STREAMS)
async def test_an_event_source_that_comes_back_asks_no_model_again(
    parts: Parts, client: httpx.AsyncClient, path: str
) -> None:
    first = await client.get(path)
    ids, said = ids_in(first), data_in(first)
    is_opened = path.startswith("/api/public/")  # by an id alone, since no event comes before the first token
    assert len(ids) == len(said) + is_opened
    rest = await client.get(path, headers={"Last-Event-ID": ids[0]})
    assert data_in(rest)[-1] == said[-1]
    for over in (ids[-1], "unknown.3", "?"):
        ended = await client.get(path, headers={"Last-Event-ID": over})
        assert (ended.status_code, ended.content) == (204, b"")
    assert len(await parts.conversations.list(MAYA)) == 1


@pytest.mark.parametrize("path", STREAMS)
async def test_a_page_of_another_site_starts_nothing(parts: Parts, client: httpx.AsyncClient, path: str) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
        assert (await client.get(path, headers=headers)).status_code == 403
    assert await parts.conversations.list(MAYA) == ()


async def test_a_session_of_the_question_stream_is_one_conversation(parts: Parts, client: httpx.AsyncClient) -> None:
    for _ in range(2):
        await client.get(f"/api/question/stream?question={QUESTION}&session_id=mine")
    (conversation,) = await parts.conversations.list(MAYA)
    assert len(await parts.conversations.turns(conversation.id, MAYA)) == 2
