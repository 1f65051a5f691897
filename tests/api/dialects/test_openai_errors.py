"""Errors in OpenAI's envelope: the statuses and codes that clients know, and the key that is wrong."""

from __future__ import annotations

import json

import pytest
from starlette.exceptions import HTTPException

from api.dialects import Problem
from api.dialects.openai_errors import error_body, error_of, status_of
from api.error_responses import problem_of
from pipeline.errors import Busy, NotFound, OwnFault, Refused


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "param"),
    [
        (Refused("unknown_model"), 404, "invalid_request_error", "model_not_found", "model"),
        (Refused("unknown_profile"), 404, "invalid_request_error", "model_not_found", "model"),
        (Refused("blank_question"), 400, "invalid_request_error", "blank_question", "messages"),
        (Refused("invalid_request"), 400, "invalid_request_error", "invalid_request", None),
        (Refused("invalid_value", key="stream"), 400, "invalid_request_error", "invalid_value", "stream"),
        (Refused("unauthorized"), 401, "authentication_error", "invalid_api_key", None),
        (Refused("foreign_page"), 403, "permission_error", "foreign_page", None),
        (Refused("too_large"), 413, "invalid_request_error", "too_large", None),
        (Busy("rate", 3), 429, "rate_limit_error", "rate_limit_exceeded", None),
        (NotFound(), 404, "invalid_request_error", "conversation", None),
        (HTTPException(405), 405, "invalid_request_error", "method_not_allowed", None),
        (OwnFault(), 500, "server_error", "internal", None),
    ],
)
def test_an_error_has_the_status_type_and_code_that_openais_clients_know(
    error: Exception, status: int, kind: str, code: str, param: str | None
) -> None:
    problem = problem_of(error)
    assert status_of(problem) == status
    assert error_of(problem) == {"message": problem.text, "type": kind, "code": code, "param": param}
    assert json.loads(error_body(problem)) == {"error": error_of(problem)}


def test_a_turn_that_a_provider_ended_is_a_server_error_whatever_the_providers_own_status() -> None:
    problem = Problem(502, "auth", "The model refused the key.")
    assert (status_of(problem), error_of(problem)["type"]) == (502, "server_error")


def test_the_key_of_the_question_is_that_of_the_protocol() -> None:
    assert error_of(problem_of(Refused("long_question", 8000)), "input")["param"] == "input"
