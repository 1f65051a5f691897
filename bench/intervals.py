"""Measures how often an interval of a paired difference leaves out 0; prints its table.

    python -m bench.intervals [--runs 2000] [--seed 1]

Each run draws the scores of two settings on the same questions. In an A/A run both answer equally well: an interval
that leaves out 0 is a false alarm, of which at most 5 % are allowed. `alike` is the share of questions that both
settings answer in the same way. In the other runs the second setting also answers 40 % of what it did not: the table
names how often that is seen, and beside it the same for the exact test of McNemar at 5 %.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.experiments.intervals import paired

PAIRS, RATES, ALIKE, GAIN = (5, 6, 8, 10, 20, 30), (0.1, 0.3, 0.5, 0.7, 0.9), (0.0, 0.7), 0.4


def rows(runs: int, seed: int) -> Iterator[str]:
    """Iterate over the lines of the table."""
    random = np.random.default_rng(seed)
    yield "| pairs | right | alike | A/A: leaves out 0 | graded A/A | better by 40 %: seen | by McNemar |"
    yield "|---|---|---|---|---|---|---|"
    for pairs in PAIRS:
        for rate in RATES:
            for alike in ALIKE:
                counts = sum((_run(random, pairs, rate, alike) for _ in range(runs)), np.zeros(4))
                cells = " | ".join(f"{100 * count / runs:.1f} %" for count in counts)
                yield f"| {pairs} | {rate} | {alike} | {cells} |"


def _run(random: np.random.Generator, pairs: int, rate: float, alike: float) -> NDArray[np.float64]:
    """Return which of the four columns are true of one run."""
    before = (random.random(pairs) < rate).astype(float)
    again = (random.random(pairs) < rate).astype(float)
    after = np.where(random.random(pairs) < alike, before, again)
    better = np.maximum(after, random.random(pairs) < GAIN).astype(float)
    graded, graded_again = random.beta(2 * rate + 0.2, 2.2 - 2 * rate, (2, pairs))
    return np.array(
        [
            _leaves_out_zero(before, after),
            _leaves_out_zero(graded, graded_again),
            _leaves_out_zero(before, better),
            mcnemar(int((better > before).sum()), int((better < before).sum())) <= 0.05,
        ],
        dtype=float,
    )


def _leaves_out_zero(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    interval = paired(before.tolist(), after.tolist())
    return interval is not None and interval.leaves_out_zero


def mcnemar(wins: int, losses: int) -> float:
    """Return the two-sided p of the exact test."""
    pairs = wins + losses
    tail = sum(math.comb(pairs, each) for each in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / float(2**pairs))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for line in rows(options.runs, options.seed):
        print(line, flush=True)
