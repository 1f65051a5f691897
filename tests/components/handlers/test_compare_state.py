"""The columns that presets make, and the preferences that a column becomes."""

from __future__ import annotations

import pytest

from components.handlers.compare_state import added, preferences_with, preset_columns, presets_offered
from components.html.comparison_columns import differing
from components.preferences import preferences_of
from pipeline.comparison import Column
from pipeline.programs.registry import PROGRAMS
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import AskOptions

BUILTIN, SMALL, LARGE = Column(BUILTIN_MODEL), Column("small"), "large"


@pytest.mark.parametrize(
    ("preset", "knob"),
    [
        ("model", "model"),
        ("passages", "passages_wanted"),
        ("program", "program"),
        ("instructions", "instructions"),
        ("stream", "streams"),
    ],
)
def test_the_columns_of_a_preset_differ_in_that_alone(preset: str, knob: str) -> None:
    columns = preset_columns(preset, SMALL, ["small", LARGE], PROGRAMS)
    assert differing(columns) == (knob,)
    assert len(set(columns)) == len(columns)


def test_instructions_are_compared_with_a_language_model() -> None:
    columns = preset_columns("instructions", BUILTIN, [BUILTIN_MODEL, LARGE], PROGRAMS)
    assert [(each.model, each.options.instructions is None) for each in columns] == [(LARGE, True), (LARGE, False)]


def test_without_a_language_model_some_presets_say_why_they_cannot_be_chosen() -> None:
    offered = presets_offered(BUILTIN, [BUILTIN_MODEL], PROGRAMS)
    assert [name for name, why in offered.items() if why] == ["model", "instructions"]


def test_the_built_in_model_is_offered_programs_that_it_runs() -> None:
    columns = preset_columns("program", BUILTIN, [], PROGRAMS)
    assert [each.options.program for each in columns] == [None, "Direct", "Compliance"]


def test_a_column_more_is_like_the_last_and_there_are_four_at_most() -> None:
    assert added((BUILTIN, SMALL)) == (BUILTIN, SMALL, SMALL)
    assert len(added((SMALL,) * 4)) == 4


def test_a_column_becomes_preferences_that_ask_in_the_same_way() -> None:
    column = Column("small", AskOptions(passages_wanted=8, temperature=0.2, mode="keyword"), streams=False)
    stored = preferences_with({"history_turns": 2, "instructions": "Old.", "profile": "none"}, column)
    read = preferences_of(stored)
    assert (read.options.passages_wanted, read.options.temperature, read.options.mode) == (8, 0.2, "keyword")
    assert (read.streams, read.options.instructions, read.options.history_turns) == (False, None, 2)
