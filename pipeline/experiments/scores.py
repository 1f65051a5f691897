"""Scores of one answer by named metrics, from its turn and what was expected. Pure: no model, no clock.

A score is a share from 0 to 1, or an amount (seconds, tokens, USD). None means that the metric does not apply to the
question or the turn, as where no answer is expected.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pipeline.citations.markers import markers
from pipeline.errors import Refused
from pipeline.events import Ending, Recovered, TurnFailed, TurnFinished, TurnStopped, Warned, passages_of
from pipeline.experiments.comparable_texts import contains, token_f1, words_of
from pipeline.experiments.questions import Question
from pipeline.metrics import measure
from pipeline.passages import Passage
from pipeline.turn import Turn, TurnMetrics
from pipeline.turns.abstention import CLAIMS

MetricName = Literal[
    "gold",
    "exact",
    "f1",
    "passage_found",
    "cited",
    "supported",
    "refused_rightly",
    "format_kept",
    "first_token_s",
    "total_s",
    "tokens",
    "cost",
]
Scores = Mapping[MetricName, float | None]

PHRASE_WORDS = 12  # a longer expected text is a whole answer, which no passage holds in these words


def gold(turn: Turn, question: Question) -> float | None:
    """Return 1 where the expected text stands in the answer, 0 where it does not."""
    return gold_in(answer_of(turn), question)


def gold_in(answer: str, question: Question) -> float | None:
    """Return `gold` for the text of an answer."""
    return _of_golds(question, lambda expected: contains(answer, expected))


def exact(turn: Turn, question: Question) -> float | None:
    """Return 1 where the answer is the expected text and nothing else."""
    return _of_golds(question, lambda expected: words_of(answer_of(turn)) == words_of(expected))


def f1(turn: Turn, question: Question) -> float | None:
    """Return the F1 of the answer's words and the expected ones."""
    return f1_of(answer_of(turn), question)


def f1_of(answer: str, question: Question) -> float | None:
    """Return `f1` for the text of an answer."""
    return _of_golds(question, lambda expected: token_f1(answer, expected))


def passage_found(turn: Turn, question: Question) -> float | None:
    """Return whether a passage was found that answers: one with the expected text, in a document where it stands.

    Without an expected text of a few words, the share of the expected documents that were found (recall@k).
    """
    phrases = _phrases(question)
    if question.unanswerable or not (phrases or question.documents):
        return None
    passages = passages_of(turn.record)
    if phrases:
        return float(any(_answers(passage, question) for passage in passages))
    found = sum(any(_is_of(passage, document) for passage in passages) for document in question.documents)
    return found / len(question.documents)


def cited(turn: Turn, question: Question) -> float | None:
    """Return whether the answer cites a passage that answers; without anything expected, whether it cites at all."""
    if question.unanswerable:
        return None
    by_number = {passage.number: passage for passage in passages_of(turn.record)}
    numbers = {number for marker in markers(answer_of(turn)) for number in marker.numbers}
    shown = [by_number[number] for number in numbers if number in by_number]
    return float(any(_answers(passage, question) for passage in shown))


def supported(turn: Turn, question: Question) -> float | None:
    """Return the share of the claims that are said word for word or supported by a passage; None without claims."""
    ending = ending_of(turn)
    checks = ending.checks if isinstance(ending, TurnFinished) else {}
    claims = sum(checks.get(label, 0) for label in CLAIMS)
    return (checks.get("verbatim", 0) + checks.get("supported", 0)) / claims if claims else None


def refused_rightly(turn: Turn, question: Question) -> float | None:
    """Return whether an unanswerable question is refused; None for others, whose refusal lacks the expected text."""
    if not question.unanswerable:
        return None
    ending = ending_of(turn)
    return float(isinstance(ending, TurnFinished) and ending.abstained)


