r"""Finds formulas in Markdown: `\(…\)`, `\[…\]`, `$$…$$`, and `$…$` where it cannot be money.

Does not parse TeX. Whether a formula begins at a position depends only on the text up to one character behind its end,
or behind the "th" of "$n$th": `may_become_formula` says so while that is missing, and what is shown of a growing text
does not change. The caller checks first whether code begins there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

INLINE_CHARS, DISPLAY_CHARS, DOLLAR_CHARS = 500, 2_000, 300

# One character of TeX, or a backslash with the character it escapes; no empty line and no other delimiter.
_INSIDE = r"(?:[^\\\n]|\n(?![ \t]*\n)|\\[^()\[\]])"
_INSIDE_DOLLARS = r"(?:[^\\$\n]|\n(?![ \t]*\n)|\\[^\n])"
_INSIDE_DOLLAR = r"(?:[^\\$\n]|\\[^\n])"
# A dollar after a letter or a digit opens no formula: "US$ 3", "5$".
_OPENING_DOLLAR = r"(?<![A-Za-z0-9$\\])\$(?!\$)"
# A dollar before a digit or a word closes no formula ("$5-$10", "$HOME/$USER"), except in "the $n$th".
_CLOSING_DOLLAR = r"(?<!\s)\$(?![0-9$]|(?!(?:th|st|nd|rd|s)\b)[A-Za-z])"

_COMPLETE = {
    "\\(": re.compile(rf"\\\(({_INSIDE}{{1,{INLINE_CHARS}}}?)\\\)"),
    "\\[": re.compile(rf"\\\[({_INSIDE}{{1,{DISPLAY_CHARS}}}?)\\\]"),
    "$$": re.compile(rf"(?<![$\\])\$\$({_INSIDE_DOLLARS}{{1,{DISPLAY_CHARS}}})\$\$"),
    "$": re.compile(rf"{_OPENING_DOLLAR}(?!\s)({_INSIDE_DOLLAR}{{1,{DOLLAR_CHARS}}}){_CLOSING_DOLLAR}"),
}
_PARTIAL = {
    "\\(": re.compile(rf"\\\({_INSIDE}{{0,{INLINE_CHARS}}}\\?\Z"),
    "\\[": re.compile(rf"\\\[{_INSIDE}{{0,{DISPLAY_CHARS}}}\\?\Z"),
    "$$": re.compile(rf"(?<![$\\])\$\${_INSIDE_DOLLARS}{{0,{DISPLAY_CHARS}}}\$?\\?\Z"),
    "$": re.compile(rf"{_OPENING_DOLLAR}(?!\s){_INSIDE_DOLLAR}{{0,{DOLLAR_CHARS}}}\\?\Z"),
}
# A formula whose closing dollar ends the text, or only a beginning of what "the $n$th" allows behind it.
_UNDECIDED_DOLLAR = re.compile(
    rf"{_OPENING_DOLLAR}(?!\s)({_INSIDE_DOLLAR}{{1,{DOLLAR_CHARS}}})(?<!\s)\$(?:th?|st?|nd?|rd?)?\Z"
)
_BACKTICKS = re.compile("`+")
_TEX_TEXT = re.compile(
    r"\\(?:text\w*|math(?:rm|it|sf|bf|tt)|operatorname\*?|mbox)\s*\{[^{}]*(?:\}|\Z)|\\(?:[A-Za-z]+|.|\Z)"
)
_TWO_WORDS = re.compile(r"[^\W\d_]{2,}[,;:]?\s+[^\W\d_]{2,}")
_WORD_BEHIND_AMOUNT = re.compile(r"\d.*?(?:\s[^\W\d_]{2,}(?=[\s.,;:!?)])|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")
_PLAIN = re.compile(r"[\w\s.,;:'’?!–-]*")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_NUMBERS = re.compile(r"[\s\d,;–-]*")


@dataclass(frozen=True, slots=True)
class Formula:
    """The span [start, end) of a formula and the TeX between its delimiters; `is_display` means on its own line."""

    start: int
    end: int
    tex: str
    is_display: bool


def formula_at(text: str, at: int) -> Formula | None:
    """Return the complete formula that begins at a position, if any."""
    opening = _opening(text, at)
    match = _COMPLETE[opening].match(text, at) if opening else None
    if not match or not _is_tex(opening, match[1]):
        return None
    return Formula(at, match.end(), match[1].strip().strip("`").strip(), opening in ("\\[", "$$"))


def may_become_formula(text: str, at: int) -> bool:
    """Whether more text could make a formula of what begins at a position, or could change the formula there."""
    if text[at:] in ("\\", "$"):
        return True
    opening = _opening(text, at)
    if opening == "$" and (closed := _UNDECIDED_DOLLAR.match(text, at)):
        return _is_tex(opening, closed[1])
    partial = _PARTIAL[opening].match(text, at) if opening else None
    return partial is not None and not (opening == "$" and _is_prose(partial[0][1:]))


def code_end(text: str, at: int) -> int | None:
    """Return the end of the code span whose backticks begin at a position; None while nothing closes it."""
    backticks = _BACKTICKS.match(text, at)
    size = len(backticks[0]) if backticks else 0
    closing = (match for match in _BACKTICKS.finditer(text, at + size) if len(match[0]) == size)
    return next((match.end() for match in closing), None)


def _opening(text: str, at: int) -> str:
    """Return the delimiter at a position, or ""."""
    return next((opening for opening in _COMPLETE if text.startswith(opening, at)), "")


def _is_tex(opening: str, tex: str) -> bool:
    return bool(tex.strip(" \t\n`")) and not _is_text(opening, tex)


def _is_text(opening: str, tex: str) -> bool:
    """Whether the text between delimiters is not mathematics: an amount, or escaped brackets."""
    if opening == "$":
        return _is_prose(tex)
    if opening == "$$":
        return bool(_WORD_BEHIND_AMOUNT.match(tex))
    if opening == "\\[" and _NUMBERS.fullmatch(tex):
        return True
    words = sum(bool(_LETTERS.search(word)) for word in tex.split()) if _PLAIN.fullmatch(tex) else 0
    return words >= (1 if opening == "\\[" else 2)


def _is_prose(tex: str) -> bool:
    """Whether two words in a row, or an amount and a word, occur outside TeX's text commands; it stays true."""
    plain = _TEX_TEXT.sub("#", tex)
    return bool(_TWO_WORDS.search(plain) or _WORD_BEHIND_AMOUNT.match(plain))
