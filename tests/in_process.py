"""Turns and requests of the API in this process, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx

from pipeline.events import Event
from pipeline.models.catalogue import Models
from pipeline.programs.profiles import Profile, Profiles, set_of
from pipeline.settings import ModelEntry, Settings
from pipeline.turn import TurnRequest
from pipeline.turns.engine import Pipeline
from server import Parts, application, build
from tests.provider import Provider
from tests.scripted import TeaIndex


async def events_of(pipeline: Pipeline, request: TurnRequest) -> list[Event]:
    """Ask, and read to the end."""
    turn = await pipeline.start(request)
    return [event async for event in pipeline.follow(turn.id) if event]


@asynccontextmanager
async def tea_parts(
    folder: Path,
    provider: Provider,
    models: Iterable[str] | Mapping[str, str] = ("ok",),
    profiles: Sequence[Profile] = (),
    **more: Any,
) -> AsyncGenerator[Parts]:
    """The parts of an app over `TeaIndex` and models of the local provider, the first one its default.

    A model is called by what it does, or by the key of a mapping to that. `more` are further settings.
    """
    does = models if isinstance(models, Mapping) else {each: each for each in models}
    entries = tuple(
        ModelEntry(label=label, model=f"hosted_vllm/{each}", api_base=provider.base) for label, each in does.items()
    )
    given = {"models": entries, "default_model": entries[0].label, "ollama_base_url": "off", **more}
    settings = Settings(data_dir=folder, **given)
    parts = build(
        settings,
        index=cast("Any", TeaIndex()),
        models=Models(settings, pace_s=0),
        profiles=Profiles(lambda: set_of(*profiles)),
    )
    yield parts
    await parts.end_turns()
    parts.store.close()


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
