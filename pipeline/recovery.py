"""What is done when a model does not deliver: the ladder of retries and fallbacks, and the breaker that spares them.

Before the answer's first character, a fault leads to the next rung: the same model again, without streaming, with the
default instructions, then the next models, last the built-in one over the passages already found. Each rung is said as
`Recovered`, after what was said of reasoning and thinking is taken back. Once the answer is seen it is kept: nothing is
replayed behind a reader's back. Knows labels and faults; no dspy.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pipeline.errors import ModelFault
from pipeline.events import Event, FieldDelta, FieldReset, Recovered, Rung
from pipeline.settings import BUILTIN_MODEL

log = logging.getLogger(__name__)

T = TypeVar("T")
Say = Callable[[Event], None]

MOST_TRIES = 3  # of one model
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 4.0
LONGEST_RETRY_AFTER_S = 10.0  # a provider that asks for more is left for the next model at once

# What no other attempt would change, or what nobody else may be asked.
FINAL = frozenset({"content_filter", "invalid_request", "answer_limit"})
RETRIED = frozenset({"connection", "refused", "connect_timeout", "server", "rate_limit"})
STREAMING = frozenset({"incomplete", "bad_reply", "cannot_stream"})  # faults of the stream rather than of the model

# Faults that say nothing about the model's health.
HARMLESS = FINAL | {"context_window_exceeded", "cannot_stream", "format", "cut_short", "not_configured", "resting"}
LASTING = frozenset({"auth", "billing"})
IN_A_ROW = 3
WINDOW_S, LEAST_SAMPLES = 60.0, 5
REST_S, LONG_REST_S = 30.0, 300.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: which model is asked, and how. What the request does not have (`has_…`) cannot be left out later."""

    model: str
    tries: int = 1
    is_streamed: bool = True
    has_own_instructions: bool = True
    has_history: bool = True
    has_token_limit: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """From one attempt to the next."""

    rung: Rung
    attempt: Attempt
    waits_s: float = 0.0


def next_step(first: Attempt, failed: Attempt, fault: ModelFault, fallbacks: Sequence[str]) -> Step | None:
    """The rung after an attempt that said nothing of an answer, None when there is none.

    `first` is how the request was asked at first, `fallbacks` are the labels still to be tried.
    """
    match fault.code:
        case code if code in FINAL:
            return None
        case "context_window_exceeded":
            return Step("retry", replace(failed, has_history=False)) if failed.has_history else None
        case "format" | "empty" if failed.has_own_instructions:
            return Step("default_prompt", replace(failed, has_own_instructions=False))
        case "cut_short" if failed.has_token_limit:
            return Step("retry", replace(failed, has_token_limit=False))
        case code if code in STREAMING and failed.is_streamed:
            return Step("unstreamed", replace(failed, is_streamed=False))
        case code if (code in RETRIED and failed.tries < MOST_TRIES) or (code == "empty" and failed.tries == 1):
            waits_s = _wait_s(failed.tries, fault.retry_after_s)
            if waits_s <= LONGEST_RETRY_AFTER_S:
                return Step("retry", replace(failed, tries=failed.tries + 1), waits_s)
    if not fallbacks:
        return None
    rung: Rung = "extractive" if fallbacks[0] == BUILTIN_MODEL else "fallback"
    return Step(rung, replace(first, model=fallbacks[0]))


async def climb(
    first: Attempt, fallbacks: Sequence[str], breakers: Breakers, ask: Callable[[Attempt, Say], Awaitable[T]], say: Say
) -> T:
    """Make the `first` attempt, and whichever comes next on the ladder, until one delivers.

    Raises the last GlassboxError: where the ladder ends, or at the first fault after the answer's first character.
    """
    attempt, left = breakers.as_it_can(first), [label for label in fallbacks if label != first.model]
    while True:
        said: dict[str, bool] = {}  # fields of this attempt → whether text of them stands

        def heard(event: Event, said: dict[str, bool] = said) -> None:
            if isinstance(event, FieldDelta | FieldReset):
                said[event.field] = isinstance(event, FieldDelta)
            say(event)

        try:
            if breakers.rest_s(attempt.model):
                raise ModelFault("resting")
            result = await ask(attempt, heard)
        except ModelFault as fault:
            breakers.failed(attempt.model, fault.code)
            left = [label for label in left if not breakers.rest_s(label)]
            step = None if said.get("answer") else next_step(first, attempt, fault, left)
            if step is None:
                raise
            for name in [name for name, stands in said.items() if stands]:
                say(FieldReset(field=name))
            say(
                Recovered(
                    what=step.rung,
                    from_model=attempt.model,
                    to_model=step.attempt.model,
                    code=fault.code,
                    waits_s=round(step.waits_s, 3),
                )
            )
            if step.attempt.model != attempt.model:
                left.remove(step.attempt.model)
            await asyncio.sleep(step.waits_s)
            attempt = breakers.as_it_can(step.attempt)
        else:
            breakers.worked(attempt.model)
            return result


@dataclass(slots=True)
class _Health:
    """What became of a model's latest attempts."""

    recent: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=50))  # (when, whether it worked)
    failed_in_a_row: int = 0
    rests_until: float = 0.0


class Breakers:
    """What is known of the models: which do not stream, and one circuit breaker for each.

    3 faults in a row, or more than half of at least 5 within 60 s, and a model rests. After its rest it gets one
    attempt: a fault sends it back, a success forgets the row.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._health: dict[str, _Health] = {}
        self._streamless: set[str] = set()  # models that refused to stream; for as long as this process lives

    def rest_s(self, model: str) -> float:
        """Seconds until the model may be asked again; 0 when it may now."""
        health = self._health.get(model)
        return max(0.0, health.rests_until - self._clock()) if health else 0.0

    def as_it_can(self, attempt: Attempt) -> Attempt:
        """The attempt without a stream, where its model has said that it has none."""
        return replace(attempt, is_streamed=False) if attempt.model in self._streamless else attempt

    def worked(self, model: str) -> None:
        """An attempt delivered."""
        health = self._health.setdefault(model, _Health())
        health.failed_in_a_row = 0
        health.recent.append((self._clock(), True))

    def failed(self, model: str, code: str) -> None:
        """An attempt failed; faults of the request, not of the model, do not count."""
        if code == "cannot_stream":
            self._streamless.add(model)
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
        log.warning("a model rests for %d s (%s)", health.rests_until - now, code)


def _wait_s(tries: int, retry_after_s: float | None) -> float:
    """What the provider asks for, else full jitter: many clients that failed together must not return together."""
    if retry_after_s is not None:
        return retry_after_s
    return random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (tries - 1)))
