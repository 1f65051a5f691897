"""The catalogue of texts: both languages complete, and written as each language writes."""

from __future__ import annotations

import re

import pytest

from i18n import CATALOGUE, ENGLISH, duration, names_in, text

ENGLISH_TEXTS = CATALOGUE[ENGLISH]
OTHERS = [language for language in CATALOGUE if language != ENGLISH]
ENGLISH_WORDS = re.compile(r"\b(the|and|or|of|is|are|not|to|your|you|with|this|that|there|it|for|be)\b", re.IGNORECASE)
SAME_IN_BOTH = frozenset(
    {"note.found", "note.size", "note.first_token", "step.with_query"}
)  # keys of names and signs, which are no words of a language


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_the_keys_of_english(language: str) -> None:
    assert sorted(CATALOGUE[language]) == sorted(ENGLISH_TEXTS)


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_names_the_values_of_its_english(language: str) -> None:
    table = CATALOGUE[language]
    assert [key for key in ENGLISH_TEXTS if names_in(table[key]) != names_in(ENGLISH_TEXTS[key])] == []


@pytest.mark.parametrize("language", CATALOGUE)
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, template in CATALOGUE[language].items() if not template.strip()] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_no_english_text(language: str) -> None:
    table = CATALOGUE[language]
    same = {key for key, template in table.items() if template == ENGLISH_TEXTS[key]}
    assert same - SAME_IN_BOTH == set()
    assert [key for key, template in table.items() if key not in SAME_IN_BOTH and ENGLISH_WORDS.search(template)] == []


def test_a_key_is_an_area_and_a_name() -> None:
    assert ENGLISH_TEXTS
    assert [key for key in ENGLISH_TEXTS if not re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", key)] == []


def test_an_unknown_language_is_english() -> None:
    assert text("turn.stopped", "xx") == text("turn.stopped", ENGLISH) == "Stopped"
    assert text("refused.long_question", "xx", most=8000) == text("refused.long_question", most=8000)


def test_an_unknown_key_and_a_missing_value_are_errors() -> None:
    with pytest.raises(KeyError):
        text("turn.no_such_text")
    with pytest.raises(KeyError):
        text("refused.long_question")


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "The question is too long: at most 8,000 characters. Shorten it and ask again."),
        ("de", "Die Frage ist zu lang: höchstens 8.000 Zeichen. Kürzen Sie sie und fragen Sie noch einmal."),
    ],
)
def test_a_number_is_written_as_the_language_does(language: str, written: str) -> None:
    assert text("refused.long_question", language, most=8000) == written


def test_a_part_whose_value_is_missing_or_empty_is_left_out() -> None:
    whole = "There is no model of that name here. Nearest: a, b. Choose one of the model list."
    short = "There is no model of that name here. Choose one of the model list."
    assert text("refused.unknown_model", near=("a", "b")) == whole
    assert text("refused.unknown_model", near=()) == text("refused.unknown_model") == short


def test_words_are_quoted_as_the_language_does() -> None:
    words = ("tea", "cup")
    english = text("reason.not_chosen", "en", place=7, wanted=4, words=words)
    assert english == "Place 7, and 4 were wanted; it lacks “tea”, “cup”."
    assert "„tea“, „cup“" in text("reason.not_chosen", "de", place=7, wanted=4, words=words)


def test_a_value_is_never_read_as_a_text() -> None:
    assert text("refused.unknown_model", near=("{near}", "{? x ?}")).count("{near}, {? x ?}") == 1


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (1, "1 second", "1 Sekunde"),
        (2, "2 seconds", "2 Sekunden"),
        (120, "120 seconds", "120 Sekunden"),
        (121, "3 minutes", "3 Minuten"),
        (7_201, "3 hours", "3 Stunden"),
    ],
)
def test_a_time_is_written_in_its_largest_unit_and_rounded_up(seconds: int, english: str, german: str) -> None:
    assert (duration(seconds, "en"), duration(seconds, "de")) == (english, german)
