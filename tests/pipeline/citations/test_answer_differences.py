"""What one answer says alone, and what another says otherwise."""

from __future__ import annotations

import pytest

from pipeline.citations.answer_differences import SaidThere, differences_of

WARM = "The ideal range is 90 to 96 °C [1]."
COOL = "The ideal range is 80 to 85 °C [2]."
DARK = "Dark roasts give up their bitterness easily [3]."


def test_equal_answers_differ_in_nothing_whatever_they_cite() -> None:
    assert differences_of([WARM, WARM.replace("[1]", "[4]"), WARM]) == [(), (), ()]


def test_a_sentence_that_no_other_answer_has_is_said_by_one_alone() -> None:
    first, second = differences_of([f"{WARM} {DARK}", WARM])
    assert [(each.kind, each.shown) for each in first] == [("only", "Dark roasts give up their bitterness easily.")]
    assert (first[0].start, second) == (len(WARM) + 1, ())


def test_what_one_of_several_others_says_too_is_said_by_none_alone() -> None:
    assert differences_of([DARK, DARK, WARM])[:2] == [(), ()]


def test_another_number_is_said_otherwise_on_both_sides() -> None:
    (warm,), (cool,) = differences_of([WARM, COOL])
    assert (warm.kind, warm.others) == ("otherwise", (SaidThere(1, "The ideal range is 80 to 85 °C."),))
    assert (cool.kind, cool.others) == ("otherwise", (SaidThere(0, "The ideal range is 90 to 96 °C."),))


def test_other_words_alone_are_no_other_fact() -> None:
    said = "Hot water dissolves more substances from the grounds, and dissolves them faster, than cool water."
    assert differences_of(["Hotter water dissolves more of the grounds, and does it faster.", said])[0] == ()


@pytest.mark.parametrize("answers", [[], [""], ["", WARM], ["", "", ""]])
def test_an_answer_without_another_one_is_not_compared(answers: list[str]) -> None:
    assert differences_of(answers) == [() for _ in answers]


@pytest.mark.parametrize("text", ["# A heading\n\n| a | b |\n|---|---|\n| 1 | 2 |", "Yes [1].", "```\ncode\n```"])
def test_headings_tables_code_and_single_words_are_not_compared(text: str) -> None:
    assert differences_of([text, WARM])[0] == ()
