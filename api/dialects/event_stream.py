"""What the dialects of server-sent events have in common."""

from __future__ import annotations

from pydantic_core import to_json

from api.dialects import Problem
from api.dialects.frames import HEARTBEAT


class EventStream:
    """The base of dialects that stream server-sent events and write an error as {"detail": text}."""

    __slots__ = ()

    stream_type = "text/event-stream"
    heartbeat = HEARTBEAT
    gather_s = 0.0

    def status(self, problem: Problem) -> int:
        """Return the HTTP status of an error."""
        return problem.status

    def error(self, problem: Problem) -> bytes:
        """Return the JSON body of an error."""
        return to_json({"detail": problem.text, **problem.more})
