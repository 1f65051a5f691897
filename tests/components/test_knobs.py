"""A visitor's knobs come from a browser, so anything may come; and what was asked is shown as it was asked."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.asked import chips
from components.knobs import INSTRUCTIONS_LIMIT_CHARS, Knobs, knobs_of
from components.view import View
from pipeline.conversation import AskOptions
from pipeline.settings import BUILTIN_MODEL

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
NAMES = tuple(Knobs.__slots__)
LM = View(model="gpt", model_asked="gpt", program="ChainOfThought")


@given(anything | st.dictionaries(st.sampled_from(NAMES), anything))
def test_whatever_a_browser_kept_gives_knobs_in_their_ranges(kept: Any) -> None:
    knobs = knobs_of(kept)
    assert 1 <= knobs.passages <= 12
    assert 0 <= knobs.history_turns <= 10
    assert 10 <= knobs.candidates <= 200
    assert knobs.temperature is None or 0 <= knobs.temperature <= 2
    assert knobs.max_tokens is None or 64 <= knobs.max_tokens <= 8192
    assert knobs.mode in (None, "keyword", "vector", "hybrid")
    assert len(knobs.instructions) <= INSTRUCTIONS_LIMIT_CHARS


@pytest.mark.parametrize(
    "kept", [None, "", "abc", [], {}, {"passages": "7"}, {"passages": True}, {"passages": math.nan}]
)
def test_what_is_no_knob_stands_as_by_default(kept: Any) -> None:
    assert knobs_of(kept) == Knobs()


def test_one_broken_knob_takes_no_other_along() -> None:
    kept = {"passages": 7, "temperature": "hot", "instructions": "Be brief.", "mode": ["hybrid"], "streams": False}
    assert knobs_of(kept) == Knobs(passages=7, instructions="Be brief.", streams=False)


def test_model_program_passages_and_temperature_are_always_said() -> None:
    said = chips(
        View(**{**{name: getattr(LM, name) for name in ("model", "model_asked", "program")}, "asked": AskOptions()})
    )
    for chip in ("gpt", "ChainOfThought", "4 passages", "default temperature"):
        assert f">{chip}<" in said
    assert said.count("<li") == 4


def test_a_knob_that_was_turned_is_said_and_instructions_can_be_read() -> None:
    asked = AskOptions(1, 0, 0.2, 2048, "Say <b>hi</b>.", "vector", 20, reranks=True, rewrites=True)
    said = chips(View(model="gpt", model_asked="gpt", asked=asked))
    for chip in (
        *("1 passage", "temperature 0.2", "at most 2,048 tokens", "0 turns of history", "search by meaning"),
        *("20 candidates", "reranked", "question rewritten", "own instructions"),
    ):
        assert f">{chip}<" in said
    assert "Say &lt;b&gt;hi&lt;/b&gt;." in said


def test_what_the_built_in_model_does_not_use_is_not_said_of_it() -> None:
    asked = AskOptions(temperature=0.2, max_tokens=64, instructions="Be brief.", rewrites=True)
    said = chips(View(model_asked=BUILTIN_MODEL, program="ChainOfThought", asked=asked))
    assert said.count("<li") == 3


def test_a_turn_from_before_options_were_stored_says_what_is_known() -> None:
    assert chips(LM).count("<li") == 2
    assert chips(View(model="fallback", model_asked="gpt")).count(">gpt<") == 1
