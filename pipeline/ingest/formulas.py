"""Writes formulas of Office files (OMML, ECMA-376 part 1, 22.1) in one line: a² + b², (a + b)/c, √(x), ∑_(i=1)^n."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.ingest.office_xml import below, children, local, value_of

_RAISED = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-=()aeoxhklmnpst", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₕₖₗₘₙₚₛₜ")
_SUM, _OPEN, _CLOSE, _BETWEEN = "∫", "(", ")", "|"
_DEEPEST = 50


def formula_text(element: Any, depth: int = 0) -> str:
    """Return a formula, or a part of one, as text in one line."""
    if depth > _DEEPEST:
        return "".join(element.itertext())
    return "".join(_part(child, depth + 1) for child in children(element))


def _part(element: Any, depth: int) -> str:
    def inner(*path: str) -> str:
        found = below(element, *path)
        return "" if found is None else formula_text(found, depth).strip()

    match local(element):
        case "r" | "t":
            return "".join(each.text or "" for each in element.iter("{*}t"))
        case "sSup":
            return inner("e") + _script("^", inner("sup"))
        case "sSub":
            return inner("e") + _script("_", inner("sub"))
        case "sSubSup" | "sPre":
            return inner("e") + _script("_", inner("sub")) + _script("^", inner("sup"))
        case "f":
            return f"{_grouped(inner('num'))}/{_grouped(inner('den'))}"
        case "rad":
            degree = inner("deg")
            return f"{degree.translate(_RAISED)}√{_always(inner('e'))}"
        case "nary":
            sign = value_of(below(element, "naryPr", "chr")) or _SUM
            return f"{sign}{_script('_', inner('sub'))}{_script('^', inner('sup'))} {inner('e')}"
        case "d":
            return _delimited(element, depth)
        case "func":
            return f"{inner('fName')} {inner('e')}"
        case "limLow":
            return f"{inner('e')}{_script('_', inner('lim'))}"
        case "limUpp":
            return f"{inner('e')}{_script('^', inner('lim'))}"
        case "m":
            return "[" + "; ".join(", ".join(_entries(row, depth)) for row in element if local(row) == "mr") + "]"
        case "eqArr":
            return "; ".join(_entries(element, depth))
        case "acc" | "bar" | "box" | "borderBox" | "groupChr" | "phant":
            return inner("e")
        case name if name.endswith("Pr") or not name:
            return ""
        case _:
            return formula_text(element, depth)


def _entries(element: Any, depth: int) -> Sequence[str]:
    return [formula_text(each, depth).strip() for each in element if local(each) == "e"]


def _delimited(element: Any, depth: int) -> str:
    def sign(name: str, usual: str) -> str:
        found = below(element, "dPr", name)
        return usual if found is None else value_of(found)

    return sign("begChr", _OPEN) + sign("sepChr", _BETWEEN).join(_entries(element, depth)) + sign("endChr", _CLOSE)


def _script(mark: str, text: str) -> str:
    """Return a raised or lowered text, in letters of that kind where there are all of them."""
    table = _RAISED if mark == "^" else _LOWERED
    if all(ord(letter) in table for letter in text):
        return text.translate(table)
    return mark + _grouped(text)


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else _always(text)


def _always(text: str) -> str:
    return text if text.startswith("(") and text.endswith(")") else f"({text})"
