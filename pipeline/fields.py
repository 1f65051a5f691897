"""The raw deltas of one reply → (field, text), exactly, whatever the chunk sizes.

The grammar is that of DSPy's `ChatAdapter.parse`: a header is a line that begins with `[[ ## name ## ]]`, a field's
first header wins, any other header ends the field before it, and the blanks around a field do not count. DSPy's own
listeners lose text (https://github.com/stanfordnlp/dspy/pull/10459) and keep state between calls, hence this reader.
Invariant: for any text and any chunking the pieces of a field add up to the same string. No I/O, no dspy.
"""

from __future__ import annotations

import re
from collections.abc import Collection

Piece = tuple[str, str]

_HEADER = re.compile(r"\[\[ ## (\w+) ## \]\]")
_HEAD, _TAIL = "[[ ## ", " ## ]]"
_BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"  # where str.splitlines cuts
_LINE_END = re.compile(f"[{_BREAKS}]")


class FieldReader:
    """Reads one reply. `feed` each delta, then `finish` once; both say the pieces that are certain by now."""

    def __init__(self, fields: Collection[str]) -> None:
        self._wanted = frozenset(fields)
        self._seen: set[str] = set()
        self._field: str | None = None
        self._begun = False  # whether the field has had anything but blanks
        self._blanks = ""  # said only once something follows them
        self._line: str | None = ""  # the line so far while it may become a header; None once it cannot
        self._cut_cr = False  # a \r came last: a \n would belong to it
        self.preamble = ""  # what came before the first wanted header: all that a model says which ignores the format
        self.headed = False  # whether a wanted header has come

    def feed(self, delta: str) -> list[Piece]:
        """More of the reply → pieces of fields, in order, none of them empty."""
        if self._line is None and not self._cut_cr and not _LINE_END.search(delta):
            return self._say(delta)  # the middle of a line: by far the most usual case
        if self._cut_cr:
            delta, self._cut_cr = "\r" + delta, False
        if delta.endswith("\r"):
            delta, self._cut_cr = delta[:-1], True
        pieces: list[Piece] = []
        for line in delta.splitlines(keepends=True):
            text = line.rstrip(_BREAKS)
            pieces += self._part(text, ends=len(text) < len(line))
        return pieces

    def finish(self) -> list[Piece]:
        """The reply has ended: what was held back because it might have become a header."""
        return self._part("", ends=True) if self._line else []

    def _part(self, text: str, *, ends: bool) -> list[Piece]:
        """A part of one line; `ends` when the line breaks after it."""
        pieces = self._say(text) if self._line is None else self._line_start(self._line + text, ends=ends)
        if ends:
            pieces += self._say("\n")
            self._line = ""
        return pieces

    def _line_start(self, line: str, *, ends: bool) -> list[Piece]:
        stripped = line.strip() if ends else line.lstrip()
        if header := _HEADER.match(stripped):
            self._line = None
            self._open(header[1])
            return self._say(stripped[header.end() :])
        if not ends and may_become_header(stripped):
            self._line = line
            return []
        self._line = None
        return self._say(line)

    def _open(self, name: str) -> None:
        first = name in self._wanted and name not in self._seen
        self._field = name if first else None
        self._seen.add(name)
        self._begun, self._blanks = False, ""
        self.headed = self.headed or first

    def _say(self, text: str) -> list[Piece]:
        if self._field is None:
            if not self.headed:
                self.preamble += text
            return []
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        text = self._blanks + text
        body = text.rstrip()
        self._blanks = text[len(body) :]
        return [(self._field, body)] if body else []


def may_become_header(text: str) -> bool:
    """Whether `text`, which begins a line, is the beginning of a header."""
    if len(text) <= len(_HEAD):
        return _HEAD.startswith(text)
    if not text.startswith(_HEAD):
        return False
    name = re.match(r"\w*", text[len(_HEAD) :])
    rest = text[len(_HEAD) + (name.end() if name else 0) :]
    return not rest or bool(name and name[0] and _TAIL.startswith(rest))


class TextMender:
    """Mends what is no text: half surrogate pairs, which some providers cut between two chunks.

    A first half waits for its second; a half without the other becomes U+FFFD. JSON and SQLite refuse lone halves.
    """

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """The next delta, as text that can be encoded."""
        if text.isascii() and not self._half:
            return text
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return whole_text(text)


def whole_text(text: str) -> str:
    """`text` with surrogate pairs joined and lone halves replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
