"""The index in a folder, on Qdrant Edge, for one process at a time.

    lock          claimed before Edge opens the folder: a second Edge that only tries to damages the first one's writes
    catalog.db    the acknowledged documents and the text of their passages (`catalog`)
    shard/        words, vectors and fields to filter by (`shard`); built anew from the catalog when it may be damaged

A damaged shard raises an exception, panics in Rust, or lacks points silently. So any failure at the opening, and any
count that differs from the catalog's, makes the shard be built anew. Unfinished writes are finished.
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

from pipeline.errors import EmbeddingFault, IndexTaken, SearchFault
from pipeline.ingest import Document
from pipeline.passages import ListedDocument, Passage, Query, Scores, SearchMode
from pipeline.retrieval import DEFAULT_OPTIONS, IndexedDocument, ProgressCallback, Scope, SearchOptions, SearchResult
from pipeline.retrieval.catalog import Catalog
from pipeline.retrieval.embedding import AT_ONCE, Embedding, Vectors
from pipeline.retrieval.points import BATCH, RECIPE, SHARED_OWNER, PointRecord, entry_of, indexed_text, records_of
from pipeline.retrieval.reranking import Reranker
from pipeline.retrieval.search import Candidate, Terms, Vector, passage_of, search
from pipeline.retrieval.shard import Shard, faults

_CHANGING = "changing"

_log = logging.getLogger(__name__)


class EdgeIndex:
    """An `Index` in a folder, which one process at a time may open."""

    def __init__(self, folder: Path, embedding: Embedding | None = None, reranker: Reranker | None = None) -> None:
        """Claim and open the folder, and finish earlier writes. Blocks. Raises IndexTaken and SearchFault."""
        self._folder, self._embedding, self._reranker = folder, embedding, reranker
        self._own: tempfile.TemporaryDirectory[str] | None = None
        self._writing = threading.RLock()
        self._embedding_now = asyncio.Lock()
        self._titles: tuple[ListedDocument, ...] | None = None
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
        """Make an index in a temporary folder, which `close` removes. Blocks."""
        own = tempfile.TemporaryDirectory(prefix="index-", ignore_cleanup_errors=True)
        index = cls(Path(own.name), embedding, reranker)
        index._own = own
        return index

    @classmethod
    def build(cls, documents: Sequence[Document]) -> EdgeIndex:
        """Make a temporary index of shared documents. Blocks."""
        index = cls.temporary()
        index._add(documents, "documents", None, "", "", None)
        return index

    # Listing

    @property
    def titles(self) -> tuple[ListedDocument, ...]:
        """See `Index`."""
        if self._titles is None:
            with faults():
                self._titles = tuple(
                    ListedDocument(entry.title, entry.passages, entry.language, entry.collection)
                    for entry in self._catalog.entries(None)
                )
        return self._titles

    @property
    def modes(self) -> tuple[SearchMode, ...]:
        """See `Index`."""
        with faults():
            ready = self._embeds and self._embedding and self._catalog.embedded(self._embedding.name)
        return ("keyword", "vector", "hybrid") if ready else ("keyword",)

    @property
    def _embeds(self) -> bool:
        """Whether the index is not too large for its embedding."""
        most = getattr(self._embedding, "most_passages", None)
        return most is None or self._catalog.passages() <= most

    @property
    def reranks(self) -> bool:
        """See `Index`."""
        return self._reranker is not None

    async def documents(self, visitor: str | None) -> tuple[IndexedDocument, ...]:
        """See `Index`."""
        with faults():
            return await asyncio.to_thread(self._catalog.entries, visitor)

    async def find(self, document_id: str) -> IndexedDocument | None:
        """See `Index`."""
        with faults():
            return await asyncio.to_thread(self._catalog.entry, document_id)

    async def read(self, document_id: str, visitor: str | None, start: int, end: int) -> tuple[Passage, ...]:
        """See `Index`."""
        with faults():
            records = await asyncio.to_thread(self._catalog.between, document_id, visitor, start, end)
        return tuple(passage_of(record, number) for number, record in enumerate(records, 1))

    # Search

    async def __call__(self, query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        """See `Search`. It takes about 1 ms of CPU, so it runs on the event loop."""
        return await search(query, scope, options, self._rank, self.modes, self._embedding, self._reranker)

    async def _rank(
        self, terms: Terms, vector: Vector | None, scope: Scope, candidates: int, limit: int
    ) -> Iterable[Candidate]:
        try:
            keyword, nearest, fused, found = self._shard.rank(terms, vector, scope, candidates, limit)
        except SearchFault:
            self._mark_damaged()
            raise
        with faults():
            records = self._catalog.records(fused or keyword or nearest, scope.visitor)
        return [
            Candidate(record, Scores(keyword.get(point), nearest.get(point), fused.get(point)), found[point])
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
        progress: ProgressCallback | None = None,
        embed: bool = True,
        added_at: float | None = None,
    ) -> tuple[IndexedDocument, ...]:
        """See `Index`. One flush for all of them."""
        entries = await asyncio.to_thread(self._add, documents, collection, owner, origin, recipe, progress, added_at)
        if embed and self._embedding and not getattr(self._embedding, "embeds_later", False):
            # Only these: all that has no vectors may take hours.
            own = {entry.id for entry in entries}
            todo = await asyncio.to_thread(self._catalog.unembedded, self._embedding.name)
            await self._embed_all([each for each in todo if each[0] in own], self._embedding)
        return entries

    async def remove(self, document_id: str, owner: str | None) -> bool:
        """See `Index`."""
        return bool(await self._remove("id = ? AND owner = ?", document_id, owner or SHARED_OWNER))

    async def remove_all(self, owner: str) -> int:
        """See `Index`."""
        if not owner:
            raise ValueError(owner)  # to the index, nobody's documents are everybody's
        return len(await self._remove("owner = ?", owner))

    async def adopt(self, owner: str, new_owner: str) -> int:
        """See `Index`."""
        return await asyncio.to_thread(self._adopt, owner, new_owner)

    async def outdated(self, recipe: str) -> tuple[IndexedDocument, ...]:
        """See `Index`."""
        with faults():
            return await asyncio.to_thread(self._catalog.outdated, recipe)

    async def expire(self, added_before: float) -> tuple[IndexedDocument, ...]:
        """See `Index`."""
        return tuple(await self._remove("owner != '' AND added_at < ?", added_before))

    async def embed(self, progress: ProgressCallback | None = None) -> int:
        """See `Index`. When the model fails, the rest is searched by words until the next call."""
        if self._embedding is None or not self._embeds:
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
        progress: ProgressCallback | None,
        added_at: float | None = None,
    ) -> tuple[IndexedDocument, ...]:
        entries: list[IndexedDocument] = []
        new: dict[str, tuple[IndexedDocument, Sequence[PointRecord]]] = {}
        with self._writing, faults():
            for document in documents:
                entry = entry_of(document, collection, owner, origin, recipe, added_at or time.time())
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
            except BaseException:  # or a document that failed would be taken for indexed the next time
                with suppress(sqlite3.Error):
                    for document_id in new:
                        self._catalog.remove("id = ?", document_id)
                raise
        return tuple(entries)

    def _adopt(self, owner: str, new_owner: str) -> int:
        with self._writing, faults():
            adopted = self._catalog.adopt(owner, new_owner)
            for _, points, _ in adopted:
                self._shard.set_owner(points, new_owner)
            if adopted:
                self._shard.flush()
                self._catalog.mark(document_id for document_id, _, _ in adopted)
            for document_id, _, embedding in adopted:
                self._catalog.mark_embedded([document_id], embedding)
        return len(adopted)

    async def _remove(self, where: str, *values: str | float) -> list[IndexedDocument]:
        return await asyncio.to_thread(self._remove_now, where, *values)

    def _remove_now(self, where: str, *values: str | float) -> list[IndexedDocument]:
        with self._writing, faults():
            removed = self._catalog.remove(where, *values)
            self._titles = None
            self._clear()
        return removed

    def _clear(self) -> None:
        """Delete the points that belong to no document any more."""
        if leftovers := self._catalog.leftovers():
            self._shard.delete(leftovers)
            self._shard.flush()
            self._catalog.forget_leftovers(leftovers)

    async def _embed_all(
        self, todo: Sequence[tuple[str, int]], embedding: Embedding, progress: ProgressCallback | None = None
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
        """Make the vectors of some documents, and mark these as embedded when the vectors are on disk."""
        ids = [document_id for document_id, _ in group]
        rows = await asyncio.to_thread(lambda: list(self._points_of(ids)))
        for begin in range(0, len(rows), AT_ONCE):
            some = rows[begin : begin + AT_ONCE]
            vectors = await embedding([indexed_text(record) for _, _, record in some], "document")
            await asyncio.to_thread(self._set_vectors, [point for point, _, _ in some], vectors, embedding.name)
        await asyncio.to_thread(self._mark_embedded, ids, embedding.name)

    def _set_vectors(self, points: Sequence[int], vectors: Vectors, name: str) -> None:
        with self._writing, faults():
            self._create_vectors(name, len(vectors[0]))
            present = self._catalog.present(points)  # a document may have been removed meanwhile
            self._shard.set_vectors(
                (point, vector) for point, vector in zip(points, vectors, strict=True) if point in present
            )

    def _create_vectors(self, name: str, size: int) -> None:
        """Prepare for vectors of a model. Those of another model are deleted, as they cannot be compared."""
        space = f"{name} {size}"
        known = self._catalog.fact("vectors")
        if known == space:
            return
        self._catalog.remember("vectors", _CHANGING)
        self._catalog.mark_none_embedded()
        self._shard.create_vectors(size, replace=bool(known))
        self._shard.flush()
        self._catalog.remember("vectors", space)

    def _mark_embedded(self, ids: Sequence[str], name: str) -> None:
        with self._writing, faults():
            self._shard.flush()
            self._catalog.mark_embedded(ids, name)

    # Opening

    def _repaired(self) -> Shard | None:
        """Open the shard, add missing points and delete leftovers; None when it has to be built anew."""
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
        self._catalog.forget_leftovers(leftovers)
        return shard

    def _rebuilt(self) -> Shard:
        """Build a new shard from the catalog."""
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

    def _points_of(self, ids: Iterable[str]) -> Iterator[tuple[int, IndexedDocument, PointRecord]]:
        return (point for document_id in ids for point in self._catalog.points_of(document_id))

    def _mark_damaged(self) -> None:
        """Have the shard built anew at the next start: some damages show only when they are read."""
        with suppress(sqlite3.Error):
            self._catalog.remember("recipe", "")


def _catalog_in(folder: Path) -> Catalog:
    """Open the catalog; one that cannot be read is set aside and replaced by a new one."""
    path = folder / "catalog.db"
    try:
        return Catalog(path)
    except sqlite3.OperationalError:
        raise  # a full disk or a lock is no damage
    except sqlite3.DatabaseError:
        _log.error("The catalog of the index is damaged and was set aside. Add private documents again.")
        for each in folder.glob("catalog.db*"):
            each.replace(each.with_name(each.name.replace("catalog", "damaged", 1)))
        return Catalog(path)


def _groups(todo: Sequence[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    """Group documents to about one batch of passages each: a group shares one flush."""
    group: list[tuple[str, int]] = []
    for each in todo:
        group.append(each)
        if sum(count for _, count in group) >= BATCH:
            yield group
            group = []
    if group:
        yield group
