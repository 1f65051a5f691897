"""The result of a request that may be sent again, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400  # how long a request that is sent again is the same one


@dataclass(frozen=True, slots=True)
class RequestResult:
    """What a request gave, as JSON.

    `id` is a keyed hash of its Idempotency-Key and of who sent it, `request_hash` one of what it asked for. `stored_at`
    is in seconds since the epoch.
    """

    id: str
    owner: str | None
    request_hash: str
    stored_at: float
    content: bytes
