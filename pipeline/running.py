"""One running turn: the buffer of its events, who waits for more of them, and what the store keeps of it.

Events are appended without ever waiting for a reader. Numbers and times are given here, and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace

from pipeline.conversation import Turn, TurnRequest, TurnState
from pipeline.dspy_events import Outcome
from pipeline.events import (
    Ending,
    Event,
    Record,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
)
from pipeline.metrics import measure
from pipeline.notices import in_language
from pipeline.progress import Progress

STATES: Mapping[type[Ending], TurnState] = {
    TurnFinished: "finished",
    TurnFailed: "failed",
    TurnStopped: "stopped",
}


class RunningTurn:
    """One turn's buffer of events, and who waits for more of them."""

    def __init__(self, turn: Turn, owner: str | None, request: TurnRequest, progress: Progress) -> None:
        self.turn, self.owner, self.request, self._progress = turn, owner, request, progress
        self.turn_has_come = asyncio.Event()  # unset as long as it waits in line
        self._place = 0  # in the line, from 1; 0 when it never waited
        self.events: list[Event] = []
        self._record = Record()
        self.ended = False
        self.stopped = False  # asked to stop, maybe before the work began
        self.work: asyncio.Task[Outcome] | None = None
        self.task: asyncio.Task[None] | None = None
        self.readers = 0
        self.updates = 0  # views that pages were sent
        self.leaving: asyncio.TimerHandle | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self.began_at = time.monotonic()

    @property
    def id(self) -> str:
        """The turn's id; whoever knows it may follow and stop the turn."""
        return self.turn.id

    @property
    def conversation_id(self) -> str:
        """The conversation it belongs to."""
        return self.turn.conversation_id

    @property
    def language(self) -> str:
        """The question's, as its first event says."""
        started = self.events[0] if self.events else None
        return started.language if isinstance(started, TurnStarted) else "en"

    def say(self, event: Event) -> None:
        """The one place where an event gets its number, its time and its language; an estimate may follow it.

        An ending has its time already: that of its saving, so that both are the same.
        """
        if isinstance(event, Warned):
            event = in_language(event, self.language)
        said = replace(event, seq=len(self.events), at_s=event.at_s or round(time.monotonic() - self.began_at, 4))
        self._keep(said)
        if estimate := self._progress.heard(said):
            self._keep(replace(estimate, seq=len(self.events), at_s=said.at_s))
        for waiting in self._waiting:
            _wake(waiting)
        self._waiting.clear()

    def _keep(self, event: Event) -> None:
        self.events.append(event)
        self._record.add(event)

    def wait_at(self, place: int) -> None:
        """Say the place in the line, when it is another than before."""
        if place != self._place:
            self._place = place
            self.say(StepChanged(step="wait", state="began", text=f"number {place} in line"))

    def come(self) -> None:
        """Let the work begin."""
        if self._place:
            self.say(StepChanged(step="wait", state="ended", took_s=time.monotonic() - self.began_at))
        self.turn_has_come.set()

    async def news(self, timeout_s: float) -> None:
        """Return at the next event, or after `timeout_s`."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(timeout_s, _wake, waiting)
        self._waiting.append(waiting)
        try:
            await waiting
        finally:
            timer.cancel()
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiting)

    def cancel(self) -> None:
        """Stop the work, or see to it that it stops as soon as it begins."""
        self.stopped = True
        if self.work:
            self.work.cancel()

    @property
    def now(self) -> Turn:
        """The turn as it stands."""
        ending = self.events[-1]
        return self.stored(STATES[type(ending)] if isinstance(ending, Ending) else "running")

    def stored(self, state: TurnState, ending: Ending | None = None) -> Turn:
        """The turn as the store keeps it."""
        record, metrics = self._record.events(ending), None
        if ending:
            metrics = replace(measure([*self.events, ending]), updates=self.updates)
        return replace(self.turn, state=state, record=record, fields=self._record.fields(), metrics=metrics)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
