"""Gives each sentence of an answer a verdict: how well the passages that it cites say it. Pure; no model is asked.

`Checker` takes the passages of a turn and the answer as it grows, and returns verdicts as sentences become complete.
What it finds and misses is measured by `python -m bench.verdicts FILE`; see `docs/measurements.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.citations.answer_sentences import AnswerSentence, AnswerSentences
from pipeline.citations.claims import Claim
from pipeline.citations.comparison import NOTHING, Comparison
from pipeline.citations.prepared_passages import compared, prepared
from pipeline.citations.refusals import says_missing
from pipeline.citations.support import CERTAIN, HELD_MIN
from pipeline.citations.windows import rough_coverage
from pipeline.messages import Message, Value
from pipeline.passages import Passage, Span
from pipeline.verdicts import Difference, Label, Verdict

NOT_FOUND_BELOW = 0.3  # a passage that holds less than this share of a claim's weight says something else
LIKELY_MIN, LIKELY_MOST = 0.4, 2  # of the passages that are not cited, those that are looked at
REPOINTED_MIN, REPOINTED_LEAD = 0.6, 0.3  # another passage must hold so much of a claim, and so much more of it
CERTAIN_WEIGHT = 0.1  # the factor of the score of a claim with a certain difference

_Standing = Literal["verbatim", "supported", "weak", "not_found"]
_WORST_FIRST: tuple[Label, ...] = (
    *("not_found", "weak", "wrong_source", "uncited"),
    *("supported", "verbatim", "no_claim"),
)
_BEST_LAST: tuple[_Standing, ...] = ("not_found", "weak", "supported", "verbatim")


@dataclass(frozen=True, slots=True)
class _Found:
    """A comparison with the passage of that number, and the verdict that it alone would give."""

    number: int
    comparison: Comparison

    @property
    def label(self) -> _Standing:
        if self.comparison.is_support:
            return "verbatim" if self.comparison.is_verbatim else "supported"
        return "not_found" if self.comparison.coverage < NOT_FOUND_BELOW else "weak"

    @property
    def is_support(self) -> bool:
        return self.comparison.is_support

    @property
    def rank(self) -> tuple[int, float]:
        return _BEST_LAST.index(self.label), self.comparison.coverage

    @property
    def score(self) -> float:
        return self.comparison.support * (CERTAIN_WEIGHT if self.comparison.has_certain_difference else 1.0)


class _Judged(NamedTuple):
    """A label with its reason and the comparison that it stands on."""

    label: Label
    reason: Message
    found: _Found | None = None
    suggested: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether the passage holds enough of it, and no difference is certain."""
        comparison = self.found.comparison if self.found else NOTHING
        return comparison.coverage >= HELD_MIN and not comparison.has_certain_difference


