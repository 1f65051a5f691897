"""Compares finished answers with each other by their sentences: what one says alone, and what another says otherwise.

Pure; no model is asked. It compares words as the verdicts do: what two answers say in wholly other words counts as said
by one alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.citations.alignment import Source
from pipeline.citations.answer_sentences import AnswerSentence
from pipeline.citations.restating import Restated, plain_sentence, plain_text, restated_in, sentences_of
from pipeline.retrieval.terms import detected_language

SENTENCES_MOST = 60  # of an answer; what comes behind them is not compared
WORDS_MIN = 3  # a shorter sentence says too little to be compared


@dataclass(frozen=True, slots=True)
class SaidThere:
    """What another answer says in the place of a sentence."""

    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Differing:
    """A sentence at [start, end) of an answer, `shown` without its citations.

    `only`: no other answer says it. `otherwise`: `others` say it with another number, unit or date, or negate it.
    """

    start: int
    end: int
    shown: str
    kind: Literal["only", "otherwise"]
    others: tuple[SaidThere, ...] = ()


def differences_of(answers: Sequence[str]) -> list[tuple[Differing, ...]]:
    """Return for each answer the sentences in which it differs from all others. An empty answer is not compared."""
    texts = [plain_text(each) for each in answers]
    sources = [Source(each, detected_language(each)) if each else None for each in texts]
    if sum(source is not None for source in sources) < 2:
        return [() for _ in answers]
    return [
        tuple(found for each in sentences_of(answer)[:SENTENCES_MOST] if (found := _differing(each, at, sources)))
        for at, answer in enumerate(answers)
    ]


def _differing(sentence: AnswerSentence, at: int, sources: Sequence[Source | None]) -> Differing | None:
    shown = plain_sentence(sentence)
    if sentence.kind != "text" or len(shown.split()) < WORDS_MIN:
        return None
    found: list[tuple[int, Restated]] = []
    for column, source in enumerate(sources):
        if source is None or column == at:
            continue
        restated = restated_in(sentence, source)
        if restated.outcome == "said" or (restated.outcome == "otherwise" and not restated.is_certain):
            return None
        found.append((column, restated))
    others = tuple(SaidThere(column, each.text) for column, each in found if each.outcome == "otherwise")
    return Differing(sentence.start, sentence.end, shown, "otherwise" if others else "only", others)
