"""Our errors as HTTP: a status and a constant text under `detail`. Nothing of an exception's own text leaves here."""

from __future__ import annotations

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from pipeline.errors import REFUSALS, Busy, GlassboxError, Gone, NotFound, Refused


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
    if isinstance(error, GlassboxError):
        status = 413 if isinstance(error, TooLarge) else 422 if isinstance(error, Refused) else 503
        return JSONResponse({"detail": error.text}, 404 if isinstance(error, NotFound) else status)
    return JSONResponse({"detail": REFUSALS["invalid_request"]}, 422)


HANDLERS = {GlassboxError: answer_fault, RequestValidationError: answer_fault}
