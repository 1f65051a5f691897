"""Lets several turns search once: what one has searched for is given to the others that search for the same."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field

from pipeline.passages import Query
from pipeline.retrieval import Scope, Search, SearchOptions, SearchResult

_Asked = tuple[Query, Scope, SearchOptions]


class SharedSearches:
    """The searches of some turns, each made once."""

    def __init__(self) -> None:
        self._searches: dict[_Asked, asyncio.Task[SearchResult]] = {}

    async def find(self, search: Search, asked: _Asked) -> tuple[SearchResult, bool]:
        """Return what a search found, and whether another turn had begun it. Raises what the search raises.

        It goes on where who began it leaves. One that failed is made again.
        """
        begun = self._searches.get(asked)
        is_reused = begun is not None and not (begun.done() and (begun.cancelled() or begun.exception()))
        task = begun if begun and is_reused else asyncio.ensure_future(_found(search, asked))
        self._searches[asked] = task
        return await asyncio.shield(task), is_reused


async def _found(search: Search, asked: _Asked) -> SearchResult:
    return await search(*asked)


@dataclass(slots=True)
class TurnSearches:
    """The searches of one turn among those that are `shared`."""

    shared: SharedSearches
    reused: list[bool] = field(default_factory=list)

    @property
    def all_reused(self) -> bool:
        """Whether it searched, and found everything searched for already."""
        return bool(self.reused) and all(self.reused)

    async def find(self, search: Search, query: Query, scope: Scope, options: SearchOptions) -> SearchResult:
        """Search, or return what was found before. Raises what the search raises."""
        found, is_reused = await self.shared.find(search, (query, scope, options))
        self.reused.append(is_reused)
        return found


# Those of the turn that runs in this context; None where it searches for itself.
turn_searches: ContextVar[TurnSearches | None] = ContextVar("turn_searches", default=None)


async def searched(search: Search, query: Query, scope: Scope, options: SearchOptions) -> SearchResult:
    """Search for the turn of this context."""
    shared = turn_searches.get()
    return await (shared.find(search, query, scope, options) if shared else search(query, scope, options))
