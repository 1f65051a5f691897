"""The one server: our own sockets, uvicorn in a thread, and time limits for incomplete requests.

Gradio's own `launch` requests itself over HTTP to see whether it has started (which fails behind a proxy), binds one
address family and has no time limits, so the page is mounted into an app of ours instead.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.dialects.native import NATIVE
from api.error_responses import problem_of
from pipeline.errors import Refused

HANG_UP_S = 1  # open pages do not close their connections themselves
JOIN_S = 5.0
HEAD_S = 30.0  # for the head, and before the pace of a body is checked
BODY_BYTES_PER_S = 32_000  # the slowest pace of a body
LINGER_S = 5.0  # to read the rest of a refused body, without which the client may miss the answer
TOO_SLOW = NATIVE.error(problem_of(Refused("too_slow")))


def listen(host: str, port: int) -> list[socket.socket]:
    """Bind sockets to every address of `host`; `::` takes IPv4 too. Raises OSError when none can be bound."""
    bound: list[socket.socket] = []
    refused: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            bound.append(_bound(family, kind, protocol, address, takes_both=host == "::"))
        except OSError as error:
            refused = error
    if refused and not bound:
        raise refused
    return bound


def _bound(family: int, kind: int, protocol: int, address: Any, *, takes_both: bool) -> socket.socket:
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # on Windows it would let two processes bind one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not takes_both)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def shown(host: str, port: int) -> str:
    """Return the address to open on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def allowed_s(body_bytes: int, patience_s: float = HEAD_S) -> float:
    """Return how many seconds a request may take to send that many bytes of its body."""
    return patience_s + body_bytes / BODY_BYTES_PER_S


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP protocol with a timeout: a request that stays incomplete is ended, with 408 where possible.

    uvicorn itself waits without limit for the rest of a head or body; it only closes connections idle between requests.
    """

    def __init__(self, *args: Any, patience_s: float = HEAD_S, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience_s = patience_s
        self._clock: asyncio.TimerHandle | None = None
        self._began_at = 0.0
        self._received_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timeout of a new connection."""
        super().connection_made(transport)
        self._start_clock(self._patience_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timeout."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Receive bytes of a head or body, and start or stop the timeout by whether the request is complete."""
        self._received_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing() or not self._is_partial():
            self._stop_clock()
        elif self._clock is None:
            self._start_clock(self._patience_s)

    def on_response_complete(self) -> None:
        """After a response, read the rest of its request for a moment; it is not part of the next request."""
        super().on_response_complete()
        self._stop_clock()
        if self.conn.their_state is h11.SEND_BODY:
            self._start_clock(min(LINGER_S, self._patience_s))

    def _is_partial(self) -> bool:
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _start_clock(self, wait_s: float) -> None:
        self._began_at, self._received_bytes = time.monotonic(), 0
        self._clock = self.loop.call_later(wait_s, self._look)

    def _stop_clock(self) -> None:
        if self._clock:
            self._clock.cancel()
            self._clock = None

    def _look(self) -> None:
        """End the request when its time is up, unless a large body arrives fast enough or we do not read it."""
        is_answered = self.cycle is not None and self.cycle.response_complete and self.conn.their_state is h11.SEND_BODY
        if self.conn.their_state is h11.SEND_BODY and not is_answered:
            left_s = self._began_at + allowed_s(self._received_bytes, self._patience_s) - time.monotonic()
            if left_s > 0 or self.flow.read_paused:
                self._clock = self.loop.call_later(max(left_s, 1.0), self._look)
                return
        self._clock = None
        self._end()

    def _end(self) -> None:
        if self.transport.is_closing():
            return
        has_begun = self._received_bytes > 0 and self.conn.our_state is h11.IDLE
        if has_begun or self.conn.our_state is h11.SEND_RESPONSE:
            with suppress(h11.LocalProtocolError):
                self.transport.write(self._refusal())
        if self.cycle:
            self.cycle.disconnected = True  # tells the application that the client has gone
            self.cycle.message_event.set()
        self.transport.close()

    def _refusal(self) -> bytes:
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(TOO_SLOW))),
            ("connection", "close"),
        ]
        head = self.conn.send(h11.Response(status_code=408, headers=headers, reason=b"Request Timeout"))
        return (head or b"") + (self.conn.send(h11.Data(data=TOO_SLOW)) or b"")


class Server:
    """uvicorn in its own thread, on sockets that are bound already."""

    def __init__(self, app: ASGIApp, sockets: list[socket.socket], patience_s: float = HEAD_S) -> None:
        config = uvicorn.Config(
            app,
            http=partial(TimedProtocol, patience_s=patience_s),  # type: ignore[arg-type]
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=HANG_UP_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=(sockets,), daemon=True)

    def start(self) -> None:
        """Start, and return when requests are answered. Raises RuntimeError when the app could not start."""
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Close all connections and wait at most JOIN_S for the end."""
        self._server.should_exit = True
        self._thread.join(JOIN_S)
