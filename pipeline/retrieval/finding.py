"""One search from query to `Found`, over whatever store holds the points.

The store ranks: by words, by vectors, and both fused by reciprocal rank fusion. Here the query becomes terms and a
vector, candidates may be reranked, and what came of it is told: scores of each stage, what was not chosen and why.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pipeline.conversation import Passage, Query, Scores, Span
from pipeline.errors import EmbeddingFault
from pipeline.names import shown_file, shown_name
from pipeline.retrieval import REJECTED_SHOWN, Found, Mode, Options, Scope
from pipeline.retrieval.embedding import Embedding
from pipeline.retrieval.points import CANDIDATES_MOST, Record, indexed_text
from pipeline.retrieval.quality import quality_of
from pipeline.retrieval.query import WeightedWord, own_words, united_terms, weighted_words
from pipeline.retrieval.reranking import Reranker
from pipeline.retrieval.words import in_any_language, language_of, matched, told_language

NO_SCORES = Scores()
WORDS_SHOWN = 3
PATIENCE_S = 10.0  # with each model of a search; a turn may search three times
QUERY_CHARS = 20_000  # what follows in a longer text is not searched

Terms = Mapping[int, float]
Vector = Sequence[float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that a store found, with what each ranking gave it and the terms that it `held`.

    `most` is the score of one that it was put behind for its language.
    """

    record: Record
    scores: Scores
    held: frozenset[int]
    most: float = math.inf

    @property
    def score(self) -> float:
        """What the last stage that ranked it gave it."""
        if self.scores.reranked is not None:
            return self.scores.reranked
        stages = (self.scores.fused, self.scores.vector, self.scores.keyword)
        return min(next((score for score in stages if score is not None), 0.0), self.most)


class Ranking(Protocol):
    """The store's part of a search: rank by terms, by a vector, or by both fused."""

    async def __call__(
        self, terms: Terms, vector: Vector | None, scope: Scope, candidates: int, limit: int
    ) -> Iterable[Candidate]:
        """At most `limit` that the visitor may see, in any order; `candidates` of each ranking are fused."""
        ...


async def find(
    query: Query,
    scope: Scope,
    options: Options,
    ranking: Ranking,
    modes: Sequence[Mode],
    embedding: Embedding | None,
    reranker: Reranker | None,
) -> Found:
    """Search. A model that fails is done without: the mode that answered is told."""
    began_s = time.monotonic()
    query = Query(query.question[:QUERY_CHARS], tuple((text[:QUERY_CHARS], weight) for text, weight in query.past))
    mode = options.mode if options.mode and options.mode in modes else modes[-1]
    vector = await _vector(query, embedding) if mode != "keyword" else None
    mode = "keyword" if vector is None else mode
    terms = united_terms(query) if mode != "vector" else {}
    shown = options.passages_wanted + REJECTED_SHOWN
    looked_at = min(max(options.candidates, shown), CANDIDATES_MOST)
    rerank = options.rerank and reranker is not None
    searched = options.passages_wanted > 0 and (terms or vector)
    limit = looked_at if rerank else min(shown, CANDIDATES_MOST)
    candidates = _best_first(await ranking(terms, vector, scope, looked_at, limit)) if searched else []
    if mode == "keyword":
        candidates = _own_language_first(query, candidates)
    if rerank and reranker and candidates:
        candidates = await _reranked(query, candidates, reranker)
    wanted, own = max(options.passages_wanted, 0), _own_terms(query)
    words = weighted_words(Query(query.question), language_of(query.question))
    chosen = tuple(
        passage_of(each.record, number, each.score, matched(each.record.text, own, each.record.language), each.scores)
        for number, each in enumerate(candidates[:wanted], 1)
    )
    rejected = tuple(
        passage_of(each.record, number, each.score, (), each.scores, _reason(number, each, chosen, words))
        for number, each in enumerate(candidates[wanted : wanted + REJECTED_SHOWN], wanted + 1)
    )
    return Found(query, chosen, rejected, quality_of(query, chosen), mode, time.monotonic() - began_s)


