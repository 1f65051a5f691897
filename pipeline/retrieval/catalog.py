"""The catalog of the index: every document and the text of its passages, in SQLite beside the shard.

A document in the catalog is acknowledged; the shard is built from the catalog and can be built again. A document is
written before its points and marked when they are on disk. A removed document leaves its range of points as leftovers
until they are deleted. So the next start after a kill knows which points are missing and which are left over. Removed
text is overwritten on disk.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from pipeline.display_names import shown_name
from pipeline.retrieval import IndexedDocument
from pipeline.retrieval.points import PointRecord

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL,
    language TEXT NOT NULL, pages INTEGER, passages INTEGER NOT NULL, collection TEXT NOT NULL, owner TEXT NOT NULL,
    origin TEXT NOT NULL, recipe TEXT NOT NULL, added_at REAL NOT NULL,
    unread TEXT NOT NULL DEFAULT '', first INTEGER NOT NULL, indexed INTEGER NOT NULL, embedding TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS documents_of_owner ON documents (owner, collection);
CREATE INDEX IF NOT EXISTS documents_unindexed ON documents (indexed) WHERE indexed = 0;
CREATE INDEX IF NOT EXISTS documents_embedding ON documents (embedding);
CREATE TABLE IF NOT EXISTS passages (
    point INTEGER PRIMARY KEY, document INTEGER NOT NULL, section TEXT NOT NULL, text TEXT NOT NULL,
    start INTEGER NOT NULL, end INTEGER NOT NULL, first_page INTEGER, last_page INTEGER);
CREATE TABLE IF NOT EXISTS leftovers (first INTEGER PRIMARY KEY, passages INTEGER NOT NULL);
"""
_ENTRY = "id, hash, name, title, language, pages, passages, collection, owner, origin, recipe, added_at, unread"
_RECORD = (
    "documents.id, documents.name, documents.title, documents.language, point - documents.first,"
    " section, text, start, end, first_page, last_page"
)
_JOINED = "passages JOIN documents ON documents.number = passages.document"