def format_kept(turn: Turn, question: Question) -> float | None:
    """Return whether the first model answered in the program's format, without falling back to another way."""
    broken = any(
        (isinstance(event, Warned) and event.code in ("format", "missing_fields"))
        or (isinstance(event, Recovered) and event.what != "retry")
        for event in turn.record
    )
    return float(isinstance(ending_of(turn), TurnFinished) and not broken)


def first_token_s(turn: Turn, question: Question) -> float | None:
    """Return the seconds until the first token."""
    return _measured(turn).first_token_s


def total_s(turn: Turn, question: Question) -> float | None:
    """Return the seconds until the ending."""
    return _measured(turn).total_s


def tokens(turn: Turn, question: Question) -> float | None:
    """Return the tokens of the reply."""
    return _measured(turn).tokens


def cost(turn: Turn, question: Question) -> float | None:
    """Return the cost in USD."""
    return _measured(turn).cost


@dataclass(frozen=True, slots=True)
class Metric:
    """A named metric. A share is 0 to 1; `needs_gold`: it applies only to questions with an expected text."""

    name: MetricName
    score: Callable[[Turn, Question], float | None]
    is_share: bool = True
    higher_is_better: bool = True
    needs_gold: bool = False


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        each.name: each
        for each in (
            Metric("gold", gold, needs_gold=True),
            Metric("exact", exact, needs_gold=True),
            Metric("f1", f1, needs_gold=True),
            Metric("passage_found", passage_found),
            Metric("cited", cited),
            Metric("supported", supported),
            Metric("refused_rightly", refused_rightly),
            Metric("format_kept", format_kept),
            Metric("first_token_s", first_token_s, is_share=False, higher_is_better=False),
            Metric("total_s", total_s, is_share=False, higher_is_better=False),
            Metric("tokens", tokens, is_share=False, higher_is_better=False),
            Metric("cost", cost, is_share=False, higher_is_better=False),
        )
    }
)


def checked_metrics(names: Collection[str], questions: Collection[Question]) -> tuple[Metric, ...]:
    """Return the metrics of these names, all where there are none.

    Raises Refused: an unknown name, and one that no question has an expected text for.
    """
    if set(names) - set(METRICS):
        raise Refused("unknown_metric", near=tuple(METRICS))
    has_gold = any(question.golds for question in questions)
    if not has_gold and (lacking := [name for name in names if METRICS[name].needs_gold]):
        raise Refused("needs_gold", key=lacking[0])
    return tuple(METRICS[name] for name in (names or METRICS))


def scores_of(turn: Turn, question: Question) -> dict[MetricName, float | None]:
    """Return every score of an answer."""
    return {each.name: each.score(turn, question) for each in METRICS.values()}


def answer_of(turn: Turn) -> str:
    """Return the text of the answer, also of one that was not finished."""
    return turn.fields.get("answer", "")


def ending_of(turn: Turn) -> Ending | None:
    """Return the turn's ending, None while it runs."""
    ending = turn.record[-1] if turn.record else None
    return ending if isinstance(ending, TurnFinished | TurnFailed | TurnStopped) else None


def _of_golds(question: Question, score: Callable[[str], float]) -> float | None:
    """Return the best score over the expected texts, None without any."""
    if question.unanswerable or not question.golds:
        return None
    return max(float(score(expected)) for expected in question.golds)


def _answers(passage: Passage, question: Question) -> bool:
    """Return whether a passage is one that answers, as far as the question says what is expected."""
    is_there = not question.documents or any(_is_of(passage, document) for document in question.documents)
    phrases = _phrases(question)
    return is_there and (not phrases or any(contains(passage.text, phrase) for phrase in phrases))


def _phrases(question: Question) -> tuple[str, ...]:
    """Return the expected texts that are short enough to stand in a passage."""
    return tuple(text for text in question.golds if len(words_of(text)) <= PHRASE_WORDS)


def _is_of(passage: Passage, document: str) -> bool:
    return document.casefold() in (passage.document.casefold(), passage.title.casefold())


def _measured(turn: Turn) -> TurnMetrics:
    return turn.metrics or measure(turn.record)
