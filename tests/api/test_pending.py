"""What one address may hold of Gradio's queue, and what is remembered of it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.pending import SESSION_CHARS, UNREAD_S, Pending

HERE, THERE = "203.0.113.7", "198.51.100.2"


async def taken(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def nothing(*_: Any) -> Any:
    raise AssertionError


class Queue:
    """Gradio's, as far as `Pending` asks it."""

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}

    def pending(self, session: str) -> int:
        return self.waiting.get(session, 0)

    async def forget(self, session: str) -> None:
        await asyncio.sleep(0)  # others go on meanwhile
        self.waiting.pop(session, None)


async def join(app: Pending, session: str, address: str = HERE) -> int:
    said: list[Message] = []
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/gradio_api/queue/join", "client": (address, 1)}

    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps({"session_hash": session}).encode(), "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    return int(said[0]["status"])


def left_behind(queue: Queue, app: Pending, address: str, count: int) -> None:
    for number in range(count):
        queue.waiting[f"{address}-{number}"] = 1
        app._sessions[address][f"{address}-{number}"] = time.monotonic() - UNREAD_S - 1


async def test_requests_that_tidy_at_once_do_not_trip_over_each_other() -> None:
    queue = Queue()
    app = Pending(taken, queue.pending, queue.forget)
    left_behind(queue, app, HERE, 5)
    assert await asyncio.gather(*(join(app, f"new-{number}") for number in range(8))) == [200] * 8
    assert set(app._sessions[HERE]) == {f"new-{number}" for number in range(8)}


@pytest.mark.parametrize("path", ["queue/data?session_hash=e", "call/ask/e", "call/v2/ask/e"])
async def test_an_event_that_is_read_for_long_is_not_forgotten(path: str) -> None:
    queue = Queue()
    is_read = asyncio.Event()

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        await (taken(scope, receive, send) if scope["method"] == "POST" else is_read.wait())

    app = Pending(reading, queue.pending, queue.forget)
    queue.waiting["e"] = 1
    app._sessions[HERE]["e"] = time.monotonic() - UNREAD_S - 1
    route, _, query = path.partition("?")
    scope = {"type": "http", "method": "GET", "path": f"/gradio_api/{route}", "query_string": query.encode()}
    reader = asyncio.create_task(app(scope, nothing, nothing))
    await asyncio.sleep(0)
    await join(app, "new")
    assert queue.pending("e") == 1
    is_read.set()
    await reader


async def test_a_session_whose_name_is_no_name_is_refused() -> None:
    queue = Queue()
    app = Pending(taken, queue.pending, queue.forget)
    assert await join(app, "a" * SESSION_CHARS) == 200
    assert await join(app, "a" * 500_000) == 422
    assert list(app._sessions[HERE]) == ["a" * SESSION_CHARS]


async def test_an_address_that_never_comes_back_is_not_remembered() -> None:
    queue = Queue()
    app = Pending(taken, queue.pending, queue.forget)
    left_behind(queue, app, THERE, 3)
    app._tidied_at -= UNREAD_S + 1
    await join(app, "new")
    assert list(app._sessions) == [HERE]
