"""Judges whether the best sentence answers a question: whether it is about it, and whether it says what is presumed.

Both are logistic regressions with fixed weights. The first was fitted on 2,186 questions of XQuAD's half and of five
articles of SQuAD 2.0, asked with and without their article; the second on the 1,921 questions of these five articles,
981 of which presume what the article does not say. Measured across articles (AUROC): the article is missing 0.98 in
English and 0.97 in German, a premise is wrong 0.75. The rules for negations, opposites and names are explicit, so
`doubts_of` can say what is doubtful. English capitals mark names; German ones do not. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from pipeline.models.builtin.question_kind import is_name
from pipeline.models.builtin.sentence_scores import Scored
from pipeline.retrieval.languages import Language
from pipeline.retrieval.terms import terms_of_word, words_of

_PAIR_WORDS = 2  # two words of the question follow each other in a sentence if they are at most this far apart

# score, word pairs, passage's share, sentence's share, words matched, lacking, share in no passage, same document
TOPIC_WEIGHTS, TOPIC_CONSTANT = (0.78, 1.99, 0.54, -1.71, 1.83, -0.06, -3.01, 1.34), -8.53
# names nearby, names, numbers nearby, numbers, negation of the question, in both, of the sentence, opposite, share,
# number of words
PREMISE_WEIGHTS, PREMISE_CONSTANT = (-0.57, -0.67, -0.97, -1.25, -2.94, -0.69, -0.14, -1.55, 1.33, 0.68), -1.47

_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|none|without|except|cannot|unable|fail(?:ed|s)?|refus\w+|lack\w*|absence|\w+n['’]t"
    r"|nicht|kein\w*|nie|niemals|ohne|außer)\b",
    re.IGNORECASE,
)
_OPPOSITES = """
    first/last before/after more/less more/fewer most/least increase/decrease increased/decreased north/south
    northern/southern east/west eastern/western largest/smallest highest/lowest high/low higher/lower large/small
    larger/smaller oldest/youngest oldest/newest older/younger win/lose won/lost begin/end began/ended start/stop
    above/below up/down major/minor always/never public/private good/bad best/worst better/worse positive/negative
    inside/outside internal/external maximum/minimum allow/forbid allowed/forbidden early/late earlier/later old/new
    rich/poor strong/weak stronger/weaker strongest/weakest long/short longer/shorter longest/shortest
    majority/minority same/different easy/difficult easier/harder male/female man/woman men/women king/queen
    father/mother brother/sister son/daughter buy/sell bought/sold gain/loss enter/leave include/exclude accept/reject
    accepted/rejected support/oppose supported/opposed upper/lower hot/cold fast/slow faster/slower simple/complex
    common/rare success/failure successful/unsuccessful finite/infinite even/odd winter/summer left/right import/export
    erste/letzte ersten/letzten vor/nach mehr/weniger größte/kleinste größten/kleinsten höchste/niedrigste
    höchsten/niedrigsten hoch/niedrig größer/kleiner älteste/jüngste ältesten/jüngsten gewann/verlor gewonnen/verloren
    begann/endete über/unter immer/nie öffentlich/privat gut/schlecht beste/schlechteste früh/spät früher/später
    stark/schwach lang/kurz länger/kürzer mehrheit/minderheit männer/frauen mann/frau könig/königin erlaubt/verboten
    nord/süd norden/süden ost/west osten/westen nördlich/südlich östlich/westlich maximal/minimal heiß/kalt
    schnell/langsam stieg/sank meisten/wenigsten links/rechts
