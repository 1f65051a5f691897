"""Measures what a streamed token costs in each dialect: its encoder alone, and the app's whole path over HTTP.

Every dialect writes the same turn. The CPU of an encoder is this process's, that of a path is the app's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import httpx

from api.dialects import Dialect
from api.dialects.analysis_chat import AnalysisChat
from api.dialects.basic_chat import BasicChat
from api.dialects.chat_completions import ChatCompletions
from api.dialects.native import NATIVE
from api.dialects.public_chat import PublicChat
from api.dialects.question_stream import QuestionStream
from api.dialects.responses import Responses
from api.dialects.session_chat import SessionChat
from bench.processes import cpu_of
from pipeline.events import FieldDelta
from pipeline.passages import Passage
from pipeline.turn import Turn

HEAD = """\
| dialect | encoder, µs per token (lowest) | over native | path, µs per token (lowest) | over native | writes |
|---|---|---|---|---|---|"""
NATIVE_NAME = "native"


def link(passage: Passage) -> str:
    """Return the address of a passage."""
    return f"http://127.0.0.1:7860/passages/{passage.number}"


@dataclass(frozen=True, slots=True)
class Door:
    """A dialect, how a program asks a question in it, and what its stream ends with."""

    dialect: Dialect
    path: str
    body: Callable[[str], Mapping[str, Any]]
    ending: str
    method: str = "POST"


DOORS: Mapping[str, Door] = {
    NATIVE_NAME: Door(NATIVE, "/api/turns", lambda said: {"question": said}, "event: turn_finished"),
    "basic_chat": Door(
        BasicChat(), "/chat/basic", lambda said: {"query": said, "meta_params": {"stream": True}}, "[DONE]"
    ),
    "analysis_chat": Door(
        AnalysisChat(),
        "/api/chat/stream",
        lambda said: {"messages": [{"content": said, "sender": "user"}]},
        '"type": "done"',
    ),
    "question_stream": Door(
        QuestionStream(), "/api/question/stream", lambda said: {"question": said}, "event: done", method="GET"
    ),
    "public_chat": Door(
        PublicChat(link=link), "/api/public/chat/stream", lambda said: {"message": said}, '"type": "complete"'
    ),
    "session_chat": Door(SessionChat(link=link), "/ai/chat/stream", lambda said: {"message": said}, "stream_end"),
    "chat_completions": Door(
        ChatCompletions(link, "model", with_usage=True),
        "/v1/chat/completions",
        lambda said: {
            "messages": [{"role": "user", "content": said}],
            "stream": True,
            "stream_options": {"include_usage": True},
        },
        "[DONE]",
    ),
    "responses": Door(
        Responses(link), "/v1/responses", lambda said: {"input": said, "stream": True}, "response.completed"
    ),
}


@dataclass(slots=True)
class Costs:
    """The CPU of each run in seconds, and the writes that a reader of the last one was sent."""

    encoder_s: list[float] = field(default_factory=list)
    path_s: list[float] = field(default_factory=list)
    writes: int = 0


def encoder_cost(dialect: Dialect, turn: Turn) -> float:
    """Return the CPU that writing a turn takes where each event is a write of its own."""
    encode, begun_s = dialect.encoder(turn), time.process_time()
    for event in turn.record:
        encode((event,))
    return time.process_time() - begun_s


async def path_cost(client: httpx.AsyncClient, url: str, pid: int, door: Door, question: str) -> tuple[float, int]:
    """Ask a question at a door → the CPU of the server, and the writes that arrived."""
    asked = {"params": door.body(question)} if door.method == "GET" else {"json": door.body(question)}
    begun_s, writes, tail = cpu_of(pid), 0, b""
    async with client.stream(door.method, url + door.path, **asked) as answer:  # type: ignore[arg-type]
        answer.raise_for_status()
        async for written in answer.aiter_raw():
            writes, tail = writes + 1, written or tail
    assert door.ending in tail.decode(), (door.path, tail[-300:])
    return cpu_of(pid) - begun_s, writes


async def measure(client: httpx.AsyncClient, url: str, pid: int, turn: Turn, question: str, runs: int) -> str:
    """Measure every dialect in turns, so that a slow minute affects all of them; the first round is a warm-up."""
    costs = {name: Costs() for name in DOORS}
    for number in range(runs + 1):
        for name, its in costs.items():
            encoder_s = encoder_cost(DOORS[name].dialect, turn)
            path_s, its.writes = await path_cost(client, url, pid, DOORS[name], question)
            if number:
                its.encoder_s.append(encoder_s)
                its.path_s.append(path_s)
    tokens = sum(isinstance(event, FieldDelta) for event in turn.record)
    rows = [row(name, its, costs[NATIVE_NAME], tokens) for name, its in costs.items()]
    return "\n".join([HEAD, *rows])


async def updates_of(client: httpx.AsyncClient, url: str, question: str) -> tuple[int, int]:
    """Ask in batches of tokens → the batches that came, and the tokens in them."""
    door = DOORS["question_stream"]
    answer = await client.get(url + door.path, params=door.body(question))
    data = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    sizes = [each["batch_size"] for each in data if "batch_size" in each]
    return len(sizes), sum(sizes)


def row(name: str, its: Costs, native: Costs, tokens: int) -> str:
    """Format medians, and the lowest CPU, which the machine's other work affects least."""
    cells = [
        cell
        for runs, base in ((its.encoder_s, native.encoder_s), (its.path_s, native.path_s))
        for cell in (
            f"{median(runs) / tokens * 1e6:.1f} ({min(runs) / tokens * 1e6:.1f})",
            f"{difference(runs, base) / tokens * 1e6:+.1f}",
        )
    ]
    return f"| {name} | {' | '.join(cells)} | {its.writes:,} |"


def difference(runs: Sequence[float], base: Sequence[float]) -> float:
    """Return the median of what each run took longer than the native one of its round."""
    return median(run - other for run, other in zip(runs, base, strict=True))
