"""Writes the number of a spreadsheet's cell as its format shows it: 37.5 % for 0.375, a date for 46024.

The format codes are those of ECMA-376, part 1, 18.8.31. Separators are English (1,234.5). A date whose format follows
the reader's system is written as in ISO 8601, as no order of day and month is certain.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

GENERAL = "General"
_ISO, _ISO_TIME = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
BUILT_IN = {
    **dict.fromkeys([*range(27, 32), 36, *range(50, 59)], _ISO),
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: _ISO,
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: _ISO_TIME,
    **dict.fromkeys([32, 33, 45], "mm:ss"),
    34: "h:mm",
    35: "h:mm:ss",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    41: "#,##0;-#,##0",
    42: "$#,##0;-$#,##0",
    43: "#,##0.00;-#,##0.00",
    44: "$#,##0.00;-$#,##0.00",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
}
_DIGITS = 10  # significant digits of a number without a format, as a cell of usual width shows
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<room>.)|\*(?P<fill>.)|\[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\]|'
    r"\[(?P<elapsed>h+|m+|s+)\]|(?P<condition>\[(?:[<>=]+)-?[\d.]+\])|(?P<ignored>\[[^\]]*\])|(?P<general>general)|"
    r"(?P<noon>am/pm|a/p)|(?P<date>y+|m+|d+|h+|s+(?:[.,]0+)?|e+(?![+-])|b+)|(?P<number>[0#?.,%/]|e[+-])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\[([<>=]+)(-?[\d.]+)\]")

Token = tuple[str, str]  # kind, text


def shown(value: float, code: str, *, since_1904: bool = False) -> str:
    """Return a number as its format shows it; a date counts days since 1900, or since 1904."""
    section, magnitude = _section_for(value, _sections(GENERAL if code == "@" else code))
    kinds = {kind for kind, _ in section}
    if "general" in kinds or not code:
        return "".join(general(magnitude) if kind == "general" else text for kind, text in section) or general(value)
    if kinds & {"date", "elapsed", "noon"}:
        return _date(value, section, since_1904=since_1904)
    return _number(magnitude, section)


def general(value: float) -> str:
    """Return a number without a format: a whole one with all of its digits, others with ten."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.{_DIGITS}g}"


@lru_cache(maxsize=1000)
def _sections(code: str) -> tuple[tuple[Token, ...], ...]:
    """Return the tokens of each section of a code."""
    sections: list[list[Token]] = [[]]
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup or "quoted"
        text = found[kind] or ""
        if kind == "other" and text == ";":
            sections.append([])
        elif kind in ("quoted", "escaped", "currency", "other"):
            sections[-1].append(("text", text))
        elif kind == "room":
            sections[-1].append(("text", " "))
        elif kind not in ("fill", "ignored"):
            sections[-1].append((kind, text.lower() if kind in ("date", "elapsed") else text))
    return tuple(tuple(section) for section in sections)


def _section_for(value: float, sections: Sequence[Sequence[Token]]) -> tuple[Sequence[Token], float]:
    """Return the section that shows a value, and the number that is left to show."""
    for section in sections[:2]:
        condition = next((_CONDITION.match(text) for kind, text in section if kind == "condition"), None)
        if condition is not None and _holds(value, condition[1], float(condition[2])):
            return section, value
    if any(kind == "condition" for kind, _ in sections[0]):
        return sections[min(len(sections), 3) - 1], value
    if value < 0 and len(sections) > 1:
        return sections[1], -value
    if value == 0 and len(sections) > 2:
        return sections[2], value
    return sections[0], value


def _holds(value: float, compared: str, limit: float) -> bool:
    return {
        "<": value < limit,
        "<=": value <= limit,
        ">": value > limit,
        ">=": value >= limit,
        "=": value == limit,
        "<>": value != limit,
    }.get(compared, False)


def _number(value: float, section: Sequence[Token]) -> str:
    places = [at for at, (kind, text) in enumerate(section) if kind == "number" and text in "0#?"]
    marks = "".join(text for kind, text in section if kind == "number")
    if not places:  # words alone, or nothing: such a cell looks empty
        return "".join(text for kind, text in section if kind == "text" or text == "%").strip()
    if "/" in marks:
        return _fraction(value, section)
    exponent = next((at for at, (kind, text) in enumerate(section) if kind == "number" and text[0] in "eE"), None)
    point = next((at for at, (kind, text) in enumerate(section) if (kind, text) == ("number", ".")), None)
    end = exponent if exponent is not None else len(section)
    whole = [at for at in places if at < (point if point is not None else end)]
    decimals = [at for at in places if point is not None and point < at < end]
    commas = [at for at, (kind, text) in enumerate(section) if (kind, text) == ("number", ",")]
    grouped = any(whole and whole[0] < at < whole[-1] for at in commas)
    scaled = sum(at > max([*whole, *decimals]) for at in commas) if whole or decimals else 0
    number = Decimal(repr(value)) * 100 ** marks.count("%") / Decimal(1000) ** scaled
    power = 0
    if exponent is not None and number:
        power = number.adjusted() - (max(1, len(whole)) - 1)
        number = number.scaleb(-power)
    number = number.quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP)
    integer, _, fraction = f"{abs(number):f}".partition(".")
    least = sum(section[at][1] == "0" for at in whole)
    integer = integer.lstrip("0").rjust(least, "0")
    wanted = max((n for n, at in enumerate(decimals, 1) if section[at][1] == "0"), default=0)
    fraction = fraction[:wanted] + fraction[wanted:].rstrip("0")
    written = _placed(section, whole, decimals, integer, fraction, grouped=grouped)
    if exponent is not None:
        sign = "-" if power < 0 else "+" if section[exponent][1][1] == "+" else ""
        width = sum(at > exponent for at in places)
        written = written.replace("\0", f"E{sign}{abs(power):0{max(1, width)}d}")
    return ("-" if number < 0 else "") + " ".join(written.split())


