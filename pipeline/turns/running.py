"""One running turn: the buffer of its events, its readers, and its form in the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.events import (
    Ending,
    Event,
    PassagesFound,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStopped,
    passages_of,
)
from pipeline.exchange_costs import cost_of_exchanges
from pipeline.exchanges import CANCELLED, PromptExchange
from pipeline.metrics import measure
from pipeline.passages import Passage
from pipeline.recording import Recording
from pipeline.replies.dspy_stream import ReplyOutcome
from pipeline.turn import Turn, TurnMetrics, TurnRequest, TurnState
from pipeline.turns.emitter import Deriver, Emitter

STATES: Mapping[type[Ending], TurnState] = {
    TurnFinished: "finished",
    TurnFailed: "failed",
    TurnStopped: "stopped",
}


def no_status(_step: str) -> str:
    """Call each step by its usual name."""
    return ""


class RunningTurn:
    """One turn's buffer of events and the readers that wait for more. Emitting never waits for a reader."""

    def __init__(
        self,
        turn: Turn,
        owner: str | None,
        request: TurnRequest,
        derivers: Sequence[Deriver] = (),
        status: Callable[[str], str] = no_status,
    ) -> None:
        """`status` returns what a profile calls a step, "" for the usual name."""
        self.turn, self.owner, self.request = turn, owner, request
        self._emitter, self._status = Emitter(self._receive, derivers), status
        self.may_begin = asyncio.Event()  # unset while the turn waits in the queue
        self._place = 0  # in the queue, from 1; 0 when it never waited
        self.events: list[Event] = []
        self.exchanges: list[PromptExchange] = []
        self._record = Recording()
        self.ended = False
        self.stopped = False  # also set when it is stopped before the work has begun
        self.work: asyncio.Task[ReplyOutcome] | None = None
        self.task: asyncio.Task[None] | None = None
        self.updates = 0  # views that were sent to pages
        self.cache_key: str | None = None  # of its answer, once there is one
        self.previous: tuple[str, str] | None = None  # question and answer of the turn before
        self._readers = 0
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def id(self) -> str:
        """The turn's id; whoever knows it may follow and stop the turn."""
        return self.turn.id

    @property
    def conversation_id(self) -> str:
        """The conversation it belongs to."""
        return self.turn.conversation_id

    @property
    def elapsed_s(self) -> float:
        """Seconds since the turn began."""
        return self._emitter.elapsed_s

    @property
    def fields(self) -> dict[str, str]:
        """Every field's text so far."""
        return self._record.fields()

    @property
    def found(self) -> tuple[Passage, ...] | None:
        """The passages of all searches so far, None before the first search."""
        has_searched = any(isinstance(event, PassagesFound) for event in self.events)
        return passages_of(self.events) if has_searched else None

    def emit(self, event: Event) -> None:
        """Append an event, and what is derived from it, to the buffer."""
        if isinstance(event, StepChanged) and (status := self._status(event.step)):
            event = replace(event, status=status)
        self._emitter.emit(event)

    def complete(self, ending: Ending) -> None:
        """Append what is derived from an ending, which follows."""
        self._emitter.complete(ending)

    def stamped(self, ending: Ending) -> Ending:
        """The ending with its number and time, to be stored before it is emitted."""
        return self._emitter.stamped(ending)

    def end(self, stamped: Ending) -> None:
        """Append the ending that `stamped` gave. Nothing may be emitted afterwards."""
        self.ended = True
        self._emitter.pass_on(stamped)

    def _receive(self, event: Event) -> None:
        self.events.append(event)
        self._record.add(event)
        for waiter in self._waiters:
            _wake(waiter)
        self._waiters.clear()

    def queue_at(self, place: int) -> None:
        """Emit the place in the queue if it has changed."""
        if place != self._place:
            self._place = place
            self.emit(StepChanged(step="wait", state="began", place=place))

    def begin(self) -> None:
        """Leave the queue and let the work begin."""
        if self._place:
            self.emit(StepChanged(step="wait", state="ended", took_s=self.elapsed_s))
        self.may_begin.set()

    async def batches(self, after: int, beat_s: float, grace_s: float) -> AsyncGenerator[tuple[Event, ...], None]:
        """Events with a seq above `after`, as many at a time as there are; () after each silent `beat_s`.

        When the last reader leaves before the ending, the turn is stopped in `grace_s`.
        """
        self._readers += 1
        if not self.ended:  # the timer of an ended turn removes it
            self.cancel_timer()
        seq = after + 1
        try:
            while True:
                if seq < len(self.events):
                    batch = tuple(self.events[seq:])
                    seq += len(batch)
                    yield batch
                elif self.ended:
                    return
                else:
                    await self._next_event(beat_s)
                    if seq == len(self.events) and not self.ended:
                        yield ()
        finally:
            self._readers -= 1
            if not self._readers and not self.ended:
                self.stop_in(grace_s)

    def stop_in(self, grace_s: float) -> None:
        """Stop the turn in `grace_s` seconds unless a reader comes."""
        self.call_in(grace_s, self.cancel)

    def call_in(self, wait_s: float, callback: Callable[[], object]) -> None:
        """Set the turn's one timer, which replaces an earlier setting."""
        self.cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(wait_s, callback)

    def cancel_timer(self) -> None:
        """Unset the timer."""
        if self._timer:
            self._timer.cancel()

    async def _next_event(self, timeout_s: float) -> None:
        """Return at the next event, or after `timeout_s`."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(timeout_s, _wake, waiter)
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            with contextlib.suppress(ValueError):
                self._waiters.remove(waiter)

    def cancel(self) -> None:
        """Cancel the work, at once or as soon as it begins."""
        self.stopped = True
        if self.work:
            self.work.cancel()

    @property
    def snapshot(self) -> Turn:
        """The turn with what it has emitted so far."""
        ending = self.events[-1]
        return self.stored(STATES[type(ending)] if isinstance(ending, Ending) else "running")

    def note_fault(self, code: str) -> None:
        """Give the last exchange the fault of its attempt, where the model's call did not raise that itself."""
        if self.exchanges and self.exchanges[-1].fault in (None, CANCELLED):
            self.exchanges[-1] = replace(self.exchanges[-1], fault=code)

    def measured(self, events: Iterable[Event]) -> TurnMetrics:
        """The measurements of the turn; those of one that did not finish have the cost of what was asked."""
        metrics = replace(measure(events), updates=self.updates)
        if metrics.ending == "finished":
            return metrics
        cost = cost_of_exchanges(self.exchanges)
        return replace(metrics, cost=cost.usd)

    def stored(self, state: TurnState, ending: Ending | None = None) -> Turn:
        """The turn in the form in which it is stored."""
        record, metrics = self._record.events(ending), None
        if ending:
            metrics = self.measured([*self.events, ending])
        fields, timings = self._record.fields(), self._record.timings()
        chars = self.exchanges[-1].prompt_chars if self.exchanges else None
        return replace(
            self.turn,
            state=state,
            record=record,
            fields=fields,
            metrics=metrics,
            timings=timings,
            prompt_chars=chars,
        )


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
