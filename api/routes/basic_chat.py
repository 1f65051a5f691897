"""`POST /chat/basic`: a question with the earlier messages, answered as a stream or as one JSON object."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from dataclasses import replace

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.asking import Asking
from api.dialects import DialectRouter
from api.dialects.basic_chat import BasicChat
from api.json_bodies import TOLERANT, body_of
from api.messages import Message, Role, said_in
from api.operations import EXAMPLE_QUESTION, operation
from api.streams import answered, stream
from api.visitors import Visitor
from pipeline.turn import DEFAULTS, Said

EXAMPLE = {"query": EXAMPLE_QUESTION, "meta_params": {"stream": True}}


class ChatMessage(BaseModel):
    """One earlier message."""

    model_config = TOLERANT

    role: Role
    content: str


class MetaParams(BaseModel):
    """How the answer is sent and in which language it is written."""

    model_config = TOLERANT

    stream: bool = False
    language: str | None = None


class BasicChatRequest(BaseModel):
    """The body."""

    model_config = TOLERANT

    query: str
    meta_params: MetaParams | None = None
    conversation_history: list[ChatMessage] | None = None


def routes(asking: Asking, dialect: BasicChat) -> DialectRouter:
    """The one route."""
    router = DialectRouter(dialect, "/chat")

    @router.post("/basic", **operation("Ask with earlier messages", BasicChatRequest, example=EXAMPLE, asks=True))
    async def basic(request: Request, visitor: Visitor) -> Response:
        body = await body_of(request, BasicChatRequest)
        params = body.meta_params or MetaParams()
        language = params.language.partition("-")[0].lower() if params.language else None
        wanted = asking.turn_request(
            request,
            body.query,
            visitor=visitor,
            options=replace(DEFAULTS, language=language) if language else DEFAULTS,
            history=_history(body),
        )
        asked = await asking.start(request, wanted)
        return stream(dialect, asked) if params.stream else await answered(dialect, asked, request)

    return router


def _history(body: BasicChatRequest) -> tuple[Said, ...]:
    """Return the earlier turns. A client may have put the question itself behind them, which is asked once."""
    earlier = [Message(each.role, each.content) for each in body.conversation_history or ()]
    if earlier and earlier[-1] == Message("user", body.query):
        earlier.pop()
    if earlier and earlier[-1].role == "user":
        earlier.append(Message("assistant", ""))  # it was never answered
    return said_in([*earlier, Message("user", body.query)])[1]
