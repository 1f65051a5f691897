"""Reads and writes the results of requests that may be sent again, inside a session of the store."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.database.tables import RequestResultRow
from pipeline.request_result import DAY_S, RequestResult


def save(session: Session, result: RequestResult) -> None:
    """Store a result, and remove those that are too old to be asked for."""
    session.execute(delete(RequestResultRow).where(RequestResultRow.stored_at < result.stored_at - DAY_S))
    session.merge(RequestResultRow(**asdict(result)))


def named(session: Session, id: str, since_s: float) -> RequestResult | None:
    """Return the result of that id, None for one that was stored before `since_s`."""
    row = session.scalar(
        select(RequestResultRow).where(RequestResultRow.id == id, RequestResultRow.stored_at >= since_s)
    )
    return RequestResult(row.id, row.owner, row.request_hash, row.stored_at, row.content) if row else None
