"""Measures a turn from its events: speed, size, recoveries and ending. Pure; keeps no text of the turn.

`measure` gives the same for a live turn and for its compact record, but for the number of chunks, which a record has
lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.events import (
    Ending,
    Event,
    FieldDelta,
    Recovered,
    Rung,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    is_search,
)
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import TurnMetrics


def measure(events: Iterable[Event], *, continues: bool = False) -> TurnMetrics:
    """Measure a turn from its events. Text of an earlier turn and of a failed attempt does not count.

    A turn that `continues` an earlier one begins with its text, before the first step: such a turn has no speed, and
    only the tokens that the provider counted. It is recognised by itself where `events` hold the turn's start. The
    built-in model has no speed: it only pauses between words.
    """
    asked = used = ""
    has_started = has_stepped = False
    rungs: list[Rung] = []
    retrieval_s = first_s = first_answer_s = None
    chunks = 0
    ending: Ending | None = None
    for event in events:
        if isinstance(event, FieldDelta):
            continues = continues or (has_started and not has_stepped)
            if continues:
                continue
            chunks += 1
            if first_s is None:
                first_s = event.at_s
            if first_answer_s is None and event.field == "answer":
                first_answer_s = event.at_s
        elif isinstance(event, TurnStarted):
            asked = used = event.model
            has_started = True
        elif isinstance(event, StepChanged):
            has_stepped = has_stepped or event.step != "wait"
            if event.state == "ended" and is_search(event.step):
                retrieval_s = (retrieval_s or 0.0) + event.took_s
        elif isinstance(event, Recovered):
            rungs.append(event.what)
            used = event.to_model
            first_s, chunks = None, 0  # the text of the failed attempt was taken back
        elif isinstance(event, TurnFinished | TurnFailed | TurnStopped):
            ending = event
    measured = TurnMetrics(
        model_asked=asked,
        model_used=used,
        rungs=tuple(rungs),
        retrieval_s=retrieval_s,
        first_token_s=first_s,
        first_answer_s=first_answer_s,
        chunks=chunks,
    )
    if ending is None:
        return measured
    if isinstance(ending, TurnFinished) and ending.cached:
        return _cached(measured, ending)
    measured = _ended(measured, ending)
    return replace(measured, tokens=None) if continues and not measured.exact else measured


def _cached(measured: TurnMetrics, ending: TurnFinished) -> TurnMetrics:
    """Measure an answer that was replayed: it has a size, and nothing that says how a model works."""
    return TurnMetrics(
        model_asked=measured.model_asked,
        model_used=ending.model,
        ending="finished",
        finish=ending.finish,
        total_s=ending.at_s,
        chars=sum(map(len, ending.fields.values())),
        exact=True,
        cost=0.0,
        cached=True,
    )


def _ended(measured: TurnMetrics, ending: Ending) -> TurnMetrics:
    text = "".join((ending.fields if isinstance(ending, TurnFinished) else ending.partial).values())
    measured = replace(measured, total_s=ending.at_s, chars=len(text))
    match ending:
        case TurnFinished():
            measured = replace(
                measured,
                ending="finished",
                model_used=ending.model,
                finish=ending.finish,
                prompt_tokens=ending.usage.prompt_tokens,
                tokens=ending.usage.completion_tokens,
                exact=ending.usage.exact,
                cost=ending.cost,
            )
        case TurnFailed():
            measured = replace(measured, ending="failed", code=ending.code, tokens=estimated_tokens(text))
        case TurnStopped():
            measured = replace(measured, ending="stopped", tokens=estimated_tokens(text))
    writing_s = ending.at_s - measured.first_token_s if measured.first_token_s is not None else 0.0
    generates = measured.tokens is not None and measured.model_used != BUILTIN_MODEL
    rate = (measured.tokens or 0) / writing_s if generates and writing_s > 0 else None
    return replace(measured, tokens_per_s=rate)


def estimated_tokens(text: str) -> int:
    """Estimate the tokens of a text."""
    return tokens_of_chars(len(text))


def tokens_of_chars(chars: int) -> int:
    """Estimate the tokens of so many characters: one for every four, the rule of thumb for English."""
    return (chars + 3) // 4
