"""A sentence of an answer beside a passage: the runs of words that both hold, and what the answer says otherwise. Pure.

It is made when somebody looks at a sentence, from what the checks compared it by: an event holds only their result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.citations.alignment import RUN_WEIGHT_MIN, Aligned, weight
from pipeline.citations.answer_sentences import AnswerSentence, AnswerSentences
from pipeline.citations.claims import Claim
from pipeline.citations.comparison import NOTHING
from pipeline.citations.prepared_passages import compared, prepared
from pipeline.citations.tokens import Token
from pipeline.passages import Passage, Span
from pipeline.verdicts import Difference


@dataclass(frozen=True, slots=True)
class MatchedRun:
    """Words in a row that stand in a row in the passage, too; `is_exact`: the same words, not only forms of them."""

    answer: Span
    source: Span
    is_exact: bool


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A sentence and a passage; runs and differences do not overlap, on either side.

    `quote` is the place of the passage that the sentence was compared with; None where nothing in it is like that.
    """

    sentence: AnswerSentence
    passage: Passage
    quote: Span | None
    runs: tuple[MatchedRun, ...]
    differences: tuple[Difference, ...]


def sentence_at(said: str, span: Span) -> AnswerSentence | None:
    """Return the sentence of a field's text that was checked under that span."""
    sentences = AnswerSentences()
    found = [*sentences.add(said), *sentences.end()]
    return next((each for each in found if (each.start, each.end) == span), None)


def side_by_side(
    sentence: AnswerSentence, passage: Passage, differences: Sequence[Difference] | None = None
) -> SideBySide:
    """Compare a sentence with a passage; `differences` are those of its verdict, None for another passage's."""
    claim = Claim(sentence)
    comparison = compared(claim, prepared(passage)) if claim.tokens(claim.language) else NOTHING
    told = _apart(comparison.told_differences if differences is None else differences)
    runs = matched_runs(comparison.aligned, told) if comparison.aligned else ()
    return SideBySide(sentence, passage, comparison.quote, runs, told)


def matched_runs(aligned: Aligned, differences: Sequence[Difference] = ()) -> tuple[MatchedRun, ...]:
    """Return the aligned words in runs, in the order of the claim; without those that `differences` name.

    Function words make no run by themselves: they stand everywhere.
    """
    runs: list[MatchedRun] = []
    for pairs in _in_rows(_pairs(aligned, differences)):
        if sum(weight(token) for token, _ in pairs) >= RUN_WEIGHT_MIN:
            runs.append(_run(pairs))
    return tuple(_without_overlap(runs))


_Pair = tuple[Token, Token]


def _pairs(aligned: Aligned, differences: Sequence[Difference]) -> Iterator[tuple[int, int, _Pair]]:
    """Iterate over the aligned tokens: their places in the claim and in the passage, and both tokens."""
    said = [each.answer for each in differences]
    source = [each.source for each in differences if each.source]
    for number, (token, place) in enumerate(zip(aligned.claim, aligned.places, strict=True)):
        if place is None:
            continue
        other = aligned.source.tokens[place]
        if not (_is_inside(token, said) or _is_inside(other, source)):
            yield number, place, (token, other)


def _is_inside(token: Token, spans: Sequence[Span]) -> bool:
    return any(begin < token.end and token.start < end for begin, end in spans)


def _in_rows(pairs: Iterator[tuple[int, int, _Pair]]) -> Iterator[list[_Pair]]:
    """Group pairs that follow each other on both sides."""
    row: list[_Pair] = []
    last = (-1, -1)
    for number, place, pair in pairs:
        if row and (number, place) != (last[0] + 1, last[1] + 1):
            yield row
            row = []
        row.append(pair)
        last = number, place
    if row:
        yield row


def _run(pairs: Sequence[_Pair]) -> MatchedRun:
    (first, first_there), (last, last_there) = pairs[0], pairs[-1]
    is_exact = all((token.text, token.key) == (other.text, other.key) for token, other in pairs)
    return MatchedRun((first.start, last.end), (first_there.start, last_there.end), is_exact)


def _without_overlap(runs: Sequence[MatchedRun]) -> Iterator[MatchedRun]:
    """Leave out a run that shares characters with an earlier one: tokens of unspaced scripts overlap."""
    kept: list[MatchedRun] = []
    for run in runs:
        if not any(_overlap(run.answer, each.answer) or _overlap(run.source, each.source) for each in kept):
            kept.append(run)
            yield run


def _apart(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """Return the differences that share no characters with an earlier one."""
    kept: list[Difference] = []
    for each in differences:
        is_new = not any(
            _overlap(each.answer, other.answer)
            or (each.source and other.source and _overlap(each.source, other.source))
            for other in kept
        )
        kept += [each] if is_new else []
    return tuple(kept)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
