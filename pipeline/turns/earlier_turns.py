"""Selects the earlier turns that a model is sent with a question, and the one that it continues. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.turn import Turn, TurnRequest


def history_of(request: TurnRequest, turns: Sequence[Turn], limit_chars: int) -> list[Turn]:
    """The answered turns before the one that is asked, as many as the request wants and the limit allows.

    Those that were asked under another profile are left out, since their answers may hold what stands outside of its
    fence. Where the client sent earlier turns itself, they are the only ones.
    """
    if request.history is not None:
        sent = [Turn("", "", each.question, "", fields={"answer": each.answer}) for each in request.history]
        wanted = request.options.history_turns
        return shortened(sent[-wanted:] if wanted else [], limit_chars)
    before = turns[: _place(request, turns)]
    answered = [turn for turn in before if turn.fields.get("answer") and _has_profile_of(request, turn)]
    return shortened(answered[-request.options.history_turns or len(turns) :], limit_chars)


def continued_turn(request: TurnRequest, turns: Sequence[Turn]) -> Turn | None:
    """The replaced turn, where its answer is to be continued and there is one."""
    place = _place(request, turns)
    if not request.continues or place == len(turns) or not turns[place].fields.get("answer"):
        return None
    return turns[place] if _has_profile_of(request, turns[place]) else None


def shortened(history: Sequence[Turn], limit_chars: int) -> list[Turn]:
    """The newest turns whose questions and answers fit into the limit; the oldest of them may lose its answer's end."""
    fitting: list[Turn] = []
    for turn in reversed(history):
        limit_chars -= len(turn.question)
        if limit_chars <= 0:
            break
        answer = turn.fields.get("answer", "")
        fitting.append(replace(turn, fields={**turn.fields, "answer": answer[:limit_chars]}))
        limit_chars -= len(answer)
    return fitting[::-1]


def _has_profile_of(request: TurnRequest, turn: Turn) -> bool:
    return (turn.asked.profile if turn.asked else None) == request.options.profile


def _place(request: TurnRequest, turns: Sequence[Turn]) -> int:
    """Return the index of the request's turn among the others: that of the one it replaces, else the end."""
    ids = [turn.id for turn in turns]
    return ids.index(request.replaces) if request.replaces in ids else len(turns)
