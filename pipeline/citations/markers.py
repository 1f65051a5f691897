r"""Finds citation markers in Markdown: their positions and the passages that they name.

`[1]`, `[1, 2]`, `[1-3]`, `[[4]]`, `[^1]`, `^[1]`, `【2†source】`, `[Source 1]`, `(Source 2)`, `[1](https://…)` are
markers; an index (`arr[1] = 5`), a year, a definition (`[1]: …`), code and formulas are not. The forms were collected
from answers of real models and tools. The caller decides what a number without a passage means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.citations.formulas import code_end, formula_at

STARTS = "[^(【［（\ue200"  # the characters that a marker, or the remains of a tool's marker, may begin with

# fmt: off
_NOUNS = (
    "sources", "source", "passages", "passage", "documents", "document", "docs", "doc", "references", "reference",
    "refs", "ref", "citations", "citation", "cite", "contexts", "context", "chunks", "chunk", "quellen", "quelle",
    "fuentes", "fuente", "fonti", "fonte", "fontes",
    "来源", "來源", "资料", "資料", "出典", "文献", "出处", "참고", "출처",
)
# fmt: on
_NOUN = rf"(?:{'|'.join(_NOUNS)})\s{{0,2}}(?:[#:]|no\.|nr\.)?\s{{0,2}}"
_NUMBER = r"\^?(?!0\d)\d{1,3}(?!\d)"
_MARKS, _WORDS = "[,;&、，；–—‑-]", r"\b(?:and|und|et|y|to|bis)\b"
_SEPARATOR = rf"\s{{0,3}}(?:{_MARKS}|{_WORDS})\s{{0,3}}"
_LIST = rf"(?:{_NOUN})?{_NUMBER}(?:{_SEPARATOR}(?:{_NOUN})?{_NUMBER}){{0,20}}"
_NAMED = rf"{_NOUN}{_NUMBER}(?:{_SEPARATOR}(?:{_NOUN})?{_NUMBER}){{0,20}}"
_TITLE = r"(?:\s?[:,–—-]\s[^\[\]()\n]{1,60})?"  # "[Source 1: Storing coffee]", "(Source 2, p. 3)"
_NOTE = r"(?:[:†][^\]】\n]{0,40})?"  # tools add this after the number
_PAGE = r",\s?(?:pp?\.?|pages?|S\.|Seiten?)\s?\d{1,4}(?:\s?[–-]\s?\d{1,4})?\s?"  # "[1, p. 5]"
_SQUARE = rf"\^?(?:\[\[\s?{_LIST}\s?\]\]|\[\s?{_LIST}\s?(?:†[^\]\n]{{0,40}}|{_PAGE})?\]|\[\s?{_NAMED}{_TITLE}\])"
_MARKER = re.compile(
    rf"{_SQUARE}|【\s?{_LIST}\s?{_NOTE}】|［\s?{_LIST}\s?］|\({_NAMED}{_TITLE}\)|（{_NAMED}）",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\((?=https?:|www\.|/|#|\)|[^()\s]{1,80}\.\w{2,4}\))[^()\s]{0,300}(?:\([^()\s]{0,80}\)[^()\s]{0,80})?\)",
    re.IGNORECASE,
)
_NUMBERS = re.compile(rf"[\^\[【［(（\s]*({_LIST})", re.IGNORECASE)
_PIECE = re.compile(r"(\d+)|[–—‑-]|\b(?:to|bis)\b", re.IGNORECASE)
_LEAKED = re.compile("\ue200[^\ue201\n]{0,200}\ue201|[\ue200-\ue20f]|\\[cite_(?:start|end)\\]")

_BEFORE_CHARS = 80
# An identifier as in code, not part of a word with an apostrophe, a hyphen or another script.
_NAME = re.compile(r"(?<![\w'’°$€£-])[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_CODE_NAME = re.compile(
    r"[A-Za-z]|\w*_\w*|[a-z]+[0-9]+|[a-z]{2,}[A-Z][a-z]\w*|[a-z]\w*(?:\.\w+)+"
    r"|arr|args|argv|buf|df|dict|foo|idx|lst|mat|nums|obj|ptr|str|tmp|vec"
)
_AMOUNT = re.compile(r"[0-9]\s?\Z")  # "12 g[1]" is a unit
_ASSIGNED = re.compile(r"(?<![<>!])=\s*(?:[\w.\[\]]+\s*[-+*/]\s*)*\Z")
_CALLED = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\((?:[^()\s]|,\s)*\Z|\w\(\)\Z|\$[A-Za-z_]\w*\Z")
_OPERATOR = re.compile(
    r"\s*(?:[-+*/%:]?=(?!>)|(?:[<>!]=|[<>](?!br\b))\s*[\w\"']|[-+*/]\s*\d|\+\+|--)|\(\)|\.[A-Za-z_]\w*\(|\[[a-z]"
)
_OPERATOR_TO_COME = re.compile(r"(?:\s*[-+*/%:<>!]?=?\s*|\.\w{0,20}|\[|\()\Z")
_LINE_START = re.compile(r"(?:^|\n)[ \t>]*\Z")
_CHAIN = re.compile(r"(?:\[[^\[\]\n]*\])+\Z")
_ALL_MARKERS = re.compile(rf"(?:{_SQUARE})+", re.IGNORECASE)

_PREFIXES = "|".join(
    sorted({noun[:size] for noun in _NOUNS for size in range(1, len(noun) + 1)}, key=len, reverse=True)
)
_LIST_SO_FAR = rf"(?:{_NOUN}|{_WORDS}|\d{{1,3}}(?!\d)|[\s^]|{_MARKS}){{0,60}}(?:{_PREFIXES}|an?|un?|e|t|b|bi)?"
_PARTIAL = re.compile(
    rf"(?:\^?\[\[?{_LIST_SO_FAR}(?:†[^\]\n]{{0,40}})?|\^?\[\[{_LIST_SO_FAR}\]|\^|【[^】\n]{{0,60}}|［{_LIST_SO_FAR}"
    rf"|[(（](?:{_PREFIXES}|{_NOUN}{_LIST_SO_FAR})?|[\[(]\s?{_NAMED}\s?[:,–—-]\s[^\[\]()\n]{{0,60}}"
    rf"|\[cite_\w{{0,5}}|\[\s?{_LIST},\s?[ps][\w. –-]{{0,16}}"
    "|\ue200[^\ue201\n]{0,200})\\Z",
    re.IGNORECASE,
)
_PARTIAL_ADDRESS = re.compile(
    rf"{_SQUARE}(\([^()\s]{{0,300}}(?:\([^()\s]{{0,80}}\)?[^()\s]{{0,80}})?)\Z", re.IGNORECASE
)
_UNDECIDED = re.compile(rf"{_SQUARE}(?P<behind>[^\]\n]{{0,24}})\Z", re.IGNORECASE)
_PARTIAL_CHARS, _ADDRESS_CHARS = 100, 400
_START_CHAR = re.compile(f"[{re.escape(STARTS)}]")

_CANDIDATE_START = re.compile(r"\\|`|\$|[\[^(【［（]")
_FENCE = re.compile(r"(?m)^[ \t>]*(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^[ \t>]*\1[`~]*[ \t]*$|\Z)")


@dataclass(frozen=True, slots=True)
class Marker:
    """The span [start, end) of a marker and the cited numbers as ranges, from first to last inclusive."""

    start: int
    end: int
    ranges: tuple[tuple[int, int], ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every cited number once, in the order written."""
        return tuple(dict.fromkeys(n for first, last in self.ranges for n in range(first, last + 1)))


