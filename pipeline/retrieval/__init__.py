"""Finding passages: the contract that every search keeps. Knows no model, no turn and no screen."""

from __future__ import annotations

from typing import Protocol

from pipeline.conversation import Passage, Query


class Search(Protocol):
    """Passages for a query: best first, numbered from 1, finite scores, at most `wanted`, matched words marked.

    A query without a word worth searching finds nothing. No text raises; a broken index raises SearchFault.
    """

    async def __call__(self, query: Query, wanted: int) -> tuple[Passage, ...]:
        """The best passages; () when there are none."""
        ...
