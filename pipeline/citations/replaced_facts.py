"""Finds facts of a claim that stand in the place of other facts of the passage, or have changed places. Pure.

A fact is a number, a unit, a name or a word with an opposite; its place is known by the words around it. In German each
noun has a capital and counts as a name: a noun that replaces another one is as wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.citations.alignment import Aligned, is_similar
from pipeline.citations.opposites import are_opposite
from pipeline.citations.tokens import Token

GAP_TOKENS_MAX = 20  # between the neighbours of a place inside a claim
EDGE_GAP_TOKENS_MAX = 4  # between a neighbour and the begin or end of a sentence, in a claim that is no copy
DATE_TOKENS = 2  # from the first to the last of a date
COPY_ORDER_MIN = 0.75  # the order of a claim that is a copy, but for a few words: its places are sure

Sort = Literal["number", "name", "unit", "operator"]

# Behind one of these a word has the same part in its sentence, wherever it stands.
_BEFORE_PHRASES = """
    in at on of from to by with for into during between near under through von aus bei nach mit zu zum zur im am an auf
    durch fur seit uber unter vor bis gegen
"""
_PREPOSITIONS = frozenset(_BEFORE_PHRASES.split())
_AGENT_PREPOSITIONS = frozenset(("by", "von", "durch"))
_PASSIVE_VERBS = frozenset(("is", "are", "was", "were", "been", "wird", "werden", "wurde", "wurden", "worden"))
_OBJECT_ARTICLES = frozenset(("den", "dem", "des"))
_OTHER_ARTICLES = "the a an der die das ein eine einen einem einer eines"
ARTICLES = _OBJECT_ARTICLES.union(_OTHER_ARTICLES.split())


class Replaced(NamedTuple):
    """Tokens of the claim and those of the passage in whose place they stand; `is_moved`: both texts hold them."""

    said: Sequence[Token]
    source: Sequence[Token]
    is_moved: bool


class _Chunk(NamedTuple):
    """Tokens [first, last) of the claim that are aligned in a row, or not at all."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a chunk stands: its own places in the passage, those between its neighbours, the words beside these.

    `is_inside` says that words of the claim stand on both sides of the chunk.
    """

    chunk: _Chunk
    own: frozenset[int]
    gap: tuple[int, ...]
    is_inside: bool
    after: int | None
    before: int | None

    @property
    def beside(self) -> frozenset[int]:
        """The words of the passage that stand beside the chunk's neighbours."""
        return frozenset(at for at in (self.after, self.before) if at is not None)


def replaced_facts(aligned: Aligned) -> Iterator[Replaced]:
    """Iterate over the facts that stand where the passage has another one, and over pairs that are exchanged."""
    finder = _Finder(aligned)
    places: list[_Place] = []
    for chunk in _fact_chunks(aligned):
        place = finder.place(chunk)
        if found := finder.rival(place):
            number, at = found
            said = _said(aligned, place) if place.own else [aligned.claim[number]]
            yield Replaced(said, [aligned.source.tokens[at]], bool(place.own))
        elif place.own and not _is_phrase(aligned.claim[chunk.first]) and not _is_agent(aligned, chunk):
            places.append(place)
    yield from _exchanged(aligned, places)


def sorts_of(token: Token) -> frozenset[Sort]:
    """Return what a token can be exchanged with; numbers and units with a capital may be parts of names."""
    sorts: set[Sort] = set()
    if token.kind in ("number", "date"):
        sorts.add("number")
    elif token.kind == "unit" or token.kind == "operator":
        sorts.add(token.kind)
    if token.is_capital:
        sorts.add("name")
    return frozenset(sorts)


def _fact_chunks(aligned: Aligned) -> Iterator[_Chunk]:
    """Iterate over the aligned runs that hold facts of one sort only, and over the facts that are not aligned."""
    for chunk in _chunks(aligned.places):
        if aligned.places[chunk.first] is None:
            yield from _cut_at_facts(chunk, aligned.claim)
        elif _common_sorts(aligned.claim[chunk.first : chunk.last]):
            yield chunk


def _chunks(places: Sequence[int | None]) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    for at, place in enumerate(places):
        before = places[at - 1] if at else None
        if at and (place == before if place is None or before is None else place == before + 1):
            chunks[-1] = _Chunk(chunks[-1].first, at + 1)
        else:
            chunks.append(_Chunk(at, at + 1))
    return chunks


