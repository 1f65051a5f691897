"""What was raised, read from all that led to it."""

from __future__ import annotations

import itertools
import json
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import dspy
import httpx
import pytest

from pipeline.errors import ModelFault, SearchFault
from pipeline.models.provider_faults import engine_fault, fault_of


def raised(*chain: BaseException) -> BaseException:
    """The first of them, caused by the second, and so on."""
    for above, below in itertools.pairwise(chain):
        above.__cause__ = below
    return chain[0]


@pytest.mark.parametrize(
    ("chain", "code"),
    [
        ([dspy.LMServerError("x", status=500), httpx.ConnectError("x"), socket.gaierror()], "unreachable"),
        ([dspy.LMServerError("x", status=500), httpx.ReadError("x"), RuntimeError()], "connection"),
        ([dspy.LMServerError("x", status=503), KeyError()], "server"),
        ([dspy.LMInvalidRequestError("x", status=403)], "auth"),
        ([dspy.LMRateLimitError("x", status=429, provider_code="insufficient_quota")], "billing"),
        ([dspy.LMInvalidRequestError("this model cannot STREAM", status=400)], "cannot_stream"),
        ([dspy.LMInvalidRequestError("404 page not found", status=404)], "wrong_address"),
        ([dspy.LMUnsupportedModelError("model 'm' not found", status=404)], "unsupported_model"),
        ([dspy.LMInvalidRequestError("x", status=404, provider_code="model_not_found")], "unsupported_model"),
        ([dspy.LMProviderError("x", status=405)], "wrong_address"),
        ([dspy.LMProviderError("x", status=307)], "wrong_address"),
        ([RuntimeError("x")], "unexpected"),
        ([RuntimeError("x"), ModelFault("auth")], "auth"),
        ([BaseExceptionGroup("x", [dspy.LMAuthError("x")])], "auth"),
    ],
)
def test_the_deepest_cause_that_is_known_says_what_it_was(chain: list[BaseException], code: str) -> None:
    assert engine_fault(raised(*chain)).code == code


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("soon", None), ("-3", 0)])
def test_the_wait_that_a_provider_asks_for_is_found_in_its_headers(said: str, seconds: float | None) -> None:
    fault = engine_fault(raised(dspy.LMRateLimitError("x", status=429), refusal(said)))
    assert isinstance(fault, ModelFault)
    assert fault.retry_after_s == seconds


def test_the_wait_can_be_a_date() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    fault = engine_fault(raised(dspy.LMRateLimitError("x", status=429), refusal(until)))
    assert isinstance(fault, ModelFault)
    assert fault.retry_after_s is not None
    assert 50 < fault.retry_after_s <= 60


@pytest.mark.parametrize(
    ("chain", "code"),
    [
        ([RuntimeError("x")], "internal"),
        ([json.JSONDecodeError("x", "", 0)], "internal"),
        ([dspy.LMServerError("x", status=503)], "server"),
        ([RuntimeError("x"), SearchFault()], "search"),
        ([BaseExceptionGroup("x", [ModelFault("auth")])], "auth"),
    ],
)
def test_outside_an_exchange_with_a_model_what_nobody_names_is_a_bug_of_ours(
    chain: list[BaseException], code: str
) -> None:
    assert fault_of(raised(*chain)).code == code


def test_a_bug_in_the_handling_of_a_fault_is_not_taken_for_the_fault() -> None:
    bug = ZeroDivisionError()
    bug.__context__ = ModelFault("auth")
    assert fault_of(bug).code == "internal"


def refusal(retry_after: str) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://model/")
    answer = httpx.Response(429, headers={"retry-after": retry_after}, request=request)
    return httpx.HTTPStatusError("x", request=request, response=answer)
