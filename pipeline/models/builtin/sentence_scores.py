"""Scores the sentences of passages by what they share with a question. Pure.

A score is a sum of eight shares with fixed weights. The method was chosen on one half of XQuAD and measured on the
other. Fitting the weights anew on 1,500 questions of both languages, with or without weights for rare words, gave the
same weights within 0.5 and the same results within their error, so they stand as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pipeline.citations.sentences import is_table_row, sentences, without_list_marker
from pipeline.models.builtin.question_kind import is_named, kind_of, lacks, subject_of
from pipeline.passages import Query, Span
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.languages import Language
from pipeline.retrieval.query import WeightedWord, own_words, weighted_words
from pipeline.retrieval.terms import language_of, terms_of, words_of

# The prompt holds ranks, no scores. BM25 gives the 2nd to 4th passage 0.62, 0.49, 0.43 of the first one's score.
_RANK_FALL = -0.6
_TRIGRAMS_LEAST = 4  # a word has as many trigrams as letters
BEGINNING_GAIN = 2.0  # for the beginning of a document whose title is the subject that the question asks about
ANNOUNCING_COST = 2.0  # for "These are used:", which is incomplete without its list
SAID_COST = 4.0  # for a sentence of the previous answer that adds nothing asked for now
LEAST_LIKENESS = 0.6  # words with a smaller share of common trigrams are different words

_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t:|-]*)?")
_NOT_QUOTED = re.compile(r"#{1,6}\s|```|~~~")


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of passage `number`, verbatim; for a row, `head` is the table's first two lines."""

    number: int
    text: str
    score: float
    head: str = ""


class Sentence(NamedTuple):
    """A quotable sentence or row, its place in the passage's text, and all that its score needs."""

    text: str
    head: str
    terms: frozenset[int]
    compared: frozenset[str]
    before: frozenset[int]
    after: frozenset[int]
    span: Span


class Scored(NamedTuple):
    """A sentence as a quote, with what its score was made of.

    `place` is its number in its passage, `lacks` is `question_kind.lacks`, `is_said` whether the previous answer held
    it. `likenesses` holds for each word asked for 1 where the sentence has it, else the likeness of the most similar
    word there. `in_heading` are the terms of the passage's heading.
    """

    quote: Quote
    place: int
    sentence: Sentence
    lacks: float
    is_said: bool
    asked: tuple[WeightedWord, ...]
    likenesses: tuple[float, ...]
    passage_share: float
    in_heading: frozenset[int]


def scored_sentences(query: Query, passage: PromptPassage, rank: int, asked_in: Language) -> Iterator[Scored]:
    """Score every sentence of a passage; none for a query without content words.

    A request for more repeats the previous question.
    """
    language = language_of(passage.text, passage.heading)
    meant = query if own_words(query, asked_in) or not query.past else Query(query.past[0][0])
    asked = weighted_words(meant, language, asked_in)
    if not asked:
        return
    kind = kind_of(query.question)
    own = [word.terms for word in asked if word.weight == 1.0] if meant is query else []
    said = [f" {' '.join(words_of(text))} " for text, _ in query.past]
    subject = subject_of(query.question)
    is_its_beginning = subject is not None and is_named(passage.heading, subject)
    heading = terms_of(passage.heading, language)
    passage_share = _share(asked, heading | terms_of(passage.text, language))
    for place, sentence in enumerate(sentences_of(passage.text, language)):
        here = sentence.terms
        likenesses = tuple(_likeness(word, sentence) for word in asked)
        lacking = lacks(kind, _with_heading(sentence.text, sentence.head), query.question, asked)
        holds_all = bool(own) and all(here.issuperset(terms) for terms in own)
        is_said = not holds_all and (kind is None or lacking > 0) and _is_said(sentence.text, said)
        score = (
            4.0 * _share(asked, here)
            + 5.0 * _weighed(asked, likenesses)
            + 3.5 * rank**_RANK_FALL
            + 3.0 * passage_share
            + 1.5 * _share(asked, heading, but_not_in=here)
            + 2.5 * _share(asked, sentence.before, but_not_in=here)
            + 1.0 * _share(asked, sentence.after, but_not_in=here)
            - 2.0 * lacking
            + BEGINNING_GAIN * is_its_beginning
            - SAID_COST * is_said
            - ANNOUNCING_COST * sentence.text.endswith(":")
        )
        quote = Quote(passage.number, sentence.text, score, sentence.head)
        yield Scored(quote, place, sentence, lacking, is_said, asked, likenesses, passage_share, heading)


