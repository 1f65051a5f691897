"""Compares a claim with a passage: how much of it the passage says, where, and what it says otherwise. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.citations.alignment import Aligned, Source, align, weight
from pipeline.citations.differences import CLAUSE_END, differences
from pipeline.citations.opposites import NEGATION
from pipeline.citations.support import CERTAIN, HELD_MIN, SUPPORTED_MIN, Measures, measures_of, support_of
from pipeline.citations.tokens import Key, Token
from pipeline.citations.windows import rough_coverage
from pipeline.passages import Span
from pipeline.verdicts import Difference

VERBATIM_TOKENS_MIN = 3
_SIMILAR, _NAME_ELSEWHERE, _WORD_ELSEWHERE = 0.85, 0.9, 0.5  # what a word counts that is not found as it is, of 1
_NEGATION_NEAR_TOKENS = 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """`coverage` is the share of the claim that the passage holds, `quote` where; it stands on the `aligned` words."""

    is_verbatim: bool
    coverage: float
    quote: Span | None = None
    differences: tuple[Difference, ...] = ()
    aligned: Aligned | None = None
    measures: Measures | None = None

    @property
    def support(self) -> float:
        """The probability (0 to 1) that the passage says it, certain differences aside; less where it holds little."""
        if self.is_verbatim:
            return 1.0
        return support_of(self.measures) * min(1.0, self.coverage / HELD_MIN) if self.measures else 0.0

    @property
    def has_certain_difference(self) -> bool:
        """Whether a number, a unit, a date, a negation or an opposite is wrong."""
        return any(each.kind in CERTAIN for each in self.differences)

    @property
    def is_support(self) -> bool:
        """Whether the passage says it, in the same words or in others."""
        if self.is_verbatim:
            return True
        return self.coverage >= HELD_MIN and self.support >= SUPPORTED_MIN and not self.has_certain_difference

    @property
    def told_differences(self) -> tuple[Difference, ...]:
        """The differences that are told to a person: none where the passage says it all the same."""
        return () if self.is_support else self.differences


NOTHING = Comparison(False, 0.0)


def compare(
    claim: Sequence[Token], source: Source, known: frozenset[Key] = frozenset(), others: Sequence[Source] = ()
) -> Comparison:
    """Compare a claim with one passage.

    `known` holds words that count as said besides: those of its title and section, and of passages that are cited with
    it. `others` are the passages that are not cited.
    """
    if found := _verbatim(claim, source):
        return found
    _, chosen = rough_coverage(claim, source)
    if not chosen:
        return NOTHING
    aligned = align(claim, source, chosen)
    coverage, found_differences = _coverage(aligned, known), differences(aligned, known)
    measures = measures_of(aligned, coverage, found_differences, known, others)
    return Comparison(False, coverage, _quote(aligned), found_differences, aligned, measures)


def _verbatim(claim: Sequence[Token], source: Source) -> Comparison | None:
    """Return the place that holds all words of the claim in a row."""
    size = len(claim)
    if size < VERBATIM_TOKENS_MIN:
        return None
    wanted = [(token.text, token.key) for token in claim]
    for at in source.places.get(claim[0].key, ()):
        if [(token.text, token.key) for token in source.tokens[at : at + size]] == wanted:
            quote = (source.tokens[at].start, source.tokens[at + size - 1].end)
            cut = _negation_cut_off(source, at, at + size)
            found = (Difference("negation", (claim[0].start, claim[-1].end), (cut.start, cut.end)),) if cut else ()
            aligned = Aligned(claim, source, frozenset(range(at, at + size)), range(at, at + size), frozenset())
            return Comparison(not cut, 1.0, _whole_sentences(source, quote), found, aligned)
    return None


def _whole_sentences(source: Source, quote: Span) -> Span:
    inside = [span for span in source.spans if span[0] < quote[1] and quote[0] < span[1]]
    return inside[0][0], inside[-1][1]


def _negation_cut_off(source: Source, first: int, last: int) -> Token | None:
    """Return the negation beside [first, last) in the same clause, which a quotation has left out."""
    tokens, text = source.tokens, source.text
    for at in range(max(0, first - _NEGATION_NEAR_TOKENS), first):
        if NEGATION in tokens[at].senses and not CLAUSE_END.search(text[tokens[at].end : tokens[first].start]):
            return tokens[at]
    for at in range(last, min(len(tokens), last + _NEGATION_NEAR_TOKENS)):
        if NEGATION in tokens[at].senses and not CLAUSE_END.search(text[tokens[last - 1].end : tokens[at].start]):
            return tokens[at]
    return None


def _coverage(aligned: Aligned, known: frozenset[Key]) -> float:
    total = sum(map(weight, aligned.claim)) or 1.0
    return sum(weight(token) * _found(aligned, at, known) for at, token in enumerate(aligned.claim)) / total


def _found(aligned: Aligned, at: int, known: frozenset[Key]) -> float:
    """Return how far a token of the claim is found, 0 to 1."""
    if aligned.places[at] is not None:
        return _SIMILAR if at in aligned.similar else 1.0
    token = aligned.claim[at]
    if token.kind == "function":
        return 0.6
    if token.key not in known and token.key not in aligned.source.places:
        return 0.0
    return _NAME_ELSEWHERE if token.is_capital else _WORD_ELSEWHERE


def _quote(aligned: Aligned) -> Span | None:
    """Return the sentences in a row that hold most of the claim."""
    worth: dict[int, float] = {}
    for token, place in zip(aligned.claim, aligned.places, strict=True):
        if place is not None:
            number = aligned.source.sentence_of(place)
            worth[number] = worth.get(number, 0.0) + weight(token)
    if not worth:
        return None
    first = last = max(worth, key=lambda number: (worth[number], -number))
    while first - 1 in worth:
        first -= 1
    while last + 1 in worth:
        last += 1
    return aligned.source.spans[first][0], aligned.source.spans[last][1]
