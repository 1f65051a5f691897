"""Makes right, cited answers of one sentence from a SQuAD-format file, and the same with one planted error.

From each answerable question comes the sentence that holds the answer, in four wordings: as it stands, cut to a part,
its clauses moved, and lightly reworded; and, apart from the rest, the question and its answer as a statement, in other
words than the passage's. An unanswerable question (SQuAD 2.0) makes a wrong statement with the answer that looks right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from bench.corruptions import PLANTS
from bench.statements import statement
from pipeline.citations.sentences import sentences
from pipeline.passages import Passage
from pipeline.retrieval.languages import Language
from pipeline.retrieval.terms import language_of

WORDINGS = ("quote", "part", "moved", "reworded")
STATEMENT = "statement"
UNANSWERABLE = "unanswerable"  # planted: what the question presumes
FEWEST_WORDS = 6


@dataclass(frozen=True, slots=True)
class Case:
    """One answer of one sentence: what was planted ("" for nothing) and what is right."""

    language: Language
    wording: str
    planted: str
    sentence: str
    citation: int | None
    right: int
    passages: tuple[Passage, ...]

    @property
    def answer(self) -> str:
        """The sentence with its citation as models write it."""
        if self.citation is None:
            return self.sentence
        return re.sub(r"([.!?]?)$", rf" [{self.citation}]\1", self.sentence, count=1)


def cases(file: Path, passages: int, seed: int, most: int) -> Iterator[Case]:
    """Iterate over the cases of a SQuAD file: at most `most` sentences of each paragraph, and all statements."""
    articles = json.loads(file.read_text(encoding="utf-8"))["data"]
    paragraphs = [(a["title"].replace("_", " "), p) for a in articles for p in a["paragraphs"]]
    language = language_of(*(p["context"] for _, p in paragraphs[:5]))
    for at, (_, paragraph) in enumerate(paragraphs):
        random = Random(f"{seed}:{at}")
        near = [p for p in paragraphs[max(0, at - passages) : at + passages] if p[1] is not paragraph]
        chosen = [paragraphs[at], *random.sample(near, passages - 1)]
        random.shuffle(chosen)
        right = chosen.index(paragraphs[at]) + 1
        found = tuple(
            Passage(number, str(number), name, "", each["context"], 1.0)
            for number, (name, each) in enumerate(chosen, 1)
        )
        seen: set[str] = set()
        base = Case(language, "", "", "", right, right, found)
        for question in random.sample(paragraph["qas"], len(paragraph["qas"])):
            asked, answers = question["question"], question["answers"]
            for trick in question.get("plausible_answers", ())[:1]:
                if said := statement(asked, trick["text"], language):
                    yield replace(base, wording=STATEMENT, planted=UNANSWERABLE, sentence=said)
            if answers:
                gold, start = answers[0]["text"], answers[0]["answer_start"]
                said = statement(asked, gold, language)
                yield from _planted(replace(base, wording=STATEMENT, sentence=said), "", random)
                sentence = next((text for text, end in _sentences(paragraph["context"]) if start < end), "")
                if len(seen) < most and sentence not in seen and _is_claim(sentence):
                    seen.add(sentence)
                    yield from _worded(replace(base, sentence=sentence), random)


def _sentences(text: str) -> Iterator[tuple[str, int]]:
    """Iterate over the sentences of a text with their ends."""
    return ((text[begin:end], end) for begin, end in sentences(text))


def _is_claim(sentence: str) -> bool:
    return len(sentence.split()) >= FEWEST_WORDS and sentence.endswith(".")


def _worded(base: Case, random: Random) -> Iterator[Case]:
    """Iterate over the cases of one sentence, in each wording that it can be said in."""
    for wording in WORDINGS:
        said = worded(base.sentence, wording, base.language)
        opener = random.choice(_OPENERS[base.language]) if wording == "reworded" else ""
        if said is not None:
            yield from _planted(replace(base, wording=wording, sentence=said), opener, random)


def _planted(case: Case, opener: str, random: Random) -> Iterator[Case]:
    """Iterate over a right case, the same with a wrong and without a citation, and with each error."""
    if not case.sentence:
        return
    said, numbers = case.sentence, range(1, len(case.passages) + 1)
    right = replace(case, sentence=opened(opener, said, case.language))
    yield right
    yield replace(right, planted="cited passage", citation=random.choice([n for n in numbers if n != case.right]))
    yield replace(right, planted="no citation", citation=None)
    context = case.passages[case.right - 1].text
    others = [context, *(each.text for each in case.passages if each.number != case.right)]
    for kind, plant in PLANTS.items():
        wrong = plant(said, case.language, random, others)
        if wrong and wrong != said and wrong.rstrip(".") not in context:
            yield replace(case, planted=kind, sentence=opened(opener, wrong, case.language))


def worded(sentence: str, wording: str, language: Language) -> str | None:
    """Return a sentence in another wording that says the same, or a part of the same."""
    match wording:
        case "quote":
            return sentence
        case "part":
            return _part(sentence)
        case "moved":
            return _moved(sentence, language)
        case _:
            return _reworded(sentence, language)


def _part(sentence: str) -> str | None:
    """Leave out a bracket, or what follows the last comma."""
    without = re.sub(r"\s*\([^()]*\)", "", sentence)
    if without != sentence:
        return without
    head, comma, _ = sentence.rpartition(", ")
    return f"{head}." if comma and len(head.split()) >= FEWEST_WORDS else None


_LEADING = {
    "en": re.compile(r"((?:In|On|At|During|After|Before|By|From|Since|As of|Under|With) [^,.;]{3,60}), (.+)\."),
    "de": re.compile(r"(.{12,160}?) ((?:in|im|am|an|auf|bei|nach|vor|seit|während|durch|mit) [^,.;]{3,60})\."),
}


def _moved(sentence: str, language: Language) -> str | None:
    """Move the adverbial: to the end in English; in German the sentence's end to its beginning after "und zwar"."""
    match = _LEADING[language].fullmatch(sentence)
    if not match or (language == "de" and "," in match[1]):
        return None
    if language == "en":
        return f"{match[2][0].upper()}{match[2][1:]} {match[1][0].lower()}{match[1][1:]}."
    return f"{match[2][0].upper()}{match[2][1:]}: {match[1][0]}{match[1][1:]}."