def marker_at(text: str, at: int) -> Marker | None:
    """Return the marker that begins at a position. The caller skips code, formulas and escaped characters."""
    match = _MARKER.match(text, at)
    ranges = _ranges(match[0]) if match else ()
    if not match or not ranges:
        return None
    start, end = match.span()
    if match[0][0] in "[^" and (_is_index(text, start, end) or _is_definition(text, start, end)):
        return None
    address = _ADDRESS.match(text, end)
    if address and text[max(0, start - 1) : start] == "!":
        return None  # an image
    return Marker(start, address.end() if address else end, ranges)


def markers(text: str) -> tuple[Marker, ...]:
    """Return all markers of a Markdown text, in order."""
    return tuple(_markers(text))


def leaked_marker_chars(text: str, at: int) -> int:
    """Return the length of a tool's internal marker (in private characters) at a position, 0 for none."""
    match = _LEAKED.match(text, at)
    return len(match[0]) if match else 0


def incomplete_marker_start(text: str) -> int:
    """Return where the end of a growing text begins that may become a marker, or whose meaning is still undecided."""
    found: list[int] = []
    for beginning in _START_CHAR.finditer(text, max(0, len(text) - _PARTIAL_CHARS)):
        at = beginning.start()
        undecided = _UNDECIDED.match(text, at)
        if _PARTIAL.match(text, at) or (undecided and _is_undecided(text, at, undecided["behind"])):
            found.append(at)
            break
    opened = text.rfind("](", max(0, len(text) - _ADDRESS_CHARS))
    if opened >= 0 and (address := _PARTIAL_ADDRESS.search(text, max(0, opened - _PARTIAL_CHARS))):
        found.append(address.start(1))
    return min(found, default=len(text))


