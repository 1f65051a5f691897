from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conversation import Query
from pipeline.numbered import Numbered
from pipeline.quoting import QUOTES_MOST, choose
from pipeline.retrieval.query import query_of

ESPRESSO = Numbered(
    1,
    "Espresso › The recipe",
    "An espresso machine presses water through the coffee with a pressure of about 9 bar. "
    "Gaggia built the lever machine in Milan.\n\n"
    "| Drink | Coffee to liquid | Character |\n| --- | --- | --- |\n"
    "| Ristretto | about 1 to 1 | syrupy |\n| Lungo | about 1 to 3 | lighter |",
)
MILK = Numbered(2, "Milk and foam", "A flat white has a thin layer of foam. Its home is Australia or New Zealand.")
MOKKA = Numbered(
    3, "Die Mokkakanne", "Bialetti brachte die Mokkakanne 1933 auf den Markt. Eine Espressomaschine hat mehr Druck."
)
PASSAGES = (ESPRESSO, MILK, MOKKA)


def quoted(question: str) -> list[str]:
    choice = choose(Query(question), PASSAGES)
    assert choice.state == "answer"
    return [quote.text for quote in choice.quotes]


def test_the_sentence_that_answers_is_quoted_first() -> None:
    assert quoted("With how much pressure does an espresso machine press the water?")[0].endswith("about 9 bar.")


def test_a_question_in_german_is_answered_in_german() -> None:
    assert quoted("Wann kam die Mokkakanne auf den Markt?")[0].startswith("Bialetti")


def test_a_compound_is_found_by_its_part() -> None:
    assert quoted("Welche Maschine für Espresso hat mehr Druck?")[0].startswith("Eine Espressomaschine")


def test_a_row_is_quoted_with_the_head_of_its_table() -> None:
    [quote, *_] = choose(Query("What is the character of a lungo drink?"), PASSAGES).quotes
    assert quote.text == "| Lungo | about 1 to 3 | lighter |"
    assert quote.head == "| Drink | Coffee to liquid | Character |\n| --- | --- | --- |"


def test_a_question_whose_words_are_nowhere_is_not_answered() -> None:
    choice = choose(Query("Why is the sky blue?"), PASSAGES)
    assert (choice.state, choice.quotes, choice.absent) == ("none", (), ("sky", "blue"))


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Who built the lever machine in Turin?", "Turin"),
        ("Who built the lever machine in 1948?", "1948"),
        ("How many calories has a flat white?", "calories"),
    ],
)
def test_without_its_name_number_or_counted_thing_nothing_answers(question: str, word: str) -> None:
    choice = choose(Query(question), PASSAGES)
    assert (choice.state, choice.missed) == ("near", (word,))
    assert choice.quotes


def test_words_of_the_turn_before_help_to_choose() -> None:
    passages = (Numbered(1, "Milk", "The cappuccino comes from Austria. The flat white comes from New Zealand."),)
    previous = ("What is a flat white?", "A flat white has a thin layer of foam. [2]")
    assert (
        choose(query_of("And where does it come from?", previous), passages).quotes[0].text.startswith("The flat white")
    )
    assert choose(query_of("And where does it come from?", None), passages).quotes[0].text.startswith("The cappuccino")


def test_the_same_sentence_is_not_quoted_twice() -> None:
    twice = (MILK, Numbered(3, MILK.heading, MILK.text))
    quotes = choose(Query("What has a thin layer of foam?"), twice).quotes
    assert [quote.number for quote in quotes if quote.text.startswith("A flat white")] == [2]


def test_it_is_told_which_passage_has_which_words() -> None:
    choice = choose(Query("Which machines have foam?"), PASSAGES)
    assert choice.mentions == (("machines",), ("foam",), ())


@pytest.mark.parametrize("question", ["", "?", "the of and", "\ud800", "x" * 10_000])
def test_a_question_without_content_gets_no_quote(question: str) -> None:
    assert choose(Query(question), PASSAGES).state == "none"


@given(st.text(max_size=60), st.lists(st.tuples(st.text(max_size=20), st.text(max_size=120)), max_size=4))
def test_every_quote_stands_in_its_passage(question: str, contents: list[tuple[str, str]]) -> None:
    passages = tuple(Numbered(number, heading, text) for number, (heading, text) in enumerate(contents, 1))
    choice = choose(Query(question + " " + " ".join(text for _, text in contents)[:40]), passages)
    assert len(choice.quotes) <= QUOTES_MOST
    assert (choice.state == "none") == (not choice.quotes)
    for quote in choice.quotes:
        assert quote.text in passages[quote.number - 1].text
        assert quote.head in passages[quote.number - 1].text
