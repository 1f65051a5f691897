"""One run of an optimisation: measures the program on the held-out questions, searches, and measures what was found.

Each phase is a job of a process of its own, and the process that searches is never told a held-out question. What the
last measurement needs is set aside before the search begins.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from pipeline.optimisation import process
from pipeline.optimisation.calls import ModelCalls
from pipeline.optimisation.limits import LimitReached
from pipeline.optimisation.values import Given, Optimisation, Phase, Trial
from pipeline.optimisation.wire import Answered, AskDocuments, AskModel, Job, Reply, Tried
from pipeline.retrieval import Scope, Search, SearchOptions

SPARE = 1.1  # of what the last measurement is expected to need, for requests that have to be repeated
THREADS_HOSTED = 4

Save = Callable[[Optimisation], Awaitable[None]]


class Run:
    """A running optimisation. `current` is all that it has found; `news` is set and replaced at each change."""

    def __init__(
        self,
        found: Optimisation,
        calls: ModelCalls,
        search: Search,
        scope: Scope,
        options: SearchOptions,
        save: Save,
        *,
        is_local: bool,
    ) -> None:
        self.current, self._calls, self._save = found, calls, save
        self._search, self._scope, self._options = search, scope, options
        self._is_local = is_local
        self._began, self._took_s = time.monotonic(), found.took_s
        self._at_last_trial = (found.calls, found.cost)
        self.news = asyncio.Event()

    async def work(self) -> None:
        """Go through the phases that are left. Raises GlassboxError where the model cannot be asked, and OwnFault."""
        if self.current.phase == "before":
            try:
                await self._measure("before")
            except LimitReached:
                return
            await self._enter("search")
        if self.current.phase == "search":
            await self._find()
            await self._enter("after")
        if self.current.has_found:
            try:
                await self._measure("after")
            except LimitReached:
                return
        else:
            self.note(after=self.current.before)  # the program as it is was best

    def note(self, **changes: object) -> None:
        """Change what is known, and wake whoever follows."""
        self.current = self._changed(changes)
        self.news.set()
        self.news = asyncio.Event()

    def _changed(self, changes: Mapping[str, object]) -> Optimisation:
        limit = self._calls.limit
        took_s = round(self._took_s + time.monotonic() - self._began, 1)
        counted = {"calls": limit.calls, "cost": limit.cost, "took_s": took_s}
        return replace(self.current, **{**counted, **changes})  # type: ignore[arg-type]

    async def _enter(self, phase: Phase) -> None:
        self.note(phase=phase)
        await self._save(self.current)

    async def _measure(self, phase: Phase) -> None:
        """Answer the held-out questions that have no answer of this phase yet."""
        self._calls.limit.keep(0, 0.0)
        best = self.current.best
        state = best.state if phase == "after" and best else self.current.base
        known = self.current.after if phase == "after" else self.current.before
        left = tuple(each for each in self.current.split.held_out if each.number not in {one.number for one in known})
        if left:
            await self._do(replace(self._job(), state=state, validation=left))

    async def _find(self) -> None:
        """Search until the optimiser has ended, or what is left is set aside."""
        found = self.current
        per_question = max(found.calls / max(len(found.before), 1), 1.0) if not found.trials else 1.0
        expected = math.ceil(SPARE * per_question * len(found.split.held_out))
        self._calls.limit.keep(expected, SPARE * 2 * found.cost if not found.trials else 0.0)
        best = found.best
        job = replace(
            self._job(),
            state=best.state if best else found.base,
            optimizer=found.plan.optimizer,
            calls=self._calls.limit.calls_left,
            training=found.split.training,
            validation=found.split.validation,
        )
        try:
            await self._do(job)
        except LimitReached:
            return

    def _job(self) -> Job:
        plan = self.current.plan
        threads = 1 if self._is_local else THREADS_HOSTED
        return Job(program=plan.program, is_local=self._is_local, seed=plan.seed, threads=threads)

    async def _do(self, job: Job) -> None:
        await process.run(job, self._ask_model, self._find_passages, self._heard)

    async def _ask_model(self, asked: AskModel) -> Reply:
        try:
            return await self._calls.ask(asked)
        finally:
            self.note()

    async def _find_passages(self, asked: AskDocuments) -> Reply:
        result = await self._search(asked.query, self._scope, self._options)
        return Reply(id=asked.id, result=replace(result, rejected=()))

    async def _heard(self, said: Tried | Answered) -> None:
        """Store what was found, then say it: nobody hears of what a killed server would lose."""
        name = "after" if self.current.phase == "after" else "before"
        found: Trial | Given
        if isinstance(said, Tried):
            name, found = "trials", self._trial(said)
        else:
            found = Given(number=said.number, answer=said.answer, score=said.score)
        changes = {name: (*getattr(self.current, name), found)}
        await self._save(self._changed(changes))
        self.note(**changes)

    def _trial(self, tried: Tried) -> Trial:
        found, limit = self.current, self._calls.limit
        calls, cost = self._at_last_trial
        self._at_last_trial = (limit.calls, limit.cost)
        return Trial(
            index=len(found.trials),
            score=tried.score,
            calls=limit.calls - calls,
            cost=limit.cost - cost,
            instruction=tried.instructions,
            demos=tried.demos,
            kept=found.best is None or tried.score > found.best.score,
            state=tried.state,
        )
