"""The dialect of `POST /chat/basic`: start, tokens, rationale, done, metadata, `[DONE]`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.dialects import Encoder, Problem
from api.dialects.answers import document_names, finished, reasoning_of, reply_tokens
from api.dialects.appended_text import AnnouncedText
from api.dialects.event_stream import EventStream
from api.dialects.frames import frame
from i18n.messages import ending_text
from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
)
from pipeline.recording import language_of_turn
from pipeline.turn import Turn

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class BasicChat(EventStream):
    """Server-sent events without names, or one JSON object. It can leave out reasoning and figures."""

    has_rationale: bool = True
    has_metadata: bool = True

    def encoder(self, turn: Turn) -> Encoder:
        """Write the events of one turn."""
        language = language_of_turn(turn.record)
        answer = AnnouncedText("answer", language)

        def written(event: Event) -> bytes:
            match event:
                case FieldDelta() | FieldReset():
                    return _token(answer.add(event))
                case TurnStarted():
                    return _start(turn, event)
                case TurnFinished():
                    return _token(answer.end(event.fields.get("answer", ""))) + self._finished(event)
                case TurnFailed() | TurnStopped():
                    missing = _token(answer.end(event.partial.get("answer", "")))
                    return missing + _error(ending_text(event, language))
                case _:  # says nothing to these clients
                    return b""

        def encode(events: Sequence[Event]) -> bytes:
            return b"".join(map(written, events))

        return encode

    def broken(self, problem: Problem) -> bytes:
        """An error and the mark of the end."""
        return _error(problem.text)

    def whole(self, turn: Turn) -> bytes:
        """The keys of the stream's last events in one object."""
        ending = finished(turn)
        rationale = {"rationale": reasoning_of(ending)} if self.has_rationale else {}
        metadata = {"metadata": _figures(ending)} if self.has_metadata else {}
        return json.dumps({**_answer(ending), **rationale, **metadata}).encode()

    def _finished(self, ending: TurnFinished) -> bytes:
        """Everything behind the last token. The rationale is one event, since a client shows the last one alone."""
        reasoning = reasoning_of(ending)
        rationale = frame({"type": "rationale", "content": reasoning}) if self.has_rationale and reasoning else b""
        metadata = frame({"type": "metadata", **_figures(ending)}) if self.has_metadata else b""
        return rationale + frame({"type": "done", **_answer(ending)}) + metadata + DONE


def _start(turn: Turn, event: TurnStarted) -> bytes:
    asked_at = datetime.fromtimestamp(turn.asked_at, UTC).isoformat(timespec="milliseconds")
    return frame({"type": "start", "timestamp": asked_at.replace("+00:00", "Z"), "language": event.language})


def _token(text: str) -> bytes:
    return frame({"type": "token", "content": text}) if text else b""


def _error(text: str) -> bytes:
    return frame({"type": "error", "content": text}) + DONE


def _answer(ending: TurnFinished) -> dict[str, Any]:
    return {"content": ending.fields.get("answer", ""), "sources": document_names(ending.passages)}


def _figures(ending: TurnFinished) -> dict[str, Any]:
    return {"token_count": reply_tokens(ending), "duration_ms": round(ending.at_s * 1000)}
