"""Limits the size of request bodies. A body is read completely before a route runs, whatever its headers claim."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_responses import response_to
from api.paths import route_of
from pipeline.errors import Refused

LIMIT_BYTES = 1_000_000
UPLOADS = frozenset(("/api/documents", "/gradio_api/upload"))  # these routes limit and count their bodies themselves


class Bodies:
    """Answers 413 to a body of more than LIMIT_BYTES, except to uploads, and 415 to one that is compressed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        try:
            if not has_body(scope):
                return await self.app(scope, receive, send)
            if is_encoded(scope):
                return await response_to(scope, Refused("encoded_body"))(scope, receive, send)
            if is_upload(scope):
                return await self.app(scope, receive, send)
            body = await whole(scope, receive)
            if body is None:
                return await response_to(scope, Refused("too_large"))(scope, receive, send)
            await self.app(scope, again(body, receive), send)
        except ClientDisconnect:
            pass  # the client has disconnected
        return None


def is_upload(scope: Scope) -> bool:
    """Whether this request uploads files."""
    return scope["method"] == "POST" and route_of(scope) in UPLOADS


def has_body(scope: Scope) -> bool:
    """Whether the request has a body."""
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def is_encoded(scope: Scope) -> bool:
    """Whether the body is compressed; its size would be unknown before it is read."""
    return Headers(scope=scope).get("content-encoding", "").strip().lower() not in ("", "identity")


async def whole(scope: Scope, receive: Receive) -> bytes | None:
    """Read the complete body; None when it is too large. Raises ClientDisconnect."""
    if int(Headers(scope=scope).get("content-length", "0")) > LIMIT_BYTES:  # the server has checked that it is a number
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > LIMIT_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body at once, then the messages after it."""
    is_given = False

    async def given() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return given
