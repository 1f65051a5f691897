"""A question becomes terms: what joins from the turn before, which words count, in which language."""

from __future__ import annotations

import pytest

from pipeline.ingest import Chunk, Document
from pipeline.passages import Query
from pipeline.retrieval import SHARED, SearchOptions
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.query import is_follow_up, own_words, query_of, weighted_words
from pipeline.retrieval.terms import content_words, language_of, matched, terms_of, terms_of_word


@pytest.mark.parametrize(
    "question",
    [
        "How old is it?",
        "And who invented the paper filter for coffee in the city of Dresden?",
        "What about grinders with conical burrs that are sold in shops in Italy?",
        "Short question?",
        "What is the price?",
        "What is cheaper?",
    ],
)
def test_a_question_that_leans_on_the_turn_before_takes_it_along(question: str) -> None:
    query = query_of(question, ("Who was Bialetti?", "An engineer. [1] [2]"))
    assert [weight for _, weight in query.past] == [0.4, 0.1]
    assert "[1]" not in query.past[1][0]


def test_a_german_question_leans_on_a_german_turn_and_on_no_other() -> None:
    question = "Wie lange hält sie sich im offenen Schrank neben dem heißen Herd der Küche?"
    assert query_of(question, ("Was ist eine Mokkakanne?", "Ein Gerät.")).past
    assert not query_of(question, ("Who was Bialetti?", "An engineer.")).past


@pytest.mark.parametrize(
    "question",
    [
        "Which temperature makes roasted coffee beans reach first crack inside drum roasters?",
        "What is ristretto?",
        "What are washed beans?",
        "Who won the 1998 World Cup?",
        "Where does Gesha come from?",
        "How long do roasted beans stay fresh?",
    ],
)
def test_a_question_of_its_own_leaves_the_past_alone(question: str) -> None:
    assert not is_follow_up(question)
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


def test_who_asks_for_more_adds_no_words_of_their_own() -> None:
    previous = ("How long do beans stay fresh?", "For weeks. [1]")
    for question in ("Tell me more", "What else?", "Go on"):
        query = query_of(question, previous)
        assert query.past
        assert own_words(query, "en") == ()
        assert all(word.weight < 1 for word in weighted_words(query, "en"))
    assert own_words(query_of("Tell me more", None), "en") == ("Tell",)


def text(name: str, title: str, words: str) -> Document:
    return Document(name, name, title, "", words, None, (Chunk("", words, 0, len(words)),))


async def test_a_passage_in_another_language_stands_behind_those_that_hold_the_same_words() -> None:
    """One "coffee" in a German document is rare, and so weighs more than all of those in English ones."""
    german = text("de", "Kaffeehaus", "Die Geschichte des Hauses ist hier und nicht bei A coffee house zu finden.")
    english = [text(f"en{number}", "Coffee", f"Coffee is a drink, and this is coffee {number}.") for number in range(6)]
    index = EdgeIndex.build([german, *english, text("only", "Skagen", "The Skagen lamp is in the hall of the house.")])
    found = (await index(Query("What is coffee?"), SHARED, SearchOptions(8))).passages
    assert [passage.document for passage in found][-1] == "de"
    assert [passage.score for passage in found] == sorted((passage.score for passage in found), reverse=True)
    assert found[-1].scores.keyword is not None
    assert found[-1].scores.keyword > found[-1].score
    best = (await index(Query("Wo ist die Skagen im Haus?"), SHARED, SearchOptions(8))).passages[0]
    assert best.document == "only"  # the name is in no German passage
    index.close()
