"""Preferences come from a browser, so anything may come; and what was asked is shown as it was asked."""

import math
from typing import Any, get_args

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.html.option_chips import chips
from components.option_controls import Offer, options_in
from components.preferences import Preferences, preferences_of
from components.sidebar import build as build_sidebar
from components.view import View
from i18n import has
from pipeline.options import Group, checked, options_of
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import AskOptions
from tests.more_options import MoreOptions

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
NAMES = (*(each.name for each in options_of(AskOptions)), "passages", "streams")
INSTRUCTIONS_LIMIT_CHARS = 8_000
LM = View(model="gpt", model_asked="gpt", program="ChainOfThought")


@given(anything | st.dictionaries(st.sampled_from(NAMES), anything))
def test_whatever_a_browser_kept_gives_options_in_their_ranges(stored: Any) -> None:
    options = preferences_of(stored).options
    assert checked(options) == options
    assert 1 <= options.passages_wanted <= 20
    assert 0 <= options.history_turns <= 10
    assert 10 <= options.candidates <= 200
    assert options.temperature is None or 0 <= options.temperature <= 2
    assert options.max_tokens is None or 64 <= options.max_tokens <= 8192
    assert options.mode in (None, "keyword", "vector", "hybrid")
    assert len(options.instructions or "") <= INSTRUCTIONS_LIMIT_CHARS


@pytest.mark.parametrize(
    "stored",
    [
        *(None, "", "abc", [], {}, {"passages": "7"}, {"passages": True}, {"passages": math.nan}),
        *({"passages_wanted": "0"}, {"history_turns": [11]}, {"max_tokens": math.nan}, {"instructions": ""}),
        *({"documents": ["a"]}, {"language": "de"}, {"program": ""}),  # one is chosen; no control
    ],
)
def test_what_cannot_be_chosen_is_the_default(stored: Any) -> None:
    preferences = preferences_of(stored)
    assert (preferences.options, preferences.streams) == (AskOptions(), True)
    assert preferences.given <= {"instructions"}  # the default is a choice of its own beside a profile's instructions


@pytest.mark.parametrize(
    ("stored", "chosen"),
    [
        ({"passages_wanted": 99}, AskOptions(passages_wanted=20)),
        ({"passages_wanted": -3}, AskOptions(passages_wanted=1)),
        ({"passages_wanted": 2.6}, AskOptions(passages_wanted=3)),
        ({"history_turns": math.inf}, AskOptions(history_turns=10)),
        ({"temperature": 5}, AskOptions(temperature=2)),
        ({"max_tokens": 63}, AskOptions(max_tokens=64)),
    ],
)
def test_a_number_that_is_typed_out_of_range_is_the_nearest_one_as_the_slider_shows_it(
    stored: Any, chosen: AskOptions
) -> None:
    assert preferences_of(stored).options == chosen


def test_one_broken_preference_takes_no_other_along() -> None:
    stored = {"passages": 7, "temperature": "hot", "instructions": "Be brief.", "mode": ["hybrid"], "streams": False}
    options = AskOptions(passages_wanted=7, instructions="Be brief.")
    assert preferences_of(stored) == Preferences(options, False, frozenset({"passages_wanted", "instructions"}))


def test_a_preference_under_its_old_name_is_read_until_it_is_chosen_anew() -> None:
    assert preferences_of({"passages": 7}).options.passages_wanted == 7
    assert preferences_of({"passages": 7, "passages_wanted": 9}).options.passages_wanted == 9


def test_what_is_not_offered_here_is_not_asked_for() -> None:
    offer = Offer(choices={"mode": ("keyword",)}, hidden=("reranks",))
    wanted = AskOptions(passages_wanted=7, mode="vector", reranks=True, rewrites=True)
    assert offer.usable(wanted) == AskOptions(passages_wanted=7, rewrites=True)
    assert offer.usable(AskOptions(mode="keyword")) == AskOptions(mode="keyword")


def controls(kind: type[AskOptions] = AskOptions, offer: Offer = Offer()) -> dict[str, Any]:  # noqa: B008  frozen
    return {each.name: offer.control(each) for group in get_args(Group) for each in options_in(group, kind)}


