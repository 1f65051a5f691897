"""Every sentence that people read, in each language: one catalogue, key → text.

A key is `area.name`. A text holds `{name}` for a value, and `{? … ?}` for a part that is left out when one of its
values is missing or empty. A whole number is written with the language's separators, a sequence with commas;
`{name:duration}` writes seconds as words and `{name:quoted}` quotes each item of a sequence. A key with the forms
`key.one` and `key.other` is asked for by `key`, and the value `count` chooses the form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import Formatter
from types import MappingProxyType
from typing import Any

from i18n import (
    de,
    en,
)

ENGLISH = "en"
LANGUAGES = MappingProxyType(
    {
        ENGLISH: en,
        "de": de,
    }
)
CATALOGUE: Mapping[str, Mapping[str, str]] = MappingProxyType({code: each.TEXTS for code, each in LANGUAGES.items()})

Value = str | int | Sequence[str]

_OPTIONAL = re.compile(r"\{\?(.*?)\?\}", re.DOTALL)
_UNITS = (("hours", 3600), ("minutes", 60))  # a shorter time is written in seconds


def text(key: str, language: str = ENGLISH, /, **values: Value) -> str:
    """The text of a key with its values, in English where the language is unknown.

    Raises KeyError for an unknown key and for a value that is missing.
    """
    if "count" in values and not has(key):
        key = f"{key}.{'one' if values['count'] == 1 else 'other'}"
    return _filled(template_of(key, language), language, values)


def available(language: str) -> str:
    """The language in which the texts of a language are written: English where it has none."""
    return language if language in CATALOGUE else ENGLISH


def has(key: str) -> bool:
    """Whether the catalogue has this key."""
    return key in CATALOGUE[ENGLISH]


def template_of(key: str, language: str = ENGLISH) -> str:
    """The text of a key with the names of its values. Raises KeyError for an unknown key."""
    return CATALOGUE.get(language, CATALOGUE[ENGLISH])[key]


def names_in(template: str) -> frozenset[str]:
    """The names of the values that a text holds."""
    return _names(_OPTIONAL.sub(r"\1", template))


def required_in(template: str) -> frozenset[str]:
    """The names of the values without which a text cannot be written."""
    return _names(_OPTIONAL.sub("", template))


def _names(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)


def duration(seconds: int, language: str = ENGLISH) -> str:
    """Seconds in words, in the largest unit of which there are more than two; rounded up."""
    for unit, length_s in _UNITS:
        if seconds > 2 * length_s:
            return text(f"duration.{unit}", language, count=-(-seconds // length_s))
    return text("duration.seconds", language, count=seconds)


def _filled(template: str, language: str, values: Mapping[str, Value]) -> str:
    def part(found: re.Match[str]) -> str:
        return found[1] if all(values.get(name) not in (None, "", ()) for name in names_in(found[1])) else ""

    return _Writer(language).vformat(_OPTIONAL.sub(part, template), (), values)


class _Writer(Formatter):
    """Writes values as a language does."""

    def __init__(self, language: str) -> None:
        self._language = available(language)

    def format_field(self, value: Any, format_spec: str) -> str:
        """One value of a text; a format that is not ours is Python's."""
        if format_spec == "duration":
            return duration(value, self._language)
        if isinstance(value, int) and not format_spec:
            return f"{value:,}".replace(",", LANGUAGES[self._language].THOUSANDS)
        if isinstance(value, Sequence) and not isinstance(value, str):
            opening, closing = LANGUAGES[self._language].QUOTES if format_spec == "quoted" else ("", "")
            return ", ".join(f"{opening}{each}{closing}" for each in value)
        return str(super().format_field(value, format_spec))
