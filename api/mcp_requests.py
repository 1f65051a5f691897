"""What MCP's SDK leaves to do at its requests: bodies that are no messages, errors, and media types by wildcard."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http import HTTPStatus

from fastapi.responses import Response
from pydantic import ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope

from api.json_bodies import is_json
from i18n.messages import error_text
from pipeline.errors import Busy, GlassboxError, RefusalCode, Refused

PARSE_ERROR, INVALID_REQUEST, SERVER_ERROR = -32700, -32600, -32000  # of JSON-RPC
# What the SDK wants to be named in Accept, word for word.
ACCEPTED = {"POST": ("application/json", "text/event-stream"), "GET": ("text/event-stream",)}

Problem = tuple[RefusalCode, int, int]  # our code, JSON-RPC's, the status


def problem_in(scope: Scope, body: bytes) -> Problem | None:
    """Return why a body is no message, None for a message. The SDK's own errors repeat what was sent."""
    from mcp.types import JSONRPCMessage

    if not is_json(Headers(scope=scope)):
        return "not_json", INVALID_REQUEST, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    try:
        JSONRPCMessage.model_validate(json.loads(body))
    except ValidationError:
        return "invalid_request", INVALID_REQUEST, HTTPStatus.BAD_REQUEST
    except (ValueError, RecursionError):
        return "not_json", PARSE_ERROR, HTTPStatus.BAD_REQUEST
    return None


def refusal(problem: Problem) -> Response:
    """Return the answer to a body that is no message."""
    code, number, status = problem
    return _error(Refused(code), number, status)


def too_many_sessions(wait_s: float) -> Response:
    """Return the answer to a client whose address may open no more sessions for so many seconds."""
    busy = Busy("sessions", max(1, math.ceil(wait_s)))
    return _error(busy, SERVER_ERROR, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(busy.retry_after_s)})


def _error(error: GlassboxError, number: int, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as JSON-RPC writes it."""
    told = {"jsonrpc": "2.0", "id": None, "error": {"code": number, "message": error_text(error)}}
    return Response(json.dumps(told), status, headers, "application/json")


def accepting(scope: Scope) -> Scope:
    """Return a request whose `Accept` names each type that a wildcard, or its absence, stands for."""
    names = ACCEPTED.get(scope["method"], ())
    given = {each.partition(";")[0].strip().lower() for each in Headers(scope=scope).get("accept", "*/*").split(",")}
    if not all(given & {"*/*", f"{name.partition('/')[0]}/*", name} for name in names):
        return scope
    new = {**scope, "headers": list(scope["headers"])}
    MutableHeaders(scope=new)["accept"] = ", ".join(names)
    return new
