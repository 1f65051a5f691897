"""Plants one error in a right sentence of an answer: a changed number, exchanged names, a dropped "not" and others.

The lists are kept apart from those of the checks that are measured. Each function returns the sentence with the error,
or None where the sentence has nothing to change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

Plant = Callable[[str, str, Random, Sequence[str]], str | None]

_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?![\w]|[.,]\d)")
_YEAR = re.compile(r"(?<![\w.,-])(?:1\d{3}|20\d\d)(?![\w]|[.,]\d)")
_MONTH_NAMES = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}
_MONTHS = {language: names.split() for language, names in _MONTH_NAMES.items()}
_UNIT_GROUPS = {
    "en": (
        ("kilometers", "miles"),
        ("kilometres", "miles"),
        ("metres", "feet"),
        ("meters", "feet"),
        ("km", "miles"),
        ("m", "ft"),
        ("percent", "per mille"),
        ("%", "‰"),
        ("million", "billion"),
        ("years", "months"),
        ("days", "weeks"),
        ("hours", "minutes"),
        ("inches", "feet"),
        ("pounds", "kilograms"),
        ("dollars", "euros"),
        ("acres", "hectares"),
        ("degrees", "radians"),
        ("°C", "°F"),
        ("thousand", "million"),
        ("tons", "kilograms"),
        ("bar", "psi"),
        ("seconds", "minutes"),
        ("square miles", "square kilometres"),
        ("centuries", "decades"),
        ("decades", "centuries"),
        ("km2", "m2"),
        ("GW", "MW"),
        ("MW", "kW"),
    ),
    "de": (
        ("Kilometer", "Meilen"),
        ("Metern", "Fuß"),
        ("Meter", "Fuß"),
        ("km", "Meilen"),
        ("m", "Fuß"),
        ("Prozent", "Promille"),
        ("%", "‰"),
        ("Millionen", "Milliarden"),
        ("Million", "Milliarde"),
        ("Jahren", "Monaten"),
        ("Jahre", "Monate"),
        ("Tagen", "Wochen"),
        ("Tage", "Wochen"),
        ("Stunden", "Minuten"),
        ("Zoll", "Fuß"),
        ("Pfund", "Kilogramm"),
        ("Dollar", "Euro"),
        ("Hektar", "Quadratmeter"),
        ("°C", "°F"),
        ("Grad", "Kelvin"),
        ("Tonnen", "Kilogramm"),
        ("Sekunden", "Minuten"),
        ("Quadratkilometer", "Hektar"),
        ("Jahrhunderte", "Jahrzehnte"),
        ("Jahrzehnte", "Jahrhunderte"),
    ),
}
_FLIPS = {
    "comparison": {
        "en": "more:less larger:smaller larger:fewer higher:lower greater:smaller longer:shorter older:younger "
        "largest:smallest highest:lowest best:worst earlier:later before:after after:before over:under above:below "
        "increased:decreased increase:decrease rose:fell won:lost first:last fewer:more less:more lower:higher "
        "most:least smaller:larger oldest:youngest longest:shortest better:worse stronger:weaker faster:slower "
        "northern:southern north:south south:north east:west western:eastern began:ended",
        "de": "mehr:weniger weniger:mehr größer:kleiner größere:kleinere größten:kleinsten größte:kleinste "
        "höher:niedriger höchste:niedrigste höchsten:niedrigsten länger:kürzer älter:jünger älteste:jüngste "
        "beste:schlechteste besten:schlechtesten früher:später vor:nach nach:vor über:unter gewann:verlor "
        "stieg:sank erste:letzte ersten:letzten stärker:schwächer nördlich:südlich begann:endete schneller:langsamer "
        "nördlichen:südlichen südlichen:nördlichen östlichen:westlichen",
    },
    "quantifier": {
        "en": "all:some some:all many:few most:few every:no only:also always:rarely often:never several:all few:many "
        "both:neither each:no usually:never any:no",
        "de": "alle:einige allen:einigen viele:wenige vielen:wenigen einige:alle einigen:allen meisten:wenigsten "
        "jede:keine jeder:keiner jedes:keines nur:auch immer:selten oft:nie mehrere:alle wenige:viele beide:keine "
        "häufig:selten stets:nie manche:alle",
    },
}
_AUXILIARIES = {
    "en": r"\b(?:is|are|was|were|has|had|can|could|will|would|may|must|should)\b(?! not)",
    "de": r"\b(?:ist|sind|war|waren|hat|hatte|hatten|kann|konnte|wird|wurde|wurden|muss|soll)\b(?! nicht)",
}
_NOTS = {"en": r"\b(not|never)\s|n['’]t\b", "de": r"\b(nicht|nie)\s|\b(k)ein(?:e[nmrs]?)?\b"}
_NAME = {
    "en": re.compile(r"(?<=[\w,;)] )(?:[A-Z][\w-]+)(?: [A-Z][\w-]+)*(?![\w’'])"),
    "de": re.compile(r"(?<=[\w,;)] )(?:[A-ZÄÖÜ][\w-]+)(?: [A-ZÄÖÜ][\w-]+)*(?![\w’'])"),
}


def names(sentence: str, language: str) -> list[str]:
    """Return the capitalised words inside a sentence that are no months; in German nouns are among them."""
    found = _NAME[language].findall(sentence)
    return [name for name in found if name not in _MONTHS[language] and len(name) > 2]


def number(sentence: str, language: str, random: Random, others: Sequence[str]) -> str | None:
    """Change a number: to one of the passage, or by a digit."""
    found = [match for match in _NUMBER.finditer(sentence) if not _YEAR.fullmatch(match[0])]
    if not found:
        return None
    match = random.choice(found)
    elsewhere = [each for each in _NUMBER.findall(" ".join(others)) if each != match[0] and each not in sentence]
    if elsewhere and random.random() < 0.4:
        return _put(sentence, match, random.choice(elsewhere))
    at = random.randrange(len(match[0]))
    while not match[0][at].isdigit():
        at = random.randrange(len(match[0]))
    digit = random.choice([each for each in "123456789" if each != match[0][at]])
    return _put(sentence, match, match[0][:at] + digit + match[0][at + 1 :])


def date(sentence: str, language: str, random: Random, others: Sequence[str]) -> str | None:
    """Change a year or a month."""
    months = _MONTHS[language]
    found = [*_YEAR.finditer(sentence), *re.finditer(rf"\b(?:{'|'.join(months)})\b(?=[ .,]|$)", sentence)]
    found = [match for match in found if match[0] != "May" or re.match(r"\s\d", sentence[match.end() :])]
    if not found:
        return None
    match = random.choice(found)
    if match[0] in months:
        return _put(sentence, match, random.choice([month for month in months if month != match[0]]))
    year = int(match[0]) + random.choice((-20, -10, -3, -1, 1, 2, 5, 10, 100))
    return _put(sentence, match, str(year))


def unit(sentence: str, language: str, random: Random, others: Sequence[str]) -> str | None:
    """Change the unit behind a number."""
    found = []
    for written, other in _UNIT_GROUPS[language]:
        tail = r"(?!\w)" if written[-1].isalnum() else ""
        found += [(match, other) for match in re.finditer(rf"(?<=\d)[ -]?({re.escape(written)}){tail}", sentence)]
    if not found:
        return None
    match, other = random.choice(found)
    return sentence[: match.start(1)] + other + sentence[match.end(1) :]


def name(sentence: str, language: str, random: Random, others: Sequence[str]) -> str | None:
    """Replace a name by another one, of the passage or of another article."""
    own = names(sentence, language)
    near = [each for each in names(" ".join(others[:1]), language) if each not in sentence]
    far = [each for each in names(" ".join(others[1:]), language) if each not in sentence and each not in others[0]]
    pool = near if near and random.random() < 0.4 else far
    if not own or not pool:
        return None
    old = random.choice(own)
    alike = [each for each in pool if len(each.split()) == len(old.split())] or pool
    return sentence.replace(old, random.choice(alike), 1)


def swapped(sentence: str, language: str, random: Random, others: Sequence[str]) -> str | None:
    """Exchange two names."""
    own = [each for each in dict.fromkeys(names(sentence, language)) if sentence.count(each) == 1]
    pairs = [(one, two) for one in own for two in own if one < two and one not in two and two not in one]
    if not pairs:
        return None
    one, two = random.choice(pairs)
    return sentence.replace(one, "\0").replace(two, one).replace("\0", two)


def negated(sentence: str, language: str, random: Random, others: Sequence[str]) -> str | None:
    """Add a negation, or drop one."""
    dropped = list(re.finditer(_NOTS[language], sentence))
    if dropped:
        match = random.choice(dropped)
        if language == "de" and match[2]:
            return sentence[: match.start()] + sentence[match.start() + 1 :]
        return sentence[: match.start()] + sentence[match.end() :]
    found = list(re.finditer(_AUXILIARIES[language], sentence))
    if not found:
        return None
    match = random.choice(found)
    return f"{sentence[: match.end()]} {'not' if language == 'en' else 'nicht'}{sentence[match.end() :]}"


def _flipped(kind: str) -> Plant:
    def flip(sentence: str, language: str, random: Random, others: Sequence[str]) -> str | None:
        found = []
        for pair in _FLIPS[kind][language].split():
            old, _, new = pair.partition(":")
            found += [(match, new) for match in re.finditer(rf"(?<![\w-]){old}(?![\w-])", sentence)]
        if not found:
            return None
        match, new = random.choice(found)
        return _put(sentence, match, new)

    return flip


def _put(sentence: str, match: re.Match[str], new: str) -> str:
    return sentence[: match.start()] + new + sentence[match.end() :]


PLANTS: dict[str, Plant] = {
    "number": number,
    "date": date,
    "unit": unit,
    "name": name,
    "names swapped": swapped,
    "negation": negated,
    "comparison": _flipped("comparison"),
    "quantifier": _flipped("quantifier"),
}
