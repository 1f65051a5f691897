"""Sends a turn over HTTP in any dialect: its events as a stream, or one object at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from api.asking import HEARTBEAT_S, Asked, Batches
from api.dialects import Dialect, Problem
from api.dialects.native import Native
from api.error_responses import error_response, problem_of
from i18n.messages import ending_text
from pipeline.errors import NotFound
from pipeline.events import Ending, TurnFailed, TurnStopped
from pipeline.own_faults import own_fault
from pipeline.recording import Recording, language_of_turn
from pipeline.turn import Turn
from pipeline.turns.running import STATES

JSON = "application/json"
JSON_HEARTBEAT = b" "  # JSON may begin with spaces, and a proxy does not take the answer for dead
NO_RETRY = {"X-Should-Retry": "false"}  # clients of OpenAI's would ask, and pay, twice more: we have tried enough
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx and its kin must not collect


def stream(dialect: Dialect, asked: Asked) -> StreamingResponse:
    """Stream a turn's events. A client gets a heartbeat when it has been sent nothing for a while."""

    async def body() -> AsyncGenerator[bytes, None]:
        try:
            encode, written_at = dialect.encoder(asked.turn), time.monotonic()
            async with aclosing(asked.batches) as batches:
                async for batch in batches:
                    written = encode(batch) if batch else b""
                    if not written and time.monotonic() - written_at >= HEARTBEAT_S / 2:
                        written = dialect.heartbeat
                    if written:
                        written_at = time.monotonic()
                        yield written
                    if dialect.gather_s:
                        await asyncio.sleep(dialect.gather_s)
        except Exception as error:  # noqa: BLE001  the 200 is sent already: what is left is to say how it ends
            yield dialect.broken(problem_of(own_fault(error, "api")))

    return StreamingResponse(body(), media_type=dialect.stream_type, headers=HEADERS)


async def resumed(dialect: Dialect, asked: Asked | None) -> Response:
    """Stream what a client of a GET stream has not got yet.

    Where nothing is left, or nothing is known any more, it is 204: an EventSource comes back after any other ending.
    """
    if asked is None:
        return Response(status_code=204, headers=HEADERS)
    if asked.turn.state == "running":
        return stream(dialect, asked)
    async with aclosing(asked.batches) as batches:
        events = tuple([event async for batch in batches for event in batch])
    if not dialect.encoder(asked.turn)(events):
        return Response(status_code=204, headers=HEADERS)

    async def at_once() -> Batches:
        yield events

    return stream(dialect, Asked(asked.turn, at_once()))


async def answered(dialect: Dialect, asked: Asked, request: Request) -> Response:
    """Wait for the ending and send one object: the finished turn, or an error where it did not finish.

    A client that disconnects leaves the turn at once.
    """
    turn = _with(asked.turn, await _said_until_left(asked.batches, request))
    if turn.state == "finished":
        return Response(dialect.whole(turn), media_type=JSON, headers=HEADERS)
    return error_response(dialect, _unfinished(turn))


def whole(dialect: Native, asked: Asked) -> StreamingResponse:
    """Send one object at the end. It is streamed too, so that the server notices when the client disconnects."""

    async def body() -> AsyncGenerator[bytes, None]:
        said = Recording()
        async with aclosing(asked.batches) as batches:
            async for batch in batches:
                if not batch:
                    yield JSON_HEARTBEAT
                for event in batch:
                    said.add(event)
        try:
            answer = dialect.whole(_with(asked.turn, said))
        except Exception as error:  # noqa: BLE001  the 200 is sent already
            answer = dialect.whole_broken(asked.turn.id, problem_of(own_fault(error, "api")))
        yield answer

    return StreamingResponse(body(), media_type=JSON, headers=HEADERS)


async def _said_until_left(batches: Batches, request: Request) -> Recording:
    """Return all that is said, or what was said until the client disconnected."""
    said = Recording()

    async def read() -> None:
        async with aclosing(batches) as opened:
            async for batch in opened:
                for event in batch:
                    said.add(event)

    async def leave() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    reading, leaving = asyncio.create_task(read()), asyncio.create_task(leave())
    try:
        await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
    finally:
        for task in (reading, leaving):
            task.cancel()
        await asyncio.wait((reading, leaving))
    return said


def _with(turn: Turn, said: Recording) -> Turn:
    """Return a turn with what was said of it."""
    record = said.events()
    ending = record[-1] if record else None
    state = STATES[type(ending)] if isinstance(ending, Ending) else "running"
    return replace(turn, state=state, record=record, fields=said.fields())


def _unfinished(turn: Turn) -> Problem:
    ending, language = turn.record[-1] if turn.record else None, language_of_turn(turn.record)
    if not isinstance(ending, TurnFailed | TurnStopped):
        return problem_of(NotFound("turn"))  # its conversation was deleted meanwhile
    code = ending.code if isinstance(ending, TurnFailed) else "stopped"
    return Problem(502, code, ending_text(ending, language), NO_RETRY)
