"""`POST /api/turns`: a question in, its events out as server-sent events. The wire is fixed; see the README.

Under `/api/turns/{id}` a turn is followed, read and stopped, also by another program than the one that asked.
All checks come before the stream, since an error raised inside it would come after the 200 and only break the body.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError

from api.visitors import Visitor
from pipeline.bugs import own_fault
from pipeline.conversation import SearchMode, Turn, TurnRequest
from pipeline.errors import Refused
from pipeline.events import Event, to_wire
from pipeline.limits import is_local
from pipeline.running import RunningTurn
from pipeline.turns import Pipeline

HEARTBEAT_S = 10.0
HEARTBEAT = b": waiting\n"
JSON_HEARTBEAT = b" "  # JSON may begin with spaces, and a proxy does not take the answer for dead
SEQ = re.compile(r"-1|[0-9]{1,9}")
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx and its kin must not collect

Batches = AsyncGenerator[tuple[Event, ...], None]


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
    stream: StrictBool = True
    mode: SearchMode | None = None
    candidates: StrictInt = 50
    reranks: StrictBool = False
    rewrites: StrictBool = False


def routes(pipeline: Pipeline) -> APIRouter:
    """The routes that answer questions."""
    router = APIRouter()

    async def started(request: Request, visitor: Visitor) -> StreamingResponse:
        """Read, check and start. Raises GlassboxError, which `faults` turns into a status."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused("not_json")  # a form of another site can send any other type without asking
        try:
            ask = Ask.model_validate_json(await request.body())
        except ValidationError as error:
            raise Refused("invalid_request") from error
        forwarded_for = ",".join(request.headers.getlist("x-forwarded-for"))
        address = pipeline.address_of(forwarded_for, request.client.host if request.client else "")
        here = is_local(request.url.hostname, request.client.host if request.client else None, request.headers)
        asked = TurnRequest(visitor=visitor, address=address, is_local=here, **ask.model_dump(exclude={"stream"}))
        turn = await pipeline.start(asked)
        batches = pipeline.batches(turn.id, beat_s=HEARTBEAT_S)
        return _events(batches) if ask.stream else _ending(turn, batches)

    @router.post("/api/turns")
    async def turns(answer: Annotated[StreamingResponse, Depends(started)]) -> StreamingResponse:
        return answer

    @router.get("/api/turns/{turn_id}")
    async def turn(turn_id: str, visitor: Visitor) -> Response:
        return _json(await pipeline.turn(turn_id, visitor))

    @router.get("/api/turns/{turn_id}/events")
    async def events(request: Request, turn_id: str, visitor: Visitor) -> StreamingResponse:
        await pipeline.turn(turn_id, visitor)  # 404 unless it may be read
        return _events(pipeline.batches(turn_id, _after(request), HEARTBEAT_S))

    @router.post("/api/turns/{turn_id}/stop")
    async def stop(turn_id: str, visitor: Visitor) -> Response:
        await pipeline.turn(turn_id, visitor)
        await pipeline.stop(turn_id)
        return _json(await pipeline.turn(turn_id, visitor))

    return router


def _after(request: Request) -> int:
    """The last event received: the header of a client that comes back wins over the address it first came with."""
    after = request.headers.get("last-event-id") or request.query_params.get("after") or "-1"
    if not SEQ.fullmatch(after):
        raise Refused("unknown_event")
    return int(after)


def _events(batches: Batches) -> StreamingResponse:
    async def body() -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(batches):
                async for batch in batches:
                    yield b"".join(map(_sse, batch)) or HEARTBEAT
        except Exception as error:  # noqa: BLE001  the 200 is said already: what is left is to say how it ends
            # Without an id: a client that comes back goes on behind the last event that it did get.
            yield format_sse_event(event="turn_failed", data_str=json.dumps(_broken(error)))

    return StreamingResponse(body(), media_type="text/event-stream", headers=STREAM_HEADERS)


def _ending(turn: RunningTurn, batches: Batches) -> StreamingResponse:
    """One object at the end. A stream all the same: it is noticed when the program has left."""

    async def body() -> AsyncGenerator[bytes, None]:
        async with aclosing(batches):
            async for batch in batches:
                if not batch:
                    yield JSON_HEARTBEAT
        try:
            said = _as_json(turn.now)
        except Exception as error:  # noqa: BLE001  the 200 is said already
            said = json.dumps({"turn_id": turn.id, "state": "failed"} | _broken(error)).encode()
        yield said

    return StreamingResponse(body(), media_type="application/json", headers=STREAM_HEADERS)


def _broken(error: Exception) -> dict[str, str]:
    """What is told instead of an event that a bug of ours keeps from being told."""
    fault = own_fault(error, "api")
    return {"kind": "turn_failed", "code": fault.code, "text": fault.text}


def _sse(event: Event) -> bytes:
    return format_sse_event(event=event.kind, id=str(event.seq), data_str=to_wire(event).decode())


def _json(turn: Turn) -> Response:
    return Response(_as_json(turn), media_type="application/json", headers={"Cache-Control": "no-store"})


def _as_json(turn: Turn) -> bytes:
    """A turn as one object: what was asked, and its ending event; as long as it runs what it has said."""
    asked = {
        "turn_id": turn.id,
        "conversation_id": turn.conversation_id,
        "question": turn.question,
        "model": turn.model,
        "asked_at": turn.asked_at,
        "state": turn.state,
        "options": asdict(turn.asked) if turn.asked else None,
    }
    said = {"partial": turn.fields} if turn.state == "running" else json.loads(to_wire(turn.record[-1]))
    return json.dumps({**asked, **said}).encode()
