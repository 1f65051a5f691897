"""The server over real sockets: addresses, and requests that never become whole."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from api import serving

PATIENCE_S = 1.0
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how much it was sent; `/early` does not wait for that."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    body = b"" if scope["path"] == "/early" else await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@contextmanager
def serve(host: str) -> Iterator[int]:
    sockets = serving.listen(host, 0)
    server = serving.Server(app, sockets[:1], PATIENCE_S)
    server.start()
    yield sockets[0].getsockname()[1]
    server.stop()
    for each in sockets:
        each.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serve("127.0.0.1") as port:
        yield port


def spoken(port: int, first: bytes, drip: bytes = b"", host: str = "127.0.0.1") -> bytes:
    """Send a beginning, then drips, until the server hangs up → what it said."""
    said = b""
    with socket.create_connection((host, port), 30) as talk:
        talk.sendall(first)
        talk.settimeout(0.1)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                part = talk.recv(4096)
                if not part:
                    return said
                said += part
            except TimeoutError:
                pass
            except OSError:
                return said
            try:
                talk.sendall(drip)
            except OSError:
                drip = b""
    raise AssertionError("the server did not hang up")


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (HEAD, b""),
        (HEAD, b"X-More: so\r\n"),
        (HEAD + b"Content-Length: 500\r\n\r\n{", b""),
        (HEAD + b"Content-Length: 500000\r\n\r\n{", b"a"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
)
def test_a_request_that_does_not_become_whole_is_ended_with_a_reason(port: int, first: bytes, drip: bytes) -> None:
    said = spoken(port, first, drip)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert serving.TOO_SLOW in said


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    assert spoken(port, b"") == b""


def test_the_rest_of_a_body_that_was_answered_already_is_not_waited_for(port: int) -> None:
    early = HEAD.replace(b"/", b"/early", 1) + b"Content-Length: 500000\r\n\r\n{"
    assert spoken(port, early, b"a").startswith(b"HTTP/1.1 200 ")


def test_a_large_body_that_keeps_up_its_pace_may_take_longer(port: int) -> None:
    size = 10 * serving.BODY_BYTES_PER_S
    with socket.create_connection(("127.0.0.1", port), 30) as talk:
        talk.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % size)
        began = time.monotonic()
        for _ in range(10):
            talk.sendall(b"x" * (size // 10))
            time.sleep(PATIENCE_S / 5)
        assert time.monotonic() - began > PATIENCE_S
        assert talk.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_requests_follow_one_another_on_a_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 30) as talk:
        for _ in range(3):
            talk.sendall(HEAD + b"Content-Length: 2\r\n\r\nhi")
            assert talk.recv(4096).startswith(b"HTTP/1.1 200 ")
            time.sleep(PATIENCE_S / 2)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_one_socket_takes_both_families() -> None:
    try:
        with serve("::") as port:
            for host in ("127.0.0.1", "::1"):
                assert b" 200 " in spoken(port, HEAD + b"Content-Length: 2\r\n\r\nhi", host=host)
    except OSError as error:
        pytest.skip(f"no IPv6 here ({type(error).__name__})")


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:7860"),
        ("0.0.0.0", "http://127.0.0.1:7860"),
        ("::1", "http://[::1]:7860"),
        ("::", "http://127.0.0.1:7860"),
        ("box.local", "http://box.local:7860"),
    ],
)
def test_the_address_that_is_printed_can_be_opened(host: str, shown: str) -> None:
    assert serving.shown(host, 7860) == shown


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match=r"in use"):
        serving.listen("127.0.0.1", taken.getsockname()[1])


def test_the_time_grows_with_what_has_come() -> None:
    assert serving.allowed_s(0) == serving.HEAD_S < 60
    assert serving.allowed_s(serving.BODY_BYTES_PER_S) == serving.HEAD_S + 1
