"""Fakes at the border: a DSPy engine that says what a test wrote down, and a search over a list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from dspy.lm15 import (
    Message,
    Request,
    Response,
    StreamDeltaEvent,
    StreamEndEvent,
    StreamStartEvent,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ThinkingPart,
    Usage,
)

from pipeline.conversation import Passage, Query
from pipeline.models import RecordedLM
from pipeline.retrieval import DEFAULT_OPTIONS, Found, Options, Scope

PASSAGE = Passage(1, "tea.md", "Tea", "Brewing", "Green tea wants water of 80 °C.", 1.5, ((0, 9),))


class ScriptedEngine:
    """Streams `pieces`: text, ("thinking", text), seconds to wait as a float, or an exception to raise.

    What is not streamed gets `whole`, or the same text in one piece.
    """

    def __init__(self, pieces: Sequence[Any], finish: str = "stop", whole: str | None = None) -> None:
        self.pieces, self.finish, self.whole = pieces, finish, whole
        self.requests: list[Request] = []
        self.reached = asyncio.Event()  # the script's first wait
        self.closed = 0  # streams that have been left or have ended

    def complete(self, request: Request) -> Response:
        text = "".join(piece for piece in self.pieces if isinstance(piece, str)) if self.whole is None else self.whole
        thought = "".join(piece[1] for piece in self.pieces if isinstance(piece, tuple))
        return Response(
            id=None,
            model=request.model,
            message=Message.assistant([*([ThinkingPart(thought)] if thought else []), TextPart(text)]),
            finish_reason=self.finish,
            usage=Usage(input_tokens=7, output_tokens=5),
        )

    def stream(self, request: Request) -> Iterator[Any]:
        raise NotImplementedError("programs are async")

    def close(self) -> None:
        pass


class AsyncScriptedEngine:
    """The async half; shares its twin's script."""

    def __init__(self, twin: ScriptedEngine) -> None:
        self.twin = twin

    async def complete(self, request: Request) -> Response:
        self.twin.requests.append(request)
        return self.twin.complete(request)

    async def stream(self, request: Request) -> AsyncIterator[Any]:
        self.twin.requests.append(request)
        try:
            yield StreamStartEvent(model=request.model)
            for piece in self.twin.pieces:
                if isinstance(piece, float):
                    self.twin.reached.set()
                await asyncio.sleep(piece if isinstance(piece, float) else 0)
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, str):
                    yield StreamDeltaEvent(TextDelta(text=piece))
                elif isinstance(piece, tuple):
                    yield StreamDeltaEvent(ThinkingDelta(text=piece[1]))
            yield StreamEndEvent(finish_reason=self.twin.finish, usage=Usage(input_tokens=7, output_tokens=5))
        finally:
            self.twin.closed += 1

    async def aclose(self) -> None:
        pass


def scripted_lm(
    pieces: Sequence[Any], finish: str = "stop", whole: str | None = None
) -> tuple[RecordedLM, ScriptedEngine]:
    """An LM that streams `pieces`, and its engine."""
    engine = ScriptedEngine(pieces, finish, whole)
    lm = RecordedLM("scripted", engine=engine, async_engine=AsyncScriptedEngine(engine), cache=False, num_retries=0)
    return lm, engine


def reply(reasoning: str, answer: str) -> str:
    """What a model that keeps to the format says."""
    return f"[[ ## reasoning ## ]]\n{reasoning}\n\n[[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]\n"


async def find_tea(query: Query, scope: Scope, options: Options = DEFAULT_OPTIONS) -> Found:
    """A search that knows one passage."""
    return Found(query, (PASSAGE,)[: options.passages_wanted], (), "good", "keyword", 0.0)
