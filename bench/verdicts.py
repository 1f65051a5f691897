"""Measures the verdicts on planted errors in right, cited answers; prints its tables and the errors by kind.

    python -m bench.verdicts FILE.json [FILE.json …] [--passages 6] [--errors 30] [--seed 1]

A file has SQuAD's format; its language is that of its paragraphs. From each answerable question comes the sentence that
holds the answer, with its citation, in four wordings: as it stands, cut to a part, its clauses moved, and lightly
reworded; and, apart from the rest, the question turned into a statement (other words than the passage's). Each is
checked as it is and with one planted error. *False pass*: an error that is `verbatim` or `supported`. *False alarm*: a
right one that is neither.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from bench.corruptions import PLANTS
from i18n.messages import verdict_text
from pipeline.citations.checker import Checker
from pipeline.citations.sentences import sentences
from pipeline.passages import Passage
from pipeline.retrieval.terms import language_of
from pipeline.verdicts import Verdict

WORDINGS = ("quote", "part", "moved", "reworded")
FEWEST_WORDS = 6
PASSES = ("verbatim", "supported")


@dataclass(frozen=True, slots=True)
class Case:
    """One answer of one sentence: what was planted ("" for nothing) and what is right."""

    language: str
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


@dataclass(frozen=True, slots=True)
class Result:
    """A case with its verdicts, of which a wrongly cut sentence has several."""

    case: Case
    verdicts: tuple[Verdict, ...]
    cpu_s: float

    @property
    def passes(self) -> bool:
        """Whether every part of the sentence is said to be supported."""
        return all(each.label in PASSES for each in self.verdicts)

    @property
    def score(self) -> float:
        """The lowest support of its parts."""
        return min(each.score for each in self.verdicts)


def main() -> None:
    """Print the tables of each file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--passages", type=int, default=6)
    parser.add_argument("--sentences", type=int, default=1, help="of each paragraph")
    parser.add_argument("--errors", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    results: list[Result] = []
    for file in options.files:
        results += [checked(case) for case in cases(file, options.passages, options.seed, options.sentences)]
    for table in (false_passes, false_alarms, citations, calibration, costs):
        print("\n".join(table(results)), end="\n\n")
    print("\n".join(errors(results, options.errors)))


def cases(file: Path, passages: int, seed: int, most: int) -> Iterator[Case]:
    """Iterate over the cases of a SQuAD file."""
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
        for question in random.sample(paragraph["qas"], len(paragraph["qas"])):
            if len(seen) < most:
                yield from _cases_of(question, paragraph["context"], language, right, found, random, seen)


def _cases_of(
    question: dict[str, object],
    context: str,
    language: str,
    right: int,
    passages: tuple[Passage, ...],
    random: Random,
    seen: set[str],
) -> Iterator[Case]:
    answers = question["answers"]
    if not isinstance(answers, list) or not answers:
        return
    start, gold = answers[0]["answer_start"], answers[0]["text"]
    sentence = next((context[b:e] for b, e in sentences(context) if b <= start < e), "")
    base = Case(language, "statement", "", statement(str(question["question"]), gold, language), right, right, passages)
    if base.sentence:
        yield base
    if sentence in seen or len(sentence.split()) < FEWEST_WORDS or not sentence.endswith("."):
        return
    seen.add(sentence)
    others = [context, *(each.text for each in passages if each.number != right)]
    for wording in WORDINGS:
        said = worded(sentence, wording, language, passages[right - 1].title)
        if said is None:
            continue
        opener = random.choice(_OPENERS[language]) if wording == "reworded" else ""
        case = replace(base, wording=wording, sentence=opened(opener, said, language))
        yield case
        yield replace(
            case,
            planted="cited passage",
            citation=random.choice([n for n in range(1, len(passages) + 1) if n != right]),
        )
        yield replace(case, planted="no citation", citation=None)
        for kind, plant in PLANTS.items():
            wrong = plant(said, language, random, others)
            if wrong and wrong != said and wrong.rstrip(".") not in context:
                yield replace(case, planted=kind, sentence=opened(opener, wrong, language))


def worded(sentence: str, wording: str, language: str, title: str) -> str | None:
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


def _moved(sentence: str, language: str) -> str | None:
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


def _reworded(sentence: str, language: str) -> str:
    """Replace up to three words by others of the same meaning."""
    said, count = sentence, 0
    for pair in _SYNONYMS[language].split():
        old, _, new = pair.replace("_", " ").partition(":")
        if count < 3 and re.search(rf"(?<![\w-]){old}(?![\w-])", said):
            said, count = re.sub(rf"(?<![\w-]){old}(?![\w-])", new, said, count=1), count + 1
    return said


def opened(opener: str, sentence: str, language: str) -> str:
    """Put an opener before a sentence; an English first word that is no name becomes small."""
    if opener and language == "en" and sentence.split()[0] in _SMALL:
        sentence = sentence[0].lower() + sentence[1:]
    return opener + sentence


_ASKED = {
    "en": re.compile(r"^(?:who|what|which [\w ]+?|how many [\w]+|where|when) (?=\w+)", re.IGNORECASE),
    "de": re.compile(r"^(?:wer|was|welche[rsmn]? \w+|wie viele \w+|wo|wann|in welchem \w+) (?=\w+)", re.IGNORECASE),
}
_INVERTED = re.compile(r"^(?:do|does|did|is|are|was|were|has|have|had|can|will|would|should)\b", re.IGNORECASE)


def statement(question: str, gold: str, language: str) -> str:
    """Turn a question and its answer into a statement; "" where that takes more than putting the answer in."""
    match = _ASKED[language].match(question.strip())
    if not match:
        return ""
    rest = question.strip()[match.end() :].rstrip(" ?.")
    if language == "en" and (_INVERTED.match(rest) or not re.match(r"(?:who|what)\b", match[0], re.IGNORECASE)):
        return ""
    return f"{gold[0].upper()}{gold[1:].rstrip('.')} {rest}."


def checked(case: Case) -> Result:
    """Check one answer, as it would arrive."""
    checker = Checker(case.passages)
    began_s = time.process_time()
    verdicts = [*checker.add(case.answer), *checker.end()]
    return Result(case, tuple(verdicts), time.process_time() - began_s)


def false_passes(results: Sequence[Result]) -> Iterator[str]:
    """Show by kind of error and language how many errors pass."""
    yield "| planted error | language | n | false pass | verdicts |"
    yield "|---|---|---|---|---|"
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        if result.case.planted in PLANTS and result.case.wording in WORDINGS:
            groups[result.case.planted, result.case.language].append(result)
            groups["all", result.case.language].append(result)
    for (kind, language), group in sorted(groups.items()):
        yield f"| {kind} | {language} | {len(group)} | {_share(r.passes for r in group)} | {_labels(group)} |"


def false_alarms(results: Sequence[Result]) -> Iterator[str]:
    """Show by wording and language how many right sentences do not pass."""
    yield "| right answers | language | n | false alarm | verdicts |"
    yield "|---|---|---|---|---|"
    for language in _languages(results):
        right = [r for r in results if not r.case.planted and r.case.language == language]
        groups = {wording: [r for r in right if r.case.wording == wording] for wording in (*WORDINGS, "statement")}
        groups["all but statements"] = [r for r in right if r.case.wording in WORDINGS]
        for wording, group in groups.items():
            alarms = _share(not r.passes for r in group)
            yield f"| {wording} | {language} | {len(group)} | {alarms} | {_labels(group)} |"


def citations(results: Sequence[Result]) -> Iterator[str]:
    """Show how many wrong citations are re-pointed, right ones harmed, and missing ones seen."""
    yield "| language | swapped | re-pointed rightly | right | re-pointed wrongly | uncited | seen | passage named |"
    yield "|---|---|---|---|---|---|---|---|"
    for language in _languages(results):
        own = [r for r in results if r.case.language == language and r.case.wording in WORDINGS]
        moved = [r for r in own if r.case.planted == "cited passage"]
        right = [r for r in own if not r.case.planted]
        bare = [r for r in own if r.case.planted == "no citation"]
        cells = (
            len(moved),
            _share(any(v.suggested == r.case.right and v.label == "wrong_source" for v in r.verdicts) for r in moved),
            len(right),
            _share(any(v.label == "wrong_source" for v in r.verdicts) for r in right),
            len(bare),
            _share(any(v.label == "uncited" for v in r.verdicts) for r in bare),
            _share(any(v.suggested == r.case.right for v in r.verdicts) for r in bare),
        )
        yield f"| {language} | {' | '.join(map(str, cells))} |"


def calibration(results: Sequence[Result]) -> Iterator[str]:
    """Show for each band of the score how many sentences are right: one right for each planted error of that band."""
    yield "| score | " + " | ".join(f"{language}: n, right" for language in _languages(results)) + " |"
    yield "|---|" + "---|" * len(_languages(results))
    for low in range(9, -1, -1):
        cells = []
        for language in _languages(results):
            band = [
                r
                for r in results
                if r.case.language == language
                and (not r.case.planted or r.case.planted in PLANTS)
                and low / 10 <= r.score < (low + 1) / 10 + (low == 9)
            ]
            cells.append(f"{len(band)}, {_share(not r.case.planted for r in band)}")
        yield f"| {low / 10:.1f}–{(low + 1) / 10:.1f} | {' | '.join(cells)} |"


def costs(results: Sequence[Result]) -> Iterator[str]:
    """Show the CPU of a sentence; preparing the passages is a turn's, not a sentence's."""
    times = sorted(1000 * r.cpu_s for r in results)
    mean, late = sum(times) / len(times), times[int(0.99 * len(times))]
    passages = len(results[0].case.passages)
    yield f"CPU of a sentence, {passages} passages: mean {mean:.2f} ms, 99 % {late:.2f} ms, n = {len(times)}"


def errors(results: Sequence[Result], count: int) -> Iterator[str]:
    """List wrong verdicts by kind."""
    kinds: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.case.planted in PLANTS and result.passes:
            kinds[f"false pass, {result.case.planted}, {result.case.language}"].append(result)
        elif not result.case.planted and not result.passes and result.case.wording in WORDINGS:
            kinds[f"false alarm, {result.case.wording}, {result.case.language}"].append(result)
    left, share = count, max(1, count // max(1, len(kinds)))
    for kind, group in sorted(kinds.items()):
        yield f"\n{kind}: {len(group)}"
        for result in group[: min(share, left)]:
            verdict = min(result.verdicts, key=lambda each: each.score)
            yield f"- {result.case.answer}\n  {verdict.label} {verdict.score}: {verdict_text(verdict.reason)}"
        left -= min(share, left, len(group))


def _languages(results: Iterable[Result]) -> list[str]:
    return sorted({result.case.language for result in results})


def _share(hits: Iterable[bool]) -> str:
    counted = list(hits)
    return f"{sum(counted) / len(counted):.3f}" if counted else "–"


def _labels(results: Iterable[Result]) -> str:
    counts = Counter(verdict.label for result in results for verdict in result.verdicts)
    return ", ".join(f"{label} {count}" for label, count in counts.most_common())


if __name__ == "__main__":
    main()
