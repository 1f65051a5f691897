"""Watches LiteLLM's connections, to correct two faults of its HTTP client.

The client follows redirects, which send the prompt to a host that nobody chose, and it reports a stream that breaks off
as complete. LiteLLM has no setting for either, but one factory makes the transports of all its asynchronous clients;
`import_litellm` replaces that factory. Importing LiteLLM takes seconds and 100 MB, so it waits until a model needs it.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from pipeline import garbage_collection as heap
from pipeline.transports.lm15_transport import with_text

ASKS_FOR_A_STREAM = re.compile(rb'"stream":\s*true')
ENDS = re.compile(rb'"(?:finish|stop)_?reason":\s*"\w|^data: ?\[DONE\]', re.IGNORECASE | re.MULTILINE)
PROVIDER_LIST = "provider_endpoints_support_backup.json"
LONGEST_END_BYTES = 40
HEAVY = (
    "litellm.litellm_core_utils.default_encoding",
    "openai.resources",
)  # otherwise imported at their first use, in the event loop
TEXTS = ("text/", "application/json")  # streams of other types end in other ways


@dataclass(slots=True)
class Wire:
    """The observed facts of one exchange; `is_whole` stays True where completeness cannot be determined.

    `parameters` are those that an engine of ours has sent beside the ones of the call, `warnings` codes for the turn.
    """

    is_whole: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


wire: ContextVar[Wire | None] = ContextVar("wire", default=None)


@cache
def import_litellm() -> Any:
    """Import LiteLLM, watch all its connections and return the library. Blocks for seconds the first time."""
    for name in HEAVY:
        importlib.import_module(name)
    made_by: Any = importlib.import_module("litellm.llms.custom_httpx.http_handler").AsyncHTTPHandler
    make = made_by.create_async_transport

    def make_watched(*args: Any, **kwargs: Any) -> httpx.AsyncBaseTransport:
        return WatchedTransport(make(*args, **kwargs) or httpx.AsyncHTTPTransport())

    made_by.create_async_transport = staticmethod(make_watched)
    heap.settle()
    return importlib.import_module("litellm")


@cache
def providers() -> frozenset[str]:
    """Return the provider prefixes that both libraries document, from LiteLLM's list, without importing it."""
    found = importlib.util.find_spec("litellm")
    folders = found.submodule_search_locations if found else None
    try:
        listed = json.loads((Path((folders or [""])[0]) / PROVIDER_LIST).read_text(encoding="utf-8"))["providers"]
    except (OSError, ValueError, KeyError):
        return frozenset()
    return frozenset(name for name in listed if "/" not in name)


def is_provider(name: str) -> bool:
    """Whether a provider has that prefix. Blocks for seconds, to import LiteLLM, where the list lacks it."""
    if name in providers():
        return True
    return name in {str(getattr(each, "value", each)) for each in import_litellm().provider_list}


class WatchedTransport(httpx.AsyncBaseTransport):
    """Wraps a transport: redirects are not followed, and streams are watched to their end."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Handle one exchange."""
        response = await self._inner.handle_async_request(request)
        response.headers.pop("location", None)
        seen, stream, kind = wire.get(), response.stream, response.headers.get("content-type", "text/")
        is_text = kind.startswith(TEXTS)
        is_plain = "content-encoding" not in response.headers
        asks = isinstance(request.stream, httpx.ByteStream) and ASKS_FOR_A_STREAM.search(request.content)
        if seen and asks and is_text and is_plain and response.is_success and isinstance(stream, httpx.AsyncByteStream):
            seen.is_whole = False
            response.stream = _Watched(stream, seen, is_stream="json" not in kind)
        elif response.is_success and "json" in kind and is_plain:
            response = await _read(response)
        return response

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._inner.aclose()


async def _read(response: httpx.Response) -> httpx.Response:
    """Read a complete reply and join its content to a text, the only form that LiteLLM reads."""
    body = await response.aread()
    headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-length"]
    text = with_text(body.decode(errors="surrogateescape"))
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=text.encode(errors="surrogateescape"),
        extensions=response.extensions,
    )


def _with_text(line: bytes) -> bytes:
    """Return a line of a stream with its content joined to a text."""
    prefix, event = line[:6], line[6:]
    if prefix != b"data: " or b'"content"' not in event:
        return line
    return prefix + with_text(event.decode(errors="surrogateescape")).encode(errors="surrogateescape")


class _Watched(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, seen: Wire, *, is_stream: bool) -> None:
        self._inner, self._seen, self._is_stream = inner, seen, is_stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        tail = line = b""
        async for chunk in self._inner:
            if self._is_stream and not self._seen.is_whole:
                tail += chunk
                self._seen.is_whole = bool(ENDS.search(tail))
                tail = tail[-LONGEST_END_BYTES:]
            if self._is_stream:
                *lines, line = (line + chunk).split(b"\n")
                chunk = b"".join(_with_text(each) + b"\n" for each in lines)
            if chunk:
                yield chunk
        if line:
            yield line

    async def aclose(self) -> None:
        await self._inner.aclose()
