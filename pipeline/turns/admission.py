"""Limits on starting turns: how many run at once, in all and for one client, and how often one client may ask."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.clients import RETRY_S, STRANGERS_TURNS, Client, Rates, is_stranger
from pipeline.errors import Busy
from pipeline.settings import Settings
from pipeline.turn import TurnRequest


class Admission:
    """Admits turns. The counts are in memory: a restart sets them to zero."""

    def __init__(self, settings: Settings) -> None:
        self.turns_at_once = settings.turns_at_once or math.inf
        self._max_waiting = settings.max_waiting
        turns = settings.max_turns_per_visitor
        self._turns = self._turns_of_strangers = turns or 0  # of one client; 0: as many as there is room
        if settings.on_space and turns is None:
            self._turns_of_strangers = STRANGERS_TURNS
        self._rates = Rates(settings, "rate")

    async def admit(self, request: TurnRequest, running: Sequence[TurnRequest]) -> None:
        """Count a start. Raises Busy. Calls must not overlap: the next one needs this turn among the `running`."""
        most = self._turns_of_strangers if is_stranger(request.address) else self._turns
        places = [_place(each) for each in running if _who(each) == _who(request)]
        named = {each for each in places if each}
        shares = _place(request) in named
        if most and not shares and len(named) + places.count(None) >= most:
            raise Busy("visitor", RETRY_S)
        if len(running) >= self.turns_at_once + (self._max_waiting if request.waits else 0):
            raise Busy("turns", RETRY_S)
        await self.count(request)

    async def count(self, request: TurnRequest) -> None:
        """Count a test of a model as a question. Raises Busy."""
        await self._rates.count(Client(request.visitor, request.address))

    async def count_call(self, request: TurnRequest) -> None:
        """Count a further call of a provider for a turn that was admitted. It is never refused in mid-turn."""
        await self._rates.charge(Client(request.visitor, request.address))


def _who(request: TurnRequest) -> str | None:
    return request.visitor or request.address


def _place(request: TurnRequest) -> str | None:
    """Return what names the request's place, which turns beside each other share; None for one of its own."""
    return request.beside or request.turn_id
