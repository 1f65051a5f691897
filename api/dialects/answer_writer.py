"""Writes a turn for clients that are sent one text, the answer, and the rest beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from api.dialects.appended_text import AnnouncedText
from i18n.messages import ending_text
from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
)
from pipeline.recording import language_of_turn
from pipeline.turn import Turn

ANSWER = "answer"


class AnswerWriter:
    """One stream. A dialect derives from it and says in its own form what it has a form for; the rest is silent."""

    def __init__(self, turn: Turn) -> None:
        """`turn` is as it was when the stream began."""
        self.turn, self.language = turn, language_of_turn(turn.record)
        self._answer = AnnouncedText(ANSWER, self.language)

    def encode(self, events: Sequence[Event]) -> bytes:
        """Write the next events."""
        return b"".join(map(self._written, events))

    def started(self, event: TurnStarted) -> bytes:
        """Write that the turn has begun."""
        return b""

    def found(self, event: PassagesFound) -> bytes:
        """Write what a search found."""
        return b""

    def token(self, text: str) -> bytes:
        """Write a piece of the answer, which is never empty."""
        return b""

    def noticed(self, event: Warned | Recovered) -> bytes:
        """Write a warning or a recovery."""
        return b""

    def finished(self, event: TurnFinished) -> bytes:
        """Write what stands behind the whole answer."""
        return b""

    def failed(self, reason: str) -> bytes:
        """Write why there is no whole answer."""
        return b""

    def _written(self, event: Event) -> bytes:
        match event:
            case FieldDelta() | FieldReset():
                return self._piece(self._answer.add(event))
            case TurnStarted():
                return self.started(event)
            case PassagesFound():
                return self.found(event)
            case Warned() | Recovered():
                return self.noticed(event)
            case TurnFinished():
                return self._piece(self._answer.end(event.fields.get(ANSWER, ""))) + self.finished(event)
            case TurnFailed() | TurnStopped():
                missing = self._piece(self._answer.end(event.partial.get(ANSWER, "")))
                return missing + self.failed(ending_text(event, self.language))
            case _:  # says nothing to these clients
                return b""

    def _piece(self, text: str) -> bytes:
        return self.token(text) if text else b""
