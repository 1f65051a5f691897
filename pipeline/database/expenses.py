"""Reads and writes the expenses of each day, inside a session of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from pipeline.database.tables import ExpenseRow
from pipeline.database.texts import storable
from pipeline.expenses import Expense, Spent

KEYS = ("day", "visitor", "profile", "model", "own_key")
SUMS = ("calls", "unpriced_calls", "prompt_tokens", "completion_tokens", "cost")
INSERTS: Mapping[str, Any] = MappingProxyType({"sqlite": sqlite.insert, "postgresql": postgresql.insert})


def add(session: Session, day: str, expense: Expense) -> None:
    """Add an expense to its row, in one statement: several processes may share the database."""
    values = {name: storable(value) if isinstance(value, str) else value for name, value in asdict(expense).items()}
    adding = INSERTS[session.get_bind().dialect.name](ExpenseRow).values(day=day, **values)
    sums = {name: getattr(ExpenseRow, name) + getattr(adding.excluded, name) for name in SUMS}
    session.execute(adding.on_conflict_do_update(index_elements=KEYS, set_=sums))


def spent(session: Session, day: str, visitor: str) -> Spent:
    """What the host paid on a day, in all and for one visitor."""
    own = case((ExpenseRow.visitor == visitor, ExpenseRow.cost), else_=0.0)
    wanted = select(func.coalesce(func.sum(ExpenseRow.cost), 0.0), func.coalesce(func.sum(own), 0.0)).where(
        ExpenseRow.day == day, ExpenseRow.own_key.is_(False)
    )
    return Spent(*session.execute(wanted).one())


def since(session: Session, day: str) -> tuple[Expense, ...]:
    """The expenses of a day and of all later ones, a row for each visitor, profile, model and payer."""
    names = KEYS[1:]  # every key but the day
    columns = [getattr(ExpenseRow, name) for name in names]
    sums = [func.sum(getattr(ExpenseRow, name)) for name in SUMS]
    wanted = select(*columns, *sums).where(ExpenseRow.day >= day).group_by(*columns).order_by(*columns)
    rows = session.execute(wanted).all()
    return tuple(Expense(**dict(zip((*names, *SUMS), row, strict=True))) for row in rows)
