"""Turns and requests of the API in this process, without a server."""

from __future__ import annotations

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
