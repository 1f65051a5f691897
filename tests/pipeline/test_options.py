"""Every option is declared once: its check, its stored form and what a model is sent are made from the declaration."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Refused
from pipeline.options import checked, model_parameters, options_of, read
from pipeline.retrieval import SearchOptions
from pipeline.turn import AskOptions
from tests.documentation import options_table
from tests.more_options import MoreOptions

OPTIONS = options_of(AskOptions)
NUMBERS = [each for each in OPTIONS if each.least is not None]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)


def asked(name: str, value: Any) -> AskOptions:
    values: dict[str, Any] = {name: value}
    return AskOptions(**values)


def test_the_defaults_are_in_their_own_ranges() -> None:
    assert checked(AskOptions()) == AskOptions()


def test_every_option_says_what_it_means() -> None:
    assert all(each.meaning for each in OPTIONS)


@pytest.mark.parametrize("option", NUMBERS, ids=lambda option: option.name)
def test_the_bounds_of_a_number_are_allowed_and_what_lies_beyond_is_refused(option: Any) -> None:
    for allowed in (option.least, option.most):
        value = type(option.least)(allowed)
        assert getattr(checked(asked(option.name, value)), option.name) == value
    for beyond in (option.least - 1, option.most + 1, math.nan, math.inf, 10**400, True, "1"):
        with pytest.raises(Refused):
            checked(asked(option.name, beyond))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "psychic"},
        {"reranks": 1},
        {"instructions": "x" * 8_001},
        {"instructions": "\ud800"},
        {"documents": ["not a tuple"]},
        {"documents": ("",)},
        {"documents": ("a\0b",)},
        {"documents": ("a",) * 201},
        {"collections": ("x" * 201,)},
        {"language": "German"},
        {"language": "de\n"},
        {"program": ""},
    ],
)
def test_a_value_of_a_wrong_type_or_form_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        checked(AskOptions(**wrong))


OPTIONS_GIVEN = st.builds(
    AskOptions,
    passages_wanted=st.integers(1, 20),
    temperature=st.none() | st.floats(0, 2),
    instructions=st.none() | st.text(max_size=20),
    mode=st.sampled_from([None, "keyword", "vector", "hybrid"]),
    documents=st.lists(st.from_regex(r"\A[a-z0-9]{1,9}\Z"), max_size=3).map(tuple),
    language=st.sampled_from(["auto", "de", "en"]),
)


@given(OPTIONS_GIVEN)
def test_what_was_stored_is_read_as_it_was(options: AskOptions) -> None:
    assert read(AskOptions, json.loads(json.dumps(asdict(options)))) == options


@given(st.dictionaries(st.sampled_from([each.name for each in OPTIONS]) | st.text(max_size=9), anything))
def test_whatever_a_row_holds_is_read_option_by_option(stored: dict[str, Any]) -> None:
    options = read(AskOptions, stored)
    for each in OPTIONS:
        value, given_value = getattr(options, each.name), stored.get(each.name)
        if value != each.default:
            as_option: Any = tuple(given_value) if isinstance(given_value, list) else given_value
            assert value == (float(as_option) if isinstance(value, float) else as_option)


def test_a_row_keeps_a_value_that_is_out_of_the_range_of_today() -> None:
    assert read(AskOptions, {"passages_wanted": 50, "temperature": "hot"}) == AskOptions(passages_wanted=50)


def test_a_model_is_sent_the_parameters_that_are_set() -> None:
    assert model_parameters(AskOptions()) == {}
    assert model_parameters(AskOptions(temperature=0.0, instructions="Be brief.")) == {"temperature": 0.0}


def test_a_search_uses_options_of_a_turn_under_the_same_names_and_with_the_same_defaults() -> None:
    assert SearchOptions.of(AskOptions(7, mode="vector", reranks=True)) == SearchOptions(7, "vector", reranks=True)
    ours = {each.name: each.default for each in OPTIONS}
    asked = [each for each in fields(SearchOptions) if each.name != "uses_hosted"]  # that one is the host's
    assert all(ours[each.name] == each.default for each in asked)


def test_an_option_that_is_added_is_checked_stored_and_sent_to_the_model() -> None:
    options = checked(MoreOptions(passages_wanted=2, top_p=0.5))
    assert read(MoreOptions, json.loads(json.dumps(asdict(options)))) == options
    assert model_parameters(options) == {"top_p": 0.5}
    with pytest.raises(Refused):
        checked(MoreOptions(top_p=1.5))


def test_an_option_that_is_added_has_a_row_in_the_documentation() -> None:
    (row,) = [line for line in options_table(MoreOptions).splitlines() if "top_p" in line]
    assert row.startswith("| `top_p` | 0 to 1 | `null` | from how much")
