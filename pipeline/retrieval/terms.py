"""Words and their terms, by the one stemmer that search, marks and quoting share. Pure.

A term is the id that BM25 of Qdrant Edge gives to the stem of a word. Words of one stem have the same id; a stop word
has none. Languages do not share terms, or a German stem would find the English word that it looks like (0.005 nDCG@10
on SciFact). Of a script without spaces a word is a pair of neighbouring characters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from types import MappingProxyType
from unicodedata import normalize

import regex
from qdrant_edge import Bm25, Bm25Config, SparseVector, StopwordsSet

from pipeline.passages import Span
from pipeline.retrieval.languages import (
    DETECTING,
    LANGUAGES,
    LATIN,
    LETTERS,
    STEMMING,
    UNSPACED,
    Language,
    Stemming,
    read_in,
    writers_of,
)

# Numbers whole, words with their marks and apostrophe: the units that were measured (`quoting`). Never a control
# character. `re` cuts the same words three times as fast, where no character joins another and spaces part the words.
_WORD = regex.compile(
    rf"(?P<run>[{UNSPACED}][{UNSPACED}\p{{M}}]*)|\d+(?:[.,:]\d+)*"
    rf"|[^\W\d_{UNSPACED}]+(?:['’\u200c\u200d][^\W\d_{UNSPACED}]+)?"
)
_PLAIN_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?")
_BEYOND_PLAIN = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u1cff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\u2c00-\U0010ffff]"
)
_CHARACTER = regex.compile(r"\X")


def _bm25(stemming: Stemming) -> Bm25:
    # No ascii_folding: it defeats stop words like "für"; the German stemmer folds umlauts itself.
    listed, own = stemming.stop_words
    stopwords = StopwordsSet(languages=set() if listed is None else {listed}, custom=set(own))
    return Bm25(Bm25Config(language=stemming.stemmer, lowercase=True, stopwords=stopwords))


_BM25: MappingProxyType[Language, Bm25] = MappingProxyType({code: _bm25(each) for code, each in STEMMING.items()})

_FIRST: tuple[Language, ...] = ("en", "de")  # one of these wins where a third language has as many signs
SIGNS_LEAST = 2  # of a text in another language than these

DETECTION_CHARS = 2000  # of the beginning of a text, by which its language is detected

# Separates the terms of the languages; an id has 32 bits.
_OWN: MappingProxyType[Language, int] = MappingProxyType(
    {language: place * 0x9E3779B9 & 0xFFFFFFFF for place, language in enumerate(LANGUAGES)}
)


@lru_cache(maxsize=50_000)
def terms_of_word(word: str, language: Language) -> tuple[int, ...]:
    """Return the terms of a word in a text of that language: () for a stop word, several for a number like 1,5."""
    read = read_in(word, language)
    return tuple(term ^ _OWN[read] for term in _BM25[read].embed_query(_plain(word)).indices)


def word_spans(text: str) -> Iterator[Span]:
    """Iterate over the places of the words of a text; of a script without spaces, over those of overlapping pairs."""
    if not _BEYOND_PLAIN.search(text):
        yield from (found.span() for found in _PLAIN_WORD.finditer(text))
        return
    for found in _WORD.finditer(text):
        if found["run"] is None:
            yield found.span()
        else:
            yield from _pairs(text, *found.span())


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, as they are written."""
    if not _BEYOND_PLAIN.search(text):
        return _PLAIN_WORD.findall(text)
    return [text[begin:end] for begin, end in word_spans(text)]


def content_words(text: str, language: Language) -> list[str]:
    """Return the words that are no stop words."""
    return [word for word in words_of(text) if terms_of_word(word, language)]


def terms_of(text: str, language: Language) -> frozenset[int]:
    """Return the terms of all content words."""
    return frozenset(term for word in words_of(text) for term in terms_of_word(word, language))


@lru_cache(maxsize=50_000)
def in_any_language(word: str) -> frozenset[int]:
    """Return a word's terms in every language that writes it, for texts that may be in another one."""
    return frozenset(term for language in writers_of(word) for term in terms_of_word(word, language))


def terms_in_any_language(text: str) -> frozenset[int]:
    """Return the terms of all words in every language."""
    return frozenset[int]().union(*map(in_any_language, set(words_of(text))))


def document_vector(text: str, language: Language) -> SparseVector:
    """Return the terms of a text, weighted by BM25, as they are indexed."""
    words = words_of(text)
    languages = {word: read_in(word, language) for word in set(words)}
    weights: dict[int, float] = {}
    for each in set(languages.values()):
        own = words if len(set(languages.values())) == 1 else [word for word in words if languages[word] == each]
        vector = _BM25[each].embed_document(_plain(" ".join(own)))
        weights.update({term ^ _OWN[each]: weight for term, weight in zip(vector.indices, vector.values, strict=True)})
    return SparseVector(list(weights), list(weights.values()))


def matched(text: str, terms: frozenset[int], language: Language) -> tuple[Span, ...]:
    """Return the spans of the words of `text` that have one of the terms; overlapping pairs are one span."""
    words = {word for word in set(words_of(text)) if not terms.isdisjoint(terms_of_word(word, language))}
    spans: list[Span] = []
    for begin, end in word_spans(text) if words else ():
        if text[begin:end] not in words:
            continue
        if spans and begin < spans[-1][1]:
            begin, _ = spans.pop()
        spans.append((begin, end))
    return tuple(spans)


def language_of(*texts: str) -> Language:
    """Return the language of the first text whose language can be detected, English where none can."""
    return detected_language(*texts) or "en"


def detected_language(*texts: str) -> Language | None:
    """Return the language of the first text whose language can be detected: that of most of its stop words."""
    return next((found for text in texts if (found := _detected(text[:DETECTION_CHARS]))), None)


@lru_cache(maxsize=4_000)  # the same passages are found again and again
def _detected(text: str) -> Language | None:
    words = Counter(words_of(text))
    scripts = Counter[tuple[Language, ...]]()
    signs = Counter[Language]()
    for word, count in words.items():
        scripts[writers_of(word)] += count
        for language in _languages_of_sign(word):
            signs[language] += count
    del scripts[LANGUAGES]  # of numbers
    writers, _ = max(scripts.items(), key=lambda each: each[1], default=(LATIN, 0))
    if writers != LATIN:
        return "ja" if scripts[("ja",)] and writers == ("zh", "ja") else writers[0]
    most = max(signs.values(), default=0)
    best = [language for language in LATIN if signs[language] == most]
    first = [language for language in best if language in _FIRST]
    if len(first) == 1 and most:
        return first[0]
    return best[0] if len(best) == 1 and most >= SIGNS_LEAST else None


@lru_cache(maxsize=50_000)
def _languages_of_sign(word: str) -> tuple[Language, ...]:
    """Return the languages with Latin letters of which a word is a sign: a stop word, or it has a letter of theirs."""
    lower = normalize("NFC", word.lower())
    return tuple(
        language
        for language in LATIN
        if not terms_of_word(word, language)
        or lower in DETECTING.get(language, ())
        or not LETTERS.get(language, frozenset()).isdisjoint(lower)
    )


def _plain(text: str) -> str:
    """Return the text as terms are made of it: composed characters, one kind of apostrophe."""
    return normalize("NFC", text).replace("’", "'")


def _pairs(text: str, start: int, end: int) -> Iterator[Span]:
    """Iterate over the places of the overlapping pairs of characters between two places; a single one stands alone."""
    places = [found.start() for found in _CHARACTER.finditer(text, start, end)] + [end]
    if len(places) == 2:
        yield start, end
    for first in range(len(places) - 2):
        yield places[first], places[first + 2]
