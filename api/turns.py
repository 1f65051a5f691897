"""`POST /api/turns`: a question in, its events out as server-sent events. The wire is fixed; see the README.

All checks are a dependency, since an error raised inside the stream would come after the 200 and only break the body.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import re
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, StrictFloat, StrictInt, StrictStr, ValidationError

from api.faults import TooLarge
from pipeline.conversation import TurnRequest
from pipeline.errors import Refused
from pipeline.events import Event, to_wire
from pipeline.turns import Pipeline, RunningTurn

BODY_LIMIT_BYTES = 1_000_000
HEARTBEAT_S = 10.0
HEARTBEAT = b": waiting\n"
VISITOR = re.compile(r"[A-Za-z0-9_-]{16,128}")
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx and its kin must not collect


class Ask(BaseModel):
    """The body. Ranges are checked where the page's are: in `Pipeline.start`."""

    model_config = ConfigDict(extra="forbid")

    question: StrictStr
    conversation_id: StrictStr | None = None
    model: StrictStr | None = None
    passages_wanted: StrictInt = 4
    history_turns: StrictInt = 4
    temperature: StrictFloat | StrictInt | None = None
    max_tokens: StrictInt | None = None
    instructions: StrictStr | None = None


def routes(pipeline: Pipeline) -> APIRouter:
    """The routes that answer questions."""
    router = APIRouter()

    async def started(request: Request) -> RunningTurn:
        """Read, check and start. Raises GlassboxError, which `faults` turns into a status."""
        visitor = request.headers.get("x-visitor")
        if visitor is not None and not VISITOR.fullmatch(visitor):
            raise Refused("invalid_visitor")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused("invalid_request")  # a form of another site can send any other type without asking
        try:
            ask = Ask.model_validate_json(await _body(request))
        except ValidationError as error:
            raise Refused("invalid_request") from error
        return await pipeline.start(TurnRequest(visitor=visitor, **ask.model_dump()))

    @router.post("/api/turns")
    async def turns(turn: Annotated[RunningTurn, Depends(started)]) -> StreamingResponse:
        body = _stream(pipeline.batches(turn.id, beat_s=HEARTBEAT_S))
        return StreamingResponse(body, media_type="text/event-stream", headers=STREAM_HEADERS)

    return router


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise TooLarge
    return bytes(body)


async def _stream(batches: AsyncGenerator[tuple[Event, ...], None]) -> AsyncGenerator[bytes, None]:
    try:
        async for batch in batches:
            yield b"".join(map(_sse, batch)) or HEARTBEAT
    finally:
        await batches.aclose()


def _sse(event: Event) -> bytes:
    return format_sse_event(event=event.kind, id=str(event.seq), data_str=to_wire(event).decode())
