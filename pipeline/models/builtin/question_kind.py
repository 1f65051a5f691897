"""Recognises by its words what a question asks for: a quantity, a number, a date, a name or a meaning. Pure.

A number with its unit answers a quantity; a sentence about the subject answers a meaning. English and German.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from pipeline.retrieval.languages import Language
from pipeline.retrieval.query import WeightedWord
from pipeline.retrieval.terms import terms_of_word, words_of

Kind = Literal["quantity", "number", "date", "name", "meaning"]

BETWEEN_CHARS = 100  # the most between "how much" and the quantity's name, since a question may be thousands long

_LENGTH = r"(?:kilo|centi|zenti|milli)?met(?:re|er)s?|[kcm]?m|miles?|meilen?|feet|foot|ft|inch(?:es)?|zoll"
_TIME = (
    r"(?:milli)?seconds?|minutes?|min|hours?|hrs?|days?|weeks?|months?|years?|decades?|centur(?:y|ies)"
    r"|sekunden?|minuten?|stunden?|tage?n?|wochen?|monate?n?|jahre?n?|jahrzehnte?n?|jahrhunderte?n?"
)
# (names of a quantity, adjectives after "how" that ask for it, its units)
_QUANTITIES = (
    ("temperature|temperatur", "hot|warm|cold|heiß|kalt", r"°\s?[cfk]|degrees?|grad|kelvin"),
    ("pressure|druck", "", r"(?:milli)?bar|psi|[kmh]?pa"),
    (
        "price|costs?|preis|kostet|kosten",
        "expensive|teuer",
        r"[€$£]|euros?|eur|dollars?|usd|pounds?|cents?|franken|chf",
    ),
    (
        "weight|weighs?|gewicht|wiegt",
        "heavy|schwer",
        r"(?:kilo|milli)?gram(?:me|m)?s?|[km]?g|pounds?|lbs?|ounces?|oz|tonn?e?[sn]?|pfund|per ?cent|prozent",
    ),
    ("speed|geschwindigkeit", "fast|schnell", rf"km/h|mph|m/s|knots?|knoten|{_TIME}"),
    ("duration|dauer", "long|lange?", rf"{_TIME}|{_LENGTH}"),
    (
        "height|length|width|depth|distance|höhe|länge|breite|tiefe|entfernung",
        "tall|high|far|deep|wide|hoch|weit|tief|breit",
        _LENGTH,
    ),
)
_COUNTING = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand|million"
    "|billion|half|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|hundert|tausend|million(?:en)?|milliarden?"
)


def _named(name: str) -> re.Pattern[str]:
    """Match a question for a quantity by name: "what water pressure", "wie hoch ist der Druck"."""
    return re.compile(
        rf"\b(?:what|which|welche[mnrs]?)(?: (?!\w+s\b)\w+)? \w*(?:{name})\b"
        r"|\b(?:what|was) (?:is|are|was|were|ist|sind|war) (?:the|an?|die|der|das|eine?)"
        rf"(?: (?!of\b)\w+){{0,2}} \w*(?:{name})\b"
        r"|\b(?:how (?:much|high|large|great)|wie (?:viel|hoch|groß|stark))\b"
        rf".{{0,{BETWEEN_CHARS}}}\b(?:{name})\b|\bwas (?:{name})\b",
        re.IGNORECASE,
    )


def _measured(unit: str) -> re.Pattern[str]:
    """Match a number next to its unit."""
    number = rf"(?:\d|\b(?:{_COUNTING})\b)"
    before = r"|[€$£]\s?\d" if "€" in unit else ""
    return re.compile(rf"{number}[^.!?|]{{0,12}}?(?<![a-z])(?:{unit})(?![a-z]){before}", re.IGNORECASE)


_UNITS = (
    *((_named(name), _measured(unit)) for name, _, unit in _QUANTITIES),
    *(
        (re.compile(rf"\b(?:how|wie) (?:{adjective})\b", re.IGNORECASE), _measured(unit))
        for _, adjective, unit in _QUANTITIES
        if adjective
    ),
)
_MEANING_ASKED = re.compile(
    r"\W*(?:what|who|was|wer)(?:['’]s| is| are| was| were| ist| sind| war| waren) (?:an? |the |eine? |der |die |das )?"
    r"((?:[^\W_]|[-'’])+(?: (?:[^\W_]|[-'’])+)?)\W*",
    re.IGNORECASE,
)
_TELLS_MEANING = re.compile(
    r",| (?:is|are|was|were|means|ist|sind|war|waren|bezeichnet|bedeutet|heißt)\b", re.IGNORECASE
)
_ARTICLE = re.compile(r"(?:an?|the|eine?|der|die|das)\s+", re.IGNORECASE)

_COUNT_ASKED = re.compile(
    r"\bhow (?:much|many|often|long|old|far|large|big|tall|high|fast|deep|wide|hot|cold|heavy)|what number|per ?cent"
    r"|\bwie (?:viele?n?|oft|lange?|alt|weit|groß|hoch|schnell|tief|schwer)|wieviel|prozent",
    re.IGNORECASE,
)
_DATE_ASKED = re.compile(
    r"\bwhen\b|\bwann\b|(?:what|which|welche[mrsn]?) (?:\w+ )?"
    r"(?:year|date|month|day|century|decade|jahr|datum|monat|tag|jahrhundert|jahrzehnt)",
    re.IGNORECASE,
)
_NAME_ASKED = re.compile(r"\b(?:who|whom|whose|where|wer|wen|wem|wessen|wo|woher|wohin)\b", re.IGNORECASE)
_NUMBER = re.compile(rf"\d|^(?:{_COUNTING}|once|twice|einmal)$", re.IGNORECASE)
_DATE = re.compile(
    r"\b(?:1\d{3}|20\d{2}|\d{1,2}(?:st|nd|rd|th)? century|\d{1,2}\. Jahrhundert|\d+er"
    r"|(?:Jan|Feb|Mar|Mär|Apr|May|Mai|Ju[nl]|Aug|Sept|O[ck]t|Nov|De[cz])[a-zä]*)\b"
)
_COUNTED = re.compile(r"\b(?:how (?:many|much)|wie ?viele?)\s+(\w+)", re.IGNORECASE)


def kind_of(question: str) -> Kind | None:
    """Return what a question asks for, None when that is unclear."""
    if unit_of(question):
        return "quantity"
    if _COUNT_ASKED.search(question):
        return "number"
    if _DATE_ASKED.search(question):
        return "date"
    if _MEANING_ASKED.fullmatch(question):
        return "meaning"
    return "name" if _NAME_ASKED.search(question) else None


@lru_cache(maxsize=128)
def unit_of(question: str) -> re.Pattern[str] | None:
    """Return the pattern of the quantity that a question asks for, None where it asks for none."""
    return next((unit for asked, unit in _UNITS if asked.search(question)), None)


def lacks(kind: Kind | None, sentence: str, question: str, asked: Sequence[WeightedWord]) -> float:
    """Rate how much of what the question asks for a sentence lacks, 0..1: 1 means all of it.

    What the question itself holds does not count; a number without its unit is half a quantity.
    """
    if kind is None:
        return False
    if kind == "quantity":
        if has_quantity(sentence, question):
            return 0.0
        return (1.0 + lacks("number", sentence, question, asked)) / 2
    if kind == "meaning":
        return _far_from_meaning(sentence, question)
    if kind == "date":
        return not any(date[0] not in question for date in _DATE.finditer(sentence))
    known = {term for word in asked for term in word.terms}
    new = [
        word
        for place, word in enumerate(words_of(sentence))
        if known.isdisjoint(_any_terms(word)) and (place or not word[0].isupper())
    ]
    if kind == "number":
        return not any(_NUMBER.search(word) for word in new)
    return not any(word[0].isupper() and _any_terms(word) for word in new)


def has_quantity(sentence: str, question: str) -> bool:
    """Whether a sentence holds a quantity of the asked kind that is not in the question."""
    unit = unit_of(question)
    return unit is not None and any(found[0].casefold() not in question.casefold() for found in unit.finditer(sentence))


def subject_of(question: str) -> str | None:
    """Return the subject of a question about a meaning: "Mokkakanne" of "Was ist eine Mokkakanne?"."""
    found = _MEANING_ASKED.fullmatch(question)
    return found[1] if found else None


def is_named(title: str, subject: str) -> bool:
    """Whether a title is exactly the subject, apart from an article."""
    return _without_article(title).casefold() == subject.casefold()


def _far_from_meaning(sentence: str, question: str) -> float:
    """Return 0 for "Crema is …" and "Crema, the …", 0.5 for other sentences with this beginning, 1 for the rest."""
    subject, begin = subject_of(question), _without_article(sentence)
    if subject is None or not begin.casefold().startswith(subject.casefold()):
        return 1.0
    return 0.0 if _TELLS_MEANING.match(begin, len(subject)) else 0.5


def _without_article(text: str) -> str:
    article = _ARTICLE.match(text)
    return text[article.end() :] if article else text


def is_decisive(word: str, question: str, asked_in: Language) -> bool:
    """Whether an answer must hold this word: a number, a name, or what is counted."""
    counted = _COUNTED.search(question)
    return word[0].isdigit() or is_name(word, question, asked_in) or (counted is not None and counted[1] == word)


def is_name(word: str, question: str, asked_in: Language) -> bool:
    """Whether a word of a question is a name by its capital letter, which marks none in German."""
    return asked_in != "de" and word[0].isupper() and not question.lstrip(" \"'“„").startswith(word)


def _any_terms(word: str) -> tuple[int, ...]:
    """Return a word's terms in both languages; () where it is a stop word in one of them."""
    english, german = terms_of_word(word, "en"), terms_of_word(word, "de")
    return (*english, *german) if english and german else ()
