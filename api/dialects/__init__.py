"""Dialects: how events and errors are written as bytes for one kind of client.

A dialect is pure: it sees no request, reads no clock and does no I/O, so that it is tested without a server. A new one
is a file in this folder with a class that has the members of `Dialect`, and a route module whose router is
`DialectRouter(dialect, "/prefix")`: it writes the errors of every request below that prefix, also of one that no route
takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from fastapi import APIRouter

from api.access import AUTHORISED
from pipeline.events import Event
from pipeline.turn import Turn

# The events that one write may hold → what is written, b"" for nothing. It may keep state: one is for one stream.
Encoder = Callable[[Sequence[Event]], bytes]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as any dialect may write it: an HTTP status, a stable code and a constant text.

    `more` are facts that a program may need beside the text: of a file its code, of a turn without events its address.
    `key` is the key of the request that is wrong, where one is known.
    """

    status: int
    code: str
    text: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    more: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    key: str = ""


class Dialect(Protocol):
    """The interface of a dialect. What depends on one request alone, as a session's name, is a field of its dialect.

    `heartbeat` is sent in a stream that has been silent for a while. For `gather_s` after a write events are gathered
    for the next one; 0 writes them as they come.
    """

    @property
    def stream_type(self) -> str:
        """The media type of a stream."""
        ...

    @property
    def heartbeat(self) -> bytes:
        """What is sent in silence."""
        ...

    @property
    def gather_s(self) -> float:
        """The seconds between two writes, 0 for none."""
        ...

    def encoder(self, turn: Turn) -> Encoder:
        """Return a writer for the events of one turn, in their order; `turn` is as it was when the stream began."""
        ...

    def broken(self, problem: Problem) -> bytes:
        """The end of a stream in which an event could not be written."""
        ...

    def whole(self, turn: Turn) -> bytes:
        """Return a finished turn as one JSON object."""
        ...

    def status(self, problem: Problem) -> int:
        """Return the HTTP status of an error."""
        ...

    def error(self, problem: Problem) -> bytes:
        """Return the JSON body of an error."""
        ...


class DialectRouter(APIRouter):
    """Routes below one prefix, with the dialect in which their errors are written.

    They ask for API_TOKEN unless they are `public`.
    """

    def __init__(self, dialect: Dialect, prefix: str, *, public: bool = False) -> None:
        super().__init__(prefix=prefix, dependencies=[] if public else [AUTHORISED])
        self.dialect = dialect
