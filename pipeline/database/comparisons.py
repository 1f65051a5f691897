"""Reads and writes comparisons, inside a session of the store."""

from __future__ import annotations

import json
import zlib
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pipeline.comparison import Comparison
from pipeline.database.tables import ComparisonRow, ConversationRow
from pipeline.options import read
from pipeline.turn import AskOptions

KIND = "comparison"  # of its conversation
LATEST = 500  # of an owner

_COMPARISON: TypeAdapter[Comparison] = TypeAdapter(Comparison)


def save(session: Session, comparison: Comparison) -> bool:
    """Store a comparison for the owner of its conversation; False where that is not (any more) stored."""
    conversation = session.get(ConversationRow, comparison.id)
    if conversation is None:
        return False
    conversation.kind = KIND
    session.merge(
        ComparisonRow(
            conversation_id=comparison.id,
            owner=conversation.owner,
            created_at=comparison.created_at,
            content=zlib.compress(_COMPARISON.dump_json(comparison)),
        )
    )
    return True


def named(session: Session, id: str, owner: str | None) -> Comparison | None:
    """Return the comparison of that conversation, if it is the owner's or nobody's."""
    row = ComparisonRow
    wanted = select(row).where(row.conversation_id == id, or_(row.owner.is_(None), row.owner == owner))
    found = session.scalar(wanted)
    return _comparison(found.content) if found else None


def of_owner(session: Session, owner: str) -> tuple[Comparison, ...]:
    """Return an owner's latest comparisons, newest first."""
    row = ComparisonRow
    wanted = select(row.content).where(row.owner == owner).order_by(row.created_at.desc()).limit(LATEST)
    return tuple(map(_comparison, session.scalars(wanted)))


def _comparison(content: bytes) -> Comparison:
    """Read a comparison; options that this version does not know are left out."""
    stored: dict[str, Any] = json.loads(zlib.decompress(content))
    for column in stored["columns"]:
        column["options"] = read(AskOptions, column["options"])
    return _COMPARISON.validate_python(stored)
