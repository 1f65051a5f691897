"""Errors as OpenAI's protocol writes them: `{"error": {"message", "type", "code", "param"}}`. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from api.dialects import Problem

Error = dict[str, str | None]

# Our code → OpenAI's, where clients know one. The others are our own.
CODES: Mapping[str, str] = MappingProxyType(
    {
        "unknown_model": "model_not_found",
        "unknown_profile": "model_not_found",
        "unknown_response": "previous_response_not_found",
        "response": "response_not_found",
        "unauthorized": "invalid_api_key",
        "rate": "rate_limit_exceeded",
        "requests": "rate_limit_exceeded",
        "visitor": "rate_limit_exceeded",
        "turns": "rate_limit_exceeded",
        "context_window_exceeded": "context_length_exceeded",
        "prompt_too_long": "context_length_exceeded",
        "over_budget": "insufficient_quota",
    }
)
# Our code → the key of the request that is wrong; QUESTION stands for the one that holds the question.
QUESTION = "question"
PARAMS: Mapping[str, str] = MappingProxyType(
    {
        "unknown_model": "model",
        "unknown_profile": "model",
        "takes_no_key": "model",
        "unknown_response": "previous_response_id",
        "blank_question": QUESTION,
        "long_question": QUESTION,
        "unreadable_question": QUESTION,
        "not_text": QUESTION,
        "client_task": QUESTION,
        "long_instructions": QUESTION,
        "many_choices": "n",
        "answer_format": "response_format",
        "client_tools": "tool_choice",
    }
)


def status_of(problem: Problem) -> int:
    """Return the HTTP status of a problem: 404 for a model that is not there, 400 for a body that cannot be used.

    A key that was used for another request is 422, as everywhere: the body itself is fine.
    """
    if CODES.get(problem.code) == "model_not_found":
        return 404
    return 400 if problem.status == 422 and problem.code != "reused_request_key" else problem.status


def error_of(problem: Problem, question: str = "messages") -> Error:
    """Return the object of an error; `question` is the key of the request that holds the question."""
    param = problem.key or PARAMS.get(problem.code)
    return {
        "message": problem.text,
        "type": _type(status_of(problem)),
        "code": CODES.get(problem.code, problem.code),
        "param": question if param == QUESTION else param,
    }


def error_body(problem: Problem, question: str = "messages") -> bytes:
    """Return the JSON body of an error."""
    return json.dumps({"error": error_of(problem, question)}).encode()


def _type(status: int) -> str:
    if status >= 500:
        return "server_error"
    return {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}.get(
        status, "invalid_request_error"
    )
