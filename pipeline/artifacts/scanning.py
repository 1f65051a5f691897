"""Finds the artifacts of one text while it grows: fenced code, tables, formulas on their own, whole documents.

Markdown-it decides what a block is. It is asked again only at a line that may complete one, and only for the last
top-level block, since earlier ones cannot change. Such a block may be long, as a list with code in its items, so the
characters that are parsed are limited to PARSED_TIMES those of the text: where that is used up, an artifact is found a
few lines later. All depends on whole lines alone, so every chunking of a text gives the same artifacts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from markdown_it.token import Token

from pipeline.artifacts.documents import Outline
from pipeline.artifacts.titles import code_title, formula_title, heading_title, table_title
from pipeline.citations.formulas import code_end, formula_at
from pipeline.events import ArtifactType
from pipeline.markdown.blocks import prefix_chars, showable, structure

PARSED_TIMES = 8
FORMULA_LANGUAGES, DOCUMENT_LANGUAGES = frozenset({"math"}), frozenset({"markdown", "md"})
CELLS = ("th_open", "td_open")  # of a table, which is an artifact as a whole

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r(?=.))", re.DOTALL)  # a carriage return at the end may be half a line end
_FENCE = re.compile(r"`{3}|~{3}")
_FENCE_END = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*\n")
_FORMULA_END = re.compile(r"(?:\$\$|\\\])[ \t]*[.,;:]?[ \t]*\n")
_BLOCK_START = re.compile(r"[ \t>]*(?:#|[-+*_]|\d+[.)]|>)")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}", re.ASCII)
_DISPLAY = re.compile(r"\$\$|\\\[")
_SPAN = re.compile(r"`|\\|\$")


@dataclass(frozen=True, slots=True)
class Found:
    """An artifact of a text; see `ArtifactFound`."""

    type: ArtifactType
    language: str
    title: str
    start: int
    end: int


class _Line(NamedTuple):
    """A line of the text: its first character, the one behind its last, and its text as markdown-it reads it."""

    start: int
    end: int
    text: str


class _OpenFence(NamedTuple):
    """A fence that nothing closes yet; `column` is 0 for one that no list and no quote holds."""

    marker: str
    column: int


class FieldScanner:
    """The artifacts of one text, which comes in pieces that are cut anywhere."""

    def __init__(self) -> None:
        self._pending: list[str] = []  # of the last line
        self._at = 0  # characters in whole lines
        self._lines: list[_Line] = []  # from the start of the last top-level block on
        self._chars = 0  # in those lines
        self._offsets: list[int] = [0]  # of each of them, in what is parsed
        self._credit = 0  # characters that may be parsed
        self._must_parse = False
        self._fence: _OpenFence | None = None
        self._in_table = False
        self._found_until = 0
        self._heading = self._paragraph = ""  # the last heading, and the paragraph directly before the lines
        self._outline = Outline()

    def add(self, text: str) -> list[Found]:
        """Add text → the artifacts that it completes."""
        may_end_line = bool(self._pending) and self._pending[-1].endswith("\r")
        self._pending.append(text)
        if not may_end_line and "\n" not in text and "\r" not in text:
            return []
        buffered, end, found = "".join(self._pending), 0, list[Found]()
        for match in _LINE.finditer(buffered):
            end = match.end()
            found += self._add_line(match[0])
        self._pending = [buffered[end:]] if end < len(buffered) else []
        return found

    def end(self) -> list[Found]:
        """End the text → the artifacts that are complete by that: an unclosed fence, a last table, the document."""
        rest = "".join(self._pending)
        if rest:
            self._append(rest)
        found = self._parse(is_final=True)
        document = self._outline.document(self._at)
        return [*found, Found("document", "markdown", *document)] if document else found

    def _append(self, raw: str) -> _Line:
        text = raw.rstrip("\r\n")
        line = _Line(self._at, self._at + len(text), showable(text) + "\n")
        self._at += len(raw)
        self._lines.append(line)
        self._chars += len(line.text)
        self._credit += PARSED_TIMES * len(line.text)
        return line

    def _add_line(self, raw: str) -> list[Found]:
        line = self._append(raw)
        self._must_parse = self._must_parse or self._may_complete(line.text)
        if not self._must_parse or self._credit < self._chars:
            return []
        return self._parse(is_final=False)

    def _may_complete(self, line: str) -> bool:
        """Whether a line may complete a block or open a fence; a line that does neither costs no parsing."""
        if self._fence:
            closing = _FENCE_END.fullmatch(line)
            if closing:
                return closing[1].startswith(self._fence.marker)
            return bool(line.strip()) and prefix_chars(line) < self._fence.column
        if not line.strip() or _FENCE.search(line) or _FORMULA_END.search(line):
            return True
        self._in_table = self._in_table or "|" in line
        return self._in_table and ("|" not in line or bool(_BLOCK_START.match(line)))

    def _parse(self, *, is_final: bool) -> list[Found]:
        """Return the artifacts that are complete, and forget the blocks that no later line can change."""
        self._credit -= self._chars
        self._must_parse = False
        tokens, count = structure("".join(line.text for line in self._lines)), len(self._lines)
        self._offsets = [0, *accumulate(len(line.text) for line in self._lines)]
        found, heading = [], self._heading
        for at, token in enumerate(tokens):
            if token.type == "heading_open":
                heading = heading_title(tokens[at + 1].content)
            for each in self._complete(tokens, at, heading, is_final=is_final):
                if each.start >= self._found_until:
                    self._found_until = each.end
                    found.append(each)
        self._fence = None if is_final else self._open_fence(tokens, count)
        self._forget(tokens, is_final=is_final)
        self._in_table = any("|" in line.text for line in self._lines)
        return found

    def _complete(self, tokens: Sequence[Token], at: int, heading: str, *, is_final: bool) -> Iterator[Found]:
        token, count = tokens[at], len(self._lines)
        if not token.map or self._lines[token.map[0]].end <= self._found_until:
            return
        is_past = is_final or token.map[1] < count
        if token.type == "fence":
            if (is_past or _is_closed(token)) and token.content.strip():
                yield self._fenced(token, heading)
        elif token.type == "table_open":
            if is_past:
                yield self._located("table", "", table_title(tokens, at, self._paragraph), token)
        elif token.type == "formula_block":
            yield self._located("formula", "latex", formula_title(token.content), token)
        elif token.type == "inline" and is_past and tokens[at - 1].type not in CELLS and _DISPLAY.search(token.content):
            yield from self._formulas(token)

    def _fenced(self, token: Token, heading: str) -> Found:
        word = token.info.strip().partition(" ")[0]
        match = _LANGUAGE.match(word)
        language = match[0].lower() if match else ""
        if language in FORMULA_LANGUAGES:
            return self._located("formula", "latex", formula_title(token.content), token)
        if language in DOCUMENT_LANGUAGES:
            title = Outline.of(token.content).title or code_title(token.info, token.content, heading)
            return self._located("document", "markdown", title, token)
        return self._located("code", language, code_title(token.info, token.content, heading), token)

    def _located(self, type_: ArtifactType, language: str, title: str, token: Token) -> Found:
        first, behind = token.map or (0, 0)
        column = token.meta["start"] - self._offsets[first]
        last = behind - 1
        while last > first and not self._lines[last].text.strip():
            last -= 1
        return Found(type_, language, title, self._lines[first].start + column, self._lines[last].end)

    def _formulas(self, inline: Token) -> Iterator[Found]:
        """Return the formulas within a paragraph that stand on lines of their own when they are shown."""
        content, at = inline.content, 0
        while span := _SPAN.search(content, at):
            start = span.start()
            formula = None if content[start] == "`" else formula_at(content, start)
            if formula:
                at = formula.end
                if formula.is_display:
                    first, behind = self._place(inline, start), self._place(inline, formula.end - 1) + 1
                    yield Found("formula", "latex", formula_title(formula.tex), first, behind)
            elif content[start] == "`":
                backticks = len(content) - start - len(content[start:].lstrip("`"))
                at = code_end(content, start) or start + backticks
            else:
                at = start + 1 + (content[start] == "\\")

    def _place(self, inline: Token, at: int) -> int:
        """Return the character of the text that a character of a paragraph is."""
        number = inline.content.count("\n", 0, at)
        line_start = inline.content.rfind("\n", 0, at) + 1
        written = inline.content[line_start:].partition("\n")[0]
        line = self._lines[(inline.map or [0])[0] + number]
        return line.start + max(line.text.find(written), 0) + at - line_start

    def _open_fence(self, tokens: Sequence[Token], count: int) -> _OpenFence | None:
        last = next((token for token in reversed(tokens) if token.nesting >= 0), None)
        if last is None or last.type != "fence" or not last.map or last.map[1] < count or _is_closed(last):
            return None
        column = last.meta["start"] - self._offsets[last.map[0]]
        return _OpenFence(last.markup, column if last.level else 0)

    def _forget(self, tokens: Sequence[Token], *, is_final: bool) -> None:
        count = len(self._lines)
        tops = [at for at, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0 and token.map]
        cut, last = count, len(tokens)
        if tops and not (is_final or _is_over(tokens[tops[-1]], count)):
            last = tops[-1]
            cut = (tokens[last].map or [0])[0]
        for at in tops:
            if at < last:
                self._outline.add(tokens, at, self._lines[(tokens[at].map or [0])[0]].start)
                self._paragraph = tokens[at + 1].content if tokens[at].type == "paragraph_open" else ""
        for at, token in enumerate(tokens[:last]):
            if token.type == "heading_open":
                self._heading = heading_title(tokens[at + 1].content)
        del self._lines[:cut]
        self._chars = sum(len(line.text) for line in self._lines)


def _is_closed(fence: Token) -> bool:
    """Whether the last line of a fence closes it."""
    first, behind = fence.map or (0, 0)
    return behind - first == fence.content.count("\n") + 2


def _is_over(block: Token, count: int) -> bool:
    """Whether no line behind the last of `count` lines can belong to a top-level block."""
    if block.type in ("heading_open", "hr", "formula_block"):
        return True
    if block.type == "fence":
        return _is_closed(block)
    return block.type in ("paragraph_open", "table_open") and bool(block.map) and (block.map or [0, 0])[1] < count
