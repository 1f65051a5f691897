"""An error is written in the dialect of its path, wherever it arises: before the routes, between them, or in one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from api import guard
from api.bodies import LIMIT_BYTES
from api.dialects import Dialect, DialectRouter, Encoder, Problem
from api.dialects.native import NATIVE
from api.error_responses import HANDLERS, Traced
from api.hosts import Place
from pipeline.errors import Busy, IngestFault, Refused, StoreFault
from pipeline.events import Event
from pipeline.turn import Turn

SECRET = "what somebody asked"


class Shouting:
    """A dialect in capitals. Its errors have an envelope of their own."""

    stream_type = "text/plain"
    heartbeat = b"..."
    gather_s = 0.0

    def encoder(self, turn: Turn) -> Encoder:
        def written(events: Sequence[Event]) -> bytes:
            return b"".join(event.kind.upper().encode() for event in events)

        return written

    def broken(self, problem: Problem) -> bytes:
        return problem.text.upper().encode()

    def whole(self, turn: Turn) -> bytes:
        return json.dumps({"ID": turn.id}).encode()

    def status(self, problem: Problem) -> int:
        return 400 if problem.status == 422 else problem.status

    def error(self, problem: Problem) -> bytes:
        return json.dumps({"ERROR": {"CODE": problem.code, "MESSAGE": problem.text.upper()}}).encode()


ERRORS: dict[str, Exception] = {
    "busy": Busy("rate", 7),
    "refused": Refused("long_question", 8),
    "file": IngestFault("bomb"),
    "store": StoreFault(),
    "http": HTTPException(418, SECRET),
    "bug": ZeroDivisionError(SECRET),
}


def router_of(dialect: Dialect, prefix: str) -> DialectRouter:
    router = DialectRouter(dialect, prefix)

    @router.post("/raise/{name}")
    async def raising(name: str) -> None:
        raise ERRORS[name]

    @router.get("/numbers/{number}")
    async def number(number: int) -> int:
        return number

    return router


def app_of(place: Place) -> FastAPI:
    """Two routers behind all that stands before the routes, as the real ones are."""
    routers = router_of(NATIVE, "/api"), router_of(Shouting(), "/api/shout")
    traced = Middleware(Traced, routers)
    return FastAPI(
        routes=[route for each in routers for route in each.routes],
        openapi_url=None,
        redirect_slashes=False,
        middleware=[traced, *guard.middleware(place), traced],
        exception_handlers=HANDLERS,
    )


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app_of(Place("127.0.0.1")), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


FOREIGN = {"origin": "https://evil.example"}
ASKED: list[tuple[str, str, dict[str, Any], int]] = [
    ("POST", "/raise/busy", {}, 429),
    ("POST", "/raise/refused", {}, 422),
    ("POST", "/raise/file", {}, 413),
    ("POST", "/raise/store", {}, 503),
    ("POST", "/raise/http", {}, 418),
    ("POST", "/raise/bug", {}, 500),
    ("GET", "/numbers/none", {}, 422),
    ("GET", "/no/such/path", {}, 404),
    ("DELETE", "/numbers/1", {}, 405),
    ("POST", "/raise/busy", {"content": b"x" * (LIMIT_BYTES + 1)}, 413),
    ("POST", "/raise/busy", {"headers": FOREIGN}, 403),
    ("GET", "/numbers/1", {"headers": {"host": "rebound.example"}}, 400),
]


@pytest.mark.parametrize(("method", "path", "more", "status"), ASKED)
async def test_the_same_error_is_written_by_the_dialect_of_its_door(
    client: httpx.AsyncClient, method: str, path: str, more: dict[str, Any], status: int
) -> None:
    native = await client.request(method, f"/api{path}", **more)
    shouted = await client.request(method, f"/api/shout{path}", **more)
    assert (native.status_code, shouted.status_code) == (status, 400 if status == 422 else status)
    assert native.headers["content-type"] == shouted.headers["content-type"] == "application/json"
    assert list(shouted.json()) == ["ERROR"]
    assert shouted.json()["ERROR"]["MESSAGE"] == native.json()["detail"].upper()
    assert SECRET.upper() not in (native.text + shouted.text).upper()


async def test_headers_of_an_error_do_not_depend_on_the_dialect(client: httpx.AsyncClient) -> None:
    for prefix in ("/api", "/api/shout"):
        assert (await client.post(f"{prefix}/raise/busy")).headers["retry-after"] == "7"
        assert (await client.delete(f"{prefix}/numbers/1")).headers["allow"] == "GET"


async def test_a_path_that_only_begins_like_a_door_is_not_behind_it(client: httpx.AsyncClient) -> None:
    assert list((await client.get("/api/shouting")).json()) == ["detail"]
    assert list((await client.get("/elsewhere")).json()) == ["detail"]


async def test_a_door_is_found_below_a_public_sub_path() -> None:
    app = app_of(Place.of("127.0.0.1", "https://glass.example/box", 1))
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://glass.example") as client:
        for path in ("/box/api/shout/nothing", "/api/shout/nothing"):
            answer = await client.get(path)
            assert (answer.status_code, list(answer.json())) == (404, ["ERROR"])