class Catalog:
    """SQLite with one writer and many readers. Values are bound as parameters. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        # Two connections: a reader in the event loop does not wait for a writer's transaction.
        self._writer, self._reader = (
            sqlite3.connect(path, isolation_level=None, check_same_thread=False) for _ in range(2)
        )
        self._writing, self._reading = threading.RLock(), threading.RLock()
        for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            self._writer.execute(f"PRAGMA {setting}")
        self._writer.executescript(_SCHEMA)
        if "unread" not in {row[1] for row in self._writer.execute("PRAGMA table_info(documents)")}:
            self._writer.execute("ALTER TABLE documents ADD COLUMN unread TEXT NOT NULL DEFAULT ''")

    def close(self) -> None:
        """Close both connections."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    # Facts about the whole index

    def fact(self, name: str) -> str:
        """Return a fact about the index, "" when it is not known."""
        return next((str(value) for (value,) in self._read("SELECT value FROM facts WHERE name = ?", name)), "")

    def remember(self, name: str, value: str) -> None:
        """Write a fact."""
        with self._transaction() as writer:
            writer.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    # Documents

    def add(self, entries: Sequence[tuple[IndexedDocument, Sequence[PointRecord]]]) -> list[range]:
        """Write documents in one transaction, in place of those with their ids; return the numbers of their points."""
        with self._transaction() as writer:
            high = next((int(value) for (value,) in writer.execute("SELECT value FROM facts WHERE name = 'points'")), 0)
            points = []
            for entry, records in entries:
                self._forget(writer, "id = ?", entry.id)
                points.append(range(high, high + len(records)))
                high += len(records)
                values = (*_row(entry), points[-1].start, 0, "")
                places = ", ".join("?" * len(values))
                number = writer.execute(
                    f"INSERT INTO documents ({_ENTRY}, first, indexed, embedding) VALUES ({places})", values
                ).lastrowid
                writer.executemany(
                    "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        (point, number, each.section, each.text, each.start, each.end, each.first_page, each.last_page)
                        for point, each in zip(points[-1], records, strict=True)
                    ),
                )
            writer.execute("INSERT OR REPLACE INTO facts VALUES ('points', ?)", (str(high),))
        return points

    def remove(self, where: str, *values: str | float) -> list[IndexedDocument]:
        """Remove and return the documents for which `where` holds. Their points become leftovers."""
        with self._transaction() as writer:
            removed = [_entry(row) for row in writer.execute(f"SELECT {_ENTRY} FROM documents WHERE {where}", values)]
            self._forget(writer, where, *values)
        return removed

    def adopt(self, owner: str, new_owner: str) -> list[tuple[str, range, str]]:
        """Give documents to another owner → the id, the points and the embedding of each.

        They count as neither indexed nor embedded until their points have the new owner.
        """
        with self._transaction() as writer:
            rows = writer.execute(
                "SELECT id, first, passages, embedding FROM documents WHERE owner = ?", (owner,)
            ).fetchall()
            writer.execute(
                "UPDATE documents SET owner = ?, indexed = 0, embedding = '' WHERE owner = ?", (new_owner, owner)
            )
        return [(document_id, range(first, first + count), embedding) for document_id, first, count, embedding in rows]

    def entry(self, document_id: str) -> IndexedDocument | None:
        """Return the entry of that id, None where there is none."""
        return next(
            (_entry(row) for row in self._read(f"SELECT {_ENTRY} FROM documents WHERE id = ?", document_id)), None
        )

    def entries(self, visitor: str | None) -> tuple[IndexedDocument, ...]:
        """Return the shared documents and the visitor's own, oldest first."""
        rows = self._read(f"SELECT {_ENTRY} FROM documents WHERE owner IN ('', ?) ORDER BY number", visitor or "")
        return tuple(_entry(row) for row in rows)

    def outdated(self, recipe: str) -> tuple[IndexedDocument, ...]:
        """Return the documents of every owner that were cut by another recipe, oldest first."""
        rows = self._read(f"SELECT {_ENTRY} FROM documents WHERE recipe != ? ORDER BY number", recipe)
        return tuple(_entry(row) for row in rows)

    def passages(self) -> int:
        """Count the points that the shard must hold."""
        ((count,),) = self._read("SELECT coalesce(sum(passages), 0) FROM documents")
        return int(count)

    # Points

    def records(self, points: Iterable[int], visitor: str | None) -> dict[int, PointRecord]:
        """Return the passages of these points that the visitor may see."""
        rows = self._read(
            f"SELECT point, {_RECORD} FROM {_JOINED} WHERE point IN ({_listed(points)}) AND owner IN ('', ?)",
            visitor or "",
        )
        return {point: PointRecord(*row) for point, *row in rows}

    def between(self, document_id: str, visitor: str | None, start: int, end: int) -> list[PointRecord]:
        """Return the passages of a document that overlap a span of its text."""
        rows = self._read(
            f"SELECT {_RECORD} FROM {_JOINED} WHERE point BETWEEN documents.first AND documents.first + passages - 1"
            " AND documents.id = ? AND owner IN ('', ?) AND start < ? AND end > ? ORDER BY point",
            document_id,
            visitor or "",
            end,
            start,
        )
        return [PointRecord(*row) for row in rows]

    def unindexed(self) -> list[str]:
        """Return the ids of documents whose points may not be on disk."""
        return [document_id for (document_id,) in self._read("SELECT id FROM documents WHERE indexed = 0")]

    def unembedded(self, embedding: str) -> list[tuple[str, int]]:
        """Return (id, number of passages) of documents whose vectors are missing or of another embedding."""
        return self._read("SELECT id, passages FROM documents WHERE embedding != ? ORDER BY number", embedding)

    def embedded(self, embedding: str) -> bool:
        """Return whether any document has vectors of that embedding."""
        return bool(self._read("SELECT 1 FROM documents WHERE embedding = ? LIMIT 1", embedding))

    def present(self, points: Iterable[int]) -> set[int]:
        """Return the points among these that still belong to a document."""
        return {point for (point,) in self._read(f"SELECT point FROM passages WHERE point IN ({_listed(points)})")}

    def points_of(self, document_id: str) -> Iterator[tuple[int, IndexedDocument, PointRecord]]:
        """Yield a document's points, read as they are needed."""
        for row in self._read(f"SELECT first, {_ENTRY} FROM documents WHERE id = ?", document_id):
            entry = _entry(row[1:])
            for point, *record in self._read(
                f"SELECT point, {_RECORD} FROM {_JOINED} WHERE point BETWEEN ? AND ?",
                row[0],
                row[0] + entry.passages - 1,
            ):
                yield point, entry, PointRecord(*record)

    def mark(self, ids: Iterable[str], *, indexed: bool = True) -> None:
        """Store whether these documents' points are on disk."""
        with self._transaction() as writer:
            writer.executemany("UPDATE documents SET indexed = ? WHERE id = ?", ((int(indexed), each) for each in ids))

    def mark_all_unindexed(self) -> None:
        """Mark every point and every vector as missing, and forget the leftovers."""
        with self._transaction() as writer:
            writer.execute("UPDATE documents SET indexed = 0, embedding = ''")
            writer.execute("DELETE FROM leftovers")

    def mark_embedded(self, ids: Iterable[str], embedding: str) -> None:
        """Store which embedding made these documents' vectors."""
        with self._transaction() as writer:
            writer.executemany("UPDATE documents SET embedding = ? WHERE id = ?", ((embedding, each) for each in ids))

    def mark_none_embedded(self) -> None:
        """Store that there are no vectors."""
        with self._transaction() as writer:
            writer.execute("UPDATE documents SET embedding = ''")

    def leftovers(self) -> list[range]:
        """Return the points that belong to no document any more."""
        return [range(first, first + count) for first, count in self._read("SELECT first, passages FROM leftovers")]

    def forget_leftovers(self, leftovers: Iterable[range]) -> None:
        """Store that these points are deleted, and remove the deleted text from the write-ahead log."""
        with self._transaction() as writer:
            writer.executemany("DELETE FROM leftovers WHERE first = ?", ((each.start,) for each in leftovers))
        with self._writing:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _forget(self, writer: sqlite3.Connection, where: str, *values: str | float) -> None:
        for first, count in writer.execute(f"SELECT first, passages FROM documents WHERE {where}", values).fetchall():
            writer.execute("DELETE FROM passages WHERE point BETWEEN ? AND ?", (first, first + count - 1))
            if count:
                writer.execute("INSERT INTO leftovers VALUES (?, ?)", (first, count))
        writer.execute(f"DELETE FROM documents WHERE {where}", values)

    def _read(self, sql: str, *values: str | float) -> list[Any]:
        with self._reading:
            return self._reader.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # a full disk may have ended it already
                    self._writer.execute("ROLLBACK")
                raise


def _listed(points: Iterable[int]) -> str:
    """Write numbers for an IN clause: SQLite limits the number of parameters, but not such a text."""
    return ", ".join(str(int(point)) for point in points)


def _row(entry: IndexedDocument) -> tuple[Any, ...]:
    return astuple(replace(entry, owner=entry.owner or ""))


def _entry(row: Sequence[Any]) -> IndexedDocument:
    entry = IndexedDocument(*row)
    return replace(entry, owner=entry.owner or None, title=shown_name(entry.title))
