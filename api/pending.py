"""Limits how many events of Gradio's queue one address may hold: waiting, running, or not read to their end."""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.bodies import again
from api.error_responses import response_to
from api.paths import route_of
from pipeline.clients import RETRY_S
from pipeline.errors import Busy, Refused

MOST_PENDING = 400  # per address: enough for a lecture hall behind one, and less than Gradio handles at once
UNREAD_S = 60.0  # how long a session without a reader is kept
SESSION_CHARS = 100  # the longest name of a session; a page's has about ten
JOIN, READ = ("POST", "/gradio_api/queue/join"), ("GET", "/gradio_api/queue/data")
CALL = re.compile(
    r"/gradio_api/call/(?:v2/)?[a-z]+(?:/(?P<event>[^/]+))?"
)  # without a session: its event stands for one

PendingOf = Callable[[str], int]
Forget = Callable[[str], Awaitable[None]]


class Pending:
    """Answers 429 when an address has MOST_PENDING events in the queue. It runs after `Bodies`."""

    def __init__(self, app: ASGIApp, pending: PendingOf, forget: Forget) -> None:
        self.app, self._pending, self._forget = app, pending, forget
        self._sessions: defaultdict[str, dict[str, float]] = defaultdict(dict)  # address → session → joined at
        self._readers: Counter[str] = Counter()  # session → open streams
        self._tidied_at = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        asked = scope["method"], route_of(scope)
        if asked == READ:
            query = parse_qs(scope["query_string"].decode("latin-1"))
            return await self._read(query.get("session_hash", [""])[0], scope, receive, send)
        call = CALL.fullmatch(asked[1])
        if call and call["event"]:
            return await self._read(call["event"], scope, receive, send)
        if asked != JOIN and not call:
            return await self.app(scope, receive, send)
        address = scope["client"][0] if scope.get("client") else ""
        await self._tidy_all(address)
        if sum(map(self._pending, self._sessions[address])) >= MOST_PENDING:
            return await response_to(scope, Busy("pending", RETRY_S))(scope, receive, send)
        if call:
            return await self.app(scope, receive, self._called(address, send))
        body = (await receive()).get("body", b"")
        if session := _text_in(body, "session_hash"):
            if len(session) > SESSION_CHARS:
                return await response_to(scope, Refused("invalid_request"))(scope, receive, send)
            self._sessions[address][session] = time.monotonic()
        return await self.app(scope, again(body, receive), send)

    def _called(self, address: str, send: Send) -> Send:
        """Return a `send` that reads the event which a call has begun."""

        async def sent(message: Message) -> None:
            if event := _text_in(message.get("body", b""), "event_id"):
                self._sessions[address][event] = time.monotonic()
            await send(message)

        return sent

    async def _read(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._readers[session] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._readers[session] -= 1
            if not self._readers[session]:
                del self._readers[session]

    async def _tidy_all(self, address: str) -> None:
        """Tidy this address at once and all others from time to time, since most do not come back."""
        await self._tidy(address)
        if time.monotonic() - self._tidied_at > UNREAD_S:
            self._tidied_at = time.monotonic()
            for each in list(self._sessions):
                await self._tidy(each)

    async def _tidy(self, address: str) -> None:
        """Forget sessions of this address that are read, or that nobody reads."""
        sessions, now = self._sessions[address], time.monotonic()
        for session, joined_at in list(sessions.items()):
            is_left = now - joined_at > UNREAD_S and not self._readers[session]
            if is_left and self._pending(session):
                await self._forget(session)
            if is_left or (now - joined_at > 1 and not self._pending(session)):
                sessions.pop(session, None)
        if not sessions and self._sessions.get(address) is sessions:  # another request may have tidied meanwhile
            del self._sessions[address]


def _text_in(body: bytes, name: str) -> str | None:
    with suppress(ValueError, RecursionError):
        said = json.loads(body)
        if isinstance(said, dict) and isinstance(text := said.get(name), str):
            return text
    return None
