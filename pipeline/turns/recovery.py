"""Retries and fallbacks when a model fails.

A fault before the answer's first character leads to the next attempt: the same model again, without streaming, or with
the default instructions, then other models, last the built-in one over the passages already found. Each step is emitted
as `Recovered`, after the fields that a reader sees were reset. A visible answer is never replaced. Knows labels and
faults, not DSPy.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pipeline.errors import ModelFault
from pipeline.events import Emit, Event, FieldDelta, FieldReset, Recovered, Rung
from pipeline.models.breakers import Breakers
from pipeline.settings import BUILTIN_MODEL

T = TypeVar("T")

MOST_TRIES = 3  # of one model
MOST_HALVINGS = 2  # of the passages, for a model that refuses the prompt as too long
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 4.0
LONGEST_RETRY_AFTER_S = 10.0  # if a provider asks for more, the next model is asked

# No other attempt would change these, or no other model may be asked.
FINAL = frozenset({"content_filter", "invalid_request", "answer_limit", "prompt_too_long"})
RETRIED = frozenset({"connection", "refused", "connect_timeout", "server", "rate_limit"})
STREAMING = frozenset({"incomplete", "bad_reply", "cannot_stream"})  # faults of the stream rather than of the model


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: which model is asked, and how. `has_…`: the request has it, and a later attempt can omit it.

    `halvings` is how often the passages found before are halved.
    """

    model: str
    tries: int = 1
    is_streamed: bool = True
    has_own_instructions: bool = True
    has_history: bool = True
    has_token_limit: bool = True
    halvings: int = 0


@dataclass(frozen=True, slots=True)
class RecoveryStep:
    """The next attempt, and how long to wait before it."""

    rung: Rung
    attempt: Attempt
    waits_s: float = 0.0


def next_step(first: Attempt, failed: Attempt, fault: ModelFault, fallbacks: Sequence[str]) -> RecoveryStep | None:
    """The step after an attempt that failed without an answer, None when there is none.

    `first` is the turn's first attempt, `fallbacks` are the labels of the models that were not asked yet.
    """
    match fault.code:
        case code if code in FINAL:
            return None
        case "context_window_exceeded":
            return _shorter(failed)
        case "format" | "empty" if failed.has_own_instructions:
            return RecoveryStep("default_prompt", replace(failed, has_own_instructions=False))
        case "cut_short" if failed.has_token_limit:
            return RecoveryStep("retry", replace(failed, has_token_limit=False))
        case code if code in STREAMING and failed.is_streamed:
            return RecoveryStep("unstreamed", replace(failed, is_streamed=False))
        case code if (code in RETRIED and failed.tries < MOST_TRIES) or (code == "empty" and failed.tries == 1):
            waits_s = _wait_s(failed.tries, fault.retry_after_s)
            if waits_s <= LONGEST_RETRY_AFTER_S:
                return RecoveryStep("retry", replace(failed, tries=failed.tries + 1), waits_s)
    if not fallbacks:
        return None
    rung: Rung = "extractive" if fallbacks[0] == BUILTIN_MODEL else "fallback"
    return RecoveryStep(rung, replace(first, model=fallbacks[0]))


def _shorter(failed: Attempt) -> RecoveryStep | None:
    """The same model without the history, then with half of the passages, then with a quarter."""
    if failed.has_history:
        return RecoveryStep("retry", replace(failed, has_history=False))
    if failed.halvings < MOST_HALVINGS:
        return RecoveryStep("retry", replace(failed, halvings=failed.halvings + 1))
    return None


async def ask_with_recovery(
    first: Attempt,
    fallbacks: Sequence[str],
    breakers: Breakers,
    ask: Callable[[Attempt, Emit], Awaitable[T]],
    emit: Emit,
) -> T:
    """Make the `first` attempt, then those that `next_step` gives, until one succeeds.

    Raises the last GlassboxError: where there is no next step, or at the first fault after the answer has begun.
    """
    attempt, remaining = _streamed_if_possible(first, breakers), [each for each in fallbacks if each != first.model]
    while True:
        fields = _VisibleFields(emit)
        try:
            if breakers.rest_s(attempt.model):
                raise ModelFault("resting")
            result = await ask(attempt, fields.emit)
        except ModelFault as fault:
            breakers.failed(attempt.model, fault.code)
            remaining = [label for label in remaining if not breakers.rest_s(label)]
            step = None if "answer" in fields.visible else next_step(first, attempt, fault, remaining)
            if step is None:
                raise
            fields.reset()
            emit(_recovered(attempt, step, fault))
            remaining = [label for label in remaining if label != step.attempt.model]
            await asyncio.sleep(step.waits_s)
            attempt = _streamed_if_possible(step.attempt, breakers)
        else:
            breakers.worked(attempt.model)
            return result


class _VisibleFields:
    """The fields of which a reader sees text of the present attempt."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self.visible: dict[str, None] = {}  # in the order in which they became visible

    def emit(self, event: Event) -> None:
        """Emit an event of the attempt."""
        if isinstance(event, FieldDelta):
            self.visible.setdefault(event.field)
        elif isinstance(event, FieldReset):
            self.visible.pop(event.field, None)
        self._emit(event)

    def reset(self) -> None:
        """Take the text of every visible field back."""
        for name in self.visible:
            self._emit(FieldReset(field=name))


def _recovered(failed: Attempt, step: RecoveryStep, fault: ModelFault) -> Recovered:
    return Recovered(
        what=step.rung,
        from_model=failed.model,
        to_model=step.attempt.model,
        code=fault.code,
        waits_s=round(step.waits_s, 3),
    )


def _streamed_if_possible(attempt: Attempt, breakers: Breakers) -> Attempt:
    """The attempt without a stream where its model has refused to stream before."""
    return attempt if breakers.can_stream(attempt.model) else replace(attempt, is_streamed=False)


def _wait_s(tries: int, retry_after_s: float | None) -> float:
    """Return the wait that the provider asks for, else a random one: failed clients must not all retry together."""
    if retry_after_s is not None:
        return retry_after_s
    return random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (tries - 1)))
