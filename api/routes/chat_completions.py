"""`/v1/models` and `/v1/chat/completions`: OpenAI's protocol, as its clients use it.

The options of a turn may stand beside OpenAI's keys. Keys that are not known are ignored, as are those that only tune
how a model writes. What would give the answer another form than the one asked for is refused: several choices, JSON, a
call of the client's own tools.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.ask_options import options_in, with_options
from api.asking import Asking
from api.citation_links import Linker
from api.dialects import DialectRouter
from api.dialects.chat_completions import ChatCompletions
from api.json_bodies import TOLERANT, body_of
from api.messages import Message, said_in
from api.model_ids import model_named
from api.openai_content import Content, check_is_no_task, instructions_of, text_of
from api.openai_tokens import MaxTokens
from api.operations import EXAMPLE_QUESTION, operation
from api.streams import answered, stream
from pipeline.errors import Refused
from pipeline.models.catalogue import ModelChoice, Models
from pipeline.programs.profiles import Profiles
from pipeline.turn import AskOptions

EXAMPLE = {"messages": [{"role": "user", "content": EXAMPLE_QUESTION}]}


class Said(BaseModel):
    """One message of the chat."""

    model_config = TOLERANT

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Content = None


class StreamOptions(BaseModel):
    """What a stream holds besides."""

    model_config = TOLERANT

    include_usage: bool | None = None


class ResponseFormat(BaseModel):
    """The form of the answer."""

    model_config = TOLERANT

    type: str


class Ask(BaseModel):
    """The keys of the body that are read, without the options of a turn, which are read too."""

    model_config = TOLERANT

    messages: list[Said]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: MaxTokens = None
    max_completion_tokens: MaxTokens = None
    n: int | None = None
    response_format: ResponseFormat | None = None
    tool_choice: str | dict[str, Any] | None = None

    @property
    def system(self) -> str | None:
        """The messages of the system, joined. Raises Refused."""
        return instructions_of(text_of(each.content) for each in self.messages if each.role in ("system", "developer"))

    @property
    def chat(self) -> list[Message]:
        """The messages of the two sides. Raises Refused where the question holds more than text."""
        last = max((at for at, each in enumerate(self.messages) if each.role == "user"), default=-1)
        return [
            Message(each.role, text_of(each.content, is_question=at == last))
            for at, each in enumerate(self.messages)
            if each.role in ("user", "assistant")
        ]


AskWithOptions = with_options(Ask, AskOptions)


def routes(asking: Asking, models: Models, linker: Linker) -> APIRouter:
    """The routes; `linker` makes the links of citations for one request."""
    profiles = asking.pipeline.profiles
    router = DialectRouter(ChatCompletions(lambda passage: "", ""), "/v1")

    @router.get("/models", **operation("The models and profiles"))
    async def listed() -> dict[str, Any]:
        await models.find()
        return {"object": "list", "data": _listed(models, profiles)}

    @router.get("/models/{id:path}", **operation("One of them"))
    async def one(id: str) -> dict[str, Any]:
        named = model_named(id, models, profiles)
        return _model(id, next((each for each in models.choices if each.label == named.label), None))

    @router.post("/chat/completions", **operation("Chat completion", AskWithOptions, example=EXAMPLE, asks=True))
    async def chat_completions(request: Request) -> Response:
        ask = await body_of(request, AskWithOptions)
        _check(ask)
        named, (question, history) = model_named(ask.model, models, profiles), said_in(ask.chat)
        check_is_no_task(question)
        options = _options(ask, named.profile)
        asked = await asking.start(
            request,
            asking.turn_request(
                request,
                question,
                visitor=asking.bearer_visitor(request),
                model=named.label,
                options=replace(options_in(ask, AskOptions), **options),
                given={*options, *(name for name in ask.model_fields_set if getattr(ask, name) is not None)},
                history=history,
            ),
        )
        with_usage = bool(ask.stream_options and ask.stream_options.include_usage)
        dialect = ChatCompletions(linker(request), ask.model or asked.turn.model, with_usage)
        return stream(dialect, asked) if ask.stream else await answered(dialect, asked, request)

    return router


def _options(ask: Ask, profile: str | None) -> dict[str, Any]:
    """Return the options that the request sets under OpenAI's names. Raises Refused."""
    options = {"max_tokens": ask.max_completion_tokens, "instructions": ask.system, "profile": profile}
    return {name: value for name, value in options.items() if value is not None}


def _check(ask: Ask) -> None:
    """Refuse what would give the answer another form. Raises Refused."""
    if ask.n not in (None, 1):
        raise Refused("many_choices")
    if ask.response_format and ask.response_format.type != "text":
        raise Refused("answer_format")
    if ask.tool_choice not in (None, "none", "auto"):
        raise Refused("client_tools")


def _listed(models: Models, profiles: Profiles) -> list[dict[str, Any]]:
    """The models that can be asked without a further key, the default first, then one for each profile."""
    choices = {each.label: each for each in models.choices if each.state != "no_key"}
    labels = sorted(choices, key=lambda label: label != models.default)
    bots = [(f"{each.model or models.default}@{each.name}", each) for each in profiles.listed]
    return [
        *(_model(label, choices[label]) for label in labels),
        *({**_model(id, choices.get(each.model or models.default)), "name": each.title} for id, each in bots),
    ]


def _model(id: str, choice: ModelChoice | None) -> dict[str, Any]:
    owner = choice.provider if choice else ""
    context = {"context_length": choice.context_tokens} if choice and choice.context_tokens else {}
    return {"id": id, "object": "model", "created": 0, "owned_by": owner or "glassbox", **context}
