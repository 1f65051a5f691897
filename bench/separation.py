"""How well a number separates two sets. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return the chance that a positive's number is higher than a negative's; equal ones count half."""
    ordered = sorted(negative)
    wins = sum(bisect_left(ordered, each) + bisect_right(ordered, each) for each in positive)
    return wins / (2 * len(positive) * len(negative))
