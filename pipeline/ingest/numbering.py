"""Writes the numbers that Word counts for the paragraphs of a DOCX: of lists, also resumed ones, and of headings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.ingest.office_xml import attribute, below, children, local, value_of

_WITHOUT = ("bullet", "none")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_ROMAN_ONES = ((9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_MOST = 3999
LEVELS = 9


@dataclass(frozen=True, slots=True)
class _Level:
    """How a level counts: its first number, its format, and the text with %1 for the number of the first level."""

    start: int
    form: str
    text: str
    style: str = ""


@dataclass(slots=True)
class Numbering:
    """Counts while the paragraphs are passed in order."""

    _levels: dict[str, dict[int, _Level]] = field(default_factory=dict)  # of each abstract list
    _lists: dict[str, str] = field(default_factory=dict)  # number of a list → its abstract list
    _starts: dict[tuple[str, int], int] = field(default_factory=dict)  # a list that starts a level anew
    _styles: dict[str, tuple[str, int | None]] = field(default_factory=dict)  # style → list and level
    _counts: dict[str, list[int | None]] = field(default_factory=dict)
    _begun: set[tuple[str, int]] = field(default_factory=set)

    @classmethod
    def of(cls, numbering: Any, styles: Any) -> Numbering:
        """Return the numbering of a document by the roots of its parts, None for one that is missing."""
        found = cls()
        for each in children(numbering):
            number = attribute(each, "abstractNumId") or attribute(each, "numId")
            if local(each) == "abstractNum":
                found._levels[number] = dict(_level(level) for level in each if local(level) == "lvl")
            elif local(each) == "num":
                number = attribute(each, "numId")
                found._lists[number] = value_of(below(each, "abstractNumId"))
                for change in (child for child in each if local(child) == "lvlOverride"):
                    level, start = attribute(change, "ilvl"), value_of(below(change, "startOverride"))
                    if level.isdecimal() and start.isdecimal():
                        found._starts[number, int(level)] = int(start)
        found._styles = _styled(styles)
        return found

    def label(self, paragraph: Any) -> str:
        """Count a paragraph and return its number as Word writes it, "" for one without."""
        number, level = self._place(paragraph)
        abstract = self._lists.get(number, "")
        levels = self._levels.get(abstract, {})
        if level not in levels:
            return ""
        counts = self._counts.setdefault(abstract, [None] * LEVELS)
        if (number, level) in self._starts and (number, level) not in self._begun:
            counts[level] = self._starts[number, level]
        else:
            before = counts[level]
            counts[level] = levels[level].start if before is None else before + 1
        self._begun.add((number, level))
        counts[level + 1 :] = [None] * (LEVELS - level - 1)
        if levels[level].form in _WITHOUT:
            return ""
        text = levels[level].text
        for at in range(level + 1):
            its = levels.get(at)
            count = counts[at]
            if its is not None:
                text = text.replace(f"%{at + 1}", _written(its.start if count is None else count, its.form))
        return text.strip()

    def _place(self, paragraph: Any) -> tuple[str, int]:
        style = value_of(below(paragraph, "pPr", "pStyle"))
        number, styled_level = self._styles.get(style, ("", None))
        own = below(paragraph, "pPr", "numPr")
        if own is not None:
            number = value_of(below(own, "numId")) or number
            level = value_of(below(own, "ilvl"))
            styled_level = int(level) if level.isdecimal() else styled_level
        if styled_level is None:
            levels = self._levels.get(self._lists.get(number, ""), {})
            styled_level = next((at for at, level in levels.items() if style and level.style == style), 0)
        return number, min(styled_level, LEVELS - 1)


def _level(element: Any) -> tuple[int, _Level]:
    number, start = attribute(element, "ilvl"), value_of(below(element, "start"))
    return int(number) if number.isdecimal() else 0, _Level(
        int(start) if start.isdecimal() else 1,
        value_of(below(element, "numFmt")) or "decimal",
        value_of(below(element, "lvlText")),
        value_of(below(element, "pStyle")),
    )


def _styled(styles: Any) -> dict[str, tuple[str, int | None]]:
    """Return style → list and level, also through the styles that it is based on."""
    elements = {attribute(each, "styleId"): each for each in children(styles) if local(each) == "style"}
    found: dict[str, tuple[str, int | None]] = {}
    for name in elements:
        at, seen = name, set[str]()
        while at in elements and at not in seen:
            seen.add(at)
            numbered = below(elements[at], "pPr", "numPr")
            if numbered is not None and (number := value_of(below(numbered, "numId"))):
                level = value_of(below(numbered, "ilvl"))
                found[name] = (number, int(level) if level.isdecimal() else None)
                break
            at = value_of(below(elements[at], "basedOn"))
    return found


def _written(count: int, form: str) -> str:
    match form:
        case "lowerLetter" | "upperLetter" if count > 0:
            letters = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 % 10 + 1)
            return letters.upper() if form == "upperLetter" else letters
        case "lowerRoman" | "upperRoman" if 0 < count <= _MOST:
            return _roman(count).upper() if form == "upperRoman" else _roman(count)
        case "decimalZero":
            return f"{count:02d}"
        case form if form in _WITHOUT:
            return ""
        case _:
            return str(count)


def _roman(count: int) -> str:
    text = ""
    for value, letters in (*_ROMAN, *_ROMAN_ONES):
        text += letters * (count // value)
        count %= value
    return text


def labels_of(numbering: Numbering, body: Any) -> Mapping[Any, str]:
    """Return paragraph → number for all that have one, in the order of the document."""
    found = {}
    for paragraph in body.iter("{*}p"):
        if label := numbering.label(paragraph):
            found[paragraph] = label
    return found
