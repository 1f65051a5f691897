"""Groups of turns beside each other: how they were liked, how fast, how sure and how dear they were. Pure.

The intervals are those of the units that were drawn by chance. Where that is the visitor, each counts once by the mean
of their turns, since turns of one visitor are alike.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.experiments.intervals import Interval, amount, share
from pipeline.turn_sample import TurnSample
from pipeline.verdicts import Label

MOST_AMOUNTS = 400  # the latest; more would cost time and memory, and tell little
LEAST_RATED = 20  # visitors of a variant who have rated, before one can be the best

FALLBACKS = ("fallback", "extractive")  # recoveries that let another model answer


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnGroup:
    """What is known of the turns of one group. An interval is None where nothing was measured."""

    name: str
    turns: int
    units: int
    likes: int
    dislikes: int
    last_asked_at: float
    liked: Interval | None
    first_token_s: Interval | None
    total_s: Interval | None
    succeeded: Interval | None
    fell_back: Interval | None
    cost: Interval | None
    verdicts: Mapping[Label, Interval]


def turn_groups(samples: Iterable[TurnSample]) -> dict[str, TurnGroup]:
    """Return the groups of the samples by their names."""
    grouped: dict[str, list[TurnSample]] = defaultdict(list)
    for each in sorted(samples, key=lambda each: each.asked_at):
        grouped[each.group].append(each)
    return {name: _group(name, members) for name, members in grouped.items()}


def best_of(groups: Mapping[str, TurnGroup], names: Sequence[str]) -> str | None:
    """Return the group that is liked more than each other one: its interval lies above theirs. None without one.

    Each needs LEAST_RATED units that have rated. That intervals do not meet is more than a test of 5 % asks for, which
    leaves room for looking again and again.
    """
    liked = {name: groups[name].liked for name in names if name in groups}
    known = {name: each for name, each in liked.items() if each is not None and each.n >= LEAST_RATED}
    if len(known) < len(names):
        return None
    best = max(known, key=lambda name: known[name].mean)
    others = [each.high for name, each in known.items() if name != best]
    low = known[best].low
    is_above = low is not None and all(high is not None and low > high for high in others)
    return best if is_above else None


def _group(name: str, samples: Sequence[TurnSample]) -> TurnGroup:
    def by_unit(value: Callable[[TurnSample], float | None]) -> list[float]:
        """Return the mean of each unit that has a value, in the order in which units came."""
        values: dict[str, list[float]] = defaultdict(list)
        for each in samples:
            if (known := value(each)) is not None:
                values[each.unit].append(known)
        return [math.fsum(each) / len(each) for each in values.values()]

    def amounts(value: Callable[[TurnSample], float | None]) -> Interval | None:
        return amount(by_unit(value)[-MOST_AMOUNTS:])

    return TurnGroup(
        name=name,
        turns=len(samples),
        units=len({each.unit for each in samples}),
        likes=sum(each.rating > 0 for each in samples),
        dislikes=sum(each.rating < 0 for each in samples),
        last_asked_at=samples[-1].asked_at,
        liked=share(by_unit(lambda each: float(each.rating > 0) if each.rating else None)),
        first_token_s=amounts(lambda each: None if each.metrics.cached else each.metrics.first_token_s),
        total_s=amounts(lambda each: None if each.metrics.cached else each.metrics.total_s),
        succeeded=share(by_unit(_succeeded)),
        fell_back=share(by_unit(lambda each: float(any(rung in FALLBACKS for rung in each.metrics.rungs)))),
        cost=amounts(lambda each: each.metrics.cost),
        verdicts=_verdicts(samples),
    )


def _succeeded(sample: TurnSample) -> float | None:
    """Return 1 for an answer, 0 for a failure, and None for a turn that somebody stopped."""
    return None if sample.metrics.ending == "stopped" else float(sample.metrics.ending == "finished")


def _verdicts(samples: Sequence[TurnSample]) -> dict[Label, Interval]:
    """Return the share of each verdict among the sentences of an answer, with intervals over the answers."""
    checked = [each.checks for each in samples if each.checks]
    labels = Counter(label for checks in checked for label in checks)
    shares = {label: share([checks.get(label, 0) / sum(checks.values()) for checks in checked]) for label in labels}
    return {label: each for label, each in sorted(shares.items()) if each is not None}
