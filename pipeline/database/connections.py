"""An engine and the threads that use it. Knows no table.

SQLite has one writer at a time, and waiting for its lock is slow (measured: 25 connections with BEGIN IMMEDIATE make 80
transactions a second, one makes thousands). So the store writes in one thread, and reads in others.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Literal, TypeVar

from alembic.util import CommandError
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from pipeline.errors import GlassboxError, StoreFault
from pipeline.own_faults import is_ours, own_fault

T = TypeVar("T")
Use = Literal["read", "write"]

DURABLE = "glassbox_durable"  # execution option of a connection

# OSError: no such folder; ImportError: no driver for that address; ValueError: a row that cannot be read.
FAULTS = (SQLAlchemyError, sqlite3.Error, CommandError, OSError, ImportError, ValueError)
UNREADABLE = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON", "secure_delete=ON")

log = logging.getLogger(__name__)


class Unreadable(StoreFault):
    """The file is not a database, or a damaged one. Trying again is useless."""


class DatabaseThreads:
    """Does work in threads of its own, each piece in one transaction. Every fault of the database is a StoreFault.

    After a fault all connections are opened anew: one that was opened while the folder was read-only stays read-only.
    """

    def __init__(self, url: str, use: Use, threads: int) -> None:
        try:
            self._engine = create_engine(
                url, poolclass=QueuePool, pool_size=threads, max_overflow=0, pool_pre_ping=True
            )
        except FAULTS as fault:
            raise _safe(fault) from None
        if self._engine.dialect.name == "sqlite":
            _prepare_sqlite(self._engine, use)
        elif self._engine.dialect.name == "postgresql" and use == "write":
            _prepare_postgres(self._engine)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"store-{use}")

    async def run(self, work: Callable[[Session], T], *, is_durable: bool = True) -> T:
        """Do work in one transaction. When the caller is cancelled, work that has begun still ends.

        A commit that is not durable survives a killed process, but maybe not a power cut. Raises StoreFault.
        """
        return await self.in_thread(lambda: self.run_now(work, is_durable=is_durable))

    def run_now(self, work: Callable[[Session], T], *, is_durable: bool = True) -> T:
        """Do the same in the calling thread."""
        try:
            with Session(self._engine.execution_options(**{DURABLE: is_durable})) as session, session.begin():
                return work(session)
        except GlassboxError:
            raise
        except Exception as fault:  # noqa: BLE001  whatever it is, the database is not to blame for all of it
            if isinstance(fault, FAULTS):
                self._engine.dispose()
            raise _safe(fault) from None

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do anything in the threads, after the work that is queued. Raises StoreFault when they are closed."""
        try:
            running = self._threads.submit(work)
        except RuntimeError as closed:
            log.error("the database failed: it is closed")
            raise StoreFault from closed
        return await asyncio.wrap_future(running)

    def disconnect(self) -> None:
        """Close the connections; the next piece of work connects again."""
        self._engine.dispose()

    async def wipe(self) -> None:
        """Empty SQLite's log, which still holds deleted rows. Other databases do that by themselves."""
        if self._engine.dialect.name == "sqlite":
            await self.in_thread(lambda: self._pragma("wal_checkpoint(TRUNCATE)"))

    def close(self) -> None:
        """Wait for the work that is queued, then end the threads and close the connections."""
        self._threads.shutdown()
        self._engine.dispose()

    def _pragma(self, pragma: str) -> None:
        try:
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute(f"PRAGMA {pragma}")
        except FAULTS as fault:
            raise _safe(fault) from None


def described(url: str) -> str:
    """Return scheme and driver of an address, and what to install; never its host, its name or a password."""
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        return "no address that can be read"
    scheme = parsed.get_backend_name()
    try:
        dialect = parsed.get_dialect()
    except SQLAlchemyError:
        return f"scheme {scheme}, for which there is no driver"
    try:
        dialect.import_dbapi()
    except ImportError:
        extra = "psycopg[binary]" if dialect.driver == "psycopg" else dialect.driver
        return f"scheme {scheme}, driver {dialect.driver}, which is not installed: pip install '{extra}'"
    return f"scheme {scheme}, driver {dialect.driver}"


def _prepare_sqlite(engine: Engine, use: Use) -> None:
    # The driver's own transactions begin at the first write, so that what was read before it may be stale: ours begin
    # at the beginning (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#transactions).
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        if use == "write":  # only outside of a transaction can this be changed
            connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if _is_durable(connection) else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if use == "write" else "BEGIN")


def _prepare_postgres(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        if not _is_durable(connection):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def _is_durable(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(DURABLE, True))


def _safe(fault: Exception) -> StoreFault:
    # The text of a fault holds paths, statements and what people wrote: only its kind is logged.
    if not isinstance(fault, FAULTS) or is_ours(fault):
        own_fault(fault, "store")
        return StoreFault(is_ours=True)
    cause = getattr(fault, "orig", fault)
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    log.error("the database failed: %s %s", type(cause).__name__, code)
    return Unreadable() if code.startswith(UNREADABLE) else StoreFault()
