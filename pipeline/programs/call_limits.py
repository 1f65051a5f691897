"""The limits of programs that ask a model several times."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallLimits:
    """`steps` is the most calls that decide what to do next. None begins after `time_s` seconds; 0 means no limit."""

    steps: int = 6
    time_s: float = 60.0

    def deadline(self) -> Deadline:
        """Return the deadline of a run that begins now."""
        return Deadline(asyncio.get_running_loop().time() + self.time_s if self.time_s else None)


DEFAULT_LIMITS = CallLimits()


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a run's time, in seconds of the event loop; None for no end."""

    ends_at: float | None = None

    def limit(self) -> asyncio.Timeout:
        """Limit an `async with` block, which raises TimeoutError when the time is over, at once where it is already."""
        return asyncio.timeout_at(self.ends_at)


NO_DEADLINE = Deadline()
