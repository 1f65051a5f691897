"""The contract of every index, which finds passages. It knows no model that answers and no screen.

Every search and every listing takes the visitor, who sees the shared documents and their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, Protocol

from pipeline.ingest import READING, Document
from pipeline.passages import Closeness, ListedDocument, Passage, Query, SearchMode
from pipeline.retrieval.folders import enclosing, folder_of, named
from pipeline.turn import AskOptions

Quality = Literal["good", "weak", "none"]
ProgressCallback = Callable[[int, int], None]  # passages done, passages in all

REJECTED_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Scope:
    """The documents to search: those of a visitor, or a part of them. `visitor` None sees shared documents alone.

    `collections` (names) and `documents` (ids) are the only ones searched: None does not narrow, an empty tuple finds
    nothing, and so do names and ids that the visitor cannot see. A collection holds those that lie in it. Documents of
    the `hidden` collections are not found at all; a visitor's own are in none of them. `pages` are the first and the
    last page, from 1; a document without pages has none of them.
    """

    visitor: str | None
    collections: tuple[str, ...] | None = None
    documents: tuple[str, ...] | None = None
    pages: tuple[int, int] | None = None
    hidden: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be in it."""
        return self.collections == () or self.documents == ()

    def narrowed(self, collections: Collection[str] | None = None, documents: Collection[str] | None = None) -> Scope:
        """The scope without what is not named: a request never reaches behind the fence of its profile."""
        return replace(
            self, collections=_within(self.collections, collections), documents=_both(self.documents, documents)
        )

    def chosen(self, options: AskOptions) -> Scope:
        """The scope narrowed to what a turn's options name: nothing named means all of it."""
        collections = [name for given in options.collections for name in named(given)]
        return self.narrowed(collections or None, options.documents or None)

    def holds(self, document_id: str, collection: str) -> bool:
        """Whether a document that the visitor may see is among those searched."""
        around = enclosing(collection)
        return (
            not any(each in self.hidden for each in around)
            and (self.documents is None or document_id in self.documents)
            and (self.collections is None or any(each in self.collections for each in around))
        )


def _both(fence: tuple[str, ...] | None, wanted: Collection[str] | None) -> tuple[str, ...] | None:
    if wanted is None:
        return fence
    return tuple(dict.fromkeys(name for name in wanted if fence is None or name in fence))


def _within(fence: tuple[str, ...] | None, wanted: Collection[str] | None) -> tuple[str, ...] | None:
    """Return the collections that lie in one of the fence and in one of those wanted."""
    if fence is None or wanted is None:
        return _both(fence, wanted)
    inside = [name for name in wanted if any(each in fence for each in enclosing(name))]
    inside += [name for name in fence if any(each in wanted for each in enclosing(name))]
    return tuple(dict.fromkeys(inside))


SHARED = Scope(None)  # every shared document: for programs without a turn, and for who keeps the index up to date
ScopeOf = Callable[[str | None, AskOptions], Scope]  # the documents that a visitor's question may see


