"""`/api/chat/stream`: a chat that answers, checks compliance or analyses a document; and who answers it.

The GET stream is for `EventSource`, which comes back by itself after any ending: every event has an id, and a request
with the header `Last-Event-ID` goes on with that turn instead of asking the model again.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import json
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError

from api.access import AUTHORISED
from api.asking import Asked, Asking
from api.citation_links import Linker
from api.dialects import DialectRouter
from api.dialects.analysis_chat import AnalysisChat
from api.dialects.frames import number_in
from api.dialects.native import NATIVE
from api.json_bodies import TOLERANT, body_of
from api.messages import Message, said_in
from api.operations import EXAMPLE_QUESTION, operation, query
from api.streams import resumed, stream
from api.visitors import Visitor
from i18n.messages import note_text
from pipeline.errors import Refused
from pipeline.models.catalogue import Models
from pipeline.programs.registry import Programs
from pipeline.turn import DEFAULTS, Said

EXAMPLE = {"messages": [{"content": EXAMPLE_QUESTION, "sender": "user"}]}
IN_ADDRESS = (
    query("message", "the question"),
    query("messages", "the messages as JSON, in place of it"),
    query("analysis_type", "general, compliance or document"),
    query("profile", "the profile that answers"),
)
AnalysisType = Literal["general", "compliance", "document"]
# None is the default program.
PROGRAM_NAMES = MappingProxyType({"general": None, "compliance": "Compliance", "document": "DocumentAnalysis"})


class ChatMessage(BaseModel):
    """One message; whoever is not the `user` is the assistant."""

    model_config = TOLERANT

    content: str
    sender: str


class AnalysisRequest(BaseModel):
    """The body of a POST. The last message is the question, those before it are its history."""

    model_config = TOLERANT

    messages: list[ChatMessage]
    analysis_type: AnalysisType = "general"
    profile: str | None = None

    def said(self) -> tuple[str, tuple[Said, ...]]:
        """Return the question and the earlier turns. Raises Refused where the user did not speak last."""
        if not self.messages or self.messages[-1].sender != "user":
            raise Refused("invalid_request")
        *earlier, question = (Message("user" if m.sender == "user" else "assistant", m.content) for m in self.messages)
        # The empty answer keeps the question apart from a message of the user before it.
        return said_in([*earlier, Message("assistant", ""), question])


def routes(asking: Asking, programs: Programs, linker: Linker) -> DialectRouter:
    """The routes of the chat. A `linker` makes the links of sources for one request."""
    router = DialectRouter(AnalysisChat(programs), "/api/chat")

    async def asked_by(request: Request, body: AnalysisRequest, visitor: str | None) -> Asked:
        question, history = body.said()
        options = replace(DEFAULTS, program=PROGRAM_NAMES[body.analysis_type], profile=body.profile)
        given = [name for name in ("program", "profile") if getattr(options, name) is not None]
        wanted = asking.turn_request(request, question, visitor=visitor, options=options, given=given, history=history)
        return await asking.start(request, wanted)

    @router.post("/stream", **operation("Ask for an analysis", AnalysisRequest, example=EXAMPLE, asks=True))
    async def chat_stream(request: Request, visitor: Visitor) -> Response:
        body = await body_of(request, AnalysisRequest)
        dialect = AnalysisChat(programs, body.said()[1], link=linker(request))
        return stream(dialect, await asked_by(request, body, visitor))

    @router.get("/stream", **operation("Analysis by EventSource", parameters=IN_ADDRESS, asks=True))
    async def chat_stream_of_event_source(request: Request, visitor: Visitor) -> Response:
        if last := request.headers.get("last-event-id"):
            dialect = AnalysisChat(programs, received=number_in(last), link=linker(request))
            return await resumed(dialect, await asking.resume(last, visitor))
        body = _in_address(request)
        dialect = AnalysisChat(programs, body.said()[1], received=0, link=linker(request))
        return stream(dialect, await asked_by(request, body, visitor))

    @router.post("/stream/debug", **operation("Its events", AnalysisRequest, example=EXAMPLE, asks=True))
    async def debug_stream(request: Request, visitor: Visitor) -> Response:
        return stream(NATIVE, await asked_by(request, await body_of(request, AnalysisRequest), visitor))

    return router


def provider_routes(models: Models) -> APIRouter:
    """The route that says who answers."""
    router = APIRouter(dependencies=[AUTHORISED])

    @router.get("/api/provider/info", **operation("The default model"))
    async def provider_info() -> dict[str, Any]:
        await models.find()
        choice = next(each for each in models.choices if each.label == models.default)
        return {
            "model": choice.label,
            "provider": choice.provider,
            "state": choice.state,
            "usable": choice.state == "ready",
            "note": note_text(choice.note),
            "context_tokens": choice.context_tokens,
        }

    return router


def _in_address(request: Request) -> AnalysisRequest:
    """Return what an address asks: `messages` as JSON, or one `message`. Raises Refused."""
    query = request.query_params
    try:
        if "messages" in query:
            messages = json.loads(query["messages"])
        else:
            messages = [{"content": query["message"], "sender": "user"}]
        others = {name: query[name] for name in ("analysis_type", "profile") if name in query}
        return AnalysisRequest.model_validate({"messages": messages, **others})
    except (KeyError, RecursionError, ValueError, ValidationError) as error:
        raise Refused("invalid_request") from error
