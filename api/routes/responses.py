"""`/v1/responses`: OpenAI's Responses API. A response is a turn: its id is "resp_" and the id of the turn.

Keys that are not known are ignored. What would give the answer another form than the one asked for is refused: JSON, a
call of the client's own tools.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import re
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.ask_options import options_in, with_options
from api.asking import Asked, Asking, replayed
from api.citation_links import Linker
from api.dialects import DialectRouter
from api.dialects.openai_texts import ANSWER
from api.dialects.response_items import MESSAGE
from api.dialects.responses import Responses, response_id, turn_id_of, turn_id_of_item
from api.json_bodies import TOLERANT, body_of
from api.messages import Message, said_in
from api.model_ids import model_named
from api.openai_content import Content, check_is_no_task, instructions_of, text_of
from api.openai_tokens import MaxTokens
from api.operations import EXAMPLE_QUESTION, operation, query
from api.streams import answered, stream
from pipeline.errors import Gone, NotFound, Refused
from pipeline.models.catalogue import Models
from pipeline.turn import AskOptions, Turn
from pipeline.turns.engine import Pipeline

JSON, NOT_STORED = "application/json", {"Cache-Control": "no-store"}
NUMBER = re.compile(r"[0-9]{1,9}")
Role = Literal["system", "developer", "user", "assistant"]
EXAMPLE = {"input": EXAMPLE_QUESTION}
READING = (query("stream", "whether its events are sent", bool), query("starting_after", "the last known event", int))


class Item(BaseModel):
    """One item of the input: a message, or a reference to one of ours. Items of other types are left out."""

    model_config = TOLERANT

    type: str | None = None
    role: Role | None = None
    content: Content = None
    id: str | None = None

    @property
    def is_message(self) -> bool:
        """Whether it is a message; its type may be missing."""
        return self.role is not None and self.type in (None, "message")

    @property
    def is_reference(self) -> bool:
        """Whether it stands for an item of an earlier response."""
        return self.type == "item_reference" or (self.type is None and self.role is None)


class Format(BaseModel):
    """The form of the answer."""

    model_config = TOLERANT

    type: str = "text"


class Text(BaseModel):
    """How the answer is written."""

    model_config = TOLERANT

    format: Format | None = None


class Conversation(BaseModel):
    """A conversation, by its id."""

    model_config = TOLERANT

    id: str


class Ask(BaseModel):
    """The keys of the body that are read, without the options of a turn, which are read too."""

    model_config = TOLERANT

    input: str | list[Item] = ""
    model: str | None = None
    instructions: str | None = None
    stream: bool | None = None
    previous_response_id: str | None = None
    conversation: str | Conversation | None = None
    max_output_tokens: MaxTokens = None
    metadata: dict[str, str] | None = None
    text: Text | None = None
    tool_choice: str | dict[str, Any] | None = None


AskWithOptions = with_options(Ask, AskOptions)


def routes(asking: Asking, models: Models, linker: Linker) -> DialectRouter:
    """The routes; `linker` makes the links of citations for one request."""
    router, pipeline = DialectRouter(Responses(lambda passage: ""), "/v1/responses"), asking.pipeline

    @router.post("", **operation("Create a response", AskWithOptions, example=EXAMPLE, asks=True))
    async def create(request: Request) -> Response:
        ask, visitor = await body_of(request, AskWithOptions), asking.bearer_visitor(request)
        _check(ask)
        named = model_named(ask.model, models, pipeline.profiles)
        messages = await _messages(ask.input, visitor, pipeline)
        question, history = said_in(Message(role, text) for role, text in messages if role in ("user", "assistant"))
        check_is_no_task(question)
        instructions = [ask.instructions or "", *(text for role, text in messages if role in ("system", "developer"))]
        options = _options(ask, instructions_of(instructions), named.profile)
        previous = await _previous(ask, visitor, pipeline)
        asked = asking.turn_request(
            request,
            question,
            visitor=visitor,
            model=named.label,
            options=replace(options_in(ask, AskOptions), **options),
            given={*options, *(name for name in ask.model_fields_set if getattr(ask, name) is not None)},
            history=history if history and previous == Previous() else None,
            conversation_id=previous.conversation_id,
            follows=previous.turn_id,
        )
        begun = await asking.start(request, asked)
        dialect = Responses(linker(request), ask.metadata or {})
        return stream(dialect, begun) if ask.stream else await answered(dialect, begun, request)

    @router.get("/{id}", **operation("A response", parameters=READING))
    async def retrieve(id: str, request: Request) -> Response:
        visitor = asking.bearer_visitor(request)
        turn = await _turn(id, visitor, pipeline)
        if request.query_params.get("stream") != "true":
            return _json(turn, request)
        after = request.query_params.get("starting_after")
        if after is not None and not NUMBER.fullmatch(after):
            raise Refused("invalid_request")
        asked = await asking.resume(turn.id, visitor)
        if asked is None and after is not None:
            raise Gone(turn.id)  # the deltas of a stored turn are joined, and are numbered otherwise
        dialect = Responses(linker(request), after=-1 if after is None else int(after))
        return stream(dialect, asked or Asked(turn, replayed(turn)))

    @router.post("/{id}/cancel", **operation("Stop a response"))
    async def cancel(id: str, request: Request) -> Response:
        visitor = asking.bearer_visitor(request)
        turn = await _turn(id, visitor, pipeline)
        await pipeline.stop(turn.id)
        return _json(await pipeline.turn(turn.id, visitor), request)

    def _json(turn: Turn, request: Request) -> Response:
        return Response(Responses(linker(request)).whole(turn), headers=NOT_STORED, media_type=JSON)

    return router


class Previous(NamedTuple):
    """What a request goes on with: a conversation, and the turn of it that it follows; None for the last one."""

    conversation_id: str | None = None
    turn_id: str | None = None


async def _previous(ask: Ask, visitor: str | None, pipeline: Pipeline) -> Previous:
    """Return what a request goes on with. Raises Refused."""
    if ask.previous_response_id is None:
        named = ask.conversation
        return Previous(named.id if isinstance(named, Conversation) else named)
    if ask.conversation is not None:
        raise Refused("invalid_request")
    try:
        turn = await _turn(ask.previous_response_id, visitor, pipeline)
    except NotFound:
        raise Refused("unknown_response") from None
    return Previous(turn.conversation_id, turn.id)


async def _turn(id: str, visitor: str | None, pipeline: Pipeline) -> Turn:
    """Return the turn of a response. Raises NotFound, also for one of somebody else."""
    try:
        return await pipeline.turn(turn_id_of(id), visitor)
    except NotFound:
        raise NotFound("response") from None


async def _messages(input: str | list[Item], visitor: str | None, pipeline: Pipeline) -> list[tuple[Role, str]]:
    """Return the role and text of each message. Raises Refused, and NotFound for a reference to nothing."""
    if isinstance(input, str):
        return [("user", input)]
    last = max((at for at, item in enumerate(input) if item.is_message and item.role == "user"), default=-1)
    messages: list[tuple[Role, str]] = []
    for at, item in enumerate(input):
        if item.is_message and item.role:
            messages.append((item.role, text_of(item.content, is_question=at == last)))
        elif item.is_reference and (item.id or "").startswith(MESSAGE):
            turn = await _turn(response_id(turn_id_of_item(item.id or "")), visitor, pipeline)
            messages.append(("assistant", turn.fields.get(ANSWER, "")))
    return messages


def _options(ask: Ask, instructions: str | None, profile: str | None) -> dict[str, Any]:
    """Return the options that the request sets under OpenAI's names."""
    options = {"max_tokens": ask.max_output_tokens, "instructions": instructions, "profile": profile}
    return {name: value for name, value in options.items() if value is not None}


def _check(ask: Ask) -> None:
    """Refuse what would give the answer another form. Raises Refused."""
    if ask.text and ask.text.format and ask.text.format.type != "text":
        raise Refused("answer_format")
    if ask.tool_choice not in (None, "none", "auto"):
        raise Refused("client_tools")
