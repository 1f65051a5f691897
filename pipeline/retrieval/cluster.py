"""The index on a Qdrant cluster for several machines, through `qdrant-client` (an optional package).

Points and sparse vectors are the same as in the folder, but the points also hold the texts, as there is no catalog. A
document has one more point without a vector, which is written last and deleted first. Passages without that point
belong to no document; what a killed process left of one is deleted at a later start.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from qdrant_client import QdrantClient, models

from pipeline.display_names import shown_name
from pipeline.errors import EmbeddingFault
from pipeline.ingest import Document
from pipeline.passages import ListedDocument, Passage, Query, Scores, SearchMode
from pipeline.retrieval import DEFAULT_OPTIONS, IndexedDocument, ProgressCallback, Scope, SearchOptions, SearchResult
from pipeline.retrieval.embedding import AT_ONCE, Embedding
from pipeline.retrieval.folders import enclosing
from pipeline.retrieval.points import (
    BATCH,
    RRF_K,
    SHARED_OWNER,
    PointRecord,
    entry_of,
    indexed_text,
    keyword_vector,
    records_of,
)
from pipeline.retrieval.reranking import Reranker
from pipeline.retrieval.search import Candidate, Terms, Vector, passage_of, search
from pipeline.retrieval.shard import KEYWORD, VECTOR, faults

COLLECTION = "glassbox"
ABANDONED_S = 3600.0  # passages without their document are deleted from this age on
_FACTS = str(uuid.uuid5(uuid.NAMESPACE_URL, "facts"))
_FILTERED = {
    "kind": models.PayloadSchemaType.KEYWORD,
    "owner": models.PayloadSchemaType.KEYWORD,
    "collection": models.PayloadSchemaType.KEYWORD,
    "document": models.PayloadSchemaType.KEYWORD,
    "embedding": models.PayloadSchemaType.KEYWORD,
    "first_page": models.PayloadSchemaType.INTEGER,
    "last_page": models.PayloadSchemaType.INTEGER,
    "added_at": models.PayloadSchemaType.FLOAT,
}

_log = logging.getLogger(__name__)


class ClusterIndex:
    """An `Index` that several processes may share."""

    def __init__(
        self,
        client: QdrantClient,
        embedding: Embedding | None = None,
        reranker: Reranker | None = None,
        *,
        name: str = COLLECTION,
        shards: int = 1,
        replicas: int = 1,
    ) -> None:
        """Connect, and create the collection if there is none. Blocks. Raises SearchFault."""
        self._client, self._name, self._embedding, self._reranker = client, name, embedding, reranker
        self._creating_vectors = threading.Lock()
        with faults():
            if not client.collection_exists(name):
                client.create_collection(
                    name,
                    vectors_config={},
                    sparse_vectors_config={KEYWORD: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                    shard_number=shards,
                    replication_factor=replicas,
                )
                for field, kind in _FILTERED.items():
                    client.create_payload_index(name, field, kind)
            self._remove_abandoned()
            self._refresh()

    @property
    def titles(self) -> tuple[ListedDocument, ...]:
        """See `Index`. Other processes' changes are seen at the next change by this one."""
        return self._titles

    @property
    def modes(self) -> tuple[SearchMode, ...]:
        """See `Index`. Other processes' changes are seen at the next change by this one."""
        return ("keyword", "vector", "hybrid") if self._embedded else ("keyword",)

    @property
    def reranks(self) -> bool:
        """See `Index`."""
        return self._reranker is not None

    async def documents(self, visitor: str | None) -> tuple[IndexedDocument, ...]:
        """See `Index`."""
        return await asyncio.to_thread(self._entries, _all(_is("kind", "document"), _seen_by(visitor)))

    async def find(self, document_id: str) -> IndexedDocument | None:
        """See `Index`."""
        found = await asyncio.to_thread(self._entries, _all(_is("kind", "document"), _is("document", document_id)))
        return found[0] if found else None

    async def read(self, document_id: str, visitor: str | None, start: int, end: int) -> tuple[Passage, ...]:
        """See `Index`."""
        condition = _all(_passages_of(document_id), _seen_by(visitor), _range("start", lt=end), _range("end", gt=start))
        records = await asyncio.to_thread(lambda: [_record(payload) for _, payload in self._scroll(condition)])
        records.sort(key=lambda record: record.place)
        return tuple(passage_of(record, number) for number, record in enumerate(records, 1))

    async def __call__(self, query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        """See `Search`."""
        return await search(query, scope, options, self._rank, self.modes, self._embedding, self._reranker)

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
        """See `Index`."""
        entries = await asyncio.to_thread(self._add, documents, collection, owner, origin, recipe, progress, added_at)
        if embed and self._embedding and not getattr(self._embedding, "embeds_later", False):
            # Only these: all that has no vectors may take hours.
            own = {entry.id for entry in entries}
            todo = await asyncio.to_thread(self._unembedded, self._embedding.name)
            await self._embed_all([entry for entry in todo if entry.id in own], self._embedding)
        return entries

    async def remove(self, document_id: str, owner: str | None) -> bool:
        """See `Index`."""
        return bool(await asyncio.to_thread(self._remove, _all(_is("document", document_id), _owned_by(owner))))

    async def remove_all(self, owner: str) -> int:
        """See `Index`."""
        if not owner:
            raise ValueError(owner)  # to the index, nobody's documents are everybody's
        return len(await asyncio.to_thread(self._remove, _all(_owned_by(owner))))

    async def adopt(self, owner: str, new_owner: str) -> int:
        """See `Index`."""
        return await asyncio.to_thread(self._adopt, owner, new_owner)

    async def outdated(self, recipe: str) -> tuple[IndexedDocument, ...]:
        """See `Index`."""
        others = models.Filter(must=[_is("kind", "document")], must_not=[_is("recipe", recipe)])
        return await asyncio.to_thread(self._entries, others)

    async def expire(self, added_before: float) -> tuple[IndexedDocument, ...]:
        """See `Index`."""
        private = models.Filter(must_not=[_is("owner", SHARED_OWNER)])
        return tuple(await asyncio.to_thread(self._remove, _all(private, _range("added_at", lt=added_before))))

    async def embed(self, progress: ProgressCallback | None = None) -> int:
        """See `Index`. When the model fails, the rest is searched by words until the next call."""
        if self._embedding is None:
            return 0
        todo = await asyncio.to_thread(self._unembedded, self._embedding.name)
        return await self._embed_all(todo, self._embedding, progress)

    async def _embed_all(
        self, todo: Sequence[IndexedDocument], embedding: Embedding, progress: ProgressCallback | None = None
    ) -> int:
        wanted, done = sum(entry.passages for entry in todo), 0
        for entry in todo:
            try:
                await self._embed(entry, embedding)
            except EmbeddingFault:
                _log.warning("The embedding model did not answer: %d passages have no vector.", wanted - done)
                break
            done += entry.passages
            if progress:
                progress(done, wanted)
        await asyncio.to_thread(self._refresh)
        return done

    def close(self) -> None:
        """See `Index`."""
        self._client.close()

    # Search

    async def _rank(
        self, terms: Terms, vector: Vector | None, scope: Scope, candidates: int, limit: int
    ) -> Iterable[Candidate]:
        return await asyncio.to_thread(self._rank_now, terms, vector, scope, candidates, limit)

    def _rank_now(
        self, terms: Terms, vector: Vector | None, scope: Scope, candidates: int, limit: int
    ) -> list[Candidate]:
        condition = _condition(scope)
        rankings: list[tuple[Any, str]] = []
        if terms:
            rankings.append((models.SparseVector(indices=list(terms), values=list(terms.values())), KEYWORD))
        if vector is not None:
            rankings.append((list(vector), VECTOR))
        both = len(rankings) > 1
        requests = [
            models.QueryRequest(
                query=query,
                using=using,
                filter=condition,
                limit=candidates if both else limit,
                with_payload=not both,
                with_vector=False if both else [KEYWORD],
            )
            for query, using in rankings
        ]
        if both:
            prefetch = [
                models.Prefetch(query=query, using=using, filter=condition, limit=candidates)
                for query, using in rankings
            ]
            fusion = models.RrfQuery(rrf=models.Rrf(k=RRF_K))
            requests.append(
                models.QueryRequest(
                    prefetch=prefetch, query=fusion, limit=limit, with_payload=True, with_vector=[KEYWORD]
                )
            )
        with faults():
            answers = [each.points for each in self._client.query_batch_points(self._name, requests)]
        scores = [{str(point.id): point.score for point in each} for each in answers]
        keyword = scores[0] if terms else {}
        nearest = scores[1 if terms else 0] if vector is not None else {}
        fused = scores[2] if both else {}
        return [
            Candidate(
                _record(point.payload or {}),
                Scores(keyword.get(str(point.id)), nearest.get(str(point.id)), fused.get(str(point.id))),
                _terms(point),
            )
            for point in answers[-1]
        ]

    # Change

    def _add(
        self,
        documents: Sequence[Document],
        collection: str,
        owner: str | None,
        origin: str,
        recipe: str,
        progress: ProgressCallback | None,
        added_at: float | None,
    ) -> tuple[IndexedDocument, ...]:
        entries: list[IndexedDocument] = []
        done, total = 0, sum(len(document.chunks) for document in documents)
        with faults():
            for document in documents:
                entry = entry_of(document, collection, owner, origin, recipe, added_at or time.time())
                known = next(iter(self._entries(_all(_is("kind", "document"), _is("document", entry.id)))), None)
                if known and replace(known, added_at=entry.added_at) == entry:
                    entry = known
                else:
                    self._remove(_is_document(entry.id))
                    for points in _batches(_points(document, entry)):
                        self._client.upsert(self._name, points, wait=True)
                        done += len(points)
                        if progress:
                            progress(min(done, total), total)
                entries.append(entry)
            self._refresh()
        return tuple(entries)

    def _adopt(self, owner: str, new_owner: str) -> int:
        with faults():
            count = self._client.count(self._name, _all(_is("kind", "document"), _owned_by(owner))).count
            which = models.FilterSelector(filter=_all(_owned_by(owner)))
            self._client.set_payload(self._name, {"owner": new_owner}, which, wait=True)
        return count

    def _remove(self, condition: models.Filter) -> list[IndexedDocument]:
        with faults():
            removed = self._entries(_all(_is("kind", "document"), condition))
            for entry in removed:
                for kind in ("document", "passage"):
                    which = models.FilterSelector(filter=_all(_is("kind", kind), _is("document", entry.id)))
                    self._client.delete(self._name, which, wait=True)
            self._refresh()
        return list(removed)

    async def _embed(self, entry: IndexedDocument, embedding: Embedding) -> None:
        rows = await asyncio.to_thread(lambda: list(self._scroll(_passages_of(entry.id))))
        for begin in range(0, len(rows), AT_ONCE):
            some = rows[begin : begin + AT_ONCE]
            vectors = await embedding([indexed_text(_record(payload)) for _, payload in some], "document")
            await asyncio.to_thread(self._set_vectors, entry, [point for point, _ in some], vectors, embedding.name)
        await asyncio.to_thread(self._mark_embedded, entry.id, embedding.name)

    def _set_vectors(
        self, entry: IndexedDocument, points: Sequence[str], vectors: Sequence[Sequence[float]], name: str
    ) -> None:
        with faults():
            with self._creating_vectors:
                self._create_vectors(name, len(vectors[0]))
            there = {str(each.id) for each in self._client.retrieve(self._name, list(points), with_payload=False)}
            given = [
                models.PointVectors(id=point, vector={VECTOR: list(vector)})
                for point, vector in zip(points, vectors, strict=True)
                if point in there  # a document may have been removed meanwhile
            ]
            if given:
                self._client.update_vectors(self._name, given, wait=True)

    def _create_vectors(self, name: str, size: int) -> None:
        """Prepare for vectors of a model. Those of another model are deleted, as they cannot be compared."""
        space = f"{name} {size}"
        facts = self._client.retrieve(self._name, [_FACTS])
        if facts and (facts[0].payload or {}).get("vectors") == space:
            return
        if facts:
            self._client.set_payload(
                self._name, {"embedding": ""}, models.FilterSelector(filter=_all(_is("kind", "document"))), wait=True
            )
            self._client.delete_vector_name(self._name, VECTOR)
        config = models.DenseVectorConfig(size=size, distance=models.Distance.COSINE)
        self._client.create_vector_name(self._name, VECTOR, models.DenseVectorNameConfig(dense=config))
        point = models.PointStruct(id=_FACTS, vector={}, payload={"kind": "facts", "vectors": space})
        self._client.upsert(self._name, [point], wait=True)

    def _mark_embedded(self, document_id: str, embedding: str) -> None:
        with faults():
            which = models.FilterSelector(filter=_all(_is("kind", "document"), _is("document", document_id)))
            self._client.set_payload(self._name, {"embedding": embedding}, which, wait=True)

    # Listing

    def _refresh(self) -> None:
        with faults():
            shared = self._entries(_all(_is("kind", "document"), _is("owner", SHARED_OWNER)))
            self._titles = tuple(
                ListedDocument(entry.title, entry.passages, entry.language, entry.collection) for entry in shared
            )
            self._embedded = False
            if self._embedding:
                having = _all(_is("kind", "document"), _is("embedding", self._embedding.name))
                self._embedded = self._client.count(self._name, having).count > 0

    def _remove_abandoned(self) -> None:
        """Delete old passages whose document was never finished, or was removed in part."""
        old = _all(_is("kind", "passage"), _range("added_at", lt=time.time() - ABANDONED_S))
        known = {entry.id for entry in self._entries(_all(_is("kind", "document")))}
        found = {str(payload["document"]) for _, payload in self._scroll(_all(old, _is("place", 0)))}
        for document_id in found - known:
            self._client.delete(self._name, models.FilterSelector(filter=_passages_of(document_id)), wait=True)

    def _unembedded(self, name: str) -> tuple[IndexedDocument, ...]:
        return self._entries(models.Filter(must=[_is("kind", "document")], must_not=[_is("embedding", name)]))

    def _entries(self, condition: models.Filter) -> tuple[IndexedDocument, ...]:
        with faults():
            entries = [_entry(payload) for _, payload in self._scroll(condition)]
        return tuple(sorted(entries, key=lambda entry: (entry.added_at, entry.name)))

    def _scroll(self, condition: models.Filter) -> Iterator[tuple[str, dict[str, Any]]]:
        place: Any = None
        with faults():
            while True:
                points, place = self._client.scroll(self._name, condition, limit=BATCH, offset=place, with_payload=True)
                yield from ((str(point.id), point.payload or {}) for point in points)
                if place is None:
                    return


def _points(document: Document, entry: IndexedDocument) -> Iterator[models.PointStruct]:
    """Yield the points of the passages, and the document's own point last."""
    owned = {"owner": entry.owner or SHARED_OWNER, "added_at": entry.added_at}
    around = list(enclosing(entry.collection))
    for record in records_of(document, entry):
        words = keyword_vector(record)
        yield models.PointStruct(
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{entry.id}/{record.place}")),
            vector={KEYWORD: models.SparseVector(indices=list(words.indices), values=list(words.values))},
            payload={**asdict(record), **owned, "collection": around, "kind": "passage", "document": entry.id},
        )
    yield models.PointStruct(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, entry.id)),
        vector={},
        payload={**asdict(entry), **owned, "kind": "document", "document": entry.id, "embedding": ""},
    )