async def _vector(query: Query, embedding: Embedding | None) -> Vector | None:
    text = query.text.replace("\0", " ").encode(errors="ignore").decode().strip()
    if embedding is None or not text:
        return None
    try:
        return (await asyncio.wait_for(embedding([text], "query"), PATIENCE_S))[0]
    except (EmbeddingFault, TimeoutError):
        return None


def _best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Equal scores stand in the order of their documents, so that the same search gives the same answer."""
    found = [
        each for each in candidates if math.isfinite(each.score) and (each.score > 0 or each.scores.keyword is None)
    ]
    return sorted(found, key=lambda each: (-each.score, each.record.name, each.record.document_id, each.record.place))


def _own_language_first(query: Query, candidates: list[Candidate]) -> list[Candidate]:
    """A passage in another language goes behind those in the question's that hold every word of it which it holds.

    A word is rare where it is foreign, so that one "coffee" in a German document outweighs all English ones. What no
    passage in the question's language holds keeps its place: it may be all there is.
    """
    asked_in = told_language(query.question)
    if asked_in is None:
        return candidates
    words = [in_any_language(word) for word in own_words(query, asked_in)]
    held = [
        frozenset(place for place, word in enumerate(words) if not word.isdisjoint(each.held)) for each in candidates
    ]
    foreign = [told_language(each.record.text) not in (None, asked_in) for each in candidates]
    last = range(len(candidates))
    places = [
        max((place for place in last if not foreign[place] and held[place] >= held[mine]), default=mine)
        if foreign[mine] and held[mine]
        else mine
        for mine in last
    ]
    order = sorted(last, key=lambda mine: (max(mine, places[mine]), foreign[mine], mine))
    return _falling([candidates[mine] for mine in order])


def _falling(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The same with scores that never rise: who was put behind another one has no better score than that."""
    fallen: list[Candidate] = []
    for each in candidates:
        most = min(fallen[-1].score, each.score) if fallen else each.score
        fallen.append(each if most == each.score else replace(each, most=most))
    return fallen


async def _reranked(query: Query, candidates: list[Candidate], reranker: Reranker) -> list[Candidate]:
    try:
        texts = [indexed_text(each.record) for each in candidates]
        scores = await asyncio.wait_for(reranker(query.text, texts), PATIENCE_S)
    except (EmbeddingFault, TimeoutError):
        return candidates
    scored = [
        replace(each, scores=replace(each.scores, reranked=score))
        for each, score in zip(candidates, scores, strict=True)
    ]
    return sorted(scored, key=lambda each: -each.score)


def passage_of(
    record: Record,
    number: int,
    score: float = 0.0,
    marks: tuple[Span, ...] = (),
    scores: Scores = NO_SCORES,
    reason: str = "",
) -> Passage:
    """A record as a passage. Its names are cut here too: an index may be older than the limit of a name."""
    return Passage(
        number,
        shown_file(record.name),
        shown_name(record.title),
        shown_name(record.section),
        record.text,
        score,
        marks,
        record.document_id,
        record.start,
        record.end,
        record.first_page,
        record.last_page,
        scores,
        reason,
    )


def _own_terms(query: Query) -> frozenset[int]:
    return frozenset(united_terms(Query(query.question))) or frozenset(united_terms(query))


def _reason(number: int, candidate: Candidate, chosen: Sequence[Passage], words: Sequence[WeightedWord]) -> str:
    """Why a candidate fell short: how far behind the last one chosen it is, and which words it lacks."""
    last = chosen[-1]
    parts = [f"Place {number}, and {len(chosen)} were wanted"]
    if last.score > 0 and candidate.score > 0:
        parts.append(f"it has {candidate.score / last.score:.0%} of the score of [{last.number}]")
    missing = [f"“{word.text}”" for word in words if candidate.held.isdisjoint(in_any_language(word.text))]
    if missing:
        parts.append(f"it lacks {', '.join(missing[:WORDS_SHOWN])}")
    return "; ".join(parts) + "."
