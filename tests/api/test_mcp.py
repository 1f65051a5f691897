"""`/mcp`, asked by the official client over HTTP in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator
from mcp import ClientSession, McpError, types
from mcp.client.streamable_http import streamable_http_client
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import SecretStr
from starlette.types import ASGIApp, Message

import server
from api.endpoints import Source, source_of
from api.mcp_server import IDLE_S, MOST_SESSIONS_OF_ADDRESS, _with_id
from pipeline.documents.library import Upload
from pipeline.model_entries import ModelEntry
from pipeline.passages import Passage
from pipeline.settings import Settings
from server import Parts, application
from tests.provider import Provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "Why does water temperature change the taste of coffee?"
TOKEN = "token-0123456789abcdef"
MAYA = "maya-0123456789abcdef"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
ACCEPT = {"Accept": "application/json, text/event-stream", "X-Visitor": MAYA}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parts]:
    parts = server.build(Settings(data_dir=tmp_path_factory.mktemp("data"), api_token=SecretStr(TOKEN)))
    await server.index_shared_documents(parts)
    yield parts
    await parts.close()


@asynccontextmanager
async def client_of(parts: Parts, address: str = "127.0.0.1", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    app = application(parts)
    transport = httpx.ASGITransport(app, client=(address, 1))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=headers, timeout=60
    ) as client:
        yield client
    await app.state.mcp.close()


async def test_the_tools_describe_themselves_and_give_what_they_say(parts: Parts) -> None:
    told: list[tuple[float, str | None]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    async with (
        client_of(parts, **HEADERS) as http,
        streamable_http_client("http://127.0.0.1/mcp", http_client=http) as (
            read,
            write,
            _,
        ),
        ClientSession(read, write) as session,
    ):
        begun = await session.initialize()
        tools = {each.name: each for each in (await session.list_tools()).tools}
        asked = await session.call_tool("ask", {"question": QUESTION}, progress_callback=tell)
        answer: Any = asked.structuredContent
        found: Any = (await session.call_tool("search_documents", {"query": "grind", "limit": 2})).structuredContent
        listed: Any = (await session.call_tool("list_documents", {})).structuredContent
        passage: Any = (await session.call_tool("read_passage", {"id": answer["passages"][0]["id"]})).structuredContent
        wrong = [
            await session.call_tool(name, given)
            for name, given in (
                ("ask", {"question": " "}),
                ("ask", {"question": QUESTION, "model": "no/such"}),
                ("ask", {}),
                ("search_documents", {"query": "x", "limit": 99}),
                ("read_passage", {"id": "nonsense"}),
                ("delete_everything", {}),
            )
        ]
    assert begun.serverInfo.name == "glassbox"
    assert list(tools) == ["ask", "search_documents", "list_documents", "read_passage"]
    for each in tools.values():
        assert each.annotations is not None
        assert each.annotations.readOnlyHint
        Draft202012Validator.check_schema(each.inputSchema)
        assert each.outputSchema is not None
        Draft202012Validator.check_schema(each.outputSchema)
    assert "[1]" in answer["answer"]
    assert 1 in answer["cited"]
    assert "verbatim" in {each["verdict"] for each in answer["sentences"]}
    assert [message for _, message in told]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(found["passages"]) == 2
    assert listed["documents"]
    assert passage["text"] == answer["passages"][0]["text"]
    assert [each["number"] for each in answer["passages"] if each["cited"]] == answer["cited"]
    assert passage["url"].startswith("http://127.0.0.1/passages/")
    assert all(each.isError for each in wrong)
    texts = [each.content[0].text for each in wrong]  # type: ignore[union-attr]
    assert all(text.endswith(".") for text in texts)
    assert "Traceback" not in "".join(texts)


@pytest.mark.parametrize("accept", [None, "*/*", "application/*, text/*;q=0.5", "Application/JSON, text/event-stream"])
async def test_an_accept_of_any_type_is_one(parts: Parts, accept: str | None) -> None:
    async with client_of(parts, **HEADERS) as http:
        asked = http.build_request("POST", "/mcp", json=message(1, "initialize", INITIALIZE))
        del asked.headers["accept"]
        if accept is not None:
            asked.headers["accept"] = accept
        answered = await http.send(asked)
        other = await http.post("/mcp/", json=message(1, "initialize", INITIALIZE), headers={"Accept": "text/html"})
    assert (answered.status_code, answered.headers["content-type"]) == (200, "text/event-stream")
    assert other.status_code == 406


@pytest.mark.parametrize(
    ("sent", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, -32700),
        (b"", "application/json", 400, -32700),
        (b"\xff", "application/json", 400, -32700),
        (b"[" * 100_000, "application/json", 400, -32700),
        (b'{"question": "whose?"}', "application/json", 400, -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', "application/json", 400, -32600),
        (b"{}", "text/plain", 415, -32600),
    ],
)
async def test_what_is_no_message_is_an_error_of_the_protocol_that_repeats_nothing(
    parts: Parts, sent: bytes, kind: str, status: int, code: int
) -> None:
    async with client_of(parts, **HEADERS) as http:
        refused = await http.post("/mcp", content=sent, headers={**ACCEPT, "Content-Type": kind})
    told = refused.json()
    assert (refused.status_code, told["jsonrpc"], told["id"], told["error"]["code"]) == (status, "2.0", None, code)
    assert told["error"]["message"].endswith(".")
    assert "whose" not in refused.text
    assert "pydantic" not in refused.text


async def test_arguments_as_models_write_them_are_taken_and_wrong_ones_are_named(parts: Parts) -> None:
    async with (
        client_of(parts, **HEADERS) as http,
        streamable_http_client("http://127.0.0.1/mcp", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        taken = [
            await session.call_tool(name, given)
            for name, given in (
                ("search_documents", {"query": "crema", "limit": "3"}),
                ("search_documents", {"query": "crema", "limit": 3.0}),
                ("search_documents", {"query": "crema", "limit": None}),
                ("ask", {"question": QUESTION, "model": None, "documents": None}),
                ("list_documents", {"random_string": "dummy"}),
            )
        ]
        wrong = [
            await session.call_tool("search_documents", given)
            for given in ({"query": "crema", "limit": 99}, {"limit": 3}, {"query": 5}, {"query": None})
        ]
        unknown = await session.call_tool("search_documents", {"query": "crema", "whose": "whose"})
    assert not any(each.isError for each in taken)
    assert all(each.isError for each in [*wrong, unknown])
    texts = [each.content[0].text for each in wrong]  # type: ignore[union-attr]
    assert [text.split()[2] for text in texts] == ["limit", "query", "query", "query"]
    assert "whose" not in str(unknown.content)


async def test_the_token_is_asked_for_and_there_is_no_redirect(parts: Parts) -> None:
    async with client_of(parts) as http:
        refused = await http.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        foreign = await http.post("/mcp", json={}, headers={**HEADERS, "Origin": "https://evil.example"})
        assert foreign.status_code == 403


async def test_an_address_opens_only_so_many_sessions_and_ending_one_makes_room(parts: Parts) -> None:
    begin = message(1, "initialize", INITIALIZE)
    async with client_of(parts, "203.0.113.7", **HEADERS, **ACCEPT) as http:
        begun = [await http.post("/mcp", json=begin) for _ in range(MOST_SESSIONS_OF_ADDRESS)]
        refused = await http.post("/mcp", json=begin)
        assert {each.status_code for each in begun} == {200}
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, -32000)
        assert 0 < int(refused.headers["retry-after"]) <= IDLE_S
        session = {"mcp-session-id": begun[0].headers["mcp-session-id"]}
        assert (await http.delete("/mcp", headers=session)).status_code == 200
        assert (await http.post("/mcp", json=begin)).status_code == 200


async def test_a_start_that_fails_is_a_fault_of_ours_and_the_next_one_works(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = message(1, "initialize", INITIALIZE)
    async with client_of(parts, **HEADERS, **ACCEPT) as http:
        with monkeypatch.context() as broken:
            broken.setattr(StreamableHTTPSessionManager, "run", broken_run)
            assert (await http.post("/mcp", json=begin)).status_code == 500
        assert (await http.post("/mcp", json=begin)).status_code == 200


@asynccontextmanager
async def broken_run(_: StreamableHTTPSessionManager) -> AsyncIterator[None]:
    raise OSError
    yield


async def test_the_id_of_a_passage_is_the_end_of_its_link_whatever_the_public_address_holds() -> None:
    key = "k" * 59
    for base in ("https://example.com", "https://example.com/passages/of/ours"):
        assert _with_id(source_at(f"{base}/passages/{key}"))["id"] == key
        assert _with_id(source_at(f"{base}/#passage-3"))["id"] == ""


def source_at(url: str) -> Source:
    passage = Passage(number=3, document="crema.md", title="Crema", section="", text="It is foam.", score=1.0)
    return source_of(passage, lambda _: url, is_cited=False)


async def test_documents_are_those_of_the_visitor(parts: Parts) -> None:
    async for _ in parts.library.take([Upload("lights.md", b"The lamp of Dover burns whale oil.")], MAYA):
        pass
    names: list[list[str]] = []
    for headers in (HEADERS, {**HEADERS, "X-Visitor": MAYA}):
        async with (
            client_of(parts, **headers) as http,
            streamable_http_client("http://127.0.0.1/mcp", http_client=http) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            listed: Any = (await session.call_tool("list_documents", {})).structuredContent
            names.append([each["name"] for each in listed["documents"]])
    assert ["lights.md" in each for each in names] == [False, True]


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(6_000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def test_a_client_that_cancels_stops_the_turn(tmp_path: Path, provider: Provider) -> None:
    endless = ModelEntry(label="endless", model="hosted_vllm/endless", api_base=provider.base)
    parts = server.build(Settings(data_dir=tmp_path, models=(endless,)))
    async with (
        client_of(parts, **{"X-Visitor": MAYA}) as http,
        streamable_http_client("http://127.0.0.1/mcp", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        asking = asyncio.create_task(session.call_tool("ask", {"question": QUESTION, "model": "endless"}))
        await until(lambda: parts.pipeline.load[0] == 1)
        cancelled = types.CancelledNotificationParams(requestId=session._request_id - 1)
        await session.send_notification(types.ClientNotification(types.CancelledNotification(params=cancelled)))
        with pytest.raises(McpError):
            await asking
        await until(lambda: parts.pipeline.load[0] == 0)
    (conversation,) = await parts.conversations.list(MAYA)
    (turn,) = await parts.conversations.turns(conversation.id, MAYA)
    assert turn.state == "stopped"
    await parts.close()


async def test_a_client_that_disconnects_leaves_the_turn_which_then_stops(tmp_path: Path, provider: Provider) -> None:
    endless = ModelEntry(label="endless", model="hosted_vllm/endless", api_base=provider.base)
    parts = server.build(Settings(data_dir=tmp_path, models=(endless,), leave_grace_s=0))
    app = application(parts)
    call = {"name": "ask", "arguments": {"question": QUESTION, "model": "endless"}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", timeout=60) as http:
        begun = await http.post("/mcp", json=message(1, "initialize", INITIALIZE), headers=ACCEPT)
        session = {**ACCEPT, "mcp-session-id": begun.headers["mcp-session-id"]}
        await http.post("/mcp", json=message(None, "notifications/initialized", {}), headers=session)
        asking = http.build_request("POST", "/mcp", json=message(2, "tools/call", call), headers=session)
        disconnected = asyncio.Event()
        exchange = asyncio.create_task(until_disconnected(app, asking, disconnected))
        await until(lambda: parts.pipeline.load[0] == 1)
        disconnected.set()
        await exchange
        await until(lambda: parts.pipeline.load[0] == 0)
        listed = await http.post("/mcp", json=message(3, "tools/list", {}), headers=session)
    assert "search_documents" in listed.text  # the session goes on
    (conversation,) = await parts.conversations.list(MAYA)
    (turn,) = await parts.conversations.turns(conversation.id, MAYA)
    assert turn.state == "stopped"
    await app.state.mcp.close()
    await parts.close()


def message(number: int | None, method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})


async def until_disconnected(app: ASGIApp, request: httpx.Request, disconnected: asyncio.Event) -> None:
    """Send a request as a server hands it to the app, and end the connection at that event."""
    arriving = [{"type": "http.request", "body": request.content, "more_body": False}]

    async def receive() -> Message:
        if arriving:
            return arriving.pop()
        await disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
