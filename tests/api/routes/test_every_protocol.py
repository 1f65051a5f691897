"""What holds in every protocol in which a question can be asked: the visitor's own key, and what a history may hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from server import Parts
from tests.in_process import api_of, tea_parts
from tests.provider import Provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How hot should the water be?"
OWN_KEY = "own.key:Qm7xJ2vT9wLr4zNc"
NUL = "a\0b"
# How a question is asked, with and without what was said before.
ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/turns", {"question": QUESTION}),
    ("POST", "/chat/basic", {"query": QUESTION}),
    ("POST", "/api/chat/stream", {"messages": [{"content": QUESTION, "sender": "user"}]}),
    ("GET", "/api/chat/stream", {"message": QUESTION}),
    ("GET", "/api/question/stream", {"question": QUESTION}),
    ("POST", "/api/public/chat", {"message": QUESTION}),
    ("GET", "/api/public/chat/stream", {"message": QUESTION}),
    ("POST", "/ai/chat", {"message": QUESTION}),
    ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]}),
    ("POST", "/v1/responses", {"input": QUESTION}),
]
TOLD: list[tuple[str, dict[str, Any], int]] = [
    ("/chat/basic", {"query": QUESTION, "conversation_history": [{"role": "user", "content": NUL}]}, 422),
    (
        "/api/chat/stream",
        {"messages": [{"content": "?", "sender": "user"}, {"content": NUL, "sender": "bot"}, *ASKED[2][2]["messages"]]},
        422,
    ),
    (
        "/v1/chat/completions",
        {
            "messages": [
                {"role": "user", "content": NUL},
                {"role": "assistant", "content": "!"},
                *ASKED[8][2]["messages"],
            ]
        },
        400,
    ),
    ("/v1/responses", {"input": [{"role": "user", "content": each} for each in (NUL, QUESTION)]}, 400),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(tmp_path_factory.mktemp("data"), provider) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts) as running:
        yield running


async def asked(client: httpx.AsyncClient, method: str, path: str, said: dict[str, Any], key: str) -> httpx.Response:
    sent: Any = {"params": said} if method == "GET" else {"json": said}
    return await client.request(method, path, headers={"X-Model-Key": key}, **sent)


@pytest.mark.parametrize(("method", "path", "said"), ASKED)
async def test_the_visitors_own_key_pays_in_every_protocol(
    client: httpx.AsyncClient, provider: Provider, method: str, path: str, said: dict[str, Any]
) -> None:
    assert (await asked(client, method, path, said, OWN_KEY)).status_code == 200
    assert provider.authorized[-1] == OWN_KEY
    sent = len(provider.authorized)
    refused = await asked(client, method, path, said, "with a blank")
    assert refused.status_code == (400 if path.startswith("/v1/") else 422)
    assert len(provider.authorized) == sent


@pytest.mark.parametrize(("path", "said", "status"), TOLD)
async def test_a_history_that_cannot_be_stored_is_refused_as_a_question_is(
    client: httpx.AsyncClient, path: str, said: dict[str, Any], status: int
) -> None:
    answer = await client.post(path, json=said)
    assert answer.status_code == status
    assert "no text" in answer.text
