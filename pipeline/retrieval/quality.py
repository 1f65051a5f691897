"""How much of a question its passages hold: good, weak or none. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.conversation import Passage, Query
from pipeline.retrieval import Quality


def quality_of(query: Query, passages: Sequence[Passage]) -> Quality:
    return "good" if passages else "none"
