"""One search from query to `SearchResult`, over any store of points.

The store ranks by words, by vectors, or by both, fused by reciprocal rank fusion. This module makes terms and a vector
of the query, has candidates reranked, and reports the scores of each stage and why passages were not chosen.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pipeline.display_names import shown_file, shown_name
from pipeline.errors import EmbeddingFault
from pipeline.messages import Message, Value
from pipeline.passages import Closeness, Passage, Query, Scores, SearchMode, Span
from pipeline.retrieval import REJECTED_SHOWN, Scope, SearchOptions, SearchResult
from pipeline.retrieval.embedding import Embedding
from pipeline.retrieval.points import CANDIDATES_MOST, PointRecord, indexed_text
from pipeline.retrieval.quality import quality_of
from pipeline.retrieval.query import WeightedWord, own_words, united_terms, weighted_words
from pipeline.retrieval.reranking import Reranker
from pipeline.retrieval.terms import detected_language, in_any_language, language_of, matched

NO_SCORES = Scores()
WORDS_SHOWN = 3
PATIENCE_S = 10.0  # for each model of a search; a turn may search three times
QUERY_CHARS = 20_000  # the rest of a longer text is not searched

Terms = Mapping[int, float]
Vector = Sequence[float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that a store found, with its scores and its `terms`.

    `most` bounds the score: it is that of a passage behind which this one was put for its language.
    """

    record: PointRecord
    scores: Scores
    terms: frozenset[int]
    most: float = math.inf

    @property
    def score(self) -> float:
        """The score of the last stage that ranked it."""
        if self.scores.reranked is not None:
            return self.scores.reranked
        stages = (self.scores.fused, self.scores.vector, self.scores.keyword)
        return min(next((score for score in stages if score is not None), 0.0), self.most)


class Ranking(Protocol):
    """The part of a search that a store does: rank by terms, by a vector, or by both fused."""

    async def __call__(
        self, terms: Terms, vector: Vector | None, scope: Scope, candidates: int, limit: int
    ) -> Iterable[Candidate]:
        """Return at most `limit` candidates of the scope, in any order; `candidates` of each ranking are fused."""
        ...


async def search(
    query: Query,
    scope: Scope,
    options: SearchOptions,
    ranking: Ranking,
    modes: Sequence[SearchMode],
    embedding: Embedding | None,
    reranker: Reranker | None,
) -> SearchResult:
    """Search. When a model fails, the search does without it; the result names the mode that was used."""
    began_s = time.monotonic()
    query = Query(query.question[:QUERY_CHARS], tuple((text[:QUERY_CHARS], weight) for text, weight in query.past))
    mode = options.mode if options.mode and options.mode in modes else modes[-1]
    wants_vector, wants_rerank = mode != "keyword" and not scope.is_empty, options.reranks and reranker is not None
    withheld = [each for each in (embedding, reranker) if _is_hosted(each) and not options.uses_hosted]
    left_out = (wants_vector and embedding in withheld) or (wants_rerank and reranker in withheld)
    vector = await _vector(query, embedding) if wants_vector and embedding not in withheld else None
    mode = "keyword" if vector is None else mode
    terms = united_terms(query) if mode != "vector" else {}
    shown = options.passages_wanted + REJECTED_SHOWN
    looked_at = min(max(options.candidates, shown), CANDIDATES_MOST)
    rerank = wants_rerank and reranker not in withheld
    searched = options.passages_wanted > 0 and not scope.is_empty and (terms or vector)
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
    took_s = time.monotonic() - began_s
    closeness: Closeness | None = getattr(embedding, "closeness", None)
    quality = quality_of(query, chosen, closeness)
    return SearchResult(query, chosen, rejected, quality, mode, took_s, left_out, closeness)


def _is_hosted(model: Embedding | Reranker | None) -> bool:
    """Whether a server runs the model; one that runs in this process costs nothing."""
    return getattr(model, "is_hosted", False) is True


async def _vector(query: Query, embedding: Embedding | None) -> Vector | None:
    text = query.text.replace("\0", " ").encode(errors="ignore").decode().strip()
    if embedding is None or not text:
        return None
    try:
        return (await asyncio.wait_for(embedding([text], "query"), PATIENCE_S))[0]
    except (EmbeddingFault, TimeoutError):
        return None


def _best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Sort by score. Equal scores go by document and place, so that a repeated search gives the same result."""
    found = [
        each for each in candidates if math.isfinite(each.score) and (each.score > 0 or each.scores.keyword is None)
    ]
    return sorted(found, key=lambda each: (-each.score, each.record.name, each.record.document_id, each.record.place))


def _own_language_first(query: Query, candidates: list[Candidate]) -> list[Candidate]:
    """Put a passage in another language behind those in the question's that contain all of its matching words.

    A word is rare in documents of another language, so that one "coffee" in a German document outweighs all English
    ones. A passage with words that none in the question's language contains keeps its place.
    """
    asked_in = detected_language(query.question)
    if asked_in is None:
        return candidates
    words = [in_any_language(word) for word in own_words(query, asked_in)]
    matching = [
        frozenset(place for place, word in enumerate(words) if not word.isdisjoint(each.terms)) for each in candidates
    ]
    foreign = [detected_language(each.record.text) not in (None, asked_in) for each in candidates]
    last = range(len(candidates))
    places = [
        max((place for place in last if not foreign[place] and matching[place] >= matching[mine]), default=mine)
        if foreign[mine] and matching[mine]
        else mine
        for mine in last
    ]
    order = sorted(last, key=lambda mine: (max(mine, places[mine]), foreign[mine], mine))
    return _falling([candidates[mine] for mine in order])


def _falling(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates with scores that never rise, in their order."""
    lowered: list[Candidate] = []
    for each in candidates:
        most = min(lowered[-1].score, each.score) if lowered else each.score
        lowered.append(each if most == each.score else replace(each, most=most))
    return lowered


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
    record: PointRecord,
    number: int,
    score: float = 0.0,
    marks: tuple[Span, ...] = (),
    scores: Scores = NO_SCORES,
    reason: Message | None = None,
) -> Passage:
    """Make a passage of a record. Names are cut here too, as an index may be older than the limit of names."""
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


def _reason(number: int, candidate: Candidate, chosen: Sequence[Passage], words: Sequence[WeightedWord]) -> Message:
    """Return the reason why a candidate was not chosen: its distance to the last one chosen, and the words it lacks."""
    last = chosen[-1]
    values: dict[str, Value] = {"place": number, "wanted": len(chosen)}
    if last.score > 0 and candidate.score > 0:
        values |= {"share": round(100 * candidate.score / last.score), "last": last.number}
    missing = tuple(word.text for word in words if candidate.terms.isdisjoint(in_any_language(word.text)))
    if missing:
        values["words"] = missing[:WORDS_SHOWN]
    return Message("not_chosen", values)
