"""Markdown that still grows: which of its blocks are finished, and what of the rest can be shown without flicker.

Text in, text out; knows no HTML. What is held back here is only held back: the whole text is shown when it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Link references would let one block change another, HTML and images are never wanted.
RULES_OFF = ("reference", "html_block", "html_inline", "image")

_HALF_CITATION = re.compile(r"\[[0-9]{0,3}\Z")
_CODE_SPAN_OR_ESCAPE = re.compile(r"\\[\s\S]|(?<!`)(`++)[^`]++\1(?!`)")
# The start of a line that may become a list item, a heading, a rule, an underline, a quote or a fence.
_UNDECIDED = re.compile(r"[ \t>]*(?:[-+_=]+|#+|[0-9]{1,9}[.)]?|[`~]+[\w+-]*)?[ \t]*")
_FENCE_END = re.compile(r"[ \t>]*[`~]+[ \t]*")

# A row that is too short gets empty cells. markdown-it-py allows 65,536 of them, which 10 kB of hostile text turn into
# a second of work; the name `rules_block.table` is the function, so its module is asked for by name.
vars(import_module("markdown_it.rules_block.table"))["MAX_AUTOCOMPLETED_CELLS"] = 4_000

_markdown = MarkdownIt("js-default", {"maxNesting": 20}).disable(RULES_OFF)


def last_block_line(lines: Sequence[str]) -> int:
    """Where the last top-level block of these complete lines begins; no further line can change what is before it."""
    starts = [token.map[0] for token in _structure("".join(lines)) if token.level == 0 and token.map]
    return max(starts, default=0)


def steady(text: str) -> str:
    """What of a growing text will still look so a moment later; open `**` and backticks are closed."""
    head, newline, line = text.rpartition("\n")
    if _ends_in_code(text):
        return head if _FENCE_END.fullmatch(line) else text
    line = _HALF_CITATION.sub("", line.rstrip("*`"))
    if _UNDECIDED.fullmatch(line):
        line = ""
    return _closed(_without_half_table(head + newline + line))


def _structure(text: str) -> list[Token]:
    """The blocks alone, without what their lines mean: cheap."""
    tokens: list[Token] = []
    _markdown.block.parse(text, _markdown, {}, tokens)
    return tokens


def _last_leaf(text: str) -> Token | None:
    return next((token for token in reversed(_structure(text)) if token.nesting >= 0), None)


def _ends_in_code(text: str) -> bool:
    leaf = _last_leaf(text + "x")  # the x stands where more text would
    return leaf is not None and leaf.type in ("fence", "code_block")


def _without_half_table(text: str) -> str:
    """A table is shown from its delimiter row on, and then row by row."""
    lines = text.removesuffix("\n").split("\n")
    is_half = not text.endswith("\n")
    rows = 0
    while rows < len(lines) and lines[-1 - rows].lstrip(" >").startswith("|"):
        rows += 1
    complete = lines[len(lines) - rows : len(lines) - is_half]
    in_table = any(_is_delimiter(row) for row in complete[1:])
    held = int(is_half) if in_table else 1 + is_half  # a line that may be a header, what may become its delimiter
    return "".join(line + "\n" for line in lines[: -min(held, rows)]) if min(held, rows) else text


def _is_delimiter(row: str) -> bool:
    return "-" in row and set(row) <= set("|:- \t>")


def _closed(text: str) -> str:
    """The text, with the code span and the bold that are open at its end closed."""
    shown = text.rstrip()
    leaf = _last_leaf(shown)
    if leaf is None or leaf.type != "inline" or not shown.endswith(leaf.content.rpartition("\n")[2]):
        return text
    prose = _CODE_SPAN_OR_ESCAPE.sub(" ", leaf.content)
    before_code = prose.partition("`")[0]
    opened = re.match("`*", prose[len(before_code) :])
    return shown + (opened[0] if opened else "") + "**" * (before_code.count("**") % 2)
