"""An evaluation as a table for spreadsheets. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.artifacts.files import BYTE_ORDER_MARK, csv_of_rows
from pipeline.experiments.evaluation import Evaluation, Row
from pipeline.experiments.questions import LIST_JOIN
from pipeline.experiments.scores import METRICS


def csv_file(evaluation: Evaluation, rows: Sequence[Row]) -> str:
    """Return the rows for a spreadsheet, no cell of which is a formula."""
    head = ("question", "expected", "answer", "state", "fault", "turn_id", *METRICS)
    written = [
        (
            (question := evaluation.questions[row.index]).question,
            LIST_JOIN.join(question.golds),
            row.answer,
            row.state,
            row.fault,
            row.turn_id,
            *("" if (score := row.scores.get(metric.name)) is None else f"{score:.6g}" for metric in METRICS.values()),
        )
        for row in rows
    ]
    return BYTE_ORDER_MARK + csv_of_rows([head, *written])
