"""Requests sent twice: their `Idempotency-Key`, who sent them, and work that is done once for all of them.

The turn of a question is kept anyway (`api.asking`); here is what keeps the result of any other request.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from fastapi import Request

from pipeline.errors import Refused, StoreFault
from pipeline.keyed_hashes import Secret
from pipeline.request_result import DAY_S, RequestResult

KEY_CHARS = 255
_KEY = re.compile(rf"[!-~]{{1,{KEY_CHARS}}}")

Work = Callable[[], Awaitable[bytes]]


def request_key_of(request: Request) -> str | None:
    """Return the header `Idempotency-Key`, None without it. Raises Refused for an invalid one."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Refused("invalid_request_key", KEY_CHARS)
    return key


def sender(visitor: str | None, address: str | None) -> tuple[str, str]:
    """Return whose key it is. Programs without a visitor are told apart by their address."""
    return ("visitor", visitor) if visitor else ("address", address or "")


class Results(Protocol):
    """Where results are kept. Both methods may raise StoreFault."""

    async def kept_result(self, id: str, since_s: float) -> RequestResult | None:
        """Return a result that was stored since then."""
        ...

    async def keep_result(self, result: RequestResult) -> None:
        """Store a result."""
        ...


class _Running(NamedTuple):
    request_hash: str
    result: asyncio.Task[bytes]


class RepeatedRequests:
    """Does the work of requests that give one result, in JSON.

    Those that come while the work is done wait for it. An error is nobody's result: the next request tries again. While
    the database fails no result outlives its work.
    """

    def __init__(self, secret: Secret, results: Results) -> None:
        self._secret, self._results = secret, results
        self._running: dict[str, _Running] = {}

    async def once(
        self, request: Request, from_whom: tuple[str, str], purpose: str, said: Sequence[str], work: Work
    ) -> bytes:
        """Do the work, or return what it gave for the same key. Raises Refused and what the work raises.

        `said` is what the request asks for. A key may be used again for another `purpose`.
        """
        key = request_key_of(request)
        if key is None:
            return await work()
        id, request_hash = self._hash(purpose, *from_whom, key), self._hash("request", *said)
        running = self._running.get(id)
        if running is None:
            owner = from_whom[1] if from_whom[0] == "visitor" else None
            task = asyncio.create_task(self._result(RequestResult(id, owner, request_hash, 0.0, b""), work))
            running = self._running[id] = _Running(request_hash, task)
            task.add_done_callback(lambda ended: self._forget(id, ended))
        if running.request_hash != request_hash:
            raise Refused("reused_request_key")
        return await asyncio.shield(running.result)  # a client that leaves does not end it for the others

    def _forget(self, id: str, ended: asyncio.Task[bytes]) -> None:
        del self._running[id]
        if not ended.cancelled():
            ended.exception()  # who waited for it has got it; asyncio logs it where all have left

    async def _result(self, new: RequestResult, work: Work) -> bytes:
        kept = None
        with suppress(StoreFault):
            kept = await self._results.kept_result(new.id, time.time() - DAY_S)
        if kept is None:
            kept = RequestResult(new.id, new.owner, new.request_hash, time.time(), await work())
            with suppress(StoreFault):
                await self._results.keep_result(kept)
        if kept.request_hash != new.request_hash:
            raise Refused("reused_request_key")
        return kept.content

    def _hash(self, purpose: str, *parts: str) -> str:
        return self._secret.hash(purpose, *parts).hex()
