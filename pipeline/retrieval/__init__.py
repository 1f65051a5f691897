"""Finding passages: the contract of every index. Knows no model that answers, no turn and no screen.

Whose documents are searched is never left out: every search and every listing takes the visitor, who sees the shared
documents and their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pipeline.conversation import Listed, Passage, Query
from pipeline.ingest import Document

Mode = Literal["keyword", "vector", "hybrid"]
Quality = Literal["good", "weak", "none"]
Progress = Callable[[int, int], None]  # passages done, passages in all

REJECTED_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks, and where. `visitor` None sees shared documents alone; an empty tuple and None do not narrow.

    `pages` are the first and the last page, from 1; a document without pages has none of them.
    """

    visitor: str | None
    collections: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    pages: tuple[int, int] | None = None


SHARED = Scope(None)  # what everybody may see


@dataclass(frozen=True, slots=True)
class Options:
    """How to search. `mode` None: hybrid where there are vectors, else keyword. `candidates`: looked at per ranking."""

    passages_wanted: int = 4
    mode: Mode | None = None
    candidates: int = 50
    rerank: bool = False


DEFAULT_OPTIONS = Options()


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: `passages` best first, then `rejected`, the next ten, each with the `reason` it fell short,
    its words not marked.

    `mode` is the one that answered: keyword where a hybrid search could get no vector for its query.
    """

    query: Query
    passages: tuple[Passage, ...]
    rejected: tuple[Passage, ...]
    quality: Quality
    mode: Mode
    took_s: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as the index knows it. The same file has another `id` for another owner or in another collection.

    `hash` is the file's, `owner` None means shared, `origin` says who keeps the entry up to date ("" for nobody),
    `recipe` how the document was cut, `added_at` is in seconds since the epoch.
    """

    id: str
    hash: str
    name: str
    title: str
    language: str
    pages: int | None
    passages: int
    collection: str
    owner: str | None
    origin: str
    recipe: str
    added_at: float


class Search(Protocol):
    """Passages for a query: best first, numbered from 1, finite scores, at most as many as wanted, words marked.

    A query without a word worth searching finds nothing by keyword. No text raises; a broken index raises SearchFault.
    """

    async def __call__(self, query: Query, scope: Scope, options: Options = DEFAULT_OPTIONS) -> Found:
        """Search what the scope's visitor may see."""
        ...


class Shelf(Protocol):
    """The documents themselves, without a search. SearchFault: the store failed."""

    async def documents(self, visitor: str | None) -> tuple[Entry, ...]:
        """The shared documents and the visitor's own, in the order in which they came."""
        ...

    async def read(self, document_id: str, visitor: str | None, start: int, end: int) -> tuple[Passage, ...]:
        """The passages of a document that overlap [start, end) of its text, in its order; () for others' documents."""
        ...


class Index(Search, Shelf, Protocol):
    """Documents that last. What `add` returned survives any end of the process. Calls may come from any thread.

    A write never keeps a search waiting for longer than a batch. SearchFault: the store failed.
    """

    @property
    def titles(self) -> tuple[Listed, ...]:
        """Every shared document, in the order in which they came."""
        ...

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes that can answer now."""
        ...

    @property
    def reranks(self) -> bool:
        """Whether there is a reranker."""
        ...

    async def add(
        self,
        documents: Sequence[Document],
        collection: str,
        owner: str | None,
        *,
        origin: str = "",
        recipe: str = "",
        progress: Progress | None = None,
        embed: bool = True,
    ) -> tuple[Entry, ...]:
        """Index documents as one batch → their entries, in order. One that is there already is not indexed again.

        With `embed` they have their vectors on return, if the embedding answers; without, at the next `embed()`.
        """
        ...

    async def remove(self, document_id: str, owner: str | None) -> bool:
        """Remove a document of that very owner (None: a shared one) at once → whether there was one."""
        ...

    async def remove_collection(self, collection: str, owner: str | None) -> int:
        """Remove what that owner has in a collection → how many documents."""
        ...

    async def expire(self, added_before: float) -> tuple[Entry, ...]:
        """Remove every private document that was added before that time → the removed."""
        ...

    async def embed(self, progress: Progress | None = None) -> int:
        """Give every passage the vector of the embedding in force → how many got one. Searches go on meanwhile."""
        ...

    def close(self) -> None:
        """Give everything back. A second call does nothing."""
        ...