def unfenced(visitor: str | None, options: AskOptions) -> Scope:
    """Return what a visitor's options search where there are no profiles. A `ScopeOf`."""
    return Scope(visitor).chosen(options)


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Settings of a search. `mode` None is hybrid where there are vectors, else keyword. A ranking has `candidates`.

    `uses_hosted`: whether embedding and reranking may ask a server, which the host pays for.
    """

    passages_wanted: int = 4
    mode: SearchMode | None = None
    candidates: int = 50
    reranks: bool = False
    uses_hosted: bool = True

    @classmethod
    def of(cls, options: AskOptions, *, uses_hosted: bool = True) -> SearchOptions:
        """Take the options that a search uses, which have the same names, from those of a turn."""
        names = [each.name for each in fields(cls) if each.name != "uses_hosted"]
        return cls(**{name: getattr(options, name) for name in names}, uses_hosted=uses_hosted)


DEFAULT_OPTIONS = SearchOptions()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search: `passages`, best first, then the next ten as `rejected`, each with its `reason`.

    The words of rejected passages are not marked. `mode` is the one that was used: keyword where a hybrid search got no
    vector for its query. `left_out`: whether a hosted model was left out, since `uses_hosted` was off. `closeness` says
    what the similarities of its embedding mean, where that was measured.
    """

    query: Query
    passages: tuple[Passage, ...]
    rejected: tuple[Passage, ...]
    quality: Quality
    mode: SearchMode
    took_s: float
    left_out: bool = False
    closeness: Closeness | None = None


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """A document in the index. The same file has another `id` for another owner or in another collection.

    `hash` is that of the file. `owner` None means shared. `origin` names who keeps the entry up to date ("" for
    nobody), `recipe` how the document was cut into passages. `added_at` is in seconds since the epoch. `unread` says
    what of the file could not be read, as "picture 2, chart 1".
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
    unread: str = ""

    @property
    def folder(self) -> str:
        """The collection under the name that people and programs give it."""
        return folder_of(self.collection)

    @property
    def left_out(self) -> dict[str, int]:
        """What could not be read, and how often."""
        parts = (part.split(" ") for part in self.unread.split(", ") if part)
        return {what: int(count) for what, count in parts}

    @property
    def is_outdated(self) -> bool:
        """Whether an earlier version of the readers made its passages."""
        return bool(self.recipe) and self.recipe.partition("/")[0] != str(READING)


class Search(Protocol):
    """Finds at most as many passages as wanted, best first, numbered from 1, with finite scores and marked words.

    A query of stop words alone finds nothing by keyword. No text raises an error; a broken index raises SearchFault.
    """

    async def __call__(self, query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        """Search what the visitor of the scope may see."""
        ...


class DocumentReader(Protocol):
    """Lists and reads documents without a search: of those listed, `Scope.holds` says which may be read.

    Raises SearchFault when the index fails.
    """

    async def documents(self, visitor: str | None) -> tuple[IndexedDocument, ...]:
        """Return the shared documents and the visitor's own, oldest first."""
        ...

    async def read(self, document_id: str, visitor: str | None, start: int, end: int) -> tuple[Passage, ...]:
        """Return the passages that overlap [start, end) of a document's text, in order; () for others' documents."""
        ...


async def documents_in(scope: Scope, reader: DocumentReader) -> tuple[IndexedDocument, ...]:
    """Return the documents that a scope holds, oldest first. Raises SearchFault."""
    return tuple(each for each in await reader.documents(scope.visitor) if scope.holds(each.id, each.collection))


class Index(Search, DocumentReader, Protocol):
    """Stores documents and searches them. What `add` returned survives any end of the process.

    Methods may be called from any thread. A search waits for a write at most as long as one batch takes. Raises
    SearchFault when the index fails.
    """

    @property
    def titles(self) -> tuple[ListedDocument, ...]:
        """Every shared document, oldest first."""
        ...

    @property
    def modes(self) -> tuple[SearchMode, ...]:
        """The search modes that can be used now, the best last."""
        ...

    @property
    def reranks(self) -> bool:
        """Whether there is a reranker."""
        ...

    async def find(self, document_id: str) -> IndexedDocument | None:
        """Return the document of that id, whoever owns it: for signed keys, which were made for somebody who saw it."""
        ...

    async def add(
        self,
        documents: Sequence[Document],
        collection: str,
        owner: str | None,
        *,
        origin: str = "",
        recipe: str = "",
        progress: ProgressCallback | None = None,
        embed: bool = True,
        added_at: float | None = None,
    ) -> tuple[IndexedDocument, ...]:
        """Index documents as one batch and return their entries, in order. Known documents are not indexed again.

        With `embed` they have vectors on return, if the embedding model answers; else they get them by `embed()`.
        `added_at` is that of the documents that these replace; default: now.
        """
        ...

    async def remove(self, document_id: str, owner: str | None) -> bool:
        """Remove a document of exactly that owner (None: a shared one) and return whether there was one."""
        ...

    async def remove_all(self, owner: str) -> int:
        """Remove the documents of an owner and return how many there were. Raises ValueError without an owner."""
        ...

    async def adopt(self, owner: str, new_owner: str) -> int:
        """Give the documents of an owner to another and return how many there were; their ids stay."""
        ...

    async def outdated(self, recipe: str) -> tuple[IndexedDocument, ...]:
        """Return the documents of every owner that were cut by another recipe, oldest first."""
        ...

    async def expire(self, added_before: float) -> tuple[IndexedDocument, ...]:
        """Remove and return every private document that was added before that time."""
        ...

    async def embed(self, progress: ProgressCallback | None = None) -> int:
        """Make the missing vectors with the current embedding model and return how many. Searches go on meanwhile."""
        ...

    def close(self) -> None:
        """Release all resources. A second call does nothing."""
        ...
