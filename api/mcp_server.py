"""The Model Context Protocol over streamable HTTP: four tools, by the official SDK.

The SDK takes more than a second to import, so it is imported when the first client comes. Sessions are the SDK's: they
end when nobody has used them for a while, and a client whose session a restart has ended begins a new one by itself.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import TypedDict

from api.asking import Asking
from api.bodies import again
from api.citation_links import PATH, Linker
from api.clients import address_of
from api.dialects.answers import Sentence
from api.endpoints import GrowingAnswer, Source, source_of
from api.json_bodies import refused_value
from api.mcp_requests import accepting, problem_in, refusal, too_many_sessions
from api.mcp_sessions import McpSessions
from i18n.messages import error_text, step_status
from pipeline import VERSION
from pipeline.clients import is_stranger
from pipeline.display_names import shown_file
from pipeline.documents.library import Library
from pipeline.errors import GlassboxError, Refused
from pipeline.events import StepChanged
from pipeline.own_faults import own_fault
from pipeline.recording import language_of_turn
from pipeline.turn import AskOptions, Name

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

MOST_SESSIONS = 500
MOST_SESSIONS_OF_ADDRESS = 50  # but of this machine
IDLE_S = 600.0
SESSION = "mcp-session-id"  # the header that names one
KEY_IN_LINK = re.compile(rf"{PATH}/([^/#]+)$")
CONNECTION = "glassbox.connection"  # of a request's scope
INSTRUCTIONS = (
    "Answers questions from the documents of this server, with citations. Show the url of what you cite: it opens the "
    "passage."
)
Body = TypeVar("Body", bound=BaseModel)
TAKEN = ConfigDict(extra="forbid", allow_inf_nan=False)  # models write "3" and 3.0 for 3


class AskArguments(BaseModel):
    """What `ask` takes."""

    model_config = TAKEN

    question: Annotated[str, Field(description="the question, in any language")]
    model: Annotated[str | None, Field(description="a label of GET /api/models; default: the host's choice")] = None
    documents: Annotated[list[Name], Field(description="ids of the only documents to answer from")] = []
    collections: Annotated[list[Name], Field(description="names of the only collections to answer from")] = []
    conversation_id: Annotated[str | None, Field(description="of an earlier answer, to go on with it")] = None


class SearchArguments(BaseModel):
    """What `search_documents` takes."""

    model_config = TAKEN

    query: Annotated[str, Field(description="what is searched for")]
    limit: Annotated[int, Field(ge=1, le=20, description="how many passages at most")] = 4


class NoArguments(BaseModel):
    """What `list_documents` takes: nothing. What clients add to an empty list of arguments is left out."""


class ReadArguments(BaseModel):
    """What `read_passage` takes."""

    model_config = TAKEN

    id: Annotated[str, Field(description="the id of a passage that ask or search_documents gave")]


class PassageJson(Source):
    """A passage of a document."""

    id: Annotated[str, Field(description="read_passage takes it; empty where the passage can only be read here")]


class AnswerJson(TypedDict):
    """An answer with the passages that it may cite."""

    answer: Annotated[str, Field(description="Markdown; [n] cites the passage with that number")]
    passages: list[PassageJson]
    cited: Annotated[list[int], Field(description="the numbers that the answer cites")]
    reasoning: str
    fields: Annotated[dict[str, str], Field(description="further fields of the program")]
    sentences: Annotated[list[Sentence], Field(description="the verdict on each sentence")]
    warnings: list[str]
    model: str
    turn_id: str
    conversation_id: str


class PassagesJson(TypedDict):
    """Passages, best first."""

    passages: list[PassageJson]


class DocumentJson(TypedDict):
    """A document that can be asked."""

    id: str
    name: str
    title: str
    language: str
    pages: int | None
    collection: str


class DocumentsJson(TypedDict):
    """The documents that can be asked."""

    documents: list[DocumentJson]


class ToolFault(Exception):
    """A tool failed. Its text is a constant of ours, which the SDK gives to the client."""


class Connection:
    """One request of a client: the calls of tools that it waits for, and whether it has left before their end."""

    def __init__(self) -> None:
        self.calls, self.has_left = set[asyncio.Task[Any]](), False

    def leave(self) -> None:
        """End what nobody waits for any more."""
        self.has_left = True
        for call in self.calls:
            call.cancel()


Progress = Callable[[str], Awaitable[None]]  # tells the client what is done now
Tool = Callable[[Request, Mapping[str, Any], Progress], Coroutine[Any, Any, Any]]


class McpServer:
    """The server behind `/mcp`. Nothing of it runs before its first client."""

    def __init__(self, asking: Asking, library: Library, linker: Linker) -> None:
        self._asking, self._library, self._linker = asking, library, linker
        self._manager: StreamableHTTPSessionManager | None = None
        self._starting, self._running = asyncio.Lock(), set[asyncio.Task[Any]]()
        self._sessions = McpSessions(MOST_SESSIONS_OF_ADDRESS, IDLE_S)
        self._tools: dict[str, tuple[str, str, type[BaseModel], Any, Tool]] = {
            "ask": (
                "Ask the documents",
                "Answers a question from the documents, with citations [n] of the passages it gives.",
                AskArguments,
                AnswerJson,
                self._ask,
            ),
            "search_documents": (
                "Search the documents",
                "Finds the passages that fit a query best, without answering.",
                SearchArguments,
                PassagesJson,
                self._search,
            ),
            "list_documents": (
                "List the documents",
                "Lists the documents that can be asked and searched.",
                NoArguments,
                DocumentsJson,
                self._list,
            ),
            "read_passage": (
                "Read a passage",
                "Gives one passage again, by its id.",
                ReadArguments,
                PassageJson,
                self._read,
            ),
        }

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request of the protocol.

        The SDK returns when the client has its answer, and when it has gone without one; it tells the tool of neither.
        """
        async with self._starting:
            if self._manager is None:
                self._manager = await self._started()
        manager = self._manager
        if scope["method"] == "POST":
            body = (await receive()).get("body", b"")  # `Bodies` has read the whole body
            if problem := problem_in(scope, body):
                return await refusal(problem)(scope, receive, send)
            receive = again(body, receive)
        connection = Connection()
        try:
            await self._handle(manager, {**accepting(scope), CONNECTION: connection}, receive, send)
        finally:
            connection.leave()
        return None

    async def _handle(self, manager: StreamableHTTPSessionManager, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on: of a session, or one that opens another, unless its address has too many."""
        if session := Headers(scope=scope).get(SESSION):
            with self._sessions.using(session):
                await manager.handle_request(scope, receive, send)
            if scope["method"] == "DELETE":
                self._sessions.end(session)
            return None
        address = address_of(Request(scope))
        if is_stranger(address) and (wait_s := self._sessions.wait_s(address)):
            return await too_many_sessions(wait_s)(scope, receive, send)
        with self._sessions.opening(address) as named:
            await manager.handle_request(scope, receive, _telling(send, named))
        return None

    async def close(self) -> None:
        """End every session."""
        running, self._manager = tuple(self._running), None
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _started(self) -> StreamableHTTPSessionManager:
        manager = await asyncio.to_thread(self._made)
        is_up = asyncio.Event()

        async def run() -> None:
            async with manager.run():
                is_up.set()
                await asyncio.Event().wait()

        running, waiting = self._keep(run()), self._keep(is_up.wait())
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            waiting.cancel()
            running.result()
        running.add_done_callback(lambda _: self._stopped(manager))
        return manager

    def _stopped(self, manager: StreamableHTTPSessionManager) -> None:
        """Let the next client start another one."""
        if self._manager is manager:
            self._manager = None

    def _keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def _made(self) -> StreamableHTTPSessionManager:
        from mcp import types
        from mcp.server.lowlevel import Server
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        logging.getLogger("mcp").setLevel(logging.CRITICAL)  # its records may hold what clients sent
        server: Server[Any, Any] = Server("glassbox", VERSION, INSTRUCTIONS)

        async def listed() -> list[types.Tool]:
            hints = types.ToolAnnotations(readOnlyHint=True, destructiveHint=False, openWorldHint=False)
            return [
                types.Tool(
                    name=name,
                    title=title,
                    description=description,
                    inputSchema=arguments.model_json_schema(),
                    outputSchema=TypeAdapter(gives).json_schema(),
                    annotations=hints,
                )
                for name, (title, description, arguments, gives, _) in self._tools.items()
            ]

        async def called(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
            return await self._called(server, name, arguments)

        server.list_tools()(listed)  # type: ignore[no-untyped-call]
        server.call_tool(validate_input=False)(called)
        return StreamableHTTPSessionManager(server, session_idle_timeout=IDLE_S, max_sessions=MOST_SESSIONS)

    async def _called(self, server: Server[Any, Any], name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call a tool. Raises ToolFault, whose text the client gets."""
        try:
            if name not in self._tools:
                raise Refused("unknown_tool")
            *_, tool = self._tools[name]
            context = server.request_context
            request: Any = context.request
            token = context.meta.progressToken if context.meta else None
            steps = 0

            async def progress(message: str) -> None:
                nonlocal steps
                steps += 1
                if token is not None:
                    await context.session.send_progress_notification(
                        token, steps, message=message, related_request_id=str(context.request_id)
                    )

            return await _while_connected(request, tool(request, arguments, progress))
        except ToolFault:
            raise
        except GlassboxError as error:
            raise ToolFault(error_text(error)) from None
        except Exception as error:  # noqa: BLE001  its text must not reach the client
            raise ToolFault(error_text(own_fault(error, "api"))) from None

    async def _ask(self, request: Request, arguments: Mapping[str, Any], progress: Progress) -> AnswerJson:
        asked_for = _checked(AskArguments, arguments)
        wanted = AskOptions(documents=tuple(asked_for.documents), collections=tuple(asked_for.collections))
        asked = await self._asking.start(
            request,
            self._asking.turn_request(
                request,
                asked_for.question,
                visitor=self._asking.bearer_visitor(request),
                model=asked_for.model,
                options=wanted,
                given=asked_for.model_fields_set & {"documents", "collections"},
                conversation_id=asked_for.conversation_id,
            ),
        )
        growing, language = GrowingAnswer(asked.turn, self._linker(request)), language_of_turn(asked.turn.record)
        has_ended = False
        try:
            async with aclosing(asked.batches) as batches:
                async for batch in batches:
                    growing.add(batch)
                    for event in batch:
                        if isinstance(event, StepChanged) and event.state == "began":
                            await progress(step_status(event, language))
            has_ended = True
        finally:
            # Who cancels stops the turn; who only disconnects leaves it, as in every dialect.
            if not has_ended and not _connection(request).has_left:
                self._keep(self._asking.pipeline.stop(asked.turn.id))
        said = growing.answer()
        if said["state"] != "finished":
            raise ToolFault(said["error"])
        return AnswerJson(
            answer=said["answer"],
            passages=[_with_id(each) for each in said["sources"]],
            cited=[each["number"] for each in said["sources"] if each["cited"]],
            reasoning=said["reasoning"],
            fields=said["fields"],
            sentences=said["sentences"],
            warnings=said["warnings"],
            model=said["model"],
            turn_id=said["turn_id"],
            conversation_id=said["conversation_id"],
        )

    async def _search(self, request: Request, arguments: Mapping[str, Any], _: Progress) -> PassagesJson:
        wanted = _checked(SearchArguments, arguments)
        visitor, options = self._asking.bearer_visitor(request), AskOptions(passages_wanted=wanted.limit)
        found = await self._library.search(wanted.query, visitor, options, address_of(request))
        link = self._linker(request)
        return PassagesJson(passages=[_with_id(source_of(each, link, is_cited=False)) for each in found.passages])

    async def _list(self, request: Request, arguments: Mapping[str, Any], _: Progress) -> DocumentsJson:
        _checked(NoArguments, arguments)
        seen = await self._library.documents(self._asking.bearer_visitor(request))
        return DocumentsJson(
            documents=[
                DocumentJson(
                    id=each.id,
                    name=shown_file(each.name),
                    title=each.title,
                    language=each.language,
                    pages=each.pages,
                    collection=each.folder,
                )
                for each in seen
            ]
        )

    async def _read(self, request: Request, arguments: Mapping[str, Any], _progress: Progress) -> PassageJson:
        _, passage = await self._library.cited(_checked(ReadArguments, arguments).id, address_of(request))
        return _with_id(source_of(passage, self._linker(request), is_cited=False))


def _with_id(source: Source) -> PassageJson:
    key = KEY_IN_LINK.search(source["url"])
    return PassageJson(**source, id=key[1] if key else "")


def _telling(send: Send, named: Callable[[str], None]) -> Send:
    """Return a `send` that tells the id of the session that an answer opens."""

    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            session = Headers(raw=message["headers"]).get(SESSION)
            if session:
                named(session)
        await send(message)

    return telling


def _connection(request: Request) -> Connection:
    connection: Connection = request.scope[CONNECTION]
    return connection


async def _while_connected(request: Request, work: Coroutine[Any, Any, Any]) -> dict[str, Any]:
    """Do the work of a call until the client leaves. Raises ToolFault, which nobody reads, when it has left."""
    connection = _connection(request)
    if connection.has_left:
        work.close()
        raise ToolFault
    call: asyncio.Task[dict[str, Any]] = asyncio.create_task(work)
    connection.calls.add(call)
    try:
        return await call
    except asyncio.CancelledError:
        if not connection.has_left:
            raise
        raise ToolFault from None
    finally:
        connection.calls.discard(call)


def _checked(kind: type[Body], arguments: Mapping[str, Any]) -> Body:
    """Return the arguments of a tool; null is as if the argument were left out. Raises Refused."""
    try:
        return kind.model_validate({name: value for name, value in arguments.items() if value is not None})
    except ValidationError as error:
        raise refused_value(error, kind) from error


class McpResponse(Response):
    """Hands the request to the SDK, which answers it."""

    def __init__(self, server: McpServer) -> None:
        super().__init__()
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await self._server.respond(scope, receive, send)
