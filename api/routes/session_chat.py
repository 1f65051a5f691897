"""`/ai/chat` and `/ai/chat/stream`, also below `/api`: a chat in sessions that the client may name itself."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from dataclasses import replace
from typing import Annotated

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.asking import MOST_HISTORY, SHARED_NAMES, Asked, Asking
from api.citation_links import Linker
from api.dialects import DialectRouter
from api.dialects.session_chat import SessionChat
from api.json_bodies import TOLERANT, body_of
from api.operations import EXAMPLE_QUESTION, operation
from api.streams import answered, stream
from pipeline.turn import DEFAULTS

SESSIONS = "session chat"  # the sessions of other dialects are others, also under the same name
PREFIXES = ("/ai", "/api/ai")
EXAMPLE = {"message": EXAMPLE_QUESTION}


class SessionChatRequest(BaseModel):
    """The body. `context_limit` counts messages: a question with its answer is two."""

    model_config = TOLERANT

    message: str
    session_id: str | None = None
    context_limit: Annotated[int, Field(ge=0)] = 10


def routes(asking: Asking, linker: Linker, prefix: str) -> DialectRouter:
    """The routes below one of PREFIXES, with the same sessions; `linker` makes the links of citations."""
    router = DialectRouter(SessionChat(), prefix)

    async def asked_by(request: Request) -> tuple[SessionChat, Asked]:
        body = await body_of(request, SessionChatRequest)
        visitor = asking.bearer_visitor(request)
        named = asking.session(SESSIONS, body.session_id, visitor, request)
        wanted = asking.turn_request(
            request,
            body.message,
            visitor=visitor,
            options=replace(DEFAULTS, history_turns=min(body.context_limit // 2, MOST_HISTORY)),
            conversation_id=named,
            begins=True,
            new_conversation_id=asking.new_session(SESSIONS, visitor),
        )
        session = None if body.session_id in SHARED_NAMES else body.session_id
        return SessionChat(session, linker(request)), await asking.start(request, wanted)

    @router.post("/chat", **operation("Ask in a session", SessionChatRequest, example=EXAMPLE, asks=True))
    async def chat(request: Request) -> Response:
        dialect, asked = await asked_by(request)
        return await answered(dialect, asked, request)

    @router.post("/chat/stream", **operation("Ask, as a stream", SessionChatRequest, example=EXAMPLE, asks=True))
    async def chat_stream(request: Request) -> Response:
        return stream(*await asked_by(request))

    return router
