"""Keyword search on Qdrant Edge: the Qdrant engine in our process, BM25 over stems, English and German.

Edge is in beta, so all of it stays in this file and in `words`. The index is built anew at each start (150 passages:
0.3 s) in a folder of its own that goes when it is closed: no stale and no broken index can exist.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from qdrant_edge import (
    EdgeConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    Modifier,
    Point,
    QueryRequest,
    SparseVector,
    UpdateOperation,
)
from qdrant_edge import Query as EdgeQuery

from pipeline.conversation import Passage, Query
from pipeline.errors import SearchFault
from pipeline.ingest import Document
from pipeline.retrieval.query import united_terms
from pipeline.retrieval.words import LANGUAGES, Language, document_vector, language_of, matched

BATCH = 1000
QUERY_CHARS = 20_000  # what follows in a longer text is not searched
_VECTOR = "bm25"


class EdgeSearch:
    """A `Search` over documents that do not change. `close` gives its folder back; so does the end of the process."""

    def __init__(
        self, shard: EdgeShard, folder: tempfile.TemporaryDirectory[str], passages: Sequence[tuple[Passage, Language]]
    ) -> None:
        self._shard, self._folder, self._passages = shard, folder, tuple(passages)
        titles: dict[str, tuple[str, int]] = {}
        for passage, _ in passages:
            _, count = titles.get(passage.document, ("", 0))
            titles[passage.document] = (passage.title, count + 1)
        self.documents: tuple[tuple[str, int], ...] = tuple(titles.values())
        self.passages = len(passages)

    @classmethod
    def build(cls, documents: Sequence[Document], folder: Path | None = None) -> EdgeSearch:
        """Index documents in a new folder inside `folder` (default: the system's temporary one). Blocks."""
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        own = tempfile.TemporaryDirectory(prefix="index-", dir=folder, ignore_cleanup_errors=True)
        passages = [passage for document in documents for passage in _passages(document)]
        config = EdgeConfig(sparse_vectors={_VECTOR: EdgeSparseVectorParams(modifier=Modifier.Idf)})
        shard = EdgeShard.create(own.name, config)
        for begin in range(0, len(passages), BATCH):
            points = [
                Point(id=place, vector={_VECTOR: document_vector(_indexed(passage), language)}, payload={})
                for place, (passage, language) in enumerate(passages[begin : begin + BATCH], begin)
            ]
            shard.update(UpdateOperation.upsert_points(points))
        return cls(shard, own, passages)

    async def __call__(self, query: Query, wanted: int) -> tuple[Passage, ...]:
        """See `Search`. Takes about 1 ms of CPU, so it runs in the loop."""
        query = Query(query.question[:QUERY_CHARS], tuple((text[:QUERY_CHARS], weight) for text, weight in query.past))
        terms = united_terms(query)
        if not terms or wanted < 1 or not self._passages:
            return ()
        vector = SparseVector(list(terms), list(terms.values()))
        try:
            hits = self._shard.query(QueryRequest(query=EdgeQuery.Nearest(vector, using=_VECTOR), limit=wanted))
        except Exception as error:
            raise SearchFault from error
        best = sorted(((hit.score, int(str(hit.id))) for hit in hits), key=lambda hit: (-hit[0], hit[1]))
        found = [(score, place) for score, place in best if math.isfinite(score) and score > 0]
        own = frozenset(united_terms(Query(query.question))) or frozenset(terms)
        return tuple(self._found(number, place, score, own) for number, (score, place) in enumerate(found, 1))

    def close(self) -> None:
        """Release the index and remove its folder. A second call does nothing."""
        self._shard.close()
        self._folder.cleanup()

    def _found(self, number: int, place: int, score: float, terms: frozenset[int]) -> Passage:
        passage, language = self._passages[place]
        return Passage(
            number,
            passage.document,
            passage.title,
            passage.section,
            passage.text,
            score,
            matched(passage.text, terms, language),
        )


def _passages(document: Document) -> Iterator[tuple[Passage, Language]]:
    """The document's passages, not yet found: number and score are 0."""
    said = next((language for language in LANGUAGES if language == document.language), None)
    language = said or language_of(" ".join(chunk.text for chunk in document.chunks[:4]))
    for chunk in document.chunks:
        yield Passage(0, document.name, document.title, chunk.section, chunk.text, 0.0), language


def _indexed(passage: Passage) -> str:
    """The heading path is searched with the text: it finds up to 1.5 % more and was never a loss."""
    return f"{passage.title}\n{passage.section}\n{passage.text}"
