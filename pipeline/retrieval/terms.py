"""Words and their terms, by the one stemmer that search, marks and quoting share. Pure.

A term is the id that BM25 of Qdrant Edge gives to the stem of a word. Words of one stem have the same id; a stop word
has none. Languages do not share terms, or a German stem would find the English word that it looks like (0.005 nDCG@10
on SciFact).
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

from qdrant_edge import Bm25, Bm25Config, SparseVector, StopwordsSet
from qdrant_edge import Language as EdgeLanguage

from pipeline.passages import Span

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# Numbers whole, words with their apostrophe: the units that were measured (`quoting`). Never a control character.
WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?")

# Question words that Edge's lists of stop words lack: as content words they would be missing in every sentence.
_ENGLISH_QUESTION_WORDS = {"also", "could", "many", "may", "might", "much", "whose", "would"}
_GERMAN_QUESTION_WORDS = {
    "gab",
    "gibt",
    "viele",
    "wann",
    "warum",
    "wem",
    "wen",
    "wer",
    "weshalb",
    "wessen",
    "wieso",
    "wieviel",
}
_GERMAN_QUESTION_WORDS |= {"wurde", "wurden"}


def _bm25(name: str, language: EdgeLanguage, asking: set[str]) -> Bm25:
    # No ascii_folding: it defeats stop words like "für"; the German stemmer folds umlauts itself.
    stopwords = StopwordsSet(languages={language}, custom=asking)
    return Bm25(Bm25Config(language=name, lowercase=True, stopwords=stopwords))


_BM25: MappingProxyType[Language, Bm25] = MappingProxyType(
    {
        "en": _bm25("english", EdgeLanguage.English, _ENGLISH_QUESTION_WORDS),
        "de": _bm25("german", EdgeLanguage.German, _GERMAN_QUESTION_WORDS),
    }
)

# Words by which the language of a short text is detected, beside its stop words.
_LANGUAGE_WORDS: MappingProxyType[Language, frozenset[str]] = MappingProxyType(
    {
        "en": frozenset({"hello", "thanks", "thank", "please", "hi", "summarise", "summarize", "list"}),
        "de": frozenset(
            {
                "bitte",
                "danke",
                "fasse",
                "gern",
                "guten",
                "hallo",
                "hilfe",
                "moin",
                "nenne",
                "servus",
                "worum",
                "zusammenfassung",
            }
        ),
    }
)

DETECTION_CHARS = 2000  # of the beginning of a text, by which its language is detected

# Separates the terms of the languages; an id has 32 bits.
_OWN: MappingProxyType[Language, int] = MappingProxyType({"en": 0, "de": 0x9E3779B9})


@lru_cache(maxsize=50_000)
def terms_of_word(word: str, language: Language) -> tuple[int, ...]:
    """Return a word's terms: () for a stop word, several for a number like 1,5."""
    return tuple(term ^ _OWN[language] for term in _BM25[language].embed_query(word.replace("’", "'")).indices)


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, as they are written."""
    return WORD.findall(text)


def content_words(text: str, language: Language) -> list[str]:
    """Return the words that are no stop words."""
    return [word for word in words_of(text) if terms_of_word(word, language)]


def terms_of(text: str, language: Language) -> frozenset[int]:
    """Return the terms of all content words."""
    return frozenset(term for word in words_of(text) for term in terms_of_word(word, language))


@lru_cache(maxsize=50_000)
def in_any_language(word: str) -> frozenset[int]:
    """Return a word's terms in every language, for texts that may be in another one."""
    return frozenset(term for language in LANGUAGES for term in terms_of_word(word, language))


def terms_in_any_language(text: str) -> frozenset[int]:
    """Return the terms of all words in every language."""
    return frozenset[int]().union(*map(in_any_language, set(words_of(text))))


def document_vector(text: str, language: Language) -> SparseVector:
    """Return the terms of a text, weighted by BM25, as they are indexed."""
    vector = _BM25[language].embed_document(" ".join(words_of(text)).replace("’", "'"))
    return SparseVector([term ^ _OWN[language] for term in vector.indices], vector.values)


def matched(text: str, terms: frozenset[int], language: Language) -> tuple[Span, ...]:
    """Return the spans of the words of `text` that have one of the terms."""
    words = {word for word in set(words_of(text)) if not terms.isdisjoint(terms_of_word(word, language))}
    return tuple(word.span() for word in WORD.finditer(text) if word[0] in words) if words else ()


def language_of(*texts: str) -> Language:
    """Return the language of the first text whose language can be detected, English where none can."""
    return detected_language(*texts) or "en"


def detected_language(*texts: str) -> Language | None:
    """Return the language of the first text whose language can be detected: that of most of its stop words."""
    return next((found for text in texts if (found := _detected(text[:DETECTION_CHARS]))), None)


@lru_cache(maxsize=4_000)  # the same passages are found again and again
def _detected(text: str) -> Language | None:
    words = words_of(text)
    stops = {
        language: sum(not terms_of_word(word, language) or word.lower() in _LANGUAGE_WORDS[language] for word in words)
        for language in LANGUAGES
    }
    if stops["en"] == stops["de"]:
        return None
    return max(LANGUAGES, key=lambda language: stops[language])
