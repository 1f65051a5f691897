"""`JsonReader`: reads a reply that is one JSON object into its fields while it streams, with escapes decoded. Pure.

Accepts what models write for JSON: Python's quotes, line breaks and unescaped quotes inside a text, values that are
lists or objects, a text that breaks off.
"""

from __future__ import annotations

import regex

from pipeline.field_names import THINKING, ReplyFields
from pipeline.replies.text import TextMender

THOUGHTS = "thinking"

_IN_OBJECT = regex.compile(
    r"""(?P<brace>[{}\[\]])|(?:["'“”](?P<key>[^"'“”\n\\{}]{1,60})["'“”]|\b(?P<key>[^\W\d]\w{0,40}))\s*:\s*(?P<first>\S)"""
)
_IN_LIST = regex.compile(r"""(?P<brace>[{}\[\]])|(?P<first>["'])|(?P<scalar>[^\s,{}\[\]"']+)""")
_SCALAR = regex.compile(r"[^\s,{}\[\]\"']+")
_ESCAPE = regex.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|(?P<char>[^u]))")
_TEXT = regex.compile(r"[^\\\"'\n]+|\n")
_DECODED = {"n": "\n", "t": "\t", "r": "\n", "b": "", "f": "\n"}

# Text after a quote that ends a value: the next key, the next text of a list, or the end.
_END = regex.compile(r"""\s*(?:,\s*(?:["'“}\]]|[^\W\d]\w{0,40}\s*:)|[}\]])""")


