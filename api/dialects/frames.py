"""Server-sent events as bytes, for clients that read them naively: one write, one line of ASCII."""

from __future__ import annotations

import json

NOTHING = -1
HEARTBEAT = b": waiting\n"  # a comment line, without an empty line after it


def frame(value: object, *, event: str = "", id: str = "") -> bytes:
    """Write one JSON value as one server-sent event. A client that decodes each network chunk by itself can read it."""
    named = f"event: {event}\n" if event else ""
    numbered = f"id: {id}\n" if id else ""
    return f"{named}{numbered}data: {json.dumps(value)}\n\n".encode("ascii")


class NumberedFrames:
    """Writes the events of one stream with ids that hold the turn and a number, which counts from 1.

    What a client has `received` already is left out, NOTHING that of a stream that begins; None: the client cannot come
    back, and there are no ids.
    """

    def __init__(self, turn_id: str, received: int | None) -> None:
        self._turn_id, self._received, self._number = turn_id, received, 0

    def opening(self) -> bytes:
        """Write the id 0 without data: a browser keeps it and dispatches no event.

        A client that is cut off before the first event then comes back to this turn, and does not ask again.
        """
        is_begun = self._received is not None and self._received < 0
        return f"id: {self._turn_id}.0\n\n".encode("ascii") if is_begun else b""

    def frame(self, value: object) -> bytes:
        """Write the next event, or nothing where the client has it."""
        self._number += 1
        if self._received is None:
            return frame(value)
        return frame(value, id=f"{self._turn_id}.{self._number}") if self._number > self._received else b""


def number_in(event_id: str) -> int:
    """Return the number in an id of `NumberedFrames`, 0 where there is none."""
    number = event_id.rpartition(".")[2]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else 0
