"""The contract of every index: what is added lasts and is found, what is removed is gone, nobody sees others' files."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from i18n.messages import reason_text
from pipeline.errors import EmbeddingFault
from pipeline.ingest import Chunk, Document
from pipeline.passages import Passage, Query
from pipeline.retrieval import SHARED, Index, IndexedDocument, Scope, SearchOptions
from pipeline.retrieval.cluster import ClusterIndex
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.query import query_of
from pipeline.retrieval.reranking import Reranker
from tests.indexed import ScriptedEmbedding

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"


def document(name: str, title: str, language: str, *pieces: tuple[str, str], paged: bool = False) -> Document:
    """A document of (section, text); `paged`: each piece is a page."""
    text, chunks = "", []
    for page, (section, piece) in enumerate(pieces, 1):
        pages = (page, page) if paged else (None, None)
        chunks.append(Chunk(section, piece, len(text), len(text) + len(piece), *pages))
        text += piece + "\n"
    return Document(f"hash of {name}", name, title, language, text, len(pieces) if paged else None, tuple(chunks))


ESPRESSO = document(
    "espresso.md",
    "Espresso",
    "en",
    ("", "An espresso machine presses hot water through ground coffee at 9 bar."),
    ("Crema", "Crema is the brown foam on top. Stale beans give little crema."),
)
MILK = document("milk.md", "Milk and foam", "", ("", "The milk is steamed until it foams, for a flat white."))
MOKKA = document("mokka.md", "Mokkakanne", "de", ("Druck", "In der Kanne für den Herd herrscht wenig Druck."))
DOCUMENTS = (ESPRESSO, MILK, MOKKA)
DIARY = document("diary.md", "Diary", "en", ("", "My crema was thin again. The zebra liked it."))
MANUAL = document(
    "manual.pdf",
    "Manual",
    "en",
    ("Safety", "Never open the boiler under pressure."),
    ("Care", "Descale the boiler monthly."),
    ("Parts", "The boiler gasket wears out."),
    paged=True,
)

Make = Callable[..., Index]


SERVER = os.environ.get("TEST_QDRANT_URL", "")
ENGINES = ["edge", "local", *(["server"] if SERVER else [])]


@pytest.fixture(params=ENGINES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """A function that opens the same index again and again: in a folder, in qdrant-client's local mode, on a server."""
    if request.param == "edge":
        yield lambda *models: EdgeIndex(tmp_path / "index", *models)
        return
    name = f"test-{uuid.uuid4()}"
    # Local mode says that it has no payload indexes, and keeps its points only as long as its client.
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        client = QdrantClient(SERVER) if request.param == "server" else QdrantClient(":memory:")
        kept: Any = Kept(client)
        yield lambda *models: ClusterIndex(kept, *models, name=name)
        client.delete_collection(name)
        client.close()


class Kept:
    """A client that several indexes use, one after the other and one call at a time: local mode is not for threads."""

    def __init__(self, client: QdrantClient) -> None:
        self._client, self._turn = client, threading.RLock()

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._turn:
                return getattr(self._client, name)(*args, **kwargs)

        return call

    def close(self) -> None:
        """Not yet."""


@pytest.fixture
async def make(opener: Make) -> AsyncIterator[Make]:
    """A function that opens the index of this test; a second call opens it again after it was closed."""
    opened: list[Index] = []

    def open_index(embedding: ScriptedEmbedding | None = None, reranker: Reranker | None = None) -> Index:
        opened.append(opener(embedding, reranker))
        return opened[-1]

    yield open_index
    for index in opened:
        index.close()


@pytest.fixture
async def index(make: Make) -> Index:
    """An index with three shared documents."""
    made = make()
    await made.add(DOCUMENTS, "coffee", None)
    return made


async def found(index: Index, question: str, wanted: int = 4, scope: Scope = SHARED) -> tuple[Passage, ...]:
    return (await index(Query(question), scope, SearchOptions(wanted))).passages


def marked(passage: Passage) -> list[str]:
    return [passage.text[begin:end] for begin, end in passage.matched]


def names(passages: Sequence[Passage]) -> set[str]:
    return {passage.document for passage in passages}


# What is found


async def test_a_question_finds_its_passage_first(index: Index) -> None:
    best = (await found(index, "What are the foams of crema?"))[0]
    assert (best.number, best.document, best.title, best.section) == (1, "espresso.md", "Espresso", "Crema")
    assert best.start is not None
    assert ESPRESSO.text[best.start : best.end] == best.text
    assert best.scores.keyword == best.score > 0
    assert (best.scores.vector, best.scores.fused, best.scores.reranked) == (None, None, None)


