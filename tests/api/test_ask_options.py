"""The keys of a request are made from the declaration of the options."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from api.ask_options import options_in, options_in_query, with_options
from api.routes.documents import SEARCH_OPTIONS
from api.routes.turns import Ask, AskWithOptions
from pipeline.errors import Refused
from pipeline.options import options_of
from pipeline.turn import AskOptions
from tests.more_options import MoreOptions


def test_a_body_without_options_asks_with_the_defaults() -> None:
    body = AskWithOptions.model_validate_json('{"question": "Why?"}')
    assert options_in(body, AskOptions) == AskOptions()


def test_every_option_is_a_key_of_the_body() -> None:
    assert set(AskWithOptions.model_fields) == {*Ask.model_fields, *(each.name for each in options_of(AskOptions))}


@pytest.mark.parametrize(
    "key",
    [
        *('"passages_wanted": 21', '"passages_wanted": 4.5', '"passages_wanted": "4"', '"passages_wanted": true'),
        *('"temperature": NaN', '"mode": "magic"', '"reranks": 1', '"documents": "a"', '"documents": [1]'),
        *('"documents": [""]', '"language": "Deutsch"', '"collections": null', '"surprise": 1', '"question": 7'),
    ],
)
def test_a_key_that_is_unknown_or_of_a_wrong_type_or_range_is_refused(key: str) -> None:
    with pytest.raises(ValidationError):
        AskWithOptions.model_validate_json(f'{{"question": "Why?", {key}}}')


def test_an_option_that_is_added_is_a_key_of_the_body_and_a_parameter_of_an_address() -> None:
    body = with_options(Ask, MoreOptions).model_validate_json('{"question": "Why?", "top_p": 0.5, "documents": ["a"]}')
    assert options_in(body, MoreOptions) == MoreOptions(documents=("a",), top_p=0.5)
    assert options_in_query(QueryParams("top_p=0.5"), MoreOptions, {"top_p"}) == MoreOptions(top_p=0.5)


def test_an_address_holds_the_options_of_a_search_and_repeats_those_with_several_values() -> None:
    query = QueryParams("q=fog&passages_wanted=7&reranks=true&documents=a&documents=b&temperature=9&collection=c")
    options = options_in_query(query, AskOptions, SEARCH_OPTIONS)
    assert options == AskOptions(passages_wanted=7, reranks=True, documents=("a", "b"))


@pytest.mark.parametrize(
    "query", ["passages_wanted=21", "passages_wanted=", "candidates=1.5", "mode=magic", "documents=", "collections=%00"]
)
def test_a_parameter_of_a_wrong_type_or_range_is_refused(query: str) -> None:
    with pytest.raises(Refused):
        options_in_query(QueryParams(query), AskOptions, SEARCH_OPTIONS)


def test_options_that_a_search_does_not_use_are_no_parameters_of_it() -> None:
    used: Any = options_in_query(QueryParams("temperature=hot&language=xyz9"), AskOptions, SEARCH_OPTIONS)
    assert used == AskOptions()
