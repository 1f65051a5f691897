"""Answers without a stream: what becomes of the turn when the client disconnects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import Request
from starlette.types import Message, Receive, Scope

from api.asking import Asking
from api.citation_links import linker
from api.endpoints import Endpoints
from pipeline.settings import ModelEntry, Settings
from server import Parts, application, build
from tests.provider import Provider
from tests.scripted import TeaIndex

MAYA = "maya-0123456789abcdef"
QUESTION = "How hot should the water be?"
SLOW = "ok-tokens-4000-gap-50"


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider) -> AsyncIterator[Parts]:
    models = (ModelEntry(label=SLOW, model=f"hosted_vllm/{SLOW}", api_base=provider.base),)
    settings = Settings(
        data_dir=tmp_path, models=models, default_model=SLOW, ollama_base_url="off", leave_grace_s=0, turn_timeout_s=0
    )
    parts = build(settings, index=cast("Any", TeaIndex()))
    yield parts
    await parts.pipeline.close()
    parts.store.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/ai/chat", {"message": QUESTION}),
        ("/chat/basic", {"query": QUESTION}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]}),
    ],
)
async def test_a_client_that_disconnects_leaves_its_turn_though_it_is_still_being_written(
    parts: Parts, path: str, body: dict[str, Any]
) -> None:
    request, has_left = scope_of(path), asyncio.Event()

    async def send(message: Message) -> None:
        pass

    answering = asyncio.create_task(application(parts)(request, receiving(json.dumps(body).encode(), has_left), send))
    turn_id = await begun(parts)
    has_left.set()
    await answering
    await parts.pipeline.wait_for_ending(turn_id, 60)
    assert (await parts.pipeline.turn(turn_id, MAYA)).state == "stopped"


async def test_a_client_of_gradios_single_answer_does_too(parts: Parts) -> None:
    has_left = asyncio.Event()
    request = Request(scope_of("/gradio_api/run/ask"), receiving(b"", has_left))
    await request.body()
    endpoints = Endpoints(Asking(parts.pipeline, parts.secret), parts.library, linker(parts.library))

    async def ask() -> list[Any]:
        return [answer async for answer in endpoints.ask(request, question=QUESTION)]

    answering = asyncio.create_task(ask())
    turn_id = await begun(parts)
    has_left.set()
    assert await answering == []
    await parts.pipeline.wait_for_ending(turn_id, 60)
    assert (await parts.pipeline.turn(turn_id, MAYA)).state == "stopped"


def receiving(body: bytes, has_left: asyncio.Event) -> Receive:
    """Receive a body, and the disconnection once the client has left."""
    received = iter([body])

    async def receive() -> Message:
        for sent in received:
            return {"type": "http.request", "body": sent, "more_body": False}
        await has_left.wait()
        return {"type": "http.disconnect"}

    return receive


def scope_of(path: str) -> Scope:
    headers = {"host": "127.0.0.1", "content-type": "application/json", "content-length": "1", "x-visitor": MAYA}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


async def begun(parts: Parts) -> str:
    """Return the id of the visitor's turn as soon as it has said something."""
    while True:
        for conversation in await parts.conversations.list(MAYA):
            if turn_id := parts.pipeline.running(conversation.id):
                turn = await parts.pipeline.turn(turn_id, MAYA)
                if any(turn.fields.values()):
                    return turn_id
        await asyncio.sleep(0.05)
