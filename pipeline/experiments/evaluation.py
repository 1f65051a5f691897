"""An evaluation: questions asked with one setting, their scores, and how two evaluations compare. Values and folds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from pipeline.database.evaluations import StoredEvaluation
from pipeline.errors import GlassboxError
from pipeline.events import TurnFailed, passages_of
from pipeline.experiments import intervals
from pipeline.experiments.intervals import Interval
from pipeline.experiments.questions import Question
from pipeline.experiments.scores import METRICS, MetricName, answer_of, ending_of, scores_of
from pipeline.messages import StoredMessage
from pipeline.options import read
from pipeline.turn import DEFAULTS, AskOptions, Turn, TurnState

EvaluationState = Literal["queued", "running", "finished", "failed", "stopped", "interrupted"]
OVER: tuple[EvaluationState, ...] = ("finished", "failed", "stopped")  # nothing more is asked

FOUND_MOST = 4  # passages that a row names
# What makes a question fail, where it is below 1; the scores of the others are amounts, or too strict to fail by.
FAILING: tuple[MetricName, ...] = ("gold", "passage_found", "cited", "refused_rightly")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that was found for a question."""

    title: str
    section: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What has become of one question, the one at `index` of the set.

    `fault` is the area and code of the error, where it was not answered or not asked; `turn_id` is "" for the latter.
    """

    index: int
    turn_id: str
    state: TurnState
    answer: str
    scores: Mapping[MetricName, float | None]
    found: tuple[Found, ...] = ()
    fault: str = ""

    @property
    def misses(self) -> int:
        """How much is wrong with it; 0: nothing."""
        wrong = sum((self.scores.get(name) or 0.0) < 1 for name in FAILING if self.scores.get(name) is not None)
        return wrong + (self.state != "finished") * len(FAILING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Questions and the setting that they are asked with. `title` is that of their set, `set_name` its name, if any.

    `given` are the options that were chosen. `own_key`: the model is asked with a key of the visitor's, which is not
    stored. `reason` says why it was interrupted or failed, as the area and code of an error. Times are in seconds since
    the epoch.
    """

    id: str
    conversation_id: str
    title: str
    set_name: str | None
    questions: tuple[Question, ...]
    model: str
    options: AskOptions = DEFAULTS
    given: tuple[str, ...] = ()
    own_key: bool = False
    created_at: float = 0.0
    state: EvaluationState = "queued"
    reason: StoredMessage | None = None
    owner: str | None = None

    @property
    def total(self) -> int:
        """How many questions it has."""
        return len(self.questions)


ROW: TypeAdapter[Row] = TypeAdapter(Row)
_EVALUATION: TypeAdapter[Evaluation] = TypeAdapter(Evaluation)


def stored(evaluation: Evaluation) -> StoredEvaluation:
    """Return what is stored of an evaluation."""
    return StoredEvaluation(
        evaluation.id,
        evaluation.owner,
        evaluation.conversation_id,
        evaluation.created_at,
        evaluation.state,
        _EVALUATION.dump_json(evaluation),
    )


def restored(row: StoredEvaluation, *, is_running: bool) -> Evaluation:
    """Return a stored evaluation; one that was being asked, and is not any more, is interrupted."""
    content = json.loads(row.content)
    content |= {"options": read(AskOptions, content["options"]), "owner": row.owner, "state": row.state}
    if not is_running and row.state not in OVER:
        content["state"] = "interrupted"
    return _EVALUATION.validate_python(content)


def row_of(index: int, question: Question, turn: Turn) -> Row:
    """Return the row of a turn that has ended."""
    ending = ending_of(turn)
    return Row(
        index=index,
        turn_id=turn.id,
        state=turn.state,
        answer=answer_of(turn),
        scores=scores_of(turn, question),
        found=tuple(Found(each.title, each.section, each.score) for each in passages_of(turn.record)[:FOUND_MOST]),
        fault=f"model.{ending.code}" if isinstance(ending, TurnFailed) else "",
    )


def row_not_asked(index: int, question: Question, error: GlassboxError) -> Row:
    """Return the row of a question that could not be asked."""
    nothing = Turn("", "", question.question, "", "failed")
    scores = {name: score if METRICS[name].is_share else None for name, score in scores_of(nothing, question).items()}
    return Row(index=index, turn_id="", state="failed", answer="", scores=scores, fault=f"{error.area}.{error.code}")


def summary(rows: Iterable[Row]) -> dict[MetricName, Interval]:
    """Return the mean of each metric with its interval, over the questions that it applies to."""
    kept = tuple(rows)
    found: dict[MetricName, Interval] = {}
    for metric in METRICS.values():
        values = [value for each in kept if (value := each.scores.get(metric.name)) is not None]
        interval = intervals.share(values) if metric.is_share else intervals.amount(values)
        if interval:
            found[metric.name] = interval
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean difference of a metric over the same questions, and how many pairs would settle it, if any number."""

    interval: Interval
    pairs_needed: int | None


def differences(
    before: Evaluation, before_rows: Sequence[Row], after: Evaluation, after_rows: Sequence[Row]
) -> dict[MetricName, Difference]:
    """Compare two evaluations over the questions that both have answered."""
    pairs = [(one, other) for one, other in _pairs(before, before_rows, after, after_rows) if one]
    found: dict[MetricName, Difference] = {}
    for metric in METRICS.values():
        scored = [(one.scores.get(metric.name), other.scores.get(metric.name)) for one, other in pairs]
        both = [(a, b) for a, b in scored if a is not None and b is not None]
        values = [a for a, _ in both], [b for _, b in both]
        if interval := intervals.paired(*values, is_share=metric.is_share):
            found[metric.name] = Difference(interval, intervals.pairs_needed(*values))
    return found


def earlier_rows(
    before: Evaluation, before_rows: Sequence[Row], after: Evaluation, after_rows: Sequence[Row]
) -> dict[int, Row]:
    """Map the index of a question of `after` to its row in `before`, where it was answered there."""
    return {other.index: one for one, other in _pairs(before, before_rows, after, after_rows) if one}


def _pairs(
    before: Evaluation, before_rows: Sequence[Row], after: Evaluation, after_rows: Sequence[Row]
) -> list[tuple[Row | None, Row]]:
    known = {before.questions[row.index]: row for row in before_rows}
    return [(known.get(after.questions[row.index]), row) for row in after_rows]
