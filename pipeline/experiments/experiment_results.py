"""What the host's experiment has shown so far, and the variant that it has found to be the best."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from pipeline.database.write_behind import WriteBehind
from pipeline.errors import StoreFault
from pipeline.experiments.turn_groups import TurnGroup, best_of, turn_groups
from pipeline.turns.experiment import Experiment

LOOK_EVERY_S = 60.0


class ExperimentResults:
    """The groups of turns of each variant. Every method may raise StoreFault."""

    def __init__(self, experiment: Experiment, history: WriteBehind) -> None:
        self.experiment, self._history = experiment, history

    async def groups(self) -> Mapping[str, TurnGroup]:
        """Return the turns of each variant by its id; a variant without turns is missing."""
        ids = [each.id for each in self.experiment.variants]
        samples = await self._history.samples_of_variants(ids)
        return await asyncio.to_thread(turn_groups, samples)

    async def choose(self) -> None:
        """Give everybody the best variant where there is one and the strategy is `best`, else go on with the split."""
        if self.experiment.strategy != "best":
            return
        best = best_of(await self.groups(), [each.id for each in self.experiment.variants])
        self.experiment.best = next((each for each in self.experiment.variants if each.id == best), None)

    async def watch(self) -> None:
        """Choose again and again; ends by cancellation. While the database fails, the last choice stands."""
        while True:
            with suppress(StoreFault):
                await self.choose()
            await asyncio.sleep(LOOK_EVERY_S)