async def test_the_words_of_the_question_are_marked_in_any_ending(index: Index) -> None:
    assert marked((await found(index, "Which machines press water?"))[0]) == ["machine", "presses", "water"]


async def test_passages_come_best_first_numbered_and_no_more_than_wanted(index: Index) -> None:
    passages = await found(index, "coffee foam water milk crema", wanted=2)
    assert [passage.number for passage in passages] == [1, 2]
    assert passages[0].score >= passages[1].score > 0


async def test_german_is_found_with_german_endings(index: Index) -> None:
    [passage] = await found(index, "Wie viel Druck herrscht in den Kannen?")
    assert passage.document == "mokka.md"
    assert marked(passage) == ["Kanne", "herrscht", "Druck"]


async def test_a_heading_is_searched_with_the_text_below_it(index: Index) -> None:
    assert (await found(index, "Mokkakanne"))[0].document == "mokka.md"


@pytest.mark.parametrize("question", ["", "  \n", "?!", "the of and", "Wie war das?", "\x00\x01", "\ud800"])
async def test_a_question_without_content_finds_nothing(question: str, index: Index) -> None:
    outcome = await index(Query(question), SHARED)
    assert (outcome.passages, outcome.rejected, outcome.quality) == ((), (), "none")


@pytest.mark.parametrize("wanted", [0, -1])
async def test_who_wants_nothing_gets_nothing(wanted: int, index: Index) -> None:
    assert await found(index, "crema", wanted) == ()


@pytest.mark.parametrize("hostile", ["crema " * 170_000, "x" * 1_000_000, "\x00" * 1_000_000, "a\ud800b crema\x1b[0m"])
async def test_hostile_text_does_not_raise(hostile: str, index: Index) -> None:
    await index(Query(hostile, ((hostile, 0.4),)), SHARED)


@given(st.text(alphabet=st.characters(), max_size=60), st.text(max_size=60), st.integers(-2, 9))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_text_keeps_the_contract(index: Index, question: str, past: str, wanted: int) -> None:
    passages = (await index(query_of(question, (past, past)), SHARED, SearchOptions(wanted))).passages
    assert len(passages) <= max(wanted, 0)
    assert [passage.number for passage in passages] == list(range(1, len(passages) + 1))
    assert all(math.isfinite(passage.score) for passage in passages)
    assert all(0 <= begin < end <= len(each.text) for each in passages for begin, end in each.matched)


async def test_the_past_breaks_a_tie_but_does_not_outweigh_the_question(index: Index) -> None:
    follow_up = query_of("And the foam?", ("How is milk for a flat white steamed?", "The milk is steamed [1]."))
    assert (await index(follow_up, SHARED, SearchOptions(1))).passages[0].document == "milk.md"
    other = query_of("And the stale beans?", ("How is milk for a flat white steamed?", ""))
    assert (await index(other, SHARED, SearchOptions(1))).passages[0].section == "Crema"


async def test_what_was_not_chosen_is_told_with_its_reason(index: Index) -> None:
    outcome = await index(Query("coffee foam water milk crema"), SHARED, SearchOptions(1))
    assert [each.number for each in outcome.rejected] == [2, 3]
    reasons = [reason_text(each.reason) for each in outcome.rejected]
    assert [reason[:27] for reason in reasons] == ["Place 2, and 1 were wanted;", "Place 3, and 1 were wanted;"]
    assert "it lacks “coffee”" in reasons[0]
    assert reason_text(outcome.passages[0].reason) == ""


async def test_an_index_of_nothing_finds_nothing(make: Make) -> None:
    empty = make()
    assert (await found(empty, "crema"), empty.titles, await empty.documents(MAYA)) == ((), (), ())


# What lasts


async def test_documents_are_listed_with_their_passages(index: Index) -> None:
    assert [each[:3] for each in index.titles] == [
        ("Espresso", 2, "en"),
        ("Milk and foam", 1, "en"),
        ("Mokkakanne", 1, "de"),
    ]
    listed = await index.documents(None)
    assert [(each.name, each.passages, each.language, each.collection, each.owner) for each in listed] == [
        ("espresso.md", 2, "en", "coffee", None),
        ("milk.md", 1, "en", "coffee", None),
        ("mokka.md", 1, "de", "coffee", None),
    ]


