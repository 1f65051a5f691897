"""Measures many streams at once: how many finish, how late the first token is, how even tokens arrive, what it costs.

Clients are raw sockets that count what arrives, since any HTTP client costs more than the measured servers. A page is
a client that speaks Gradio's queue protocol as the browser does: load, ask, follow and settle, each with its own
stream.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

import httpx

from bench.processes import cpu_of, memory_of

QUESTION = "Why does water temperature change the taste of coffee?"
RAMP_S = 2.0
PATIENCE_S = 60.0  # a stream that takes this much longer than the provider does has failed
BLOCK_BYTES = 1 << 16


@dataclass(slots=True)
class Stream:
    """What one client observed: when it asked, when data arrived, and whether the stream was complete."""

    asked_at: float
    first_at: float | None = None
    news_at: list[float] = field(default_factory=list)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Crowd:
    """One cell of the table: `wanted` streams and what they cost the server."""

    streams: tuple[Stream, ...]
    wanted: int
    cpu_s: float
    memory_mib: float

    @property
    def held(self) -> int:
        """The number of streams that were complete."""
        return sum(stream.ended for stream in self.streams)


Client = Callable[[Stream, str], Awaitable[None]]  # takes the model's label
Opened = Callable[[], Awaitable[Client]]


async def crowd_of(opened: Opened, model: str, wanted: int, lasts_s: float, pid: int) -> Crowd:
    """Run `wanted` clients that start evenly within the ramp, until the last one is done."""
    clients = [await opened() for _ in range(wanted)]

    async def one(number: int) -> Stream:
        await asyncio.sleep(RAMP_S * number / wanted)
        stream = Stream(time.perf_counter())
        try:
            async with asyncio.timeout(lasts_s + PATIENCE_S):
                await clients[number](stream, model)
        except (OSError, TimeoutError, EOFError, AssertionError):
            stream.ended = False
        return stream

    before_s = cpu_of(pid)
    streams = await asyncio.gather(*(one(number) for number in range(wanted)))
    return Crowd(tuple(streams), wanted, cpu_of(pid) - before_s, memory_of(pid))


# Clients -----------------------------------------------------------------------------------------------------------


def provider_client(base: str) -> Opened:
    """A client of the provider itself, as the lower bound."""
    body = {"messages": [{"role": "user", "content": QUESTION}], "stream": True}

    async def ask(stream: Stream, model: str) -> None:
        url = f"{base}/chat/completions"
        await watch(stream, url, {**body, "model": model}, b'"content":', b"hot", b"data: [DONE]")

    return always(ask)


def fastapi_client(url: str) -> Opened:
    """A client of the bare FastAPI stream."""

    async def ask(stream: Stream, model: str) -> None:
        await watch(stream, f"{url}/stream?model={model}", {}, b"event: token", b"hot", b"event: end")

    return always(ask)


def api_client(url: str) -> Opened:
    """A client of our API."""

    async def ask(stream: Stream, model: str) -> None:
        body, delta = {"question": QUESTION, "model": model}, b"event: field_delta"
        await watch(stream, f"{url}/api/turns", body, delta, delta, b"event: turn_finished")

    return always(ask)


def gradio_client(url: str) -> Opened:
    """A client of the bare Gradio generator."""
    submit = listener(url, "submit")

    async def ask(stream: Stream, model: str) -> None:
        await run(stream, url, secrets.token_hex(6), submit, b"hot", question=model)

    return always(ask)


def page_client(url: str) -> Opened:
    """A client of our page; it counts the views while the turn runs."""
    load, submit, follow, then = (listener(url, event) for event in ("load", "submit", "follow", "then"))

    async def opened() -> Client:
        session, visitor = secrets.token_hex(6), secrets.token_urlsafe(24)
        await run(Stream(0.0), url, session, load, visitor=visitor)

        async def ask(stream: Stream, model: str) -> None:
            await run(Stream(0.0), url, session, submit, visitor=visitor, question=QUESTION)
            await run(stream, url, session, follow, b"said reason")
            await run(Stream(0.0), url, session, then, visitor=visitor)

        return ask

    return opened


def always(client: Client) -> Opened:
    """Wrap a client that needs no opening."""

    async def opened() -> Client:
        return client

    return opened


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener of a Gradio page: its number, and the values of its inputs as long as nobody touched them."""

    number: int
    inputs: tuple[Any, ...]
    question_at: int | None
    visitor_at: int | None

    def given(self, question: str, visitor: str) -> list[Any]:
        """Return the inputs with question and visitor filled in."""
        values = list(self.inputs)
        for at, value in ((self.question_at, question), (self.visitor_at, visitor)):
            if at is not None:
                values[at] = value
        return values