class Checker:
    """Checks one field of one answer against the passages of its turn."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._passages = {each.number: prepared(each) for each in passages}
        self._sentences = AnswerSentences()
        self._count = 0

    def add(self, text: str) -> list[Verdict]:
        """Append text; return the verdicts on the sentences that it completes."""
        return [self._verdict(each) for each in self._sentences.add(text)]

    def end(self) -> list[Verdict]:
        """Return the verdicts on what the field ends with."""
        return [self._verdict(each) for each in self._sentences.end()]

    def _verdict(self, sentence: AnswerSentence) -> Verdict:
        judged = self._judged(sentence)
        comparison = judged.found.comparison if judged.found else NOTHING
        index, self._count = self._count, self._count + 1
        return Verdict(
            index=index,
            start=sentence.start,
            end=sentence.end,
            citations=sentence.citations,
            label=judged.label,
            score=round(judged.found.score, 3) if judged.found else 0.0,
            reason=judged.reason,
            passage=judged.found.number if judged.found else None,
            quote=comparison.quote,
            suggested=judged.suggested,
            differences=comparison.told_differences,
        )

    def _judged(self, sentence: AnswerSentence) -> _Judged:
        """Judge a sentence by its worst clause; a clause that is only in other words may be supported by all of it."""
        clauses = sentence.clauses
        worst = min((self._judged_clause(each) for each in clauses), key=lambda each: _WORST_FIRST.index(each.label))
        if len(clauses) == 1 or worst.label != "weak" or not worst.is_held:
            return worst
        whole = self._judged_clause(sentence)
        return whole if whole.label in ("verbatim", "supported") else worst

    def _judged_clause(self, sentence: AnswerSentence) -> _Judged:
        claim = Claim(sentence)
        if not sentence.citations:
            return self._without_citation(claim)
        cited = [number for number in sentence.citations if number in self._passages]
        found = self._best(claim, cited)
        if found and found.is_support:
            return _Judged(found.label, _reason(found.label, found), found)
        if better := self._better(claim, cited, found):
            return _Judged("wrong_source", _reason("wrong_source", better), better, better.number)
        if says_missing(claim.text) and (found is None or found.comparison.coverage < REPOINTED_MIN):
            return _Judged("no_claim", Message("says_missing"))
        if found is None:
            return _Judged("not_found", Message("unknown_passage"))
        return _Judged(found.label, self._difference(sentence, found), found)

    def _without_citation(self, claim: Claim) -> _Judged:
        if claim.claims_nothing:
            return _Judged("no_claim", Message("says_missing" if says_missing(claim.text) else "no_claim"))
        found = self._better(claim, (), None)
        if found is None:
            return _Judged("uncited", Message("uncited"))
        return _Judged("uncited", _reason("uncited_but_found", found), found, found.number)

    def _best(self, claim: Claim, cited: Sequence[int]) -> _Found | None:
        """Return the cited passage that supports a claim best; what it lacks may stand in another cited one."""
        found = (self._found(claim, number, cited) for number in cited)
        return max(found, key=lambda each: each.rank, default=None)

    def _better(self, claim: Claim, cited: Sequence[int], found: _Found | None) -> _Found | None:
        """Return a passage that is not cited and supports the claim, or holds much more of it than the cited one."""
        rough = {
            number: rough_coverage(claim.tokens(each.source.language), each.source)[0]
            for number, each in self._passages.items()
            if number not in cited
        }
        likely = sorted((number for number in rough if rough[number] >= LIKELY_MIN), key=lambda each: -rough[each])
        compared = (self._found(claim, number, (number,)) for number in likely[:LIKELY_MOST])
        best = max(compared, key=lambda each: each.rank, default=None)
        if best is None or best.is_support or not cited:
            return best if best and best.is_support else None
        ahead = (found.comparison.coverage if found else 0.0) + REPOINTED_LEAD
        return best if best.comparison.coverage >= max(REPOINTED_MIN, ahead) else None

    def _found(self, claim: Claim, number: int, cited: Sequence[int]) -> _Found:
        """Compare a claim with one of the passages that are cited, or could be."""
        cited_too = [self._passages[each] for each in cited if each != number]
        others = [each for at, each in self._passages.items() if at not in cited]
        return _Found(number, compared(claim, self._passages[number], cited_too, others))

    def _difference(self, sentence: AnswerSentence, found: _Found) -> Message:
        """Return what the claim says otherwise than the passage, the facts that it replaces first."""
        if not found.comparison.told_differences:
            return _reason(found.label, found)
        first = min(found.comparison.told_differences, key=lambda each: (each.kind not in CERTAIN, each.source is None))
        answer = _cut(sentence.text, first.answer, sentence.start)
        source = _cut(self._passages[found.number].source.text, first.source, 0) if first.source else ""
        return _reason(_code(first), found, answer=answer, source=source)


def _code(difference: Difference) -> str:
    match difference.kind:
        case "order":
            return "order"
        case "negation":
            return "negation_left_out" if difference.source else "negation_added"
        case _:
            return "differs" if difference.source else "absent"


def _reason(code: str, found: _Found, **values: Value) -> Message:
    return Message(code, {"passage": found.number, **values})


def _cut(text: str, span: Span, start: int) -> str:
    return text[span[0] - start : span[1] - start]
