"""A message of a prompt is read by its fields, and passages are left out of it without a trace."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.passages import Passage
from pipeline.prompt_passages import numbered, read_numbered
from pipeline.prompt_sections import ASKS_FOR_OUTPUT, passage_numbers, without_passages

TEXT = "Hot water takes more out.\n[7] is no heading, nor is\n\n  [2] here"
ALL = tuple(Passage(number, "a.md", f"Title {number}", "Heat", TEXT, 1.0) for number in (1, 2, 4))
INSTEAD = "(none found)"
BEFORE, AFTER = "[[ ## passages ## ]]\n", f"\n\n[[ ## question ## ]]\nWhat does [2] say?{ASKS_FOR_OUTPUT}, and end."


def prompt_of(*passages: Passage) -> str:
    return BEFORE + (numbered(passages) or INSTEAD) + AFTER


@given(st.sets(st.sampled_from([1, 2, 3, 4])))
def test_a_prompt_without_passages_is_the_one_that_would_have_been_written_without_them(left_out: set[int]) -> None:
    kept = [each for each in ALL if each.number not in left_out]
    assert without_passages(prompt_of(*ALL), left_out, INSTEAD) == prompt_of(*kept)


def test_what_was_asked_for_stays_also_behind_the_last_passage() -> None:
    message = f"[[ ## question ## ]]\nWhy?\n\n{BEFORE}{numbered(ALL)}{ASKS_FOR_OUTPUT}, and end."
    assert passage_numbers(message) == (1, 2, 4)
    assert without_passages(message, (1, 2, 4), INSTEAD).endswith(f"{BEFORE}{INSTEAD}{ASKS_FOR_OUTPUT}, and end.")


def test_what_a_tool_found_is_left_out_too() -> None:
    seen = numbered([replace(ALL[0], number=9)])
    message = f"{BEFORE}{numbered(ALL)}\n\n[[ ## observation_0 ## ]]\n{seen}\n\n[[ ## observation_1 ## ]]\n12"
    assert passage_numbers(message) == (1, 2, 4, 9)
    left = without_passages(message, (2, 9), INSTEAD)
    assert left.endswith(f"[[ ## observation_0 ## ]]\n{INSTEAD}\n\n[[ ## observation_1 ## ]]\n12")
    assert passage_numbers(left) == (1, 4)


@pytest.mark.parametrize("left_out", [(), (3,)])
def test_a_message_is_the_same_where_there_is_nothing_to_leave_out(left_out: Collection[int]) -> None:
    assert without_passages(prompt_of(*ALL), left_out, INSTEAD) == prompt_of(*ALL)
    assert [each.number for each in read_numbered(numbered(ALL))] == [1, 2, 4]
