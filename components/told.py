"""What a browser tells, taken for what it is said to be; anything else is as if it had not been told.

A page of ours sends texts and numbers, but whoever calls its events by hand sends what they like: lists, objects, none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr

NAME_CHARS = 300  # of an id, a label, a visitor's token; what is longer names nothing
MOST_NUMBER = 10**12


def text(value: object, most: int = NAME_CHARS) -> str:
    """The value where it is a text of at most that many characters, else ""."""
    return value if isinstance(value, str) and len(value) <= most else ""


def said(event: gr.EventData, name: str) -> object:
    """What an event holds under a name, None where it holds nothing of the kind."""
    try:
        return getattr(event, name)
    except (AttributeError, TypeError):  # its data may be anything, too
        return None


def name(event: gr.EventData, of: str) -> str:
    """The id or label that an event holds."""
    return text(said(event, of))


def objects(event: gr.EventData, of: str) -> list[Mapping[str, Any]]:
    """The objects of a list that an event holds."""
    listed = said(event, of)
    is_list = isinstance(listed, Sequence) and not isinstance(listed, str)
    return [each for each in listed if isinstance(each, Mapping)] if is_list else []  # type: ignore[attr-defined]


def whole(value: object) -> int | None:
    """A number, or a text that is one; None for anything else, and for what no text is long enough for."""
    if isinstance(value, str) and len(value) < 16:
        value = int(value) if value.removeprefix("-").isdecimal() and value.isascii() else None
    return int(value) if isinstance(value, int | float) and -MOST_NUMBER < value < MOST_NUMBER else None


def minutes(value: object) -> int:
    """Minutes west of Greenwich, as a text; 0 where it is none that a clock could show."""
    count = whole(value) or 0
    return count if abs(count) <= 24 * 60 else 0


class Kept(gr.BrowserState):
    """What the browser keeps under a key, as `read` takes it."""

    is_template = True  # Gradio draws it as what it is made from

    def __init__(self, read: Callable[[object], Any], storage_key: str, secret: str, *, render: bool = True) -> None:
        # Gradio makes it anew, with `render`, where an output stays as it is.
        super().__init__(read(None), storage_key=storage_key, secret=secret, render=render)
        self._read = read

    def preprocess(self, payload: Any) -> Any:
        """Before any of our functions gets it."""
        return self._read(payload)