def listener(url: str, event: str) -> Listener:
    """Return the first listener of that event in the page's configuration."""
    config = httpx.get(f"{url}/config").json()
    props = {each["id"]: each["props"] for each in config["components"]}
    found = next(each for each in config["dependencies"] if event in {name for _, name in each["targets"]})
    inputs = [props[number] for number in found["inputs"]]
    source = found["targets"][0][0]
    return Listener(
        int(found["id"]),
        tuple(each.get("value", each.get("default_value")) for each in inputs),
        next((at for at, number in enumerate(found["inputs"]) if number == source), None),
        next((at for at, each in enumerate(inputs) if each.get("storage_key") == "glassbox-visitor"), None),
    )


async def run(
    stream: Stream,
    url: str,
    session: str,
    asked: Listener,
    text: bytes = b"process_completed",
    *,
    question: str = "",
    visitor: str = "",
) -> None:
    """Run a Gradio listener: join its queue, then read the session's stream until it is done."""
    body = {"data": asked.given(question, visitor), "fn_index": asked.number, "session_hash": session}
    reader, writer = await request(f"{url}/gradio_api/queue/join", {**body, "event_data": None, "trigger_id": None})
    try:
        assert b" 200 " in await reader.readline()
        await reader.read()
    finally:
        writer.close()
    source = f"{url}/gradio_api/queue/data?session_hash={session}"
    await watch(stream, source, None, b'"msg":"process_generating"', text, b'"msg":"process_completed"')
    assert stream.ended


async def watch(stream: Stream, url: str, body: Any, news: bytes, text: bytes, end: bytes) -> None:
    """Read one answer to its end, noting when a block brought `news`, first `text`, and that `end` came."""
    reader, writer = await request(url, body)
    tail, keep = b"", max(map(len, (news, text, end))) - 1
    try:
        while not stream.ended and (block := await reader.read(BLOCK_BYTES)):
            now, seen = time.perf_counter(), tail + block
            if stream.first_at is None and text in seen:
                stream.first_at = now
            if stream.first_at is not None and (count := seen.count(news) - tail.count(news)):
                stream.news_at += [now] * count
            stream.ended = end in seen
            tail = seen[-keep:]
    finally:
        writer.close()


async def request(url: str, body: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """POST a body as JSON, or GET without one."""
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    sent = b"" if body is None else json.dumps(body).encode()
    path = address.path + (f"?{address.query}" if address.query else "")
    method = "GET" if body is None else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    writer.write(head.encode() + sent)
    await writer.drain()
    return reader, writer


# The table ---------------------------------------------------------------------------------------------------------

HEAD = (
    "| road | streams | held | failed | first token p50 / p95, s | gap p95, ms | updates per stream and s "
    "| CPU per token, µs | CPU of a core | memory, MiB |\n|---|---|---|---|---|---|---|---|---|---|"
)


def row(name: str, crowd: Crowd, tokens: int) -> str:
    """Format one line with the times of the complete streams."""
    held = [stream for stream in crowd.streams if stream.ended and stream.first_at and len(stream.news_at) > 1]
    if not held:
        return f"| {name} | {crowd.wanted} | 0 | {crowd.wanted} | – | – | – | – | – | {crowd.memory_mib:.0f} |"
    firsts = [stream.first_at - stream.asked_at for stream in held if stream.first_at]
    gaps = [after - before for stream in held for before, after in pairwise(stream.news_at)]
    rates = [len(stream.news_at) / (stream.news_at[-1] - stream.news_at[0]) for stream in held]
    took_s = max(stream.news_at[-1] for stream in held) - min(stream.asked_at for stream in held)
    cells = (
        name,
        str(crowd.wanted),
        str(crowd.held),
        str(crowd.wanted - crowd.held),
        f"{median(firsts):.2f} / {p95(firsts):.2f}",
        f"{p95(gaps) * 1e3:.0f}",
        f"{median(rates):.1f}",
        f"{crowd.cpu_s / (crowd.wanted * tokens) * 1e6:.0f}",
        f"{crowd.cpu_s / took_s:.0%}",
        f"{crowd.memory_mib:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
