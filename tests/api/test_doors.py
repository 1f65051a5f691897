"""What stands before the routes: hosts, origins, sizes, Gradio's own paths and the bound of its queue.

Against an app of a few routes, put together as the real one is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.responses import JSONResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from api import guard
from api.access import Access
from api.bodies import LIMIT_BYTES
from api.hosts import Place
from api.pending import MOST_PENDING

OURS = "https://glass.example"
OTHER_SITES = (
    "https://evil.example",
    "null",
    "http://127.0.0.1:3000",
    "http://localhost:7860",
    "https://glass.example.evil.example",
)

ENDPOINTS = {"ask": (7, ("question", "model")), "search": (8, ("query",))}


class Queue:
    """A queue as Gradio's: a join is pending until its session is forgotten."""

    def __init__(self) -> None:
        self.joined: dict[str, int] = {}

    def pending(self, session: str) -> int:
        return self.joined.get(session, 0)

    async def forget(self, session: str) -> None:
        self.joined.pop(session, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if scope["method"] == "POST":
            session = (await request.json())["session_hash"]
            self.joined[session] = self.pending(session) + 1
        said = {"root": str(request.url), "root_path": scope["root_path"], "address": scope["client"][0]}
        await JSONResponse(said)(scope, receive, send)


def app_of(
    place: Place, queue: Queue | None = None, token: SecretStr | None = None, **origins: tuple[str, ...]
) -> FastAPI:
    app = FastAPI(openapi_url=None, redirect_slashes=False, middleware=guard.middleware(place, **origins))

    @app.get("/api/search")
    @app.post("/api/turns")
    @app.get("/api/documents/1/original")
    async def answer(request: Request) -> dict[str, Any]:
        return {"body": len(await request.body()), "address": request.client.host if request.client else ""}

    queue = queue or Queue()
    app.router.routes.append(Mount("/", queue))
    guard.narrow(app.router.routes, queue.pending, queue.forget, ENDPOINTS, Access(token))
    return app


def client_of(app: FastAPI, base: str = "http://127.0.0.1:7860", peer: str = "127.0.0.1") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(peer, 1)), base_url=base)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app_of(Place.of("127.0.0.1", None, 0))) as client:
        yield client


# Gradio's own paths

CLOSED = """
POST process_recording
GET file=https://example.com/x
GET file=/etc/passwd
GET file/etc/passwd
GET proxy=https://x.hf.space/a
GET vibe-code
POST vibe-edit
POST undo-vibe-edit
POST vibe-starter-queries
GET dev/reload
GET stream/a/b/1/playlist.m3u8
POST stream/x
GET queue/status
POST run/predict
POST run/ask/
POST api/predict
POST api/ask
POST call/page_3
POST call/v2/page
POST call/v2/ask/x
GET call/page/1
GET call/ask
POST component_server
POST reset
GET startup-events
GET upload_progress?upload_id=1
GET custom_component/a/b/c/d
GET token
GET user
GET login_check
GET deep_link?session_hash=x
GET runs
GET run-history/buckets
GET profiling/summary
GET mcp
GET queue/join
POST queue/data
GET app_id/
GET %66ile=/etc/passwd
"""


