"""How far the passages of a search go towards its question: good, weak or none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.conversation import Passage, Query
from pipeline.retrieval import Quality
from pipeline.retrieval.query import WeightedWord, weighted_words
from pipeline.retrieval.words import in_any_language, language_of, terms_in_any_language

STRONG = 0.3  # a passage counts from this share of the best one's score on
LEAST_SHARE = 0.4  # of the question's words, for anything at all
GOOD_SHARE = 0.7
HALF = 0.5


def quality_of(query: Query, passages: Sequence[Passage]) -> Quality:
    """Judge by scores and by words, since scores of different searches cannot be compared.

    Only passages count that have at least 0.3 of the best one's score. Of the question's own words (stems, without stop
    words) they must hold 0.4 together, else the quality is none. With 0.7 together and more than half in a single one
    it is good, between the two it is weak. On the bundled questions that calls 87 of the 96 answerable ones good and
    none of them none, and of the 13 unanswerable ones 8 none, 4 weak and 1 good.

    A follow-up that finds a word of the turn before is at least weak, and so is whatever was found by its vector: how
    near is near differs from model to model (unrelated texts have 0.1 with one and 0.7 with another), so nearness
    excuses missing words and never proves an answer.
    """
    best = max((passage.score for passage in passages), default=0.0)
    near = [passage for passage in passages if passage.score >= STRONG * best]
    held = [_held(each) for each in near]
    words = weighted_words(query, language_of(query.question, *(passage.text for passage in passages)))
    own, past = [word for word in words if word.weight == 1.0], [word for word in words if word.weight < 1.0]
    judged = own or past  # "Tell me more" has no words of its own
    together, in_one = _share(judged, held), max((_share(judged, [each]) for each in held), default=0.0)
    if together >= GOOD_SHARE and in_one > HALF:
        return "good"
    whole = [terms_in_any_language(each.text) for each in near] if past else ()
    leans = _share(past, whole) > 0 or any(passage.scores.vector is not None for passage in passages)
    return "weak" if held and (together >= LEAST_SHARE or leans) else "none"


def words_found(query: Query, passages: Sequence[Passage]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The query's own words that the passages hold, and those that none of them holds."""
    held = frozenset[int]().union(*map(_held, passages))
    words = weighted_words(query, language_of(query.question, *(passage.text for passage in passages)))
    own = [word.text for word in words if word.weight == 1.0]
    found = tuple(word for word in own if not held.isdisjoint(in_any_language(word)))
    return found, tuple(word for word in own if word not in found)


def _held(passage: Passage) -> frozenset[int]:
    """Those terms of a passage that the question may have: its headings' words, and the marked ones of its text."""
    marked = " ".join(passage.text[begin:end] for begin, end in passage.matched)
    return terms_in_any_language(f"{passage.title} {passage.section} {marked}")


def _share(words: Sequence[WeightedWord], held: Iterable[frozenset[int]]) -> float:
    """How many of the words are held by any, 0..1."""
    terms = frozenset[int]().union(*held)
    return sum(not terms.isdisjoint(in_any_language(word.text)) for word in words) / len(words) if words else 0.0
