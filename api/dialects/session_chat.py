"""The dialect of `/ai/chat`: the session, tokens, warnings, done, what was saved, and the stream's end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.dialects import Encoder, Problem
from api.dialects.answers import finished, reasoning_of, sources_json
from api.dialects.appended_text import AnnouncedText
from api.dialects.cited import Link
from api.dialects.event_stream import EventStream
from api.dialects.frames import frame
from i18n import text
from i18n.messages import ending_text, recovery_text, warning_text
from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    Recovered,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
)
from pipeline.recording import language_of_turn
from pipeline.turn import Turn

COMPLETE = "Streaming complete"  # a constant of the wire, which clients know
END = frame({"type": "stream_end"})
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionChat(EventStream):
    """Server-sent events without names, or one JSON object.

    `session` is the client's own name of its session, None for one without. `link` gives the addresses of sources.
    """

    session: str | None = None
    link: Link | None = None

    def encoder(self, turn: Turn) -> Encoder:
        """Write the events of one turn."""
        language = language_of_turn(turn.record)
        answer = AnnouncedText("answer", language)

        def written(event: Event) -> bytes:
            match event:
                case FieldDelta() | FieldReset():
                    return _token(answer.add(event))
                case TurnStarted():
                    return frame({"type": "session_info", "session_id": self._session(turn), "status": "processing"})
                case Warned() | Recovered():
                    return frame({"type": "warning", **_warning(event, language)})
                case TurnFinished():
                    return _token(answer.end(event.fields.get("answer", ""))) + self._finished(event, turn, language)
                case TurnFailed() | TurnStopped():
                    missing = _token(answer.end(event.partial.get("answer", "")))
                    return missing + _error(ending_text(event, language))
                case _:  # says nothing to these clients
                    return b""

        def encode(events: Sequence[Event]) -> bytes:
            return b"".join(map(written, events))

        return encode

    def broken(self, problem: Problem) -> bytes:
        """An error and the stream's end."""
        return _error(problem.text)

    def whole(self, turn: Turn) -> bytes:
        """The answer with what the stream says beside it."""
        ending, language = finished(turn), language_of_turn(turn.record)
        told = (event for event in turn.record if isinstance(event, Warned | Recovered))
        warnings = [*(_warning(event, language) for event in told), *_not_saved(ending, language)]
        answer = {
            "session_id": self._session(turn),
            "message_id": turn.id,
            "response": ending.fields.get("answer", ""),
            "rationale": reasoning_of(ending),
            "processing_time_ms": _took_ms(ending),
            "sources": sources_json(ending.passages, self.link),
            "warnings": warnings,
        }
        return json.dumps(answer).encode()

    def _finished(self, ending: TurnFinished, turn: Turn, language: str) -> bytes:
        """Everything behind the last token."""
        warnings = b"".join(frame({"type": "warning", **each}) for each in _not_saved(ending, language))
        beside = {"rationale": reasoning_of(ending), "sources": sources_json(ending.passages, self.link)}
        done = frame({"type": "done", "message": COMPLETE, **beside})
        saved = {"type": "response_saved", "message_id": turn.id, "processing_time_ms": _took_ms(ending)}
        return warnings + done + (frame(saved) if ending.saved else b"") + END

    def _session(self, turn: Turn) -> str:
        return self.session or turn.conversation_id


def _token(text: str) -> bytes:
    return frame({"type": "token", "content": text}) if text else b""


def _warning(event: Warned | Recovered, language: str) -> Json:
    said = warning_text(event, language) if isinstance(event, Warned) else recovery_text(event, language)
    return {"message": said, "code": event.code}


def _not_saved(ending: TurnFinished, language: str) -> list[Json]:
    return [] if ending.saved else [{"message": text("turn.not_saved", language), "code": "not_saved"}]


def _took_ms(ending: TurnFinished) -> int:
    return round(ending.at_s * 1000)


def _error(message: str) -> bytes:
    return frame({"type": "error", "message": message}) + END
