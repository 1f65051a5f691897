"""`POST /api/turns` takes a question and returns its events as server-sent events. The wire is fixed; see docs/api.md.

Under `/api/turns/{id}` any program can follow, read and stop a turn. All checks come before the stream: an error inside
it would come after the status 200 and break the body.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import re
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from pydantic_core import to_json

from api.ask_options import options_in, with_options
from api.asking import HEARTBEAT_S, Asked, Asking
from api.dialects import DialectRouter
from api.dialects.native import NATIVE
from api.json_bodies import STRICT, body_of
from api.operations import EXAMPLE_QUESTION, operation, query
from api.streams import stream, whole
from api.visitors import Visitor
from i18n import text
from i18n.event_json import event_json, passages_json
from i18n.messages import warning_text
from pipeline.artifacts.files import artifact_of, csv_file_of, file_of
from pipeline.errors import NotFound, Refused
from pipeline.events import ArtifactFound
from pipeline.exchange_costs import NO_COST, Cost
from pipeline.exchanges import exchanges_to_wire
from pipeline.metrics import estimated_tokens
from pipeline.recording import language_of_turn, timed
from pipeline.retrieval.terms import language_of
from pipeline.turn import AskOptions, Turn, TurnRequest
from pipeline.turns.previewing import PromptPreview

JSON = "application/json"
NOT_STORED = {"Cache-Control": "no-store"}
EXAMPLE = {"question": EXAMPLE_QUESTION, "stream": False}
AFTER = (query("after", "the number of the last event that is known", int),)
FORM = (query("as", "`csv`: a table as CSV"),)
SEQ = re.compile(r"-1|[0-9]{1,9}")


class Ask(BaseModel):
    """The body without the options of the turn."""

    model_config = STRICT

    question: str
    conversation_id: str | None = None
    model: str | None = None
    replaces: str | None = None
    stream: bool = True


AskWithOptions = with_options(Ask, AskOptions)


def routes(asking: Asking) -> DialectRouter:
    """The routes that answer questions."""
    router, pipeline = DialectRouter(NATIVE, "/api/turns"), asking.pipeline

    async def started(request: Request, visitor: Visitor) -> StreamingResponse:
        """Run before the route, so that an error has its own status. Raises GlassboxError."""
        ask = await body_of(request, AskWithOptions)
        asked = await asking.start(request, await _turn_request(ask, request, visitor, asking))
        return stream(NATIVE, asked) if ask.stream else whole(NATIVE, asked)

    @router.post("", **operation("Ask a question", AskWithOptions, example=EXAMPLE, asks=True))
    async def turns(answer: Annotated[StreamingResponse, Depends(started)]) -> StreamingResponse:
        return answer

    @router.post("/preview", **operation("What a model would be sent", AskWithOptions, example=EXAMPLE))
    async def preview(request: Request, visitor: Visitor) -> Response:
        asked = await _turn_request(await body_of(request, AskWithOptions), request, visitor, asking)
        return Response(_preview_json(await pipeline.preview(asked), asked), headers=NOT_STORED, media_type=JSON)

    @router.get("/{turn_id}", **operation("A turn"))
    async def turn(turn_id: str, visitor: Visitor) -> Response:
        found = await pipeline.turn(turn_id, visitor)
        return _json(found, await pipeline.cost(found.conversation_id, visitor))

    @router.get("/{turn_id}/events", **operation("Its events", gives=NATIVE.stream_type, parameters=AFTER))
    async def events(request: Request, turn_id: str, visitor: Visitor) -> StreamingResponse:
        found = await pipeline.turn(turn_id, visitor)  # 404 unless it may be read
        return stream(NATIVE, Asked(found, pipeline.batches(turn_id, _after(request), HEARTBEAT_S)))

    @router.get("/{turn_id}/recording", **operation("Its events with their times"))
    async def recording(turn_id: str, visitor: Visitor) -> Response:
        turn = await pipeline.turn(turn_id, visitor)
        language, events = language_of_turn(turn.record), timed(turn.record, turn.timings)
        body = b",".join(event_json(event, language) for event in events)
        return Response(b'{"events":[' + body + b"]}", media_type=JSON, headers=NOT_STORED)

    @router.get("/{turn_id}/exchanges", **operation("The prompts that models were sent"))
    async def exchanges(turn_id: str, visitor: Visitor) -> Response:
        stored = exchanges_to_wire(await pipeline.exchanges(turn_id, visitor))
        return Response(b'{"exchanges":' + stored + b"}", media_type=JSON, headers=NOT_STORED)

    @router.get("/{turn_id}/artifacts/{index}", **operation("A part as a file", gives="text/plain", parameters=FORM))
    async def artifact(turn_id: str, index: str, request: Request, visitor: Visitor) -> Response:
        turn = await pipeline.turn(turn_id, visitor)
        found = artifact_of(turn.record, index)
        return _download(found, turn.fields.get(found.field, ""), request.query_params.get("as"))

    @router.post("/{turn_id}/stop", **operation("Stop it"))
    async def stop(turn_id: str, visitor: Visitor) -> Response:
        await pipeline.turn(turn_id, visitor)
        await pipeline.stop(turn_id)
        return _json(await pipeline.turn(turn_id, visitor))

    return router


async def _turn_request(ask: Ask, request: Request, visitor: str | None, asking: Asking) -> TurnRequest:
    """Return the request of a turn. Raises NotFound where the replaced turn is of another conversation or unknown."""
    conversation_id = ask.conversation_id
    if ask.replaces is not None:
        replaced = await asking.pipeline.turn(ask.replaces, visitor)
        if conversation_id not in (None, replaced.conversation_id):
            raise NotFound
        conversation_id = replaced.conversation_id
    asked = asking.turn_request(
        request,
        ask.question,
        visitor=visitor,
        model=ask.model,
        options=options_in(ask, AskOptions),
        given=ask.model_fields_set,
        conversation_id=conversation_id,
    )
    return replace(asked, replaces=ask.replaces)


def _preview_json(preview: PromptPreview, asked: TurnRequest) -> bytes:
    language = asked.options.language
    language = language_of(asked.question) if language == "auto" else language
    exchange = preview.exchange
    return to_json(
        {
            "model": exchange.model,
            "parameters": exchange.parameters,
            "messages": exchange.messages,
            "prompt_chars": exchange.prompt_chars,
            "prompt_tokens": sum(estimated_tokens(each.content) for each in exchange.messages),
            "passages": passages_json(preview.passages, language),
            "rejected": passages_json(preview.rejected, language),
            "warnings": [{"code": each.code, "text": warning_text(each, language)} for each in preview.warnings],
            "notes": [{"code": each, "text": text(f"preview.{each}", language)} for each in preview.notes],
        }
    )


def _after(request: Request) -> int:
    """Return the number of the last event that the client received; its header wins over its address."""
    after = request.headers.get("last-event-id") or request.query_params.get("after") or "-1"
    if not SEQ.fullmatch(after):
        raise Refused("unknown_event")
    return int(after)


def _download(artifact: ArtifactFound, text: str, form: str | None) -> Response:
    """Return an artifact as a file. Raises Refused for a form that it does not have."""
    if form not in (None, "csv") or (form == "csv" and artifact.type != "table"):
        raise Refused("artifact_form")
    file = csv_file_of(artifact, text) if form else file_of(artifact, text)
    headers = {
        **NOT_STORED,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
    }
    return Response(file.text.encode(errors="replace"), media_type=file.media_type, headers=headers)


def _json(turn: Turn, conversation_cost: Cost = NO_COST) -> Response:
    return Response(NATIVE.whole(turn, conversation_cost), media_type=JSON, headers=NOT_STORED)
