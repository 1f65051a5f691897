"""The question → what is searched: a follow-up takes words of the turn before along. Pure.

Measured on 338 follow-ups: the question alone finds 0.76 of the passages among five, with the previous question at 0.4
and the previous answer at 0.1 it is 0.85; the gate keeps a new topic from being diluted. The German words are untested.
"""

from __future__ import annotations

import re

from pipeline.conversation import Query
from pipeline.retrieval.words import LANGUAGES, Language, content_words, language_of, terms_of_word

PREVIOUS_QUESTION_WEIGHT = 0.4
PREVIOUS_ANSWER_WEIGHT = 0.1
PAST_SHARE = 0.5  # the past never weighs more than this share of the question's own words
FEW_WORDS = 5

_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|him|his|she|her|hers|ones?|others?|same"
    r"|es|sie|er|ihn|ihm|ihnen|ihr|ihre[mnrs]?|dies|diese[mnrs]?|andere[mnrs]?|selben?|davon|dazu|damit|dafür|dabei)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\W*(?:and|but|what about|how about|und|aber)\b", re.IGNORECASE)
_CITATION = re.compile(r"\[\d+\]")


def query_of(question: str, previous: tuple[str, str] | None) -> Query:
    """`previous` is question and answer of the turn before; they join when the question leans on them."""
    if previous is None or not leans_on_past(question):
        return Query(question)
    asked, answered = previous
    past = ((asked, PREVIOUS_QUESTION_WEIGHT), (_CITATION.sub(" ", answered), PREVIOUS_ANSWER_WEIGHT))
    return Query(question, tuple((text, weight) for text, weight in past if text.strip()))


def leans_on_past(question: str) -> bool:
    """Whether a question is likely a follow-up: it points back, goes on from something, or has few words of its own."""
    if _POINTS_BACK.search(question) or _GOES_ON.match(question):
        return True
    return len(content_words(question, language_of(question))) <= FEW_WORDS


def weighted_terms(query: Query, language: Language, asked_in: Language | None = None) -> dict[int, float]:
    """Term → weight in the terms of `language`: 1 for the question's own words, the rest for what the past adds.

    Stop words are those of the language that the query is asked in: a German "die" is no English death.
    """
    asked_in = asked_in or language_of(query.question)
    own = _terms(query.question, language, asked_in)
    past: dict[int, float] = {}
    for text, weight in query.past:
        for term in _terms(text, language, asked_in):
            if term not in own:
                past.setdefault(term, weight)
    share = min(1.0, PAST_SHARE * len(own) / (sum(past.values()) or 1.0)) if own else 1.0
    return dict.fromkeys(own, 1.0) | {term: weight * share for term, weight in past.items()}


def united_terms(query: Query) -> dict[int, float]:
    """Term → weight over all languages, since the passages may be in any."""
    terms: dict[int, float] = {}
    for language in LANGUAGES:
        for term, weight in weighted_terms(query, language).items():
            terms[term] = max(weight, terms.get(term, 0.0))
    return terms


def _terms(text: str, language: Language, asked_in: Language) -> dict[int, None]:
    """The terms of a text's content words, in their order."""
    return dict.fromkeys(term for word in content_words(text, asked_in) for term in terms_of_word(word, language))
