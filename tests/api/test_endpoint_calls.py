"""Which of Gradio's functions a program can call, and with what: two endpoints by name or number, nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.types import Message, Receive, Scope, Send

from api.access import Access
from api.endpoint_calls import EndpointCalls

ENDPOINTS = {"ask": (7, ("question", "model")), "search": (8, ("query",))}
TOKEN = "a-token"
JSON = "application/json"
API, APP = ("x-gradio-user", "api"), ("x-gradio-user", "app")


async def passed(path: str, body: Any, *headers: tuple[str, str], token: bool = False, kind: str = JSON) -> Any:
    """Return what Gradio gets of a request, or the status of a refusal."""
    got: list[Any] = []

    async def gradio(scope: Scope, receive: Receive, send: Send) -> None:
        got.append((scope["path"].removeprefix("/gradio_api/"), json.loads((await receive())["body"] or b"null")))

    async def receive() -> Message:
        return {"type": "http.request", "body": body if isinstance(body, bytes) else json.dumps(body).encode()}

    async def send(message: Message) -> None:
        if "status" in message:
            got.append(message["status"])

    sent = [(name.encode(), value.encode()) for name, value in (("content-type", kind), *headers)]
    scope = {"type": "http", "method": "POST", "path": f"/gradio_api/{path}", "headers": sent}
    await EndpointCalls(gradio, ENDPOINTS, Access(SecretStr(TOKEN) if token else None))(scope, receive, send)
    return got[0]


async def test_a_call_by_name_has_all_arguments_and_nothing_else() -> None:
    said = {"data": ["What is crema?"], "fn_index": 3, "session_hash": "s", "batched": True, "event_data": {}}
    for how in ("run", "call"):
        assert await passed(f"{how}/ask", said) == (f"{how}/ask", {"data": ["What is crema?", None]})
    named = {"question": "What is crema?"}
    assert await passed("call/v2/ask", named) == ("call/ask", {"data": ["What is crema?", None]})


async def test_a_call_by_number_reaches_the_endpoint_of_that_number() -> None:
    said = {"data": ["crema"], "fn_index": 8, "session_hash": "s", "trigger_id": 4}
    joined = {"data": ["crema"], "fn_index": 8, "session_hash": "s"}
    assert await passed("queue/join", said, API) == ("queue/join", joined)
    cancelled = {"fn_index": 8, "session_hash": "s", "event_id": "e"}
    assert await passed("cancel", cancelled) == ("cancel", cancelled)


@pytest.mark.parametrize("number", [-1, 9, 99_999, 2**80])
async def test_a_function_that_is_not_there_is_not_found(number: int) -> None:
    said = {"data": [], "fn_index": number, "session_hash": "s"}
    assert await passed("queue/join", said, APP) == 404
    assert await passed("cancel", {**said, "event_id": "e"}) == 404


async def test_an_event_of_the_page_passes_as_it_is_but_not_for_a_client_that_calls_by_number() -> None:
    said = {"data": [1, 2, 3], "fn_index": 3, "session_hash": "s", "trigger_id": 4, "event_data": {"a": 1}}
    assert await passed("queue/join", said, APP, token=True) == ("queue/join", said)
    assert await passed("queue/join", said, API) == 404
    assert await passed("cancel", said) == 404


@pytest.mark.parametrize("path", ["run/ask", "call/ask", "call/v2/ask", "call/ask/event", "queue/join", "cancel"])
async def test_the_endpoints_ask_for_the_token(path: str) -> None:
    said = {"question": ""} if "v2" in path else {"data": [""], "fn_index": 7, "session_hash": "s"}
    assert await passed(path, said, token=True) == 401
    assert (await passed(path, said, ("authorization", f"Bearer {TOKEN}"), token=True)) != 401


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"3", b"[" * 100_000, {}, {"data": "x"}, {"data": ["a", "b", "c"]}, {"data": None}]
)
async def test_a_malformed_call_is_refused(body: Any) -> None:
    assert await passed("run/ask", body) == 422
    assert await passed("queue/join", {"fn_index": 7, **body} if isinstance(body, dict) else body) == 422


@pytest.mark.parametrize("number", ["7", 7.0, True, None, [7]])
async def test_a_number_that_is_none_names_no_function(number: Any) -> None:
    assert await passed("queue/join", {"data": [""], "fn_index": number, "session_hash": "s"}, APP) == 422


async def test_an_unknown_argument_and_a_form_are_refused() -> None:
    assert await passed("call/v2/ask", {"question": "", "prompt": ""}) == 422
    assert await passed("call/ask", {"data": [""]}, kind="text/plain") == 422
