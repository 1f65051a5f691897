"""Reads and writes optimisations and their trials, inside a session of the store.

A trial is written once, and the rest anew at each change: a killed process loses the running trial at most.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.database.tables import OptimisationRow, TrialRow

LISTED = 50


@dataclass(frozen=True, slots=True)
class Stored:
    """An optimisation as bytes: `content` and each of its `trials` are JSON. `state` is the one that counts."""

    id: str
    owner: str | None
    created_at: float
    state: str
    content: bytes
    trials: tuple[bytes, ...] = ()


def save(session: Session, stored: Stored) -> None:
    """Store an optimisation, and those of its trials that are not stored yet."""
    session.merge(
        OptimisationRow(
            id=stored.id,
            owner=stored.owner,
            created_at=stored.created_at,
            state=stored.state,
            content=zlib.compress(stored.content),
        )
    )
    session.flush()
    known = session.scalar(select(func.count()).where(TrialRow.optimisation_id == stored.id)) or 0
    for position, content in enumerate(stored.trials[known:], known):
        session.add(TrialRow(optimisation_id=stored.id, position=position, content=zlib.compress(content)))


def of(session: Session, id: str) -> Stored | None:
    """Return an optimisation, whoever's it is."""
    row = session.get(OptimisationRow, id)
    return _stored(session, row) if row else None


def of_owner(session: Session, owner: str) -> tuple[Stored, ...]:
    """Return the optimisations of an owner, the latest first."""
    wanted = select(OptimisationRow).where(OptimisationRow.owner == owner)
    rows = session.scalars(wanted.order_by(OptimisationRow.created_at.desc()).limit(LISTED))
    return tuple(_stored(session, row) for row in rows.all())


def interrupt(session: Session, before_s: float) -> None:
    """Mark those that a killed process left running."""
    left = OptimisationRow.state == "running", OptimisationRow.created_at < before_s
    session.execute(update(OptimisationRow).where(*left).values(state="interrupted"))


def _stored(session: Session, row: OptimisationRow) -> Stored:
    wanted = select(TrialRow.content).where(TrialRow.optimisation_id == row.id).order_by(TrialRow.position)
    trials = tuple(map(zlib.decompress, session.scalars(wanted)))
    return Stored(row.id, row.owner, row.created_at, row.state, zlib.decompress(row.content), trials)
