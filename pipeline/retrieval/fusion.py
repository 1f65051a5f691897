"""Fuses several searches for one question into one `SearchResult`, by reciprocal rank fusion. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.messages import Message
from pipeline.passages import Passage, Query
from pipeline.retrieval import REJECTED_SHOWN, SearchResult
from pipeline.retrieval.quality import quality_of

RANK_WEIGHT = 60  # the usual constant of reciprocal rank fusion: 1 / (60 + rank)

Place = tuple[str | None, int | None, str]


def fuse(searches: Sequence[SearchResult], wanted: int) -> SearchResult:
    """Fuse searches: passages that several of them rank high come first.

    A passage keeps the scores of the search that ranked it best; its own `score` is the fused one. The quality is the
    best that the chosen passages have for any of the queries.
    """
    if len(searches) == 1:
        return searches[0]
    ranks: dict[Place, float] = {}
    best: dict[Place, tuple[int, Passage]] = {}
    for found in searches:
        for rank, passage in enumerate((*found.passages, *found.rejected), 1):
            place = (passage.document_id, passage.start, passage.text)
            ranks[place] = ranks.get(place, 0.0) + 1 / (RANK_WEIGHT + rank)
            if place not in best or rank < best[place][0]:
                best[place] = (rank, passage)
    order = sorted(ranks, key=lambda place: (-ranks[place], best[place][0]))
    passages = tuple(
        replace(best[place][1], number=number, score=ranks[place])
        for number, place in enumerate(order[: wanted + REJECTED_SHOWN], 1)
    )
    chosen = tuple(replace(passage, reason=None) for passage in passages[:wanted])
    rejected = tuple(
        replace(passage, reason=passage.reason or Message("not_chosen", {"place": passage.number, "wanted": wanted}))
        for passage in passages[wanted:]
    )
    qualities = [quality_of(found.query, chosen, found.closeness) for found in searches]
    return SearchResult(
        Query(" · ".join(found.query.text for found in searches)),
        chosen,
        rejected,
        next(quality for quality in ("good", "weak", "none") if quality in qualities),
        searches[0].mode,
        sum(found.took_s for found in searches),
        any(found.left_out for found in searches),
        searches[0].closeness,
    )
