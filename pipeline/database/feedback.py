"""Reads and writes thumbs and what is said beside them, inside a session of the store.

Every rated turn has a row of its own here, also where only the thumb was given.
"""

from __future__ import annotations

import json

from sqlalchemy import ColumnElement, Select, delete, select, tuple_
from sqlalchemy.orm import Session

from pipeline.database.tables import FeedbackRow, TurnRow
from pipeline.database.texts import storable
from pipeline.feedback import NO_FEEDBACK, Feedback
from pipeline.turn import Rating


def rate(session: Session, is_meant: ColumnElement[bool], rating: Rating, feedback: Feedback) -> bool:
    """Store a thumb with what is said beside it; False where no turn is meant. Nothing is left of neither."""
    turn = session.scalar(select(TurnRow).where(is_meant))
    if turn is None:
        return False
    turn.rating = rating
    if not (rating or feedback.comment or feedback.corrected or feedback.tags):
        session.execute(delete(FeedbackRow).where(FeedbackRow.turn_id == turn.id))
        return True
    session.merge(
        FeedbackRow(
            turn_id=turn.id,
            owner=turn.owner,
            comment=storable(feedback.comment),
            corrected=storable(feedback.corrected),
            tags=storable(json.dumps(feedback.tags, ensure_ascii=False)),
            changed_at=feedback.changed_at,
        )
    )
    return True


def of_row(row: FeedbackRow | None) -> Feedback:
    """Return what a row holds."""
    return Feedback(row.comment, row.corrected, tuple(json.loads(row.tags)), row.changed_at) if row else NO_FEEDBACK


def rated(owner: str | None, before: tuple[float, str] | None, limit: int) -> Select[TurnRow, FeedbackRow]:
    """Select the rated turns of an owner, or of all, the latest thumb first.

    `before` names the last turn of the part before, by the time of its thumb and its id.
    """
    changed_at, turn_id = FeedbackRow.changed_at, FeedbackRow.turn_id
    wanted = select(TurnRow, FeedbackRow).join(FeedbackRow, turn_id == TurnRow.id)
    if owner is not None:
        wanted = wanted.where(FeedbackRow.owner == owner)
    if before:
        wanted = wanted.where(tuple_(changed_at, turn_id) < before)
    return wanted.order_by(changed_at.desc(), turn_id.desc()).limit(limit)
