"""Several searches for one question → one `Found`, by reciprocal rank fusion. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.conversation import Passage, Query
from pipeline.retrieval import REJECTED_SHOWN, Found
from pipeline.retrieval.quality import quality_of

RANK_WEIGHT = 60  # of reciprocal rank fusion, as it is usual: 1 / (60 + rank)

Place = tuple[str | None, int | None, str]


def fused(searches: Sequence[Found], wanted: int) -> Found:
    """The best of all searches: what several of them rank high comes first.

    A passage keeps the scores that the search gave it which ranked it best; its own `score` is the fused one. The
    quality is that of the best search, held against the passages that were chosen in the end.
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
    chosen = tuple(replace(passage, reason="") for passage in passages[:wanted])
    rejected = tuple(
        replace(passage, reason=passage.reason or f"Place {passage.number}, and {wanted} were wanted.")
        for passage in passages[wanted:]
    )
    qualities = [quality_of(found.query, chosen) for found in searches]
    return Found(
        Query(" · ".join(found.query.text for found in searches)),
        chosen,
        rejected,
        next(quality for quality in ("good", "weak", "none") if quality in qualities),
        searches[0].mode,
        sum(found.took_s for found in searches),
    )
