"""The score of one answer in an optimisation, and what is said of it to an optimiser that reads. Pure.

The scores are those of evaluations, for an answer that is no turn: an expected text in it counts fully, else the words
that both share count. A quarter of the score is the share of its claims that the passages support.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.citations.checker import Checker
from pipeline.citations.refusals import refusal_of
from pipeline.experiments.comparable_texts import contains, token_f1
from pipeline.optimisation.examples import Example
from pipeline.passages import Passage
from pipeline.turns.abstention import CLAIMS
from pipeline.verdicts import Verdict

SUPPORT_WEIGHT = 0.25
OTHER_MOST = 0.5  # of an answer of which is known only that another one was wrong
_HELD = frozenset({"verbatim", "supported"})
_FAULTS = {
    "not_found": "No passage says this",
    "weak": "The passages do not say this so",
    "wrong_source": "The cited passage does not say this, another one does",
    "uncited": "This has no [n] of a passage",
}
_SHOWN_CHARS, _SHOWN_SENTENCES = 300, 3


@dataclass(frozen=True, slots=True)
class Scored:
    """A score from 0 to 1, and what would have been better, as instructions for whoever improves the program."""

    score: float
    feedback: str
    abstained: bool


def scored(example: Example, answer: str, passages: Iterable[Passage]) -> Scored:
    """Score the answer (Markdown with [n]) to an example's question, which these passages were found for."""
    refusal = refusal_of(answer)
    abstained = bool(refusal and refusal.is_whole)
    checker = Checker(passages)
    verdicts = [*checker.add(answer), *checker.end()]
    claims = [each for each in verdicts if each.label in CLAIMS]
    supported = sum(each.label in _HELD for each in claims) / len(claims) if claims else float(example.refuses)
    right = _right(example, answer, abstained=abstained)
    if example.refuses and abstained:
        supported = 1.0
    score = round((1 - SUPPORT_WEIGHT) * right + SUPPORT_WEIGHT * supported, 4) if answer.strip() else 0.0
    return Scored(score, _feedback(example, answer, right, claims, abstained=abstained), abstained)


def _right(example: Example, answer: str, *, abstained: bool) -> float:
    """Return how far an answer is the right one, 0 to 1."""
    if example.refuses:
        return float(abstained)
    if example.answer:
        golds = (example.answer, *example.alternatives)
        return max(1.0 if contains(answer, gold) else token_f1(answer, gold) for gold in golds)
    return 0.0 if abstained else OTHER_MOST * (1 - token_f1(answer, example.wrong))


def _feedback(example: Example, answer: str, right: float, claims: Sequence[Verdict], *, abstained: bool) -> str:
    said = []
    if example.refuses:
        said.append("It rightly refused." if abstained else "It should have said that the documents do not answer.")
    elif example.answer and right < 1:
        said.append(f"The right answer is: {example.answer}")
    elif example.answer:
        said.append("The answer is right.")
    if example.comment:
        said.append(f"A person said of an earlier answer to this question: {example.comment}")
    if example.wrong and not example.answer:
        said.append(f"This earlier answer was wrong: {example.wrong[:_SHOWN_CHARS]}")
    faulty = [each for each in claims if each.label in _FAULTS][:_SHOWN_SENTENCES]
    said += [f"{_FAULTS[each.label]}: {answer[each.start : each.end][:_SHOWN_CHARS]}" for each in faulty]
    return "\n".join(said)
