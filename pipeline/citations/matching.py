"""Finds the sentences of a passage that support a sentence of an answer, by comparing words. Pure.

A verbatim sentence is found exactly. Else the best window of one to three consecutive sentences wins, by the weight of
the answer's words that it holds: words that are rare in the passage weigh more, stop words nothing. English and German
words are compared by stem, others by spelling; scripts without blanks are compared by pairs of characters.

Measured on half of XQuAD, with question and answer as the claim and the sentence that holds the answer as the truth
(623 per language): the window holds that sentence in 0.96 and is exactly that sentence in 0.91 (German 0.96, 0.90); for
German claims on English passages 0.76. In an unrelated passage a window is found in 0.13. It takes 0.5 ms of CPU per
claim.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pipeline.citations.sentences import sentences
from pipeline.passages import Span
from pipeline.retrieval.languages import LATIN, Language
from pipeline.retrieval.terms import terms_of_word, words_of

WINDOW_SENTENCES_MAX = 3  # sentences in one window
EXTRA_SENTENCE_PENALTY = 0.25  # another sentence must add at least this share of the answer's weight
PAIR_WEIGHT = 0.3  # weight of the share of word pairs in the same order, where the words weigh 1
# A window below this share of the weight does not match. Texts of two languages share only names and numbers.
COVERAGE_MIN, COVERAGE_MIN_ACROSS_LANGUAGES = 0.12, 0.05
NUMBER_WEIGHT = 1.5  # factor for a number, compared with a word of the same rarity
VERBATIM_WORDS_MIN = 3  # words in a row that count as a quotation

_TRIGRAM_WORD_CHARS_MIN, _SIMILARITY_MIN, _SIMILAR_WORD_WEIGHT = 4, 0.6, 0.8
_STOP_WORD_SHARE_MIN = 0.2  # a text with a smaller share of stop words is of no known language
_THOUSANDS = re.compile(r"(?<=\d)[.,](?=\d{3}(?!\d))")


@dataclass(frozen=True, slots=True)
class Word:
    """A word to compare: folded spelling, keys (words with a common key are equal), and whether it is content."""

    text: str
    keys: frozenset[str | int]
    is_content: bool


@dataclass(frozen=True, slots=True)
class Text:
    """An analysed text: its sentences, their words, and the weight of each key in it."""

    language: Language | None
    spans: tuple[Span, ...]
    words: tuple[tuple[Word, ...], ...]
    keys: tuple[frozenset[str | int], ...]
    pairs: tuple[frozenset[tuple[str | int, str | int]], ...]
    weights: dict[str | int, float]
    trigrams: dict[str, frozenset[str]]


@lru_cache(maxsize=5000)
def evidence(sentence: str, passage: str) -> Span | None:
    """Return the span of complete sentences in `passage` that best matches `sentence`; None when none does."""
    claim, text = _analysed(sentence), _analysed(passage)
    words = [word for each in claim.words for word in each]
    return _verbatim(words, text) or _best_window(words, text, claim.language == text.language)


def _verbatim(claim: Sequence[Word], text: Text) -> Span | None:
    """Return the span of the sentences that hold all words of the claim in a row."""
    if len(claim) < VERBATIM_WORDS_MIN:
        return None
    flat = [(word.text, place) for place, words in enumerate(text.words) for word in words]
    wanted, first = [word.text for word in claim], claim[0].text
    for at in range(len(flat) - len(wanted) + 1):
        if flat[at][0] == first and [word for word, _ in flat[at : at + len(wanted)]] == wanted:
            return text.spans[flat[at][1]][0], text.spans[flat[at + len(wanted) - 1][1]][1]
    return None


def _best_window(claim: Sequence[Word], text: Text, is_same_language: bool) -> Span | None:
    content_words = [word for word in claim if word.is_content]
    found = [_sentences_with(word, text) for word in content_words]
    if not any(found):
        return None
    weights = [_weight(word, text) for word in content_words]
    total, pairs = sum(weights), _pairs(claim)
    coverage_min = COVERAGE_MIN if is_same_language else COVERAGE_MIN_ACROSS_LANGUAGES
    best, place = 0.0, None
    for window in _windows(len(text.spans)):
        shares = (max(each.get(at, 0.0) for at in window) for each in found)
        coverage = sum(weight * share for weight, share in zip(weights, shares, strict=True)) / total
        if coverage >= coverage_min:
            in_order = sum(any(pair in text.pairs[at] for at in window) for pair in pairs) / (len(pairs) or 1)
            score = coverage + PAIR_WEIGHT * in_order - EXTRA_SENTENCE_PENALTY * (len(window) - 1)
            if score > best:
                best, place = score, window
    return (text.spans[place[0]][0], text.spans[place[-1]][1]) if place else None


def _windows(count: int) -> Iterator[range]:
    for begin in range(count):
        for end in range(begin + 1, min(begin + WINDOW_SENTENCES_MAX, count) + 1):
            yield range(begin, end)


def _weight(word: Word, text: Text) -> float:
    """Return a word's weight: the rarer in the passage, the higher; a missing word weighs as one that occurs once."""
    known = [text.weights[key] for key in word.keys if key in text.weights]
    weight = max(known) if known else math.log(1 + len(text.spans))
    return NUMBER_WEIGHT * weight if word.text[0].isdigit() else weight


