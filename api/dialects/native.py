"""The dialect of `/api`: an event is one flat JSON object, an error is {"detail": text}. Its wire is fixed.

Events hold codes and values, the wire holds sentences in the turn's language: `text` of warnings, failures and of a
turn that waits, `reason` of a passage that was not chosen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi.sse import format_sse_event

from api.dialects import Encoder, Problem
from api.dialects.answers import said_of, sentences_json
from api.dialects.event_stream import EventStream
from i18n.event_json import event_json
from pipeline.events import Event, Recovered, Warned
from pipeline.exchange_costs import NO_COST, Cost
from pipeline.recording import language_of_turn
from pipeline.turn import Turn

Json = dict[str, Any]


class Native(EventStream):
    """Server-sent events, or one JSON object at the end."""

    def encoder(self, turn: Turn) -> Encoder:
        """Each event as a server-sent event: `event` is its kind, `id` its seq, `data` the object."""
        language = language_of_turn(turn.record)

        def encode(events: Sequence[Event]) -> bytes:
            return b"".join(_sse(event, language) for event in events)

        return encode

    def broken(self, problem: Problem) -> bytes:
        """A failure without an id: a client that comes back goes on behind the last event that it did get."""
        return format_sse_event(event="turn_failed", data_str=json.dumps(_failure(problem)))

    def whole(self, turn: Turn, conversation_cost: Cost = NO_COST) -> bytes:
        """Return the request and the ending event of a turn, or its fields so far while it runs.

        The cost of its conversation is added where it is known.
        """
        asked = {
            "turn_id": turn.id,
            "conversation_id": turn.conversation_id,
            "question": turn.question,
            "model": turn.model,
            "asked_at": turn.asked_at,
            "state": turn.state,
            "options": asdict(turn.asked) if turn.asked else None,
        }
        usd, exact = conversation_cost.usd, conversation_cost.exact
        cost = {} if usd is None else {"conversation_cost": usd, "conversation_cost_exact": exact}
        if turn.state == "running":
            return json.dumps({**asked, "partial": turn.fields, **cost}).encode()
        language = language_of_turn(turn.record)
        notices = {
            "warnings": [said_of(event, language) for event in turn.record if isinstance(event, Warned)],
            "recoveries": [said_of(event, language) for event in turn.record if isinstance(event, Recovered)],
            "sentences": sentences_json(turn.record, language),
        }
        ending = json.loads(event_json(turn.record[-1], language))
        return json.dumps({**asked, **notices, **ending, **cost}).encode()

    def whole_broken(self, turn_id: str, problem: Problem) -> bytes:
        """Return the JSON of a turn that could not be written."""
        return json.dumps({"turn_id": turn_id, "state": "failed", **_failure(problem)}).encode()


NATIVE = Native()


def _sse(event: Event, language: str) -> bytes:
    return format_sse_event(event=event.kind, id=str(event.seq), data_str=event_json(event, language).decode())


def _failure(problem: Problem) -> Json:
    return {"kind": "turn_failed", "code": problem.code, "text": problem.text}
