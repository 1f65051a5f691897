"""A bug of ours behind every kind of route: told as ours in JSON, logged by kind and own lines, counted in /metrics."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import api.error_responses
import api.routes.documents
import api.routes.metrics
import api.routes.turns
from i18n import text
from i18n.messages import error_text
from pipeline import own_faults as bugs
from pipeline.errors import OWN_FAULT, SearchFault
from pipeline.events import Warned
from pipeline.models.catalogue import Models
from pipeline.replies.dspy_internals import emit
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import Settings
from server import application, build

TEXT = text("fault.internal")
SECRET = "what somebody asked"
VISITOR = {"X-Visitor": "maya-0123456789abcdef"}


class BrokenIndex:
    """An index with a bug: every use of it divides by zero, and says so with a text that nobody may read."""

    titles = ()
    modes = ("keyword",)
    reranks = False

    async def __call__(self, *_: Any) -> Any:
        raise ZeroDivisionError(SECRET)

    async def documents(self, *_: Any) -> Any:
        raise ZeroDivisionError(SECRET)

    async def add(self, *_: Any, **__: Any) -> Any:
        raise ZeroDivisionError(SECRET)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The API over `BrokenIndex`, as the application builds it."""
    values = Settings(data_dir=tmp_path)
    index: Any = BrokenIndex()
    parts = build(values, index=index, models=Models(values, pace_s=0.0))
    app = application(parts)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
    await parts.pipeline.close()
    parts.store.close()


async def counted(client: httpx.AsyncClient, place: str) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    return float(next(line for line in lines if f'glassbox_own_faults_total{{place="{place}"}}' in line).split()[-1])


def traces(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What was logged of bugs; fails where anything holds the text of an exception."""
    assert SECRET not in caplog.text
    return [getattr(each, bugs.FACTS) for each in caplog.records if each.getMessage().startswith("our own fault")]


@pytest.mark.parametrize("streams", [True, False])
async def test_a_bug_in_a_turn_is_ours_and_not_the_models(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, streams: bool
) -> None:
    before = await counted(client, "search")
    answer = await client.post("/api/turns", json={"question": SECRET, "stream": streams})
    said = answer.text.rpartition("data: ")[2].partition("\n")[0] if streams else answer.text
    ending = json.loads(said)
    assert (ending["kind"], ending["code"], ending["text"]) == ("turn_failed", "internal", TEXT)
    (trace,) = traces(caplog)
    assert trace["place"] == "search"
    assert any(frame.startswith("pipeline/programs/search_step.py:") for frame in trace["frames"])
    assert await counted(client, "search") == before + 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/documents"),
        ("GET", "/api/search?q=tea"),
        ("DELETE", "/api/documents/x"),
        ("GET", "/api/documents/x/original"),
        ("GET", "/api/documents/x/pages/1.jpg"),
    ],
)
async def test_a_bug_behind_a_route_is_a_500_in_json_with_a_constant_text(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    before = await counted(client, "api")
    answer = await client.request(method, path, headers=VISITOR)
    assert (answer.status_code, answer.json()) == (500, {"detail": TEXT})
    (trace,) = traces(caplog)
    assert any(frame.startswith("pipeline/documents/library.py:") for frame in trace["frames"])
    assert await counted(client, "api") == before + 1


@dataclass(frozen=True, kw_only=True)
class Unsayable(Warned):
    """An event that the wire cannot tell."""

    values: Any = max  # a function is no mapping


async def test_a_bug_in_telling_a_turn_is_told_at_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def unsayable(*_: Any, **__: Any) -> Any:
        await emit(Unsayable(code=SECRET))
        raise SearchFault

    values = Settings(data_dir=tmp_path)
    index: Any = unsayable
    parts = build(values, index=index, models=Models(values, pace_s=0.0))
    app = application(parts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        answer = await client.post("/api/turns", json={"question": "Tea?"})
    await parts.pipeline.close()
    parts.store.close()
    ending = json.loads(answer.text.rpartition("data: ")[2].partition("\n")[0])
    assert (answer.status_code, ending["kind"], ending["code"]) == (200, "turn_failed", "internal")
    assert [trace["place"] for trace in traces(caplog)] == ["api"]


async def test_a_bug_in_taking_a_file_is_told_of_that_file(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    files = [("file", ("tea.md", b"# Tea\n\nGreen tea wants water of 80 degrees.", "text/markdown"))]
    answer = await client.post("/api/documents", headers=VISITOR, files=files, timeout=30)
    assert answer.status_code == 200
    (failed,) = answer.json()["failed"]
    assert failed["code"] == "internal"
    assert [trace["place"] for trace in traces(caplog)] == ["document"]


async def test_a_bug_inside_the_index_is_told_from_a_broken_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = EdgeIndex(tmp_path)
    try:
        with pytest.raises(SearchFault) as raised:
            await index.add([None], "c", None)  # type: ignore[list-item]
    finally:
        index.close()
    assert (raised.value.code, error_text(raised.value)) == (OWN_FAULT, TEXT)
    (trace,) = traces(caplog)
    assert trace["place"] == "search"


# What is sent, as odd as it can be

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["\ud800", "\0", "\ud83d", "﻿", "‮" * 5, "x" * 9000, "../../etc", "'; DROP TABLE turns; --"]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
KEYS = st.sampled_from([*api.routes.turns.Ask.model_fields, "visitor", "replaces", "\ud800"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(KEYS, ODD, max_size=4), question=ODD)
async def test_whatever_is_asked_is_answered_in_json_and_never_with_a_500(
    client: httpx.AsyncClient, body: dict[str, Any], question: Any
) -> None:
    sent = json.dumps({"question": question, "stream": False, **body}).encode()
    answer = await client.post("/api/turns", content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500
    if "event-stream" not in answer.headers["content-type"]:
        json.loads(answer.text)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"question": "a", "passages_wanted": 1' + b"0" * 5000 + b"}",
        b'{"question": "a", "temperature": 1e999}',
        b'{"question": "a", "question": NaN}',
        b'{"question": "\xff\xfe"}',
        "{}".encode("utf-16"),
    ],
)
async def test_a_body_that_is_none_is_refused(client: httpx.AsyncClient, sent: bytes) -> None:
    answer = await client.post("/api/turns", content=sent, headers={"Content-Type": "application/json"})
    assert (answer.status_code, list(answer.json())) == (422, ["detail"])


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "\xff, ::::, 1"}, {"X-Visitor": "\xff" * 20}, {"Last-Event-ID": "²"}]
)
async def test_odd_headers_are_no_fault_of_ours(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = await client.post("/api/turns", json={"question": "Tea?", "stream": False}, headers=encoded)
    assert answer.status_code in (200, 422)


@pytest.mark.parametrize("id", ["%ED%A0%80", "%00", "x" * 5000, "%E2%80%AE", "..%2F..%2Fetc", "%F0%9F%92%A7"])
@pytest.mark.parametrize("path", ["/api/turns/{}", "/api/turns/{}/events", "/api/documents/{}/original"])
async def test_an_id_that_is_none_is_not_found(tmp_path: Path, id: str, path: str) -> None:
    values = Settings(data_dir=tmp_path)
    parts = build(values, index=EdgeIndex.temporary())
    app = application(parts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        answer = await client.get(path.format(id))
    assert answer.status_code == 404
    assert answer.json()["detail"]
    await parts.close()
