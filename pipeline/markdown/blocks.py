"""The blocks of a text, and the plain text of what is written inline. Text in, tokens and text out; knows no HTML.

What is shown and what is found use the same rules, so that a block on the page is the block that an artifact names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, fence, table
from markdown_it.token import Token

from pipeline.markdown.syntax import INTERRUPTED, add_syntax, formula_block

# Link references would let one block change another, HTML and images are never wanted.
RULES_OFF = ("reference", "html_block", "html_inline", "image")

_UNSHOWABLE = re.compile("[\0\ud800-\udfff\ufdd0-\ufdef]")  # NUL, lone surrogates, noncharacters
_LINE_END = re.compile(r"\r\n?")

# A row that is too short gets empty cells. markdown-it-py allows 65,536 of them, which 10 kB of hostile text turn into
# a second of work; the name `rules_block.table` is the function, so its module is asked for by name.
vars(import_module("markdown_it.rules_block.table"))["MAX_AUTOCOMPLETED_CELLS"] = 4_000

BlockRule = Callable[[StateBlock, int, int, bool], bool]


def clean(text: str) -> str:
    """Replace what cannot be shown, one character by one, and write each line end as a line feed."""
    return _LINE_END.sub("\n", showable(text))


def showable(text: str) -> str:
    """Replace what cannot be shown, one character by one."""
    return _UNSHOWABLE.sub("\ufffd", text)


def prefix_chars(line: str) -> int:
    """Return the length of what lists and quotes around a block may put before one of its further lines."""
    return len(line) - len(line.lstrip(" \t>"))


def structure(text: str) -> list[Token]:
    """Return the blocks alone, without what their lines mean: cheap.

    A fence, a table and a formula hold in `meta["start"]` the character at which they begin.
    """
    tokens: list[Token] = []
    _markdown.block.parse(text, _markdown, {}, tokens)
    return tokens


def plain_text(inline: str) -> str:
    """Return inline Markdown as the text that a reader sees; a formula is its TeX, a break is a line feed."""
    children = [child for token in _markdown.parseInline(inline, {}) for child in token.children or ()]
    return "".join("\n" if child.type in ("softbreak", "hardbreak") else child.content for child in children)


def _located(rule: BlockRule) -> BlockRule:
    """Make a rule note where the block that it adds begins."""

    def located(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        count, at = len(state.tokens), state.bMarks[start] + state.tShift[start]
        is_found = rule(state, start, end, silent)
        if is_found and len(state.tokens) > count:
            state.tokens[count].meta["start"] = at
        return is_found

    return located


def _block_markdown() -> MarkdownIt:
    markdown = MarkdownIt("js-default", {"maxNesting": 20}).disable(RULES_OFF)
    add_syntax(markdown)
    markdown.block.ruler.at("fence", _located(fence), {"alt": INTERRUPTED})
    markdown.block.ruler.at("table", _located(table), {"alt": ["paragraph", "reference"]})
    markdown.block.ruler.at("formula_block", _located(formula_block), {"alt": INTERRUPTED})
    return markdown


_markdown = _block_markdown()
