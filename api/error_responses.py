"""Errors as HTTP: a status, headers, and a body that the dialect of the path writes.

The texts are constants in English: nothing of an exception's own text leaves here. What nobody has caught is a bug of
Glassbox: `Traced` logs its trace and answers 500.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dialects import Dialect, DialectRouter, Problem
from api.dialects.native import NATIVE
from api.paths import is_below, route_of
from i18n.messages import error_text
from pipeline.errors import Busy, GlassboxError, Gone, IngestFault, NotFound, Refused
from pipeline.own_faults import own_fault

Handlers = dict[int | type[Exception], Callable[[Request, Exception], Coroutine[Any, Any, Response]]]

# Of refusals; others are 422.
STATUSES = {
    "unauthorized": 401,
    "foreign_page": 403,
    "unknown_host": 400,
    "too_slow": 408,
    "too_large": 413,
    "encoded_body": 415,
    "nothing_improved": 409,
    "still_optimising": 409,
    "nothing_to_resume": 409,
}
ROUTERS = "glassbox.dialect_routers"  # the key of an ASGI scope under which `Traced` puts them


def problem_of(error: Exception) -> Problem:
    """Return the problem of an exception; one that is neither ours nor HTTP's is a malformed request."""
    match error:
        case Busy():
            return _problem(429, error, {"Retry-After": str(error.retry_after_s)})
        case Gone():
            turn = f"/api/turns/{error.turn_id}"
            return _problem(410, error, {"Location": turn}, {"turn": turn})
        case Refused(code="unauthorized"):
            return _problem(401, error, {"WWW-Authenticate": "Bearer"})
        case IngestFault():
            return _problem(413, error, more={"code": error.code})
        case GlassboxError():
            return _problem(_status(error), error)
        case HTTPException():
            phrase = HTTPStatus(error.status_code).phrase
            return Problem(error.status_code, phrase.lower().replace(" ", "_"), phrase, dict(error.headers or {}))
        case _:
            return problem_of(Refused("invalid_request"))


def _problem(
    status: int, error: GlassboxError, headers: dict[str, str] | None = None, more: dict[str, str] | None = None
) -> Problem:
    key = str(error.values.get("key", ""))
    return Problem(status, error.code, error_text(error), headers or {}, more or {}, key)


def _status(error: GlassboxError) -> int:
    if error.is_own_fault:
        return 500
    if isinstance(error, Refused):
        return STATUSES.get(error.code, 422)
    return 404 if isinstance(error, NotFound) else 503


def dialect_of(scope: Scope) -> Dialect:
    """The dialect of the router with the longest prefix that a request's path has; `/api`'s where there is none."""
    path = route_of(scope)
    routers: tuple[DialectRouter, ...] = scope.get(ROUTERS, ())
    inside = [router for router in routers if is_below(path, router.prefix)]
    return max(inside, key=lambda router: len(router.prefix)).dialect if inside else NATIVE


def response_to(scope: Scope, error: Exception) -> Response:
    """Return the response to a request that an exception ended."""
    problem = problem_of(error)
    return error_response(dialect_of(scope), problem)


def error_response(dialect: Dialect, problem: Problem) -> Response:
    """Return an error as a dialect writes it."""
    return Response(dialect.error(problem), dialect.status(problem), dict(problem.headers), "application/json")


async def answer_fault(request: Request, error: Exception) -> Response:
    """Return the response to an exception; FastAPI calls this with the request."""
    return response_to(request.scope, error)


# Gradio's app keeps its own answers to what it raises as HTTPException: its script reads them.
PAGE_HANDLERS: Handlers = {GlassboxError: answer_fault, RequestValidationError: answer_fault}
HANDLERS: Handlers = {**PAGE_HANDLERS, HTTPException: answer_fault}


class Traced:
    """Middleware around all routes, Gradio's too: an exception that reaches it is logged, counted and answered.

    Once an answer has begun, it can only be broken off. Among the `routers` are those whose dialects write errors.
    """

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter] = ()) -> None:
        self.app = app
        self._dialect_routers = tuple(router for router in routers if isinstance(router, DialectRouter))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI exchange."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if self._dialect_routers:
            scope[ROUTERS] = self._dialect_routers
        has_begun = False

        async def sent(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except ClientDisconnect:
            return None  # nobody is there to be answered
        except Exception as error:  # noqa: BLE001  whatever it is
            is_page = scope["path"].startswith("/gradio_api")
            fault = error if isinstance(error, GlassboxError) else own_fault(error, "page" if is_page else "api")
            if has_begun:
                raise fault from None
            await response_to(scope, fault)(scope, receive, send)
        return None