def _with_heading(text: str, head: str) -> str:
    """Return a sentence; of a row each cell followed by its column's name, which may be a number's unit."""
    if not head:
        return text
    names, cells = (row.strip("| ").split("|") for row in (head.partition("\n")[0], text))
    return " | ".join(f"{cell.strip()} {name.strip()}" for cell, name in zip(cells, names, strict=False))


def _is_said(sentence: str, said: Sequence[str]) -> bool:
    """Whether the previous turn holds this sentence."""
    words = " ".join(words_of(without_list_marker(sentence)))
    return any(f" {words} " in each for each in said)


@lru_cache(maxsize=2000)
def sentences_of(text: str, language: Language) -> tuple[Sentence, ...]:
    """Return the quotable sentences of a passage. A row's neighbour is its table's head, which names its cells."""
    spans = sentences(text)
    texts = [text[begin:end] for begin, end in spans]
    heads = _heads(texts)
    terms = [terms_of(each, language) for each in texts]
    none: frozenset[int] = frozenset()
    found = []
    for place, each in enumerate(texts):
        head = heads[place]
        if head is None or _NOT_QUOTED.match(each) or not terms[place]:
            continue
        before = terms_of(head, language) if head else terms[place - 1] if place else none
        after = terms[place + 1] if place + 1 < len(texts) and not is_table_row(each) else none
        found.append(Sentence(each, head, terms[place], long_words(each), before, after, spans[place]))
    return tuple(found)


def _heads(texts: Sequence[str]) -> list[str | None]:
    """Return each sentence's table head, "" outside tables; None for parts of a head."""
    heads: list[str | None] = []
    head = ""
    for place, text in enumerate(texts):
        following = texts[place + 1] if place + 1 < len(texts) else ""
        if not is_table_row(text):
            head = ""
        if is_table_row(text) and is_table_row(following) and _RULE.fullmatch(following):
            head = f"{text}\n{following}"
            heads.append(None)
        else:
            heads.append(None if is_table_row(text) and _RULE.fullmatch(text) else head)
    return heads


def _share(asked: Sequence[WeightedWord], terms: frozenset[int], but_not_in: frozenset[int] | None = None) -> float:
    """Return the share of the words' weight that is in `terms`."""
    held = sum(
        word.weight
        for word in asked
        if terms.issuperset(word.terms) and not (but_not_in is not None and but_not_in.issuperset(word.terms))
    )
    return held / sum(word.weight for word in asked)


def _likeness(word: WeightedWord, sentence: Sentence) -> float:
    """Return 1 for a word that the sentence has, else the likeness of the most similar word there."""
    return 1.0 if sentence.terms.issuperset(word.terms) else best_likeness(word.text, sentence.compared)


def _weighed(asked: Sequence[WeightedWord], shares: Sequence[float]) -> float:
    """Return the mean of the words' shares by weight."""
    total = sum(word.weight * share for word, share in zip(asked, shares, strict=True))
    return total / sum(word.weight for word in asked)


def best_likeness(word: str, others: frozenset[str]) -> float:
    """Return the likeness of the word that is most similar, 0 where none is similar enough."""
    best = max((_word_likeness(word.lower(), other) for other in others), default=0.0)
    return best if best >= LEAST_LIKENESS else 0.0


def long_words(text: str) -> frozenset[str]:
    """Return the words that are long enough to be compared, in lower case."""
    return frozenset(word.lower() for word in words_of(text) if len(word) >= _TRIGRAMS_LEAST)


@lru_cache(maxsize=100_000)
def _word_likeness(one: str, other: str) -> float:
    """Return the share of the shorter word's trigrams in the other; finds compounds and other endings."""
    mine, its = _trigrams(one), _trigrams(other)
    fewer = min(len(mine), len(its))
    if fewer < _TRIGRAMS_LEAST or abs(len(mine) - len(its)) > 12:
        return 0.0
    return len(mine & its) / fewer


@lru_cache(maxsize=50_000)
def _trigrams(word: str) -> frozenset[str]:
    framed = f"^{word}$"
    return frozenset(framed[begin : begin + 3] for begin in range(len(word)))
