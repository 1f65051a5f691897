"""A running inquiry: its states so far, whoever follows them, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, Protocol, TypeVar

FIRST_FOLLOWER_S = 10.0  # an inquiry waits so long for its first follower
BEAT_S = 10.0  # a follower is given None after so long a silence


class State(Protocol):
    """All that an inquiry has found so far."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be asked."""


S = TypeVar("S", bound=State)
Note = Callable[[S], None]


class Inquiry(Generic[S]):
    """An inquiry that its followers read. It is stopped when the last of them leaves: nobody waits for what it costs.

    One that `goes_on` is not. A state holds all that was known before it.
    """

    def __init__(self, first: S, *, goes_on: bool = False) -> None:
        self.state = first
        self._goes_on = goes_on
        self._followers = 0
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.has_ended = True  # whether no further state comes; one that was stopped ends in one that is not over

    def begin(self, work: Callable[[Note[S]], Awaitable[None]], ended: Callable[[], None]) -> None:
        """Run the work, which notes each state and raises nothing, in a task; call `ended` behind it in any case."""

        async def run() -> None:
            await work(self._note)

        def end(task: asyncio.Task[None]) -> None:
            self.has_ended = True
            ended()
            self._wake()

        self.has_ended = False
        self._task = asyncio.create_task(run())
        self._task.add_done_callback(end)
        asyncio.get_running_loop().call_later(FIRST_FOLLOWER_S, self._stop_unless_followed)

    def _note(self, state: S) -> None:
        self.state = state
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def states(self, beat_s: float = BEAT_S) -> AsyncGenerator[S | None, None]:
        """The state now, and each later one as soon as it is known; None after each silent `beat_s`."""
        self._followers += 1
        told: S | None = None
        try:
            while True:
                if told is not self.state:
                    told = self.state
                    yield told
                elif self.has_ended:
                    return
                elif not await self._came_news(beat_s):
                    yield None
        finally:
            self._followers -= 1
            self._stop_unless_followed()

    async def _came_news(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._news.wait()
        except TimeoutError:
            return False

    def _stop_unless_followed(self) -> None:
        if not self._followers and not self._goes_on:
            self.cancel()

    def cancel(self) -> None:
        """Ask nothing more."""
        if self._task:
            self._task.cancel()

    async def stop(self) -> None:
        """Ask nothing more, and return when that is so."""
        self.cancel()
        if self._task:
            await asyncio.wait({self._task})
