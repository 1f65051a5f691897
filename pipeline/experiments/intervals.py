"""Means with their 95 % intervals, and paired differences whose intervals hold for few pairs, too. Pure.

The interval of a share is Wilson's. All others are quantiles of the means of random subsets (Hartigan, 1969: "Using
subsample values as typical values"), drawn from a fixed seed. The interval of a paired difference leaves out 0 exactly
where the sign-flip test rejects that both settings are alike, which happens in at most 5 % of the cases where they are,
for any number of pairs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
ALL_SUBSETS_MOST = 14  # of more values, SUBSETS random ones are drawn
SUBSETS, SEED = 8191, 7
POWER = 0.8  # of `pairs_needed`
PAIRS_MOST = 100_000
_Z, _Z_POWER = 1.959964, 0.841621

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean of `n` values between `low` and `high`; None for a bound that so few values do not give."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def leaves_out_zero(self) -> bool:
        """Whether all values between the bounds have one sign."""
        return (self.low is not None and self.low > 0) or (self.high is not None and self.high < 0)


def share(values: Sequence[float]) -> Interval | None:
    """Return the mean of scores from 0 to 1 with Wilson's interval, None of none.

    The interval holds for scores between 0 and 1, too: no such score varies more than one of 0 or 1 does.
    """
    if not values:
        return None
    n, mean = len(values), math.fsum(values) / len(values)
    centre = mean + _Z**2 / (2 * n)
    margin = _Z * math.sqrt(mean * (1 - mean) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return Interval(mean, max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale), n)


def amount(values: Sequence[float]) -> Interval | None:
    """Return the mean of amounts with its interval, None of none."""
    if not values:
        return None
    return Interval(math.fsum(values) / len(values), *_subset_bounds(np.array(values, dtype=float)), len(values))


def paired(before: Sequence[float], after: Sequence[float], *, is_share: bool = True) -> Interval | None:
    """Return the mean difference of the scores of the same questions, `after` minus `before`, with its interval.

    Where scores are shares, the bounds are those with one more pair for and one against, since questions that all
    ended alike do not prove that others would; a bound that would let in 0 by that alone stays as it is.
    """
    differences = np.subtract(np.array(after, dtype=float), np.array(before, dtype=float))
    if not len(differences):
        return None
    mean = math.fsum(differences) / len(differences)
    low, high = _subset_bounds(differences)
    if is_share:
        wide_low, wide_high = _subset_bounds(np.append(differences, (1.0, -1.0)))
        low = low if low is not None and low > 0 else min((b for b in (low, wide_low) if b is not None), default=-1.0)
        high = (
            high if high is not None and high < 0 else max((b for b in (high, wide_high) if b is not None), default=1.0)
        )
    return Interval(mean, low, high, len(differences))


def pairs_needed(before: Sequence[float], after: Sequence[float]) -> int | None:
    """Return how many questions would tell the two apart in four of five cases, if they differ as much as here.

    None where they do not differ, or by too little for any set of questions.
    """
    differences = np.subtract(np.array(after, dtype=float), np.array(before, dtype=float))
    if len(differences) < 2 or not differences.mean():
        return None
    # A difference that did not vary would still vary among other questions.
    spread = differences.var(ddof=1) or abs(float(differences.mean())) ** 2 / len(differences)
    needed = math.ceil((_Z + _Z_POWER) ** 2 * float(spread) / float(differences.mean()) ** 2)
    return max(needed, 6) if needed <= PAIRS_MOST else None


def _subset_bounds(values: Floats) -> tuple[float | None, float | None]:
    """Return the bounds within which a hypothetical mean is not rejected, None where none would be.

    A mean is too low where at most 2.5 % of all subsets, the empty one included, have a mean that is not above it.
    """
    means = np.sort(_subset_means(values))
    rejected = math.floor((1 - LEVEL) / 2 * (len(means) + 1))
    if rejected < 1:
        return None, None
    return float(means[rejected - 1]), float(means[-rejected])


def _subset_means(values: Floats) -> Floats:
    """Return the means of every subset that is not empty, or of as many random ones as are counted on."""
    n = len(values)
    if n <= ALL_SUBSETS_MOST:
        members = (np.arange(1, 2**n)[:, np.newaxis] >> np.arange(n)) & 1
    else:
        members = np.random.default_rng(SEED).integers(0, 2, (SUBSETS, n), dtype=np.int8)
        members = members[members.any(axis=1)]
    totals: Floats = members @ values
    # Sums of equal shares in another order differ in their last digits; they must be equal to count as ties.
    means: Floats = np.round(totals / members.sum(axis=1), 12)
    return means
