"""Reads and writes the instructions that turns were answered by, inside a session of the store.

Those of nobody's turns are not kept: nobody could ask for them.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from pipeline.database.tables import MetricsRow, PromptRow, TurnRow
from pipeline.database.texts import storable
from pipeline.turn import Turn
from pipeline.turn_sample import UsedPrompt


def note(session: Session, owner: str | None, turn: Turn) -> str | None:
    """Keep the instructions of a turn that begins → their hash; None where there are none, or no owner."""
    if owner is None or not turn.instructions:
        return None
    text = storable(turn.instructions)
    hashed = hashlib.sha256(text.encode()).hexdigest()[:32]
    if session.get(PromptRow, (owner, hashed)) is None:
        session.add(PromptRow(owner=owner, hash=hashed, text=text, first_used_at=turn.asked_at))
    return hashed


def of_owner(session: Session, owner: str) -> tuple[UsedPrompt, ...]:
    """Return the owner's instructions, those that were used first at the end."""
    wanted = select(PromptRow).where(PromptRow.owner == owner).order_by(PromptRow.first_used_at.desc())
    return tuple(UsedPrompt(row.hash, row.text, row.first_used_at) for row in session.scalars(wanted))


def prompted(owner: str, limit: int) -> Select[TurnRow, MetricsRow]:
    """Select the owner's latest turns that have instructions and have ended."""
    joined = select(TurnRow, MetricsRow).join(MetricsRow, MetricsRow.turn_id == TurnRow.id)
    wanted = joined.where(TurnRow.owner == owner, TurnRow.prompt.is_not(None))
    return wanted.order_by(TurnRow.asked_at.desc()).limit(limit)


def remove_unused(session: Session, owner: str) -> None:
    """Remove the owner's instructions that no turn has any more."""
    used = select(TurnRow.prompt).where(TurnRow.owner == owner, TurnRow.prompt.is_not(None))
    session.execute(delete(PromptRow).where(PromptRow.owner == owner, PromptRow.hash.not_in(used)))


def make_room(session: Session, owner: str, new_owner: str) -> None:
    """Remove the owner's instructions that the new owner has, too, before all of the owner's rows become theirs."""
    known = select(PromptRow.hash).where(PromptRow.owner == new_owner)
    session.execute(delete(PromptRow).where(PromptRow.owner == owner, PromptRow.hash.in_(known)))
