"""Reads what a browser sends, and where it is; a value of another type or size than expected counts as missing.

Our page sends texts and numbers, but whoever calls its events by hand may send lists, objects or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from pipeline import clients
from pipeline.turn import is_visitor_token

# Constant, so that the browser's values can be read after a restart. It hides the token from a casual look, no more.
SECRET = "glassbox"
NAME_CHARS = 300  # of an id, a label, a visitor's token; what is longer names nothing
MOST_NUMBER = 10**12


def text(given: object, most: int = NAME_CHARS) -> str:
    """Return the value where it is a text of at most that many characters, else ""."""
    return given if isinstance(given, str) and len(given) <= most else ""


def value(event: gr.EventData, name: str) -> object:
    """Return what an event holds under a name, None where it holds nothing."""
    try:
        return getattr(event, name)
    except (AttributeError, TypeError):  # its data may be anything, too
        return None


def name(event: gr.EventData, of: str) -> str:
    """Return the id or label that an event holds."""
    return text(value(event, of))


def objects(event: gr.EventData, of: str) -> list[Mapping[str, Any]]:
    """Return the objects in a list that an event holds."""
    listed = value(event, of)
    is_list = isinstance(listed, Sequence) and not isinstance(listed, str)
    return [each for each in listed if isinstance(each, Mapping)] if is_list else []  # type: ignore[attr-defined]


def texts(event: gr.EventData, of: str, most: int) -> tuple[str, ...]:
    """Return the texts in a list that an event holds, each once and at most so many."""
    listed = value(event, of)
    given = listed[:most] if isinstance(listed, list) else []
    return tuple(dict.fromkeys(filter(None, map(text, given))))


def kept(given: object, names: Collection[str]) -> dict[str, Any]:
    """Return what a mapping holds under these names."""
    values = given if isinstance(given, Mapping) else {}
    return {name: values[name] for name in names if name in values}


def whole(given: object) -> int | None:
    """Return a whole number from a number or a text; None for anything else and from `MOST_NUMBER` on."""
    if isinstance(given, str) and len(given) < 16:
        given = int(given) if given.removeprefix("-").isdecimal() and given.isascii() else None
    return int(given) if isinstance(given, int | float) and -MOST_NUMBER < given < MOST_NUMBER else None


def minutes(given: object) -> int:
    """Return minutes west of Greenwich; 0 where no clock could show them."""
    count = whole(given) or 0
    return count if abs(count) <= 24 * 60 else 0


class BrowserValue(gr.BrowserState):
    """A value that the browser stores under a key; `read` checks what comes from there."""

    is_template = True  # Gradio draws it as what it is made from

    def __init__(
        self, read: Callable[[object], Any], storage_key: str, secret: str = SECRET, *, render: bool = True
    ) -> None:
        # Gradio makes it anew, with `render`, where an output stays as it is.
        super().__init__(read(None), storage_key=storage_key, secret=secret, render=render)
        self._read = read

    def preprocess(self, payload: Any) -> Any:
        """Check the value before any of our functions gets it."""
        return self._read(payload)


def visitor() -> BrowserValue:
    """Return the value that holds the visitor's token, the same on each page; "" until there is one."""
    return BrowserValue(lambda token: token if is_visitor_token(token) else "", "glassbox-visitor")


def preferences() -> BrowserValue:
    """Return the value that holds the preferences of the chat, the same on each page."""
    # The name is that under which browsers have stored them since the first version.
    return BrowserValue(lambda stored: stored if isinstance(stored, dict) else {}, "glassbox-knobs")


def address() -> str | None:
    """Return the address of the browser, as `api.hosts` determined it. Gradio keeps the request beside the call.

    Without a server there is none.
    """
    request = LocalContext.request.get(None)
    return None if request is None else request.client.host


def is_local() -> bool:
    """Whether the browser runs on this machine and asks it directly; it does where there is no server."""
    request = LocalContext.request.get(None)
    return request is None or clients.is_local(request.url.hostname, request.client.host, request.headers)
