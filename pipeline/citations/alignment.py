"""Aligns the tokens of a claim with those of a passage: the longest common runs first, then words beside them. Pure.

Clauses may stand in another order; a word that stands in the place of another one is found by what surrounds it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pipeline.citations.opposites import are_opposite, is_negated_form
from pipeline.citations.quantities import is_rounding, same_amount
from pipeline.citations.sentences import sentences
from pipeline.citations.tokens import Key, Token, tokens_of
from pipeline.passages import Span
from pipeline.retrieval.languages import Language

_WEIGHTS = {"number": 1.5, "date": 1.5, "name": 1.3, "unit": 0.7, "content": 1.0, "operator": 0.7, "function": 0.15}
RUN_WEIGHT_MIN = 0.5  # function words alone are aligned only beside other words
FOLLOWING_TOKENS = 4  # the longest step in the passage from one word of a claim to the next

_PREFIX_CHARS, _COMPOUND_CHARS = 4, 5  # the shortest common beginning, and the shortest last part of a compound
_NAME_ENDING_CHARS, _ENDING_CHARS = 3, 5  # the longest ending that two forms of a word may differ by
_COMMON_SHARE = 0.7  # of the shorter of two forms
_ABOUT = "about approximately around roughly nearly almost some circa rund etwa ungefahr knapp fast"
_APPROXIMATE = frozenset(_ABOUT.split())


def weight(token: Token) -> float:
    """Return how much a token says."""
    return _WEIGHTS[token.kind]


class Source:
    """A passage, prepared once: its sentences, their tokens in one row, and where each key stands."""

    def __init__(self, text: str, language: Language | None) -> None:
        self.text, self.language = text, language
        self.spans = sentences(text)
        self.tokens: list[Token] = []
        self.bounds: list[Span] = []  # the tokens [first, last) of each sentence
        self.places: dict[Key, list[int]] = {}
        self.sentences: dict[Key, int] = {}  # which sentences hold a key, as bits
        for number, (begin, end) in enumerate(self.spans):
            first = len(self.tokens)
            for at, token in enumerate(tokens_of(text[begin:end], language, begin), first):
                self.tokens.append(token)
                self.places.setdefault(token.key, []).append(at)
                self.sentences[token.key] = self.sentences.get(token.key, 0) | 1 << number
            self.bounds.append((first, len(self.tokens)))
        self.names = tuple({token.text: token for token in self.tokens if token.is_capital}.values())

    def sentence_of(self, place: int) -> int:
        """Return the number of the sentence that holds a token."""
        return next(at for at, (first, last) in enumerate(self.bounds) if first <= place < last)


@dataclass(frozen=True, slots=True)
class Aligned:
    """For each token of the claim its place among the passage's tokens in `window`, None for none.

    `similar` are the tokens of the claim that are aligned with a token of another key.
    """

    claim: Sequence[Token]
    source: Source
    window: frozenset[int]
    places: Sequence[int | None]
    similar: frozenset[int]

    @property
    def order(self) -> float:
        """The share of the claim's words that follow each other as in the passage, at most three words apart."""
        pairs = list(
            pairwise(at for at, token in zip(self.places, self.claim, strict=True) if token.kind != "function")
        )
        following = sum(one is not None and two is not None and 0 < two - one <= FOLLOWING_TOKENS for one, two in pairs)
        return following / len(pairs) if pairs else 1.0

    def unmatched(self) -> list[int]:
        """Return the places that no token of the claim is aligned with."""
        return sorted(self.window.difference(at for at in self.places if at is not None))


def align(claim: Sequence[Token], source: Source, chosen: Sequence[int]) -> Aligned:
    """Align a claim with some sentences of a passage, given by their numbers."""
    window = frozenset(at for number in chosen for at in range(*source.bounds[number]))
    aligning = _Aligning(claim, source, window)
    aligning.take_runs()
    aligning.take_neighbours()
    similar = aligning.take_similar()
    aligning.take_neighbours()
    return Aligned(claim, source, window, aligning.places, similar)


_Run = tuple[float, int, int, int]  # its weight, negative; its places in the claim and in the passage; its tokens


