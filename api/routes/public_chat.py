"""`/api/public/chat` and `/api/public/chat/stream`: the chat with a host's bots, for other people's pages.

It needs no API_TOKEN. The GET stream is for `EventSource`, which comes back by itself after any ending: every event has
an id, and a request with the header `Last-Event-ID` goes on with that turn instead of asking the model again.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ValidationError

from api.asking import SHARED_NAMES, Asked, Asking
from api.citation_links import Linker
from api.dialects import DialectRouter
from api.dialects.frames import NOTHING, number_in
from api.dialects.public_chat import PublicChat
from api.json_bodies import TOLERANT, body_of, refused_value
from api.operations import EXAMPLE_QUESTION, operation, query_keys
from api.streams import answered, resumed, stream
from api.visitors import Visitor

SESSIONS = "public chat"  # the sessions of other dialects are others, also under the same name
EXAMPLE = {"message": EXAMPLE_QUESTION}
CHUNK_S = 0.1  # between two chunks
EVENT = re.compile(rb".+?\n\n|.+", re.DOTALL)  # a server-sent event, or a comment


class PublicChatRequest(BaseModel):
    """The body, or the parameters of a GET stream's address."""

    model_config = TOLERANT

    message: str
    chatbot_id: str | None = None
    session_id: str | None = None
    chunked: bool | None = None


IN_ADDRESS = query_keys(PublicChatRequest)


def routes(asking: Asking, linker: Linker) -> DialectRouter:
    """The routes, which are open to everybody; `linker` makes the links of citations for one request."""
    router = DialectRouter(PublicChat(), "/api/public", public=True)

    def dialect_for(request: Request, body: PublicChatRequest, received: int | None = None) -> PublicChat:
        session = None if body.session_id in SHARED_NAMES else body.session_id
        return PublicChat(session, is_chunked=bool(body.chunked), received=received, link=linker(request))

    async def asked_by(request: Request, body: PublicChatRequest, visitor: str | None) -> Asked:
        named = asking.session(SESSIONS, body.session_id, visitor, request)
        wanted = asking.turn_request(
            request,
            body.message,
            visitor=visitor,
            conversation_id=named,
            begins=True,
            new_conversation_id=asking.new_session(SESSIONS, visitor),
        )
        return await asking.start(request, asking.pipeline.profiles.chatbot(body.chatbot_id, wanted))

    @router.post("/chat", **operation("Ask a bot", PublicChatRequest, example=EXAMPLE, asks=True))
    async def chat(request: Request, visitor: Visitor) -> Response:
        body = await body_of(request, PublicChatRequest)
        return await answered(dialect_for(request, body), await asked_by(request, body, visitor), request)

    @router.post("/chat/stream", **operation("Ask a bot, as a stream", PublicChatRequest, example=EXAMPLE, asks=True))
    async def chat_stream(request: Request, visitor: Visitor) -> Response:
        body = await body_of(request, PublicChatRequest)
        return _paced(stream(dialect_for(request, body), await asked_by(request, body, visitor)), body)

    @router.get("/chat/stream", **operation("Ask by EventSource", parameters=IN_ADDRESS, asks=True))
    async def chat_stream_of_event_source(request: Request, visitor: Visitor) -> Response:
        body, last = _in_address(request), request.headers.get("last-event-id")
        if not last:
            return _paced(
                stream(dialect_for(request, body, received=NOTHING), await asked_by(request, body, visitor)), body
            )
        dialect = dialect_for(request, body, number_in(last))
        return _paced(await resumed(dialect, await asking.resume(last, visitor)), body)

    return router


def _in_address(request: Request) -> PublicChatRequest:
    """Return the parameters of the address. Raises Refused."""
    try:
        return PublicChatRequest.model_validate(dict(request.query_params), strict=False)
    except ValidationError as error:
        raise refused_value(error, PublicChatRequest) from error


def _paced(response: Response, body: PublicChatRequest) -> Response:
    """Return the response with each chunk of an answer in a write of its own, and a pause behind it."""
    if not body.chunked or not isinstance(response, StreamingResponse):
        return response
    written: Any = response.body_iterator

    async def one_by_one() -> AsyncGenerator[bytes, None]:
        async with aclosing(written):
            async for events in written:
                for event in EVENT.findall(events):
                    yield event
                    await asyncio.sleep(CHUNK_S)

    response.body_iterator = one_by_one()
    return response
