"""Compares a sentence of an answer with another answer: whether that one says it still. Pure; no model is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.citations.alignment import Source
from pipeline.citations.answer_sentences import AnswerSentence, AnswerSentences
from pipeline.citations.claims import Claim
from pipeline.citations.comparison import Comparison, compare
from pipeline.retrieval.terms import detected_language
from pipeline.verdicts import Difference, DifferenceKind

RESTATED_MIN = 0.5  # share of a sentence that an answer holds; one that holds less is about something else

_BEFORE_STOP = re.compile(r" (?=[.,;:!?…])")  # what a citation before a full stop leaves behind

_FACTS: frozenset[DifferenceKind] = frozenset(("number", "unit", "date", "name"))

Outcome = Literal["said", "otherwise", "gone"]
_BEST_LAST: tuple[Outcome, ...] = ("gone", "otherwise", "said")


@dataclass(frozen=True, slots=True)
class Restated:
    """Whether an answer says a sentence: still, in whatever words, otherwise (a fact differs), or not at all.

    `text` is what comes closest to it, without citations; "" where nothing does. `is_certain`: a number, a unit, a date
    or a negation differs, and not only a word that may be a name.
    """

    outcome: Outcome
    text: str = ""
    is_certain: bool = False

    @property
    def rank(self) -> int:
        """How much of the sentence is left; more is better."""
        return _BEST_LAST.index(self.outcome)


def sentences_of(text: str) -> list[AnswerSentence]:
    """Return the sentences of a whole answer."""
    reader = AnswerSentences()
    return [*reader.add(text), *reader.end()]


def plain_text(text: str) -> str:
    """Return the sentences of an answer without citations, emphasis and code, each a paragraph of one line."""
    said = map(plain_sentence, sentences_of(text))
    return "\n\n".join(each for each in said if each)


def plain_sentence(sentence: AnswerSentence) -> str:
    """Return a sentence as one line without citations, emphasis and code."""
    return _BEFORE_STOP.sub("", " ".join(sentence.text.split()))


def restated(sentence: str, answer: str) -> Restated:
    """Return whether an answer says a sentence of another one; citations count for nothing in either."""
    text = plain_text(answer)
    source = Source(text, detected_language(text))
    found = [restated_in(each, source) for each in sentences_of(sentence)]
    return min(found, key=lambda each: each.rank, default=Restated("gone"))


def restated_in(sentence: AnswerSentence, source: Source) -> Restated:
    """Return whether the plain text of another answer says a sentence."""
    claim = Claim(replace(sentence, citations=()))
    comparison = compare(claim.tokens(source.language), source)
    closest = " ".join(source.text[slice(*comparison.quote)].split()) if comparison.quote else ""
    return Restated(_outcome(comparison), closest, comparison.has_certain_difference)


def _outcome(comparison: Comparison) -> Outcome:
    if comparison.is_support:
        return "said"
    if comparison.coverage < RESTATED_MIN:
        return "gone"
    if not comparison.differences:
        return "said"
    return "gone" if all(map(_is_absent, comparison.differences)) else "otherwise"


def _is_absent(difference: Difference) -> bool:
    """Whether a fact of the sentence is missing, with no other one in its place."""
    return difference.source is None and difference.kind in _FACTS
