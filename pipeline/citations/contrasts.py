"""Finds contrasts of a claim that the passage has the other way round: "a bean, not a roast". Pure.

Both texts have a negation there, so it is its reach that tells: the claim affirms what the passage negates, or negates
what it affirms. Words are parted where more than a blank stands between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.citations.alignment import Aligned
from pipeline.citations.opposites import NEGATION
from pipeline.citations.tokens import Token

_RATHER = frozenset(("rather", "instead", "statt", "anstatt", "anstelle"))
_BUT = frozenset(("but", "sondern"))
_CONJUNCTIONS = _BUT.union(("and", "that", "which", "und", "aber", "dass"))


def crossed_contrasts(aligned: Aligned) -> Iterator[tuple[Sequence[Token], Sequence[Token]]]:
    """Iterate over what a contrast affirms or negates against the passage, with the passage's negation if it has one.

    A contrast is "one, not other", "one rather than other" or "not other but one".
    """
    claim, tokens = aligned.claim, aligned.source.tokens
    for at, token in enumerate(claim):
        if not _negates(token):
            continue
        other, one = _contrast(claim, at)
        if one is None:
            continue
        negated = _negated(aligned)
        places = [place for each in other if (place := aligned.places[each]) is not None]
        if places and negated.keys().isdisjoint(places):
            yield [token], []
        elif (place := aligned.places[one]) in negated and place is not None:
            yield [claim[one]], [tokens[negated[place]]]


def _negates(token: Token) -> bool:
    return NEGATION in token.senses or token.text in _RATHER


def _contrast(claim: Sequence[Token], at: int) -> tuple[list[int], int | None]:
    """Return the words that the contrast at a negation denies, and the last one of those that it affirms."""
    other = list(_clause(claim, at, 1))
    behind = (other[-1] if other else at) + 1
    while behind < len(claim) and claim[behind].kind == "function" and claim[behind].text not in _BUT:
        behind += 1
    denied = [each for each in other if claim[each].kind != "function"]
    if behind < len(claim) and claim[behind].text in _BUT:
        affirmed = [each for each in _clause(claim, behind, 1) if claim[each].kind != "function"]
        return denied, affirmed[-1] if affirmed else None
    is_apart = at > 0 and (_are_parted(claim[at - 1], claim[at]) or claim[at].text in _RATHER)
    before = (each for each in range(at - 1, -1, -1) if claim[each].kind != "function")
    return denied, next(before, None) if is_apart else None


def _clause(tokens: Sequence[Token], at: int, step: int) -> Iterator[int]:
    """Iterate over the words behind (or before) a place up to where its clause ends."""
    last, at = at, at + step
    while 0 <= at < len(tokens):
        first, second = sorted((last, at))
        if _are_parted(tokens[first], tokens[second]) or tokens[at].text in _CONJUNCTIONS:
            return
        yield at
        last, at = at, at + step


def _negated(aligned: Aligned) -> dict[int, int]:
    """Return the places of the words in the clause of a negation, each with the place of that negation."""
    tokens = aligned.source.tokens
    found: dict[int, int] = {}
    for at in sorted(aligned.window):
        if _negates(tokens[at]):
            steps = (1,) if tokens[at].text in _RATHER else (1, -1)
            found |= dict.fromkeys((each for step in steps for each in _clause(tokens, at, step)), at)
    return found


def _are_parted(one: Token, two: Token) -> bool:
    """Whether more than a blank stands between two words in a row."""
    return two.start - one.end > 1
