"""A reply that is one JSON object (or what a model takes for one) → its fields, live and with escapes decoded.

Tolerant: Python's quotes, line breaks and unescaped quotes inside a text, values that are lists or objects, a text that
breaks off. Pure.
"""

from __future__ import annotations

import regex

from pipeline.replies.names import THINKING, Fields
from pipeline.replies.text import TextMender

THOUGHTS = "thinking"

_IN_OBJECT = regex.compile(
    r"""(?P<brace>[{}\[\]])|(?:["'“”](?P<key>[^"'“”\n\\{}]{1,60})["'“”]|\b(?P<key>[^\W\d]\w{0,40}))\s*:\s*(?P<first>\S)"""
)
_IN_LIST = regex.compile(r"""(?P<brace>[{}\[\]])|(?P<first>["'])""")
_SCALAR = regex.compile(r"[^\s,{}\[\]\"']+")
_ESCAPE = regex.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|(?P<char>[^u]))")
_TEXT = regex.compile(r"[^\\\"'\n]+|\n")
_DECODED = {"n": "\n", "t": "\t", "r": "\n", "b": "", "f": "\n"}

# What follows a quote that ends a text: the next key, the next text of a list, or the end.
_END = regex.compile(r"""\s*(?:,\s*(?:["'“}\]]|[^\W\d]\w{0,40}\s*:)|[}\]])""")


class JsonReader:
    """Reads one object. `feed` its text, then `finish` once.

    Both say (field, text), and where a field begins (field, None).
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._buffer = ""
        self._quote = ""  # of the text that is being read
        self._names: list[str | None] = []  # whose value each open brace or bracket is in
        self._braces: list[str] = []
        self._name: str | None = None  # of the value that comes next
        self._said: list[tuple[str, str | None]] = []
        self._mender = TextMender()
        self._items = 0  # texts of the list so far
        self.has_ended = False

    def feed(self, text: str) -> list[tuple[str, str | None]]:
        """More of it. What follows the object's end stays in `rest`."""
        self._buffer += text
        return self._read(ended=False)

    def finish(self) -> list[tuple[str, str | None]]:
        """It has ended, maybe in the middle."""
        return self._read(ended=True)

    @property
    def rest(self) -> str:
        """What follows the object's end."""
        return self._buffer if self.has_ended else ""

    def _read(self, *, ended: bool) -> list[tuple[str, str | None]]:
        while self._buffer and not self.has_ended and (self._string(ended) if self._quote else self._seek(ended)):
            pass
        said, self._said = self._said, []
        return said

    def _seek(self, ended: bool) -> bool:
        """One step between texts; False when more is needed."""
        is_list = bool(self._braces) and self._braces[-1] == "["
        match = (_IN_LIST if is_list else _IN_OBJECT).search(self._buffer, partial=not ended)
        if match is None or match.partial:
            self._buffer = self._buffer[match.start() :] if match else ""
            return False
        if brace := match["brace"]:
            self._buffer = self._buffer[match.end() :]
            self._brace(brace)
            return True
        self._buffer = self._buffer[match.end() - 1 :]
        if not is_list:
            return self._value(match["key"], ended)
        self._name = self._names[-1]
        self._begin("\n" if self._items else "")
        self._items += 1
        return True

    def _begin(self, separator: str) -> None:
        """A text begins with its quote; `separator` stands between it and the one before."""
        self._quote, self._buffer = self._buffer[0], self._buffer[1:]
        self._say(self._name, separator)

    def _brace(self, brace: str) -> None:
        if brace in "{[":
            self._names.append(self._name)
            self._braces.append(brace)
            self._items = 0
        elif self._names:
            self._names.pop()
            self._braces.pop()
            self.has_ended = not self._names

    def _value(self, key: str, ended: bool) -> bool:
        """What follows a key; False when more is needed."""
        first = self._buffer[0]
        scalar = None if first in "\"'{[" else _SCALAR.match(self._buffer)
        if scalar and scalar.end() == len(self._buffer) and not ended:
            self._buffer = f'"{key}":{self._buffer}'  # it may go on
            return False
        name = THOUGHTS if key.casefold().strip() in THINKING else self._fields.named(key)
        self._name = name or next((each for each in reversed(self._names) if each), None)
        if name:
            self._said.append((name, None))
        if scalar:
            self._say(name, "" if scalar[0] in {"null", "None"} else scalar[0])
            self._buffer = self._buffer[scalar.end() :]
        elif first in "\"'":
            self._begin("" if name else "\n")
        return True

    def _string(self, ended: bool) -> bool:
        """One step inside a text; False when more is needed."""
        first = self._buffer[0]
        if first == "\\":
            escape = _ESCAPE.match(self._buffer, partial=not ended)
            if escape is None or escape.partial:
                self._buffer = self._buffer[1:] if ended or escape is None else self._buffer
                return ended or escape is None
            self._say(self._name, chr(int(escape["code"], 16)) if escape["code"] else _decoded(escape["char"]))
            self._buffer = self._buffer[escape.end() :]
        elif first == self._quote:
            end = _END.match(self._buffer, 1, partial=not ended)
            if end is not None and end.partial:
                return False
            if end is None and not (ended and not self._buffer[1:].strip()):
                self._say(self._name, first)  # a quote inside the text that nobody escaped
            else:
                self._quote = ""
            self._buffer = self._buffer[1:]
        else:
            text = _TEXT.match(self._buffer)
            length = text.end() if text else 1
            self._say(self._name, self._buffer[:length])
            self._buffer = self._buffer[length:]
        return True

    def _say(self, name: str | None, text: str) -> None:
        if name and (mended := self._mender.feed(text)):
            self._said.append((name, mended))


def _decoded(escaped: str) -> str:
    return _DECODED.get(escaped, escaped)
