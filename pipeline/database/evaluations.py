"""Reads and writes question sets, evaluations and their rows, inside a session of the store."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from pipeline.database.tables import ConversationRow, EvaluatedRow, EvaluationRow, QuestionSetRow

KIND = "evaluation"  # of its conversation
LATEST = 200  # of an owner
SETS_MOST = 100  # of an owner


class StoredSet(NamedTuple):
    """A question set with its questions as JSON lines."""

    id: str
    title: str
    created_at: float  # seconds since the epoch
    content: str


class StoredEvaluation(NamedTuple):
    """An evaluation; `content` is JSON of `pipeline.experiments.evaluation`, `rows` how many questions are answered."""

    id: str
    owner: str | None
    conversation_id: str | None
    created_at: float  # seconds since the epoch
    state: str
    content: bytes
    rows: int = 0


def save_set(session: Session, owner: str, stored: StoredSet) -> bool:
    """Store a set of an owner, None of whose sets is replaced; False where the owner has too many."""
    row = QuestionSetRow
    if (session.scalar(select(func.count()).where(row.owner == owner)) or 0) >= SETS_MOST:
        return False
    content = zlib.compress(stored.content.encode())
    session.add(row(id=stored.id, owner=owner, title=stored.title, created_at=stored.created_at, content=content))
    return True


def sets_of(session: Session, owner: str) -> tuple[StoredSet, ...]:
    """Return an owner's sets, newest first."""
    row = QuestionSetRow
    wanted = select(row).where(row.owner == owner).order_by(row.created_at.desc())
    return tuple(
        StoredSet(each.id, each.title, each.created_at, zlib.decompress(each.content).decode())
        for each in session.scalars(wanted)
    )


def remove_set(session: Session, owner: str, id: str) -> bool:
    """Remove an owner's set; False where there is none of that id."""
    row = QuestionSetRow
    removed = session.scalars(delete(row).where(row.owner == owner, row.id == id).returning(row.id)).all()
    return bool(removed)


def save(session: Session, stored: StoredEvaluation) -> None:
    """Store an evaluation in the place of what is stored of it, and mark its conversation."""
    row = session.get(EvaluationRow, stored.id) or EvaluationRow(
        id=stored.id, owner=stored.owner, created_at=stored.created_at
    )
    row.conversation_id, row.state, row.content = stored.conversation_id, stored.state, zlib.compress(stored.content)
    session.add(row)
    conversation = session.get(ConversationRow, stored.conversation_id or "")
    if conversation is not None:
        conversation.kind = KIND


def save_row(session: Session, evaluation_id: str, position: int, content: bytes) -> None:
    """Store what has become of a question."""
    session.merge(EvaluatedRow(evaluation_id=evaluation_id, position=position, content=zlib.compress(content)))


def named(session: Session, id: str, owner: str | None) -> StoredEvaluation | None:
    """Return an evaluation, if it is the owner's or nobody's."""
    row = EvaluationRow
    found = session.scalar(select(row).where(row.id == id, or_(row.owner.is_(None), row.owner == owner)))
    return _stored(session, found) if found else None


def of_owner(session: Session, owner: str) -> tuple[StoredEvaluation, ...]:
    """Return an owner's latest evaluations, newest first."""
    row = EvaluationRow
    wanted = select(row).where(row.owner == owner).order_by(row.created_at.desc()).limit(LATEST)
    return tuple(_stored(session, each) for each in session.scalars(wanted))


def rows_of(session: Session, evaluation_id: str) -> tuple[bytes, ...]:
    """Return the rows of an evaluation, in order of their ends."""
    row = EvaluatedRow
    wanted = select(row.content).where(row.evaluation_id == evaluation_id).order_by(row.position)
    return tuple(zlib.decompress(each) for each in session.scalars(wanted))


def _stored(session: Session, row: EvaluationRow) -> StoredEvaluation:
    count = session.scalar(select(func.count()).where(EvaluatedRow.evaluation_id == row.id)) or 0
    content = zlib.decompress(row.content)
    return StoredEvaluation(row.id, row.owner, row.conversation_id, row.created_at, row.state, content, count)
