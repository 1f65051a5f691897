"""Qdrant Edge: the Qdrant engine in our process. Points with words and vectors, filtered, ranked, fused.

Edge is in beta, so all of it stays in this file and in `words`; `edge` makes a lasting index of it. It keeps the
interpreter while it works, so points are written in small batches, and its optimizer (19 s for 20,000 vectors) is never
run: up to a million passages a search by words is fast without. Whatever fails, a Rust panic included (a BaseException
that cannot be imported), raises SearchFault.
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
)

from pipeline.bugs import is_ours, own_fault
from pipeline.errors import GlassboxError, SearchFault
from pipeline.retrieval import Entry, Scope
from pipeline.retrieval.finding import Terms, Vector
from pipeline.retrieval.points import BATCH, RRF_K, SHARED_OWNER, Record, keyword_vector

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

Numbered = tuple[int, Entry, Record]
Scored = dict[int, float]
Held = dict[int, frozenset[int]]


class Shard:
    """One shard in a folder that the caller has claimed. Text is kept elsewhere."""

    def __init__(self, shard: EdgeShard) -> None:
        self._shard = shard

    @classmethod
    def load(cls, folder: Path) -> Shard:
        """What stands in the folder."""
        with faults():
            return cls(EdgeShard.load(str(folder)))

    @classmethod
    def create(cls, folder: Path) -> Shard:
        """A new one in the place of whatever stands in the folder."""
        shutil.rmtree(folder, ignore_errors=True)
        with faults():
            config = EdgeConfig(sparse_vectors={KEYWORD: EdgeSparseVectorParams(modifier=Modifier.Idf)})
            shard = EdgeShard.create(str(folder), config)
            for field, kind in _FILTERED.items():
                shard.update(UpdateOperation.create_field_index(field, kind))
            return cls(shard)

    def write(self, points: Iterable[Numbered], wrote: Callable[[int], None] | None = None) -> None:
        """Insert or replace points; `wrote` hears how many were written so far."""
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
        """Remove points; those that are not there do no harm."""
        with faults():
            for each in ranges:
                for begin in range(0, len(each), BATCH):
                    self._shard.update(UpdateOperation.delete_points(list(each[begin : begin + BATCH])))

    def make_room(self, size: int, *, replace: bool) -> None:
        """A place for vectors of that size, with none in it."""
        with faults():
            if replace:
                self._shard.update(UpdateOperation.delete_vector_name(VECTOR))
            self._shard.update(UpdateOperation.create_dense_vector(VECTOR, size, Distance.Cosine))

    def set_vectors(self, vectors: Iterable[tuple[int, Sequence[float]]]) -> None:
        """Give points their vectors."""
        with faults():
            points = [PointVectors(point, {VECTOR: list(vector)}) for point, vector in vectors]
            self._shard.update(UpdateOperation.update_vectors(points))

    def flush(self) -> None:
        """Everything so far is on disk; costs about 50 ms."""
        with faults():
            self._shard.flush()

    def count(self) -> int:
        """How many points there are."""
        with faults():
            return self._shard.count(CountRequest(exact=True))

    def close(self) -> None:
        """Release the folder."""
        with faults():
            self._shard.close()

    def rank(
        self, terms: Terms, vector: Vector | None, scope: Scope, candidates: int, limit: int
    ) -> tuple[Scored, Scored, Scored, Held]:
        """Points by words, by vector and by both fused, empty where not asked for; and the terms of the best."""
        condition = _condition(scope)
        rankings = []
        if terms:
            rankings.append(Query.Nearest(SparseVector(list(terms), list(terms.values())), using=KEYWORD))
        if vector is not None:
            rankings.append(Query.Nearest(list(vector), using=VECTOR))
        both = len(rankings) > 1
        most = candidates if both else limit
        told = [KEYWORD]
        requests = [
            QueryRequest(query=each, limit=most, filter=condition, with_vector=False if both else told)
            for each in rankings
        ]
        if both:
            prefetches = [Prefetch(query=each, limit=candidates, filter=condition) for each in rankings]
            fusion = cast(Fusion, Fusion.Rrf(k=RRF_K))  # which it is; its stubs do not say so
            requests.append(QueryRequest(query=fusion, prefetches=prefetches, limit=limit, with_vector=told))
        with faults():
            answers = self._shard.query_batch(QueryBatchRequest(requests))
        hits = [_scores(each) for each in answers]
        by_words = hits[0] if terms else {}
        by_vector = hits[1 if terms else 0] if vector is not None else {}
        return by_words, by_vector, hits[2] if both else {}, _held(answers[-1])

    def _upsert(self, points: list[Point]) -> int:
        with faults():
            self._shard.update(UpdateOperation.upsert_points(points))
        return len(points)


@contextmanager
def faults() -> Iterator[None]:
    """Whatever fails inside is one SearchFault; a bug of ours leaves its trace and says so."""
    try:
        yield
    except (GlassboxError, KeyboardInterrupt, SystemExit, asyncio.CancelledError):
        raise
    except BaseException as error:  # pyo3's PanicException is no Exception and cannot be imported
        if bug := is_ours(error):
            own_fault(error, "search")
        raise SearchFault(is_ours=bug) from error


def _point(number: int, entry: Entry, record: Record) -> Point:
    """What the shard knows of a passage: its words, and what searches are narrowed by."""
    payload: dict[str, str | int] = {
        "owner": entry.owner or SHARED_OWNER,
        "collection": entry.collection,
        "document": entry.id,
    }
    if record.first_page is not None and record.last_page is not None:
        payload |= {"first_page": record.first_page, "last_page": record.last_page}
    return Point(id=number, vector={KEYWORD: keyword_vector(record)}, payload=payload)


def _condition(scope: Scope) -> Filter:
    """Keyword fields for all that every search asks: on a field of booleans one took 180 times as long."""
    owners = [SHARED_OWNER, scope.visitor] if scope.visitor else [SHARED_OWNER]
    must: list[_Condition] = [FieldCondition("owner", match=MatchAny(owners))]
    if scope.collections:
        must.append(FieldCondition("collection", match=MatchAny(list(scope.collections))))
    if scope.documents:
        must.append(FieldCondition("document", match=MatchAny(list(scope.documents))))
    if scope.pages:
        must.append(FieldCondition("first_page", range=RangeFloat(lte=scope.pages[1])))
        must.append(FieldCondition("last_page", range=RangeFloat(gte=scope.pages[0])))
    return Filter(must=must)


def _scores(hits: Iterable[ScoredPoint]) -> Scored:
    return {int(str(hit.id)): hit.score for hit in hits}


def _held(hits: Iterable[ScoredPoint]) -> Held:
    """The terms of each point, out of its sparse vector."""
    held = {}
    for hit in hits:
        words = hit.vector.get(KEYWORD) if isinstance(hit.vector, dict) else None
        held[int(str(hit.id))] = frozenset(words.indices if isinstance(words, SparseVector) else ())
    return held
