"""LiteLLM's connections from the outside: where a redirect leads, and whether a stream came to its end."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from pipeline.transports.litellm_transport import WatchedTransport, Wire, wire

TEXT = b'data: {"choices":[{"delta":{"content":"It says \\"finish_reason\\": \\"stop\\""},"finish_reason":null}]}\n\n'
FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
STREAM = {"content-type": "text/event-stream"}


async def seen(pieces: list[bytes], headers: dict[str, str] = STREAM, **asked: Any) -> bool:
    """Whether a reply of these pieces is taken for a whole one."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    inner = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=body()))
    wire.set(Wire())
    async with httpx.AsyncClient(transport=WatchedTransport(inner)) as client:
        await client.post("http://model/v1/chat/completions", json={"stream": True} | asked)
    return (wire.get() or Wire()).is_whole


@pytest.mark.parametrize(
    ("pieces", "is_whole"),
    [
        ([TEXT, FINISH], True),
        ([TEXT, b"data: [DONE]\n\n"], True),
        ([TEXT, b"data: [DO", b"NE]\n\n"], True),
        ([TEXT, FINISH[:45], FINISH[45:]], True),
        ([TEXT], False),
        ([], False),
    ],
)
async def test_a_stream_is_whole_when_it_says_so(pieces: list[bytes], is_whole: bool) -> None:
    assert await seen(pieces) is is_whole


async def test_what_cannot_be_told_is_not_held_against_a_reply() -> None:
    assert await seen([gzip.compress(TEXT)], STREAM | {"content-encoding": "gzip"})
    assert await seen([b"\0\1"], {"content-type": "application/vnd.amazon.eventstream"})
    assert await seen([b"{}"], {"content-type": "application/json"}, stream=False)
    assert not await seen([FINISH], {"content-type": "application/json"})  # a stream was asked for


async def test_a_redirect_leads_nowhere() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(307, headers={"location": "http://elsewhere/"})

    transport = WatchedTransport(httpx.MockTransport(answer))
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as client:
        reply = await client.post("http://model/v1/chat/completions", json={})
    assert (reply.status_code, asked) == (307, ["model"])
