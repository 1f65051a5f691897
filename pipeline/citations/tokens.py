"""Reads a sentence as tokens to compare: words by stem, numbers by value with their units, dates, names. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Literal, NamedTuple

from pipeline.citations.opposites import NEGATION, Sense, senses_of
from pipeline.citations.quantities import (
    CURRENCY_SIGNS,
    DATE_WORDS,
    NUMBER_WORDS,
    SCALES,
    TENS,
    UNITS,
    Unit,
    unit_behind,
    value_of,
)
from pipeline.citations.verb_forms import base_form
from pipeline.retrieval.languages import Language
from pipeline.retrieval.terms import terms_of_word

Kind = Literal["number", "date", "unit", "name", "operator", "content", "function"]
Key = str | int

# Names that one cannot tell from their other spelling: "USA" and "Vereinigte Staaten".
_SYNONYMS = MappingProxyType(
    {
        "us": r"U\. ?S\. ?A\.|U\. ?S\.(?!\w)|USA?\b|United States(?: of America)?\b"
        r"|Vereinigten? Staaten(?: von Amerika)?\b",
        "uk": r"U\. ?K\.(?!\w)|UK\b|United Kingdom\b|Großbritanniens?\b|Vereinigte[ns]? Königreichs?\b",
        "un": r"U\. ?N\.(?!\w)|UNO?\b|United Nations\b|Vereinten? Nationen\b",
        "ussr": r"USSR\b|UdSSR\b|Soviet Union\b|Sowjetunion\b",
        "war 1": r"World War (?:I|One)\b|First World War\b|Erste[rnms]? Weltkriege?s?\b",
        "war 2": r"World War (?:II|Two)\b|Second World War\b|Zweite[rnms]? Weltkriege?s?\b",
    }
)
_SCAN = re.compile(
    rf"(?P<name>\b(?:{'|'.join(_SYNONYMS.values())}))"
    r"|(?P<iso>(?<!\d)\d{4}-\d{2}-\d{2}(?!\d))"
    r"|(?P<time>(?<![\d:])\d{1,2}:\d{2}(?![\d:]))"
    r"|(?P<decade>(?<!\d)(?:\d\d)?\d0['’]?(?:s|ern?)(?!\w))"
    r"|(?P<number>\d+(?:[.,]\d+)*[½¼¾⅓⅔]?|[½¼¾⅓⅔])(?:st|nd|rd|th)?"
    r"|(?P<sign>°\s?[CF](?!\w)|[%‰°€$£¥])"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)"
)
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_YEAR = re.compile(r"1[0-9]\d\d|20\d\d")
_RANGE_WORDS = frozenset(("to", "and", "or", "bis", "und", "oder"))
_OPENING = re.compile("[\"“„«\u201a\u2018'(\\[]\\s*\\Z")
# Prepositions that the lists of stop words lack; a capital makes no name of them.
_UNLISTED = "according despite during since upon via laut gemäß trotz wegen dank anhand mithilfe zufolge"
_PREPOSITIONS = frozenset(_UNLISTED.split())
_HALF_A = re.compile(r"half an?\b", re.IGNORECASE)
_WEAK_NUMBERS = frozenset(("one", "ones"))
_SHORT_WORD_CHARS = 3


class Token(NamedTuple):
    """A word or number at [start, end). Tokens with equal keys say the same; `text` is the folded spelling.

    `base` is the base of an irregular verb, else `text`; `unit` is a number's unit; `is_first` says that its capital is
    that of a beginning.
    """

    start: int
    end: int
    text: str
    key: Key
    kind: Kind
    value: float | None = None
    unit: Unit | None = None
    senses: tuple[Sense, ...] = ()
    is_capital: bool = False
    is_first: bool = False
    base: str = ""

    @property
    def is_fact(self) -> bool:
        """Whether another word in its place would say another thing."""
        return self.kind in ("number", "date", "unit", "name", "operator") or self.is_capital


def tokens_of(text: str, language: Language | None, start: int = 0) -> tuple[Token, ...]:
    """Return the tokens of one sentence; `start` is added to their places."""
    found = _named(text, _with_units(text, _joined(list(_scanned(text, language)))))
    if not start:
        return tuple(found)
    return tuple(token._replace(start=token.start + start, end=token.end + start) for token in found)


def _scanned(text: str, language: Language | None) -> Iterator[Token]:
    for match in _SCAN.finditer(text):
        begin, end = match.span()
        written = match[0]
        match match.lastgroup:
            case "name":
                name = next(name for name, spelt in _SYNONYMS.items() if re.fullmatch(spelt, written))
                yield Token(begin, end, folded(written), f"name:{name}", "content", is_capital=True, base=name)
            case "iso":
                year, month, day = written.split("-")
                yield _dated(begin, begin + 4, f"#{int(year)}", float(year))
                yield _dated(begin + 5, begin + 7, f"month:{int(month)}")
                yield _dated(begin + 8, end, f"#{int(day)}", float(day))
            case "time":
                hours, _, minutes = written.partition(":")
                yield Token(begin, end, written, f"time:{int(hours) % 12}:{minutes}", "date")
            case "decade":
                digits = re.sub(r"\D", "", written)
                yield Token(begin, end, written, f"decade:{int(digits[-2:])}", "date")
            case "number":
                yield from _numbers(match, language)
            case "sign":
                yield Token(begin, end, written, f"unit:{UNITS[written.replace(' ', '')].name}", "unit")
            case _:
                yield from _words(written, begin, language)


def _dated(begin: int, end: int, key: str, value: float | None = None) -> Token:
    return Token(begin, end, key, key, "date", value)


def _numbers(match: re.Match[str], language: Language | None) -> Iterator[Token]:
    begin, end = match.span()
    if (date := _GERMAN_DATE.fullmatch(match["number"])) and int(date[2]) <= 12:
        day, month, year = ((begin + date.start(at), begin + date.end(at), int(date[at])) for at in (1, 2, 3))
        yield _dated(*day[:2], f"#{day[2]}", float(day[2]))
        yield _dated(*month[:2], f"month:{month[2]}")
        yield _dated(*year[:2], f"#{year[2]}", float(year[2]))
        return
    value = value_of(match["number"], language)
    kind: Kind = "date" if _YEAR.fullmatch(match["number"]) else "number"
    yield Token(begin, end, match["number"], _number_key(value), kind, value)


def _number_key(value: float) -> str:
    return f"#{value:.10g}"


def _words(written: str, begin: int, language: Language | None) -> Iterator[Token]:
    if len(written) > 1 and _UNSPACED.match(written):
        for at in range(len(written) - 1):
            yield Token(begin + at, begin + at + 2, written[at : at + 2], written[at : at + 2], "content")
        return
    word = _word(written, language)
    yield word._replace(start=begin, end=begin + len(written))


@lru_cache(maxsize=50_000)
def _word(written: str, language: Language | None) -> Token:
    text, lower = folded(written), written.lower().replace("’", "'")
    is_capital, senses = written[0].isupper(), senses_of(lower, language)
    if lower in DATE_WORDS and (is_capital or language is None):
        return _dated(0, 0, DATE_WORDS[lower])
    if lower in NUMBER_WORDS and lower != "second":
        value = float(NUMBER_WORDS[lower])
        kind: Kind = "function" if lower in _WEAK_NUMBERS else "number"
        return Token(0, 0, text, _number_key(value), kind, value, None, senses, is_capital)
    if NEGATION in senses:
        return Token(0, 0, text, "~not", "operator", senses=senses)
    is_noun = language == "de" and is_capital
    base = lower.removesuffix("'s")
    if language and not is_noun:
        base = base_form(base, language)
    terms = terms_of_word(base, language) if language else ()
    is_stop = not terms or lower in _PREPOSITIONS if language else len(written) <= _SHORT_WORD_CHARS and not is_capital
    key: Key = min(terms) if terms else text
    kind = "operator" if senses else "function" if is_stop else "content"
    return Token(0, 0, text, key, kind, senses=senses, is_capital=is_capital and not is_stop, base=folded(base))


@lru_cache(maxsize=50_000)
def folded(word: str) -> str:
    """Return a word in lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", word)
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return plain.casefold().replace("’", "'").removesuffix("'s")


