"""The dialect of `/ai/chat`: the session, tokens, warnings, done, what was saved, and the stream's end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from api.dialects import Encoder, Problem
from api.dialects.answer_writer import AnswerWriter
from api.dialects.answers import finished, reasoning_of, sources_json
from api.dialects.cited import Link
from api.dialects.event_stream import EventStream
from api.dialects.frames import frame
from i18n import text
from i18n.messages import recovery_text, warning_text
from pipeline.events import Recovered, TurnFinished, TurnStarted, Warned
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
        return _Writer(self, turn).encode

    def broken(self, problem: Problem) -> bytes:
        """An error and the stream's end."""
        return _error(problem.text)

    def whole(self, turn: Turn) -> bytes:
        """The answer with what the stream says beside it."""
        ending, language = finished(turn), language_of_turn(turn.record)
        told = (event for event in turn.record if isinstance(event, Warned | Recovered))
        warnings = [*(_warning(event, language) for event in told), *_not_saved(ending, language)]
        answer = {
            "session_id": self.session_of(turn),
            "message_id": turn.id,
            "response": ending.fields.get("answer", ""),
            "rationale": reasoning_of(ending),
            "processing_time_ms": _took_ms(ending),
            "sources": sources_json(ending.passages, self.link),
            "warnings": warnings,
        }
        return json.dumps(answer).encode()

    def session_of(self, turn: Turn) -> str:
        """Return what the client calls the session of a turn."""
        return self.session or turn.conversation_id


class _Writer(AnswerWriter):
    """Writes one stream."""

    def __init__(self, dialect: SessionChat, turn: Turn) -> None:
        super().__init__(turn)
        self._dialect = dialect

    def started(self, event: TurnStarted) -> bytes:
        """Name the session."""
        session = self._dialect.session_of(self.turn)
        return frame({"type": "session_info", "session_id": session, "status": "processing"})

    def token(self, text: str) -> bytes:
        """Write a piece of the answer."""
        return frame({"type": "token", "content": text})

    def noticed(self, event: Warned | Recovered) -> bytes:
        """Write a warning."""
        return frame({"type": "warning", **_warning(event, self.language)})

    def finished(self, event: TurnFinished) -> bytes:
        """Write everything behind the last token."""
        warnings = b"".join(frame({"type": "warning", **each}) for each in _not_saved(event, self.language))
        beside = {"rationale": reasoning_of(event), "sources": sources_json(event.passages, self._dialect.link)}
        done = frame({"type": "done", "message": COMPLETE, **beside})
        saved = {"type": "response_saved", "message_id": self.turn.id, "processing_time_ms": _took_ms(event)}
        return warnings + done + (frame(saved) if event.saved else b"") + END

    def failed(self, reason: str) -> bytes:
        """Write an error and the stream's end."""
        return _error(reason)


def _warning(event: Warned | Recovered, language: str) -> Json:
    said = warning_text(event, language) if isinstance(event, Warned) else recovery_text(event, language)
    return {"message": said, "code": event.code}


def _not_saved(ending: TurnFinished, language: str) -> list[Json]:
    return [] if ending.saved else [{"message": text("turn.not_saved", language), "code": "not_saved"}]


def _took_ms(ending: TurnFinished) -> int:
    return round(ending.at_s * 1000)


def _error(message: str) -> bytes:
    return frame({"type": "error", "message": message}) + END
