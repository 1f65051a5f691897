"""Scores the sentences of passages by what they share with a question. Pure.

A score is a sum of eight measures with fixed weights. They lie between those that were fitted on 2,186 questions of
half of XQuAD and of five articles of SQuAD 2.0 (the softmax of the scores gives most to the sentences that hold the
answer) and older ones that served the bundled questions better; a perfect sentence has 15.5 points.
`docs/measurements.md` compares them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pipeline.citations.sentences import is_table_row, sentences, without_list_marker
from pipeline.citations.verb_forms import base_form
from pipeline.models.builtin.question_kind import is_named, kind_of, lacks, subject_of
from pipeline.passages import Query, Span
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.languages import Language
from pipeline.retrieval.query import WeightedWord, own_words, weighted_words
from pipeline.retrieval.terms import language_of, terms_of, terms_of_word, words_of

# Of the measures in their order: the share of the words, that of the rare ones, that of those beyond the heading, the
# passage's rank, its share of the words, what the sentences before and after add, and what the answer lacks.
SCORE_WEIGHTS = (4.0, 4.2, 1.6, 3.5, 2.2, 2.8, 1.2, -2.0)
EVERY_WORD = 1.5  # the weight that each word has, rare or not
# The prompt holds ranks, no scores. BM25 gives the 2nd to 4th passage 0.62, 0.49, 0.43 of the first one's score.
_RANK_FALL = -0.6
_TRIGRAMS_LEAST = 4  # a word has as many trigrams as letters
BEGINNING_GAIN = 2.0  # for the beginning of a document whose title is the subject that the question asks about
ANNOUNCING_COST = 3.0  # for "These are used:", which is incomplete without its list
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
    """A quotable sentence or row, its place in the passage's text, and all that its score needs.

    `bases` are the terms of its words with each verb in its base form: those of "win" for "won".
    """

    text: str
    head: str
    terms: frozenset[int]
    bases: frozenset[int]
    compared: frozenset[str]
    before: frozenset[int]
    after: frozenset[int]
    span: Span


class Scored(NamedTuple):
    """A sentence as a quote, with what its score was made of.

    `place` is its number in its passage, `lacks` is `question_kind.lacks`, `is_said` whether the previous answer held
    it. `likenesses` holds for each word asked for 1 where the sentence has it, else the likeness of the most similar
    word there. `in_heading` are the terms of the passage's heading, `measures` what SCORE_WEIGHTS weigh.
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
    measures: tuple[float, ...]


class _Candidate(NamedTuple):
    """A sentence of a passage before it is scored."""

    passage: PromptPassage
    rank: int
    place: int
    sentence: Sentence
    asked: tuple[WeightedWord, ...]
    likenesses: tuple[float, ...]
    passage_share: float
    in_heading: frozenset[int]


def scored_sentences(query: Query, passages: Sequence[PromptPassage], asked_in: Language) -> list[Scored]:
    """Score every sentence of the passages, which come best first; none for a query without content words.

    A request for more repeats the previous question.
    """
    meant = query if own_words(query, asked_in) or not query.past else Query(query.past[0][0])
    candidates = [
        each for rank, passage in enumerate(passages, 1) for each in _candidates(meant, passage, rank, asked_in)
    ]
    counts = Counter(
        word.text for each in candidates for word, likeness in zip(each.asked, each.likenesses, strict=True) if likeness
    )
    rarity = {word: EVERY_WORD + math.log((len(candidates) + 1) / (count + 0.5)) for word, count in counts.items()}
    return [_scored(query, each, rarity, is_own=meant is query) for each in candidates]


def _candidates(query: Query, passage: PromptPassage, rank: int, asked_in: Language) -> Iterator[_Candidate]:
    """Compare the sentences of a passage with the words of a query."""
    language = language_of(passage.text, passage.heading)
    asked = weighted_words(query, language, asked_in)
    if not asked:
        return
    bases = tuple(frozenset(terms_of_word(_base(word.text, language), language)) for word in asked)
    heading = terms_of(passage.heading, language)
    passage_share = _share(asked, heading | terms_of(passage.text, language))
    for place, sentence in enumerate(sentences_of(passage.text, language)):
        likenesses = tuple(_likeness(word, base, sentence) for word, base in zip(asked, bases, strict=True))
        yield _Candidate(passage, rank, place, sentence, asked, likenesses, passage_share, heading)


def _scored(query: Query, candidate: _Candidate, rarity: Mapping[str, float], *, is_own: bool) -> Scored:
    """Score a sentence; `is_own` says that the words are those of the query itself."""
    passage, rank, place, sentence, asked, likenesses, passage_share, heading = candidate
    kind, here = kind_of(query.question), sentence.terms
    lacking = lacks(kind, _with_heading(sentence.text, sentence.head), query.question, asked)
    own = [word.terms for word in asked if word.weight == 1.0] if is_own else []
    holds_all = bool(own) and all(here.issuperset(terms) for terms in own)
    said = [f" {' '.join(words_of(text))} " for text, _ in query.past]
    is_said = not holds_all and (kind is None or lacking > 0) and _is_said(sentence.text, said)
    subject = subject_of(query.question)
    is_its_beginning = subject is not None and is_named(passage.heading, subject)
    weights = [word.weight for word in asked]
    rare = [weight * rarity.get(word.text, 0.0) for word, weight in zip(asked, weights, strict=True)]
    beyond = [0.0 if heading.issuperset(word.terms) else word.weight for word in asked]
    measures = (
        _weighed(weights, [float(likeness == 1.0) for likeness in likenesses]),
        _weighed(rare, likenesses),
        _weighed(beyond, likenesses) if any(beyond) else 0.5,
        rank**_RANK_FALL,
        passage_share,
        _share(asked, sentence.before, but_not_in=here),
        _share(asked, sentence.after, but_not_in=here),
        lacking,
    )
    score = (
        sum(weight * measure for weight, measure in zip(SCORE_WEIGHTS, measures, strict=True))
        + BEGINNING_GAIN * is_its_beginning
        - SAID_COST * is_said
        - ANNOUNCING_COST * sentence.text.endswith(":")
    )
    quote = Quote(passage.number, sentence.text, score, sentence.head)
    return Scored(quote, place, sentence, lacking, is_said, asked, likenesses, passage_share, heading, measures)


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
        found.append(
            Sentence(each, head, terms[place], _bases(each, language), long_words(each), before, after, spans[place])
        )
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


def _bases(text: str, language: Language) -> frozenset[int]:
    """Return the terms of a text's words, each verb in its base form."""
    return frozenset(term for word in words_of(text) for term in terms_of_word(_base(word, language), language))


def _base(word: str, language: Language) -> str:
    """Return the base form of a verb, else the word; a German word with a capital is a noun."""
    return word if language == "de" and word[0].isupper() else base_form(word.lower(), language)


def _likeness(word: WeightedWord, base: frozenset[int], sentence: Sentence) -> float:
    """Return 1 for a word that the sentence has in any form, else the likeness of the most similar word there."""
    if sentence.terms.issuperset(word.terms) or (base and sentence.bases.issuperset(base)):
        return 1.0
    return best_likeness(word.text, sentence.compared)


def _weighed(weights: Sequence[float], shares: Sequence[float]) -> float:
    """Return the mean of the shares by weight, 0 where nothing weighs."""
    total = sum(weights)
    return sum(weight * share for weight, share in zip(weights, shares, strict=True)) / total if total else 0.0


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