async def test_what_was_added_is_there_after_a_restart(make: Make) -> None:
    first = make()
    entries = await first.add(DOCUMENTS, "coffee", None)
    before = await found(first, "crema foam")
    first.close()
    again = make()
    assert await again.documents(None) == entries
    assert await found(again, "crema foam") == before


async def test_the_same_file_twice_is_one_document(index: Index) -> None:
    known = await index.documents(None)
    assert await index.add((MILK, MILK), "coffee", None) == (known[1], known[1])
    assert await index.documents(None) == known
    [other] = await index.add((MILK,), "other collection", None)
    assert other.id != known[1].id


async def test_a_document_cut_in_another_way_takes_the_place_of_the_old_one(index: Index) -> None:
    recut = document("espresso.md", "Espresso", "en", ("", "Espresso takes 25 seconds."))
    await index.add((recut,), "coffee", None, recipe="500/0")
    assert [each.text for each in await found(index, "espresso", 9)] == ["Espresso takes 25 seconds."]
    assert await found(index, "stale beans") == ()


async def test_a_removed_document_is_gone_and_the_others_stay(make: Make, index: Index) -> None:
    espresso, *_ = await index.documents(None)
    assert await index.remove(espresso.id, None)
    assert not await index.remove(espresso.id, None)
    for state in (index, None):
        if state is None:
            index.close()
        state = state or make()
        assert names(await found(state, "crema foam espresso machine milk", 9)) == {"milk.md"}
        assert [each.name for each in await state.documents(None)] == ["milk.md", "mokka.md"]
        assert [each.title for each in state.titles] == ["Milk and foam", "Mokkakanne"]


async def test_the_documents_of_an_owner_are_removed_whole_and_alone(index: Index) -> None:
    await index.add((MANUAL,), "private/machines", MAYA)
    await index.add((DIARY,), "private", MAYA)
    await index.add((DIARY,), "private", NOAH)
    assert await index.remove_all(MAYA) == 2
    assert [each.name for each in await index.documents(MAYA)] == [each.name for each in DOCUMENTS]
    assert await found(index, "boiler zebra", 4, Scope(MAYA)) == ()
    assert await found(index, "zebra", 4, Scope(NOAH))
    with pytest.raises(ValueError, match=r"^$"):  # nobody's documents are everybody's
        await index.remove_all("")


async def test_a_folder_of_a_visitor_holds_those_in_it_and_lies_in_private(make: Make) -> None:
    index = make()
    for collection, each in (("private", DIARY), ("private/a", ESPRESSO), ("private/a/b", MILK), ("private/ab", MOKKA)):
        await index.add((each,), collection, MAYA)
    everything = {each.name for each in (DIARY, *DOCUMENTS)}
    for collections, expected in (
        (("private",), everything),
        (("private/a",), {"espresso.md", "milk.md"}),
        (("private/a/b",), {"milk.md"}),
        (("a",), set[str]()),
    ):
        scope = Scope(MAYA, collections)
        assert names(await found(index, "espresso milk zebra Herd", 9, scope)) == expected
        listed = [each.name for each in await index.documents(MAYA) if scope.holds(each.id, each.collection)]
        assert set(listed) == expected
        assert await found(index, "espresso milk zebra Herd", 9, replace(scope, visitor=NOAH)) == ()


class LaterEmbedding(ScriptedEmbedding):
    embeds_later = True


async def test_a_document_does_not_wait_for_a_model_that_embeds_later(make: Make) -> None:
    embedding = LaterEmbedding()
    index = make(embedding)
    await index.add(DOCUMENTS, "coffee", None)
    assert embedding.asked == []
    assert await index.embed() == 4
    assert "hybrid" in index.modes