def _placed(
    section: Sequence[Token],
    whole: Sequence[int],
    decimals: Sequence[int],
    integer: str,
    fraction: str,
    *,
    grouped: bool,
) -> str:
    """Write digits in their places; \\0 stands for the exponent. Words between the digits stay where they are."""
    if grouped or all(at + 1 == after for at, after in pairwise(whole)):
        digits = dict.fromkeys(whole, "")
        if whole:
            digits[whole[0]] = f"{int(integer):,}".rjust(len(integer)) if grouped and integer else integer
    else:
        digits = dict(zip(reversed(whole), reversed(integer), strict=False))
        if whole:
            digits[whole[0]] = integer[: len(integer) - len(whole) + 1] if len(integer) >= len(whole) else ""
    digits.update(zip(decimals, fraction, strict=False))
    parts, in_exponent = [], False
    for at, (kind, text) in enumerate(section):
        if at in digits:
            parts.append(digits[at])
        elif kind == "text":
            parts.append(text)
        elif kind == "number" and text == ".":
            parts.append("." if fraction else "")
            if not whole:
                parts.insert(len(parts) - 1, integer)
        elif kind == "number" and text == "%":
            parts.append("%")
        elif kind == "number" and text[0] in "eE" and not in_exponent:
            parts.append("\0")
            in_exponent = True
    return "".join(parts)


def _fraction(value: float, section: Sequence[Token]) -> str:
    code = "".join(text for kind, text in section if kind in ("number", "text"))
    below = re.search(r"/\s*(\d+|[?#0]+)", code)
    exact = int(below[1]) if below and below[1].isdecimal() and int(below[1]) else 0
    most = 10 ** len(below[1]) - 1 if below else 9
    found = Fraction(round(abs(value) * exact), exact) if exact else Fraction(abs(value)).limit_denominator(most)
    whole, rest = divmod(found, 1)
    sign = "-" if value < 0 else ""
    if not rest:
        return f"{sign}{whole}"
    numerator, denominator = (rest * exact, exact) if exact else (rest.numerator, rest.denominator)
    return f"{sign}{whole} {numerator}/{denominator}" if whole else f"{sign}{numerator}/{denominator}"


def _date(value: float, section: Sequence[Token], *, since_1904: bool) -> str:
    fine = max((len(text.partition(".")[2]) for kind, text in section if kind == "date"), default=0)
    seconds = round(value * 86_400, fine)
    elapsed = any(kind == "elapsed" for kind, _ in section)
    try:
        moment = moment_of(seconds / 86_400, since_1904=since_1904)
    except (OverflowError, ValueError):
        return general(value)
    noon = any(kind == "noon" for kind, _ in section)
    parts: list[str] = []
    for at, (kind, text) in enumerate(section):
        if kind == "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[text[0]]
            parts.append(f"{int(abs(seconds) // unit):0{len(text)}d}")
        elif kind == "noon":
            parts.append(("AM" if moment.hour < 12 else "PM")[: 2 if len(text) > 3 else 1])
        elif kind == "date":
            parts.append(_dated(moment, text, is_minute=_is_minute(section, at), noon=noon, elapsed=seconds))
        elif (kind == "number" and text in ".,/") or kind == "text":
            parts.append(text)
    return ("-" if elapsed and value < 0 else "") + " ".join("".join(parts).split())


def _is_minute(section: Sequence[Token], at: int) -> bool:
    """Whether the m at a place stands for minutes: after hours or before seconds."""
    units = [(place, text[0]) for place, (kind, text) in enumerate(section) if kind in ("date", "elapsed")]
    here = next((number for number, (place, _) in enumerate(units) if place == at), None)
    if here is None or units[here][1] != "m" or len(section[at][1]) > 2:
        return False
    before = units[here - 1][1] if here else ""
    after = units[here + 1][1] if here + 1 < len(units) else ""
    return before == "h" or after == "s"


def _dated(moment: datetime, text: str, *, is_minute: bool, noon: bool, elapsed: float) -> str:
    unit, length = text[0], len(text.partition(".")[0])
    if unit in "ye":
        return f"{moment.year % 100:02d}" if unit == "y" and length <= 2 else f"{moment.year:04d}"
    if unit == "m" and not is_minute:
        name = calendar.month_name[moment.month]
        return {1: str(moment.month), 2: f"{moment.month:02d}", 3: name[:3], 5: name[0]}.get(length, name)
    if unit == "d":
        name = calendar.day_name[moment.weekday()]
        return {1: str(moment.day), 2: f"{moment.day:02d}", 3: name[:3]}.get(length, name)
    if unit == "h":
        hour = (moment.hour % 12 or 12) if noon else moment.hour
        return f"{hour:0{min(length, 2)}d}"
    if unit == "s":
        decimals = len(text.partition(".")[2])
        part = f"{elapsed % 60:0{decimals + 3 if decimals else 1}.{decimals}f}"
        return part if decimals else f"{moment.second:0{min(length, 2)}d}"
    return f"{moment.minute:0{min(length, 2)}d}" if unit == "m" else ""


def moment_of(days: float, *, since_1904: bool) -> datetime:
    """Return the date of a serial number. Excel takes 1900 for a leap year, so days before March 1900 are one less."""
    if since_1904:
        return datetime(1904, 1, 1) + timedelta(seconds=round(days * 86_400, 3))
    shift = 1 if 0 <= days < 60 else 0
    return datetime(1899, 12, 30) + timedelta(days=shift, seconds=round(days * 86_400, 3))
