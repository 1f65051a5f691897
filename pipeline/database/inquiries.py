"""Reads and writes what inquiries about turns have found, inside a session of the store."""

from __future__ import annotations

import zlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.database.tables import InquiryRow, TurnRow


def save(session: Session, turn_id: str, name: str, content: bytes) -> bool:
    """Store a result in the place of an earlier one of that name; False where the turn is not (any more) stored."""
    if session.get(TurnRow, turn_id) is None:
        return False
    session.merge(InquiryRow(turn_id=turn_id, name=name, content=zlib.compress(content)))
    return True


def of(session: Session, turn_id: str) -> dict[str, bytes]:
    """Return all results of a turn by their names."""
    wanted = select(InquiryRow).where(InquiryRow.turn_id == turn_id)
    return {row.name: zlib.decompress(row.content) for row in session.scalars(wanted)}
