"""What two words or numbers are compared by."""

from __future__ import annotations

from typing import Literal

import pytest

from pipeline.citations.alignment import is_similar
from pipeline.citations.opposites import are_opposite, senses_of
from pipeline.citations.quantities import UNITS, is_rounding, same_amount, value_of
from pipeline.citations.tokens import Key, Token, tokens_of


def only(text: str, language: Literal["en", "de"]) -> Token:
    (token,) = tokens_of(text, language)
    return token


def keys(text: str, language: Literal["en", "de"]) -> list[Key]:
    return [token.key for token in tokens_of(text, language)]


@pytest.mark.parametrize(
    ("written", "language", "value"),
    [("1,000", "en", 1000), ("1.5", "en", 1.5), ("1.000", "de", 1000), ("1,5", "de", 1.5), ("6½", "en", 6.5)],
)
def test_a_number_is_read_as_its_language_writes_it(written: str, language: Literal["en", "de"], value: float) -> None:
    assert value_of(written, language) == value


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("3.5 million", "3,500,000", "en"),
        ("twenty-three", "23", "en"),
        ("two hundred", "200", "en"),
        ("3rd", "third", "en"),
        ("the 1990s", "the 90s", "en"),
        ("dreiundzwanzig", "23", "de"),
        ("3,5 Millionen", "3.500.000", "de"),
        ("den 90er", "den 1990er", "de"),
        ("5 percent", "5 %", "en"),
        ("5 Kilometer", "5 km", "de"),
        ("9:30", "09:30", "en"),
        ("held", "hold", "en"),
        ("beigetreten", "beitrat", "de"),
        ("the U.S.", "the United States of America", "en"),
        ("den USA", "den Vereinigten Staaten", "de"),
    ],
)
def test_what_says_the_same_has_the_same_keys(one: str, other: str, language: Literal["en", "de"]) -> None:
    assert keys(one, language) == keys(other, language)


def test_a_state_is_no_pronoun() -> None:
    assert only("United States", "en").key == only("US", "en").key != only("us", "en").key


def test_a_date_has_the_same_keys_in_each_form() -> None:
    forms = ("7 January 1943", "January 7, 1943", "1943-01-07")
    assert len({frozenset(keys(form, "en")) for form in forms}) == 1
    assert set(keys("7. Januar 1943", "de")) == set(keys("07.01.1943", "de"))


def test_the_first_number_of_a_range_has_the_unit_of_the_second() -> None:
    units = [token.unit.name for token in tokens_of("5 to 7 km", "en") if token.unit]
    assert units == ["km", "km"]
    assert [token.value for token in tokens_of("1922–26", "en")] == [1922, 1926]


def test_a_currency_may_stand_before_its_number() -> None:
    assert [(token.value, token.unit and token.unit.name) for token in tokens_of("$5", "en")] == [
        (None, None),
        (5, "$"),
    ]


@pytest.mark.parametrize(
    ("value", "unit", "other", "other_unit", "expected"),
    [
        (10, "km", 6.2, "miles", True),
        (10, "km", 10, "miles", False),
        (93, "°C", 199, "°F", True),
        (90, "minutes", 1.5, "hours", True),
        (5, "km", 5, "kg", False),
    ],
)
def test_amounts_are_compared_after_conversion(
    value: float, unit: str, other: float, other_unit: str, expected: bool
) -> None:
    assert same_amount(value, UNITS[unit], other, UNITS[other_unit]) is expected


@pytest.mark.parametrize(
    ("value", "exact", "is_marked", "expected"),
    [(3.1, 3.14, False, True), (310.0, 308.0, True, True), (310.0, 308.0, False, False), (400.0, 308.0, True, False)],
)
def test_a_rounding_must_be_marked_unless_only_decimals_are_cut(
    value: float, exact: float, is_marked: bool, expected: bool
) -> None:
    assert is_rounding(value, exact, is_marked=is_marked) is expected


@pytest.mark.parametrize(
    ("one", "other", "language", "expected"),
    [
        ("gegründet", "gründete", "de", True),
        ("Sommertheater", "Theater", "de", True),
        ("Truppen", "Truppenbewegungen", "de", True),
        ("Warschauer", "Warschaus", "de", True),
        ("möglich", "unmöglich", "de", False),
        ("increase", "decrease", "en", False),
        ("possible", "impossible", "en", False),
        ("nördlich", "südlich", "de", False),
        ("cat", "cats", "en", False),
    ],
)
def test_other_forms_are_similar_and_opposites_are_not(
    one: str, other: str, language: Literal["en", "de"], expected: bool
) -> None:
    assert is_similar(only(one, language), only(other, language)) is expected


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("all", "some", "en"),
        ("more", "less", "en"),
        ("won", "lost", "en"),
        ("stieg", "sank", "de"),
        ("alle", "viele", "de"),
    ],
)
def test_opposites_are_known(one: str, other: str, language: Literal["en", "de"]) -> None:
    assert are_opposite(senses_of(one, language), senses_of(other, language))
    assert not are_opposite(senses_of(one, language), senses_of(one, language))
