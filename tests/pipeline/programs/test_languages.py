"""The instructions say in which language to answer."""

from __future__ import annotations

import pytest

from pipeline.programs.chain_of_thought import DEFAULT_INSTRUCTIONS
from pipeline.programs.languages import OF_THE_QUESTION, instructions_in


@pytest.mark.parametrize(("language", "name"), [("de", "German"), ("en", "English"), ("sw", "the code “sw”")])
def test_the_language_takes_the_place_of_that_of_the_question(language: str, name: str) -> None:
    told = instructions_in(language, DEFAULT_INSTRUCTIONS)
    assert name in told
    assert OF_THE_QUESTION not in told
    assert len(told.splitlines()) == len(DEFAULT_INSTRUCTIONS.splitlines())


def test_instructions_of_ones_own_get_a_line_more() -> None:
    assert instructions_in("de", "Sing.") == "Sing.\nAnswer in German."


def test_without_a_language_instructions_stay_as_they_are() -> None:
    assert instructions_in("auto", "Sing.") == "Sing."
    assert instructions_in("auto", DEFAULT_INSTRUCTIONS) == DEFAULT_INSTRUCTIONS