def _cut_at_facts(chunk: _Chunk, claim: Sequence[Token]) -> Iterator[_Chunk]:
    """Iterate over the facts in a row that share a sort."""
    at = chunk.first
    while at < chunk.last:
        end = at + 1
        if sorts_of(claim[at]):
            while end < chunk.last and sorts_of(claim[end]) and _common_sorts(claim[at : end + 1]):
                end += 1
            yield _Chunk(at, end)
        at = end


def _common_sorts(tokens: Sequence[Token]) -> frozenset[Sort]:
    """Return the sorts that all words share, function words left out."""
    sorts = [sorts_of(token) for token in tokens if token.kind != "function"]
    return frozenset[Sort].intersection(*sorts) if sorts else frozenset()


def _neighbour(aligned: Aligned, at: int, step: int) -> int | None:
    """Return the place of the nearest aligned token of the claim from `at` on; only function words are skipped."""
    while 0 <= at < len(aligned.claim):
        if (place := aligned.places[at]) is not None:
            return place
        if aligned.claim[at].kind != "function":
            return None
        at += step
    return None


def _says_nothing(tokens: Sequence[Token]) -> bool:
    return all(token.kind == "function" for token in tokens)


def _word_from(aligned: Aligned, place: int | None, step: int) -> int | None:
    """Return the place of the first word behind (or before) a place that is no function word."""
    if place is None:
        return None
    at = place + step
    while at in aligned.window and aligned.source.tokens[at].kind == "function":
        at += step
    return at if at in aligned.window else None


class _Finder:
    """Finds the places of chunks and what the passage has there."""

    def __init__(self, aligned: Aligned) -> None:
        self._aligned, self._unmatched = aligned, frozenset(aligned.unmatched())
        self._is_copy = aligned.order >= COPY_ORDER_MIN

    def place(self, chunk: _Chunk) -> _Place:
        """Return where a chunk stands; at the edge of the claim the sentence of the passage is the limit."""
        aligned, bounds = self._aligned, self._aligned.source.bounds
        own = frozenset(place for place in aligned.places[chunk.first : chunk.last] if place is not None)
        left, right = _neighbour(aligned, chunk.first - 1, -1), _neighbour(aligned, chunk.last, 1)
        is_inside = left is not None and right is not None
        most = GAP_TOKENS_MAX if is_inside or self._is_copy else EDGE_GAP_TOKENS_MAX
        if left is None and right is not None and _says_nothing(aligned.claim[: chunk.first]):
            left = bounds[aligned.source.sentence_of(right)][0] - 1
        elif right is None and left is not None and _says_nothing(aligned.claim[chunk.last :]):
            right = bounds[aligned.source.sentence_of(left)][1]
        gap = self._between(left, right) if left is not None and right is not None else ()
        gap = gap if len(gap) <= most else ()
        return _Place(chunk, own, gap, is_inside, _word_from(aligned, left, 1), _word_from(aligned, right, -1))

    def _between(self, left: int, right: int) -> tuple[int, ...]:
        return tuple(at for at in range(left + 1, right) if at in self._aligned.window)

    def rival(self, place: _Place) -> tuple[int, int] | None:
        """Return a token of the chunk and the place of the fact that it replaces."""
        if not place.own:
            at = [each for each in (*place.gap, *sorted(place.beside)) if each in self._unmatched]
        elif self._aligned.similar.intersection(range(*place.chunk)) and not self._is_copy:
            at = []
        else:
            at = self._rivals_of_moved(place)
        pairs = [(number, each) for number in range(*place.chunk) for each in at if self._is_rival(number, each)]
        return min(pairs, key=lambda pair: self._is_of_other_dimension(*pair), default=None)

    def _is_of_other_dimension(self, number: int, at: int) -> bool:
        """Whether one of two amounts has another unit than the other, or none."""
        said, source = self._aligned.claim[number].unit, self._aligned.source.tokens[at].unit
        return (said and said.dimension) != (source and source.dimension)

    def _rivals_of_moved(self, place: _Place) -> list[int]:
        """Return the places that a chunk may have moved into."""
        first, is_in_gap = self._aligned.claim[place.chunk.first], bool(place.own.intersection(place.gap))
        if is_in_gap and place.is_inside:
            return []
        if _is_phrase(first):
            near = [at for at in (*place.gap, place.after) if at is not None and at in self._unmatched]
            return [at for at in near if _word_before(self._aligned, at) == first.text]
        if place.gap and not is_in_gap:
            return list(place.gap)
        after = place.after
        return [after] if after in self._unmatched and after is not None and self._has_other_role(place, after) else []

    def _has_other_role(self, place: _Place, rival: int) -> bool:
        """Whether a chunk never stands in the passage behind the function word that precedes it in the claim."""
        aligned, own, tokens = self._aligned, min(place.own), self._aligned.source.tokens
        said = aligned.claim[place.chunk.first - 1] if place.chunk.first else None
        if said is None or said.kind != "function" or all(token.is_capital for token in tokens[rival:own]):
            return False  # "in France" where the passage says "in Paris, France"
        if self._is_copy:
            return own > rival
        places = [at for at in aligned.source.places[tokens[own].key] if at in aligned.window]
        return all(_word_before(aligned, at) != said.text for at in places)

    def _is_rival(self, number: int, at: int) -> bool:
        """Whether a token of the claim and a word of the passage are facts of one sort that say different things."""
        token, other = self._aligned.claim[number], self._aligned.source.tokens[at]
        own = self._aligned.places[number]
        is_unaligned = own is None
        if own is not None and _is_in_one_date(self._aligned, own, at):
            return False
        if other.is_first and other.kind == "content" and not self._is_copy and at in self._unmatched:
            return False  # its capital is that of the sentence
        if sorts_of(token).isdisjoint(sorts_of(other)) and not (is_unaligned and _is_noun_for(token, other)):
            return False
        if token.kind == other.kind == "operator" and not (token.is_capital and other.is_capital):
            return are_opposite(token.senses, other.senses)
        return token.key != other.key and not is_similar(token, other)


