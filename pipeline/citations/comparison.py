"""Compares a claim with a passage: how much of it the passage says, where, and what it says otherwise. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.citations.alignment import Aligned, Source, align, weight
from pipeline.citations.differences import differences
from pipeline.citations.opposites import NEGATION
from pipeline.citations.tokens import Key, Token
from pipeline.passages import Span
from pipeline.verdicts import Difference

WINDOW_SENTENCES_MAX = 3
EXTRA_SENTENCE_PENALTY = 0.12  # another sentence must add at least this share of the claim
VERBATIM_TOKENS_MIN = 3
_SIMILAR, _NAME_ELSEWHERE, _WORD_ELSEWHERE = 0.85, 0.9, 0.5  # what a word counts that is not found as it is, of 1
_NEGATION_NEAR_TOKENS = 2
_CLAUSE_END = re.compile(r"[,;:.!?–—]")


@dataclass(frozen=True, slots=True)
class Comparison:
    """`coverage` is the share of the claim that the passage holds; `order` that of its words that follow as there.

    It stands on the words of both that are `aligned`.
    """

    is_verbatim: bool
    coverage: float
    order: float
    quote: Span | None
    differences: tuple[Difference, ...]
    aligned: Aligned | None = None


NOTHING = Comparison(False, 0.0, 0.0, None, ())


def rough_coverage(claim: Sequence[Token], source: Source) -> tuple[float, range]:
    """Return the share of the claim in the best window of sentences, and that window: cheap, without likeness."""
    total = sum(map(weight, claim)) or 1.0
    best, place = 0.0, range(0)
    held = [(weight(token), bits) for token in claim if (bits := source.sentences.get(token.key))]
    for window in _windows(len(source.spans)):
        wanted = ((1 << len(window)) - 1) << window[0]
        share = sum(worth for worth, bits in held if bits & wanted) / total - EXTRA_SENTENCE_PENALTY * (len(window) - 1)
        if share > best + 1e-9:
            best, place = share, window
    return best + EXTRA_SENTENCE_PENALTY * max(0, len(place) - 1), place


def compare(claim: Sequence[Token], source: Source, title: frozenset[Key]) -> Comparison:
    """Compare a claim with one passage; `title` holds the words of its title and section."""
    if verbatim := _verbatim(claim, source):
        return verbatim
    _, window = rough_coverage(claim, source)
    if not window:
        return NOTHING
    aligned = align(claim, source, source.bounds[window[0]][0], source.bounds[window[-1]][1])
    found = differences(aligned, title)
    return Comparison(False, _coverage(aligned, title), aligned.order, _quote(aligned), found, aligned)


def _windows(count: int) -> Iterator[range]:
    for size in range(1, WINDOW_SENTENCES_MAX + 1):
        for begin in range(count - size + 1):
            yield range(begin, begin + size)


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
            aligned = Aligned(claim, source, at, at + size, range(at, at + size), frozenset())
            return Comparison(not cut, 1.0, 1.0, _whole_sentences(source, quote), found, aligned)
    return None


def _whole_sentences(source: Source, quote: Span) -> Span:
    inside = [span for span in source.spans if span[0] < quote[1] and quote[0] < span[1]]
    return inside[0][0], inside[-1][1]


def _negation_cut_off(source: Source, first: int, last: int) -> Token | None:
    """Return the negation beside [first, last) in the same clause, which a quotation has left out."""
    tokens, text = source.tokens, source.text
    for at in range(max(0, first - _NEGATION_NEAR_TOKENS), first):
        if NEGATION in tokens[at].senses and not _CLAUSE_END.search(text[tokens[at].end : tokens[first].start]):
            return tokens[at]
    for at in range(last, min(len(tokens), last + _NEGATION_NEAR_TOKENS)):
        if NEGATION in tokens[at].senses and not _CLAUSE_END.search(text[tokens[last - 1].end : tokens[at].start]):
            return tokens[at]
    return None


def _coverage(aligned: Aligned, title: frozenset[Key]) -> float:
    total = sum(map(weight, aligned.claim)) or 1.0
    return sum(weight(token) * _found(aligned, at, title) for at, token in enumerate(aligned.claim)) / total


def _found(aligned: Aligned, at: int, title: frozenset[Key]) -> float:
    """Return how far a token of the claim is found, 0 to 1."""
    if aligned.places[at] is not None:
        return _SIMILAR if at in aligned.similar else 1.0
    token = aligned.claim[at]
    if token.kind == "function":
        return 0.6
    if token.key not in title and token.key not in aligned.source.places:
        return 0.0
    return _NAME_ELSEWHERE if token.is_capital else _WORD_ELSEWHERE


def _quote(aligned: Aligned) -> Span | None:
    places = [place for place in aligned.places if place is not None]
    if not places:
        return None
    tokens = aligned.source.tokens
    return _whole_sentences(aligned.source, (tokens[min(places)].start, tokens[max(places)].end))
