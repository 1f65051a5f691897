"""Compares texts apart from how they are written: case, accents, punctuation, spellings of numbers and units. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from pipeline.citations.markers import markers
from pipeline.citations.quantities import NUMBER_WORDS, unit_behind, value_of

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_PIECE = re.compile(rf"\d+(?:[.,]\d+)*|[%‰°€$£¥]|[{_UNSPACED}]|[^\W\d_{_UNSPACED}]+")
_ARTICLES = frozenset(("a", "an", "the"))  # as in SQuAD's scores


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in a form in which equal words are equal; citation markers are left out.

    Numbers are written by value ("1,000" and "1000", "five" and "5"), units behind them by one name ("grams" and "g").
    """
    composed = unicodedata.normalize("NFKC", _without_markers(text)).replace("\u2044", "/")
    words: list[str] = []
    at = 0
    while piece := _PIECE.search(composed, at):
        at, written = piece.end(), piece[0]
        if written[0].isdigit():
            words.append(_number(value_of(written, None)))
        else:
            word = _folded(written)
            words += [] if word in _ARTICLES else [_number(NUMBER_WORDS[word]) if word in NUMBER_WORDS else word]
        if words and words[-1][0].isdigit() and (unit := unit_behind(composed, at)):
            words.append(_folded(unit[0].name))
            at = unit[2]
    return tuple(words)


def contains(text: str, expected: str) -> bool:
    """Return whether the words of `expected` stand in a text, one behind the other; False where it has none."""
    wanted = words_of(expected)
    return bool(wanted) and f"\0{_joined(wanted)}\0" in f"\0{_joined(words_of(text))}\0"


def token_f1(text: str, expected: str) -> float:
    """Return the harmonic mean of precision and recall of the words, 0 to 1."""
    said, wanted = Counter(words_of(text)), Counter(words_of(expected))
    shared = (said & wanted).total()
    return 2 * shared / (said.total() + wanted.total()) if shared else 0.0


def _without_markers(text: str) -> str:
    pieces, at = [], 0
    for marker in markers(text):
        pieces.append(text[at : marker.start])
        at = marker.end
    return " ".join((*pieces, text[at:]))


def _joined(words: Sequence[str]) -> str:
    return "\0".join(words)


def _number(value: float) -> str:
    return f"{value:.10g}"


def _folded(word: str) -> str:
    """Return a word in lower case without accents."""
    decomposed = unicodedata.normalize("NFD", word.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))
