"""Numbers and times each event of a turn, then passes it to the receiver.

Events that are derived from it, such as estimates, follow it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from pipeline.events import Emit, Ending, Event

E = TypeVar("E", bound=Event)
Deriver = Callable[[Event], Iterable[Event]]  # keeps what it needs of earlier events; is not shared between turns


class Emitter:
    """The emitter of one turn. Nothing may be emitted after the ending."""

    def __init__(
        self, receive: Emit, derivers: Sequence[Deriver] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._receive, self._derivers, self._clock = receive, derivers, clock
        self._began_at = clock()
        self._next_seq, self._latest_s = 0, 0.0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the turn began."""
        return self._clock() - self._began_at

    def emit(self, event: Event) -> None:
        """Number and time an event, then pass it on with what is derived from it."""
        self.pass_on(self.stamped(event))

    def stamped(self, event: E) -> E:
        """The event as it will be when it is passed on next: the ending is stored before that."""
        return replace(event, seq=self._next_seq, at_s=max(self._latest_s, round(self.elapsed_s, 4)))

    def pass_on(self, event: Event) -> None:
        """Pass on an event that `stamped` gave, then what is derived from it, with the same time."""
        self._next_seq, self._latest_s = event.seq + 1, event.at_s
        self._receive(event)
        if not isinstance(event, Ending):
            self._pass_on_derived(event)

    def complete(self, ending: Ending) -> None:
        """Pass on what is derived from an ending: it comes before the ending, which is stamped afterwards."""
        self._pass_on_derived(self.stamped(ending))

    def _pass_on_derived(self, event: Event) -> None:
        for derive in self._derivers:
            for derived in derive(event):
                self.pass_on(replace(derived, seq=self._next_seq, at_s=event.at_s))
