"""The table of quantities that the built-in model finds: numbers with their units, quoted, and nothing else."""

from __future__ import annotations

from pipeline.models.builtin.key_figures import ROWS_MOST, key_figures
from pipeline.prompt_passages import PromptPassage


def figures(*texts: str) -> list[tuple[str, str]]:
    table = key_figures([PromptPassage(number, "Tea", text) for number, text in enumerate(texts, 1)], "en")
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [(figure, quote) for figure, quote in rows]


def test_numbers_with_units_are_quoted_with_their_sentence() -> None:
    assert figures("Green tea wants water of 80 °C. It has many names.", "A bag costs €2.50 or 3 million dollars.") == [
        ("80 °C", "Green tea wants water of 80 °C. [1]"),
        ("€2.50, 3 million dollars", "A bag costs €2.50 or 3 million dollars. [2]"),
    ]


def test_ranges_thousands_and_german_units_are_read() -> None:
    (found,) = figures("Der Tee zieht 2 bis 3 Minuten, und 1.500,5 kg kosten 12 Prozent mehr.")
    assert found[0] == "2 bis 3 Minuten, 1.500,5 kg, 12 Prozent"


def test_a_row_of_a_table_becomes_one_cell() -> None:
    (found,) = figures("| Tea | Heat |\n|---|---|\n| Green | 80 °C |")
    assert found == ("80 °C", "Green · 80 °C [1]")


def test_a_number_without_a_unit_is_no_key_figure() -> None:
    assert key_figures([PromptPassage(1, "Tea", "In 1819 it was found by 3 people in room 12b, see 4.5.")], "en") == ""


def test_the_table_ends_somewhere_and_has_the_language_of_the_question() -> None:
    table = key_figures([PromptPassage(n, "Tea", f"Cup {n} holds {n} ml.") for n in range(1, 99)], "de")
    assert table.startswith("| Zahl |")
    assert len(table.splitlines()) == ROWS_MOST + 2