async def test_adding_tells_its_progress(make: Make) -> None:
    told: list[tuple[int, int]] = []
    many = document("long.txt", "Long", "en", *(("", f"word{number} coffee") for number in range(600)))
    await make().add((many,), "coffee", None, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (600, 600)
    assert len(told) > 1


async def test_a_document_without_passages_is_listed_and_harms_nothing(make: Make) -> None:
    index = make()
    await index.add((document("empty.md", "Empty", "en"), document("void.md", "Void", "en"), MILK), "coffee", None)
    for each in await index.documents(None):
        assert await index.remove(each.id, None)
    assert await index.documents(None) == ()


async def test_searches_go_on_while_documents_are_added(index: Index) -> None:
    big = document("big.txt", "Big", "en", *(("", f"filler{number} text about tea leaves") for number in range(3000)))
    adding = asyncio.create_task(index.add((big,), "coffee", None))
    searches = 0
    while not adding.done():
        assert (await found(index, "stale beans crema"))[0].document == "espresso.md"
        searches += 1
        await asyncio.sleep(0.002)
    assert searches > 5  # it would be one or two if a search waited for the end
    assert (await found(index, "filler2999"))[0].document == "big.txt"


# Whose it is


@pytest.fixture
async def shared_and_private(index: Index) -> tuple[Index, IndexedDocument]:
    """Three shared documents, and Maya's diary."""
    [diary] = await index.add((DIARY,), "mine", MAYA)
    return index, diary


async def test_a_private_document_is_found_by_its_visitor_alone(
    shared_and_private: tuple[Index, IndexedDocument],
) -> None:
    index, diary = shared_and_private
    assert names(await found(index, "crema zebra", 9, Scope(MAYA))) == {"diary.md", "espresso.md"}
    narrow = {"collections": ("mine",), "documents": (diary.id,)}
    for other in (NOAH, None, "", MAYA.upper()):
        assert names(await found(index, "crema zebra", 9, Scope(other))) == {"espresso.md"}
        for name, value in narrow.items():
            assert await found(index, "crema zebra", 9, Scope(other, **{name: value})) == ()  # type: ignore[arg-type]
        assert "diary.md" not in names((await index(Query("crema zebra"), Scope(other), SearchOptions(1))).rejected)


async def test_a_private_document_is_listed_and_read_by_its_visitor_alone(
    shared_and_private: tuple[Index, IndexedDocument],
) -> None:
    index, diary = shared_and_private
    assert diary in await index.documents(MAYA)
    assert await index.read(diary.id, MAYA, 0, 99)
    for other in (NOAH, None, ""):
        assert diary not in await index.documents(other)
        assert await index.read(diary.id, other, 0, 99) == ()
    assert "Diary" not in {each.title for each in index.titles}


async def test_a_private_document_is_removed_by_its_visitor_alone(
    shared_and_private: tuple[Index, IndexedDocument],
) -> None:
    index, diary = shared_and_private
    for other in (NOAH, None, ""):
        assert not await index.remove(diary.id, other)
        if other:
            assert await index.remove_all(other) == 0
    assert await index.remove(diary.id, MAYA)
    assert await found(index, "zebra", 4, Scope(MAYA)) == ()


async def test_documents_change_their_owner_with_what_is_found_of_them_and_keep_their_ids(make: Make) -> None:
    index = make()
    [diary] = await index.add((DIARY,), "mine", MAYA)
    assert await index.adopt(MAYA, NOAH) == 1
    for state in (index, None):
        if state is None:
            index.close()
        state = state or make()
        assert await found(state, "zebra", 4, Scope(MAYA)) == ()
        assert [each.document_id for each in await found(state, "zebra", 4, Scope(NOAH))] == [diary.id]
        assert [each.id for each in await state.documents(NOAH) if each.owner] == [diary.id]
        assert await state.adopt(MAYA, NOAH) == 0


async def test_nobody_removes_a_shared_document_as_a_visitor(shared_and_private: tuple[Index, IndexedDocument]) -> None:
    index, _ = shared_and_private
    espresso = (await index.documents(None))[0]
    assert not await index.remove(espresso.id, MAYA)
    assert await index.remove_all(MAYA) == 1
    assert len(await index.documents(None)) == 3


async def test_the_same_file_of_two_visitors_is_two_documents(
    shared_and_private: tuple[Index, IndexedDocument],
) -> None:
    index, diary = shared_and_private
    [other] = await index.add((DIARY,), "mine", NOAH)
    assert other.id != diary.id
    assert await index.remove(diary.id, MAYA)
    assert await found(index, "zebra", 4, Scope(NOAH))
    assert await found(index, "zebra", 4, Scope(MAYA)) == ()


async def test_private_documents_expire_and_shared_ones_do_not(
    shared_and_private: tuple[Index, IndexedDocument],
) -> None:
    index, diary = shared_and_private
    assert await index.expire(diary.added_at) == ()
    assert await index.expire(diary.added_at + 1) == (diary,)
    assert len(await index.documents(MAYA)) == 3


# Where to look


async def test_a_search_is_narrowed_by_collection_document_and_page(index: Index) -> None:
    [manual] = await index.add((MANUAL,), "machines", None)
    everything = "crema boiler foam"

    async def narrowed(**where: object) -> list[tuple[str, int | None]]:
        passages = await found(index, everything, 9, Scope(None, **where))  # type: ignore[arg-type]
        return sorted((each.document, each.first_page) for each in passages)

    assert len(await narrowed()) == 5
    assert await narrowed(collections=("machines",)) == [("manual.pdf", 1), ("manual.pdf", 2), ("manual.pdf", 3)]
    assert await narrowed(collections=("machines",), pages=(2, 3)) == [("manual.pdf", 2), ("manual.pdf", 3)]
    assert await narrowed(documents=(manual.id,), pages=(1, 1)) == [("manual.pdf", 1)]
    assert await narrowed(pages=(1, 9)) == [("manual.pdf", 1), ("manual.pdf", 2), ("manual.pdf", 3)]
    assert await narrowed(collections=("coffee", "machines"), documents=("unknown",)) == []


async def test_a_hidden_collection_is_not_found_also_where_it_is_named(index: Index) -> None:
    await index.add((MANUAL,), "machines", None)
    assert names(await found(index, "crema boiler", 9, SHARED)) == {"espresso.md", "manual.pdf"}
    for scope in (Scope(None, hidden=("machines",)), Scope(None, ("coffee", "machines"), hidden=("machines",))):
        assert names(await found(index, "crema boiler", 9, scope)) == {"espresso.md"}
        seen = (await index(Query("crema boiler"), scope, SearchOptions(1))).rejected
        assert "manual.pdf" not in names(seen)


async def test_a_scope_that_was_narrowed_to_nothing_finds_nothing(index: Index) -> None:
    await index.add((MANUAL,), "machines", None)
    fence = Scope(None, collections=("coffee",))
    assert names(await found(index, "crema boiler", 9, fence.narrowed(("coffee", "machines")))) == {"espresso.md"}
    for nothing in (fence.narrowed(("machines",)), Scope(None, documents=()), Scope(None, collections=())):
        assert await found(index, "crema boiler", 9, nothing) == ()


async def test_the_neighbours_of_a_passage_can_be_read(index: Index) -> None:
    [manual] = await index.add((MANUAL,), "machines", None)
    care = MANUAL.chunks[1]
    assert [each.section for each in await index.read(manual.id, None, care.start, care.end)] == ["Care"]
    around = await index.read(manual.id, None, care.start - 2, care.end + 2)
    assert [(each.number, each.section, each.first_page) for each in around] == [
        (1, "Safety", 1),
        (2, "Care", 2),
        (3, "Parts", 3),
    ]
    assert await index.read("unknown", None, 0, 9) == ()


# Modes


async def test_without_vectors_words_are_searched(index: Index) -> None:
    assert index.modes == ("keyword",)
    assert (await index(Query("crema"), SHARED, SearchOptions(mode="hybrid"))).mode == "keyword"


async def test_a_vector_finds_what_no_word_does(make: Make) -> None:
    index = make(ScriptedEmbedding())
    await index.add(DOCUMENTS, "coffee", None)
    assert index.modes == ("keyword", "vector", "hybrid")
    assert (await index(Query("dairy froth"), SHARED, SearchOptions(mode="keyword"))).passages == ()
    outcome = await index(Query("dairy froth"), SHARED, SearchOptions(2, mode="vector"))
    assert (outcome.mode, outcome.passages[0].document) == ("vector", "milk.md")
    scores = outcome.passages[0].scores
    assert scores.vector == outcome.passages[0].score
    assert (scores.keyword, scores.fused) == (None, None)


async def test_hybrid_is_the_default_and_tells_the_scores_of_both_rankings(make: Make) -> None:
    index = make(ScriptedEmbedding())
    await index.add(DOCUMENTS, "coffee", None)
    outcome = await index(Query("crema of milk"), SHARED, SearchOptions(4))
    assert outcome.mode == "hybrid"
    assert [each.score for each in outcome.passages] == [each.scores.fused for each in outcome.passages]
    both = [each for each in outcome.passages if each.scores.keyword and each.scores.vector]
    assert names(both) == {"espresso.md", "milk.md"}


async def test_vectors_keep_to_the_scope_too(make: Make) -> None:
    index = make(ScriptedEmbedding())
    await index.add(DOCUMENTS, "coffee", None)
    await index.add((DIARY,), "mine", MAYA)
    for mode in ("vector", "hybrid"):
        question = Query("froth zebra")
        seen = await index(question, Scope(MAYA), SearchOptions(9, mode=mode))
        hidden = await index(question, Scope(NOAH), SearchOptions(9, mode=mode))
        assert "diary.md" in names(seen.passages)
        assert "diary.md" not in names(hidden.passages + hidden.rejected)


async def test_a_model_that_fails_costs_the_vectors_and_nothing_else(make: Make) -> None:
    embedding = ScriptedEmbedding()
    index = make(embedding)
    await index.add((ESPRESSO,), "coffee", None)
    embedding.fails = True
    await index.add((MILK,), "coffee", None)
    outcome = await index(Query("milk"), SHARED)
    assert (outcome.mode, names(outcome.passages)) == ("keyword", {"milk.md"})
    embedding.fails = False
    told: list[tuple[int, int]] = []
    assert await index.embed(lambda done, total: told.append((done, total))) == 1
    assert told == [(1, 1)]
    assert names((await index(Query("dairy"), SHARED, SearchOptions(1, mode="vector"))).passages) == {"milk.md"}


async def test_an_upload_does_not_wait_for_what_else_is_to_be_embedded(make: Make) -> None:
    embedding = ScriptedEmbedding()
    index = make(embedding)
    embedding.fails = True
    await index.add(DOCUMENTS[:-1], "coffee", None)
    embedding.fails = False
    embedding.waits = asyncio.Event()
    rest = asyncio.create_task(index.embed())
    await asyncio.sleep(0.2)
    assert not rest.done()
    waits, embedding.waits = embedding.waits, None
    await asyncio.wait_for(index.add(DOCUMENTS[-1:], "coffee", None), 60)
    assert not rest.done()
    waits.set()
    assert await rest == sum(len(each.chunks) for each in DOCUMENTS[:-1])


async def test_another_embedding_makes_its_vectors_anew(make: Make) -> None:
    first = ScriptedEmbedding()
    index = make(first)
    await index.add(DOCUMENTS, "coffee", None)
    index.close()
    other = ScriptedEmbedding("scripted-2", ("kanne herd", "foam froth"))
    index = make(other)
    assert index.modes == ("keyword",)
    assert await index.embed() == 4
    assert names((await index(Query("Kanne"), SHARED, SearchOptions(1, mode="vector"))).passages) == {"mokka.md"}
    index.close()
    index = make(other)
    asked = len(other.asked)
    assert (index.modes, await index.embed(), len(other.asked)) == (("keyword", "vector", "hybrid"), 0, asked)


async def test_a_document_removed_while_it_is_embedded_does_no_harm(make: Make) -> None:
    embedding = ScriptedEmbedding()
    index = make(embedding)
    embedding.fails = True
    entries = await index.add(DOCUMENTS, "coffee", None)
    embedding.fails = False
    await asyncio.gather(index.embed(), index.remove(entries[0].id, None))
    assert "espresso.md" not in names((await index(Query("espresso"), SHARED, SearchOptions(9))).passages)


# Reranking


async def shortest_first(question: str, texts: Sequence[str]) -> list[float]:
    """A reranker that loves brevity."""
    return [1.0 / len(text) for text in texts]


async def test_a_reranker_has_the_last_word_over_all_candidates(make: Make) -> None:
    index = make(reranker=shortest_first)
    await index.add(DOCUMENTS, "coffee", None)
    plain = await index(Query("crema foam espresso"), SHARED, SearchOptions(3))
    reranked = await index(Query("crema foam espresso"), SHARED, SearchOptions(1, reranks=True))
    assert plain.passages[0].document == "espresso.md"
    best = reranked.passages[0]
    assert (best.document, best.score) == ("milk.md", best.scores.reranked)
    assert best.scores.keyword == next(each.score for each in plain.passages if each.document == "milk.md")
    assert [each.number for each in reranked.rejected] == [2, 3]
    assert plain.passages[0].scores.reranked is None


async def test_a_reranker_that_fails_leaves_the_order_as_it_was(make: Make) -> None:
    async def broken(question: str, texts: Sequence[str]) -> list[float]:
        raise EmbeddingFault

    index = make(reranker=broken)
    await index.add(DOCUMENTS, "coffee", None)
    plain = await index(Query("crema foam"), SHARED)
    assert (await index(Query("crema foam"), SHARED, SearchOptions(reranks=True))).passages == plain.passages
