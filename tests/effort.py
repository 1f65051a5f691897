"""Compares what two pieces of work cost in CPU time, so that no test depends on how fast the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

ATTEMPTS = 5  # what else runs here may disturb one comparison; work that costs too much loses all of them
TIMES = 8
LINEAR = 22.0  # eight times as much costs 8 times as much if it is linear, 64 times if it is quadratic

Work = Callable[[], object]


def costs_less(work: Work, than: Work, factor: float = 1.0) -> bool:
    """Return whether `work` costs less than `factor` times the other; compared again while it seems to cost more."""
    return any(_cpu_s(work) < factor * _cpu_s(than) for _ in range(ATTEMPTS))


def grows_linearly(work: Callable[[int], object], size: int) -> bool:
    """Return whether work of eight times the size costs about eight times as much."""
    return costs_less(lambda: work(TIMES * size), lambda: work(size), LINEAR)


def _cpu_s(work: Work) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s
