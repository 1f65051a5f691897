"""Scores of several columns on the same questions: means, and what each column wins against the first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.experiments.intervals import Interval, amount, paired, share
from pipeline.experiments.questions import Question
from pipeline.experiments.scores import METRICS, MetricName, Scores
from pipeline.turn import Turn

SHOWN: tuple[MetricName, ...] = ("gold", "supported", "first_token_s", "total_s", "cost")

Scored = Sequence[float | None]  # of one metric and column, by questions


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstFirst:
    """How a column did against the first one on the questions that both have a score for.

    `difference` is the mean of its score less the first one's, with its 95 % interval.
    """

    wins: int
    ties: int
    losses: int
    difference: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric: the mean of each column with its interval, and each column but the first against that."""

    name: MetricName
    higher_is_better: bool
    means: tuple[Interval | None, ...]
    against: tuple[AgainstFirst, ...]


def scores_shown(turn: Turn | None, question: Question) -> dict[MetricName, float | None]:
    """Return the scores of one answer; none of a turn that runs, or that there is not."""
    if turn is None or turn.state == "running":
        return dict.fromkeys(SHOWN)
    return {name: METRICS[name].score(turn, question) for name in SHOWN}


def rows_of(scores: Sequence[Sequence[Scores]]) -> tuple[MetricRow, ...]:
    """Return a row for each metric that some answer has a score of; `scores` are by questions, then by columns."""
    rows = []
    for name in SHOWN:
        columns = [[each[name] for each in column] for column in zip(*scores, strict=True)]
        if any(score is not None for column in columns for score in column):
            rows.append(_row(name, columns))
    return tuple(rows)


def _row(name: MetricName, columns: Sequence[Scored]) -> MetricRow:
    metric = METRICS[name]
    mean = share if metric.is_share else amount
    known = [[score for score in column if score is not None] for column in columns]
    return MetricRow(
        name=name,
        higher_is_better=metric.higher_is_better,
        means=tuple(map(mean, known)),
        against=tuple(_against(columns[0], column, name) for column in columns[1:]),
    )


def _against(first: Scored, column: Scored, name: MetricName) -> AgainstFirst:
    metric = METRICS[name]
    pairs = [(one, two) for one, two in zip(first, column, strict=True) if one is not None and two is not None]
    better = [(two > one) == metric.higher_is_better for one, two in pairs if one != two]
    before, after = [one for one, _ in pairs], [two for _, two in pairs]
    return AgainstFirst(
        wins=sum(better),
        ties=len(pairs) - len(better),
        losses=len(better) - sum(better),
        difference=paired(before, after, is_share=metric.is_share),
    )