def _markers(text: str) -> Iterator[Marker]:
    fences = [match.span() for match in _FENCE.finditer(text)]
    at = 0
    while begins := _CANDIDATE_START.search(text, at):
        start, at = begins.span()
        if end := _skipped_until(text, start, fences):
            at = end
        elif marker := marker_at(text, start):
            yield marker
            at = marker.end


def _skipped_until(text: str, at: int, fences: list[tuple[int, int]]) -> int:
    """Return the end of the code, formula or escape at a position, which cannot hold a marker; 0 for none."""
    fence = next((end for start, end in fences if start <= at < end), 0)
    if fence or text[at] == "`":
        return fence or code_end(text, at) or at + 1
    if formula := formula_at(text, at):
        return formula.end
    return at + 2 if text[at] == "\\" else 0


def _ranges(marker: str) -> tuple[tuple[int, int], ...]:
    """Return the cited ranges; () for a descending range, or where a zero shows that it is an interval."""
    found: list[tuple[int, int]] = []
    is_range = False
    numbers = _NUMBERS.match(marker)
    for piece in _PIECE.finditer(numbers[1] if numbers else ""):
        if not piece[1]:
            is_range = True
            continue
        number = int(piece[1])
        if is_range and (not found or found[-1][0] != found[-1][1] or number <= found[-1][0]):
            return ()
        found.append((found.pop()[0], number) if is_range else (number, number))
        is_range = False
    has_zero = any(first == 0 for first, _ in found)
    return () if has_zero and (len(found) > 1 or found[0][1] > 0) else tuple(dict.fromkeys(found))


def _is_index(text: str, start: int, end: int) -> bool:
    """Whether the brackets are code: an index, or a list that is assigned or passed as an argument."""
    before = text[max(0, start - _BEFORE_CHARS) : start]
    if before.endswith("]") and (chain := _CHAIN.search(before)):
        if not _ALL_MARKERS.fullmatch(chain[0]):
            return True  # [words][1]
        before = before[: chain.start()]
    name = _NAME.search(before) if before[-1:].isalnum() or before.endswith("_") else None
    outside = before[: name.start()] if name else before
    if _is_argument(before, outside):
        return True
    if not name:
        return False
    is_unit = len(name[0]) == 1 and _AMOUNT.search(outside)
    return bool((_CODE_NAME.fullmatch(name[0]) and not is_unit) or _OPERATOR.match(text, end))


def _is_argument(before: str, outside: str) -> bool:
    """Whether the brackets follow a shell variable, an opened call or an assignment."""
    called = ("(" in before or "$" in before) and (_CALLED.search(before) or _CALLED.search(outside))
    return bool(called or ("=" in outside and _ASSIGNED.search(outside)))


def _is_definition(text: str, start: int, end: int) -> bool:
    return text[end : end + 1] == ":" and bool(_LINE_START.search(text[max(0, start - _BEFORE_CHARS) : start]))


def _is_undecided(text: str, start: int, behind: str) -> bool:
    before = text[max(0, start - _BEFORE_CHARS) : start]
    if not behind and _LINE_START.search(before):
        return True
    return bool(_NAME.search(before) and _OPERATOR_TO_COME.fullmatch(behind))
