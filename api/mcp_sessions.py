"""Counts the sessions of MCP that each address has open; the SDK, which keeps them, limits only those of all."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class _Session:
    address: str
    used_at: float
    requests: int = 0  # that are being answered


class McpSessions:
    """Open sessions by address, at most `most` of each. As in the SDK one ends after `idle_s` without a request."""

    def __init__(self, most: int, idle_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._idle_s, self._clock = most, idle_s, clock
        self._sessions: dict[str | object, _Session] = {}

    def wait_s(self, address: str) -> float:
        """Return in how many seconds an address may open one more session, 0 for now."""
        now = self._clock()
        self._sessions = {id: each for id, each in self._sessions.items() if self._left_s(each, now) > 0}
        own = [self._left_s(each, now) for each in self._sessions.values() if each.address == address]
        return min(own) if len(own) >= self._most else 0.0

    @contextmanager
    def opening(self, address: str) -> Generator[Callable[[str], None], None, None]:
        """Hold the place of a session until its first request is answered; what it yields is told the session's id.

        A session without an id was not opened.
        """
        session, nameless = _Session(address, self._clock()), object()
        self._sessions[nameless] = session

        def named(id: str) -> None:
            self._sessions[id] = self._sessions.pop(nameless)

        with self._used(session):
            yield named
        self._sessions.pop(nameless, None)

    @contextmanager
    def using(self, id: str) -> Generator[None, None, None]:
        """Keep a session while a request of it is answered. One that is not known has ended."""
        session = self._sessions.get(id)
        with self._used(session or _Session("", 0.0)):
            yield

    def end(self, id: str) -> None:
        """Forget a session that its client has ended."""
        self._sessions.pop(id, None)

    @contextmanager
    def _used(self, session: _Session) -> Generator[None, None, None]:
        session.requests += 1
        try:
            yield
        finally:
            session.requests -= 1
            session.used_at = self._clock()

    def _left_s(self, session: _Session, now: float) -> float:
        return self._idle_s if session.requests else session.used_at + self._idle_s - now
