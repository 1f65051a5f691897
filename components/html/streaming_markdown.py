"""Markdown that still grows: which of its blocks are finished, and what of the rest can be shown without flicker.

Text in, text out; knows no HTML. What is held back here is only held back: the whole text is shown when it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from pipeline.citations.formulas import code_end, formula_at, may_become_formula
from pipeline.citations.markers import incomplete_marker_start
from pipeline.markdown.blocks import structure

_END = "\ufdd0"  # stands where more text would; cleaned text cannot hold it
_HALF_BREAK = re.compile(r"<(?:b(?:r[ \t]*/?)?|/?s(?:u(?:p>?)?)?|/)?\Z", re.IGNORECASE)
_HALF_TASK = re.compile(r"(?<!\S)\[[ xX]?(?:\][ \t]*)?\Z")
# Characters that may begin a formula, a code span or an escape.
_SPAN = re.compile(r"`|\\|\$")
# The start of a line that may become a list item, a heading, a rule, an underline, a quote or a fence.
_UNDECIDED = re.compile(r"[ \t>]*(?:[-+_=]+|#+|[0-9]{1,9}[.)]?|[`~]+[\w+-]*)?[ \t]*")
_FENCE_END = re.compile(r"[ \t>]*[`~]+[ \t]*")


def last_block_line(lines: Sequence[str]) -> int:
    """Return the line at which the last top-level block begins; later lines cannot change the blocks before it."""
    starts = [token.map[0] for token in structure("".join(lines)) if token.level == 0 and token.map]
    return max(starts, default=0)


def steady(text: str) -> str:
    """Return the part of a growing text that later text will not render differently; close open `**` and backticks."""
    last = _last_block(text + _END)
    if last is not None and last.type in ("fence", "code_block"):
        head, _, line = text.rpartition("\n")
        return head if _FENCE_END.fullmatch(line) else text
    head, newline, line = text.rpartition("\n")
    text = _without_half(text if line.strip() else head + newline)
    head, newline, line = text.rpartition("\n")
    line = _HALF_TASK.sub("", line.rstrip("*`"))
    if _UNDECIDED.fullmatch(line):
        line = ""
    return _closed(_without_half_table(head + newline + line))


def _last_block(text: str) -> Token | None:
    return next((token for token in reversed(structure(text)) if token.nesting >= 0), None)


def _without_half(text: str) -> str:
    """The text without what of its last paragraph may become a formula, a citation or another thing of one piece."""
    stem = text.removesuffix("\n")
    last = _last_block(stem + _END)
    is_whole = last is not None and last.type == "inline" and last.content.endswith(_END)
    paragraph = last.content[:-1] if last and is_whole else stem.rpartition("\n")[2]
    held = paragraph[_held_from(paragraph) :]
    if not held:
        return text
    lines = stem.split("\n")
    del lines[len(lines) - held.count("\n") :]  # a paragraph's lines are those of the text, without what is before them
    lines[-1] = lines[-1][: len(lines[-1]) - len(held.partition("\n")[0])]
    return "\n".join(lines)


def _held_from(paragraph: str) -> int:
    prose, opened = _prose(paragraph)
    if opened is not None:
        return opened if paragraph[opened] != "`" else len(paragraph)
    ends = [match.start() for match in (_HALF_BREAK.search(prose), _HALF_TASK.search(prose)) if match]
    return min([incomplete_marker_start(prose), *ends])


def _prose(paragraph: str) -> tuple[str, int | None]:
    """The text with blanks in the place of code and formulas, and where a piece of those begins that is still open."""
    pieces, at = [], 0
    while span := _SPAN.search(paragraph, at):
        start = span.start()
        end = _end_of(paragraph, start)
        pieces += [paragraph[at:start], " " * ((end or len(paragraph)) - start)]
        if end is None:
            return "".join(pieces), start
        at = end
    return "".join([*pieces, paragraph[at:]]), None


def _end_of(paragraph: str, at: int) -> int | None:
    """The end of the code, the formula or the escape that begins there; None while it is open."""
    if paragraph[at] == "`":
        return code_end(paragraph, at)
    if may_become_formula(paragraph, at):
        return None
    if formula := formula_at(paragraph, at):
        return formula.end
    return at + 1 + (paragraph[at] == "\\")


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
    last = _last_block(shown)
    if last is None or last.type != "inline" or not shown.endswith(last.content.rpartition("\n")[2]):
        return text
    prose, opened = _prose(last.content)
    code = re.match("`+", last.content[opened:]) if opened is not None else None
    return shown + (code[0] if code else "") + "**" * (prose.count("**") % 2)
