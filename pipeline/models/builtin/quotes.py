"""Chooses the sentences of passages that answer a question best, and judges whether they answer it. Pure.

A score is a sum of eight shares with fixed weights. The method was chosen on one half of XQuAD and measured on the
other, with Snowball stems and search scores: the first quote held the answer for 0.81 of the questions, any quote for
0.90 (English; German 0.77 and 0.83). Here it uses Edge's terms and ranks. Decisive words, and "once" as a number, were
added after reading the bundled questions that failed, so `bench/extractive.py` is not a held-out measure for those.
Terms for some kinds of questions were added too and left the results of both languages unchanged: a quantity needs its
unit, a meaning its subject, the previous answer is not repeated, and the question's language comes first. Limit: on
questions written to look answerable every lexical score is at chance, so nothing but matching words is claimed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from pipeline.citations.sentences import is_table_row, sentences, without_list_marker
from pipeline.models.builtin.question_kind import is_decisive, is_named, kind_of, lacks, subject_of, unit_of
from pipeline.passages import Query
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.query import WeightedWord, own_words, weighted_words
from pipeline.retrieval.terms import Language, detected_language, language_of, terms_of, terms_of_word, words_of

State = Literal["answer", "near", "none"]

ANSWER_SCORE, NEAR_SCORE = 9.0, 7.0
QUOTES_MOST = 3
LEAST_CHANCE = 0.3  # another sentence is quoted if exp(its score - the best) is at least this
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


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen quotes, best first. `score` is the best sentence's, also where nothing is quoted.

    `mentions` holds for each passage the words of the question that it has, `absent` those that none has, and `missed`
    those of them that an answer must have (see `question_kind.is_decisive`). `is_unmeasured`: a quantity is asked for,
    and the best sentence has none of that kind.
    """

    state: State
    score: float
    quotes: tuple[Quote, ...]
    mentions: tuple[tuple[str, ...], ...]
    absent: tuple[str, ...]
    missed: tuple[str, ...]
    is_unmeasured: bool = False


class Scored(NamedTuple):
    """A quote, how much it lacks (`question_kind.lacks`), and whether the previous answer held it."""

    quote: Quote
    lacks: float
    is_said: bool


class Sentence(NamedTuple):
    """A quotable sentence or row, with all that its score needs."""

    text: str
    head: str
    terms: frozenset[int]
    compared: frozenset[str]
    before: frozenset[int]
    after: frozenset[int]


def choose(query: Query, passages: Sequence[PromptPassage]) -> Choice:
    """Choose up to three quotes, or none when the query's words are missing. Passages come best first.

    Passages in another language are quoted only if those in the question's language do not answer.
    """
    asked_in = language_of(query.question, *(passage.text for passage in passages))
    scored: dict[str, Scored] = {}
    for rank, passage in enumerate(passages, 1):
        for each in _scored(query, passage, rank, asked_in):
            if each.quote.text not in scored or scored[each.quote.text].quote.score < each.quote.score:
                scored[each.quote.text] = each
    foreign = {passage.number for passage in passages if _tongue(passage) not in (None, asked_in)}
    asks_quantity = unit_of(query.question) is not None
    answers = _preferred(scored.values(), lambda each: each.quote.number not in foreign)
    if asks_quantity:
        answers = _preferred(answers, lambda each: each.lacks == 0)
    answers = _preferred(answers, lambda each: not each.is_said)
    chosen = sorted(answers, key=lambda each: -each.quote.score)[:QUOTES_MOST]
    best_first = [each.quote for place, each in enumerate(chosen) if not (place and each.is_said)]
    is_unmeasured = asks_quantity and bool(chosen) and chosen[0].lacks == 1
    best = best_first[0].score if best_first else 0.0
    words = own_words(query, asked_in)
    mentions = tuple(tuple(word for word in words if _mentions(passage, word)) for passage in passages)
    absent = tuple(word for word in words if not any(word in mentioned for mentioned in mentions))
    missed = tuple(word for word in absent if is_decisive(word, query.question, asked_in))
    is_elsewhere = words and len(absent) == len(words)  # then only words of the previous turn match
    says_nothing = best < NEAR_SCORE or is_elsewhere
    state: State = "none" if says_nothing else "near" if best < ANSWER_SCORE or missed or is_unmeasured else "answer"
    quotes = tuple(quote for quote in best_first if math.exp(quote.score - best) >= LEAST_CHANCE)
    return Choice(state, best, quotes if state != "none" else (), mentions, absent, missed, is_unmeasured)


def _preferred(scored: Collection[Scored], fits: Callable[[Scored], bool]) -> Collection[Scored]:
    """Return the quotes that fit, if one of them is quotable and holds what is asked for; else all."""
    fitting = [each for each in scored if fits(each)]
    is_enough = any(each.quote.score >= NEAR_SCORE and each.lacks < 1 for each in fitting)
    return fitting if is_enough else scored


def _tongue(passage: PromptPassage) -> Language | None:
    """Return the language of a passage, None for a table of names and numbers."""
    return detected_language(passage.text, passage.heading)


def _scored(query: Query, passage: PromptPassage, rank: int, asked_in: Language) -> Iterator[Scored]:
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
    for sentence in sentences_of(passage.text, language):
        here = sentence.terms
        lacking = lacks(kind, _with_heading(sentence.text, sentence.head), query.question, asked)
        holds_all = bool(own) and all(here.issuperset(terms) for terms in own)
        is_said = not holds_all and (kind is None or lacking > 0) and _is_said(sentence.text, said)
        score = (
            4.0 * _share(asked, here)
            + 5.0 * _likeness(asked, sentence)
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
        yield Scored(Quote(passage.number, sentence.text, score, sentence.head), lacking, is_said)


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
    texts = [text[begin:end] for begin, end in sentences(text)]
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
        found.append(Sentence(each, head, terms[place], _long_words(each), before, after))
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


def _likeness(asked: Sequence[WeightedWord], sentence: Sentence) -> float:
    """Return the weighted share of the words in the sentence; a missing word counts as its most similar one there."""
    total = 0.0
    for word in asked:
        held = sentence.terms.issuperset(word.terms)
        total += word.weight * (1.0 if held else _best_likeness(word.text, sentence.compared))
    return total / sum(word.weight for word in asked)


def _best_likeness(word: str, others: frozenset[str]) -> float:
    best = max((_word_likeness(word.lower(), other) for other in others), default=0.0)
    return best if best >= LEAST_LIKENESS else 0.0


def _long_words(text: str) -> frozenset[str]:
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


def _mentions(passage: PromptPassage, word: str) -> bool:
    """Whether a passage has this word or a similar one. Numbers must be equal."""
    whole = f"{passage.heading}\n{passage.text}"
    language = language_of(passage.text, passage.heading)
    if terms_of(whole, language).issuperset(terms_of_word(word, language)):
        return True
    return not word[0].isdigit() and _best_likeness(word, _long_words(whole)) > 0
