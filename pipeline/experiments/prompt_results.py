"""How well a visitor's turns went by each of the instructions that they were answered by."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipeline.database.write_behind import WriteBehind
from pipeline.experiments.turn_groups import TurnGroup, turn_groups
from pipeline.turn_sample import UsedPrompt


class PromptResults:
    """The groups of turns of each instructions, of the latest turns alone."""

    def __init__(self, history: WriteBehind) -> None:
        self._history = history

    async def of_visitor(self, visitor: str | None) -> Sequence[tuple[UsedPrompt, TurnGroup]]:
        """Return a visitor's instructions with their turns, those that were used last at first. Raises StoreFault."""
        if visitor is None:
            return ()
        samples = await self._history.samples_of_prompts(visitor)
        groups = await asyncio.to_thread(turn_groups, samples)
        used = [(each, groups[each.hash]) for each in await self._history.prompts(visitor) if each.hash in groups]
        return sorted(used, key=lambda each: each[1].last_asked_at, reverse=True)