def _entry(payload: dict[str, Any]) -> IndexedDocument:
    known = (field.name for field in fields(IndexedDocument) if field.name in payload)
    entry = IndexedDocument(**{name: payload[name] for name in known})
    return replace(entry, owner=entry.owner or None, title=shown_name(entry.title))


def _record(payload: dict[str, Any]) -> PointRecord:
    return PointRecord(**{field.name: payload[field.name] for field in fields(PointRecord)})


def _terms(point: models.ScoredPoint) -> frozenset[int]:
    words = point.vector.get(KEYWORD) if isinstance(point.vector, dict) else None
    return frozenset(words.indices if isinstance(words, models.SparseVector) else ())


def _batches(points: Iterable[models.PointStruct]) -> Iterator[list[models.PointStruct]]:
    waiting: list[models.PointStruct] = []
    for point in points:
        waiting.append(point)
        if len(waiting) == BATCH:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _condition(scope: Scope) -> models.Filter:
    parts: list[Any] = [_seen_by(scope.visitor)]
    if scope.collections is not None:
        parts.append(models.FieldCondition(key="collection", match=models.MatchAny(any=list(scope.collections))))
    if scope.documents is not None:
        parts.append(models.FieldCondition(key="document", match=models.MatchAny(any=list(scope.documents))))
    if scope.pages:
        parts.append(_range("first_page", lte=scope.pages[1]))
        parts.append(_range("last_page", gte=scope.pages[0]))
    hidden = models.FieldCondition(key="collection", match=models.MatchAny(any=list(scope.hidden)))
    return models.Filter(must=parts, must_not=[hidden] if scope.hidden else None)


def _all(*conditions: Any) -> models.Filter:
    return models.Filter(must=list(conditions))


def _is(key: str, value: str | int) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _is_document(document_id: str) -> models.Filter:
    return _all(_is("document", document_id))


def _range(key: str, **bounds: float) -> models.FieldCondition:
    return models.FieldCondition(key=key, range=models.Range(**bounds))


def _passages_of(document_id: str) -> models.Filter:
    return _all(_is("kind", "passage"), _is("document", document_id))


def _seen_by(visitor: str | None) -> models.FieldCondition:
    owners = [SHARED_OWNER, visitor] if visitor else [SHARED_OWNER]
    return models.FieldCondition(key="owner", match=models.MatchAny(any=owners))


def _owned_by(owner: str | None) -> models.FieldCondition:
    return _is("owner", owner or SHARED_OWNER)
