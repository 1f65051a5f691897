"""Reads and writes verdicts that people call wrong, inside a session of the store."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.database.tables import TurnRow, VerdictReportRow
from pipeline.verdict_reports import VERDICT_REPORT, VerdictReport


def save(session: Session, report: VerdictReport) -> bool:
    """Store a report for the owner of its turn; False where the turn is not (any more) stored."""
    turn = session.get(TurnRow, report.turn_id)
    if turn is None:
        return False
    session.merge(
        VerdictReportRow(
            turn_id=report.turn_id,
            field=report.field,
            sentence=report.index,
            owner=turn.owner,
            reported_at=report.reported_at,
            content=zlib.compress(VERDICT_REPORT.dump_json(report)),
        )
    )
    return True


def remove(session: Session, turn_id: str, field: str, index: int) -> None:
    """Remove the report on one sentence."""
    row = VerdictReportRow
    session.execute(delete(row).where(row.turn_id == turn_id, row.field == field, row.sentence == index))


def of_turn(session: Session, turn_id: str) -> frozenset[tuple[str, int]]:
    """Return the sentences of a turn that are reported, each by its field and index."""
    row = VerdictReportRow
    wanted = select(row.field, row.sentence).where(row.turn_id == turn_id)
    return frozenset((field, index) for field, index in session.execute(wanted))


def of_owner(session: Session, owner: str) -> tuple[VerdictReport, ...]:
    """Return an owner's reports, oldest first."""
    return tuple(_reports(session, owner))


def of_all(session: Session) -> tuple[VerdictReport, ...]:
    """Return the reports of all owners, oldest first."""
    return tuple(_reports(session))


def _reports(session: Session, owner: str | None = None) -> Iterator[VerdictReport]:
    wanted = select(VerdictReportRow).order_by(VerdictReportRow.reported_at)
    if owner is not None:
        wanted = wanted.where(VerdictReportRow.owner == owner)
    for row in session.scalars(wanted):
        yield VERDICT_REPORT.validate_json(zlib.decompress(row.content))
