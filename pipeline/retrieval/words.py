"""Words and their terms: the one stemmer that search, marks and quoting share.

A term is the id that Qdrant Edge's BM25 gives to a word's stem: equal ids, same stem; no id, a stop word. Languages do
not share their terms, else a German stem that looks like an English word would find it (0.005 nDCG@10 on SciFact).
Pure.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

from qdrant_edge import Bm25, Bm25Config, SparseVector, StopwordsSet
from qdrant_edge import Language as EdgeLanguage

from pipeline.conversation import Span

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# Numbers whole, words with their apostrophe: the units that were measured (`quoting`). Never a control character.
WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?")

# Edge's lists lack the words that questions ask with; counted as content, they would be missed in every sentence.
_ENGLISH_ASKING = {"also", "could", "many", "may", "might", "much", "whose", "would"}
_GERMAN_ASKING = {"gab", "gibt", "viele", "wann", "warum", "wem", "wen", "wer", "weshalb", "wessen", "wieso", "wieviel"}
_GERMAN_ASKING |= {"wurde", "wurden"}


def _bm25(name: str, language: EdgeLanguage, asking: set[str]) -> Bm25:
    # No ascii_folding: it defeats stop words like "für"; the German stemmer folds umlauts itself.
    stopwords = StopwordsSet(languages={language}, custom=asking)
    return Bm25(Bm25Config(language=name, lowercase=True, stopwords=stopwords))


_BM25: MappingProxyType[Language, Bm25] = MappingProxyType(
    {
        "en": _bm25("english", EdgeLanguage.English, _ENGLISH_ASKING),
        "de": _bm25("german", EdgeLanguage.German, _GERMAN_ASKING),
    }
)

# Words that are no stop words and tell the language of a short text all the same.
_TELLING: MappingProxyType[Language, frozenset[str]] = MappingProxyType(
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

TELLING_CHARS = 2000  # of a text, from its beginning, by which its language is told

# Sets the terms of one language apart from those of another; an id has 32 bits.
_OWN: MappingProxyType[Language, int] = MappingProxyType({"en": 0, "de": 0x9E3779B9})


@lru_cache(maxsize=50_000)
def terms_of_word(word: str, language: Language) -> tuple[int, ...]:
    """A word's terms: () for a stop word, more than one for a number like 1,5."""
    return tuple(term ^ _OWN[language] for term in _BM25[language].embed_query(word.replace("’", "'")).indices)


def words_of(text: str) -> list[str]:
    """The words of a text in order, as they are written."""
    return WORD.findall(text)


def content_words(text: str, language: Language) -> list[str]:
    """The words that are no stop words."""
    return [word for word in words_of(text) if terms_of_word(word, language)]


def terms_of(text: str, language: Language) -> frozenset[int]:
    """The terms of all content words."""
    return frozenset(term for word in words_of(text) for term in terms_of_word(word, language))


@lru_cache(maxsize=50_000)
def in_any_language(word: str) -> frozenset[int]:
    """A word's terms in every language: for texts that may be in another one."""
    return frozenset(term for language in LANGUAGES for term in terms_of_word(word, language))


def terms_in_any_language(text: str) -> frozenset[int]:
    """The terms of all words in every language."""
    return frozenset[int]().union(*map(in_any_language, set(words_of(text))))


def document_vector(text: str, language: Language) -> SparseVector:
    """What is indexed for a text: its terms, weighted by BM25."""
    vector = _BM25[language].embed_document(" ".join(words_of(text)).replace("’", "'"))
    return SparseVector([term ^ _OWN[language] for term in vector.indices], vector.values)


def matched(text: str, terms: frozenset[int], language: Language) -> tuple[Span, ...]:
    """Where `text` holds a word that has one of the terms."""
    words = {word for word in set(words_of(text)) if not terms.isdisjoint(terms_of_word(word, language))}
    return tuple(word.span() for word in WORD.finditer(text) if word[0] in words) if words else ()


def language_of(*texts: str) -> Language:
    """The language of the first text that tells. English when none does."""
    return told_language(*texts) or "en"


def told_language(*texts: str) -> Language | None:
    """The language of the first text that tells: the one with more stop words. None when none does."""
    return next((told for text in texts if (told := _told(text[:TELLING_CHARS]))), None)


@lru_cache(maxsize=4_000)  # passages are asked again and again
def _told(text: str) -> Language | None:
    words = words_of(text)
    stops = {
        language: sum(not terms_of_word(word, language) or word.lower() in _TELLING[language] for word in words)
        for language in LANGUAGES
    }
    if stops["en"] == stops["de"]:
        return None
    return max(LANGUAGES, key=lambda language: stops[language])
