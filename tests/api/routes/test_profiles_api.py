"""`GET /api/profiles`: what is listed, and that an unknown profile is refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from pipeline.models.catalogue import Models
from pipeline.programs.profiles import Profile, Profiles, set_of
from pipeline.settings import Settings
from server import build
from tests.in_process import api_of
from tests.scripted import TeaIndex

DESK = Profile(name="desk", title="Desk", collections=("tea", "secret"), private=frozenset({"secret"}))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient, None]:
    settings = Settings(data_dir=tmp_path)
    parts = build(
        settings,
        index=cast("Any", TeaIndex()),
        models=Models(settings, pace_s=0.0),
        profiles=Profiles(lambda: set_of(DESK)),
    )
    async with api_of(parts) as client:
        yield client
    await parts.pipeline.close()
    parts.store.close()


async def test_profiles_are_listed_without_their_private_collections(client: httpx.AsyncClient) -> None:
    (listed,) = (await client.get("/api/profiles")).json()["profiles"]
    assert listed == {
        "name": "desk",
        "title": "Desk",
        "program": "ChainOfThought",
        "model": "builtin/extractive",
        "collections": ["tea"],
    }


async def test_an_unknown_profile_is_422_before_the_stream(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/turns", json={"question": "How hot?", "profile": "other"})
    assert answer.status_code == 422
    assert "GET /api/profiles" in answer.json()["detail"]
