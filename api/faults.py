"""Our errors as HTTP: a status and a constant text under `detail`. Nothing of an exception's own text leaves here.

What nobody has caught is a bug of ours: `Traced` keeps its trace and answers 500 in the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.bugs import own_fault
from pipeline.errors import OWN_FAULT, REFUSALS, Busy, GlassboxError, Gone, IngestFault, NotFound, Refused

Handler = Callable[[Request, Exception], Coroutine[Any, Any, Response]]


class TooLarge(Refused):
    """A body over the limit."""

    def __init__(self) -> None:
        super().__init__("too_large")


async def answer_fault(_request: Request, error: Exception) -> JSONResponse:
    """GlassboxError → its status and text."""
    if isinstance(error, Busy):
        return JSONResponse({"detail": error.text}, 429, {"Retry-After": str(error.retry_after_s)})
    if isinstance(error, Gone):
        turn = f"/api/turns/{error.turn_id}"
        return JSONResponse({"detail": error.text, "turn": turn}, 410, {"Location": turn})
    if isinstance(error, IngestFault):
        return JSONResponse({"detail": error.text, "code": error.code}, 413)
    if isinstance(error, GlassboxError):
        return JSONResponse({"detail": error.text}, _status(error))
    return JSONResponse({"detail": REFUSALS["invalid_request"]}, 422)


def _status(error: GlassboxError) -> int:
    if error.code == OWN_FAULT[0]:
        return 500
    kinds: dict[type[GlassboxError], int] = {TooLarge: 413, Refused: 422, NotFound: 404}
    return next((status for kind, status in kinds.items() if isinstance(error, kind)), 503)


HANDLERS: dict[int | type[Exception], Handler] = {GlassboxError: answer_fault, RequestValidationError: answer_fault}


class Traced:
    """Middleware around all routes, Gradio's too: an exception that reaches it is logged, counted and told as ours.

    Once an answer has begun, there is only its breaking off.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI exchange."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        has_begun = False

        async def heard(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, heard)
        except ClientDisconnect:
            return None  # nobody is there to be told
        except Exception as error:  # noqa: BLE001  whatever it is
            is_page = scope["path"].startswith("/gradio_api")
            fault = error if isinstance(error, GlassboxError) else own_fault(error, "page" if is_page else "api")
            if has_begun:
                raise fault from None
            await (await answer_fault(Request(scope), fault))(scope, receive, send)
        return None
