"""An engine of DSPy over Ollama's own `/api/chat`, whose OpenAI door takes no window and cuts long prompts silently.

Thinking arrives in a field of its own and is streamed as such. Tools of a request are not sent: programs call tools by
text. Faults are ours already when they leave here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from dspy.lm15 import (
    Message,
    Request,
    Response,
    StreamDeltaEvent,
    StreamEndEvent,
    StreamStartEvent,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ThinkingPart,
    Usage,
)

from pipeline.base_urls import shown_address
from pipeline.errors import ModelFault
from pipeline.models.ollama.api import Line, ModelDetails, details_of, line_of, refusal
from pipeline.models.ollama.window import is_cut, window_for
from pipeline.models.provider_faults import engine_fault
from pipeline.transports.litellm_transport import Wire, wire

SHOW_TIMEOUT_S = 2.0
BESIDE_OPTIONS = ("keep_alive", "think", "format")  # keys of the request itself; all others are its `options`
OPTIONS = (
    ("temperature", "temperature"),
    ("max_tokens", "num_predict"),
    ("top_p", "top_p"),
    ("top_k", "top_k"),
    ("seed", "seed"),
    ("frequency_penalty", "frequency_penalty"),
    ("presence_penalty", "presence_penalty"),
)
LEVELS = ("low", "medium", "high", "max")
CUT = "prompt_cut"  # the code of the warning that the model saw a part of the prompt


@dataclass(slots=True)
class OllamaModel:
    """A model of an Ollama server, as both engines ask it.

    `parameters` are those of its entry, `details` what the server says of it, None until it has answered. `window` is
    the largest that it was loaded with, `previous` the last prompt.
    """

    name: str
    address: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: httpx.Timeout = field(default_factory=lambda: httpx.Timeout(30))
    details: ModelDetails | None = None
    window: int = 0
    previous: tuple[str, ...] = ()

    @property
    def show(self) -> dict[str, str]:
        """The body of the request for its details."""
        return {"model": self.name}

    def learn(self, answer: httpx.Response) -> None:
        """Take in what `/api/show` said; after a fault the next request asks again. Raises ValueError for no JSON."""
        if answer.is_success:
            self.details = details_of(answer.json())

    def body(self, request: Request, *, is_streamed: bool) -> dict[str, Any]:
        """Return the body of a request, with a window for its prompt and its reply."""
        messages, details = _messages(request), self.details or ModelDetails()
        known = {name: getattr(request.config, ours, None) for ours, name in OPTIONS}
        options = {name: value for name, value in known.items() if value is not None}
        options |= {"stop": list(request.config.stop)} if request.config.stop else {}
        options = {name: value for name, value in self.parameters.items() if name not in BESIDE_OPTIONS} | options
        if "num_ctx" not in options:
            texts = [each["content"] for each in messages]
            options["num_ctx"] = window_for(texts, options.get("num_predict"), details.most_tokens, self.window)
        beside = {name: value for name, value in self.parameters.items() if name in BESIDE_OPTIONS}
        if "think" not in beside and (think := self._think(request, details)) is not None:
            beside["think"] = think
        return {
            "model": self.name,
            "messages": messages,
            "stream": is_streamed,
            "options": options,
            **beside,
        }

    def _think(self, request: Request, details: ModelDetails) -> bool | str | None:
        """Return whether, or how much, the model is to think; None leaves it to Ollama."""
        effort = getattr(request.config.reasoning, "effort", None)
        if effort is None:
            return True if details.can_think else None
        if effort in ("off", "none"):
            return False
        return str(effort) if self.name.startswith("gpt-oss") and effort in LEVELS else True

    def loaded(self, body: Mapping[str, Any]) -> None:
        """Note that the server could load the model with the window of a request."""
        if "num_ctx" not in self.parameters:
            self.window = max(self.window, body["options"]["num_ctx"])

    def note(self, body: Mapping[str, Any]) -> None:
        """Note the request's parameters for the record of the exchange."""
        if (seen := wire.get()) is not None:
            seen.is_whole = False
            beside = {name: body[name] for name in BESIDE_OPTIONS if name in body}
            seen.parameters = {**body["options"], **beside}

    def ended(self, body: Mapping[str, Any], last: Line) -> None:
        """Note that the reply is whole, and whether the model saw the whole prompt."""
        texts = tuple(str(each["content"]) for each in body["messages"])
        seen = wire.get() or Wire()
        seen.is_whole = True
        if is_cut(texts, self.previous, last.prompt_tokens, body["options"]["num_ctx"]):
            seen.warnings = (CUT,)
        self.previous = texts


