"""Judges how likely passages answer a question, and names the parts of it that they do not answer. Pure.

It is the built-in model's judgement, and stands for every model: it depends on the question and the passages alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.models.builtin.overview_question import overview_question_of
from pipeline.models.builtin.part_answers import answers_by_part
from pipeline.models.builtin.quotes import Choice, choose
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.query import query_of

# Of the log-odds of `Choice.confidence` and of `Choice.premise`, and of whether a word is missed that an answer must
# have. Fitted on 5,353 questions of XQuAD's half (English and German) and of five articles of SQuAD 2.0: as they are,
# with their article taken out, and impossible ones; `bench.extractive` prints the calibration.
WEIGHTS, CONSTANT = (0.34, 0.58, -1.3), -0.33
LEAST, MOST = 0.01, 0.99  # nothing is certain here


@dataclass(frozen=True, slots=True)
class Answerability:
    """The probability (0 to 1) that passages answer a question, where every second one is answered.

    Of a question in parts it is the mean of theirs. `missing` are the parts that the passages do not answer, or names
    and numbers that they lack, in the question's words; () where nothing is known to be missing. `parts` counts the
    parts that were judged one by one, 1 where the question was judged as a whole.
    """

    probability: float
    missing: tuple[str, ...] = ()
    parts: int = 1


def answerability_of(
    question: str, previous: tuple[str, str] | None, passages: Sequence[PromptPassage]
) -> Answerability:
    """Judge passages, best first; `previous` are the question and the answer of the turn before."""
    if not passages:
        return Answerability(0.0, (question.strip(),))
    if overview_question_of(question, previous[0] if previous else None):
        return Answerability(MOST)
    if parts := answers_by_part(question, previous, passages):
        likely = [0.0 if part.is_thing else probability_of(part.choice) for part in parts]
        missing = tuple(part.text for part in parts if not part.is_answered)
        return Answerability(sum(likely) / len(likely), missing, len(parts))
    choice = choose(query_of(question, previous), passages)
    return Answerability(probability_of(choice), _missing(question, choice))


def probability_of(choice: Choice) -> float:
    """Return the probability that what was chosen answers its question."""
    measures = (
        _log_odds(choice.confidence),
        _log_odds(choice.premise),
        bool(choice.missed),
    )
    total = CONSTANT + sum(weight * each for weight, each in zip(WEIGHTS, measures, strict=True))
    return max(LEAST, min(MOST, 1 / (1 + math.exp(-total))))


def _missing(question: str, choice: Choice) -> tuple[str, ...]:
    if choice.state == "answer":
        return ()
    return (choice.missed or choice.doubts.unsaid if choice.state == "near" else ()) or (question.strip(),)


def _log_odds(share: float) -> float:
    bounded = max(LEAST, min(MOST, share))
    return math.log(bounded / (1 - bounded))
