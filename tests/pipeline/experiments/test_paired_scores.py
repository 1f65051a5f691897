"""What columns score on the same questions, and what each wins against the first."""

from __future__ import annotations

from pipeline.experiments.paired_scores import SHOWN, rows_of, scores_shown
from pipeline.experiments.questions import Question
from pipeline.experiments.scores import MetricName
from pipeline.turn import Turn

NONE: dict[MetricName, float | None] = dict.fromkeys(SHOWN)


def test_a_turn_that_runs_or_that_there_is_not_has_no_scores() -> None:
    running = Turn("t", "c", "Why?", "m", fields={"answer": "so"})
    assert scores_shown(running, Question("Why?", "so")) == NONE
    assert scores_shown(None, Question("Why?")) == NONE
    assert rows_of([[NONE, NONE]]) == ()


def test_wins_ties_and_losses_go_by_what_is_better_and_leave_out_what_is_not_scored() -> None:
    seconds = [(1.0, 2.0), (1.0, 1.0), (3.0, 2.0), (None, 1.0)]
    (row,) = rows_of([[{**NONE, "total_s": each} for each in pair] for pair in seconds])
    (against,) = row.against
    assert (row.name, row.higher_is_better) == ("total_s", False)
    assert (against.wins, against.ties, against.losses) == (1, 1, 1)
    assert against.difference
    assert (against.difference.mean, against.difference.n) == (0.0, 3)
    assert [mean.n for mean in row.means if mean] == [3, 4]


def test_a_difference_that_all_questions_show_leaves_out_zero() -> None:
    shares = [(0.0, 1.0)] * 12
    (row,) = rows_of([[{**NONE, "supported": each} for each in pair] for pair in shares])
    difference = row.against[0].difference
    assert difference
    assert difference.leaves_out_zero
    assert row.against[0].wins == 12
