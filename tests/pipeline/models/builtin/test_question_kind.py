"""What a question asks for: a quantity with its unit, a number, a date, a name, or what something is."""

from __future__ import annotations

import pytest

from pipeline.models.builtin.question_kind import Kind, has_quantity, kind_of, lacks


@pytest.mark.parametrize(
    ("kind", "questions"),
    [
        (
            "quantity",
            "What temperature should the water be?|Wie heiß soll das Wasser sein?|Welche Wassertemperatur passt?",
        ),
        ("quantity", "How long do beans stay fresh?|Wie hoch ist der Druck?|Was kostet ein Helm?|How heavy is a bag?"),
        (
            "quantity",
            "What is the right water pressure for espresso?|How much does a helmet cost?|Wie lange dauert es?",
        ),
        ("number", "How many bars are there?|Wie viele Helme gibt es?|How much caffeine is in it?"),
        ("date", "When was it built?|In welchem Jahr war das?"),
        ("name", "Who built it in Turin last year?|Where does it come from?"),
        ("meaning", "What is crema?|Was ist eine Mokkakanne?|Who was Melitta Bentz?|What’s a flat white?"),
        (
            None,
            "What effect does temperature have?|What is the effect of pressure on taste?|What causes high pressure?",
        ),
        (None, "Wie heißt die Enkelin?|Why is it hot?"),
    ],
)
def test_the_words_of_a_question_tell_what_it_asks_for(kind: Kind | None, questions: str) -> None:
    for question in questions.split("|"):
        assert kind_of(question) == kind, question


@pytest.mark.parametrize(
    ("question", "sentence", "has"),
    [
        ("How hot?", "Use 90 to 96 °C.", True),
        ("How hot?", "Use 3 spoons, hot.", False),
        ("Wie lange dauert es?", "Es dauert sechs Jahre.", True),
        ("How long was the Seven Years War?", "The Seven Years War was a war.", False),
        ("What does it cost? What price?", "It is $5.", True),
        ("How much weight do beans lose?", "They lose 12 to 20 percent.", True),
        ("What pressure is used?", "Use 9 bar.", True),
        ("What pressure is used?", "There are 9 bars of chocolate in Barcelona.", False),
        ("What is it?", "It is 9 bar.", False),
    ],
)
def test_a_quantity_is_a_number_beside_its_unit_that_is_not_in_the_question(
    question: str, sentence: str, *, has: bool
) -> None:
    assert has_quantity(sentence, question) is has


def test_a_number_without_its_unit_is_half_of_a_quantity() -> None:
    told = ("Use 90 °C.", "Use about 90.", "Use more.")
    assert [lacks("quantity", sentence, "How hot?", ()) for sentence in told] == [0.0, 0.5, 1.0]


def test_what_something_is_stands_in_a_sentence_that_begins_with_it() -> None:
    for sentence in ("Crema is a foam.", "The crema is a foam."):
        assert lacks("meaning", sentence, "What is the crema?", ()) == 0
    assert lacks("meaning", "Stale beans give little crema.", "What is crema?", ()) == 1
