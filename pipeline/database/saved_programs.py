"""Reads and writes visitors' saved programs, inside a session of the store."""

from __future__ import annotations

import zlib

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.database.tables import SavedProgramRow
from pipeline.database.texts import storable
from pipeline.saved_program import SavedProgram


def save(session: Session, owner: str, saved: SavedProgram) -> None:
    """Store a program in the place of the owner's program of that name; a name of another owner is left alone."""
    row = session.get(SavedProgramRow, saved.name)
    if row is None:
        row = SavedProgramRow(name=saved.name, owner=owner)
        session.add(row)
    elif row.owner != owner:
        return
    row.title, row.program, row.created_at = storable(saved.title), saved.program, saved.created_at
    row.state = zlib.compress(saved.state)


def named(session: Session, owner: str, name: str) -> SavedProgram | None:
    """Return the owner's program of that name."""
    wanted = select(SavedProgramRow).where(SavedProgramRow.name == name, SavedProgramRow.owner == owner)
    row = session.scalars(wanted).first()
    return _saved(row) if row else None


def of(session: Session, owner: str) -> tuple[SavedProgram, ...]:
    """Return the owner's programs, oldest first."""
    wanted = select(SavedProgramRow).where(SavedProgramRow.owner == owner).order_by(SavedProgramRow.created_at)
    return tuple(map(_saved, session.scalars(wanted)))


def remove(session: Session, owner: str, name: str) -> None:
    """Remove the owner's program of that name."""
    session.execute(delete(SavedProgramRow).where(SavedProgramRow.name == name, SavedProgramRow.owner == owner))


def _saved(row: SavedProgramRow) -> SavedProgram:
    return SavedProgram(row.name, row.title, row.program, zlib.decompress(row.state), row.created_at)
