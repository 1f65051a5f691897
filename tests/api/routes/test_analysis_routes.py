"""`/api/chat/stream` and `/api/question/stream`: requests, histories, sessions, coming back, and refusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from pipeline.programs.profiles import Profile
from server import Parts
from tests.in_process import api_of, tea_parts
from tests.provider import Provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How hot should the water be?"
CHAT, DEBUG, ASK = "/api/chat/stream", "/api/chat/stream/debug", "/api/question/stream"
ROLES = Profile(name="rules", title="Rules", status_texts={"retrieve": "Reading the rules …"})
FOREIGN = {"Sec-Fetch-Site": "cross-site"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(
        tmp_path_factory.mktemp("data"), provider, ("ok", "status-401"), [ROLES], fallbacks=()
    ) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts) as made:
        yield made


def said(content: str, sender: str = "user") -> dict[str, str]:
    return {"content": content, "sender": sender}


def events_of(answer: httpx.Response) -> list[dict[str, str]]:
    """Each event's lines by name."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = answer.text.replace(": waiting\n", "").split("\n\n")[:-1]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def chunks_of(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(each["data"]) for each in events_of(answer)]


async def test_earlier_messages_are_sent_to_the_model_and_named_in_the_first_status(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    messages = [said("Is tea hot?"), said("Yes.", "assistant"), said("Mark this."), said(QUESTION)]
    chunks = chunks_of(await client.post(CHAT, json={"messages": messages}))
    assert chunks[0]["metadata"]["history"] == [
        {"question": "Is tea hot?", "answer": "Yes."},
        {"question": "Mark this.", "answer": ""},
    ]
    sent = json.dumps(provider.requests[-1]["messages"])
    assert "Is tea hot?" in sent
    turn = (await client.get(f"/api/turns/{chunks[-1]['metadata']['turn_id']}")).json()
    assert turn["question"] == QUESTION
    answer = "".join(each["content"] for each in chunks if each["type"] == "content")
    assert answer == turn["fields"]["answer"]


@pytest.mark.parametrize(
    ("kind", "program"), [(None, "ChainOfThought"), ("compliance", "Compliance"), ("document", "DocumentAnalysis")]
)
async def test_an_analysis_type_chooses_the_program(client: httpx.AsyncClient, kind: str | None, program: str) -> None:
    body = {"messages": [said(QUESTION)], **({"analysis_type": kind} if kind else {})}
    debug = await client.post(DEBUG, json=body)
    first = chunks_of(debug)[0]
    assert (first["kind"], first["program"]) == ("turn_started", program)


async def test_a_profile_names_the_steps(client: httpx.AsyncClient) -> None:
    chunks = chunks_of(await client.post(CHAT, json={"messages": [said(QUESTION)], "profile": "rules"}))
    assert "Reading the rules …" in [each["content"] for each in chunks if each["type"] == "status"]


@pytest.mark.parametrize("path", [CHAT, DEBUG])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": [said(" ")]},
        {"messages": [said("Hi"), said("Hello", "assistant")]},
        {"messages": [{"content": "Hi"}]},
        {"messages": [said(QUESTION)], "analysis_type": "other"},
        {"messages": [said("x" * 9_000)]},
        {"messages": [said(QUESTION)], "profile": "unknown"},
    ],
)
async def test_what_cannot_be_used_is_refused_before_the_stream(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == 422
    assert list(answer.json()) == ["detail"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (CHAT, {}),
        (CHAT, {"messages": "[" * 9_000}),
        (CHAT, {"messages": '{"content": "Hi"}'}),
        (CHAT, {"message": QUESTION, "analysis_type": "other"}),
        (ASK, {}),
        (ASK, {"question": " "}),
        (ASK, {"question": QUESTION, "session_id": "x" * 201}),
    ],
)
async def test_an_address_without_a_question_is_refused(
    client: httpx.AsyncClient, path: str, query: dict[str, str]
) -> None:
    answer = await client.get(path, params=query)
    assert answer.status_code == 422
    assert list(answer.json()) == ["detail"]


GETS = [
    (CHAT, {"message": QUESTION}),
    (CHAT, {"messages": json.dumps([said("Hi"), said("Hello", "bot"), said(QUESTION)]), "analysis_type": "general"}),
    (ASK, {"question": QUESTION}),
    (ASK, {"question": QUESTION, "session_id": "mine"}),
]


@pytest.mark.parametrize(("path", "query"), GETS)
async def test_who_comes_back_gets_the_rest_without_asking_the_model_again(
    client: httpx.AsyncClient, provider: Provider, path: str, query: dict[str, str]
) -> None:
    events = events_of(await client.get(path, params=query))
    asked = len(provider.requests)
    assert all(each["id"] for each in events)
    rest = await client.get(path, params=query, headers={"Last-Event-ID": events[-2]["id"]})
    assert events_of(rest) == events[-1:]
    for last in (events[-1]["id"], "unknown.1"):
        ended = await client.get(path, params=query, headers={"Last-Event-ID": last})
        assert (ended.status_code, ended.content) == (204, b"")
    assert len(provider.requests) == asked


@pytest.mark.parametrize(("path", "query"), GETS)
async def test_a_page_of_another_site_cannot_start_a_turn(
    client: httpx.AsyncClient, provider: Provider, path: str, query: dict[str, str]
) -> None:
    asked = len(provider.requests)
    assert (await client.get(path, params=query, headers=FOREIGN)).status_code == 403
    assert len(provider.requests) == asked


async def test_a_post_has_no_ids(client: httpx.AsyncClient) -> None:
    assert all("id" not in each for each in events_of(await client.post(CHAT, json={"messages": [said(QUESTION)]})))


async def test_a_session_goes_on_for_its_bearer_alone(client: httpx.AsyncClient, provider: Provider) -> None:
    async def ask(question: str, token: str) -> str:
        query = {"question": question, "session_id": "one-session"}
        await client.get(ASK, params=query, headers={"Authorization": f"Bearer {token}"})
        return json.dumps(provider.requests[-1]["messages"])

    await ask("Is tea bitter?", "first")
    assert "Is tea bitter?" in await ask(QUESTION, "first")
    assert "Is tea bitter?" not in await ask(QUESTION, "second")


async def test_a_turn_of_a_bearer_is_not_resumed_by_another(client: httpx.AsyncClient) -> None:
    answer = await client.get(ASK, params={"question": QUESTION}, headers={"Authorization": "Bearer first"})
    headers = {"Authorization": "Bearer second", "Last-Event-ID": events_of(answer)[0]["id"]}
    assert (await client.get(ASK, params={"question": QUESTION}, headers=headers)).status_code == 204


async def test_batches_add_up_to_the_answer_and_total_tokens(client: httpx.AsyncClient) -> None:
    events = events_of(await client.get(ASK, params={"question": QUESTION}))
    assert events[0]["event"] == "thinking"
    batches = [json.loads(each["data"]) for each in events if "event" not in each]
    done = json.loads(events[-1]["data"])
    turn = (await client.get(f"/api/turns/{done['turn_id']}")).json()
    assert "".join(each["content"] for each in batches) == turn["fields"]["answer"]
    assert sum(each["batch_size"] for each in batches) == done["total_tokens"]


async def test_provider_and_health_say_who_answers(client: httpx.AsyncClient) -> None:
    info = (await client.get("/api/provider/info")).json()
    assert (info["model"], info["usable"]) == ("ok", True)
    assert "sk-test" not in json.dumps(info)
    health = await client.get("/api/health")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
