"""Requests sent twice, and the sessions that clients name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import Request

import server
from api.asking import Asking
from pipeline.errors import Refused
from pipeline.settings import Settings
from pipeline.turn import Said, TurnRequest
from server import Parts
from tests.in_process import api_of, events_of

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
QUESTION = "Why does water temperature change the taste of coffee?"


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    parts = server.build(Settings(data_dir=tmp_path))
    yield parts
    await parts.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(parts) as client:
        yield client


async def asked(client: httpx.AsyncClient, key: str, question: str = QUESTION, **headers: str) -> Any:
    sent = {"Idempotency-Key": key, **headers}
    return (await client.post("/api/turns", json={"question": question, "stream": False}, headers=sent)).json()


def request_of(address: str = "203.0.113.7") -> Request:
    return cast("Request", SimpleNamespace(client=SimpleNamespace(host=address), headers={}))


# Idempotency-Key


async def test_the_same_key_gives_the_same_turn_while_it_runs_and_after_a_restart(parts: Parts) -> None:
    async with api_of(parts, MAYA) as client:
        first, second = await asyncio.gather(*(asked(client, "k1") for _ in range(2)))
    await parts.close()
    restarted = server.build(parts.settings)
    async with api_of(restarted, MAYA) as client:
        third = await asked(client, "k1")
        sent = {"json": {"question": QUESTION}, "headers": {"Idempotency-Key": "k1"}}
        streamed = (await client.post("/api/turns", **sent)).text.splitlines()  # type: ignore[arg-type]
        listed = await restarted.conversations.list(MAYA)
    await restarted.close()
    assert first["turn_id"] == second["turn_id"] == third["turn_id"]
    assert first["fields"] == second["fields"] == third["fields"]
    assert len(listed) == 1
    seqs = [int(line[4:]) for line in streamed if line.startswith("id: ")]
    assert seqs == list(range(len(seqs)))
    assert streamed.count("event: turn_finished") == 1


async def test_a_key_is_private_and_belongs_to_one_request(client: httpx.AsyncClient) -> None:
    first, other = await asked(client, "k3", **{"X-Visitor": MAYA}), await asked(client, "k3", **{"X-Visitor": NOAH})
    assert first["turn_id"] != other["turn_id"]
    others: tuple[dict[str, object], ...] = (
        {"question": "What is tea?"},
        {"documents": ["crema.md"]},
        {"passages_wanted": 2},
        {"passages_wanted": 4},  # the default, but chosen
        {"model": "builtin/extractive"},
        {"conversation_id": first["conversation_id"]},
        {"replaces": first["turn_id"]},
    )
    sent = {"Idempotency-Key": "k3", "X-Visitor": MAYA}
    for changed in others:
        answer = await client.post("/api/turns", json={"question": QUESTION, "stream": False, **changed}, headers=sent)
        assert (answer.status_code, "Idempotency-Key" in answer.json()["detail"]) == (422, True), changed
    for wrong in ("", " ", "a b", "x" * 256):
        assert "Idempotency-Key" in (await asked(client, wrong))["detail"]


# Sessions


async def test_a_session_is_private_to_its_dialect_and_visitor_and_on_a_space_to_the_address(parts: Parts) -> None:
    asking, space = Asking(parts.pipeline, parts.secret), Asking(parts.pipeline, parts.secret, on_space=True)
    name = "my-session-of-today"
    ids = {
        asking.session("a", name, MAYA, request_of()),
        asking.session("b", name, MAYA, request_of()),
        asking.session("a", name, NOAH, request_of()),
        asking.session("a", name, None, request_of()),
        asking.session("a", "short", None, request_of()),
        space.session("a", "short", None, request_of()),
        space.session("a", "short", None, request_of("203.0.113.8")),
    }
    assert len(ids) == 7
    assert asking.session("a", name, None, request_of()) == space.session("a", name, None, request_of("203.0.113.8"))
    assert [asking.session("a", each, MAYA, request_of()) for each in (None, "", "anonymous")] == [None] * 3
    for wrong in ("x" * 201, "a\nb"):
        with pytest.raises(Refused):
            asking.session("a", wrong, MAYA, request_of())


async def test_a_conversation_is_begun_under_an_id_and_then_goes_on(parts: Parts) -> None:
    named = TurnRequest(QUESTION, visitor=MAYA, conversation_id="named", begins=True)
    await events_of(parts.pipeline, named)
    await events_of(parts.pipeline, named)
    assert [each.id for each in await parts.conversations.list(MAYA)] == ["named"]
    assert len(await parts.conversations.turns("named", MAYA)) == 2


async def test_a_turn_may_follow_one_that_is_not_the_last(parts: Parts) -> None:
    named = TurnRequest(QUESTION, visitor=MAYA, conversation_id="c", begins=True)
    first = await parts.pipeline.start(named)
    await parts.pipeline.wait_for_ending(first.id, 60)
    await events_of(parts.pipeline, named)
    last = await parts.pipeline.start(replace(named, follows=first.id))
    await parts.pipeline.wait_for_ending(last.id, 60)
    assert [each.id for each in await parts.conversations.turns("c", MAYA)] == [first.id, last.id]


async def test_the_history_that_a_client_sends_is_the_history(parts: Parts) -> None:
    sent = (Said("What is a moka pot?", "A stove-top brewer."), Said("And a French press?"))
    preview = await parts.pipeline.preview(TurnRequest("How hot is it?", history=sent))
    text = "\n".join(str(each.content) for each in preview.exchange.messages)
    assert all(said in text for said in ("What is a moka pot?", "A stove-top brewer.", "And a French press?"))
