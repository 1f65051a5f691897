"""A passage as it is compared, and the comparison of a claim with it, in one language or across two. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.citations.alignment import Aligned, Source
from pipeline.citations.claims import Claim
from pipeline.citations.comparison import Comparison, compare
from pipeline.citations.tokens import Key, Token, tokens_of
from pipeline.passages import Passage
from pipeline.retrieval.terms import detected_language

SAME_LANGUAGE_MIN = 0.5  # a passage that holds so much of a claim is of its language, whatever was detected


class PreparedPassage(NamedTuple):
    """A passage as it is compared, and the words of its title and section."""

    source: Source
    title: frozenset[Key]


def prepared(passage: Passage) -> PreparedPassage:
    """Return a passage as it is compared; the same passages are found again and again, and are prepared once."""
    return _prepared(passage.text, f"{passage.title}. {passage.section}")


def compared(
    claim: Claim,
    passage: PreparedPassage,
    cited_too: Sequence[PreparedPassage] = (),
    others: Sequence[PreparedPassage] = (),
) -> Comparison:
    """Compare a claim with a passage, which may be of another language.

    What `cited_too` hold counts as said; `others` are the passages that the claim does not cite.
    """
    source, title = passage
    known = title.union(*(each.source.places for each in cited_too))
    comparison = compare(claim.tokens(source.language), source, known, [each.source for each in others])
    is_foreign = None not in (claim.language, source.language) and claim.language != source.language
    if is_foreign and comparison.coverage < SAME_LANGUAGE_MIN:
        return _across_languages(claim, source)
    return comparison


@lru_cache(maxsize=500)
def _prepared(text: str, head: str) -> PreparedPassage:
    source = Source(text, detected_language(text))
    return PreparedPassage(source, frozenset(token.key for token in tokens_of(head, source.language)))


def _across_languages(claim: Claim, source: Source) -> Comparison:
    """Compare only numbers and names: nothing else is the same in two languages. It is never more than weak."""
    tokens = claim.tokens(claim.language)
    places = _places_of_facts(tokens, source)
    held = [place for place in places if place is not None]
    share = len(held) / sum(map(_is_fact, tokens)) if held else 0.0
    quote = source.spans[source.sentence_of(held[0])] if held else None
    aligned = Aligned(tokens, source, frozenset(range(len(source.tokens))), places, frozenset())
    return Comparison(False, share, quote, aligned=aligned)


def _places_of_facts(tokens: Sequence[Token], source: Source) -> list[int | None]:
    """Return for each token where the passage holds the same fact: behind that of the fact before it, if it can be."""
    known: dict[str, list[int]] = {}
    for at, token in enumerate(source.tokens):
        known.setdefault(token.text, []).append(at)
    places: list[int | None] = []
    before = -1
    for token in tokens:
        all_places = known.get(token.text, []) if _is_fact(token) else []
        place = next((at for at in all_places if at > before), all_places[0] if all_places else None)
        places.append(place)
        before = before if place is None else place
    return places


def _is_fact(token: Token) -> bool:
    return token.kind in ("number", "date") or token.is_capital
