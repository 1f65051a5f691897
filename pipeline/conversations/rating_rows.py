"""Rated turns as rows of a data set that DSPy, spreadsheets and other programs read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic_core import to_json

from pipeline.artifacts.files import BYTE_ORDER_MARK, csv_of_rows
from pipeline.prompt_passages import numbered
from pipeline.recording import answered_by, cited_from
from pipeline.turn import Turn

Row = Mapping[str, Any]


def gold_answer(turn: Turn) -> str | None:
    """Return the answer that is right by its rating: the corrected one, else one that is liked; None where none is."""
    return turn.feedback.corrected or (turn.fields.get("answer") or None if turn.rating > 0 else None)


def row(turn: Turn) -> Row:
    """Return one rated turn; the first three keys are named as the fields of the default program."""
    said = turn.feedback
    return {
        "question": turn.question,
        "passages": numbered(cited_from(turn.record)),
        "answer": gold_answer(turn),
        "rating": turn.rating,
        "comment": said.comment,
        "corrected": said.corrected,
        "tags": list(said.tags),
        "rated_at": said.changed_at,
        "answered": turn.fields.get("answer", ""),
        "model": answered_by(turn.record) or turn.model,
        "program": turn.program,
        "program_version": turn.program_version,
        "options": asdict(turn.asked) if turn.asked else None,
        "asked_at": turn.asked_at,
        "turn_id": turn.id,
        "conversation_id": turn.conversation_id,
    }


def json_lines(turns: Iterable[Turn]) -> bytes:
    """Return a row a line: `[dspy.Example(**row).with_inputs("question") for row in map(json.loads, lines)]`."""
    return b"".join(to_json(row(turn), inf_nan_mode="null") + b"\n" for turn in turns)


def csv_file(turns: Iterable[Turn]) -> str:
    """Return the rows for a spreadsheet, under the names of their keys."""
    rows = [row(turn) for turn in turns]
    names = list(rows[0] if rows else row(Turn("", "", "", "")))
    return BYTE_ORDER_MARK + csv_of_rows([names, *([_cell(each[name]) for name in names] for each in rows)])


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list():
            return ", ".join(value)
        case _:
            return to_json(value).decode()
