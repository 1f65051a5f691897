"""Chooses the sentences of passages that answer a question best, and judges whether they answer it. Pure.

A quote is a sentence, the first one with the sentences beside it where the answer may as well stand there: on half of
XQuAD every second miss was in the neighbouring sentence. How likely a sentence is the right one is the softmax of the
scores, whose weights are those of a fitted one; a sentence is added if it is likely enough for its length, so that
short ones go before long ones. `bench/extractive.py` measures all of it. Decisive words, and "once" as a number, were
added after reading the bundled questions that failed, so it is not a held-out measure for those.
A quantity needs its unit, a meaning its subject, the previous answer is not repeated, and the question's language
comes first. Limit: words are compared, so a question that was written to look answerable is told from one that is in
three of four pairs only (`confidence`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.models.builtin.confidence import (
    NO_DOUBTS,
    Doubts,
    confidence_of,
    doubts_of,
    premise_probability,
)
from pipeline.models.builtin.question_kind import is_decisive, unit_of
from pipeline.models.builtin.sentence_scores import Quote, Scored, best_likeness, long_words, scored_sentences
from pipeline.passages import Query
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.languages import Language
from pipeline.retrieval.query import own_words
from pipeline.retrieval.terms import detected_language, language_of, terms_of, terms_of_word

State = Literal["answer", "near", "none"]

QUOTE_SCORE = 7.0  # a sentence with fewer points is not preferred for its language or its quantity
ANSWER_CONFIDENCE, NEAR_CONFIDENCE = 0.3, 0.06  # of `confidence_of`
PREMISE_LEAST = 0.41  # of `premise_probability`, below which nothing is an answer
QUOTES_MOST = 3
# The least chance of being the right sentence, per word: of a sentence beside the first one, and of a further quote.
BESIDE_CHANCE, FURTHER_CHANCE = 0.0005, 0.002
SHORT_WORDS = 10  # a shorter sentence counts as one of so many words: each has to be read
BESIDE_MOST = 2  # sentences beside the first one
FIRST_WORDS_MOST, WORDS_MOST = 100, 130  # of the first quote with its neighbours, and of all quotes; one may be longer


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen quotes, best first. `score` is that of the best sentence, `best`, also where nothing is quoted.

    `confidence` is the probability that the passages are about the question, `premise` that the best sentence says what
    the question presumes, and `doubts` what of that it does not say. `mentions` holds for each passage the words of the
    question that it has, `absent` those that none has, and `missed` those of them that an answer must have (see
    `question_kind.is_decisive`). `is_unmeasured`: a quantity is asked for, and the best sentence has none of that kind.
    """

    state: State
    score: float
    quotes: tuple[Quote, ...]
    mentions: tuple[tuple[str, ...], ...]
    absent: tuple[str, ...]
    missed: tuple[str, ...]
    is_unmeasured: bool = False
    confidence: float = 0.0
    premise: float = 0.0
    doubts: Doubts = NO_DOUBTS
    best: str = ""


Places = Mapping[tuple[int, int], Scored]  # sentences by their passage's number and their place in it
Chances = Mapping[tuple[int, int], float]  # the chance of such a sentence to be the right one


def choose(query: Query, passages: Sequence[PromptPassage]) -> Choice:
    """Choose up to three quotes, or none when the query's words are missing. Passages come best first.

    Passages in another language are quoted only if those in the question's language do not answer.
    """
    asked_in = language_of(query.question, *(passage.text for passage in passages))
    every = scored_sentences(query, passages, asked_in)
    answers = _answers(query, passages, every, asked_in)
    words = own_words(query, asked_in)
    mentions = tuple(tuple(word for word in words if has_word(passage, word)) for passage in passages)
    absent = tuple(word for word in words if not any(word in mentioned for mentioned in mentions))
    missed = tuple(word for word in absent if is_decisive(word, query.question, asked_in))
    if not answers:
        return Choice("none", 0.0, (), mentions, absent, missed)
    best = answers[0]
    places = {(each.quote.number, each.place): each for each in every}
    nearby = [each for each in _beside(best, places) if each.asked == best.asked]
    quoted = next(each for each in passages if each.number == best.quote.number)
    language = language_of(quoted.text, quoted.heading)
    comparable = [each for each in every if each.asked == best.asked]  # those in its language
    confidence = confidence_of(best, comparable, quoted.heading, [each.heading for each in passages], language)
    premise = premise_probability(query.question, best, nearby, asked_in)
    is_unmeasured = unit_of(query.question) is not None and best.lacks == 1
    is_elsewhere = words and len(absent) == len(words)  # then only words of the previous turn match
    is_doubtful = confidence < ANSWER_CONFIDENCE or premise < PREMISE_LEAST or missed or is_unmeasured
    state: State = "none" if confidence < NEAR_CONFIDENCE or is_elsewhere else "near" if is_doubtful else "answer"
    quotes = _quotes(answers, places, quoted.text) if state != "none" else ()
    doubts = doubts_of(query.question, best, nearby, asked_in)
    return Choice(
        state,
        best.quote.score,
        quotes,
        mentions,
        absent,
        missed,
        is_unmeasured,
        confidence,
        premise,
        doubts,
        best.quote.text,
    )


