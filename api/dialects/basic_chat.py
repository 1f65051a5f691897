"""The dialect of `POST /chat/basic`: start, tokens, rationale, done, metadata, `[DONE]`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.dialects import Encoder, Problem
from api.dialects.answer_writer import AnswerWriter
from api.dialects.answers import document_names, finished, reasoning_of, reply_tokens
from api.dialects.event_stream import EventStream
from api.dialects.frames import frame
from pipeline.events import TurnFinished, TurnStarted
from pipeline.turn import Turn

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class BasicChat(EventStream):
    """Server-sent events without names, or one JSON object. It can leave out reasoning and figures."""

    has_rationale: bool = True
    has_metadata: bool = True

    def encoder(self, turn: Turn) -> Encoder:
        """Write the events of one turn."""
        return _Writer(self, turn).encode

    def broken(self, problem: Problem) -> bytes:
        """An error and the mark of the end."""
        return _error(problem.text)

    def whole(self, turn: Turn) -> bytes:
        """The keys of the stream's last events in one object."""
        ending = finished(turn)
        rationale = {"rationale": reasoning_of(ending)} if self.has_rationale else {}
        metadata = {"metadata": _figures(ending)} if self.has_metadata else {}
        return json.dumps({**_answer(ending), **rationale, **metadata}).encode()


class _Writer(AnswerWriter):
    """Writes one stream."""

    def __init__(self, dialect: BasicChat, turn: Turn) -> None:
        super().__init__(turn)
        self._dialect = dialect

    def started(self, event: TurnStarted) -> bytes:
        """Say when it was asked, and in which language."""
        asked_at = datetime.fromtimestamp(self.turn.asked_at, UTC).isoformat(timespec="milliseconds")
        return frame({"type": "start", "timestamp": asked_at.replace("+00:00", "Z"), "language": event.language})

    def token(self, text: str) -> bytes:
        """Write a piece of the answer."""
        return frame({"type": "token", "content": text})

    def finished(self, event: TurnFinished) -> bytes:
        """Write everything behind the last token. The rationale is one event, as a client shows the last one alone."""
        reasoning = reasoning_of(event) if self._dialect.has_rationale else ""
        rationale = frame({"type": "rationale", "content": reasoning}) if reasoning else b""
        metadata = frame({"type": "metadata", **_figures(event)}) if self._dialect.has_metadata else b""
        return rationale + frame({"type": "done", **_answer(event)}) + metadata + DONE

    def failed(self, reason: str) -> bytes:
        """Write an error and the mark of the end."""
        return _error(reason)


def _error(text: str) -> bytes:
    return frame({"type": "error", "content": text}) + DONE


def _answer(ending: TurnFinished) -> dict[str, Any]:
    return {"content": ending.fields.get("answer", ""), "sources": document_names(ending.passages)}


def _figures(ending: TurnFinished) -> dict[str, Any]:
    return {"token_count": reply_tokens(ending), "duration_ms": round(ending.at_s * 1000)}
