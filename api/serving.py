"""The one server: sockets of ours, uvicorn in a thread, and no patience with requests that never become whole.

Gradio's own `launch` asks itself over HTTP whether it has started (which fails behind a proxy), knows one address
family and no time limits, so the page is mounted into an app of ours instead.
"""

from __future__ import annotations

import asyncio
import json
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

HANG_UP_S = 1  # open pages never hang up by themselves
JOIN_S = 5.0
HEAD_S = 30.0  # for a head, and before a body must keep up a pace
BODY_BYTES_PER_S = 32_000  # the slowest line that is waited for
LINGER_S = 5.0  # for the rest of a body that nobody reads any more: without it, the client may miss the answer
TOO_SLOW = json.dumps({"detail": "The request came too slowly and was ended. Send it again."}).encode()


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets bound to every address of `host`; `::` takes IPv4 too. Raises OSError when none can be had."""
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
        if sys.platform != "win32":  # there it would let two processes have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not takes_both)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def shown(host: str, port: int) -> str:
    """The address to open on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def allowed_s(body_bytes: int, patience_s: float = HEAD_S) -> float:
    """How long a request may take until that much of its body is there."""
    return patience_s + body_bytes / BODY_BYTES_PER_S


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP with a clock: a request that is not whole in its time is ended, with 408 where that can be said.

    uvicorn itself waits for ever for the rest of a head or a body; it only closes connections that rest between two.
    """

    def __init__(self, *args: Any, patience_s: float = HEAD_S, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience_s = patience_s
        self._clock: asyncio.TimerHandle | None = None
        self._began_at = 0.0
        self._received_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection has to say something."""
        super().connection_made(transport)
        self._start_clock(self._patience_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head or a body: does the request still miss some?"""
        self._received_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing() or not self._is_partial():
            self._stop_clock()
        elif self._clock is None:
            self._start_clock(self._patience_s)

    def on_response_complete(self) -> None:
        """An answer went out; what still comes of its request is read for a moment, and is not part of the next."""
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
        """The time is over, unless a large body has kept up its pace or it is us who do not read."""
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
            self.cycle.disconnected = True  # whoever works on it is told that nobody listens
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
    """uvicorn in a thread of its own, on sockets that are bound already."""

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
        """Return when requests are answered. Raises RuntimeError when the app could not start."""
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Hang up and wait for the end, for at most JOIN_S."""
        self._server.should_exit = True
        self._thread.join(JOIN_S)
