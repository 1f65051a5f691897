"""Mending a reply's text (whole characters, one kind of line end), and tracking where it is Markdown code. Pure."""

from __future__ import annotations

import re

_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")  # where str.splitlines cuts
_RUN = re.compile("`+|~+|\n|[^`~\n]+")
_BEFORE_FENCE = re.compile(r"[ \t>]*(?:[-*+]|\d{1,2}[.)])?[ \t]*")


class TextMender:
    """Joins surrogate pairs that some providers cut between two chunks, and makes every line end a "\\n".

    The first half of a pair waits for its second; a half without the other becomes U+FFFD, since JSON and SQLite refuse
    lone halves.
    """

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Mend the next delta, so that it can be encoded."""
        if text.isascii() and not self._half and "\r" not in text:
            return _LINE_END.sub("\n", text)
        text, self._half = self._half + text, ""
        if text and ("\ud800" <= text[-1] <= "\udbff" or text[-1] == "\r"):
            text, self._half = text[:-1], text[-1]
        return _LINE_END.sub("\n", whole_text(text))

    def finish(self) -> str:
        """Return the character that waited for more."""
        half, self._half = self._half, ""
        return _LINE_END.sub("\n", whole_text(half))


def whole_text(text: str) -> str:
    """Return `text` with surrogate pairs joined and lone halves replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class CodeTracker:
    """Tells whether the next character is in Markdown code: a fenced block, or a span between backticks in one line."""

    def __init__(self) -> None:
        self.fence = ""  # the run that opened the block
        self._span = 0  # backticks that opened the span
        self._run = ""  # the last backticks or tildes: more of them may follow
        self._line = ""  # the line so far, as long as a fence may begin after it
        self._may_fence = True
        self._in_info = False  # after the run that opened the block, on its line
        self._closed = ""  # the fence that the last run closed, if only blanks follow

    def feed(self, text: str) -> None:
        """Read more text, in any chunks."""
        for match in _RUN.finditer(text):
            part = match[0]
            if part[0] in "`~":
                if self._run and self._run[0] != part[0]:
                    self._settle()
                self._run += part
                continue
            self._settle()
            if part == "\n":
                self._span, self._line, self._may_fence, self._in_info, self._closed = 0, "", True, False, ""
            else:
                if self._closed and part.strip():
                    self.fence, self._closed = self._closed, ""
                self._line += part if self._may_fence else ""
                self._may_fence = self._may_fence and bool(_BEFORE_FENCE.fullmatch(self._line))

    def inside(self) -> bool:
        """Whether the next character, which is no backtick, is code."""
        self._settle()
        return bool(self.fence or self._span)

    def _settle(self) -> None:
        run, self._run = self._run, ""
        if not run:
            return
        may_fence, self._may_fence = self._may_fence, False
        if self.fence and not self._in_info:
            if may_fence and run[0] == self.fence[0] and len(run) >= len(self.fence):
                self._closed, self.fence = self.fence, ""
        elif self.fence:
            if run[0] == "`" == self.fence[0]:  # a code span on one line, not a block
                self._span = 0 if len(run) == len(self.fence) else len(self.fence)
                self.fence = ""
        elif self._span:
            self._span = 0 if run[0] == "`" and len(run) == self._span else self._span
        elif may_fence and len(run) >= 3:
            self.fence, self._in_info = run, True
        elif run[0] == "`":
            self._span = len(run)
