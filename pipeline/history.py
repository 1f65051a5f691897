"""What was said before: the store, and while it fails the turns that it could not take.

Those are remembered, shown with the stored ones, and stored as soon as that works again, so that a full disk costs
nothing while this process lives. They belong to whom their rows would belong to. Waits for a store no longer than a
turn can wait. Knows no running turn and no screen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from pipeline.conversation import Conversation, Rating, Turn, TurnMetrics
from pipeline.errors import NotFound, OwnFault, StoreFault
from pipeline.events import TurnFailed, TurnFinished, TurnStopped
from pipeline.store import NOT_SAVED, Store, interrupted

T = TypeVar("T")

WAIT_S = 2.0  # for one thing that is asked of the store
MOST_UNSAVED = 100  # turns

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    """A turn of this process that is not wholly stored yet."""

    conversation: Conversation
    turn: Turn
    replaces: str | None
    goes_on: bool
    is_opened: bool = False
    is_missing: bool = False  # the store lacks something of it
    is_lost: bool = False  # a bug of ours keeps it from being stored, which trying again will not change

    def is_open_to(self, visitor: str | None) -> bool:
        return self.conversation.owner in (None, visitor)


class History:
    """The conversations of everybody. Reading raises StoreFault where nothing is remembered; writing never does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, _Kept] = {}

    # Reading

    @property
    def trouble(self) -> str | None:
        """What people should know of their history and do about it, None when all is well."""
        is_behind = any(kept.is_missing and not kept.is_lost for kept in self._kept.values())
        return NOT_SAVED if is_behind else self._store.trouble

    async def find(self, conversation_id: str, visitor: str | None) -> Conversation | None:
        """The conversation, None where there is none or it is someone else's."""
        remembered = next((kept.conversation for kept in self._missing(conversation_id, visitor)), None)
        try:
            return await _soon(self._store.find(conversation_id, visitor)) or remembered
        except StoreFault:
            if remembered:
                return remembered
            raise

    async def conversations(self, visitor: str) -> tuple[Conversation, ...]:
        """The visitor's own, newest first, as far as they are stored."""
        return await _soon(self._store.conversations(visitor))

    async def turns(self, conversation_id: str, visitor: str | None) -> tuple[Turn, ...]:
        """The conversation's turns in order; none where it is someone else's."""
        missing = self._missing(conversation_id, visitor)
        try:
            stored = await _soon(self._store.turns(conversation_id, visitor))
        except StoreFault:
            if not missing:
                raise
            stored = ()
        return _merged(map(self._settled, stored), missing)

    async def turn(self, turn_id: str, visitor: str | None) -> Turn | None:
        """One turn, None where there is none or it is someone else's."""
        kept = self._kept.get(turn_id)
        if kept and kept.is_missing:
            return kept.turn if kept.is_open_to(visitor) else None
        stored = await _soon(self._store.turn(turn_id, visitor))
        return stored and self._settled(stored)

    async def measured(self, each: int) -> tuple[TurnMetrics, ...]:
        """The metrics of each model's latest `each` answers, oldest first."""
        return await _soon(self._store.measured(each))

    # Writing

    async def open_turn(self, conversation: Conversation, turn: Turn, replaces: str | None, *, goes_on: bool) -> bool:
        """Begin to keep a turn → whether it is stored. Raises NotFound for a conversation that was deleted."""
        kept = _Kept(conversation, turn, replaces, goes_on)
        kept.is_missing = not await self._catch_up()
        is_stored = not kept.is_missing and await self._stored(kept)
        self._kept[turn.id] = kept
        return is_stored

    async def save_turn(self, turn: Turn) -> bool:
        """Keep what has become of a turn → whether it is stored. What could not be stored before goes first."""
        kept = self._kept.get(turn.id)
        if kept is None:
            return False  # it was deleted
        kept.turn = turn
        try:
            is_stored = await self._stored(kept)
        except NotFound:
            del self._kept[turn.id]
            return False
        if turn.state != "running":
            if is_stored:
                self._kept.pop(turn.id, None)
            else:
                kept.turn = _said_to_be(turn, saved=False)
                self._forget_the_oldest()
        return is_stored

    async def add_updates(self, turn_id: str, updates: int) -> None:
        """Count views that were sent after a turn ended."""
        kept = self._kept.get(turn_id)
        if kept and kept.turn.metrics:
            metrics = replace(kept.turn.metrics, updates=kept.turn.metrics.updates + updates)
            kept.turn = replace(kept.turn, metrics=metrics)
            return
        with suppress(StoreFault):  # no more than a figure
            await _soon(self._store.add_updates(turn_id, updates))

    async def rate(self, turn_id: str, visitor: str | None, rating: Rating) -> bool:
        """Keep a visitor's liking; False when there is no such turn for this owner. Raises StoreFault."""
        kept = self._kept.get(turn_id)
        if kept and kept.is_missing and kept.is_open_to(visitor):
            kept.turn = replace(kept.turn, rating=rating)
            return True
        return await _soon(self._store.rate(turn_id, visitor, rating))

    async def delete(self, conversation_id: str, visitor: str | None) -> bool:
        """Remove a conversation and its turns; False when there is none for this owner. Raises StoreFault."""
        is_deleted = await self._store.delete(conversation_id, visitor)
        inside = [
            id
            for id, kept in self._kept.items()
            if kept.conversation.id == conversation_id and kept.is_open_to(visitor)
        ]
        for id in inside:
            del self._kept[id]
        return is_deleted or bool(inside)

    # Behind them

    def _missing(self, conversation_id: str, visitor: str | None) -> list[_Kept]:
        return [
            kept
            for kept in self._kept.values()
            if kept.is_missing and kept.conversation.id == conversation_id and kept.is_open_to(visitor)
        ]

    def _settled(self, turn: Turn) -> Turn:
        """A stored turn that nobody works on, and whose ending was never stored, stopped where it stood."""
        if turn.state != "running" or turn.id in self._kept:
            return turn
        return replace(turn, state="stopped", record=(*turn.record, *interrupted(turn, saved=False)))

    async def _stored(self, kept: _Kept) -> bool:
        """Write all of it → whether that worked. Raises NotFound where its conversation is gone."""
        try:
            await _soon(self._write(kept, _said_to_be(kept.turn, saved=True)))
        except StoreFault as fault:
            log.warning("a turn could not be saved")
            kept.is_missing, kept.is_lost = True, fault.code == OwnFault().code
            return False
        kept.is_missing = False
        return True

    async def _write(self, kept: _Kept, turn: Turn) -> None:
        if not kept.is_opened:
            await self._store.open_turn(kept.conversation, turn, kept.replaces, goes_on=kept.goes_on)
            kept.is_opened = True
            if turn.state == "running":
                return
        if not await self._store.save_turn(turn):
            raise NotFound

    async def _catch_up(self) -> bool:
        """Store the ended turns that could not be; False at the first that still cannot."""
        for id, kept in list(self._kept.items()):
            if not kept.is_missing or kept.is_lost or kept.turn.state == "running":
                continue
            try:
                if not await self._stored(kept):
                    return False
            except NotFound:
                pass
            self._kept.pop(id, None)
        return True

    def _forget_the_oldest(self) -> None:
        ended = [id for id, kept in self._kept.items() if kept.turn.state != "running"]
        for id in ended[:-MOST_UNSAVED]:
            del self._kept[id]


def _merged(stored: Iterable[Turn], missing: Iterable[_Kept]) -> tuple[Turn, ...]:
    """Stored turns, and those the store lacks: each in its own place, in that of the one it replaces, or at the end."""
    turns = {turn.id: turn for turn in stored}
    for kept in missing:
        if kept.replaces in turns:
            ids = list(turns)
            turns = {id: turns[id] for id in ids[: ids.index(kept.replaces)]}
        turns[kept.turn.id] = kept.turn
    return tuple(turns.values())


def _said_to_be(turn: Turn, *, saved: bool) -> Turn:
    """The turn with an ending that says whether it is stored."""
    ending = turn.record[-1] if turn.record else None
    if not isinstance(ending, TurnFinished | TurnFailed | TurnStopped):
        return turn
    return replace(turn, record=(*turn.record[:-1], replace(ending, saved=saved)))


async def _soon(asked: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(WAIT_S):
            return await asked
    except TimeoutError:
        raise StoreFault from None
