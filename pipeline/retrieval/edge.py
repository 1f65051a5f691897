"""The index in a folder that lasts, on Qdrant Edge. One process at a time.

    lock          claimed before Edge sees the folder: a second Edge that merely tries it spoils the first one's writes
    catalog.db    what is acknowledged: documents and the text of their passages (`catalog`)
    shard/        words, vectors and what is filtered by (`shard`); built from the catalog whenever it is in doubt

A damaged shard shows as an exception, a Rust panic, or points that are missing without a word. So whatever happens at
the opening, and any count that differs from the catalog's, means building anew. What was not finished, is finished.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.conversation import Listed, Passage, Query, Scores
from pipeline.errors import EmbeddingFault, IndexTaken, SearchFault
from pipeline.ingest import Document
from pipeline.retrieval import DEFAULT_OPTIONS, Entry, Found, Mode, Options, Progress, Scope
from pipeline.retrieval.catalog import Catalog
from pipeline.retrieval.embedding import AT_ONCE, Embedding, Vectors
from pipeline.retrieval.finding import Candidate, Terms, Vector, find, passage_of
from pipeline.retrieval.points import BATCH, RECIPE, SHARED_OWNER, Record, entry_of, indexed_text, records_of
from pipeline.retrieval.reranking import Reranker
from pipeline.retrieval.shard import Shard, faults

_CHANGING = "changing"

_log = logging.getLogger(__name__)


class EdgeIndex:
    """An `Index` in a folder. To be opened by one process at a time."""

    def __init__(self, folder: Path, embedding: Embedding | None = None, reranker: Reranker | None = None) -> None:
        """Claim and open, and repair what the last end left unfinished. Blocks. Raises IndexTaken, SearchFault."""
        self._folder, self._embedding, self._reranker = folder, embedding, reranker
        self._own: tempfile.TemporaryDirectory[str] | None = None
        self._writing = threading.RLock()
        self._embedding_now = asyncio.Lock()
        self._titles: tuple[Listed, ...] | None = None
        self._open = True
        self._claim = FileLock(folder / "lock", thread_local=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._claim.acquire(blocking=False)
        except Timeout:
            raise IndexTaken from None
        except OSError as error:
            raise SearchFault from error
        try:
            with faults():
                self._catalog = _catalog_in(folder)
                self._shard = self._repaired() or self._rebuilt()
        except BaseException:
            self._claim.release()
            raise

    @classmethod
    def temporary(cls, embedding: Embedding | None = None, reranker: Reranker | None = None) -> EdgeIndex:
        """One in a new folder of the system's, which goes with it. Blocks."""
        own = tempfile.TemporaryDirectory(prefix="index-", ignore_cleanup_errors=True)
        index = cls(Path(own.name), embedding, reranker)
        index._own = own
        return index

    @classmethod
    def build(cls, documents: Sequence[Document]) -> EdgeIndex:
        """A temporary one of shared documents. Blocks."""
        index = cls.temporary()
        index._add(documents, "documents", None, "", "", None)
        return index

    # What there is

    @property
    def titles(self) -> tuple[Listed, ...]:
        """See `Index`."""
        if self._titles is None:
            with faults():
                self._titles = tuple(
                    Listed(entry.title, entry.passages, entry.language) for entry in self._catalog.entries(None)
                )
        return self._titles

    @property
    def modes(self) -> tuple[Mode, ...]:
        """See `Index`."""
        with faults():
            ready = self._embedding and self._catalog.embedded(self._embedding.name)
        return ("keyword", "vector", "hybrid") if ready else ("keyword",)

    @property
    def reranks(self) -> bool:
        """See `Index`."""
        return self._reranker is not None

    async def documents(self, visitor: str | None) -> tuple[Entry, ...]:
        """See `Index`."""
        with faults():
            return await asyncio.to_thread(self._catalog.entries, visitor)

    async def read(self, document_id: str, visitor: str | None, start: int, end: int) -> tuple[Passage, ...]:
        """See `Index`."""
        with faults():
            records = await asyncio.to_thread(self._catalog.between, document_id, visitor, start, end)
        return tuple(passage_of(record, number) for number, record in enumerate(records, 1))

    # Search

    async def __call__(self, query: Query, scope: Scope, options: Options = DEFAULT_OPTIONS) -> Found:
        """See `Search`. Takes about 1 ms of CPU, so it runs in the loop."""
        return await find(query, scope, options, self._rank, self.modes, self._embedding, self._reranker)

    async def _rank(
        self, terms: Terms, vector: Vector | None, scope: Scope, candidates: int, limit: int
    ) -> Iterable[Candidate]:
        try:
            keyword, nearest, fused, held = self._shard.rank(terms, vector, scope, candidates, limit)
        except SearchFault:
            self._doubt()
            raise
        with faults():
            records = self._catalog.records(fused or keyword or nearest, scope.visitor)
        return [
            Candidate(record, Scores(keyword.get(point), nearest.get(point), fused.get(point)), held[point])
            for point, record in records.items()
        ]

    # Change

    async def add(
        self,
        documents: Sequence[Document],
        collection: str,
        owner: str | None,
        *,
        origin: str = "",
        recipe: str = "",
        progress: Progress | None = None,
        embed: bool = True,
    ) -> tuple[Entry, ...]:
        """See `Index`. One flush for all of them."""
        entries = await asyncio.to_thread(self._add, documents, collection, owner, origin, recipe, progress)
        if embed and self._embedding:  # its own alone: what else there is to embed may take hours
            own = {entry.id for entry in entries}
            todo = await asyncio.to_thread(self._catalog.unembedded, self._embedding.name)
            await self._embed_all([each for each in todo if each[0] in own], self._embedding)
        return entries

    async def remove(self, document_id: str, owner: str | None) -> bool:
        """See `Index`."""
        return bool(await self._remove("id = ? AND owner = ?", document_id, owner or SHARED_OWNER))

    async def remove_collection(self, collection: str, owner: str | None) -> int:
        """See `Index`."""
        return len(await self._remove("collection = ? AND owner = ?", collection, owner or SHARED_OWNER))

    async def expire(self, added_before: float) -> tuple[Entry, ...]:
        """See `Index`."""
        return tuple(await self._remove("owner != '' AND added_at < ?", added_before))

    async def embed(self, progress: Progress | None = None) -> int:
        """See `Index`. Where the model fails, the rest keeps to words until the next call."""
        if self._embedding is None:
            return 0
        async with self._embedding_now:
            todo = await asyncio.to_thread(self._catalog.unembedded, self._embedding.name)
            return await self._embed_all(todo, self._embedding, progress)

    def close(self) -> None:
        """See `Index`."""
        with self._writing:
            if self._open:
                self._open = False
                self._shard.close()
                self._catalog.close()
                self._claim.release()
        if self._own:
            self._own.cleanup()

    def _add(
        self,
        documents: Sequence[Document],
        collection: str,
        owner: str | None,
        origin: str,
        recipe: str,
        progress: Progress | None,
    ) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        new: dict[str, tuple[Entry, Sequence[Record]]] = {}
        with self._writing, faults():
            for document in documents:
                entry = entry_of(document, collection, owner, origin, recipe, time.time())
                known = self._catalog.entry(entry.id)
                if known and replace(known, added_at=entry.added_at) == entry:
                    entry = known
                elif entry.id not in new:
                    new[entry.id] = entry, records_of(document, entry)
                entries.append(entry)
            numbers = self._catalog.add(list(new.values()))
            self._titles = None
            self._clear()
            points = (
                (point, entry, record)
                for (entry, records), place in zip(new.values(), numbers, strict=True)
                for point, record in zip(place, records, strict=True)
            )
            total = sum(map(len, numbers))
            try:
                self._shard.write(points, (lambda done: progress(done, total)) if progress else None)
                if new:
                    self._shard.flush()
                    self._catalog.mark(new)
            except BaseException:  # what is said to have failed must not pass for known the next time
                with suppress(sqlite3.Error):
                    for document_id in new:
                        self._catalog.remove("id = ?", document_id)
                raise
        return tuple(entries)

    async def _remove(self, where: str, *values: str | float) -> list[Entry]:
        return await asyncio.to_thread(self._remove_now, where, *values)

    def _remove_now(self, where: str, *values: str | float) -> list[Entry]:
        with self._writing, faults():
            removed = self._catalog.remove(where, *values)
            self._titles = None
            self._clear()
        return removed

    def _clear(self) -> None:
        """Take out the points that belong to no document any more."""
        if leftovers := self._catalog.leftovers():
            self._shard.delete(leftovers)
            self._shard.flush()
            self._catalog.cleared(leftovers)

    async def _embed_all(
        self, todo: Sequence[tuple[str, int]], embedding: Embedding, progress: Progress | None = None
    ) -> int:
        done, wanted = 0, sum(count for _, count in todo)
        for group in _groups(todo):
            try:
                await self._embed(group, embedding)
            except EmbeddingFault:
                _log.warning("The embedding model did not answer: %d passages have no vector.", wanted - done)
                break
            done += sum(count for _, count in group)
            if progress:
                progress(done, wanted)
        return done

    async def _embed(self, group: Sequence[tuple[str, int]], embedding: Embedding) -> None:
        """Vectors for some documents; all of them count as embedded when their vectors are on disk."""
        ids = [document_id for document_id, _ in group]
        rows = await asyncio.to_thread(lambda: list(self._points_of(ids)))
        for begin in range(0, len(rows), AT_ONCE):
            some = rows[begin : begin + AT_ONCE]
            vectors = await embedding([indexed_text(record) for _, _, record in some], "document")
            await asyncio.to_thread(self._set_vectors, [point for point, _, _ in some], vectors, embedding.name)
        await asyncio.to_thread(self._settle, ids, embedding.name)

    def _set_vectors(self, points: Sequence[int], vectors: Vectors, name: str) -> None:
        with self._writing, faults():
            self._make_room(name, len(vectors[0]))
            present = self._catalog.present(points)  # a document may have been removed meanwhile
            self._shard.set_vectors(
                (point, vector) for point, vector in zip(points, vectors, strict=True) if point in present
            )

    def _make_room(self, name: str, size: int) -> None:
        """Vectors of another model cannot be compared with these: they go first."""
        space = f"{name} {size}"
        known = self._catalog.fact("vectors")
        if known == space:
            return
        self._catalog.remember("vectors", _CHANGING)
        self._catalog.mark_none_embedded()
        self._shard.make_room(size, replace=bool(known))
        self._shard.flush()
        self._catalog.remember("vectors", space)

    def _settle(self, ids: Sequence[str], name: str) -> None:
        with self._writing, faults():
            self._shard.flush()
            self._catalog.mark_embedded(ids, name)

    # Opening

    def _repaired(self) -> Shard | None:
        """The shard with what was missing and without what was left over; None when it has to be built anew."""
        if self._catalog.fact("recipe") != RECIPE or self._catalog.fact("vectors") == _CHANGING:
            return None
        leftovers, missing = self._catalog.leftovers(), self._catalog.unindexed()
        try:
            shard = Shard.load(self._folder / "shard")
            shard.delete(leftovers)
            shard.write(self._points_of(missing))
            if leftovers or missing:
                shard.flush()
            whole = shard.count() == self._catalog.passages()
            if not whole:
                shard.close()
        except SearchFault:
            return None
        if not whole:
            return None
        self._catalog.mark(missing)
        self._catalog.cleared(leftovers)
        return shard

    def _rebuilt(self) -> Shard:
        """A new shard of all that the catalog knows."""
        if passages := self._catalog.passages():
            _log.warning("The index is built anew from its %d passages.", passages)
        self._catalog.remember("recipe", "")
        self._catalog.remember("vectors", "")
        self._catalog.mark_all_unindexed()
        missing = self._catalog.unindexed()
        shard = Shard.create(self._folder / "shard")
        shard.write(self._points_of(missing))
        shard.flush()
        self._catalog.mark(missing)
        self._catalog.remember("recipe", RECIPE)
        return shard

    def _points_of(self, ids: Iterable[str]) -> Iterator[tuple[int, Entry, Record]]:
        return (point for document_id in ids for point in self._catalog.points_of(document_id))

    def _doubt(self) -> None:
        """A shard that failed once is built anew at the next start: some damages show only when they are read."""
        with suppress(sqlite3.Error):
            self._catalog.remember("recipe", "")


def _catalog_in(folder: Path) -> Catalog:
    """The catalog, or a new one in the place of one that cannot be read."""
    path = folder / "catalog.db"
    try:
        return Catalog(path)
    except sqlite3.OperationalError:
        raise  # a full or locked disk is no damage
    except sqlite3.DatabaseError:
        _log.error("The catalog of the index is damaged and was set aside. Add private documents again.")
        for each in folder.glob("catalog.db*"):
            each.replace(each.with_name(each.name.replace("catalog", "damaged", 1)))
        return Catalog(path)


def _groups(todo: Sequence[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    """Documents, in groups of about a batch of passages: one flush is for all of a group."""
    group: list[tuple[str, int]] = []
    for each in todo:
        group.append(each)
        if sum(count for _, count in group) >= BATCH:
            yield group
            group = []
    if group:
        yield group
