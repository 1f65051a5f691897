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

from pipeline.events import SentenceChecked
from pipeline.messages import Message as Reason
from pipeline.models.lm import RecordedLM
from pipeline.passages import Passage, Query
from pipeline.retrieval import DEFAULT_OPTIONS, IndexedDocument, Scope, SearchOptions, SearchResult
from pipeline.verdicts import Label
from tests.provider import marked

PASSAGE = Passage(1, "tea.md", "Tea", "Brewing", "Green tea wants water of 80 °C.", 1.5, ((0, 9),))


def checked(start: int, end: int, verdict: Label, field: str = "answer") -> SentenceChecked:
    """The verdict on a sentence, which cites the passage above."""
    return SentenceChecked(
        index=0,
        field=field,
        start=start,
        end=end,
        citations=(1,),
        verdict=verdict,
        passage=1,
        quote=(0, 9),
        score=0.5,
        suggested=None,
        reason=Reason("supported"),
    )


class ScriptedEngine:
    """Streams `pieces`: text, ("thinking", text), seconds to wait as a float, or an exception to raise.

    What is not streamed gets `whole`, or the same text in one piece. `later` are the pieces of the second request and
    of those after it; the last script is repeated.
    """

    def __init__(
        self, pieces: Sequence[Any], finish: str = "stop", whole: str | None = None, later: Sequence[Sequence[Any]] = ()
    ) -> None:
        self.scripts, self.finish, self.whole = (pieces, *later), finish, whole
        self.requests: list[Request] = []
        self.reached = asyncio.Event()  # the script's first wait
        self.closed = 0  # streams that have been left or have ended

    @property
    def pieces(self) -> Sequence[Any]:
        """The script of the latest request."""
        return self.scripts[min(max(len(self.requests), 1), len(self.scripts)) - 1]

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
    pieces: Sequence[Any], finish: str = "stop", whole: str | None = None, later: Sequence[Sequence[Any]] = ()
) -> tuple[RecordedLM, ScriptedEngine]:
    """An LM that streams `pieces`, and its engine."""
    engine = ScriptedEngine(pieces, finish, whole, later)
    lm = RecordedLM("scripted", engine=engine, async_engine=AsyncScriptedEngine(engine), cache=False, num_retries=0)
    return lm, engine


def reply(reasoning: str, answer: str) -> str:
    """What a model that keeps to the format says."""
    return marked(reasoning=reasoning, answer=answer)


def cut(text: str, size: int) -> list[str]:
    """A reply in pieces of that many characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def prompts_of(engine: ScriptedEngine) -> list[str]:
    """The text of every prompt that an engine was sent."""
    return [
        "\n".join([str(request.system or ""), *(message.text or "" for message in request.messages)])
        for request in engine.requests
    ]


async def find_tea(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
    """A search that knows one passage."""
    return SearchResult(query, (PASSAGE,)[: options.passages_wanted], (), "good", "keyword", 0.0)


class TeaIndex:
    """An index that knows one passage."""

    titles, modes, reranks = (), ("keyword",), False

    async def __call__(self, *asked: Any) -> Any:
        return await find_tea(*asked)

    async def find(self, document_id: str) -> IndexedDocument | None:
        return next((each for each in await self.documents(None) if each.id == document_id), None)

    async def documents(self, visitor: str | None) -> tuple[IndexedDocument, ...]:
        return (IndexedDocument("tea", "hash", "tea.md", "Tea", "en", None, 1, "shared", None, "", "", 0.0),)

    async def read(self, *asked: Any) -> tuple[Passage, ...]:
        return (PASSAGE,)