class _Aligning:
    """An alignment while it is made: each token of the passage is taken once."""

    def __init__(self, claim: Sequence[Token], source: Source, window: frozenset[int]) -> None:
        self._claim, self._source, self._window = claim, source, window
        self.places: list[int | None] = [None] * len(claim)
        self._taken: set[int] = set()

    def take_runs(self) -> None:
        """Align common runs, the heaviest first; of a run that is taken in part the rest remains."""
        runs = list(self._runs())
        heapq.heapify(runs)
        while runs:
            _, begin, at, size = heapq.heappop(runs)
            free = [k for k in range(size) if self.places[begin + k] is None and at + k not in self._taken]
            if len(free) == size:
                for k in free:
                    self._take(begin + k, at + k)
            else:
                for run in self._rests(begin, at, free):
                    heapq.heappush(runs, run)

    def take_neighbours(self) -> None:
        """Align words that continue what is aligned beside them."""
        count = len(self._claim)
        for order, step in ((range(1, count), 1), (range(count - 2, -1, -1), -1)):
            for at in order:
                beside = self.places[at - step]
                if self.places[at] is None and beside is not None and self._continues(at, beside + step):
                    self._take(at, beside + step)

    def take_similar(self) -> frozenset[int]:
        """Align words of other forms and numbers of the same amount; return which."""
        found: set[int] = set()
        window = sorted(self._window)
        free = [at for at in window if self._is_free(at) and weight(self._source.tokens[at]) >= RUN_WEIGHT_MIN]
        before = window[0] if window else 0
        for number, token in enumerate(self._claim):
            place = self.places[number]
            if place is None and weight(token) >= RUN_WEIGHT_MIN:
                is_marked = number > 0 and self._claim[number - 1].text in _APPROXIMATE
                matches = [
                    at
                    for at in free
                    if self._is_free(at) and is_similar(token, self._source.tokens[at], is_marked=is_marked)
                ]
                place = min(matches, key=lambda at: abs(at - before), default=None)
                if place is not None:
                    self._take(number, place)
                    found.add(number)
                    self._take_unit(number + 1, place + 1)
            before = before if place is None else place
        return frozenset(found)

    def _take_unit(self, number: int, place: int) -> None:
        """Align the units behind two numbers of the same amount."""
        has_unit = number < len(self._claim) and self._claim[number].kind == "unit"
        if has_unit and self._is_free(place) and self._source.tokens[place].kind == "unit":
            self._take(number, place)

    def _continues(self, number: int, place: int) -> bool:
        return self._is_free(place) and self._source.tokens[place].key == self._claim[number].key

    def _is_free(self, place: int) -> bool:
        return place in self._window and place not in self._taken

    def _take(self, number: int, place: int) -> None:
        self.places[number] = place
        self._taken.add(place)

    def _runs(self) -> Iterator[_Run]:
        """Iterate over the common runs that cannot be extended."""
        claim, tokens = self._claim, self._source.tokens
        for begin, token in enumerate(claim):
            for at in self._source.places.get(token.key, ()):
                starts = begin == 0 or at - 1 not in self._window or claim[begin - 1].key != tokens[at - 1].key
                if at in self._window and starts:
                    yield from self._heavy(begin, at, self._common(begin, at))

    def _common(self, begin: int, at: int) -> int:
        claim, tokens, size = self._claim, self._source.tokens, 1
        while (
            begin + size < len(claim) and at + size in self._window and claim[begin + size].key == tokens[at + size].key
        ):
            size += 1
        return size

    def _heavy(self, begin: int, at: int, size: int) -> Iterator[_Run]:
        worth = sum(map(weight, self._claim[begin : begin + size]))
        if worth >= RUN_WEIGHT_MIN:
            yield -worth, begin, at, size

    def _rests(self, begin: int, at: int, free: Sequence[int]) -> Iterator[_Run]:
        if not free:
            return
        starts = [number for number, k in enumerate(free) if number == 0 or free[number - 1] != k - 1]
        for start, end in zip(starts, [*starts[1:], len(free)], strict=True):
            yield from self._heavy(begin + free[start], at + free[start], end - start)


def is_similar(token: Token, other: Token, *, is_marked: bool = False) -> bool:
    """Whether tokens of different keys may say the same: other forms, compounds, converted and rounded numbers.

    `is_marked` says that "about" or the like stands before the token.
    """
    if token.value is not None or other.value is not None:
        return _is_same_number(token, other, is_marked=is_marked)
    if token.kind in ("date", "unit") or other.kind in ("date", "unit") or are_opposite(token.senses, other.senses):
        return False
    return _is_form(token.base or token.text, other.base or other.text, token.is_capital and other.is_capital)


def _is_same_number(token: Token, other: Token, *, is_marked: bool) -> bool:
    if token.value is None or other.value is None:
        return False
    if token.unit and other.unit and token.unit != other.unit:
        return same_amount(token.value, token.unit, other.value, other.unit)
    return token.kind == other.kind == "number" and is_rounding(token.value, other.value, is_marked=is_marked)


@lru_cache(maxsize=50_000)
def _is_form(word: str, other: str, are_names: bool) -> bool:
    """Whether two words are forms of one, or one is the last part of the other."""
    short, long = sorted((word, other), key=len)
    if len(short) < _PREFIX_CHARS or is_negated_form(short, long):
        return False
    if len(short) >= _COMPOUND_CHARS and (long.endswith(short) or long.startswith(short)):
        return True
    common = _common_chars(short, long)
    if are_names:
        return common >= max(_PREFIX_CHARS, len(short) - 2) and len(long) - common <= _NAME_ENDING_CHARS
    common = max(common, _common_of_participle(short, long))
    return common >= max(_PREFIX_CHARS, _COMMON_SHARE * len(short)) and len(long) - common <= _ENDING_CHARS


def _common_of_participle(word: str, other: str) -> int:
    """Return the length of the common beginning of a German participle and another form: "gegründet", "gründete"."""
    if word.startswith("ge") == other.startswith("ge"):
        return 0
    return _common_chars(word.removeprefix("ge"), other.removeprefix("ge"))


def _common_chars(word: str, other: str) -> int:
    """Return the length of the common beginning."""
    pairs = enumerate(zip(word, other, strict=False))
    return next((at for at, (one, two) in pairs if one != two), min(len(word), len(other)))