def test_controls_move_within_the_ranges_of_their_options_and_stand_at_the_defaults() -> None:
    made = controls(offer=Offer(texts={"instructions": "Answer."}))
    passages, temperature = made["passages_wanted"], made["temperature"]
    assert (passages.minimum, passages.maximum, passages.value, passages.label) == (1, 20, 4, "Passages")
    assert (temperature.minimum, temperature.maximum, temperature.step, temperature.value) == (0, 2, 0.1, 0.7)
    assert made["mode"].choices == [("Keywords", "keyword"), ("Meaning", "vector"), ("Both", "hybrid")]
    assert made["instructions"].value == "Answer."
    assert "collections" not in made


def test_a_dropdown_offers_titles_stands_at_the_default_and_says_what_each_choice_is() -> None:
    offer = Offer(
        choices={"program": ("Short", "Long")},
        titles={"program": {"Short": "In short"}},
        descriptions={"program": {"Short": "One sentence."}},
    )
    program = next(each for each in options_of(AskOptions) if each.name == "program")
    made = offer.control(program)
    assert isinstance(made, gr.Dropdown)
    assert (made.choices, made.value, made.label) == ([("In short", "Short"), ("Long", "Long")], "Short", "Program")
    assert [offer.shown(program, value) for value in (None, "Long", "Gone")] == ["Short", "Long", "Short"]
    assert offer.abouts(program) == {"In short": "One sentence."}
    documents = next(each for each in options_of(AskOptions) if each.name == "documents")
    with_documents = Offer(choices={"documents": ("", "a", "b")}, titles={"documents": {"": "Best", "a": "A"}})
    assert with_documents.labels(documents) == [("Best", ""), ("A", "a"), ("b", "b")]
    assert [with_documents.shown(documents, each) for each in ((), ("b",), ("gone",), ("a", "b"))] == ["", "b", "", ""]
    assert preferences_of({"documents": "a"}).options.documents == ("a",)
    assert preferences_of({"documents": ""}).options.documents == ()
    assert with_documents.usable(AskOptions(documents=("b",))).documents == ("b",)
    assert with_documents.usable(AskOptions(documents=("gone",))).documents == ()
    stored = preferences_of({"program": "Long"}).options
    assert (offer.usable(stored).program, offer.usable(AskOptions(program="Gone")).program) == ("Long", None)


def test_a_choice_of_one_and_what_is_hidden_are_not_shown() -> None:
    made = controls(offer=Offer(choices={"mode": ("keyword",)}, hidden=("reranks",)))
    assert (made["mode"].visible, made["reranks"].visible, made["rewrites"].visible) == (False, False, True)


def test_every_option_has_a_title_in_the_catalogue() -> None:
    assert [each.name for each in options_of(AskOptions) if not has(f"option.{each.name}.title")] == []


def test_an_option_that_is_added_has_a_control_is_kept_by_the_browser_and_shown_under_the_answer() -> None:
    added = controls(MoreOptions)["top_p"]
    assert (added.minimum, added.maximum, added.value, added.label, added.elem_id) == (0, 1, 1, "Top p", "top-p")
    assert preferences_of({"top_p": 0.5}, MoreOptions).options == MoreOptions(top_p=0.5)
    assert preferences_of({"top_p": "2"}, MoreOptions).options == MoreOptions()
    assert ">Top p: 0.5<" in chips(View(model="gpt", model_asked="gpt", asked=MoreOptions(top_p=0.5)))
    assert "Top p" not in chips(View(model_asked=BUILTIN_MODEL, asked=MoreOptions(top_p=0.5)))


def test_controls_are_told_apart_by_their_names_whatever_their_order() -> None:
    with gr.Blocks():
        side = build_sidebar([], [], Offer(), typed_models=False, kind=MoreOptions)
    assert set(side.preferences) == {*(each.name for each in side.shown), "streams"}
    assert side.preferences["passages_wanted"].elem_id == "passages"
    assert side.preferences["top_p"] in side.for_language_models
    assert side.resting == {"temperature": 0.7, "max_tokens": 1024, "top_p": 1}


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
        *("20 candidates", "reranked", "with rewriting", "own instructions"),
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


def test_a_search_that_was_narrowed_and_a_language_that_was_chosen_are_told() -> None:
    asked = AskOptions(documents=("a", "b"), collections=("c",), language="de", program="ReAct")
    told = chips(View(model="gpt", model_asked="gpt", asked=asked))
    for chip in ("in 2 chosen documents", "in 1 collection", "answer in de"):
        assert f">{chip}<" in told
    assert "ReAct" not in told  # the turn itself names its program
