from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.conversation import Passage, Query
from pipeline.ingest import Chunk, Document
from pipeline.retrieval import Search
from pipeline.retrieval.edge import EdgeSearch
from pipeline.retrieval.query import leans_on_past, query_of, weighted_words
from pipeline.retrieval.words import content_words, language_of, matched, terms_of, terms_of_word


def document(name: str, title: str, language: str, *pieces: tuple[str, str]) -> Document:
    """A document of (section, text)."""
    text, chunks = "", []
    for section, piece in pieces:
        chunks.append(Chunk(section, piece, len(text), len(text) + len(piece)))
        text += piece + "\n"
    return Document(name, name, title, language, text, None, tuple(chunks))


DOCUMENTS = (
    document(
        "espresso.md",
        "Espresso",
        "en",
        ("", "An espresso machine presses hot water through ground coffee at 9 bar."),
        ("Crema", "Crema is the brown foam on top. Stale beans give little crema."),
    ),
    document("milk.md", "Milk and foam", "", ("", "The milk is steamed until it foams, for a flat white.")),
    document("mokka.md", "Mokkakanne", "de", ("Druck", "In der Kanne für den Herd herrscht wenig Druck.")),
)


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeSearch]:
    built = EdgeSearch.build(DOCUMENTS, tmp_path_factory.mktemp("index"))
    yield built
    built.close()


def found(search: Search, question: str, wanted: int = 4) -> tuple[Passage, ...]:
    return asyncio.run(search(Query(question), wanted))


def marked(passage: Passage) -> list[str]:
    return [passage.text[begin:end] for begin, end in passage.matched]


def test_a_question_finds_its_passage_first(search: EdgeSearch) -> None:
    best = found(search, "What are the foams of crema?")[0]
    assert (best.number, best.document, best.title, best.section) == (1, "espresso.md", "Espresso", "Crema")


def test_the_words_of_the_question_are_marked_in_any_ending(search: EdgeSearch) -> None:
    assert marked(found(search, "Which machines press water?")[0]) == ["machine", "presses", "water"]


def test_passages_come_best_first_numbered_and_no_more_than_wanted(search: EdgeSearch) -> None:
    passages = found(search, "coffee foam water milk crema", wanted=2)
    assert [passage.number for passage in passages] == [1, 2]
    assert passages[0].score >= passages[1].score > 0


def test_german_is_found_with_german_endings(search: EdgeSearch) -> None:
    [passage] = found(search, "Wie viel Druck herrscht in den Kannen?")
    assert passage.document == "mokka.md"
    assert marked(passage) == ["Kanne", "herrscht", "Druck"]


def test_a_heading_is_searched_with_the_text_below_it(search: EdgeSearch) -> None:
    assert found(search, "Mokkakanne")[0].document == "mokka.md"


@pytest.mark.parametrize("question", ["", "  \n", "?!", "the of and", "Wie war das?", "\x00\x01", "\ud800"])
def test_a_question_without_content_finds_nothing(question: str, search: EdgeSearch) -> None:
    assert found(search, question) == ()


@pytest.mark.parametrize("wanted", [0, -1])
def test_who_wants_nothing_gets_nothing(wanted: int, search: EdgeSearch) -> None:
    assert found(search, "crema", wanted) == ()


@pytest.mark.parametrize("hostile", ["crema " * 170_000, "x" * 1_000_000, "\x00" * 1_000_000, "a\ud800b crema\x1b[0m"])
def test_hostile_text_does_not_raise(hostile: str, search: EdgeSearch) -> None:
    asyncio.run(search(Query(hostile, ((hostile, 0.4),)), 4))


@given(st.text(alphabet=st.characters(), max_size=60), st.text(max_size=60), st.integers(-2, 9))
@settings(deadline=None)
def test_any_text_keeps_the_contract(search: EdgeSearch, question: str, past: str, wanted: int) -> None:
    passages = asyncio.run(search(query_of(question, (past, past)), wanted))
    assert len(passages) <= max(wanted, 0)
    assert [passage.number for passage in passages] == list(range(1, len(passages) + 1))
    assert all(math.isfinite(passage.score) for passage in passages)
    assert all(0 <= begin < end <= len(each.text) for each in passages for begin, end in each.matched)


