"""API_TOKEN: which routes ask for it, and how a program sends it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import SecretStr

import server
from api.access import authorised, authorised_or_signed
from api.origins import GUARDED
from pipeline.settings import ROOT, Settings
from server import Parts, application
from tests.in_process import api_of

TOKEN = "token-0123456789abcdef"
QUESTION = {"question": "Why does water temperature change the taste of coffee?", "stream": False}
# Routes that ask for no token: the page's, everybody's, and those with a rule of their own.
FREE = {
    "/health",
    "/metrics",
    "/api/stats",
    "/gradio_api/upload",
    "/login/huggingface",
    "/login/callback",
    "/logout",
    "/openapi.json",
    "/docs",
    "/agents.md",
}


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    settings = Settings(data_dir=tmp_path, api_token=SecretStr(TOKEN), cors_origins=("https://widget.example",))
    parts = server.build(settings)
    yield parts
    await parts.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts) as client:
        yield client


async def test_every_route_of_programs_asks_for_the_token(parts: Parts) -> None:
    routes = [each for each in application(parts).routes if isinstance(each, APIRoute)]
    asking = {authorised, authorised_or_signed}
    free = {each.path for each in routes if not asking & {inner.call for inner in each.dependant.dependencies}}
    keyed_or_public = {path for path in free if path.startswith(("/api/public/", "/passages/{key}"))}
    assert free - keyed_or_public == FREE & {each.path for each in routes}


def test_the_documentation_lists_what_is_free_of_the_token() -> None:
    told = (ROOT / "docs/api.md").read_text("utf-8").partition("`API_TOKEN`, every request")[2].partition("\n\n")[0]
    assert all(f"`{path}`" in told for path in FREE)


@pytest.mark.parametrize("sent", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
async def test_a_request_without_the_token_is_refused_before_anything_is_read(
    client: httpx.AsyncClient, sent: str | None
) -> None:
    headers = {} if sent is None else {"Authorization": sent}
    for method, path in (("POST", "/api/turns"), ("GET", "/api/models"), ("GET", "/api/search?q=tea")):
        refused = await client.request(method, path, headers=headers, content=b"{")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert list(refused.json()) == ["detail"]
        assert TOKEN not in refused.text


async def test_the_token_gives_access(client: httpx.AsyncClient) -> None:
    for scheme in ("Bearer", "bearer"):
        answered = await client.post("/api/turns", json=QUESTION, headers={"Authorization": f"{scheme} {TOKEN}"})
        assert answered.json()["kind"] == "turn_finished"
    assert (await client.get("/health")).status_code == 200


async def test_options_are_answered_without_a_token(client: httpx.AsyncClient) -> None:
    for path in (f"{prefix.rstrip('/')}/x" for prefix in GUARDED):
        plain = await client.options(path)
        assert (plain.status_code, "POST" in plain.headers["allow"]) == (204, True)
    preflight = {"Origin": "https://widget.example", "Access-Control-Request-Method": "POST"}
    wanted = {**preflight, "Access-Control-Request-Headers": "content-type, authorization, x-stainless-os"}
    allowed = await client.options("/api/turns", headers=wanted)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://widget.example")
    refused = await client.options("/api/turns", headers={**wanted, "Origin": "https://other.example"})
    assert refused.status_code == 403
