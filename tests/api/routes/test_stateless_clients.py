"""Clients that send the whole history with each question: which conversation a question belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio

from server import Parts
from tests.in_process import api_of, tea_parts
from tests.provider import Provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND, THIRD = "How hot?", "And how long?", "And which pot?"

Said = list[dict[str, Any]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(tmp_path_factory.mktemp("data"), provider) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts) as running:
        yield running


@pytest.fixture
def maya() -> str:
    """A visitor without conversations."""
    return f"maya-{token_hex(8)}"


def headers_of(kind: str, name: str) -> dict[str, str]:
    """What names somebody: as a visitor, by a bearer token, or not at all."""
    return {"visitor": {"X-Visitor": name}, "bearer": {"Authorization": f"Bearer {name}"}, "nobody": {}}[kind]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str | None) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


class Chat:
    """A client that keeps the messages itself."""

    def __init__(self, client: httpx.AsyncClient, name: str, kind: str = "visitor") -> None:
        self._client, self._headers = client, headers_of(kind, name)

    async def ask(self, question: str, said: Said) -> tuple[Said, str]:
        """Ask behind what was said → all that was said then, and the conversation of the turn."""
        messages = [*said, user(question)]
        answer = (
            await self._client.post("/v1/chat/completions", json={"messages": messages}, headers=self._headers)
        ).json()
        turn_id = answer["id"].removeprefix("chatcmpl-")
        turn = (await self._client.get(f"/v1/responses/resp_{turn_id}", headers=self._headers)).json()
        return [*messages, assistant(answer["choices"][0]["message"]["content"])], turn["conversation"]["id"]


@pytest.mark.parametrize("kind", ["visitor", "bearer"])
async def test_a_chat_is_one_conversation_whose_history_the_model_reads_once(
    client: httpx.AsyncClient, provider: Provider, maya: str, kind: str
) -> None:
    chat = Chat(client, maya, kind)
    said, first = await chat.ask(FIRST, [])
    said, second = await chat.ask(SECOND, said)
    said, third = await chat.ask(THIRD, said)
    assert first == second == third
    sent = [each["content"] for each in provider.requests[-1]["messages"]]
    for question in (FIRST, SECOND, THIRD):
        assert sum(question in each for each in sent) == 1
    _, other = await chat.ask(FIRST, [])
    assert other != first


async def test_the_visitors_list_has_the_chat_once_with_its_turns_in_order(
    client: httpx.AsyncClient, parts: Parts, maya: str
) -> None:
    chat = Chat(client, maya)
    said, _ = await chat.ask(FIRST, [])
    await chat.ask(SECOND, said)
    (listed,) = await parts.conversations.list(maya)
    turns = await parts.conversations.turns(listed.id, maya)
    assert [each.question for each in turns] == [FIRST, SECOND]


@pytest.mark.parametrize(
    "changed",
    [
        lambda answer: [user(f"  {FIRST}\n"), assistant(f"\n{answer}  \n")],
        lambda answer: [user(FIRST), assistant(answer.replace(" ", "\n"))],
        lambda answer: [{"role": "system", "content": "Be short."}, user(FIRST), assistant(answer)],
        lambda answer: [user(FIRST), assistant(None), {"role": "tool", "content": "18 g"}, assistant(answer)],
        lambda answer: [user(FIRST), {"role": "assistant", "content": [{"type": "text", "text": answer}]}],
    ],
)
async def test_blanks_and_messages_of_others_between_change_nothing(
    client: httpx.AsyncClient, maya: str, changed: Any
) -> None:
    chat = Chat(client, maya)
    said, first = await chat.ask(FIRST, [])
    assert (await chat.ask(SECOND, changed(said[-1]["content"])))[1] == first


@pytest.mark.parametrize(
    "edited",
    [
        lambda answer: [user("How cold?"), assistant(answer)],
        lambda answer: [user(FIRST), assistant(f"{answer} Or not.")],
        lambda answer: [user(FIRST), assistant("")],
        lambda answer: [user(FIRST)],
    ],
)
async def test_an_edited_history_begins_its_own_conversation(client: httpx.AsyncClient, maya: str, edited: Any) -> None:
    chat = Chat(client, maya)
    said, first = await chat.ask(FIRST, [])
    assert (await chat.ask(SECOND, edited(said[-1]["content"])))[1] != first


async def test_what_was_said_earlier_than_the_last_turn_begins_its_own_conversation(
    client: httpx.AsyncClient, maya: str
) -> None:
    chat = Chat(client, maya)
    begun, first = await chat.ask(FIRST, [])
    await chat.ask(SECOND, begun)
    assert (await chat.ask(THIRD, begun))[1] != first


async def test_of_two_conversations_that_end_alike_the_latest_goes_on(client: httpx.AsyncClient, maya: str) -> None:
    chat = Chat(client, maya)
    said, first = await chat.ask(FIRST, [])
    again, second = await chat.ask(FIRST, [])
    assert said == again
    assert first != second
    assert (await chat.ask(SECOND, said))[1] == second


@pytest.mark.parametrize("kind", ["visitor", "bearer", "nobody"])
async def test_nobody_goes_on_with_the_conversation_of_somebody_else(
    client: httpx.AsyncClient, parts: Parts, maya: str, kind: str
) -> None:
    said, first = await Chat(client, maya).ask(FIRST, [])
    assert (await Chat(client, token_hex(8), kind).ask(SECOND, said))[1] != first
    (listed,) = await parts.conversations.list(maya)
    assert len(await parts.conversations.turns(listed.id, maya)) == 1


async def test_without_an_owner_each_question_is_a_conversation(client: httpx.AsyncClient) -> None:
    chat = Chat(client, "", "nobody")
    said, first = await chat.ask(FIRST, [])
    assert (await chat.ask(SECOND, said))[1] != first


async def test_the_conversation_stays_the_persons_who_signs_in(
    client: httpx.AsyncClient, parts: Parts, maya: str
) -> None:
    said, first = await Chat(client, maya).ask(FIRST, [])
    noah = token_hex(8)
    await parts.pipeline.adopt(maya, noah)
    assert (await Chat(client, maya).ask(SECOND, said))[1] != first
    assert (await Chat(client, noah).ask(SECOND, said))[1] == first


async def test_the_other_chats_that_send_their_history_go_on_too(
    client: httpx.AsyncClient, parts: Parts, maya: str
) -> None:
    said, first = await Chat(client, maya).ask(FIRST, [])
    basic = {"query": SECOND, "conversation_history": said}
    answer = (await client.post("/chat/basic", json=basic, headers={"X-Visitor": maya})).json()["content"]
    said += [user(SECOND), assistant(answer)]
    messages = [{"content": each["content"], "sender": each["role"]} for each in [*said, user(THIRD)]]
    await client.post("/api/chat/stream", json={"messages": messages}, headers={"X-Visitor": maya})
    turns = await parts.conversations.turns(first, maya)
    assert [each.question for each in turns] == [FIRST, SECOND, THIRD]
