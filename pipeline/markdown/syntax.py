r"""What answers are written in beyond CommonMark: formulas, citations, `<br>`, task lists, bold beside Chinese.

Rules for markdown-it's parsers, source to tokens; knows no HTML. Citations are looked for where `env` names "titles".
"""

from __future__ import annotations

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

from pipeline.citations.formulas import formula_at
from pipeline.citations.markers import STARTS, leaked_marker_chars, marker_at

_LINE_BREAK = re.compile(r"<br[ \t]*/?>", re.IGNORECASE)
_RAISED = re.compile(r"<sup>(?=\[\^?\d)|</sup>", re.IGNORECASE)  # around a citation
_TASK = re.compile(r"\[([ xX])\][ \t]+(?=\S)")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
_AFTER_FORMULA = re.compile(r"[ \t]*[.,;:]?[ \t]*(?=\n|\Z)")
INTERRUPTED = ["paragraph", "reference", "blockquote", "list"]  # the blocks that a fence or a formula ends


def add_syntax(markdown: MarkdownIt) -> None:
    """All of it."""
    markdown.block.ruler.before("fence", "formula_block", formula_block, {"alt": INTERRUPTED})
    for start in STARTS:
        markdown.inline.add_terminator_char(start)
    markdown.inline.ruler.before("escape", "formula", _formula)
    markdown.inline.ruler.before("link", "citation", _citation)
    markdown.inline.ruler.push("line_break", _line_break)
    markdown.inline.ruler.push("raised", _raised)
    markdown.core.ruler.after("inline", "tasks", _tasks)
    inline = _Inline()
    inline.ruler, inline.ruler2, inline.terminator_re = (
        markdown.inline.ruler,
        markdown.inline.ruler2,
        markdown.inline.terminator_re,
    )
    markdown.inline = inline


def formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula on lines of its own. What opens one and never closes it is a paragraph up to the next empty line."""
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    if not first.startswith(("$$", "\\[")) or state.is_code_block(start):
        return False
    if ("$$" if first[0] == "$" else "\\]") in first[2:] and not _whole_lines(first):
        return False  # it stands within a sentence
    if not silent:
        _add_formula_block(state, start, _last_line(state, start, end))
    return True


def _last_line(state: StateBlock, start: int, end: int) -> int:
    """The line behind what may belong to a formula that begins at `start`."""
    for line in range(start + 1, end):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return line
        if _FENCE.match(state.src, state.bMarks[line], state.eMarks[line]):
            return line
    return end


def _add_formula_block(state: StateBlock, start: int, end: int) -> None:
    text = state.getLines(start, end, state.blkIndent, False).strip()
    if tex := _whole_lines(text):
        state.line = start + text[: tex[1]].count("\n") + 1
        token = state.push("formula_block", "div", 0)
        token.content, token.map = tex[0], [start, state.line]
        return
    state.line = end
    state.push("paragraph_open", "p", 1).map = [start, end]
    inline = state.push("inline", "", 0)
    inline.content, inline.map, inline.children = text, [start, end], []
    state.push("paragraph_close", "p", -1)


def _whole_lines(text: str) -> tuple[str, int] | None:
    """The TeX of the formula that the text begins with, and where it ends, if nothing else stands on its lines."""
    formula = formula_at(text, 0)
    after = _AFTER_FORMULA.match(text, formula.end) if formula else None
    return (formula.tex, formula.end) if formula and after else None


def _formula(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "\\$":
        return False
    formula = formula_at(state.src, state.pos)
    if formula is None or formula.end > state.posMax:
        return False
    if not silent:
        token = state.push("formula", "span", 0)
        token.content, token.meta = formula.tex, {"is_display": formula.is_display}
    state.pos = formula.end
    return True


def _citation(state: StateInline, silent: bool) -> bool:
    """A marker, or what a tool left of one of its own. Silently nothing: brackets do not end the text of a link."""
    if silent or "titles" not in state.env or state.src[state.pos] not in STARTS:
        return False
    if leaked := leaked_marker_chars(state.src, state.pos):
        state.pos += leaked
        return True
    marker = None if state.linkLevel else marker_at(state.src, state.pos)
    if marker is None or marker.end > state.posMax:
        return False
    state.push("citation", "", 0).meta = {"ranges": marker.ranges}
    state.pos = marker.end
    return True


def _line_break(state: StateInline, silent: bool) -> bool:
    match = _LINE_BREAK.match(state.src, state.pos)
    if not match:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = match.end()
    return True


def _raised(state: StateInline, silent: bool) -> bool:
    """HTML that raises a citation, which stands raised anyway."""
    match = _RAISED.match(state.src, state.pos)
    is_closing = state.src.startswith("</", state.pos)
    if (
        not match
        or "titles" not in state.env
        or (is_closing and not (state.tokens and state.tokens[-1].type == "citation"))
    ):
        return False
    if is_closing and state.pending:
        return False
    state.pos = match.end()
    return True


def _tasks(state: StateCore) -> None:
    """`[ ]` and `[x]` at the beginning of a list's item → a box."""
    for item, paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if item.type != "list_item_open" or paragraph.type != "paragraph_open" or not inline.children:
            continue
        first, match = inline.children[0], _TASK.match(inline.content)
        if match and first.type == "text" and first.content.startswith(match[0]):
            first.content = first.content[match.end() :]
            inline.children.insert(0, Token("task", "input", 0, meta={"is_done": match[1] != " "}))
            item.attrJoin("class", "task")


_ENDS_BOLD = tuple(":.!?;")  # "**Note:**text", which CommonMark leaves as it is


class _Inline(ParserInline):
    """Inline Markdown whose emphasis may stand beside Chinese, Japanese and Korean."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _State(StateInline):
    """CommonMark's rule for what opens and closes emphasis takes blanks between words for granted.

    Here a wide character allows it as punctuation does, and never forbids it: https://github.com/tats-u/markdown-cjk-friendly
    """

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        scanned = super().scanDelims(start, canSplitWord)
        end = start + scanned.length
        if scanned.length > 1 and canSplitWord and self.src[start - 1 : start] in _ENDS_BOLD:
            is_within = end < self.posMax and self.src[end].isalnum()
            scanned = Scanned(scanned.can_open, scanned.can_close or is_within, scanned.length)
        before = self.src[start - 1] if start else " "
        after = self.src[end] if end < self.posMax else " "
        if not (_is_wide(before) or _is_wide(after)):
            return scanned
        opens = not isWhiteSpace(ord(after)) and (not _is_mark(after) or _allows(before))
        closes = not isWhiteSpace(ord(before)) and (not _is_mark(before) or _allows(after))
        if canSplitWord:
            return Scanned(opens, closes, scanned.length)
        return Scanned(
            opens and (not closes or _is_punct(before)), closes and (not opens or _is_punct(after)), scanned.length
        )


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WFH"


def _is_punct(char: str) -> bool:
    return isMdAsciiPunct(ord(char)) or isPunctChar(char)


def _is_mark(char: str) -> bool:
    """Punctuation that asks for a blank or other punctuation on the other side."""
    return _is_punct(char) and not _is_wide(char)


def _allows(char: str) -> bool:
    return isWhiteSpace(ord(char)) or _is_punct(char) or _is_wide(char)
