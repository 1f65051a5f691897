"""Which sentence of a passage is marked for a sentence of an answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.citations.matching import evidence
from pipeline.citations.sentences import sentences

STORING = (
    "Roasted beans stay fresh for about two to three weeks after roasting. Ground coffee loses its aroma within 15 "
    "minutes. Light, air and moisture are its enemies. A valve lets the carbon dioxide out of the bag."
)
LAGERN = (
    "Geröstete Bohnen bleiben etwa zwei bis drei Wochen frisch. Gemahlener Kaffee verliert sein Aroma binnen 15 "
    "Minuten. Licht, Luft und Feuchtigkeit sind seine Feinde. Eine Espressomaschine braucht frische Bohnen."
)


def marked(sentence: str, passage: str) -> str | None:
    span = evidence(sentence, passage)
    return passage[span[0] : span[1]] if span else None


@pytest.mark.parametrize("passage", [STORING, LAGERN])
def test_a_quoted_sentence_is_found_to_the_letter(passage: str) -> None:
    for begin, end in sentences(passage):
        assert evidence(passage[begin:end], passage) == (begin, end)


@pytest.mark.parametrize("accent", ["\u08e3", "\u0301", "\u3099", "\ufe0f"])
def test_an_accent_without_a_letter_is_a_word_like_any_other(accent: str) -> None:
    said = f"Ground coffee loses its aroma a0{accent} {accent} {accent}x."
    assert marked(said, STORING) == "Ground coffee loses its aroma within 15 minutes."


def test_a_quotation_of_several_sentences_is_marked_as_a_whole() -> None:
    quote = "Light, air and moisture are its enemies. A valve lets the carbon dioxide out of the bag."
    assert marked(quote, STORING) == quote


@pytest.mark.parametrize(
    ("said", "passage", "begins"),
    [
        ("Once it is ground, coffee has lost most of its aroma after a quarter of an hour.", STORING, "Ground coffee"),
        ("Keep moisture and light away.", STORING, "Light, air"),
        ("You have two or three weeks after the roast.", STORING, "Roasted beans"),
        ("Das CO2 entweicht durch ein Ventil: a valve lets it out.", STORING, "A valve"),
        ("Nach 15 Minuten ist das Aroma von gemahlenem Kaffee weg.", LAGERN, "Gemahlener"),
        ("Für den Espresso sollen die Bohnen frisch sein.", LAGERN, "Eine Espressomaschine"),
        ("Gemahlen hält er nur 15 Minuten.", STORING, "Ground coffee"),  # German on English: the number tells
    ],
)
def test_other_words_find_the_sentence_that_they_are_about(said: str, passage: str, begins: str) -> None:
    found = marked(said, passage)
    assert found
    assert found.startswith(begins)
    assert len(sentences(found)) == 1


@pytest.mark.parametrize(
    ("passage", "said", "begins"),
    [
        (
            "Les grains torréfiés restent frais trois semaines. Le café moulu perd son arôme en un quart d'heure.",
            "Le café moulu perd vite son arôme.",
            "Le café",
        ),
        (
            "烘焙后的咖啡豆可以保存三周。磨好的咖啡粉很快失去香气。光线和空气会损坏咖啡。",
            "咖啡粉的香气会很快失去。",
            "磨好",
        ),
        (
            "Обжаренные зёрна хранятся три недели. Молотый кофе быстро теряет аромат.",
            "Молотый кофе теряет аромат.",
            "Молотый",
        ),
    ],
)
def test_a_language_without_stems_here_is_compared_as_it_is_written(passage: str, said: str, begins: str) -> None:
    found = marked(said, passage)
    assert found
    assert found.startswith(begins)


def test_what_is_said_from_two_sentences_marks_both() -> None:
    said = "Roasted beans stay fresh for two to three weeks, but ground coffee loses its aroma within 15 minutes."
    found = marked(said, STORING)
    assert found
    assert found.startswith("Roasted beans")
    assert found.endswith("15 minutes.")


@pytest.mark.parametrize("said", ["", "…", "of the and", "The Mona Lisa was painted by Leonardo.", "42 zebras"])
def test_nothing_is_marked_where_nothing_is_alike(said: str) -> None:
    assert evidence(said, STORING) is None


def test_a_number_decides_between_rows_of_a_table() -> None:
    table = "| Roast | Days |\n| light | 20 |\n| dark | 10 |\n"
    assert marked("| dark roast | 10 days |", table) == "| dark | 10 |"


@settings(deadline=None)
@given(st.text(), st.text())
def test_a_mark_is_made_of_whole_sentences(said: str, passage: str) -> None:
    span = evidence(said, passage)
    if span:
        spans = sentences(passage)
        assert span[0] in {begin for begin, _ in spans}
        assert span[1] in {end for _, end in spans}
