"""What a question asks for, as far as its words tell: a number, a date, a name; English and German. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pipeline.retrieval.query import WeightedWord
from pipeline.retrieval.words import Language, terms_of_word, words_of

Kind = Literal["number", "date", "name"]

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
_NUMBER = re.compile(
    r"\d|^(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand"
    r"|million|billion|half|once|twice|einmal|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|hundert|tausend"
    r"|million(?:en)?|milliarden?)$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:1\d{3}|20\d{2}|\d{1,2}(?:st|nd|rd|th)? century|\d{1,2}\. Jahrhundert|\d+er"
    r"|(?:Jan|Feb|Mar|Mär|Apr|May|Mai|Ju[nl]|Aug|Sept|O[ck]t|Nov|De[cz])[a-zä]*)\b"
)
_COUNTED = re.compile(r"\b(?:how (?:many|much)|wie ?viele?)\s+(\w+)", re.IGNORECASE)


def kind_of(question: str) -> Kind | None:
    """What a question asks for, None when that cannot be told."""
    if _COUNT_ASKED.search(question):
        return "number"
    if _DATE_ASKED.search(question):
        return "date"
    return "name" if _NAME_ASKED.search(question) else None


def lacks(kind: Kind | None, sentence: str, question: str, asked: Sequence[WeightedWord]) -> bool:
    """Whether a sentence holds no number, date or name but those of the question, which asks for one."""
    if kind is None:
        return False
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


def is_decisive(word: str, question: str, asked_in: Language) -> bool:
    """Whether nothing can answer the question that lacks this word: a number, a name, what is counted.

    In German a capital is no sign of a name.
    """
    counted = _COUNTED.search(question)
    named = asked_in == "en" and word[0].isupper() and not question.lstrip(" \"'“„").startswith(word)
    return word[0].isdigit() or named or (counted is not None and counted[1] == word)


def _any_terms(word: str) -> tuple[int, ...]:
    """A word's terms in both languages; () where it is a stop word in one of them."""
    english, german = terms_of_word(word, "en"), terms_of_word(word, "de")
    return (*english, *german) if english and german else ()
