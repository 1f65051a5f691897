"""What calls of providers used and cost, as values. Days are UTC, written like 2026-11-28; costs are in USD."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Expense:
    """Tokens and cost of the calls that one visitor made of one model under one profile.

    `visitor` and `profile` are "" where there is none. `own_key` tells calls that the visitor's own key paid from those
    that the host paid. `unpriced_calls` are those whose cost is unknown; `cost` does not hold them.
    """

    visitor: str = ""
    profile: str = ""
    model: str
    own_key: bool = False
    calls: int = 1
    unpriced_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What the host paid on one day, in all and for one visitor."""

    total: float = 0.0
    visitor: float = 0.0


def day_of(at_s: float) -> str:
    """The day of a time in seconds since the epoch."""
    return datetime.fromtimestamp(at_s, UTC).date().isoformat()
