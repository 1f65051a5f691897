"""What a turn's events say about its speed and size. Pure; the same for a live turn and for its compact record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.events import Event, FieldDelta, TurnFailed, TurnFinished, TurnStopped


@dataclass(frozen=True, slots=True)
class TurnMetrics:
    """Seconds since the turn's start, tokens of the reply. `exact` tells counted tokens from estimated ones."""

    first_token_s: float | None = None
    total_s: float | None = None
    tokens: int | None = None
    tokens_per_s: float | None = None
    exact: bool = False


def measure(events: Iterable[Event]) -> TurnMetrics:
    """Fold a turn's events; what did not happen (yet) stays None."""
    first_s: float | None = None
    ending: TurnFinished | TurnFailed | TurnStopped | None = None
    for event in events:
        if first_s is None and isinstance(event, FieldDelta):
            first_s = event.at_s
        elif isinstance(event, TurnFinished | TurnFailed | TurnStopped):
            ending = event
    if ending is None:
        return TurnMetrics(first_token_s=first_s)
    if isinstance(ending, TurnFinished):
        tokens, exact = ending.usage.completion_tokens, ending.usage.exact
    else:
        tokens, exact = estimated_tokens("".join(ending.partial.values())), False
    writing_s = ending.at_s - first_s if first_s is not None else 0.0
    return TurnMetrics(first_s, ending.at_s, tokens, tokens / writing_s if writing_s > 0 else None, exact)


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: four characters each, the rule of thumb for English."""
    return (len(text) + 3) // 4
