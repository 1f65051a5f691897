"""A way into the database: one engine and the threads that use it. Knows no table.

SQLite has one writer at a time, and what costs is waiting for its lock (measured: 25 connections with BEGIN IMMEDIATE
make 80 transactions a second, one makes thousands). So the store writes through a gate of one thread, and reads
through another gate.
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

from pipeline.bugs import is_ours, own_fault
from pipeline.errors import GlassboxError, StoreFault

T = TypeVar("T")

# OSError: no such folder; ImportError: no driver for that address; ValueError: a row that cannot be read.
FAULTS = (SQLAlchemyError, sqlite3.Error, CommandError, OSError, ImportError, ValueError)
UNREADABLE = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON", "secure_delete=ON")

log = logging.getLogger(__name__)


class Unreadable(StoreFault):
    """The file is no database, or no whole one, and never will be again."""


class Gate:
    """Does work in threads of its own, each piece in one transaction. A failing database comes out as StoreFault.

    After a fault all connections are made anew: one that was opened while the folder was read-only stays read-only.
    """

    def __init__(self, url: str, use: Literal["read", "write"], threads: int) -> None:
        try:
            self._engine = create_engine(
                url, poolclass=QueuePool, pool_size=threads, max_overflow=0, pool_pre_ping=True
            )
        except FAULTS as fault:
            raise _safe(fault) from None
        if self._engine.dialect.name == "sqlite":
            _prepare_sqlite(self._engine, "BEGIN IMMEDIATE" if use == "write" else "BEGIN")
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"store-{use}")

    async def run(self, work: Callable[[Session], T]) -> T:
        """Work that has not begun is dropped when the caller is cancelled; once begun, it ends."""
        return await self.in_thread(lambda: self.run_now(work))

    def run_now(self, work: Callable[[Session], T]) -> T:
        """The same for callers without a loop."""
        try:
            with Session(self._engine) as session, session.begin():
                return work(session)
        except GlassboxError:
            raise
        except Exception as fault:  # noqa: BLE001  whatever it is, the database is not to blame for all of it
            if isinstance(fault, FAULTS):
                self._engine.dispose()
            raise _safe(fault) from None

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Anything that has to wait its turn among the pieces of work."""
        try:
            running = self._threads.submit(work)
        except RuntimeError as closed:
            log.error("the database failed: it is closed")
            raise StoreFault from closed
        return await asyncio.wrap_future(running)

    def disconnect(self) -> None:
        """Let go of the database; the next piece of work connects again."""
        self._engine.dispose()

    async def wipe(self) -> None:
        """Empty SQLite's log, in which rows go on living after they were deleted. Other databases look after theirs."""
        if self._engine.dialect.name == "sqlite":
            await self.in_thread(lambda: self._pragma("wal_checkpoint(TRUNCATE)"))

    def close(self) -> None:
        """Wait for the work that is queued, then let go of threads and connections."""
        self._threads.shutdown()
        self._engine.dispose()

    def _pragma(self, pragma: str) -> None:
        try:
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute(f"PRAGMA {pragma}")
        except FAULTS as fault:
            raise _safe(fault) from None


def described(url: str) -> str:
    """Scheme and driver of an address, and what to install; never its host, its name or a password."""
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


def _prepare_sqlite(engine: Engine, begin: str) -> None:
    # The driver's own transactions begin at the first write, so that what was read before it may be stale: ours begin
    # at the beginning (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#transactions).
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _safe(fault: Exception) -> StoreFault:
    # The text of a fault holds paths, statements and what people wrote: only its kind is logged.
    if not isinstance(fault, FAULTS) or is_ours(fault):
        own_fault(fault, "store")
        return StoreFault(is_ours=True)
    cause = getattr(fault, "orig", fault)
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    log.error("the database failed: %s %s", type(cause).__name__, code)
    return Unreadable() if code.startswith(UNREADABLE) else StoreFault()
