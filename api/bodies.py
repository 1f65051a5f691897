"""How large a body may be. It is read whole before anything works on it, whatever its headers say or leave out."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.hosts import route_of
from pipeline.errors import REFUSALS

LIMIT_BYTES = 1_000_000
UPLOADS = frozenset(("/api/documents", "/gradio_api/upload"))  # they count for themselves while they read
TOO_LARGE = {"detail": REFUSALS["too_large"]}


class Bodies:
    """Answers 413 to a body of more than LIMIT_BYTES, except where files are brought."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI exchange."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        try:
            if is_upload(scope) or not has_body(scope):
                return await self.app(scope, receive, send)
            body = await whole(scope, receive)
            if body is None:
                return await JSONResponse(TOO_LARGE, 413)(scope, receive, send)
            await self.app(scope, again(body, receive), send)
        except ClientDisconnect:
            pass  # whoever sent it has left, and nobody hears an answer
        return None


def is_upload(scope: Scope) -> bool:
    """Whether this is a request that brings files."""
    return scope["method"] == "POST" and route_of(scope) in UPLOADS


def has_body(scope: Scope) -> bool:
    """Whether anything follows the head."""
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def whole(scope: Scope, receive: Receive) -> bytes | None:
    """The body, None when it is too large. Raises ClientDisconnect."""
    if int(Headers(scope=scope).get("content-length", "0")) > LIMIT_BYTES:  # a number: the server has read it as one
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
    """A `receive` that gives the body at once, and then whatever comes after it."""
    is_given = False

    async def given() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return given