@pytest.mark.parametrize("line", CLOSED.split("\n")[1:-1])
async def test_what_the_page_does_not_ask_of_gradio_is_not_there(client: httpx.AsyncClient, line: str) -> None:
    method, path = line.split()
    answer = await client.request(method, f"/gradio_api/{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    "path", ["login", "logout", "monitoring/summary", "svelte/a.js", "docs", "assets/%2e%2e/config"]
)
async def test_nor_any_other_page_of_gradio(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/{path}")).status_code == 404


OPENED = "/ /config /theme.css /favicon.ico /manifest.json /static/fonts/a.woff2 /assets/index-1.js"


@pytest.mark.parametrize("path", OPENED.split())
async def test_what_the_page_loads_is_there(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


# Origins


@pytest.mark.parametrize("origin", OTHER_SITES)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_another_sites_page_neither_reads_nor_starts_anything(origin: str, host: str) -> None:
    place = Place.of(host, None, 0)
    base = "http://127.0.0.1:7860" if host == "127.0.0.1" else "http://glass.local:7860"
    async with client_of(app_of(place), base) as client:
        headers = {"Origin": origin}
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        answers = [
            await client.get("/api/search", headers=headers),
            await client.post("/api/turns", headers=headers | {"Content-Type": "text/plain"}, content=b"{}"),
            await client.post("/gradio_api/queue/join", headers=headers, content=b'{"session_hash": "s"}'),
            await client.get("/gradio_api/queue/data?session_hash=s", headers=headers),
            await client.options("/api/turns", headers=headers | asked),
            await client.delete("/api/search", headers=headers),
            await client.post("/", headers=headers),
        ]
    assert {answer.status_code for answer in answers} == {403}
    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control")]
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_an_image_of_another_page_starts_no_work_and_a_link_opens_a_document(
    client: httpx.AsyncClient, site: str
) -> None:
    image = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert (await client.get("/api/search", headers=image)).status_code == 403
    assert (await client.get("/api/search", headers=link)).status_code == 403
    assert (await client.get("/api/documents/1/original", headers=image)).status_code == 403
    assert (await client.get("/api/documents/1/original", headers=link)).status_code == 200
    assert (await client.get("/", headers=link)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:7860"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://through.a.proxy"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_our_own_page_and_a_program_may(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.post("/api/turns", headers=headers, content=b"{}")).status_code == 200


async def test_an_origin_that_is_named_may_and_is_told_so() -> None:
    app = app_of(Place.of("127.0.0.1", None, 0), cors_origins=("https://school.example",))
    async with client_of(app) as client:
        headers = {"Origin": "https://school.example", "Sec-Fetch-Site": "cross-site"}
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, x-visitor"}
        preflight = await client.options("/api/turns", headers=headers | asked)
        answer = await client.post("/api/turns", headers=headers, content=b"{}")
        other = await client.get("/api/search", headers={"Origin": "https://evil.example"})
    assert (preflight.status_code, answer.status_code, other.status_code) == (200, 200, 403)
    for each in (preflight, answer):
        assert each.headers["access-control-allow-origin"] == "https://school.example"
        assert "access-control-allow-credentials" not in each.headers


async def test_who_may_frame_us_is_named() -> None:
    app = app_of(Place.of("127.0.0.1", None, 0), embed_origins=("https://school.example",))
    async with client_of(app) as client:
        policy = (await client.get("/")).headers["content-security-policy"]
    framed_by = next(part for part in policy.split("; ") if part.startswith("frame-ancestors"))
    assert framed_by.endswith("'self' https://huggingface.co https://*.hf.space https://school.example")


# Hosts


@pytest.mark.parametrize(
    ("listens_on", "public", "host", "is_ours"),
    [
        ("127.0.0.1", None, "127.0.0.1:7860", True),
        ("127.0.0.1", None, "localhost", True),
        ("::1", None, "[::1]:7860", True),
        ("::1", None, "evil.example", False),
        ("127.0.0.1", None, "evil.example:7860", False),
        ("127.0.0.1", None, "127.0.0.1.evil.example", False),
        ("127.0.0.1", None, "192.168.1.5:7860", False),
        ("127.0.0.1", None, "", False),
        ("127.0.0.1", None, "[::1", False),
        ("127.0.0.1", OURS, "glass.example", True),
        ("127.0.0.1", OURS, "Glass.Example:443", True),
        ("127.0.0.1", OURS, "evil.example", False),
        ("0.0.0.0", None, "anything.example", True),
        ("0.0.0.0", OURS, "evil.example", False),
        ("0.0.0.0", OURS, "10.1.2.3:7860", True),
        ("::", OURS, "[fd00::1]:7860", True),
    ],
)
def test_a_request_is_for_us_when_its_host_is_known(
    listens_on: str, public: str | None, host: str, is_ours: bool
) -> None:
    assert Place.of(listens_on, public, 0).is_ours(host) is is_ours


@given(st.text(max_size=40))
def test_whatever_is_no_name_of_ours_is_refused_on_loopback(host: str) -> None:
    ours = ("localhost", "127.", "[::", "[0")
    if not host.lower().startswith(ours) and "@" not in host:
        assert not Place.of("127.0.0.1", OURS, 0).is_ours(host) or "glass.example" in host.lower()


async def test_a_host_that_is_not_ours_gets_one_constant_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "PUBLIC_URL" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/config", "/glass/config"])
@pytest.mark.parametrize("told", [{"Host": "example.com"}, {"X-Forwarded-Host": "example.com"}])
async def test_below_a_path_links_begin_with_the_public_address_whatever_the_proxy_left_of_it(
    path: str, told: dict[str, str]
) -> None:
    async with client_of(app_of(Place.of("127.0.0.1", "https://example.com/glass", 0))) as client:
        said = (await client.get(path, headers=told)).json()
        assert (said["root"], said["root_path"]) == ("https://example.com/glass/config", "/glass")
        here = (await client.get("/config")).json()
        assert (here["root"], here["root_path"]) == ("http://127.0.0.1:7860/config", "")
        assert (await client.get("/glass/gradio_api/monitoring", headers=told)).status_code == 404
        foreign = told | {"Origin": "https://evil.example"}
        assert (await client.get("/glass/api/search", headers=foreign)).status_code == 403
        own = told | {"Origin": "https://example.com"}
        assert (await client.get("/glass/api/search", headers=own)).status_code == 200
        plain = told | {"Origin": "http://example.com"}
        assert (await client.get("/glass/api/search", headers=plain)).status_code == 403


async def test_the_public_address_without_a_slash_leads_to_the_page() -> None:
    async with client_of(app_of(Place.of("127.0.0.1", "https://example.com/glass", 0))) as client:
        answer = await client.get("/glass?c=1", headers={"Host": "example.com"})
        assert (answer.status_code, answer.headers["location"]) == (307, "/glass/?c=1")


async def test_nobody_says_for_the_page_where_it_is(client: httpx.AsyncClient) -> None:
    claims = {"X-Forwarded-Host": "evil.example", "X-Gradio-Server": "https://evil.example"}
    assert "evil" not in (await client.get("/config", headers=claims)).text


async def test_the_client_is_who_our_own_proxies_say() -> None:
    for proxies, address in ((0, "10.0.0.1"), (1, "203.0.113.7")):
        async with client_of(app_of(Place.of("0.0.0.0", None, proxies)), peer="10.0.0.1") as client:
            answer = await client.get("/api/search", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7"})
            assert answer.json()["address"] == address


# Sizes


async def test_a_body_is_bounded_with_and_without_its_length_and_reaches_the_route_whole(
    client: httpx.AsyncClient,
) -> None:
    async def pieces(size: int) -> AsyncIterator[bytes]:
        for at in range(0, size, 10_000):
            yield b"x" * min(10_000, size - at)

    assert (await client.post("/api/turns", content=b"x" * LIMIT_BYTES)).json()["body"] == LIMIT_BYTES
    assert (await client.post("/api/turns", content=pieces(LIMIT_BYTES))).json()["body"] == LIMIT_BYTES
    for path in ("/api/turns", "/gradio_api/queue/join", "/nowhere"):
        for content in (b"x" * (LIMIT_BYTES + 1), pieces(LIMIT_BYTES + 1)):
            assert (await client.post(path, content=content)).status_code == 413


async def test_a_compressed_body_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    for path in ("/api/turns", "/api/documents"):
        refused = await client.post(path, content=b"x", headers={"Content-Encoding": "gzip"})
        assert (refused.status_code, "Content-Encoding" in refused.json()["detail"]) == (415, True)
    plain = await client.post("/api/turns", content=b"x", headers={"Content-Encoding": "identity"})
    assert plain.json()["body"] == 1


# Paths as clients write them


async def test_a_slash_at_the_end_of_a_programs_path_is_none(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/turns/", content=b"x")
    assert (answer.status_code, answer.json()["body"]) == (200, 1)
    assert (await client.get("/api/search/")).status_code == 200
    assert (await client.get("/api/")).status_code == 404
    foreign = await client.post("/api/turns/", content=b"x", headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403


# The queue


async def test_one_address_cannot_fill_the_queue_for_the_others() -> None:
    queue = Queue()
    app = app_of(Place.of("0.0.0.0", None, 0), queue)

    async def joins(client: httpx.AsyncClient, number: int) -> list[int]:
        bodies = ({"fn_index": 1, "session_hash": f"s{at}"} for at in range(number))
        return [(await client.post("/gradio_api/queue/join", json=body)).status_code for body in bodies]

    async with client_of(app, peer="203.0.113.7") as one, client_of(app, peer="198.51.100.2") as other:
        assert await joins(one, MOST_PENDING + 2) == [200] * MOST_PENDING + [429] * 2
        assert await joins(other, 1) == [200]
        refused = await one.post("/gradio_api/queue/join", json={"fn_index": 1, "session_hash": "s"})
        assert int(refused.headers["retry-after"]) > 0
        queue.joined.clear()  # all of it was read
        assert await joins(one, 1) == [200]
