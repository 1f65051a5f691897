"""Compares what stands beside the words of a claim with what stands beside them in the passage. Pure.

In other words than the passage's, places say little, but what stands right beside a fact still does: "an attack on
Israel" is no attack on Syria, and "Karl Rossi" is nobody where the passage has Karl Brandt and Anna Rossi.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.citations.alignment import Aligned, is_similar
from pipeline.citations.replaced_facts import ARTICLES, sorts_of
from pipeline.citations.tokens import Token

NAME_WORDS_APART = 2  # the most between two words of one name in the passage


def contested_facts(aligned: Aligned) -> int:
    """Count the ends of facts that stand beside other facts in the passage, as often as they are said."""
    return sum(_is_contested(aligned, at, step) for at, step in _fact_ends(aligned.claim))


def torn_names(aligned: Aligned) -> int:
    """Count neighbouring words of a name that the passage holds, but never side by side; for English."""
    places = aligned.source.places
    return sum(
        one.kind == two.kind == "name"
        and two.start - one.end <= 1
        and bool(places.get(one.key) and places.get(two.key))
        and not any(0 < b - a <= NAME_WORDS_APART for a in places[one.key] for b in places[two.key])
        for one, two in pairwise(aligned.claim)
    )


def _fact_ends(claim: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Iterate over the first and the last word of each fact, with the direction in which its neighbour stands."""
    for at, token in enumerate(claim):
        if sorts := _fact_sorts(token):
            if at == 0 or sorts.isdisjoint(_fact_sorts(claim[at - 1])):
                yield at, -1
            if at + 1 == len(claim) or sorts.isdisjoint(_fact_sorts(claim[at + 1])):
                yield at, 1


def _fact_sorts(token: Token) -> frozenset[str]:
    return frozenset(sorts_of(token) & {"name", "number"})


def _is_contested(aligned: Aligned, at: int, step: int) -> bool:
    """Whether the next word that is no fact has another fact at this side in the passage, and never this one."""
    claim, tokens, fact = aligned.claim, aligned.source.tokens, aligned.claim[at]
    between, beside = _beside(claim, at, step)
    if beside is None or _fact_sorts(claim[beside]):
        return False
    is_other = False
    for place in aligned.source.places.get(claim[beside].key, ()):
        if place in aligned.window:
            its_between, its = _beside(tokens, place, -step)
            if its is not None and its_between == between[::-1]:
                if tokens[its].key == fact.key:
                    return False
                is_other |= not _fact_sorts(fact).isdisjoint(_fact_sorts(tokens[its])) and not is_similar(
                    fact, tokens[its]
                )
    return is_other


def _beside(tokens: Sequence[Token], at: int, step: int) -> tuple[tuple[str, ...], int | None]:
    """Return the function words beside a token, articles left out, and the place of the first other word."""
    between = []
    at += step
    while 0 <= at < len(tokens) and tokens[at].kind == "function":
        if tokens[at].text not in ARTICLES:
            between.append(tokens[at].text)
        at += step
    return tuple(between), at if 0 <= at < len(tokens) else None
