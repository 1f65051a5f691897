"""The collections of a profile are a fence: no request reaches outside of it, through no door."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.dialogs.documents import UploadState
from components.handlers.document_handlers import DocumentHandlers
from components.handlers.page_state import Tab
from pipeline.errors import NotFound
from pipeline.models.catalogue import Models
from pipeline.programs.profiles import Profile, Profiles, set_of
from pipeline.programs.registry import PROGRAMS
from pipeline.settings import Settings
from pipeline.turn import AskOptions
from server import Parts, build, index_shared_documents
from tests.in_process import api_of

MAYA = "m" * 32
FOLDERS = ("docs", "manuals", "contracts")
OPEN = {"docs", "manuals"}
FENCES = {None: OPEN, "desk": {"manuals"}, "legal": {"manuals", "contracts"}}
PROFILES = Profiles(
    lambda: set_of(
        Profile(name="desk", title="Desk", collections=("manuals",)),
        Profile(name="legal", title="Legal", collections=("manuals", "contracts"), private=frozenset({"contracts"})),
    )
)


def mark(collection: str) -> str:
    """A word that stands in the documents of one collection alone, and in their titles."""
    return f"zq{collection}"


def marked(said: object) -> set[str]:
    """The collections whose words stand in what a door said."""
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return {each for each in FOLDERS if mark(each) in text}


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncGenerator[Parts, None]:
    for collection in FOLDERS:
        folder = tmp_path / "docs" / ("" if collection == "docs" else collection)
        folder.mkdir(parents=True, exist_ok=True)
        text = (
            f"# The boiler {mark(collection)}\n\nThe boiler of {mark(collection)} heats the water to 93 °C each day.\n"
        )
        (folder / f"{collection}.md").write_text(text)
    settings = Settings(data_dir=tmp_path / "data", documents_dir=tmp_path / "docs")
    made = build(settings, models=Models(settings, pace_s=0.0), profiles=PROFILES)
    await index_shared_documents(made)
    yield made
    await made.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with api_of(parts, MAYA) as made:
        yield made


def subsets(names: Iterable[str]) -> Iterable[tuple[str, ...]]:
    listed = tuple(names)
    return itertools.chain.from_iterable(itertools.combinations(listed, size) for size in range(len(listed) + 1))


def asked(profile: str | None, **more: Any) -> dict[str, Any]:
    return {**({"profile": profile} if profile else {}), **more}


names = st.lists(st.sampled_from((*FOLDERS, "private", "unknown")), max_size=4).map(tuple)
some_profile = st.builds(
    lambda name, collections, private: Profile(
        name=name, title=name, collections=collections or None, private=frozenset(private) & set(collections)
    ),
    st.sampled_from(("desk", "legal", "hr")),
    names,
    names,
)


@given(st.lists(some_profile, max_size=3), st.sampled_from((None, "desk", "legal", "hr")), names, names)
def test_no_scope_reaches_outside_of_its_profile(
    some: list[Profile], chosen: str | None, collections: tuple[str, ...], documents: tuple[str, ...]
) -> None:
    profiles = Profiles(lambda: set_of(*some))
    known = {each.name: each for each in some}
    chosen = chosen if chosen in known else None
    scope = profiles.scope(None, AskOptions(profile=chosen, collections=collections, documents=documents))
    fence = known[chosen].collections if chosen else None
    for collection in (*FOLDERS, "unknown"):
        if scope.holds("any", collection):
            assert fence is None or collection in fence
            assert not collections or collection in collections
            assert not any(collection in each.private for each in some) or collection in (fence or ())


async def test_no_search_reaches_outside_of_its_profile(parts: Parts, client: httpx.AsyncClient) -> None:
    ids = {each.collection: each.id for each in await parts.library.documents(None, "legal")}
    ids |= {each.collection: each.id for each in await parts.library.documents(None)}
    for (profile, fence), collections, documents in itertools.product(
        FENCES.items(), subsets(FOLDERS), ((), ("contracts",), ("docs", "manuals"))
    ):
        parameters = asked(
            profile, q="boiler", collections=list(collections), documents=[ids[each] for each in documents]
        )
        found = (await client.get("/api/search", params=parameters)).json()
        wanted = fence & (set(collections) or fence) & (set(documents) or fence)
        assert {each["document"].rpartition("/")[2].removesuffix(".md") for each in found["passages"]} == wanted
        assert marked(found) == wanted


async def test_documents_are_listed_and_opened_inside_the_fence_alone(parts: Parts, client: httpx.AsyncClient) -> None:
    everything = {each.collection: each.id for name in FENCES for each in await parts.library.documents(None, name)}
    assert set(everything) == set(FOLDERS)
    for profile, fence in FENCES.items():
        listed = (await client.get("/api/documents", params=asked(profile))).json()
        assert {each["collection"] for each in listed["documents"]} == marked(listed) == fence
        assert {each.collection for each in parts.library.shared(profile)} == fence
        for collection, document_id in everything.items():
            address = f"/api/documents/{document_id}"
            opened = await client.get(f"{address}/original", params=asked(profile))
            assert (opened.status_code, marked(opened.text)) == (
                (200, {collection}) if collection in fence else (404, set())
            )
            if collection in fence:
                assert await parts.library.around(document_id, MAYA, 0, 99, profile)
                continue
            assert (await client.get(f"{address}/pages/1.jpg", params=asked(profile))).status_code == 404
            with pytest.raises(NotFound):
                await parts.library.around(document_id, MAYA, 0, 99, profile)
    for address in ("/api/documents", "/api/search?q=a", f"/api/documents/{everything['docs']}/original"):
        assert (await client.get(address, params={"profile": "unknown"})).status_code == 422
    assert (await client.get("/health")).json()["documents"] == len(OPEN)


async def test_the_page_opens_documents_inside_the_fence_alone(parts: Parts) -> None:
    handlers = DocumentHandlers(parts.library)
    everything = {each.collection: each.id for name in FENCES for each in await parts.library.documents(None, name)}
    for (profile, fence), (collection, document_id) in itertools.product(FENCES.items(), everything.items()):
        event: Any = SimpleNamespace(document=document_id, page=1, start=0, end=9, key="k", profile=profile or "")
        opened, around = await handlers.show_page(event, MAYA), await handlers.around(event, MAYA)
        assert marked("".join([*opened, *around])) == ({collection} & fence)
    assert marked("".join((await handlers.show(UploadState(), MAYA, Tab())).dialog)) == OPEN


@pytest.mark.parametrize("question", ["How hot does the boiler heat the water?", "Which documents are there?"])
async def test_no_answer_reaches_outside_of_its_profile(client: httpx.AsyncClient, question: str) -> None:
    for (profile, fence), collections in itertools.product(FENCES.items(), ((), ("contracts",), ("docs",))):
        body = asked(profile, question=question, collections=collections)
        preview = (await client.post("/api/turns/preview", json=body)).json()
        assert marked({key: preview[key] for key in preview if key != "question"}) <= fence
        events = (await client.post("/api/turns", json=body)).text
        assert marked(events) <= fence & (set(collections) or fence)
        assert bool(marked(events)) == bool(fence & (set(collections) or fence))


@pytest.mark.parametrize("program", PROGRAMS)
async def test_no_program_reaches_outside_of_a_profile(client: httpx.AsyncClient, program: str) -> None:
    for profile, fence in FENCES.items():
        body = asked(profile, question="How hot does the boiler heat the water?", program=program)
        assert marked((await client.post("/api/turns", json=body)).text) <= fence


async def test_a_turn_is_sent_the_earlier_turns_of_its_own_profile_alone(client: httpx.AsyncClient) -> None:
    question = "How hot does the boiler heat the water?"
    first = (await client.post("/api/turns", json={"question": question, "profile": "legal", "stream": False})).json()
    assert "contracts" in marked(first)
    for profile, fence in FENCES.items():
        body = asked(profile, question="And why?", conversation_id=first["conversation_id"], stream=False)
        turn = (await client.post("/api/turns", json=body)).json()
        exchanges = (await client.get(f"/api/turns/{turn['turn_id']}/exchanges")).json()
        assert exchanges["exchanges"]
        assert marked(exchanges) <= fence


def test_only_profiles_say_what_a_visitor_may_see() -> None:
    """A scope that is made elsewhere would find what is private."""
    root = Path(__file__).parents[3]
    allowed = {"pipeline/retrieval/__init__.py", "pipeline/programs/profiles.py"}
    made = {
        str(file.relative_to(root))
        for folder in ("api", "components", "pipeline")
        for file in (root / folder).rglob("*.py")
        if " Scope(" in file.read_text(encoding="utf-8")
    }
    assert made == allowed
