"""What MCP's SDK leaves to do at its requests: bodies that are no messages, and media types by wildcard."""

from __future__ import annotations

import json
from http import HTTPStatus

from fastapi.responses import Response
from pydantic import ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope

from api.json_bodies import is_json
from i18n.messages import error_text
from pipeline.errors import RefusalCode, Refused

PARSE_ERROR, INVALID_REQUEST = -32700, -32600  # of JSON-RPC
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


def refusal(code: RefusalCode, number: int, status: int) -> Response:
    """Return an error as JSON-RPC writes it."""
    error = {"code": number, "message": error_text(Refused(code))}
    return Response(json.dumps({"jsonrpc": "2.0", "id": None, "error": error}), status, media_type="application/json")


def accepting(scope: Scope) -> Scope:
    """Return a request whose `Accept` names each type that a wildcard, or its absence, stands for."""
    names = ACCEPTED.get(scope["method"], ())
    given = {each.partition(";")[0].strip().lower() for each in Headers(scope=scope).get("accept", "*/*").split(",")}
    if not all(given & {"*/*", f"{name.partition('/')[0]}/*", name} for name in names):
        return scope
    new = {**scope, "headers": list(scope["headers"])}
    MutableHeaders(scope=new)["accept"] = ", ".join(names)
    return new
