"""The process's side of its connection to the server: asks for replies and passages, and says what it found."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from itertools import count
from typing import Any, BinaryIO

from dspy.lm15 import (
    Message,
    Request,
    Response,
    StreamDeltaEvent,
    StreamEndEvent,
    StreamStartEvent,
    TextDelta,
    TextPart,
    Usage,
)

from pipeline.errors import ModelFault, SearchFault
from pipeline.optimisation.wire import JOB, REPLY, SAID, AskDocuments, AskModel, Ended, Job, Reply, Said, line
from pipeline.passages import Query
from pipeline.retrieval import DEFAULT_OPTIONS, Scope, SearchOptions, SearchResult


class Connection:
    """Sends requests from any thread, and gives each its reply. The end of stdin ends the process at once."""

    def __init__(self, heard: BinaryIO, said: BinaryIO) -> None:
        self._heard, self._said = heard, said
        self._ids, self._lock = count(), threading.Lock()
        self._open: dict[int, Future[Reply]] = {}

    def job(self) -> Job:
        """Read the job, then go on to hear in a thread."""
        job = JOB.validate_json(self._heard.readline())
        threading.Thread(target=self._hear, daemon=True).start()
        return job

    def say(self, said: Said) -> None:
        """Tell the server something."""
        data = line(SAID, said)
        with self._lock:
            self._said.write(data)
            self._said.flush()

    def ask_model(self, messages: tuple[tuple[str, str], ...], parameters: dict[str, Any]) -> Future[Reply]:
        """Ask for a reply of the model."""
        id, future = self._asked()
        self.say(AskModel(id=id, messages=messages, parameters=parameters))
        return future

    def ask_documents(self, query: Query) -> Future[Reply]:
        """Ask for passages."""
        id, future = self._asked()
        self.say(AskDocuments(id=id, query=query))
        return future

    def end(self) -> None:
        """Say that the job is done, and end the process with all its threads."""
        self.say(Ended())
        os._exit(0)

    def _asked(self) -> tuple[int, Future[Reply]]:
        future: Future[Reply] = Future()
        with self._lock:
            id = next(self._ids)
            self._open[id] = future
        return id, future

    def _hear(self) -> None:
        while data := self._heard.readline():
            reply = REPLY.validate_json(data)
            with self._lock:
                future = self._open.pop(reply.id)
            future.set_result(reply)
        os._exit(1)


class RemoteSearch:
    """The search of programs in the process. A query that was asked before gets the same passages."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found: dict[Query, SearchResult] = {}

    def __deepcopy__(self, memo: Any) -> RemoteSearch:
        return self  # optimisers copy programs, not the documents

    async def __call__(self, query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        """Return what the server finds in the visitor's documents; scope and options are those of the server."""
        if query not in self._found:
            reply = await asyncio.wrap_future(self._connection.ask_documents(query))
            if reply.result is None:
                raise SearchFault
            self._found[query] = reply.result
        return self._found[query]


class RemoteEngine:
    """A DSPy engine whose model the server asks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def complete(self, request: Request) -> Response:
        """Return the complete reply."""
        return _response(request, self._connection.ask_model(_messages(request), _parameters(request)).result())

    def stream(self, request: Request) -> Iterator[Any]:
        """Return the complete reply as a stream of one piece."""
        yield from _events(self.complete(request))

    def close(self) -> None:
        """Nothing is open."""


class AsyncRemoteEngine:
    """The asynchronous engine."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def complete(self, request: Request) -> Response:
        """Return the complete reply."""
        asked = self._connection.ask_model(_messages(request), _parameters(request))
        return _response(request, await asyncio.wrap_future(asked))

    async def stream(self, request: Request) -> AsyncIterator[Any]:
        """Return the complete reply as a stream of one piece."""
        for event in _events(await self.complete(request)):
            yield event

    async def aclose(self) -> None:
        """Nothing is open."""


def _messages(request: Request) -> tuple[tuple[str, str], ...]:
    system = request.system
    parts = [system] if isinstance(system, str) else [getattr(each, "text", "") for each in system or ()]
    head = (("system", "\n\n".join(parts)),) if any(parts) else ()
    return (*head, *((each.role, each.text or "") for each in request.messages))


def _parameters(request: Request) -> dict[str, Any]:
    named = {"temperature": request.config.temperature, "max_tokens": request.config.max_tokens}
    return {name: value for name, value in named.items() if value is not None}


def _response(request: Request, reply: Reply) -> Response:
    if reply.fault:
        raise ModelFault(reply.fault)
    return Response(
        id=None,
        model=request.model,
        message=Message.assistant([TextPart(reply.text)]),
        finish_reason="length" if reply.is_cut else "stop",
        usage=Usage(input_tokens=reply.prompt_tokens, output_tokens=reply.completion_tokens),
    )


def _events(response: Response) -> Iterator[Any]:
    yield StreamStartEvent(model=response.model)
    yield StreamDeltaEvent(TextDelta(text=response.text or ""))
    yield StreamEndEvent(finish_reason=response.finish_reason, usage=response.usage)
