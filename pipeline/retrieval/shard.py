"""Qdrant Edge, the Qdrant engine in our process: filters, ranks and fuses points with words and vectors.

Edge is in beta, so only this file and `words` use it; `edge` makes an index that lasts of it. Edge holds the GIL while
it works, so points are written in small batches. Its optimizer (19 s for 20,000 vectors) is never run: a search by
words is fast without it up to a million passages. Any failure raises SearchFault, also a Rust panic, which is a
BaseException that cannot be imported.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from qdrant_edge import (
    CountRequest,
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    FieldCondition,
    Filter,
    Fusion,
    HasIdCondition,
    HasVectorCondition,
    IsEmptyCondition,
    IsNullCondition,
    MatchAny,
    Modifier,
    NestedCondition,
    PayloadSchemaType,
    Point,
    PointVectors,
    Prefetch,
    Query,
    QueryBatchRequest,
    QueryRequest,
    RangeFloat,
    ScoredPoint,
    SparseVector,
    UpdateOperation,
    VectorStorageDatatype,
)

from pipeline.errors import GlassboxError, SearchFault
from pipeline.own_faults import is_ours, own_fault
from pipeline.retrieval import IndexedDocument, Scope
from pipeline.retrieval.folders import enclosing
from pipeline.retrieval.points import BATCH, RRF_K, SHARED_OWNER, PointRecord, keyword_vector
from pipeline.retrieval.search import Terms, Vector

KEYWORD, VECTOR = "bm25", "dense"
_FILTERED = {
    "owner": PayloadSchemaType.Keyword,
    "collection": PayloadSchemaType.Keyword,
    "document": PayloadSchemaType.Keyword,
    "first_page": PayloadSchemaType.Integer,
    "last_page": PayloadSchemaType.Integer,
}
_Condition = (
    FieldCondition | IsEmptyCondition | IsNullCondition | HasIdCondition | HasVectorCondition | NestedCondition | Filter
)

Numbered = tuple[int, IndexedDocument, PointRecord]
Scored = dict[int, float]
PointTerms = dict[int, frozenset[int]]


class Shard:
    """One shard in a folder that the caller has claimed. It holds no text."""

    def __init__(self, shard: EdgeShard) -> None:
        self._shard = shard

    @classmethod
    def load(cls, folder: Path) -> Shard:
        """Open the shard in a folder."""
        with faults():
            return cls(EdgeShard.load(str(folder)))

    @classmethod
    def create(cls, folder: Path) -> Shard:
        """Make a new shard, and delete what the folder held."""
        shutil.rmtree(folder, ignore_errors=True)
        with faults():
            config = EdgeConfig(sparse_vectors={KEYWORD: EdgeSparseVectorParams(modifier=Modifier.Idf)})
            shard = EdgeShard.create(str(folder), config)
            for field, kind in _FILTERED.items():
                shard.update(UpdateOperation.create_field_index(field, kind))
            return cls(shard)

    def write(self, points: Iterable[Numbered], wrote: Callable[[int], None] | None = None) -> None:
        """Insert or replace points; `wrote` is called with the number written so far."""
        done, waiting = 0, []
        for each in points:
            waiting.append(_point(*each))
            if len(waiting) == BATCH:
                done += self._upsert(waiting)
                waiting = []
                if wrote:
                    wrote(done)
        if waiting:
            done += self._upsert(waiting)
            if wrote:
                wrote(done)

    def delete(self, ranges: Iterable[range]) -> None:
        """Delete points; numbers that no point has are ignored."""
        with faults():
            for each in ranges:
                for begin in range(0, len(each), BATCH):
                    self._shard.update(UpdateOperation.delete_points(list(each[begin : begin + BATCH])))

    def set_owner(self, points: range, owner: str) -> None:
        """Give points to another owner."""
        with faults():
            self._shard.update(UpdateOperation.set_payload(list(points), {"owner": owner}))

    def create_vectors(self, size: int, *, replace: bool) -> None:
        """Prepare for vectors of that size; with `replace`, delete those that there are.

        They are kept in 8 bits: every search compares all of them, which takes half of the time of 32 bits.
        """
        with faults():
            if replace:
                self._shard.update(UpdateOperation.delete_vector_name(VECTOR))
            kind = VectorStorageDatatype.Turbo8
            self._shard.update(UpdateOperation.create_dense_vector(VECTOR, size, Distance.Cosine, datatype=kind))

    def set_vectors(self, vectors: Iterable[tuple[int, Sequence[float]]]) -> None:
        """Store the vectors of points."""
        with faults():
            points = [PointVectors(point, {VECTOR: list(vector)}) for point, vector in vectors]
            self._shard.update(UpdateOperation.update_vectors(points))

    def flush(self) -> None:
        """Write everything to disk, which takes about 50 ms."""
        with faults():
            self._shard.flush()

    def count(self) -> int:
        """Count the points."""
        with faults():
            return self._shard.count(CountRequest(exact=True))

    def close(self) -> None:
        """Release the folder."""
        with faults():
            self._shard.close()

    def rank(
        self, terms: Terms, vector: Vector | None, scope: Scope, candidates: int, limit: int
    ) -> tuple[Scored, Scored, Scored, PointTerms]:
        """Return the scores by words, by vector and fused, {} where not asked for, and the terms of the best points."""
        condition = _condition(scope)
        rankings = []
        if terms:
            rankings.append(Query.Nearest(SparseVector(list(terms), list(terms.values())), using=KEYWORD))
        if vector is not None:
            rankings.append(Query.Nearest(list(vector), using=VECTOR))
        both = len(rankings) > 1
        most = candidates if both else limit
        vectors = [KEYWORD]
        requests = [
            QueryRequest(query=each, limit=most, filter=condition, with_vector=False if both else vectors)
            for each in rankings
        ]
        if both:
            prefetches = [Prefetch(query=each, limit=candidates, filter=condition) for each in rankings]
            fusion = cast(Fusion, Fusion.Rrf(k=RRF_K))  # its stubs declare it as something else
            requests.append(QueryRequest(query=fusion, prefetches=prefetches, limit=limit, with_vector=vectors))
        with faults():
            answers = self._shard.query_batch(QueryBatchRequest(requests))
        hits = [_scores(each) for each in answers]
        by_words = hits[0] if terms else {}
        by_vector = hits[1 if terms else 0] if vector is not None else {}
        return by_words, by_vector, hits[2] if both else {}, _terms(answers[-1])

    def _upsert(self, points: list[Point]) -> int:
        with faults():
            self._shard.update(UpdateOperation.upsert_points(points))
        return len(points)


@contextmanager
def faults() -> Iterator[None]:
    """Turn any failure inside into a SearchFault; a bug of ours is logged and marked as ours."""
    try:
        yield
    except (GlassboxError, KeyboardInterrupt, SystemExit, asyncio.CancelledError):
        raise
    except BaseException as error:  # pyo3's PanicException is no Exception and cannot be imported
        if bug := is_ours(error):
            own_fault(error, "search")
        raise SearchFault(is_ours=bug) from error


def _point(number: int, entry: IndexedDocument, record: PointRecord) -> Point:
    """Make the point of a passage: its words, and the fields to filter by."""
    payload: dict[str, str | int | list[str]] = {
        "owner": entry.owner or SHARED_OWNER,
        "collection": list(enclosing(entry.collection)),
        "document": entry.id,
    }
    if record.first_page is not None and record.last_page is not None:
        payload |= {"first_page": record.first_page, "last_page": record.last_page}
    return Point(id=number, vector={KEYWORD: keyword_vector(record)}, payload=payload)


def _condition(scope: Scope) -> Filter:
    """Filter by keyword fields alone: a field of booleans took 180 times as long."""
    owners = [SHARED_OWNER, scope.visitor] if scope.visitor else [SHARED_OWNER]
    must: list[_Condition] = [FieldCondition("owner", match=MatchAny(owners))]
    if scope.collections is not None:
        must.append(FieldCondition("collection", match=MatchAny(list(scope.collections))))
    if scope.documents is not None:
        must.append(FieldCondition("document", match=MatchAny(list(scope.documents))))
    if scope.pages:
        must.append(FieldCondition("first_page", range=RangeFloat(lte=scope.pages[1])))
        must.append(FieldCondition("last_page", range=RangeFloat(gte=scope.pages[0])))
    hidden: list[_Condition] = (
        [FieldCondition("collection", match=MatchAny(list(scope.hidden)))] if scope.hidden else []
    )
    return Filter(must=must, must_not=hidden)


def _scores(hits: Iterable[ScoredPoint]) -> Scored:
    return {int(str(hit.id)): hit.score for hit in hits}


def _terms(hits: Iterable[ScoredPoint]) -> PointTerms:
    """Read the terms of each point from its sparse vector."""
    terms = {}
    for hit in hits:
        words = hit.vector.get(KEYWORD) if isinstance(hit.vector, dict) else None
        terms[int(str(hit.id))] = frozenset(words.indices if isinstance(words, SparseVector) else ())
    return terms
