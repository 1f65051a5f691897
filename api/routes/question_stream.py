"""`GET /api/question/stream`: one question in a session that the client names, for `EventSource`.

It comes back by itself after any ending: every event has an id, and a request with the header `Last-Event-ID` goes on
with that turn instead of asking the model again.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from fastapi import Request
from fastapi.responses import Response

from api.asking import Asking
from api.citation_links import Linker
from api.dialects import DialectRouter
from api.dialects.question_stream import Place, QuestionStream
from api.operations import operation, query
from api.streams import resumed, stream
from pipeline.errors import Refused

SESSIONS = "question stream"  # the sessions of other dialects are others, also under the same name

IN_ADDRESS = (query("question", "the question", is_required=True), query("session_id", "the session's name"))


def routes(asking: Asking, linker: Linker) -> DialectRouter:
    """The route of the stream. The visitor is named by X-Visitor, else by the bearer token.

    A `linker` makes the links of sources for one request.
    """
    router = DialectRouter(QuestionStream(), "/api/question")

    @router.get("/stream", **operation("Ask in the address", parameters=IN_ADDRESS, asks=True))
    async def question_stream(request: Request) -> Response:
        visitor = asking.bearer_visitor(request)
        if last := request.headers.get("last-event-id"):
            return await resumed(QuestionStream(Place.of(last), linker(request)), await asking.resume(last, visitor))
        question = request.query_params.get("question")
        if question is None:
            raise Refused("blank_question")
        session = asking.session(SESSIONS, request.query_params.get("session_id"), visitor, request)
        wanted = asking.turn_request(
            request, question, visitor=visitor, conversation_id=session, begins=session is not None
        )
        return stream(QuestionStream(link=linker(request)), await asking.start(request, wanted))

    return router
