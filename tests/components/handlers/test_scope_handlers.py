"""Which documents the next question asks, over a real library."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.handlers.page_state import Tab
from components.handlers.scope_handlers import ScopeHandlers, scoped
from components.html.scope_chips import LISTED, ChosenScope, scope_chips
from pipeline.documents.library import Library, Upload
from pipeline.retrieval import IndexedDocument
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import Settings
from pipeline.turn import DEFAULTS

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
HOSTILE = '<script>alert(1)</script>"'


class Listing:
    """The documents of a library, as `Choices` lists them."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def documents(self, visitor: str, profile: str | None) -> Any:
        return await self._library.documents(visitor, profile)


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    index = EdgeIndex(tmp_path / "index")
    library = Library(index, Settings(data_dir=tmp_path))
    for name in ("tide.md", "fog.md"):
        (tmp_path / name).write_text(f"# {name}\n\nIt turns in Hoek.")
        await library.share(tmp_path / name, name, "coast")
    yield library
    index.close()


@pytest.fixture
def listing(library: Library) -> Any:
    return Listing(library)


def event(**given: Any) -> Any:
    return SimpleNamespace(**given)


async def own(library: Library) -> IndexedDocument:
    steps = [step async for step in library.take([Upload("lamp.md", b"# Lamp\n\nIt turns in Skagen.")], MAYA)]
    entry = steps[-1].entry
    assert entry
    return entry


async def test_documents_and_collections_are_chosen_and_given_up_again(library: Library, listing: Any) -> None:
    entry, tab, handlers = await own(library), Tab(), ScopeHandlers(listing)
    nothing = "".join(await handlers.show(tab, MAYA))
    assert "chip" not in nothing
    assert nothing.count('role="option"') == 4
    shown = "".join(await handlers.choose(event(document=entry.id), tab, MAYA))
    assert 'class="chip"' in shown
    assert shown.count('aria-selected="true"') == 1
    await handlers.choose(event(collection="coast"), tab, MAYA)
    assert tab.scope == ChosenScope(("coast",), (entry.id,))
    await handlers.choose(event(document=entry.id), tab, MAYA)
    assert tab.scope == ChosenScope(("coast",))
    await handlers.only(event(document=entry.id), tab, MAYA)
    assert tab.scope == ChosenScope((), (entry.id,))
    assert "chip" not in "".join(await handlers.clear(tab, MAYA))


async def test_a_question_asks_what_is_chosen_and_each_chip_adds_to_it(library: Library, listing: Any) -> None:
    entry, tab = await own(library), Tab()
    assert await scoped(DEFAULTS, "Why?", tab, MAYA, listing) == DEFAULTS
    tab.scope = ChosenScope(("coast",))
    assert (await scoped(DEFAULTS, "Why?", tab, MAYA, listing)).collections == ("coast",)
    tab.scope = ChosenScope((), (entry.id,))
    assert (await scoped(DEFAULTS, "Why?", tab, MAYA, listing)).documents == (entry.id,)
    tab.scope = ChosenScope(("coast",), (entry.id,))
    both = await scoped(DEFAULTS, "Why?", tab, MAYA, listing)
    assert (len(both.documents), both.collections) == (3, ())
    assert await scoped(DEFAULTS, "Why, @tide.md?", tab, MAYA, listing) == DEFAULTS  # the turn asks what it names
    assert await scoped(DEFAULTS, "Why, @tides?", tab, MAYA, listing) == both


async def test_a_folder_is_chosen_by_its_name_with_the_folders_in_it(library: Library, listing: Any) -> None:
    files = [Upload(f"{name}.md", f"# {name}\n\nIt turns.".encode()) for name in ("a/x", "a/b/y", "loose")]
    async for _ in library.take(files, MAYA):
        pass
    ids = {each.name: each.id for each in await library.documents(MAYA)}
    tab, handlers = Tab(), ScopeHandlers(listing)
    shown = "".join(await handlers.only(event(collection="a"), tab, MAYA))
    assert tab.scope == ChosenScope(("a",))
    assert re.findall('data-collection="([^"]*)" aria-selected', shown) == ["coast", "a", "a/b"]
    assert (await scoped(DEFAULTS, "Why?", tab, MAYA, listing)).collections == ("a",)
    await handlers.choose(event(document=ids["loose.md"]), tab, MAYA)
    both = await scoped(DEFAULTS, "Why?", tab, MAYA, listing)
    assert set(both.documents) == {ids["a/x.md"], ids["a/b/y.md"], ids["loose.md"]}
    assert "chip" not in "".join(await handlers.only(event(collection="a"), tab, NOAH))


async def test_what_the_browser_kept_is_chosen_again_and_what_is_gone_is_said(library: Library, listing: Any) -> None:
    entry, tab, handlers = await own(library), Tab(), ScopeHandlers(listing)
    kept: dict[str, Any] = {"documents": [entry.id, "gone"], "collections": ["coast"], "shows": "3"}
    drawn = "".join(await handlers.restore(event(**kept), tab, MAYA))
    assert tab.scope == ChosenScope(("coast",), (entry.id,))
    assert 'data-restored="3"' in drawn
    assert "1 choice is gone" in drawn
    assert "is gone" not in "".join(await handlers.show(tab, MAYA))
    assert "2 choices are gone" in "".join(await handlers.restore(event(documents=["gone", entry.id]), tab, NOAH))
    for junk in (None, 7, "text", {"a": "b"}, [None, 3, ["a"]]):
        await handlers.restore(event(documents=junk, collections=junk, shows=junk), tab, MAYA)
        assert tab.scope == ChosenScope()


async def test_what_is_gone_or_somebody_elses_is_not_asked(library: Library, listing: Any) -> None:
    entry, tab = await own(library), Tab(scope=ChosenScope(("gone",), ("gone",)))
    assert await scoped(DEFAULTS, "Why?", tab, MAYA, listing) == DEFAULTS
    await ScopeHandlers(listing).choose(event(document=entry.id), tab, NOAH)
    assert tab.scope == ChosenScope()
    await ScopeHandlers(listing).choose(event(document="x" * 999), tab, MAYA)
    assert tab.scope == ChosenScope()


def test_names_are_text_and_the_list_is_bounded() -> None:
    documents = [
        IndexedDocument(str(n), "h", HOSTILE, HOSTILE, "en", None, 1, HOSTILE, None, "", "", 0.0)
        for n in range(LISTED + 50)
    ]
    drawn = "".join(scope_chips(ChosenScope((HOSTILE,), ("1",)), documents))
    assert "<script" not in drawn
    assert drawn.count('role="option"') == LISTED + 1
