"""Lists, finds, reads, rates and deletes a visitor's conversations, and chooses among versions of turns.

Every method takes the visitor. For everybody else's conversations and turns there is only NotFound.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from pipeline.database.write_behind import WriteBehind
from pipeline.errors import NotFound
from pipeline.exchange_costs import Cost
from pipeline.feedback import NO_FEEDBACK, Feedback, checked
from pipeline.turn import Conversation, Rating, Trouble, Turn


class Conversations:
    """Stored conversations and their turns. Every method may raise StoreFault."""

    def __init__(self, history: WriteBehind, end_turns: Callable[[str], Awaitable[None]]) -> None:
        """`end_turns` stops and forgets what runs in a conversation; it is called after a deletion."""
        self._history, self._end_turns = history, end_turns

    @property
    def trouble(self) -> Trouble | None:
        """Return the message for people when their history cannot be saved, None when it can."""
        return self._history.trouble

    async def list(self, visitor: str) -> tuple[Conversation, ...]:
        """The visitor's own conversations, newest first."""
        return await self._history.conversations(visitor)

    async def find(self, conversation_id: str, visitor: str | None) -> Conversation:
        """One conversation. Raises NotFound."""
        found = await self._history.find(conversation_id, visitor)
        if found is None:
            raise NotFound
        return found

    async def turns(self, conversation_id: str, visitor: str | None) -> tuple[Turn, ...]:
        """The turns of the active path, oldest first, running ones as far as they were saved. Raises NotFound."""
        await self.find(conversation_id, visitor)
        return await self._history.turns(conversation_id, visitor)

    async def versions(self, conversation_id: str, visitor: str | None) -> dict[str, tuple[str, ...]]:
        """Map each turn of the active path to its versions, itself included, in order of asking. Raises NotFound.

        A retry or an edit makes a version of the turn that it replaces.
        """
        await self.find(conversation_id, visitor)
        return await self._history.versions(conversation_id, visitor)

    async def cost(self, conversation_id: str, visitor: str | None) -> Cost:
        """What all turns of a conversation cost, other versions included. Raises NotFound."""
        await self.find(conversation_id, visitor)
        return await self._history.cost(conversation_id, visitor)

    async def activate(self, turn_id: str, visitor: str | None) -> None:
        """Make the path through this turn, down to the newest turn below it, the active one. Raises NotFound."""
        if not await self._history.activate(turn_id, visitor):
            raise NotFound("turn")

    async def turn(self, turn_id: str, visitor: str | None) -> Turn:
        """One turn as it was last saved. Raises NotFound."""
        turn = await self._history.turn(turn_id, visitor)
        if turn is None:
            raise NotFound("turn")
        return turn

    async def rate(
        self,
        turn_id: str,
        visitor: str | None,
        rating: Rating,
        *,
        comment: str | None = None,
        corrected: str | None = None,
        tags: tuple[str, ...] | None = None,
    ) -> None:
        """Store a like (1), a dislike (-1) or neither (0), with what is said beside it.

        What is None stays as it was said before, but neither takes all of that back. Raises NotFound, and Refused for
        what is out of its limits.
        """
        said = (await self.turn(turn_id, visitor)).feedback if rating else NO_FEEDBACK
        feedback = checked(
            Feedback(
                comment=said.comment if comment is None else comment,
                corrected=said.corrected if corrected is None else corrected,
                tags=said.tags if tags is None else tags,
                changed_at=round(time.time(), 3),
            )
        )
        if not await self._history.rate(turn_id, visitor, rating, feedback):
            raise NotFound("turn")

    async def rated(self, visitor: str | None) -> Sequence[Turn]:
        """Return the turns that a visitor has rated, the latest thumb first."""
        return [turn async for turn in self._rated(visitor)] if visitor else ()

    async def rated_by_all(self) -> Sequence[Turn]:
        """Return the turns that anybody has rated, for whoever runs Glassbox."""
        return [turn async for turn in self._rated(None)]

    async def _rated(self, visitor: str | None) -> AsyncIterator[Turn]:
        part = await self._history.rated_turns(visitor)
        while part:
            for turn in part:
                yield turn
            part = await self._history.rated_turns(visitor, part[-1])

    async def delete(self, conversation_id: str, visitor: str | None) -> None:
        """Remove a conversation with its turns and stop what runs in it. Raises NotFound."""
        if not await self._history.delete(conversation_id, visitor):
            raise NotFound
        await self._end_turns(conversation_id)
