"""Judges whether the best sentence answers a question: whether it is about it, and whether it says what is presumed.

Both are logistic regressions with fixed weights. The first was fitted on 2,186 questions of XQuAD's half and of five
articles of SQuAD 2.0, asked with and without their article; the second on the 1,921 questions of these five articles,
981 of which presume what the article does not say. Measured across articles (AUROC): the article is missing 0.98 in
English and 0.975 in German, a premise is wrong 0.79. The rules for negations, opposites and names are explicit, so
`doubts_of` can say what is doubtful; negations and opposites are those of the verdicts. English capitals mark names;
German ones do not. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from pipeline.citations.alignment import Source, is_similar
from pipeline.citations.comparison import compare
from pipeline.citations.opposites import NEGATION
from pipeline.citations.tokens import Key, Token, tokens_of
from pipeline.models.builtin.question_kind import is_name
from pipeline.models.builtin.sentence_scores import Scored
from pipeline.retrieval.languages import Language
from pipeline.retrieval.terms import detected_language, terms_of_word, words_of

_PAIR_WORDS = 2  # two words of the question follow each other in a sentence if they are at most this far apart

# score, word pairs, passage's share, sentence's share, words matched, lacking, share in no passage, same document
TOPIC_WEIGHTS, TOPIC_CONSTANT = (0.62, 2.65, 1.43, -2.08, 2.05, -0.21, -4.77, 1.47), -7.51
# names nearby, names, numbers nearby, numbers, negations of the question alone, opposites, share, number of words,
# words beside the same word as another one, names in the place of others
PREMISE_WEIGHTS, PREMISE_CONSTANT = (-0.51, -0.4, -0.97, -1.66, -3.59, -1.75, 1.75, 0.86, -0.83, -0.57), -1.81

# "How many" and the like ask for what the sentence says and presume nothing of it.
_ASKING = re.compile(
    r"\W*(?:[^\W\d_]{1,8}\s)?(?:what|which|who|whom|whose|when|where|why|how(?: (?:many|much|often|long))?"
    r"|welche[mnrs]?|we[rnm]|wessen|was|wann|wo|woher|wohin|warum|wieso|weshalb|wie(?: ?(?:viele?n?|oft|lange))?)\b",
    re.IGNORECASE,
)


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
    said = _compared(question, best.sentence.text, asked_in)
    if not (said.negations or said.opposites) and _says_all(best):
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
    said = _compared(question, best.sentence.text, asked_in)
    return (
        sum(not word[0].isdigit() for word in unsaid_nearby),
        sum(not word[0].isdigit() for word in unsaid),
        sum(word[0].isdigit() for word in unsaid_nearby),
        sum(word[0].isdigit() for word in unsaid),
        len(said.negations),
        len(said.opposites),
        _matched_share(best),
        math.log(len(best.asked)),
        said.replaced,
        said.names,
    )


def doubts_of(question: str, best: Scored, nearby: Sequence[Scored], asked_in: Language) -> Doubts:
    """Return the premises of a question that its best sentence and the ones beside it do not say."""
    said = _compared(question, best.sentence.text, asked_in)
    is_negated = any(_is_negated(each.sentence.text, asked_in) for each in nearby)
    return Doubts(
        _unsaid(question, (best, *nearby), asked_in),
        said.negations[0] if said.negations and not is_negated else "",
        said.opposites[0] if said.opposites else None,
    )


class _Said(NamedTuple):
    """What a sentence says otherwise than a question presumes.

    `negations` are those of the question alone, `opposites` its words with those of the sentence, `replaced` counts the
    words of the question that stand before the same word as another one in the sentence: "the political advisor" where
    that says "his military advisor". `names` counts names that stand in the place of other ones,
    0 in German, where each noun looks like one.
    """

    negations: tuple[str, ...]
    opposites: tuple[tuple[str, str], ...]
    replaced: int
    names: int


@lru_cache(maxsize=500)
def _compared(question: str, sentence: str, asked_in: Language) -> _Said:
    """Compare a question with a sentence, as a claim of an answer is compared with a passage."""
    asking = _ASKING.match(question)
    claim = tokens_of(question[asking.end() :] if asking else question, asked_in, asking.end() if asking else 0)
    source = Source(sentence, detected_language(sentence) or asked_in)
    found = compare(claim, source).differences
    opposites = [each for each in found if each.kind == "opposite" and each.source]
    return _Said(
        tuple(question[slice(*each.answer)] for each in found if each.kind == "negation" and each.source is None),
        tuple((question[slice(*each.answer)], sentence[slice(*each.source)]) for each in opposites if each.source),
        _replaced(claim, source),
        sum(each.kind == "name" and each.source is not None for each in found) if asked_in != "de" else 0,
    )


def _is_negated(sentence: str, asked_in: Language) -> bool:
    return any(NEGATION in token.senses for token in tokens_of(sentence, detected_language(sentence) or asked_in))


def _replaced(claim: Sequence[Token], source: Source) -> int:
    """Count the words that the sentence lacks, before a word that has another one before it there."""
    asked = {token.key for token in claim if token.kind != "function"}
    return sum(
        one.kind != "function"
        and two.kind != "function"
        and one.key not in source.places
        and not any(is_similar(one, other) for other in source.tokens)
        and any(_is_other(source.tokens[at - 1], asked) for at in source.places.get(two.key, ()) if at)
        for one, two in pairwise(claim)
    )


def _is_other(token: Token, asked: Set[Key]) -> bool:
    """Whether a token of the sentence is a word that is not asked for."""
    return token.kind != "function" and token.key not in asked


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
