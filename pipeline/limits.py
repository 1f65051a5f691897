"""How much one client may ask for: at once, over time and in one go. `Pipeline.start` and the library ask here.

A client is a visitor and an address. The rate counts for each of the two, so that a new token alone makes no new
client; turns at once count for the visitor, and for the address where there is none. Who is refused is told how long to
wait, and a refusal counts for nothing: asking too early makes the waiting no longer.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Container, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from pipeline.conversation import Turn, TurnRequest
from pipeline.errors import Busy
from pipeline.settings import Settings, is_loopback

RETRY_S = 5  # nobody knows when a running turn ends
STRANGERS_RATE, STRANGERS_TURNS = "6/minute;60/day", 3


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, as far as it is known. What holds for one client holds for the visitor and for the address."""

    visitor: str | None = None
    address: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """One for each of the two, always in this order."""
        return tuple(name for name in (self.visitor, self.address) if name)


class Rates:
    """How often a client may do one kind of thing: RATE_LIMIT, `times` over. What was counted lives in memory."""

    def __init__(self, settings: Settings, limit: str = "requests", times: int = 1) -> None:
        self._limit = limit  # a key of errors.LIMITS
        rate = settings.rate_limit
        self._rates = self._rates_of_strangers = _rates(rate, times)
        # What is not set holds on a Space for whoever comes through its proxy, not for the machine itself.
        if settings.on_space and rate is None:
            self._rates_of_strangers = _rates(STRANGERS_RATE, times)
        # A window begins with a client's first question, which makes the time to wait exact. The moving window of the
        # library goes through all its clients at every question: 0.4 s of CPU with 3,000 of them.
        self._windows = FixedWindowRateLimiter(MemoryStorage())

    async def count(self, client: Client) -> None:
        """Count this one, or raise Busy."""
        rates = self._rates_of_strangers if _is_stranger(client.address) else self._rates
        windows = [(rate, name) for rate in rates for name in client.names]
        full = [window for window in windows if not await self._windows.test(*window)]
        if full:
            ends = [(await self._windows.get_window_stats(*window)).reset_time for window in full]
            raise Busy(self._limit, max(1, math.ceil(max(ends) - time.time())))
        for window in windows:
            await self._windows.hit(*window)


class Places:
    """Work of which a client may have one piece done at a time. Its next ones wait in line, and nobody else's do."""

    def __init__(self, waiting: int) -> None:
        self._waiting = waiting
        self._lines: dict[str, asyncio.Lock] = {}
        self._in_line: Counter[str] = Counter()

    @asynccontextmanager
    async def taken(self, client: Client) -> AsyncGenerator[None, None]:
        """Hold the client's place. Raises Busy when too many of its own wait already."""
        names = client.names
        if any(self._in_line[name] > self._waiting for name in names):
            raise Busy("places", RETRY_S)
        self._in_line.update(names)
        try:
            async with AsyncExitStack() as held:
                for name in names:  # the visitor's first, the address's second, for everybody: nobody waits in a circle
                    await held.enter_async_context(self._lines.setdefault(name, asyncio.Lock()))
                yield
        finally:
            self._in_line.subtract(names)
            for name in names:
                if not self._in_line[name]:
                    del self._in_line[name]
                    self._lines.pop(name, None)


class Admission:
    """Who may start a turn now. What was counted lives in memory: a restart begins anew."""

    def __init__(self, settings: Settings) -> None:
        self.turns_at_once = settings.turns_at_once or math.inf
        self._max_waiting = settings.max_waiting
        turns = settings.max_turns_per_visitor
        self._turns = self._turns_of_strangers = turns or 0  # of one client; 0: as many as there is room
        if settings.on_space and turns is None:
            self._turns_of_strangers = STRANGERS_TURNS
        self._rates = Rates(settings, "rate")

    async def admit(self, request: TurnRequest, running: Sequence[TurnRequest]) -> None:
        """Count this start, or raise Busy. Ask for one start at a time: the next must find it among the running."""
        most = self._turns_of_strangers if _is_stranger(request.address) else self._turns
        if most and sum(_who(each) == _who(request) for each in running) >= most:
            raise Busy("visitor", RETRY_S)
        if len(running) >= self.turns_at_once + (self._max_waiting if request.waits else 0):
            raise Busy("turns", RETRY_S)
        await self._rates.count(Client(request.visitor, request.address))


def address_of(forwarded_for: str, peer: str, proxies: int) -> str:
    """Where a question comes from: `X-Forwarded-For` is believed as far as our own `proxies` wrote it, from the right.

    Of an IPv6 address it is the network of 64 bits, since that is what one client has.
    """
    hosts = [host.strip() for host in forwarded_for.split(",")]
    named = hosts[-proxies] if 0 < proxies <= len(hosts) else ""
    return str(_parsed(named) or _parsed(peer) or peer)


def is_address(host: str) -> bool:
    """Whether a host is given by number."""
    return _parsed(host) is not None


def shortened(history: Sequence[Turn], limit_chars: int) -> list[Turn]:
    """The newest turns whose questions and answers fit into the limit; of the oldest of them the answer may be cut."""
    kept: list[Turn] = []
    for turn in reversed(history):
        limit_chars -= len(turn.question)
        if limit_chars <= 0:
            break
        answer = turn.fields.get("answer", "")
        kept.append(replace(turn, fields={**turn.fields, "answer": answer[:limit_chars]}))
        limit_chars -= len(answer)
    return kept[::-1]


def _rates(text: str | None, times: int) -> tuple[RateLimitItem, ...]:
    rates = () if text in (None, "off") else parse_many(text)
    return tuple(type(rate)(rate.amount * times, rate.multiples) for rate in rates)


FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")  # somebody else asks, through a proxy


def is_local(hostname: str | None, peer: str | None, headers: Container[str]) -> bool:
    """Whether a request is from this machine and for it: through no proxy, and under no other name (DNS rebinding)."""
    return is_loopback(hostname or "") and is_loopback(peer or "") and not any(name in headers for name in FORWARDED)


def _who(request: TurnRequest) -> str | None:
    return request.visitor or request.address


def _is_stranger(address: str | None) -> bool:
    return address is not None and not ((parsed := _parsed(address)) and parsed.is_loopback)


def _parsed(host: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it, with or without its port."""
    bare = host.removeprefix("[").partition("]")[0] if host.startswith("[") else host
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    with suppress(ValueError):
        parsed = ip_address(bare.partition("%")[0])
        if isinstance(parsed, IPv4Address) or parsed.is_loopback:
            return parsed
        return parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64)
    return None
