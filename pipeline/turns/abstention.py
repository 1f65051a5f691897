"""What an ending says of an answer: whether it refuses, what the passages lack, and how likely they answer. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.citations.refusals import MISSING_JOIN, listed, refusal_of
from pipeline.events import Parts, TurnFinished, Warned
from pipeline.models.builtin.answerability import Answerability, answerability_of
from pipeline.passages import Passage
from pipeline.prompt_passages import PromptPassage, heading
from pipeline.settings import BUILTIN_MODEL
from pipeline.verdicts import Label

UNSUPPORTED = "unsupported"  # the code of the warning
PASSAGES_MOST = 8  # that are judged, since one takes up to 5 ms
# By how much the odds change with what a language model made of the passages. Set, not fitted: they only keep a
# confidence from contradicting the answer beside it.
REFUSED_ODDS, PARTLY_ODDS, SUPPORTED_ODDS = 0.2, 0.5, 3.0
DOUBTFUL: tuple[Label, ...] = ("not_found", "weak")
CITED: tuple[Label, ...] = ("verbatim", "supported", "wrong_source", *DOUBTFUL)
CLAIMS: tuple[Label, ...] = (*CITED, "uncited")
DOUBTFUL_LEAST = 2  # claims, where none of them is `not_found`

Counts = Mapping[Label, int]


def judged(ending: TurnFinished, question: str, previous: tuple[str, str] | None, checks: Counts) -> TurnFinished:
    """Return an ending with what the passages lack and how likely they answer; `checks` counts the verdicts.

    `previous` are the question and the answer of the turn before. What a language model says is missing counts first;
    the built-in model's answer says what was found missing in the same way.
    """
    refusal, is_builtin = refusal_of(ending.fields.get("answer", "")), ending.model == BUILTIN_MODEL
    judgement = answerability_of(question, previous, _shown(ending.passages))
    missing = listed(judgement.missing) if is_builtin else ""
    if refusal:
        missing = missing or refusal.missing or listed(judgement.missing) or question
    is_whole = refusal is not None and refusal.is_whole
    confidence = judgement.probability
    if not is_builtin:
        confidence = _told(judgement, refuses=bool(refusal), is_whole=is_whole, checks=checks)
    return replace(
        ending,
        checks=checks,
        abstained=is_whole,
        missing=missing or None,
        confidence=round(confidence, 3),
        parts=_parts(judgement, missing) if missing and not is_whole else None,
    )


def _parts(judgement: Answerability, missing: str) -> Parts | None:
    """Count the parts of a question that are answered where something is missing; at least one is, and one is not."""
    if judgement.parts == 1:
        return None
    unanswered = min(max(1, missing.count(MISSING_JOIN) + 1), judgement.parts - 1)
    return Parts(judgement.parts, judgement.parts - unanswered)


def warning_of(checks: Counts) -> Warned | None:
    """Return the warning of an answer whose claims are mostly not found, or only in part, in what it cites."""
    doubtful, claims = _sum(checks, DOUBTFUL), _sum(checks, CLAIMS)
    least = 1 if checks.get("not_found") else DOUBTFUL_LEAST
    if doubtful < least or 2 * doubtful <= claims:
        return None
    return Warned(code=UNSUPPORTED, values={"doubtful": doubtful, "claims": claims})


def _told(judgement: Answerability, *, refuses: bool, is_whole: bool, checks: Counts) -> float:
    """Return the probability after what a language model answered."""
    likely = judgement.probability
    if not 0 < likely < 1:
        return likely
    odds = likely / (1 - likely)
    if refuses:
        odds *= REFUSED_ODDS if is_whole else PARTLY_ODDS
    if cited := _sum(checks, CITED):
        supported = 1 - _sum(checks, DOUBTFUL) / cited
        odds *= math.pow(SUPPORTED_ODDS, 2 * supported - 1)
    return odds / (1 + odds)


def _sum(checks: Counts, labels: Sequence[Label]) -> int:
    return sum(checks.get(label, 0) for label in labels)


def _shown(passages: Sequence[Passage]) -> tuple[PromptPassage, ...]:
    """Return the passages as a prompt holds them, numbered from 1."""
    return tuple(
        PromptPassage(number, heading(each), each.text.strip())
        for number, each in enumerate(passages[:PASSAGES_MOST], 1)
    )
