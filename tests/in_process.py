"""Turns and requests of the API in this process, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from pipeline.events import Event
from pipeline.turn import TurnRequest
from pipeline.turns.engine import Pipeline
from server import Parts, application


async def events_of(pipeline: Pipeline, request: TurnRequest) -> list[Event]:
    """Ask, and read to the end."""
    turn = await pipeline.start(request)
    return [event async for event in pipeline.follow(turn.id) if event]


@asynccontextmanager
async def api_of(
    parts: Parts, visitor: str | None = None, base_url: str = "http://127.0.0.1"
) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A client of the API alone, on this machine."""
    headers = {"X-Visitor": visitor} if visitor else {}
    transport = httpx.ASGITransport(application(parts))
    async with httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers) as client:
        yield client


def without_async(client: httpx.AsyncClient) -> httpx.Client:
    """A client for other threads, whose requests are sent by `client` in the loop of the caller."""
    loop = asyncio.get_running_loop()

    def sent(request: httpx.Request) -> httpx.Response:
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = asyncio.run_coroutine_threadsafe(client.send(copy), loop).result(30)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return httpx.Client(transport=httpx.MockTransport(sent))