def test_the_past_breaks_a_tie_but_does_not_outweigh_the_question(search: EdgeSearch) -> None:
    follow_up = query_of("And the foam?", ("How is milk for a flat white steamed?", "The milk is steamed [1]."))
    assert asyncio.run(search(follow_up, 1))[0].document == "milk.md"
    other = query_of("And the stale beans?", ("How is milk for a flat white steamed?", ""))
    assert asyncio.run(search(other, 1))[0].section == "Crema"


def test_documents_are_counted_with_their_passages(search: EdgeSearch) -> None:
    assert search.documents == (("Espresso", 2), ("Milk and foam", 1), ("Mokkakanne", 1))
    assert search.passages == 4


def test_an_index_of_nothing_finds_nothing() -> None:
    empty = EdgeSearch.build(())
    assert (found(empty, "crema"), empty.documents, empty.passages) == ((), (), 0)
    empty.close()


def test_closing_removes_the_folder_and_twice_is_once(tmp_path: Path) -> None:
    built = EdgeSearch.build(DOCUMENTS, tmp_path / "new")
    assert list((tmp_path / "new").iterdir())
    built.close()
    built.close()
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    "question",
    [
        "How old is it?",
        "And who invented the paper filter for coffee in the city of Dresden?",
        "What about grinders with conical burrs that are sold in shops in Italy?",
        "Short question?",
        "Wie lange hält sie sich im offenen Schrank neben dem heißen Herd der Küche?",
    ],
)
def test_a_question_that_leans_on_the_turn_before_takes_it_along(question: str) -> None:
    query = query_of(question, ("Who was Bialetti?", "An engineer. [1] [2]"))
    assert [weight for _, weight in query.past] == [0.4, 0.1]
    assert "[1]" not in query.past[1][0]


def test_a_question_of_its_own_leaves_the_past_alone() -> None:
    question = "Which temperature makes roasted coffee beans reach first crack inside drum roasters?"
    assert not leans_on_past(question)
    assert query_of(question, ("Who was Bialetti?", "An engineer.")) == Query(question)


def test_the_first_question_of_a_conversation_has_no_past() -> None:
    assert query_of("And it?", None) == Query("And it?")


def test_the_past_weighs_at_most_half_of_the_question() -> None:
    long_answer = " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
    words = weighted_words(query_of("And crema?", ("Is Gaggia from Milan?", long_answer)), "en")
    own = sum(word.weight for word in words if word.weight == 1.0)
    assert sum(word.weight for word in words) - own == pytest.approx(own / 2)


def test_stop_words_are_those_of_the_language_of_the_question() -> None:
    assert terms_of_word("die", "en")
    words = weighted_words(Query("Wer hat die Kanne für den Herd gebaut?"), "en")
    assert [word.text for word in words] == ["Kanne", "Herd", "gebaut"]


def test_equal_stems_are_equal_terms_and_stop_words_none() -> None:
    assert terms_of_word("roasted", "en") == terms_of_word("Roasting", "en")
    assert terms_of_word("Bohne", "de") == terms_of_word("Bohnen", "de")
    assert [terms_of_word(word, "de") for word in ("für", "können", "wann")] == [(), (), ()]
    assert content_words("How many of the beans?", "en") == ["beans"]


def test_matched_words_are_given_by_their_place() -> None:
    assert matched("The bean’s oils; 1.5 bar", terms_of("beans 1.5", "en"), "en") == ((4, 10), (17, 20))


def test_a_language_is_known_by_its_stop_words_and_else_by_the_next_text() -> None:
    assert language_of("What is the pressure?") == "en"
    assert language_of("Wie hoch ist der Druck?") == "de"
    assert language_of("Bialetti?", "Der Druck ist hoch.") == "de"
    assert language_of("Bialetti?") == "en"
