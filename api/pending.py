"""How much of Gradio's queue one address may hold: events that wait, run, or were never read to their end."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import parse_qs

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.bodies import again
from api.hosts import route_of
from pipeline.errors import REFUSALS, Busy
from pipeline.limits import RETRY_S

MOST_PENDING = 400  # of one address: a hall behind one, and less than Gradio works on at once
UNREAD_S = 60.0  # how long a session that nobody reads is kept
SESSION_CHARS = 100  # of its name; a page's has some ten
JOIN, READ = ("POST", "/gradio_api/queue/join"), ("GET", "/gradio_api/queue/data")

PendingOf = Callable[[str], int]
Forget = Callable[[str], Awaitable[None]]


class Pending:
    """Answers 429 when an address has MOST_PENDING events in the queue. Stands behind `Bodies`: a body comes whole."""

    def __init__(self, app: ASGIApp, pending: PendingOf, forget: Forget) -> None:
        self.app, self._pending, self._forget = app, pending, forget
        self._sessions: defaultdict[str, dict[str, float]] = defaultdict(dict)  # address → session → joined at
        self._readers: Counter[str] = Counter()  # session → open streams
        self._tidied_at = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI exchange."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        asked = scope["method"], route_of(scope)
        if asked == READ:
            return await self._read(scope, receive, send)
        if asked != JOIN:
            return await self.app(scope, receive, send)
        address = scope["client"][0] if scope.get("client") else ""
        await self._tidy_all(address)
        if sum(map(self._pending, self._sessions[address])) >= MOST_PENDING:
            busy = Busy("pending", RETRY_S)
            refusal = JSONResponse({"detail": busy.text}, 429, {"Retry-After": str(busy.retry_after_s)})
            return await refusal(scope, receive, send)
        body = (await receive()).get("body", b"")
        if session := _session_of(body):
            if len(session) > SESSION_CHARS:
                return await JSONResponse({"detail": REFUSALS["invalid_request"]}, 422)(scope, receive, send)
            self._sessions[address][session] = time.monotonic()
        return await self.app(scope, again(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
        self._readers[session] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._readers[session] -= 1
            if not self._readers[session]:
                del self._readers[session]

    async def _tidy_all(self, address: str) -> None:
        """This address at once, all others now and then: most never come back."""
        await self._tidy(address)
        if time.monotonic() - self._tidied_at > UNREAD_S:
            self._tidied_at = time.monotonic()
            for each in list(self._sessions):
                await self._tidy(each)

    async def _tidy(self, address: str) -> None:
        """Let go of sessions of this address that are read, or that nobody has come to read."""
        sessions, now = self._sessions[address], time.monotonic()
        for session, joined_at in list(sessions.items()):
            is_left = now - joined_at > UNREAD_S and not self._readers[session]
            if is_left and self._pending(session):
                await self._forget(session)
            if is_left or (now - joined_at > 1 and not self._pending(session)):
                sessions.pop(session, None)
        if not sessions and self._sessions.get(address) is sessions:  # another request may have tidied meanwhile
            del self._sessions[address]


def _session_of(body: bytes) -> str | None:
    with suppress(ValueError, RecursionError):
        said = json.loads(body)
        if isinstance(said, dict) and isinstance(session := said.get("session_hash"), str):
            return session
    return None
