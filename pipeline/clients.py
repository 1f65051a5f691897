"""Limits what one client may ask for at once and over time. `Pipeline.start` and the library use it.

A client is a visitor and an address. The rate counts for each of the two, so that a new token does not make a new
client. Turns at once count for the visitor, or without one for the address. A refusal says how long to wait and is
not counted, so that asking too early does not lengthen the wait.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Container
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from pipeline.errors import Busy, BusyCode
from pipeline.settings import Settings, is_loopback

RETRY_S = 5  # a guess, since the end of a running turn is unknown
STRANGERS_RATE, STRANGERS_TURNS = "6/minute;60/day", 3


@dataclass(frozen=True, slots=True)
class Client:
    """The client as far as it is known. Limits apply to the visitor and to the address separately."""

    visitor: str | None = None
    address: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of visitor and address, always in this order."""
        return tuple(name for name in (self.visitor, self.address) if name)


class Rates:
    """Limits how often a client may do one kind of thing: RATE_LIMIT, `times` over. Counts are kept in memory."""

    def __init__(self, settings: Settings, limit: BusyCode = "requests", times: int = 1) -> None:
        self._limit = limit
        rate = settings.rate_limit
        self._rates = self._rates_of_strangers = _rates(rate, times)
        # The default limit on a Space applies to clients that come through its proxy, not to the machine itself.
        if settings.on_space and rate is None:
            self._rates_of_strangers = _rates(STRANGERS_RATE, times)
        # A window begins with a client's first question, so the time to wait is exact. The library's moving window
        # visits all clients at every question: 0.4 s of CPU with 3,000 of them.
        self._windows = FixedWindowRateLimiter(MemoryStorage())

    async def count(self, client: Client) -> None:
        """Count one use, or raise Busy."""
        windows = self._windows_of(client)
        full = [window for window in windows if not await self._windows.test(*window)]
        if full:
            ends = [(await self._windows.get_window_stats(*window)).reset_time for window in full]
            raise Busy(self._limit, max(1, math.ceil(max(ends) - time.time())))
        for window in windows:
            await self._windows.hit(*window)

    async def charge(self, client: Client) -> None:
        """Count one use that is not refused, also beyond the limit."""
        for window in self._windows_of(client):
            await self._windows.hit(*window)

    def _windows_of(self, client: Client) -> list[tuple[RateLimitItem, str]]:
        rates = self._rates_of_strangers if is_stranger(client.address) else self._rates
        return [(rate, name) for rate in rates for name in client.names]


class ClientLocks:
    """Lets each client do one piece of work at a time; its next pieces wait without delaying other clients."""

    def __init__(self, waiting: int) -> None:
        self._waiting = waiting
        self._lines: dict[str, asyncio.Lock] = {}
        self._in_line: Counter[str] = Counter()

    @asynccontextmanager
    async def held(self, client: Client) -> AsyncGenerator[None, None]:
        """Wait for the client's turn and hold it. Raises Busy when too many pieces of the client wait already."""
        names = client.names
        if any(self._in_line[name] > self._waiting for name in names):
            raise Busy("places", RETRY_S)
        self._in_line.update(names)
        try:
            async with AsyncExitStack() as held:
                for name in names:  # always visitor before address, which prevents a deadlock
                    await held.enter_async_context(self._lines.setdefault(name, asyncio.Lock()))
                yield
        finally:
            self._in_line.subtract(names)
            for name in names:
                if not self._in_line[name]:
                    del self._in_line[name]
                    self._lines.pop(name, None)


def address_of(forwarded_for: str, peer: str, proxies: int) -> str:
    """Return the client's address. Only the part of `X-Forwarded-For` that our own `proxies` wrote is trusted.

    An IPv6 address is reduced to its 64-bit network, since one client has all of it.
    """
    hosts = [host.strip() for host in forwarded_for.split(",")]
    named = hosts[-proxies] if 0 < proxies <= len(hosts) else ""
    return str(_parsed(named) or _parsed(peer) or peer)


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    return _parsed(host) is not None


def _rates(text: str | None, times: int) -> tuple[RateLimitItem, ...]:
    rates = () if text in (None, "off") else parse_many(text)
    return tuple(type(rate)(rate.amount * times, rate.multiples) for rate in rates)


FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")  # these headers show a proxy


def is_local(hostname: str | None, peer: str | None, headers: Container[str]) -> bool:
    """Whether a request comes from this machine, through no proxy and to no other host name (DNS rebinding)."""
    return is_loopback(hostname or "") and is_loopback(peer or "") and not any(name in headers for name in FORWARDED)


def is_stranger(address: str | None) -> bool:
    """Whether an address is another machine's."""
    return address is not None and not ((parsed := _parsed(address)) and parsed.is_loopback)


def _parsed(host: str) -> IPv4Address | IPv6Address | None:
    """Parse an address as proxies write it, with or without a port."""
    bare = host.removeprefix("[").partition("]")[0] if host.startswith("[") else host
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    with suppress(ValueError):
        parsed = ip_address(bare.partition("%")[0])
        if isinstance(parsed, IPv4Address) or parsed.is_loopback:
            return parsed
        return parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64)
    return None