def _answers(
    query: Query, passages: Sequence[PromptPassage], every: Sequence[Scored], asked_in: Language
) -> list[Scored]:
    """Return the sentences that may be quoted, best first, each wording once."""
    scored: dict[str, Scored] = {}
    for each in every:
        if each.quote.text not in scored or scored[each.quote.text].quote.score < each.quote.score:
            scored[each.quote.text] = each
    foreign = {passage.number for passage in passages if _tongue(passage) not in (None, asked_in)}
    answers = _preferred(scored.values(), lambda each: each.quote.number not in foreign)
    if unit_of(query.question) is not None:
        answers = _preferred(answers, lambda each: each.lacks == 0)
    answers = _preferred(answers, lambda each: not each.is_said)
    best_first = sorted(answers, key=lambda each: -each.quote.score)
    return [each for place, each in enumerate(best_first) if not (place and each.is_said)]


def _preferred(scored: Collection[Scored], fits: Callable[[Scored], bool]) -> Collection[Scored]:
    """Return the quotes that fit, if one of them is quotable and holds what is asked for; else all."""
    fitting = [each for each in scored if fits(each)]
    is_enough = any(each.quote.score >= QUOTE_SCORE and each.lacks < 1 for each in fitting)
    return fitting if is_enough else scored


def _tongue(passage: PromptPassage) -> Language | None:
    """Return the language of a passage, None for a table of names and numbers."""
    return detected_language(passage.text, passage.heading)


def _quotes(answers: Sequence[Scored], places: Places, text: str) -> tuple[Quote, ...]:
    """Return the best sentence, with its neighbours where these may hold the answer, and others that may hold it.

    `text` is that of the best sentence's passage.
    """
    chances = _chances(answers)
    taken = _first(answers[0], chances, places, text)
    quotes = [_joined(taken, text)]
    for each in sorted(answers[1:], key=lambda each: -_chance_per_word(each, chances)):
        is_likely = each not in taken and _chance_per_word(each, chances) >= FURTHER_CHANCE
        if len(quotes) < QUOTES_MOST and is_likely and _words([*taken, each]) <= WORDS_MOST:
            taken.append(each)
            quotes.append(each.quote)
    return tuple(quotes)


def _first(best: Scored, chances: Chances, places: Places, text: str) -> list[Scored]:
    """Return the best sentence and the likely ones around it, each joined to those that are taken before it."""
    taken = [best]
    while len(taken) <= BESIDE_MOST:
        likely = [
            each
            for beside in taken
            for each in _beside(beside, places)
            if each not in taken
            and _chance_per_word(each, chances) >= BESIDE_CHANCE
            and _words([*taken, each]) <= FIRST_WORDS_MOST
            and _is_one_paragraph(beside, each, text)
        ]
        if not likely:
            break
        taken.append(max(likely, key=lambda each: _chance_per_word(each, chances)))
    return taken


def _chances(answers: Sequence[Scored]) -> Chances:
    """Return the chance of each sentence to be the right one: the softmax of the scores."""
    powers = {_key(each): math.exp(each.quote.score - answers[0].quote.score) for each in answers}
    total = sum(powers.values())
    return {key: power / total for key, power in powers.items()}


def _chance_per_word(scored: Scored, chances: Chances) -> float:
    """Return a sentence's chance divided by its words, 0 for one that may not be quoted."""
    return chances.get(_key(scored), 0.0) / max(SHORT_WORDS, _words([scored]))


def _key(scored: Scored) -> tuple[int, int]:
    return scored.quote.number, scored.place


def _beside(scored: Scored, places: Places) -> list[Scored]:
    """Return the sentences before and after, rows and their tables apart."""
    found = (places.get((scored.quote.number, scored.place + step)) for step in (-1, 1))
    return [each for each in found if each and not each.quote.head and not scored.quote.head]


def _is_one_paragraph(one: Scored, other: Scored, text: str) -> bool:
    """Whether nothing but blanks stands between two sentences."""
    first, second = sorted((one.sentence.span, other.sentence.span))
    between = text[first[1] : second[0]]
    return not between.strip() and "\n" not in between


def _words(scored: Sequence[Scored]) -> int:
    return sum(len(each.quote.text.split()) for each in scored)


def _joined(neighbours: Sequence[Scored], text: str) -> Quote:
    """Return the first one's quote, extended to all of these sentences."""
    begin = min(each.sentence.span[0] for each in neighbours)
    end = max(each.sentence.span[1] for each in neighbours)
    best = neighbours[0].quote
    return Quote(best.number, text[begin:end], best.score, best.head)


def has_word(passage: PromptPassage, word: str) -> bool:
    """Whether a passage has this word or a similar one. Numbers must be equal."""
    whole = f"{passage.heading}\n{passage.text}"
    language = language_of(passage.text, passage.heading)
    if terms_of(whole, language).issuperset(terms_of_word(word, language)):
        return True
    return not word[0].isdigit() and best_likeness(word, long_words(whole)) > 0