"""


def _opposites() -> MappingProxyType[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for one, other in (pair.split("/") for pair in _OPPOSITES.split()):
        found[one] = found.get(one, frozenset()) | {other}
        found[other] = found.get(other, frozenset()) | {one}
    return MappingProxyType(found)


_OPPOSITE_OF = _opposites()


@dataclass(frozen=True, slots=True)
class Doubts:
    """What the best sentence and its neighbours do not say of a question's premises.

    `unsaid` are its names and numbers that are not there; `negation` is the question's, which the sentence lacks;
    `opposite` is the question's word and the sentence's, which says the opposite.
    """

    unsaid: tuple[str, ...] = ()
    negation: str = ""
    opposite: tuple[str, str] | None = None


NO_DOUBTS = Doubts()


def confidence_of(
    best: Scored, scored: Sequence[Scored], heading: str, headings: Sequence[str], language: Language
) -> float:
    """Return the probability (0 to 1) that the passages are about what is asked, where every second question is."""
    return _probability(TOPIC_WEIGHTS, TOPIC_CONSTANT, topic_measures(best, scored, heading, headings, language))


def premise_probability(question: str, best: Scored, nearby: Sequence[Scored], asked_in: Language) -> float:
    """Return the probability (0 to 1) that a sentence says what the question presumes, where every second one does.

    It is 1 for a sentence that has, with its headings, all words of the question and neither negates nor opposes one.
    """
    doubts = doubts_of(question, best, nearby, asked_in)
    if not (doubts.negation or doubts.opposite) and _says_all(best):
        return 1.0
    return _probability(PREMISE_WEIGHTS, PREMISE_CONSTANT, premise_measures(question, best, nearby, asked_in))


def topic_measures(
    best: Scored, scored: Sequence[Scored], heading: str, headings: Sequence[str], language: Language
) -> tuple[float, ...]:
    """Return the values that TOPIC_WEIGHTS weigh. `heading` is that of the best sentence, `headings` are all."""
    asked, weight = best.asked, sum(word.weight for word in best.asked)
    matched = _matched_share(best)
    absent = [word.weight for word, is_held in zip(asked, _held(scored), strict=True) if not is_held]
    of_document = heading.partition(" › ")[0]
    others = [each.partition(" › ")[0] for each in headings]
    return (
        best.quote.score,
        _pair_share(best, language),
        best.passage_share,
        matched,
        math.log1p(matched * weight),
        best.lacks,
        sum(absent) / weight,
        (others.count(of_document) - 1) / max(3, len(headings) - 1),
    )


def premise_measures(question: str, best: Scored, nearby: Sequence[Scored], asked_in: Language) -> tuple[float, ...]:
    """Return the values that PREMISE_WEIGHTS weigh."""
    unsaid, unsaid_nearby = _unsaid(question, (best,), asked_in), _unsaid(question, (best, *nearby), asked_in)
    is_asked, is_said = bool(_NEGATION.search(question)), bool(_NEGATION.search(best.sentence.text))
    return (
        sum(not word[0].isdigit() for word in unsaid_nearby),
        sum(not word[0].isdigit() for word in unsaid),
        sum(word[0].isdigit() for word in unsaid_nearby),
        sum(word[0].isdigit() for word in unsaid),
        is_asked and not is_said,
        is_asked and is_said,
        is_said and not is_asked,
        _opposite(question, best.sentence.text) is not None,
        _matched_share(best),
        math.log(len(best.asked)),
    )


def doubts_of(question: str, best: Scored, nearby: Sequence[Scored], asked_in: Language) -> Doubts:
    """Return the premises of a question that its best sentence and the ones beside it do not say."""
    negation = _NEGATION.search(question)
    is_negated = any(_NEGATION.search(each.sentence.text) for each in (best, *nearby))
    return Doubts(
        _unsaid(question, (best, *nearby), asked_in),
        negation[0] if negation and not is_negated else "",
        _opposite(question, best.sentence.text),
    )


def _says_all(best: Scored) -> bool:
    """Whether a sentence, the head of its table and the passage's heading have all words asked for."""
    said = best.sentence.terms | best.in_heading | (best.sentence.before if best.sentence.head else frozenset())
    return all(said.issuperset(word.terms) for word in best.asked)


def _matched_share(best: Scored) -> float:
    """Return the share (by weight) of the words asked for that the sentence has, or the head of its table.

    Similar words count in part.
    """
    in_head = best.sentence.before if best.sentence.head else frozenset[int]()
    matched = sum(
        word.weight * (1.0 if in_head.issuperset(word.terms) else share)
        for word, share in zip(best.asked, best.likenesses, strict=True)
    )
    return matched / sum(word.weight for word in best.asked)


def _probability(weights: Sequence[float], constant: float, measures: Sequence[float]) -> float:
    total = constant + sum(weight * each for weight, each in zip(weights, measures, strict=True))
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


def _held(scored: Sequence[Scored]) -> list[bool]:
    """Return for each word asked for whether a sentence or a heading has it or a similar one."""
    every = [(each.likenesses, each.in_heading) for each in scored]
    return [
        any(likenesses[at] > 0 or heading.issuperset(word.terms) for likenesses, heading in every)
        for at, word in enumerate(scored[0].asked)
    ]


def _unsaid(question: str, sentences: Sequence[Scored], asked_in: Language) -> tuple[str, ...]:
    """Return the names and numbers of the question that neither these sentences nor their heading have."""
    held = _held(sentences)
    return tuple(
        word.text
        for word, is_held in zip(sentences[0].asked, held, strict=True)
        if word.weight == 1.0 and not is_held and (word.text[0].isdigit() or is_name(word.text, question, asked_in))
    )


def _opposite(question: str, sentence: str) -> tuple[str, str] | None:
    """Return a word of the question and the sentence's that says the opposite."""
    said = {word.lower() for word in words_of(sentence)}
    for word in words_of(question):
        opposed = said & _OPPOSITE_OF.get(word.lower(), frozenset())
        if opposed and word.lower() not in said:
            return word, min(opposed)
    return None


def _pair_share(best: Scored, language: Language) -> float:
    """Return the share of the pairs of successive words asked for that follow each other in the sentence."""
    places: dict[int, list[int]] = {}
    for place, word in enumerate(words_of(best.sentence.text)):
        for term in terms_of_word(word, language):
            places.setdefault(term, []).append(place)
    found = [places.get(word.terms[0], []) for word in best.asked]
    pairs = list(pairwise(found))
    return sum(_is_near(first, second) for first, second in pairs) / max(1, len(pairs))


def _is_near(first: Iterable[int], second: Sequence[int]) -> bool:
    return any(0 < after - before <= _PAIR_WORDS for before in first for after in second)
