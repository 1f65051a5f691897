"""Guards the calls of Gradio's functions: programs call two endpoints, everything else is the page's own.

Gradio hides private functions from its lists alone: whoever knows a number calls them. So a call by name, and a call by
`gradio_client`, reaches the two endpoints only, with their parameters only, and asks for API_TOKEN. The page calls its
functions by number in the same queue; a stranger who acts like the page reaches what the page reaches.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from api.access import Access
from api.bodies import again
from api.error_responses import response_to
from api.json_bodies import is_json
from api.paths import route_of
from pipeline.errors import GlassboxError, Refused

NAMED = re.compile(r"/gradio_api/(?P<how>call|call/v2|run)/(?P<name>[a-z]+)(?P<event>/[^/]+)?")
JOIN, CANCEL, INFO = "/gradio_api/queue/join", "/gradio_api/cancel", "/gradio_api/info"
V2 = "call/v2"  # takes the arguments by name

Json = dict[str, Any]
Called = Mapping[str, tuple[int, tuple[str, ...]]]  # endpoint → its number and its parameters


class EndpointCalls:
    """Lets pass calls of `endpoints`, each with all its arguments in order, and the events of the page."""

    def __init__(self, app: ASGIApp, endpoints: Called, access: Access) -> None:
        self.app, self._endpoints, self._access = app, endpoints, access
        self._numbers = dict(endpoints.values())
        self._functions = range(max(self._numbers) + 1)  # the endpoints are the last functions of the app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request. `Bodies` has read the whole body."""
        path = route_of(scope) if scope["type"] == "http" else ""
        named = NAMED.fullmatch(path)
        if path == INFO:  # of the page "": Gradio keeps what it says without a page, with the address asked first
            return await self.app({**scope, "query_string": b"page="}, receive, send)
        if not named and (path not in (JOIN, CANCEL) or scope["method"] != "POST"):
            return await self.app(scope, receive, send)
        try:
            if named and named["event"]:
                self._check_access(scope)
                return await self.app(scope, receive, send)
            body = (await receive()).get("body", b"")
            if named:
                scope, body = self._named(scope, body, named["how"], named["name"])
            elif path == JOIN:
                body = self._joined(scope, body)
            else:
                self._check_cancel(scope, body)
        except (GlassboxError, HTTPException) as error:
            return await response_to(scope, error)(scope, receive, send)
        return await self.app(scope, again(body, receive), send)

    def _named(self, scope: Scope, body: bytes, how: str, name: str) -> tuple[Scope, bytes]:
        """Return a call by name as Gradio is to see it: without a session, so that it is the client's alone."""
        self._check_access(scope)
        _, parameters = self._endpoints[name]
        said = _object(scope, body)
        if how == V2:
            if not said.keys() <= set(parameters):
                raise Refused("invalid_request")
            arguments = [said.get(each) for each in parameters]
            scope = {**scope, "path": scope["path"].replace(f"/{V2}/", "/call/", 1)}
        else:
            arguments = _arguments(said, parameters)
        return scope, json.dumps({"data": arguments}).encode()

    def _joined(self, scope: Scope, body: bytes) -> bytes:
        """Return a call by number: that of an endpoint, or an event of the page."""
        said = _object(scope, body)
        number = _number(said)
        parameters = self._numbers.get(number)
        if parameters is None:
            if number not in self._functions or Headers(scope=scope).get("x-gradio-user") == "api":  # Gradio's clients
                raise HTTPException(404)
            return body
        self._check_access(scope)
        joined = {name: said[name] for name in ("fn_index", "session_hash") if name in said}
        return json.dumps({**joined, "data": _arguments(said, parameters)}).encode()

    def _check_cancel(self, scope: Scope, body: bytes) -> None:
        if _number(_object(scope, body)) not in self._numbers:
            raise HTTPException(404)
        self._check_access(scope)

    def _check_access(self, scope: Scope) -> None:
        if not self._access.allows(Headers(scope=scope)):
            raise Refused("unauthorized")


def _object(scope: Scope, body: bytes) -> Json:
    if not is_json(Headers(scope=scope)):
        raise Refused("not_json")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("invalid_request") from None
    if not isinstance(said, dict):
        raise Refused("invalid_request")
    return said


def _number(said: Json) -> int:
    number = said.get("fn_index")
    if type(number) is not int:  # Gradio would also take "1" and true for one
        raise Refused("invalid_request")
    return number


def _arguments(said: Json, parameters: tuple[str, ...]) -> list[Any]:
    """Return the arguments in order; those left out at the end are None."""
    arguments = said.get("data")
    if not isinstance(arguments, list) or len(arguments) > len(parameters):
        raise Refused("invalid_request")
    return [*arguments, *[None] * (len(parameters) - len(arguments))]
