"""What was measured of one turn, as a sample of a group of turns: of a variant, or of some instructions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.turn import Rating, TurnMetrics
from pipeline.verdicts import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSample:
    """One turn that has ended. `unit` is what was drawn by chance: the visitor who asked, or the turn itself.

    `checks` counts the sentences of the answer that have each verdict. `asked_at` is in seconds since the epoch.
    """

    group: str
    unit: str
    rating: Rating
    asked_at: float
    metrics: TurnMetrics
    checks: Mapping[Label, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UsedPrompt:
    """Instructions that an owner's turns were answered by, and since when in seconds since the epoch."""

    hash: str
    text: str
    first_used_at: float