class JsonReader:
    """Reads one object. Call `feed` with its text, then `finish` once.

    Both return (field, text), and (field, None) where a field begins.
    """

    def __init__(self, fields: ReplyFields) -> None:
        self._fields = fields
        self._buffer = ""
        self._quote = ""  # the quote that opened the text being read, "" between texts
        self._names: list[str | None] = []  # for each open brace or bracket: the field whose value it is in
        self._braces: list[str] = []
        self._counts: list[int] = []  # for each open brace or bracket: its values so far
        self._name: str | None = None  # the field of the next value
        self._pieces: list[tuple[str, str | None]] = []
        self._mender = TextMender()
        self.has_ended = False

    def feed(self, text: str) -> list[tuple[str, str | None]]:
        """Read more of the object. Text after its end stays in `rest`."""
        self._buffer += text
        return self._read(ended=False)

    def finish(self) -> list[tuple[str, str | None]]:
        """End the object, which may be incomplete."""
        return self._read(ended=True)

    @property
    def rest(self) -> str:
        """The text after the object's end."""
        return self._buffer if self.has_ended else ""

    def _read(self, *, ended: bool) -> list[tuple[str, str | None]]:
        while self._buffer and not self.has_ended and (self._string(ended) if self._quote else self._seek(ended)):
            pass
        pieces, self._pieces = self._pieces, []
        return pieces

    def _seek(self, ended: bool) -> bool:
        """Make one step between texts; False when more text is needed."""
        is_list = bool(self._braces) and self._braces[-1] == "["
        match = (_IN_LIST if is_list else _IN_OBJECT).search(self._buffer, partial=not ended)
        if match is None or match.partial:
            self._buffer = self._buffer[match.start() :] if match else ""
            return False
        if brace := match["brace"]:
            self._buffer = self._buffer[match.end() :]
            self._brace(brace)
            return True
        if not is_list:
            self._buffer = self._buffer[match.end() - 1 :]
            return self._value(match["key"], ended)
        if match["scalar"] and match.end() == len(self._buffer) and not ended:
            self._buffer = self._buffer[match.start() :]  # the scalar may be longer
            return False
        self._name = self._names[-1]
        separator = self._separator()
        if match["scalar"]:
            self._buffer = self._buffer[match.end() :]
            self._add_text(self._name, separator + match["scalar"])
        else:
            self._buffer = self._buffer[match.end() - 1 :]
            self._begin(separator)
        return True

    def _separator(self) -> str:
        """Return what stands before the next value of a list, or of an object inside a field's value, and count it.

        An object in a list becomes a line: `- value | value`.
        """
        is_first, is_row = not self._counts[-1], self._is_in_row()
        self._counts[-1] += 1
        if self._braces[-1] == "[":
            return "" if is_first else ", " if is_row else "\n"
        return ("" if is_first else " | ") if is_row else "\n"

    def _is_in_row(self) -> bool:
        """Whether an object in a list of a field's value is open."""
        pairs = zip(self._braces, self._braces[1:], self._names[1:], strict=False)
        return any(outer == "[" and inner == "{" and name for outer, inner, name in pairs)

    def _begin(self, separator: str) -> None:
        """Begin a text at its quote; `separator` is put between it and the text before."""
        self._quote, self._buffer = self._buffer[0], self._buffer[1:]
        self._add_text(self._name, separator)

    def _brace(self, brace: str) -> None:
        if brace in "{[":
            if brace == "{" and self._braces and self._braces[-1] == "[" and not self._is_in_row():
                self._add_text(self._name, "\n- " if self._counts[-1] else "- ")
                self._counts[-1] += 1
            self._names.append(self._name)
            self._braces.append(brace)
            self._counts.append(0)
        elif self._names:
            self._name = self._names.pop()
            self._braces.pop()
            self._counts.pop()
            self.has_ended = not self._names

    def _value(self, key: str, ended: bool) -> bool:
        """Read what follows a key; False when more text is needed."""
        first = self._buffer[0]
        scalar = None if first in "\"'{[" else _SCALAR.match(self._buffer)
        if scalar and scalar.end() == len(self._buffer) and not ended:
            self._buffer = f'"{key}":{self._buffer}'  # the scalar may be longer
            return False
        outer = next((each for each in reversed(self._names) if each), None)
        name = key.strip() if outer and key.strip() in self._fields.outputs else None if outer else self._named(key)
        self._name = name or outer
        if name:
            self._pieces.append((name, None))
        if scalar:
            text = "" if scalar[0] in {"null", "None"} else scalar[0]
            self._add_text(self._name, text if name or not (outer and text) else self._separator() + text)
            self._buffer = self._buffer[scalar.end() :]
        elif first in "\"'":
            self._begin("" if name else self._separator())
        elif not name and self._is_in_row():
            self._add_text(self._name, self._separator())  # before a list or an object in a line
        return True

    def _named(self, key: str) -> str | None:
        name = self._fields.named(key)
        is_thinking = key.casefold().strip() in THINKING and name in (None, "reasoning")
        return THOUGHTS if is_thinking else name

    def _string(self, ended: bool) -> bool:
        """Make one step inside a text; False when more text is needed."""
        first = self._buffer[0]
        if first == "\\":
            escape = _ESCAPE.match(self._buffer, partial=not ended)
            if escape is None or escape.partial:
                self._buffer = self._buffer[1:] if ended or escape is None else self._buffer
                return ended or escape is None
            self._add_text(self._name, chr(int(escape["code"], 16)) if escape["code"] else _decoded(escape["char"]))
            self._buffer = self._buffer[escape.end() :]
        elif first == self._quote:
            end = _END.match(self._buffer, 1, partial=not ended)
            if end is not None and end.partial:
                return False
            if end is None and not (ended and not self._buffer[1:].strip()):
                self._add_text(self._name, first)  # an unescaped quote inside the text
            else:
                self._quote = ""
            self._buffer = self._buffer[1:]
        else:
            text = _TEXT.match(self._buffer)
            length = text.end() if text else 1
            self._add_text(self._name, self._buffer[:length])
            self._buffer = self._buffer[length:]
        return True

    def _add_text(self, name: str | None, text: str) -> None:
        if name and (mended := self._mender.feed(text)):
            self._pieces.append((name, mended))


def _decoded(escaped: str) -> str:
    return _DECODED.get(escaped, escaped)