def _joined(found: list[Token]) -> list[Token]:
    """Join the words of one number: "twenty-three", "3.5 million", "two hundred"."""
    joined: list[Token] = []
    for token in found:
        last = joined[-1] if joined else None
        if last and last.value is not None and token.start - last.end <= 1:
            if token.text in SCALES:
                joined[-1] = _number(last, token, last.value * SCALES[token.text])
                continue
            if last.text in TENS and token.value is not None and 0 < token.value < 10:
                joined[-1] = _number(last, token, last.value + token.value)
                continue
        joined.append(token)
    return joined


def _number(first: Token, second: Token, value: float) -> Token:
    return Token(first.start, second.end, first.text, _number_key(value), "number", value)


def _with_units(text: str, found: list[Token]) -> list[Token]:
    """Give each number the unit behind it or the currency before it; the unit becomes a token of its own."""
    out: list[Token] = []
    until = -1  # the end of the unit that was read last
    for at, token in enumerate(found):
        if token.start < until:
            continue
        if token.value is None:
            out.append(token)
            continue
        before = found[at - 1] if at else None
        if before and before.kind == "unit" and before.text in CURRENCY_SIGNS and token.start - before.end <= 1:
            out.append(token._replace(kind="number", unit=UNITS[before.text]))
        elif behind := unit_behind(text, half.end() if (half := _HALF_A.match(text, token.start)) else token.end):
            unit, begin, until = behind
            out.append(token._replace(kind="number", unit=unit))
            written = text[begin:until]
            is_capital = len(written) > _SHORT_WORD_CHARS and written[0].isupper()
            out.append(Token(begin, until, folded(written), f"unit:{unit.name}", "unit", is_capital=is_capital))
        else:
            out.append(token)
    return _ranged(text, out)


def _ranged(text: str, found: list[Token]) -> list[Token]:
    """Give the first number of a range the unit of the second ("5 to 7 km"), the second the century ("1922–26")."""
    out = list(found)
    numbers = [at for at, token in enumerate(out) if token.value is not None]
    for first, second in pairwise(numbers):
        one, other = out[first], out[second]
        between = text[one.end : other.start].strip().lower()
        if not (between in _RANGE_WORDS or between in ("-", "–", "—")):
            continue
        if one.unit is None and other.unit:
            out[first] = one._replace(unit=other.unit)
        if one.kind == "date" and len(other.text) == 2 and other.value and not between.isalpha():
            year = float(one.text[:2] + other.text) if one.text[:2].isdigit() else other.value
            out[second] = other._replace(key=_number_key(year), kind="date", value=year)
    return out


def _named(text: str, found: Sequence[Token]) -> Iterator[Token]:
    """Tell names: capitals that no beginning explains. In German nouns have capitals, too."""
    for at, token in enumerate(found):
        is_first = at == 0 or bool(_OPENING.search(text[: token.start]))
        following = found[at + 1] if at + 1 < len(found) else None
        goes_on = bool(following and following.is_capital and following.start - token.end <= 1)
        if token.kind == "content" and token.is_capital and (not is_first or goes_on):
            yield token._replace(kind="name", is_first=is_first)
        elif token.is_capital and token.kind == "content" and is_first:
            yield token._replace(is_first=True)
        else:
            yield token