_SYNONYMS = {
    "en": "however:but also:too approximately:about about:approximately such_as:like because:since although:while "
    "began:started large:big many:numerous located:situated known_as:called built:constructed created:made "
    "near:close_to received:got several:various until:till used:employed throughout:across primarily:mainly "
    "established:founded percent:% two:2 three:3 four:4 five:5 obtained:gained while:whereas nearly:almost main:chief",
    "de": "jedoch:aber auch:ebenfalls etwa:ungefähr ungefähr:etwa rund:etwa weil:da obwohl:obgleich begann:startete "
    "viele:zahlreiche liegt:befindet_sich bekannt_als:genannt gebaut:errichtet erhielt:bekam mehrere:verschiedene "
    "verwendet:benutzt hauptsächlich:vor_allem gegründet:geschaffen Prozent:% zwei:2 drei:3 vier:4 fünf:5 "
    "während:wohingegen fast:beinahe besonders:vor_allem wichtigsten:bedeutendsten sowie:und",
}
_FIRST_WORDS = """
    The A An In On It He She They This These There At By His Her Its Their Most All Some Many When After While For With
    To As If During Historically Since From Before Although Despite Because Both Each Every However
"""
_SMALL = frozenset(_FIRST_WORDS.split())
_OPENERS = {
    "en": ("According to the passage, ", "In fact, ", "Notably, "),
    "de": ("Laut der Passage gilt: ", "Tatsächlich gilt: ", "Kurz gesagt: "),
}


def _reworded(sentence: str, language: Language) -> str:
    """Replace up to three words by others of the same meaning."""
    said, count = sentence, 0
    for pair in _SYNONYMS[language].split():
        old, _, new = pair.replace("_", " ").partition(":")
        if count < 3 and re.search(rf"(?<![\w-]){old}(?![\w-])", said):
            said, count = re.sub(rf"(?<![\w-]){old}(?![\w-])", new, said, count=1), count + 1
    return said


def opened(opener: str, sentence: str, language: Language) -> str:
    """Put an opener before a sentence; an English first word that is no name becomes small."""
    if opener and language == "en" and sentence.split()[0] in _SMALL:
        sentence = sentence[0].lower() + sentence[1:]
    return opener + sentence