def _sentences_with(word: Word, text: Text) -> dict[int, float]:
    """Return sentence → 1 where the word occurs, less where only a similar word does (compounds, other endings)."""
    exact = {at: 1.0 for at, keys in enumerate(text.keys) if not keys.isdisjoint(word.keys)}
    if exact or len(word.text) < _TRIGRAM_WORD_CHARS_MIN or word.text[0].isdigit():
        return exact
    trigrams, similar = _trigrams(word.text), dict[int, float]()
    for other, other_trigrams in text.trigrams.items():
        similarity = len(trigrams & other_trigrams) / min(len(trigrams), len(other_trigrams))
        if similarity >= _SIMILARITY_MIN:
            similar |= {at: max(similar.get(at, 0.0), similarity) for at, keys in enumerate(text.keys) if other in keys}
    return {at: _SIMILAR_WORD_WEIGHT * similarity for at, similarity in similar.items()}


@lru_cache(maxsize=500)  # about 70 kB for each passage of 1,000 characters
def _analysed(passage: str) -> Text:
    language = _language(passage)
    spans = sentences(passage)
    words = tuple(tuple(_words_in(passage[begin:end], language)) for begin, end in spans)
    keys = tuple(frozenset(key for word in each for key in word.keys) for each in words)
    frequency = Counter(key for each in keys for key in each)
    weights = {key: math.log(1 + len(spans) / count) for key, count in frequency.items()}
    long = {
        word.text for each in words for word in each if len(word.text) >= _TRIGRAM_WORD_CHARS_MIN and word.is_content
    }
    trigrams = {word: _trigrams(word) for word in sorted(long)}
    return Text(language, spans, words, keys, tuple(frozenset(_pairs(each)) for each in words), weights, trigrams)


def _words_in(text: str, language: Language | None) -> Iterator[Word]:
    return (_word(word, language) for word in words_of(text))


@lru_cache(maxsize=50_000)
def _word(word: str, language: Language | None) -> Word:
    text = _folded(word)
    if language is None:
        return Word(text, frozenset({text}), True)
    terms = terms_of_word(word, language)
    return Word(text, frozenset({text, *terms}), bool(terms))


def _folded(word: str) -> str:
    """Return a word in lower case without accents, or a number without thousands separators; never nothing."""
    decomposed = unicodedata.normalize("NFKD", word)
    plain = "".join(each for each in decomposed if not unicodedata.combining(each)).casefold().replace("’", "'")
    return _THOUSANDS.sub("", plain) or word  # a word may be an accent alone


def _pairs(words: Sequence[Word]) -> list[tuple[str | int, str | int]]:
    """Return the pairs of consecutive content words, as stems where the language is known."""
    content_words = [word for word in words if word.is_content]
    tokens = [min((key for key in word.keys if isinstance(key, int)), default=word.text) for word in content_words]
    return list(pairwise(tokens))


@lru_cache(maxsize=50_000)
def _trigrams(word: str) -> frozenset[str]:
    framed = f"^{word}$"
    return frozenset(framed[begin : begin + 3] for begin in range(len(framed) - 2))


def _language(text: str) -> Language | None:
    """Return the language with Latin letters of which enough words are stop words, else None."""
    words = words_of(text[:1000])
    stops = {each: sum(not terms_of_word(word, each) for word in words) for each in LATIN}
    best = max(LATIN, key=lambda each: stops[each])
    return best if stops[best] >= max(1, _STOP_WORD_SHARE_MIN * len(words)) else None