class OllamaEngine:
    """The synchronous engine: whole replies only. A new connection for each."""

    def __init__(self, model: OllamaModel) -> None:
        self._model = model

    def complete(self, request: Request) -> Response:
        """Ask for a whole reply. Raises GlassboxError."""
        model = self._model
        with _faults(model), httpx.Client(timeout=model.timeout, headers=dict(model.headers)) as client:
            if model.details is None:
                with suppress(httpx.TimeoutException, ValueError):
                    model.learn(client.post(f"{model.address}/api/show", json=model.show, timeout=SHOW_TIMEOUT_S))
            body = model.body(request, is_streamed=False)
            model.note(body)
            return _response(model, body, client.post(f"{model.address}/api/chat", json=body))

    def stream(self, request: Request) -> Iterator[Any]:
        """Not offered: every program is asynchronous."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


class AsyncOllamaEngine:
    """The asynchronous engine, with a new connection for each request."""

    def __init__(self, model: OllamaModel) -> None:
        self._model = model

    async def complete(self, request: Request) -> Response:
        """Ask for a whole reply. Raises GlassboxError."""
        model = self._model
        async with self._client() as client:
            with _faults(model):
                body = await self._body(client, request, is_streamed=False)
                return _response(model, body, await client.post(f"{model.address}/api/chat", json=body))

    async def stream(self, request: Request) -> AsyncIterator[Any]:
        """Ask for a reply and stream it line by line. Raises GlassboxError."""
        model = self._model
        async with self._client() as client:
            with _faults(model):
                body = await self._body(client, request, is_streamed=True)
                async with client.stream("POST", f"{model.address}/api/chat", json=body) as answer:
                    if not answer.is_success:
                        raise refusal(answer.status_code, await answer.aread())
                    yield StreamStartEvent(model=request.model)
                    async for written in _lines(answer):
                        if not written.strip():
                            continue
                        line = line_of(written)
                        model.loaded(body)
                        for event in _events(line):
                            yield event
                        if line.is_last:
                            model.ended(body, line)
                            yield StreamEndEvent(finish_reason=_finish(line), usage=_usage(line))
                            return
                raise ModelFault("incomplete")

    async def aclose(self) -> None:
        """Nothing is open between requests."""

    async def _body(self, client: httpx.AsyncClient, request: Request, *, is_streamed: bool) -> dict[str, Any]:
        model = self._model
        if model.details is None:
            with suppress(httpx.TimeoutException, ValueError):
                model.learn(await client.post(f"{model.address}/api/show", json=model.show, timeout=SHOW_TIMEOUT_S))
        body = model.body(request, is_streamed=is_streamed)
        model.note(body)
        return body

    def _client(self) -> httpx.AsyncClient:
        model = self._model
        is_tls = model.address.startswith("https")  # without it no certificates are read, which takes 20 ms
        return httpx.AsyncClient(timeout=model.timeout, headers=dict(model.headers), verify=is_tls)


@contextmanager
def _faults(model: OllamaModel) -> Iterator[None]:
    """Translate what a request raises into our faults, with the address of the server."""
    try:
        yield
    except (httpx.HTTPError, ModelFault) as error:
        fault = engine_fault(error)
        if isinstance(fault, ModelFault):
            fault = ModelFault(fault.code, fault.retry_after_s, shown_address(model.address))
        raise fault from error


def _messages(request: Request) -> list[dict[str, str]]:
    system = request.system
    first = system if isinstance(system, str) else "".join(getattr(part, "text", "") for part in system or ())
    messages = [{"role": "system", "content": first}] if first else []
    roles = {"developer": "system"}
    return messages + [
        {"role": roles.get(each.role, each.role), "content": each.text or ""} for each in request.messages
    ]


def _events(line: Line) -> Sequence[StreamDeltaEvent]:
    thinking = [StreamDeltaEvent(ThinkingDelta(text=line.thinking))] if line.thinking else []
    return [*thinking, *([StreamDeltaEvent(TextDelta(text=line.text))] if line.text else [])]


async def _lines(answer: httpx.Response) -> AsyncIterator[str]:
    """Iterate over the lines of a reply. httpx would also end one at characters that JSON may hold, like U+2028."""
    rest = b""
    async for data in answer.aiter_bytes():
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    yield rest.decode(errors="replace")


def _response(model: OllamaModel, body: Mapping[str, Any], answer: httpx.Response) -> Response:
    if not answer.is_success:
        raise refusal(answer.status_code, answer.content)
    line = line_of(answer.text)
    model.loaded(body)
    model.ended(body, line)
    parts: list[Any] = [ThinkingPart(line.thinking)] if line.thinking else []
    return Response(
        id=None,
        model=model.name,
        message=Message.assistant([*parts, TextPart(line.text)]),
        finish_reason=_finish(line),
        usage=_usage(line),
    )


def _finish(line: Line) -> str:
    return "length" if line.finish == "length" else "stop"


def _usage(line: Line) -> Usage:
    return Usage(input_tokens=line.prompt_tokens, output_tokens=line.reply_tokens)
