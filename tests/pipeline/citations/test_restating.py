"""Another answer says a sentence still, says it otherwise, or does not say it."""

from __future__ import annotations

import pytest

from pipeline.citations.restating import plain_text, restated

PRESSURE = "An espresso machine presses water through the coffee with a pressure of about 9 bar [2]."
PRESSED = "In einer Maschine wird das Wasser mit rund 9 bar durch den Kaffee gepresst [1]."


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (PRESSURE, "said"),
        (f"As the passages say: **{PRESSURE.replace('[2]', '[1][3]')}** It takes 25 seconds [1].", "said"),
        ("With a pressure of about 9 bar the machine presses water through the coffee.", "said"),
        ("An espresso machine presses the water through the coffee at some 9 bar of pressure [2].", "said"),
        ("An espresso machine presses water through the coffee with a pressure of about 6 bar [2].", "otherwise"),
        ("An espresso machine does not press water through the coffee with a pressure of 9 bar.", "otherwise"),
        ("The barista grinds finely. An espresso takes about 25 to 30 seconds [1].", "gone"),
        ("Espresso is brewed quickly: a machine presses hot water through finely ground coffee [1].", "gone"),
        ("The documents say nothing about that.", "gone"),
        ("", "gone"),
        ("```\nAn espresso machine presses water through the coffee with a pressure of about 9 bar.\n```", "gone"),
    ],
)
def test_an_answer_says_a_sentence_of_another_one_or_not(answer: str, outcome: str) -> None:
    assert restated(PRESSURE, answer).outcome == outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("Die Maschine presst das Wasser mit rund 9 bar durch den Kaffee.", "said"),
        ("In einer Maschine wird das Wasser mit rund 15 bar durch den Kaffee gepresst [1].", "otherwise"),
        ("Die Mokkakanne steht auf dem Herd.", "gone"),
    ],
)
def test_german_answers_are_compared_too(answer: str, outcome: str) -> None:
    assert restated(PRESSED, answer).outcome == outcome


def test_what_comes_closest_is_named_without_its_citation() -> None:
    found = restated(PRESSURE, "It is brewed hot [1]. Water is pressed through coffee with a pressure of 15 bar [2].")
    assert found.text == "Water is pressed through coffee with a pressure of 15 bar."
    assert restated(PRESSURE, "").text == ""


def test_a_row_of_a_table_is_a_sentence_too() -> None:
    row, table = "| Lungo | about 1 to 3 | lighter [1] |", "| Drink | Ratio | Taste |\n|---|---|---|\n"
    assert restated(row, f"{table}| Ristretto | 1 to 1 | syrupy [1] |\n{row}").outcome == "said"
    assert restated(row, f"{table}| Ristretto | 1 to 1 | syrupy [1] |").outcome == "gone"


def test_plain_text_has_no_citations_and_no_emphasis() -> None:
    assert plain_text("**Grind** late [1, 2].\nKeep it *dark* [3].") == "Grind late.\n\nKeep it dark."
