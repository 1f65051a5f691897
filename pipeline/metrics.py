"""What a turn's events say about its speed, size and road. Pure, and without any text of the turn.

`measure` gives the same for a live turn and for its compact record, but for the chunks, which a record tells no longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.conversation import TurnMetrics
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
)
from pipeline.settings import BUILTIN_MODEL


def measure(events: Iterable[Event], *, goes_on: bool = False) -> TurnMetrics:
    """Fold a turn's events. What an earlier turn had said is not measured: it comes before the first step. Nor is what
    an attempt said that failed.

    Of a turn that `goes_on` from such text only what the provider counted is known, and no speed. Where `events` hold
    the turn's start, it is seen from them. The built-in model has no speed: it only pauses between words.
    """
    asked = used = ""
    has_started = has_stepped = False
    rungs: list[Rung] = []
    retrieval_s = first_s = first_answer_s = None
    chunks = 0
    ending: Ending | None = None
    for event in events:
        if isinstance(event, FieldDelta):
            goes_on = goes_on or (has_started and not has_stepped)
            if goes_on:
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
            if (event.step, event.state) == ("retrieve", "ended"):
                retrieval_s = (retrieval_s or 0.0) + event.took_s
        elif isinstance(event, Recovered):
            rungs.append(event.what)
            used = event.to_model
            first_s, chunks = None, 0  # what the attempt had said was taken back
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
    measured = _ended(measured, ending)
    return replace(measured, tokens=None) if goes_on and not measured.exact else measured


def _ended(measured: TurnMetrics, ending: Ending) -> TurnMetrics:
    said = "".join((ending.fields if isinstance(ending, TurnFinished) else ending.partial).values())
    measured = replace(measured, total_s=ending.at_s, chars=len(said))
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
            measured = replace(measured, ending="failed", code=ending.code, tokens=estimated_tokens(said))
        case TurnStopped():
            measured = replace(measured, ending="stopped", tokens=estimated_tokens(said))
    writing_s = ending.at_s - measured.first_token_s if measured.first_token_s is not None else 0.0
    generates = measured.tokens is not None and measured.model_used != BUILTIN_MODEL
    rate = (measured.tokens or 0) / writing_s if generates and writing_s > 0 else None
    return replace(measured, tokens_per_s=rate)


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: four characters each, the rule of thumb for English."""
    return (len(text) + 3) // 4
