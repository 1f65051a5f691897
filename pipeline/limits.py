"""How much one client may ask for: at once, over time and in one go. `Pipeline.start` asks here, and nobody else does.

A client is a visitor and an address. The rate counts for each of the two, so that a new token alone makes no new
client; turns at once count for the visitor, and for the address where there is none. Who is refused is told how long to
wait, and a refusal counts for nothing: asking too early makes the waiting no longer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from pipeline.conversation import Turn, TurnRequest
from pipeline.errors import Busy
from pipeline.settings import Settings

RETRY_S = 5  # nobody knows when a running turn ends
STRANGERS_RATE, STRANGERS_TURNS = "6/minute;60/day", 3


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits of one client; `turns` at once, 0 for as many as there is room."""

    rates: tuple[RateLimitItem, ...]
    turns: int


class Admission:
    """Who may start a turn now. What was counted lives in memory: a restart begins anew."""

    def __init__(self, settings: Settings) -> None:
        self.turns_at_once = settings.turns_at_once or math.inf
        self._max_waiting = settings.max_waiting
        rate, turns = settings.rate_limit, settings.max_turns_per_visitor
        self._caps = Caps(_rates(rate), turns or 0)
        # What is not set holds on a Space for whoever comes through its proxy, not for the machine itself.
        self._caps_of_strangers = self._caps
        if settings.on_space:
            self._caps_of_strangers = Caps(
                _rates(STRANGERS_RATE if rate is None else rate), STRANGERS_TURNS if turns is None else turns
            )
        # A window begins with a client's first question, which makes the time to wait exact. The moving window of the
        # library goes through all its clients at every question: 0.4 s of CPU with 3,000 of them.
        self._windows = FixedWindowRateLimiter(MemoryStorage())

    async def admit(self, request: TurnRequest, running: Sequence[TurnRequest]) -> None:
        """Count this start, or raise Busy. Ask for one start at a time: the next must find it among the running."""
        caps = self._caps_of_strangers if _is_stranger(request.address) else self._caps
        if caps.turns and sum(_who(each) == _who(request) for each in running) >= caps.turns:
            raise Busy("visitor", RETRY_S)
        if len(running) >= self.turns_at_once + (self._max_waiting if request.waits else 0):
            raise Busy("turns", RETRY_S)
        windows = [(rate, client) for rate in caps.rates for client in (request.visitor, request.address) if client]
        full = [window for window in windows if not await self._windows.test(*window)]
        if full:
            ends = [(await self._windows.get_window_stats(*window)).reset_time for window in full]
            raise Busy("rate", max(1, math.ceil(max(ends) - time.time())))
        for window in windows:
            await self._windows.hit(*window)


def address_of(forwarded_for: str, peer: str, proxies: int) -> str:
    """Where a question comes from: `X-Forwarded-For` is believed as far as our own `proxies` wrote it, from the right.

    Of an IPv6 address it is the network of 64 bits, since that is what one client has.
    """
    hosts = [host.strip() for host in forwarded_for.split(",")]
    named = hosts[-proxies] if 0 < proxies <= len(hosts) else ""
    return str(_parsed(named) or _parsed(peer) or peer)


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


def _rates(text: str | None) -> tuple[RateLimitItem, ...]:
    return () if text in (None, "off") else tuple(parse_many(text))


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
