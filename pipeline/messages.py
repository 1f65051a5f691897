"""A message to a person, as a code and the values that its sentence names; `i18n` makes the sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, PlainSerializer

Value = str | int | tuple[str, ...]

STORED_TEXT = "text"  # the value that holds the sentence itself, where an older version stored no code or no values


def no_values() -> Mapping[str, Value]:
    """Return the values of a message whose text names none."""
    return MappingProxyType({})


def _of_text(stored: Any) -> Any:
    return {STORED_TEXT: stored} if isinstance(stored, str) else stored


# The field of an event that was stored as `text` before events carried values.
Values = Annotated[
    Mapping[str, Value],
    BeforeValidator(_of_text),
    PlainSerializer(dict, dict[str, Value]),
    Field(validation_alias=AliasChoices("values", STORED_TEXT)),
]


@dataclass(frozen=True, slots=True)
class Message:
    """A code of the catalogue and the values that its text names."""

    code: str
    values: Annotated[Mapping[str, Value], PlainSerializer(dict, dict[str, Value])] = field(default_factory=no_values)


def _message(stored: Any) -> Any:
    if isinstance(stored, str):
        return Message("", {STORED_TEXT: stored}) if stored else None
    return stored


# A message that was stored as its sentence before, "" for none.
StoredMessage = Annotated[Message | None, BeforeValidator(_message)]
