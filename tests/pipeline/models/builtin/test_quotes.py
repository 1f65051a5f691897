from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models.builtin.confidence import Doubts
from pipeline.models.builtin.quotes import QUOTES_MOST, WORDS_MOST, choose
from pipeline.passages import Query
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.query import query_of

ESPRESSO = PromptPassage(
    1,
    "Espresso › The recipe",
    "An espresso machine presses water through the coffee with a pressure of about 9 bar. "
    "Gaggia built the lever machine in Milan.\n\n"
    "| Drink | Coffee to liquid | Character |\n| --- | --- | --- |\n"
    "| Ristretto | about 1 to 1 | syrupy |\n| Lungo | about 1 to 3 | lighter |",
)
MILK = PromptPassage(2, "Milk and foam", "A flat white has a thin layer of foam. Its home is Australia or New Zealand.")
MOKKA = PromptPassage(
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
    assert quoted("Wann brachte Bialetti die Mokkakanne auf den Markt?")[0].startswith("Bialetti")


def test_a_verb_is_found_in_any_of_its_forms() -> None:
    passages = (PromptPassage(1, "Cup", "The team of Turin plays in red. The team of Milan won."),)
    assert choose(Query("Which team wins?"), passages).best == "The team of Milan won."
    passages = (PromptPassage(1, "Pokal", "Die Elf aus Turin spielt in Rot. Die Elf aus Mailand gewann."),)
    assert choose(Query("Welche Elf hat gewonnen?"), passages).best == "Die Elf aus Mailand gewann."


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
    passages = (
        PromptPassage(1, "Milk", "The cappuccino comes from Austria.\n\nThe flat white comes from New Zealand."),
    )
    previous = ("What is a flat white?", "A flat white has a thin layer of foam. [2]")
    assert (
        choose(query_of("And where does it come from?", previous), passages).quotes[0].text.startswith("The flat white")
    )
    assert choose(query_of("And where does it come from?", None), passages).quotes[0].text.startswith("The cappuccino")


WATER = PromptPassage(
    1,
    "Water",
    "Water temperature changes how water tastes, and cold water changes it less. A machine heats it to 93 °C.",
)


def test_what_holds_the_quantity_that_is_asked_for_comes_before_what_shares_more_words() -> None:
    quotes = choose(Query("What temperature should the water of a machine be?"), (WATER,)).quotes
    assert [quote.text for quote in quotes] == ["A machine heats it to 93 °C."]


def test_the_unit_of_a_row_may_stand_in_the_head_of_its_column() -> None:
    text = "| product | price_eur |\n| --- | --- |\n| Helmet | 39.90 |\n| Helmet cover | from Graz |"
    quotes = choose(Query("How much does a helmet cost?"), (PromptPassage(1, "orders", text),)).quotes
    assert quotes[0].text == "| Helmet | 39.90 |"


def test_an_answer_is_in_the_language_of_the_question_where_that_is_there() -> None:
    german = PromptPassage(2, "Die Mokkakanne", "Die Mokkakanne ist ein Gerät für den Herd, und sie kommt aus Italien.")
    english = PromptPassage(1, "Moka pot", "The Mokkakanne is a pot for the stove, and it comes from Italy.")
    assert [quote.number for quote in choose(Query("Was ist eine Mokkakanne?"), (english, german)).quotes] == [2]
    assert [quote.number for quote in choose(Query("What is a Mokkakanne?"), (german, english)).quotes] == [1]
    assert [quote.number for quote in choose(Query("Was ist eine Mokkakanne?"), (english,)).quotes] == [1]


def test_a_quantity_that_no_sentence_has_is_no_answer() -> None:
    passages = (PromptPassage(1, "Water", "The water of the machine should be hot for an espresso."),)
    choice = choose(Query("How hot should the water of the machine be?"), passages)
    assert (choice.state, choice.is_unmeasured) == ("near", True)


def test_what_something_is_tells_the_beginning_of_the_document_that_is_named_so() -> None:
    begins = PromptPassage(2, "Die Mokkakanne", "Die Mokkakanne, auch Espressokocher genannt, steht auf dem Herd.")
    other = PromptPassage(1, "Die Mokkakanne › Pflege", "Eine Mokkakanne sollte man nach dem Kochen immer auswaschen.")
    assert choose(Query("Was ist eine Mokkakanne?"), (other, begins)).quotes[0].number == 2


def test_a_sentence_that_only_announces_a_list_is_not_quoted_for_it() -> None:
    passages = (PromptPassage(1, "Tea", "These cups for green tea are used:\n\n- green tea cups without a handle"),)
    assert choose(Query("Which cups are used for green tea?"), passages).quotes[0].text.endswith("handle")


def test_what_was_just_said_is_not_said_again() -> None:
    first, then = (
        "Beans stay fresh for weeks if the bag is closed.",
        "Fresh beans give off gas, so the bag has a valve.",
    )
    passages = (PromptPassage(1, "Beans", f"{first} {then}"),)
    previous = ("How long do beans stay fresh?", f"{first} [1]")
    for question in ("Why?", "Tell me more", "And does it have a valve?", "What else?"):
        assert [quote.text for quote in choose(query_of(question, previous), passages).quotes] == [then], question
    asked_again = choose(query_of("And when is it closed?", previous), passages)
    assert asked_again.quotes[0].text == first  # it holds what is asked for now
    assert (
        choose(query_of("How long do beans stay fresh in a closed bag?", previous), passages)
        .quotes[0]
        .text.startswith(first)
    )


def test_what_was_said_is_said_again_where_it_holds_what_is_asked_for_now() -> None:
    said = "Melitta Bentz invented the paper filter in 1908."
    passages = (PromptPassage(1, "Filter", f"{said} The filter was made of paper that she cut herself."),)
    choice = choose(query_of("When did she do that?", ("Who invented the paper filter?", f"{said} [1]")), passages)
    assert choice.best == said


def test_the_same_sentence_is_not_quoted_twice() -> None:
    twice = (MILK, PromptPassage(3, MILK.heading, MILK.text))
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
    passages = tuple(PromptPassage(number, heading, text) for number, (heading, text) in enumerate(contents, 1))
    choice = choose(Query(question + " " + " ".join(text for _, text in contents)[:40]), passages)
    assert len(choice.quotes) <= QUOTES_MOST
    assert (choice.state == "none") == (not choice.quotes)
    for quote in choice.quotes:
        assert quote.text in passages[quote.number - 1].text
        assert quote.head in passages[quote.number - 1].text


@pytest.mark.parametrize("words", ["wie hoch ", "how much ", "what is the right "])
def test_a_question_that_asks_the_same_a_thousand_times_is_asked_once(words: str) -> None:
    passage = PromptPassage(
        1, "Espresso", "The pressure is 9 bar. " * 100
    )  # a question is read once for all its sentences
    assert [each.text for each in choose(query_of(words * 900 + "pressure?", None), [passage]).quotes] == [
        "The pressure is 9 bar."
    ]


NEIGHBOURS = PromptPassage(
    1, "Canal", "The canal of the town was dug by hand in eleven years. It cost nine lives, most of them in winter."
)


def test_a_quote_holds_the_sentence_beside_it_where_the_answer_may_stand_there() -> None:
    [first, *_] = choose(Query("How many lives did the canal of the town cost?"), (NEIGHBOURS,)).quotes
    assert first.text == NEIGHBOURS.text


def test_the_first_quote_holds_the_sentences_on_both_sides_where_they_are_likely() -> None:
    text = "The keeper lived at the canal. The town paid the keeper of the canal. The keeper kept its locks."
    [first, *_] = choose(Query("Who paid the keeper of the canal?"), (PromptPassage(1, "Canal", text),)).quotes
    assert first.text == text


def test_a_short_sentence_is_quoted_before_a_long_one_of_the_same_chance() -> None:
    long = "The canal is long, " + "and longer than it was, " * 20 + "they say."
    texts = ("The canal is deep.", long, "The canal is long, they say.")
    passages = [PromptPassage(number, "", text) for number, text in enumerate(texts, 1)]
    quotes = choose(Query("What is the canal like?"), passages).quotes
    assert [quote.text for quote in quotes[:2]] == [texts[0], texts[2]]


def test_sentences_of_two_paragraphs_are_two_quotes() -> None:
    apart = PromptPassage(1, NEIGHBOURS.heading, NEIGHBOURS.text.replace("years. ", "years.\n\n"))
    quotes = choose(Query("How many lives did the canal of the town cost?"), (apart,)).quotes
    assert all("\n" not in quote.text for quote in quotes)


def test_quotes_have_a_number_of_words_that_can_be_read_at_a_glance() -> None:
    long = " ".join(
        f"The canal of the town has a lock, number {number}, with a keeper of its own." for number in range(30)
    )
    quotes = choose(Query("What does the canal of the town have?"), (PromptPassage(1, "Canal", long),)).quotes
    assert sum(len(quote.text.split()) for quote in quotes) <= WORDS_MOST


def test_a_sentence_that_is_longer_than_that_is_quoted_all_the_same() -> None:
    long = "The canal of the town " + "and of the villages " * 40 + "was dug by hand."
    assert [each.text for each in choose(Query("Who dug the canal?"), (PromptPassage(1, "C", long),)).quotes] == [long]


def test_passages_about_something_else_give_less_confidence() -> None:
    about = choose(Query("What presses water through the coffee?"), PASSAGES)
    elsewhere = choose(Query("What presses grapes through the cloth of a mill?"), PASSAGES)
    assert 0.0 <= elsewhere.confidence < about.confidence <= 1.0


@pytest.mark.parametrize(
    ("question", "doubts"),
    [
        ("Who built the first lever machine of Milan in 1948?", Doubts(unsaid=("1948",))),
        ("Who did not build the lever machine in Milan?", Doubts(negation="not")),
        ("Welche Maschine hat weniger Druck?", Doubts(opposite=("weniger", "mehr"))),
        ("What has a thick layer of foam, which is not thin?", Doubts(negation="not")),
        ("Who built the lever machine in Milan?", Doubts()),
    ],
)
def test_a_premise_that_the_closest_sentences_do_not_say_is_named(question: str, doubts: Doubts) -> None:
    choice = choose(Query(question), PASSAGES)
    assert choice.doubts == doubts
    assert doubts == Doubts() or choice.state != "answer"


def test_a_word_in_the_place_of_another_one_makes_a_premise_less_likely() -> None:
    text = "The plan of the canal was shown to the military advisor of the duke."
    said, other = (
        choose(Query(f"What was shown to the {word} advisor of the duke?"), (PromptPassage(1, "Canal", text),))
        for word in ("military", "political")
    )
    assert other.premise < said.premise == 1.0


def test_a_negation_of_the_question_is_a_doubt_though_a_sentence_beside_has_one() -> None:
    text = "The rules of the canal are stated in the harbour book. They are not stated on the lock."
    choice = choose(Query("What rules of the canal are not stated in the harbour book?"), (PromptPassage(1, "", text),))
    assert choice.state != "answer"


def test_a_german_noun_in_the_place_of_another_one_is_no_name_that_is_missing() -> None:
    text = "Der Kanal wurde 1850 dem Berater des Herzogs gezeigt."
    choice = choose(Query("Wann wurde der Kanal dem Freund des Herzogs gezeigt?"), (PromptPassage(1, "Kanal", text),))
    assert choice.state == "answer"