def _word_before(aligned: Aligned, at: int) -> str:
    """Return the word before a place; articles and the name that ends there are skipped."""
    tokens = aligned.source.tokens
    at -= 1
    while at - 1 in aligned.window and (tokens[at].text in ARTICLES or tokens[at].kind == "name"):
        at -= 1
    return tokens[at].text if at in aligned.window else ""


def _is_phrase(first: Token) -> bool:
    """Whether a first word shows what part a chunk has in its sentence, wherever it stands."""
    return first.text in _PREPOSITIONS or first.text in _OBJECT_ARTICLES


def _is_agent(aligned: Aligned, chunk: _Chunk) -> bool:
    """Whether a chunk acts in a passive sentence of the claim, and the passage has neither that verb nor its "by"."""
    unaligned = [token.text for token, place in zip(aligned.claim, aligned.places, strict=True) if place is None]
    before = aligned.claim[chunk.first - 1].text if chunk.first else ""
    return before in _AGENT_PREPOSITIONS.intersection(unaligned) and not _PASSIVE_VERBS.isdisjoint(unaligned)


def _is_noun_for(token: Token, other: Token) -> bool:
    """Whether a name stands for a date or a unit."""
    return token.is_capital and other.kind in ("date", "unit")


def _exchanged(aligned: Aligned, places: Sequence[_Place]) -> Iterator[Replaced]:
    """Iterate over the chunks that stand beside each other's neighbours, or follow each other in the other order."""
    for at, one in enumerate(places):
        for two in places[at + 1 :]:
            words = [aligned.claim[number] for each in (one, two) for number in range(*each.chunk)]
            crosses = bool(two.own & one.beside and one.own & two.beside)
            is_date = all(_is_in_one_date(aligned, at, min(two.own)) for at in one.own)
            if _common_sorts(words) and not is_date and (crosses or _is_inverted(aligned, one, two)):
                for each, other in ((one, two), (two, one)):
                    source = [aligned.source.tokens[place] for place in sorted(other.own)]
                    yield Replaced(_said(aligned, each), source, is_moved=True)


def _said(aligned: Aligned, place: _Place) -> list[Token]:
    """Return the facts of a chunk."""
    return [token for token in aligned.claim[place.chunk.first : place.chunk.last] if token.kind != "function"]


def _is_in_one_date(aligned: Aligned, at: int, other: int) -> bool:
    """Whether two places are parts of one date, whose order says nothing."""
    kinds = (aligned.source.tokens[at].kind, aligned.source.tokens[other].kind)
    return "date" in kinds and abs(at - other) <= DATE_TOKENS


def _is_inverted(aligned: Aligned, one: _Place, two: _Place) -> bool:
    """Whether one chunk follows the other but for function words, and the passage has them the other way round."""
    tokens, behind, ahead = aligned.source.tokens, max(two.own), min(one.own)
    if behind >= ahead or not _says_nothing(aligned.claim[one.chunk.last : two.chunk.first]):
        return False
    is_one_name = not aligned.source.text[tokens[behind].end : tokens[ahead].start].strip()
    return _says_nothing(tokens[behind + 1 : ahead]) and not is_one_name
