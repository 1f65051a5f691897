"""Judges how well the passages of a search cover its question: good, weak or none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.passages import Closeness, Passage, Query
from pipeline.retrieval import Quality
from pipeline.retrieval.query import WeightedWord, weighted_words
from pipeline.retrieval.terms import detected_language, in_any_language, language_of, terms_in_any_language

STRONG = 0.3  # a passage counts if it has this share of the best one's score
LEAST_SHARE = 0.4  # of the question's words, below which the quality is none
GOOD_SHARE = 0.7
HALF = 0.5


def quality_of(query: Query, passages: Sequence[Passage], closeness: Closeness | None = None) -> Quality:
    """Judge by the question's words, since scores of different searches cannot be compared.

    Only passages with at least 0.3 of the best score count. If together they contain less than 0.4 of the question's
    own words (stems, without stop words), the quality is none. If they contain 0.7, and a single one more than half, it
    is good; otherwise it is weak. Of the bundled questions, 87 of the 96 answerable ones are good and none is none; of
    the 13 unanswerable ones 8 are none, 4 weak and 1 good.

    A follow-up that finds a word of the turn before is at least weak. So is a passage found by its vector, where
    `closeness` does not say what similarities mean: unrelated texts have 0.1 with one model and 0.7 with another. Where
    it does, a passage found by meaning alone can be good, and one about something else is none.
    """
    best = max((passage.score for passage in passages), default=0.0)
    near = [passage for passage in passages if passage.score >= STRONG * best]
    terms = [_terms(each) for each in near]
    words = weighted_words(query, language_of(query.question, *(passage.text for passage in passages)))
    own, past = [word for word in words if word.weight == 1.0], [word for word in words if word.weight < 1.0]
    judged = own or past  # "Tell me more" has no words of its own
    together, in_one = _share(judged, terms), max((_share(judged, [each]) for each in terms), default=0.0)
    if together >= GOOD_SHARE and in_one > HALF:
        return "good"
    whole = [terms_in_any_language(each.text) for each in near] if past else ()
    similar = _similarity(query, passages, closeness)
    if closeness and similar is not None and similar >= closeness.good:
        return "good"
    meant = similar is not None and (closeness is None or similar >= closeness.related)
    leans = _share(past, whole) > 0 or meant
    return "weak" if terms and (together >= LEAST_SHARE or leans) else "none"


def _similarity(query: Query, passages: Sequence[Passage], closeness: Closeness | None) -> float | None:
    """Return the best similarity of the passages, made comparable between languages; None where none has one."""
    asked_in = detected_language(query.question)
    similarities = []
    for passage in passages:
        if passage.scores.vector is not None:
            foreign = closeness and asked_in and detected_language(passage.text) not in (None, asked_in)
            similarities.append(passage.scores.vector + (closeness.across if closeness and foreign else 0.0))
    return max(similarities, default=None)


class Words(NamedTuple):
    """The words of a question that passages contain, and those that none of them contains."""

    found: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def coverage(self) -> float | None:
        """The share of the words that are found, 0 to 1; None without words."""
        count = len(self.found) + len(self.missing)
        return round(len(self.found) / count, 3) if count else None


def words_found(query: Query, passages: Sequence[Passage]) -> Words:
    """Return the query's own words, by whether the passages contain them."""
    terms = frozenset[int]().union(*map(_terms, passages))
    words = weighted_words(query, language_of(query.question, *(passage.text for passage in passages)))
    own = [word.text for word in words if word.weight == 1.0]
    found = tuple(word for word in own if not terms.isdisjoint(in_any_language(word)))
    return Words(found, tuple(word for word in own if word not in found))


def _terms(passage: Passage) -> frozenset[int]:
    """Return the terms of a passage that may match: those of its headings, and of the marked words of its text."""
    marked = " ".join(passage.text[begin:end] for begin, end in passage.matched)
    return terms_in_any_language(f"{passage.title} {passage.section} {marked}")


def _share(words: Sequence[WeightedWord], terms: Iterable[frozenset[int]]) -> float:
    """Return the share of the words that any of the passages contains, 0 to 1."""
    union = frozenset[int]().union(*terms)
    return sum(not union.isdisjoint(in_any_language(word.text)) for word in words) / len(words) if words else 0.0
