"""A circuit breaker per model: a model that keeps failing rests, and turns use another one meanwhile."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.settings import BUILTIN_MODEL

log = logging.getLogger(__name__)

# Faults that say nothing about the model's health.
HARMLESS = frozenset(
    {
        *(
            "content_filter",
            "invalid_request",
            "answer_limit",
            "context_window_exceeded",
            "prompt_too_long",
            "cannot_stream",
        ),
        *("format", "cut_short", "not_configured", "resting", "over_budget"),
    }
)
LASTING = frozenset({"auth", "billing"})
IN_A_ROW = 3
WINDOW_S, LEAST_SAMPLES = 60.0, 5
REST_S, LONG_REST_S = 30.0, 300.0


@dataclass(slots=True)
class _Health:
    """The results of a model's latest attempts."""

    recent: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=50))  # (when, whether it worked)
    failed_in_a_row: int = 0
    rests_until: float = 0.0


class Breakers:
    """Records at run time which models rest and which cannot stream.

    A model rests after 3 faults in a row, or when more than half of at least 5 attempts within 60 s failed. After its
    rest it gets one attempt: a fault makes it rest again, a success resets the count. `logs`: whether a rest is logged.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, logs: bool = True) -> None:
        self._clock, self._logs = clock, logs
        self._health: dict[str, _Health] = {}
        self._without_streams: set[str] = set()  # models that refused to stream since the process started

    def rest_s(self, model: str) -> float:
        """Return the seconds until the model may be asked again; 0 when it may now."""
        health = self._health.get(model)
        return max(0.0, health.rests_until - self._clock()) if health else 0.0

    def can_stream(self, model: str) -> bool:
        """Whether the model has never refused to stream."""
        return model not in self._without_streams

    def reset(self, model: str) -> None:
        """Forget what a model's attempts were, and that it rests."""
        self._health.pop(model, None)

    def worked(self, model: str) -> None:
        """Record a successful attempt."""
        health = self._health.setdefault(model, _Health())
        health.failed_in_a_row = 0
        health.recent.append((self._clock(), True))

    def failed(self, model: str, code: str) -> None:
        """Record a failed attempt. Faults of the request rather than of the model do not count."""
        if code == "cannot_stream":
            self._without_streams.add(model)
        if model == BUILTIN_MODEL or code in HARMLESS:
            return
        health, now = self._health.setdefault(model, _Health()), self._clock()
        health.recent.append((now, False))
        health.failed_in_a_row += 1
        recent = [worked for at, worked in health.recent if now - at <= WINDOW_S]
        is_failing = len(recent) >= LEAST_SAMPLES and sum(recent) * 2 < len(recent)
        if code in LASTING:
            health.rests_until = now + LONG_REST_S
        elif health.failed_in_a_row >= IN_A_ROW or is_failing:
            health.rests_until = now + REST_S
        else:
            return
        health.recent.clear()
        if self._logs:
            log.warning("a model rests for %d s (%s)", health.rests_until - now, code)
