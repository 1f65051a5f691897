"""An optimisation and all that it has found so far, as frozen values; and what follows from that. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from pipeline.experiments.intervals import Interval, paired, pairs_needed, share
from pipeline.messages import StoredMessage
from pipeline.optimisation.examples import Split
from pipeline.optimisation.wire import Optimizer
from pipeline.turn import DEFAULTS, AskOptions

State = Literal["running", "finished", "failed", "stopped", "interrupted"]
Phase = Literal["before", "search", "after"]
RATINGS = "ratings"  # the source of examples that are the visitor's own thumbs

CALLS_DEFAULT, CALLS_MOST = 120, 5_000
PROMPT_TOKENS, REPLY_TOKENS = 1_800, 300  # of a call, expected before any was made


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be optimised, and within which limits.

    `source` names the questions: "ratings", a set, or "" for a list that was sent. `calls` counts every request to the
    provider, also repeated ones; `max_usd` None leaves the cost to the host's budget. `title` is the program's.
    """

    program: str
    model: str
    optimizer: Optimizer
    source: str = ""
    title: str = ""
    calls: int = CALLS_DEFAULT
    max_usd: float | None = None
    seed: int = 0
    options: AskOptions = DEFAULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A candidate program that was measured. `score` is its mean on the validation examples, from 0 to 1.

    `calls` and `cost` (USD) are those of this trial alone; `kept`: it was the best one then. `state` is its JSON.
    """

    index: int
    score: float
    calls: int
    cost: float
    instruction: str
    demos: tuple[tuple[str, str], ...]
    kept: bool
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The answer to a held-out example, by its number, and its score."""

    number: int
    answer: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimisation:
    """An optimisation. `endings` are the states in which it stood still, each with the count of trials before it.

    `base` is the state of the program that it began with, "" for one of the registry, `instruction` its instructions.
    `priced`: whether the model's prices are known. `used` is the name of the saved program that was made of it.
    """

    id: str
    owner: str | None
    created_at: float
    plan: Plan
    split: Split
    base: str = ""
    instruction: str = ""
    state: State = "running"
    phase: Phase = "before"
    calls: int = 0
    cost: float = 0.0
    priced: bool = True
    took_s: float = 0.0
    trials: tuple[Trial, ...] = ()
    before: tuple[Given, ...] = ()
    after: tuple[Given, ...] = ()
    fault: StoredMessage = None
    used: str = ""
    endings: tuple[tuple[int, State], ...] = ()

    @property
    def best(self) -> Trial | None:
        """The trial with the highest score, the first of equals; None before the first."""
        return max(self.trials, key=lambda each: each.score, default=None)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is asked unless it is resumed."""
        return self.state != "running"

    @property
    def has_found(self) -> bool:
        """Whether a trial was better than the program as it is, which is the first one."""
        return self.best is not None and self.best.index > 0


@dataclass(frozen=True, slots=True)
class Row:
    """A held-out question with both answers; `change` is "better", "worse" or "same"."""

    question: str
    expected: str
    before: Given
    after: Given
    change: Literal["better", "worse", "same"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Before and after on the held-out questions. `improved`: the interval of the difference is above 0.

    `settled_by` is how many questions would tell the two apart, None where they are alike.
    """

    before: Interval
    after: Interval
    difference: Interval
    improved: bool
    settled_by: int | None
    rows: tuple[Row, ...]


def comparison_of(found: Optimisation) -> Comparison | None:
    """Compare what was answered before and after; None as long as no question was answered both times."""
    before, after = _by_number(found.before), _by_number(found.after)
    both = [each for each in found.split.held_out if each.number in before and each.number in after]
    pairs = [(before[each.number], after[each.number]) for each in both]
    scores = [one.score for one, _ in pairs], [two.score for _, two in pairs]
    spans = share(scores[0]), share(scores[1]), paired(*scores)
    if not spans[0] or not spans[1] or not spans[2]:
        return None
    low = spans[2].low
    rows = (
        Row(each.question, _expected(each.answer, refuses=each.refuses), one, two, _change(one.score, two.score))
        for each, (one, two) in zip(both, pairs, strict=True)
    )
    improved = found.state == "finished" and low is not None and low > 0
    return Comparison(spans[0], spans[1], spans[2], improved, pairs_needed(*scores), tuple(rows))


def calls_needed(held_out: int, validation: int) -> int:
    """Return how many calls an optimisation makes at least: both measurements, the base, and one candidate."""
    return 2 * held_out + 2 * validation


def mean(given: Sequence[Given]) -> Interval | None:
    """Return the mean score with its interval."""
    return share([each.score for each in given])


def _by_number(given: Sequence[Given]) -> Mapping[int, Given]:
    return {each.number: each for each in given}


def _expected(answer: str, *, refuses: bool) -> str:
    return "" if refuses else answer


def _change(before: float, after: float) -> Literal["better", "worse", "same"]:
    return "same" if abs(after - before) < 0.005 else "better" if after > before else "worse"


OPTIMISATION: TypeAdapter[Optimisation] = TypeAdapter(Optimisation)
TRIAL: TypeAdapter[Trial] = TypeAdapter(Trial)
