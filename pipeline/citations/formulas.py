r"""What in a Markdown text is a formula: `\(…\)`, `\[…\]`, `$$…$$`, and `$…$` where it cannot be money.

Knows no TeX. Whether a formula begins somewhere depends on nothing behind the character that follows its end, so a text
that grows never changes its mind about one. Whether code begins there is asked first by whoever reads the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

INLINE_CHARS, DISPLAY_CHARS, DOLLAR_CHARS = 500, 2_000, 300

# One character of TeX, or a backslash with what it escapes; neither an empty line nor another delimiter.
_INSIDE = r"(?:[^\\\n]|\n(?![ \t]*\n)|\\[^()\[\]])"
_INSIDE_DOLLARS = r"(?:[^\\$\n]|\n(?![ \t]*\n)|\\[^\n])"
_INSIDE_DOLLAR = r"(?:[^\\$\n]|\\[^\n])"
# "US$ 3", "5$": a dollar behind a letter or a number opens nothing.
_OPENING_DOLLAR = r"(?<![A-Za-z0-9$\\])\$(?!\$)"
# "$5-$10", "$HOME/$USER": one before a number or a word closes nothing, except in "the $n$th".
_CLOSING_DOLLAR = r"(?<!\s)\$(?![0-9$]|(?!(?:th|st|nd|rd|s)\b)[A-Za-z])"

_WHOLE = {
    "\\(": re.compile(rf"\\\(({_INSIDE}{{1,{INLINE_CHARS}}}?)\\\)"),
    "\\[": re.compile(rf"\\\[({_INSIDE}{{1,{DISPLAY_CHARS}}}?)\\\]"),
    "$$": re.compile(rf"(?<![$\\])\$\$({_INSIDE_DOLLARS}{{1,{DISPLAY_CHARS}}})\$\$"),
    "$": re.compile(rf"{_OPENING_DOLLAR}(?!\s)({_INSIDE_DOLLAR}{{1,{DOLLAR_CHARS}}}){_CLOSING_DOLLAR}"),
}
_HALF = {
    "\\(": re.compile(rf"\\\({_INSIDE}{{0,{INLINE_CHARS}}}\\?\Z"),
    "\\[": re.compile(rf"\\\[{_INSIDE}{{0,{DISPLAY_CHARS}}}\\?\Z"),
    "$$": re.compile(rf"(?<![$\\])\$\${_INSIDE_DOLLARS}{{0,{DISPLAY_CHARS}}}\$?\\?\Z"),
    "$": re.compile(rf"{_OPENING_DOLLAR}(?!\s){_INSIDE_DOLLAR}{{0,{DOLLAR_CHARS}}}\\?\Z"),
}
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
    """The characters [start, end) of a text, and the TeX between its delimiters; `is_display`: on a line of its own."""

    start: int
    end: int
    tex: str
    is_display: bool


def formula_at(text: str, at: int) -> Formula | None:
    """The formula that begins there, if there is a whole one."""
    opening = _opening(text, at)
    match = _WHOLE[opening].match(text, at) if opening else None
    if not match or not match[1].strip(" \t\n`") or _is_text(opening, match[1]):
        return None
    return Formula(at, match.end(), match[1].strip().strip("`").strip(), opening in ("\\[", "$$"))


def may_become_formula(text: str, at: int) -> bool:
    """Whether there begins what more text could make a formula, or could make something else than the formula it is."""
    if text[at:] in ("\\", "$"):
        return True
    opening = _opening(text, at)
    if opening == "$" and (formula := formula_at(text, at)):
        return formula.end == len(text)
    half = _HALF[opening].match(text, at) if opening else None
    return half is not None and not (opening == "$" and _is_prose(half[0][1:]))


def code_end(text: str, at: int) -> int | None:
    """Where the code span ends whose backticks begin there; None while nothing closes it."""
    backticks = _BACKTICKS.match(text, at)
    size = len(backticks[0]) if backticks else 0
    closing = (match for match in _BACKTICKS.finditer(text, at + size) if len(match[0]) == size)
    return next((match.end() for match in closing), None)


def _opening(text: str, at: int) -> str:
    """Which delimiter stands there, or nothing."""
    return next((opening for opening in _WHOLE if text.startswith(opening, at)), "")


def _is_text(opening: str, tex: str) -> bool:
    """Whether what stands between the delimiters is no mathematics: an amount, or brackets that were escaped."""
    if opening == "$":
        return _is_prose(tex)
    if opening == "$$":
        return bool(_WORD_BEHIND_AMOUNT.match(tex))
    if opening == "\\[" and _NUMBERS.fullmatch(tex):
        return True
    words = sum(bool(_LETTERS.search(word)) for word in tex.split()) if _PLAIN.fullmatch(tex) else 0
    return words >= (1 if opening == "\\[" else 2)


def _is_prose(tex: str) -> bool:
    """Whether words follow each other, or a word an amount, outside TeX's own texts. What is, stays so."""
    plain = _TEX_TEXT.sub("#", tex)
    return bool(_TWO_WORDS.search(plain) or _WORD_BEHIND_AMOUNT.match(plain))
