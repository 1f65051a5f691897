"""The views of turns, stored and live: what every page shows of a turn is made here.

A live turn is followed view by view; the more followers there are, and the longer a view takes, the rarer they come.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import partial

from components.handlers.choices import Choices
from components.profile_view import in_profile
from components.view import View, merged, paced, reduce, view_of
from pipeline.events import Event, PassagesFound, ToolCalled
from pipeline.recording import timed
from pipeline.turn import AskOptions, Turn
from pipeline.turns.engine import Pipeline

# Seconds between two views of one turn; with the time that a view takes, one comes at least once a second.
MIN_PAUSE_S, MAX_PAUSE_S = 0.1, 0.9
FIRST_PAUSE_S = 0.02  # while there is no text yet
PAUSE_PER_FOLLOWER_S = 0.0025  # the more followers, the rarer each one's views: of a hundred each gets 3 or 4 a second
PAUSE_PER_TIME = 4.0  # a view that took long, as the text is long or the process busy, is followed by a longer pause


class TurnViews:
    """Makes views of turns for one page; `choices` knows the profiles."""

    def __init__(self, pipeline: Pipeline, choices: Choices) -> None:
        self._pipeline, self._choices = pipeline, choices
        self._followers = 0

    def stored(self, turn: Turn, place: int) -> View:
        """Return what is stored of a conversation's `place`-th turn; at its beginning that is the question alone."""
        known = View(
            turn.id,
            turn.conversation_id,
            turn.question,
            turn.model,
            model_asked=turn.model,
            programs=self._pipeline.programs,
            asked=turn.asked,
            place=place,
        )
        known = self.in_profile(known, turn.asked)
        return replace(view_of(_events(turn), known), updates=turn.metrics.updates if turn.metrics else 0)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Count a follower as long as this context lasts."""
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1

    def live(self, turn_id: str, place: int, *, streams: bool, beside: int = 1) -> AsyncGenerator[View, None]:
        """Iterate over the views of a turn until it ends, with a pause after each. Raises Gone for one long ended.

        Where it does not stream, texts come whole with the ending. A page that follows several turns `beside` each
        other is given as many views of all of them as another one of its only turn.
        """
        wait = partial(self._pipeline.wait_for_ending, turn_id)
        return paced(self._views(turn_id, place, streams=streams), partial(self._pause_s, beside), sleep=wait)

    def in_profile(self, view: View, asked: AskOptions | None) -> View:
        """Return a view that has not said anything yet as the profile of its turn shows it."""
        profile = self._choices.profile(asked.profile if asked else None)
        return in_profile(view, profile) if profile else view

    async def _views(self, turn_id: str, place: int, *, streams: bool) -> AsyncGenerator[View, None]:
        # A follower that comes later has to know how long the turn has run: no event says it while nothing happens.
        elapsed_s = self._pipeline.elapsed_s(turn_id)
        asked, programs = self._pipeline.options_of(turn_id), self._pipeline.programs
        view = self.in_profile(View(programs=programs, asked=asked, place=place, at_s=elapsed_s), asked)
        async with aclosing(self._pipeline.batches(turn_id, beat_s=MAX_PAUSE_S)) as batches:
            async for batch in batches:
                for event in merged(batch):
                    view = reduce(view, event)
                yield view if streams or view.ending else replace(view, fields={})

    def _pause_s(self, beside: int, view: View, took_s: float) -> float:
        least_s = MIN_PAUSE_S * beside if view.first_delta else FIRST_PAUSE_S
        wanted_s = max(least_s, PAUSE_PER_FOLLOWER_S * self._followers, PAUSE_PER_TIME * took_s)
        return min(wanted_s, MAX_PAUSE_S)


def _events(turn: Turn) -> Iterable[Event]:
    """Return what is stored of a turn; of one of several steps also which thought came before which step."""
    has_steps = sum(isinstance(event, ToolCalled | PassagesFound) for event in turn.record) > 1
    if turn.timings is None or not has_steps:
        return turn.record
    return merged(timed(turn.record, turn.timings))
