"""`/chat/basic`, `/api/public/chat` and `/ai/chat`: requests, sessions, histories and refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from i18n import text
from pipeline.errors import SearchFault
from pipeline.models.catalogue import Models
from pipeline.programs.profiles import Profile
from pipeline.settings import Settings
from server import Parts, build
from tests.dialect_streams import DONE, joined, read
from tests.in_process import api_of, tea_parts
from tests.provider import Provider
from tests.scripted import TeaIndex

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
QUESTION = "How hot should the water be?"
STREAMS = ("/chat/basic", "/api/public/chat/stream", "/ai/chat/stream", "/api/ai/chat/stream")
WHOLES = ("/chat/basic", "/api/public/chat", "/ai/chat", "/api/ai/chat")
BOTS = (
    Profile(name="desk", title="Desk", options={"max_tokens": 90}),
    Profile(name="broken", title="Broken", model="status-401"),
)


class FailingIndex(TeaIndex):
    """An index that cannot be searched."""

    async def __call__(self, *asked: Any) -> Any:
        raise SearchFault


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(tmp_path_factory.mktemp("data"), provider, ("ok", "status-401"), BOTS, fallbacks=()) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts) as made:
        yield made


def asking(path: str, question: str = QUESTION, **more: Any) -> dict[str, Any]:
    """A body for a path, which streams where the path can."""
    if path == "/chat/basic":
        return {"query": question, **more}
    return {"message": question, **({"chatbot_id": "desk"} if "public" in path else {}), **more}


def messages(provider: Provider) -> list[str]:
    """What the model was sent last, behind its instructions and the example."""
    sent = [each["content"] for each in provider.requests[-1]["messages"]]
    return sent[3:]


async def streamed(client: httpx.AsyncClient, path: str, body: dict[str, Any], **headers: str) -> list[Any]:
    answer = await client.post(path, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-store"
    return read([answer.content])


# All


async def test_whole_and_stream_say_the_same_answer(client: httpx.AsyncClient) -> None:
    answers = []
    for path in STREAMS:
        stream: dict[str, Any] = {"meta_params": {"stream": True}} if path == "/chat/basic" else {}
        answers.append(joined(await streamed(client, path, asking(path, **stream))))
    for path in WHOLES:
        whole = (await client.post(path, json=asking(path))).json()
        answers.append(whole.get("content") or whole["response"])
    assert answers[0]
    assert len(set(answers)) == 1


@pytest.mark.parametrize("path", dict.fromkeys(STREAMS + WHOLES))
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"query": " ", "message": " "}, 422),
        ({"query": 1, "message": 1}, 422),
        ({"query": "x" * 9_000, "message": "x" * 9_000}, 422),
        ({"query": "x" * 1_000_001, "message": ""}, 413),
        ([], 422),
    ],
)
async def test_what_cannot_be_used_is_refused_before_the_stream(
    client: httpx.AsyncClient, path: str, body: Any, status: int
) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]


@pytest.mark.parametrize("path", dict.fromkeys(STREAMS + WHOLES))
async def test_a_body_that_is_no_json_is_refused(client: httpx.AsyncClient, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert (await client.post(path, content=b"{", headers=headers)).status_code == 422
    assert (await client.post(path, data={"message": "Hi", "query": "Hi"})).status_code == 422


@pytest.mark.parametrize("path", dict.fromkeys(STREAMS + WHOLES))
async def test_keys_that_nobody_knows_are_ignored(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, json=asking(path, user_id=7))).status_code == 200


@pytest.mark.parametrize("path", WHOLES)
async def test_the_same_idempotency_key_is_the_same_turn(
    client: httpx.AsyncClient, provider: Provider, path: str
) -> None:
    headers = {"Idempotency-Key": f"key of {path}".replace(" ", "-")}
    before = len(provider.requests)
    first, second = [(await client.post(path, json=asking(path), headers=headers)).json() for _ in range(2)]
    assert first == second
    assert len(provider.requests) == before + 1
    other = await client.post(path, json=asking(path, "And tea?"), headers=headers)
    assert other.status_code == 422


async def test_a_turn_that_fails_is_502_and_an_error_in_a_stream(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    failing = build(settings, index=cast("Any", FailingIndex()), models=Models(settings, pace_s=0))
    detail = text("fault.search")
    async with api_of(failing) as client:
        for path in WHOLES:
            answer = await client.post(path, json=asking(path, chatbot_id="any"))
            assert (answer.status_code, answer.json()) == (502, {"detail": detail})
        data = [
            await streamed(client, path, asking(path, chatbot_id="any", meta_params={"stream": True}))
            for path in STREAMS
        ]
    assert [each[-1] for each in data] == [
        DONE,
        {"type": "error", "error": detail, "done": True},
        *[{"type": "stream_end"}] * 2,
    ]
    assert data[0][-2] == {"type": "error", "content": detail}
    assert data[2][-2] == {"type": "error", "message": detail}
    await failing.end_turns()
    failing.store.close()


@pytest.mark.parametrize("path", [path for path in WHOLES if path != "/chat/basic"])
async def test_a_session_that_was_given_with_an_idempotency_key_goes_on(
    client: httpx.AsyncClient, provider: Provider, path: str
) -> None:
    headers = {"Idempotency-Key": f"session-of-{path}"}
    given = [(await client.post(path, json=asking(path), headers=headers)).json()["session_id"] for _ in range(2)]
    assert len(set(given)) == 1
    await client.post(path, json=asking(path, "And tea?", session_id=given[0]))
    assert len(messages(provider)) == 3


@pytest.mark.parametrize("path", STREAMS[1:])
async def test_two_first_questions_of_a_session_at_once_are_both_answered(client: httpx.AsyncClient, path: str) -> None:
    body = asking(path, session_id=f"both-at-once-{path}")
    both = await asyncio.gather(*(streamed(client, path, body) for _ in range(2)))
    assert all(joined(each) for each in both)


# /chat/basic


async def test_basic_chat_does_not_stream_unless_it_is_asked_to(client: httpx.AsyncClient) -> None:
    every: list[dict[str, Any]] = [{}, {"meta_params": {}}, {"meta_params": None}, {"meta_params": {"stream": False}}]
    for params in every:
        answer = await client.post("/chat/basic", json=asking("/chat/basic", **params))
        assert list(answer.json()) == ["content", "sources", "rationale", "metadata"]
    data = await streamed(client, "/chat/basic", asking("/chat/basic", meta_params={"stream": True}))
    assert data[-1] == DONE


async def test_basic_chat_is_told_the_earlier_messages_and_the_language(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    history = [
        {"role": "user", "content": "What is tea?"},
        {"role": "assistant", "content": "A drink."},
        {"role": "user", "content": QUESTION},  # the question itself, which some clients send twice
    ]
    body = asking("/chat/basic", conversation_history=history, meta_params={"stream": True, "language": "de-DE"})
    data = await streamed(client, "/chat/basic", body)
    assert data[0]["language"] == "de"
    earlier, answer, asked = messages(provider)
    assert "What is tea?" in earlier
    assert "A drink." in answer
    assert asked.count(QUESTION) == 1


async def test_basic_chat_is_told_a_question_that_was_never_answered(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    history = [{"role": "user", "content": "What is tea?"}]
    await client.post("/chat/basic", json=asking("/chat/basic", conversation_history=history))
    assert "What is tea?" in messages(provider)[0]
    assert "What is tea?" not in messages(provider)[-1]


# /api/public/chat


async def test_a_public_session_remembers_ten_messages_and_the_question_once(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    for number in range(7):
        body = asking("/api/public/chat/stream", f"Question number {number}?", session_id="a-browsers-session")
        await streamed(client, "/api/public/chat/stream", body)
    sent = messages(provider)
    assert len(sent) == 11
    for number in range(7):
        assert sum(f"Question number {number}?" in each for each in sent) == (number > 0)
    assert provider.requests[-1]["temperature"] == 0.7
    assert provider.requests[-1]["max_tokens"] == 90


@pytest.mark.parametrize("name", [None, "", "anonymous"])
async def test_nobody_shares_the_session_without_a_name(
    client: httpx.AsyncClient, provider: Provider, name: str | None
) -> None:
    for path in ("/api/public/chat/stream", "/ai/chat/stream"):
        for _ in range(2):
            await streamed(client, path, asking(path, session_id=name))
        assert len(messages(provider)) == 1


async def test_a_session_belongs_to_its_visitor_and_its_dialect(client: httpx.AsyncClient, provider: Provider) -> None:
    seen = []
    for path, headers in [
        ("/api/public/chat/stream", {}),
        ("/api/public/chat/stream", {"X-Visitor": MAYA}),
        ("/api/public/chat/stream", {"Authorization": "Bearer some"}),  # a public chat has no owners by token
        ("/ai/chat/stream", {}),
        ("/ai/chat/stream", {"Authorization": "Bearer some"}),
        ("/ai/chat/stream", {"Authorization": "Bearer other"}),
        ("/ai/chat/stream", {"X-Visitor": MAYA}),
        ("/api/ai/chat/stream", {"X-Visitor": NOAH}),
        ("/ai/chat/stream", {"X-Visitor": NOAH}),
    ]:
        await streamed(client, path, asking(path, session_id="a-shared-name"), **headers)
        seen.append(len(messages(provider)))
    assert seen == [1, 1, 3, 1, 1, 1, 1, 1, 3]


async def test_an_unknown_bot_is_404_and_a_session_name_too_long_422(client: httpx.AsyncClient) -> None:
    path = "/api/public/chat/stream"
    assert (await client.post(path, json=asking(path, chatbot_id="your-chatbot-id"))).status_code == 404
    assert (await client.get(path, params=asking(path, chatbot_id="your-chatbot-id"))).status_code == 404
    assert (await client.post(path, json=asking(path, session_id="x" * 201))).status_code == 422


async def test_a_get_stream_has_ids_and_goes_on_behind_the_last_one(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    path, asked = "/api/public/chat/stream", asking("/api/public/chat/stream", session_id="an-event-source")
    whole = (await client.get(path, params=asked)).content
    events = [event + b"\n\n" for event in whole.split(b"\n\n")[:-1]]
    ids = [event.split(b"\n")[0].removeprefix(b"id: ").decode() for event in events]
    assert read([whole])[-1]["session_id"] == "an-event-source"
    requests = len(provider.requests)
    for place, last in enumerate(ids[:-1], start=1):
        rest = await client.get(path, params=asked, headers={"Last-Event-ID": last})
        assert rest.content == b"".join(events[place:])
    for last in (ids[-1], "unknown.3", "nonsense", ids[-1].partition(".")[0] + ".99"):
        rest = await client.get(path, params=asked, headers={"Last-Event-ID": last})
        assert (rest.status_code, rest.content) == (204, b"")
    assert len(provider.requests) == requests


async def test_a_get_stream_asks_nothing_for_pages_of_other_sites_and_without_a_question(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    path, requests = "/api/public/chat/stream", len(provider.requests)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await client.get(path, params=asking(path), headers=foreign)).status_code == 403
    assert (await client.get(path)).status_code == 422
    assert (await client.get(path, params={"message": " "})).status_code == 422
    assert len(provider.requests) == requests


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_chunks_are_the_answer(client: httpx.AsyncClient, method: str) -> None:
    path = "/api/public/chat/stream"
    whole = (await client.post("/api/public/chat", json=asking(path))).json()["content"]
    if method == "GET":
        answer = await client.get(path, params=asking(path, chunked="true"))
    else:
        answer = await client.post(path, json=asking(path, chunked=True))
    data = read([answer.content])
    assert "".join(each["chunk"] for each in data) == whole
    assert data[-1]["done"]


async def test_a_bot_without_its_model_quotes(client: httpx.AsyncClient) -> None:
    whole = (await client.post("/api/public/chat", json=asking("/api/public/chat", chatbot_id="broken"))).json()
    assert "80 °C" in whole["content"]


async def test_the_public_chat_is_open_where_programs_need_a_token(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, api_token=SecretStr("the-right-token"))
    closed = build(settings, index=cast("Any", TeaIndex()), models=Models(settings, pace_s=0))
    async with api_of(closed) as client:
        for path in WHOLES:
            answer = await client.post(path, json=asking(path))
            assert answer.status_code == (200 if "public" in path else 401)
            right = {"Authorization": "Bearer the-right-token"}
            assert (await client.post(path, json=asking(path), headers=right)).status_code == 200
            if "public" not in path:
                assert answer.headers["www-authenticate"] == "Bearer"
                assert list(answer.json()) == ["detail"]
    await closed.end_turns()
    closed.store.close()


# /ai/chat


async def test_a_session_that_was_given_goes_on_also_without_a_stream(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    data = await streamed(client, "/api/ai/chat/stream", asking("/ai", session_id=None))
    given = data[0]["session_id"]
    whole = (await client.post("/ai/chat", json=asking("/ai", "And tea?", session_id=given))).json()
    assert whole["session_id"] == given
    assert QUESTION in messages(provider)[0]
    own = await streamed(client, "/ai/chat/stream", asking("/ai", session_id="optional-session-id"))
    assert own[0]["session_id"] == "optional-session-id"
    saved = next(each for each in data if each["type"] == "response_saved")
    assert (await client.get(f"/api/turns/{saved['message_id']}")).json()["state"] == "finished"


@pytest.mark.parametrize(("limit", "sent"), [(0, 1), (1, 1), (2, 3), (3, 3), (4, 5), (10, 7), (9_999, 7)])
async def test_the_limit_of_the_context_counts_messages(
    client: httpx.AsyncClient, provider: Provider, limit: int, sent: int
) -> None:
    session = f"session-with-limit-{limit}"
    for number in range(3):
        await client.post("/ai/chat", json=asking("/ai", f"Question {number}?", session_id=session))
    await client.post("/ai/chat", json=asking("/ai", session_id=session, context_limit=limit))
    assert len(messages(provider)) == sent


@pytest.mark.parametrize("limit", [-1, "10", 1.5, None, True])
async def test_a_limit_that_is_no_number_of_messages_is_refused(client: httpx.AsyncClient, limit: object) -> None:
    assert (await client.post("/ai/chat", json=asking("/ai", context_limit=limit))).status_code == 422
