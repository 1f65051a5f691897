"""The inquiries that run: who may ask, at whose cost, each once, and where results stay.

An inquiry takes a place among the running turns and counts as a question. What it has found is stored beside its turn
and given again, so that the same thing is asked once. A result that a fault ended is not stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipeline.database.write_behind import WriteBehind
from pipeline.errors import GlassboxError, ModelFault, Refused, StoreFault
from pipeline.exchanges import PromptExchange
from pipeline.inquiries.calls import Calls
from pipeline.inquiries.results import Counterfactual, Price, SecondCheck
from pipeline.inquiries.running import Inquiry, Note
from pipeline.messages import Message
from pipeline.models.catalogue import Models
from pipeline.models.spending import Payer, Spending
from pipeline.own_faults import own_fault
from pipeline.settings import Settings
from pipeline.turn import Turn, TurnRequest
from pipeline.turns.engine import Pipeline

S = TypeVar("S", Counterfactual, SecondCheck)
Work = Callable[[Note[S]], Awaitable[None]]  # notes each state, the last one included; may raise anything


class Inquiries:
    """The inquiries of all visitors. Visitors may inquire about the turns that they may read."""

    def __init__(
        self, settings: Settings, models: Models, pipeline: Pipeline, history: WriteBehind, spending: Spending
    ) -> None:
        self.settings, self.models = settings, models
        self._pipeline, self._history, self._spending = pipeline, history, spending
        self._running: dict[tuple[str, str], Inquiry[Any]] = {}
        self.beginning = asyncio.Lock()  # held from `known` to `begin`, so that two requests do not begin the same

    async def ended_turn(self, visitor: str | None, turn_id: str) -> Turn:
        """Return the turn to inquire about. Raises NotFound, and Refused while it runs."""
        turn = await self._pipeline.turn(turn_id, visitor)
        if turn.state == "running":
            raise Refused("still_running")
        return turn

    async def exchanges(self, visitor: str | None, turn_id: str) -> tuple[PromptExchange, ...]:
        """Return the turn's exact prompts, none where they are not kept. Raises NotFound."""
        return await self._pipeline.exchanges(turn_id, visitor)

    async def known(self, visitor: str | None, turn_id: str, name: str, kind: TypeAdapter[S]) -> Inquiry[S] | None:
        """Return the inquiry of that name that runs, else what one has found before."""
        if running := self._running.get((turn_id, name)):
            return running
        try:
            stored = (await self._history.inquiries(turn_id, visitor)).get(name)
            return Inquiry(kind.validate_json(stored)) if stored else None
        except (StoreFault, ValidationError):  # another version may have stored it in another form
            return None

    async def begin(self, turn_id: str, name: str, request: TurnRequest, first: S, work: Work[S]) -> Inquiry[S]:
        """Begin an inquiry that somebody waits for. Raises Busy."""
        release = await self._pipeline.take_place(request)
        inquiry = Inquiry(first)
        self._run((turn_id, name), inquiry, work, release)
        return inquiry

    def begin_unasked(self, turn_id: str, name: str, first: S, work: Work[S]) -> None:
        """Begin an inquiry that nobody waits for; it takes no place, and goes on without followers."""
        self._run((turn_id, name), Inquiry(first, goes_on=True), work, lambda: None)

    async def save(self, turn_id: str, name: str, content: bytes) -> None:
        """Store what an inquiry has found, where its turn is stored."""
        await self._history.save_inquiry(turn_id, name, content)

    @asynccontextmanager
    async def calls(self, label: str, request: TurnRequest, turn: Turn) -> AsyncGenerator[Calls, None]:
        """The calls of a model for an inquiry about a turn, at the cost of who inquires."""
        profile = (turn.asked.profile if turn.asked else None) or ""
        payer = Payer(request.visitor or "", profile, own_key=request.model_key is not None)
        account = await self._spending.account(payer, partial(self._pipeline.count_call, request))
        async with self.models.with_key(label, request.model_key) as own:
            yield Calls(self.models, self.settings, label, own, account)

    def price(self, label: str, calls: int, prompt_tokens: int, reply_tokens: int) -> Price:
        """Return what so many calls with so many tokens each would cost."""
        each = self.models.cost(label, prompt_tokens, reply_tokens)
        cost = None if each is None else calls * each
        return Price(model=label, calls=calls, prompt_tokens=prompt_tokens, reply_tokens=reply_tokens, cost=cost)

    def message(self, fault: GlassboxError, request: TurnRequest) -> Message:
        """Return what the asker is told of a fault."""
        if isinstance(fault, ModelFault) and self._pipeline.shows_addresses(is_local=request.is_local):
            fault = fault.shown()
        return Message(fault.code, dict(fault.values))

    async def stop(self, visitor: str | None, turn_id: str) -> None:
        """Stop what runs about a turn. Raises NotFound."""
        await self._pipeline.turn(turn_id, visitor)
        await asyncio.gather(*(each.stop() for (about, _), each in list(self._running.items()) if about == turn_id))

    async def close(self) -> None:
        """Stop everything."""
        await asyncio.gather(*(each.stop() for each in list(self._running.values())))

    def _run(self, key: tuple[str, str], inquiry: Inquiry[S], work: Work[S], release: Callable[[], None]) -> None:
        async def guarded(note: Note[S]) -> None:
            try:
                await work(note)
            except Exception as error:  # noqa: BLE001  the last resort: every inquiry must end
                fault = own_fault(error, "turn")
                note(replace(inquiry.state, fault=Message(fault.code)))

        def ended() -> None:
            self._running.pop(key, None)
            release()

        self._running[key] = inquiry
        inquiry.begin(guarded, ended)
