"""The dialect of `/api/public/chat`: tokens, then one object with the answer, its sources and how well they fit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api.dialects import Encoder, Problem
from api.dialects.answer_writer import ANSWER, AnswerWriter
from api.dialects.answers import finished, reasoning_of, sources_json
from api.dialects.cited import Link
from api.dialects.event_stream import EventStream
from api.dialects.frames import NumberedFrames, frame
from pipeline.events import PassagesFound, TurnFinished, TurnStarted
from pipeline.turn import Turn

UNAVAILABLE = "Chat service unavailable"  # a constant of the wire, which clients know
CHUNK_WORDS = 50
_WORD = re.compile(r"\S+\s*|\s+")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublicChat(EventStream):
    """Server-sent events without names, or one JSON object.

    `session` is the client's own name of its session, None for one without. `is_chunked`: the complete answer is sent
    in pieces of whole words. `received` counts the events that a client of a GET stream has got already; None for a
    POST, whose events have no ids. `link` gives the addresses of sources.
    """

    session: str | None = None
    is_chunked: bool = False
    received: int | None = None
    link: Link | None = None

    def encoder(self, turn: Turn) -> Encoder:
        """Write the events of one turn. The ids of a GET stream hold the turn and a number that counts from 1.

        The first token may take long, so a GET stream begins with an id alone.
        """
        return _Writer(self, turn).encode

    def broken(self, problem: Problem) -> bytes:
        """An error, which ends the stream."""
        return frame(_error(problem.text))

    def whole(self, turn: Turn) -> bytes:
        """The stream's last object without its type."""
        qualities = [event.quality for event in turn.record if isinstance(event, PassagesFound) and event.quality]
        return json.dumps(self.complete(turn, finished(turn), qualities[-1] if qualities else "none")).encode()

    def status(self, problem: Problem) -> int:
        """The status of an error: 404 for an unknown bot, 500 for whatever makes the service unavailable."""
        if problem.code == "unknown_profile":
            return 404
        return 500 if problem.status == 503 else problem.status

    def error(self, problem: Problem) -> bytes:
        """The body of an error."""
        return json.dumps({"detail": UNAVAILABLE if self.status(problem) == 500 else problem.text}).encode()

    def complete(self, turn: Turn, ending: TurnFinished, quality: str) -> Json:
        """Return the answer with its sources; `quality` is how well they fit."""
        return {
            "content": ending.fields.get("answer", ""),
            "done": True,
            "sources": sources_json(ending.passages, self.link),
            "context_quality": {"label": quality, "passages": len(ending.passages)},
            "rationale": reasoning_of(ending),
            "session_id": self.session or turn.conversation_id,
        }


class _Writer(AnswerWriter):
    """Writes one stream."""

    def __init__(self, dialect: PublicChat, turn: Turn) -> None:
        super().__init__(turn)
        self._dialect, self._quality = dialect, "none"
        self._frames = NumberedFrames(turn.id, dialect.received)

    def started(self, event: TurnStarted) -> bytes:
        """Write the id alone."""
        return self._frames.opening()

    def found(self, event: PassagesFound) -> bytes:
        """Keep how well the passages fit."""
        self._quality = event.quality or self._quality
        return b""

    def token(self, text: str) -> bytes:
        """Write a piece of the answer, unless the whole one comes in chunks."""
        return (
            b"" if self._dialect.is_chunked else self._frames.frame({"type": "token", "content": text, "done": False})
        )

    def finished(self, event: TurnFinished) -> bytes:
        """Write the answer with its sources, or in chunks."""
        if self._dialect.is_chunked:
            return b"".join(map(self._frames.frame, _chunks(event.fields.get(ANSWER, ""))))
        return self._frames.frame({"type": "complete", **self._dialect.complete(self.turn, event, self._quality)})

    def failed(self, reason: str) -> bytes:
        """Write an error, which ends the stream."""
        return self._frames.frame(_error(reason))


def _chunks(text: str) -> Iterator[Json]:
    """Cut a text into pieces of some words each, with all that stands between the words."""
    words = _WORD.findall(text)
    starts = range(0, max(len(words), 1), CHUNK_WORDS)
    for index, start in enumerate(starts):
        chunk = "".join(words[start : start + CHUNK_WORDS])
        yield {"chunk": chunk, "index": index, "done": index == len(starts) - 1}


def _error(text: str) -> Json:
    return {"type": "error", "error": text, "done": True}
