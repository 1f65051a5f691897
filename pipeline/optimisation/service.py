"""The optimisations of all visitors: started, followed, stopped, gone on with, and made a saved program.

One takes a place among the running turns, and each visitor has one at a time. What it has found is stored at each
change; one that ended with the server is `interrupted` until somebody has it go on.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pipeline.conversations.service import Conversations
from pipeline.database.optimisations import Stored
from pipeline.database.store import Store
from pipeline.errors import Busy, GlassboxError, ModelFault, NotFound, Refused, StoreFault
from pipeline.events import TurnFinished
from pipeline.experiments.question_sets import QuestionSets
from pipeline.experiments.questions import Question
from pipeline.messages import Message
from pipeline.models.catalogue import Models
from pipeline.models.spending import Payer, Spending
from pipeline.optimisation.calls import ModelCalls
from pipeline.optimisation.examples import LEAST, Example, Split, rated_example, split_of
from pipeline.optimisation.limits import CallLimit
from pipeline.optimisation.process import Died
from pipeline.optimisation.run import Run
from pipeline.optimisation.values import (
    OPTIMISATION,
    PROMPT_TOKENS,
    RATINGS,
    REPLY_TOKENS,
    TRIAL,
    Optimisation,
    Plan,
    State,
    calls_needed,
    comparison_of,
)
from pipeline.own_faults import own_fault
from pipeline.programs.registry import ProgramSpec, program_named
from pipeline.programs.saved_programs import SavedPrograms
from pipeline.retrieval import Search, SearchOptions
from pipeline.saved_program import SavedProgram, new_name
from pipeline.settings import BUILTIN_MODEL, Settings
from pipeline.turn import Turn, TurnRequest
from pipeline.turns.engine import Pipeline
from pipeline.turns.request_checks import check_model

RETRY_S = 30
BEAT_S = 1.0  # a follower is given None after so long a silence


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an optimisation would ask at most, and cost (USD, None where the price is unknown), and its examples."""

    calls: int
    cost: float | None
    split: Split


class Optimisations:
    """Starts optimisations and keeps what they find."""

    def __init__(
        self,
        settings: Settings,
        models: Models,
        pipeline: Pipeline,
        store: Store,
        spending: Spending,
        programs: SavedPrograms,
        conversations: Conversations,
        sets: QuestionSets,
        search: Search,
    ) -> None:
        self._settings, self._models, self._pipeline, self._store = settings, models, pipeline, store
        self._spending, self._programs, self._conversations = spending, programs, conversations
        self._sets, self._search = sets, search
        self._runs: dict[str, tuple[Run, asyncio.Task[None]]] = {}
        self._starting: set[str] = set()  # visitors

    # Before

    async def questions(self, visitor: str | None, source: str) -> tuple[Question, ...]:
        """Return the questions of a set; none for ratings, which are read when they are needed.

        Raises NotFound, and Refused for a set without questions.
        """
        return () if source == RATINGS else (await self._sets.named(source, visitor)).questions

    async def estimate(self, request: TurnRequest, plan: Plan, questions: Sequence[Question]) -> Estimate:
        """Return what an optimisation would ask and cost. Raises Refused where it cannot be started."""
        _, _, estimate = await self._checked(request, plan, questions)
        return estimate

    async def start(self, request: TurnRequest, plan: Plan, questions: Sequence[Question]) -> Optimisation:
        """Start an optimisation of a visitor. Raises Refused, Busy, and StoreFault where it could not be kept."""
        plan, base, estimate = await self._checked(request, plan, questions)
        state = base.state.decode() if isinstance(base, SavedProgram) else ""
        spec = program_named(base.name if isinstance(base, SavedProgram) else plan.program, self._programs)
        found = Optimisation(
            id=secrets.token_urlsafe(16),
            owner=request.visitor,
            created_at=time.time(),
            plan=replace(plan, program=base.program if isinstance(base, SavedProgram) else plan.program),
            split=estimate.split,
            base=state,
            instruction=spec.instructions,
            priced=estimate.cost is not None,
        )
        await self._begin(request, found)
        return found

    # While

    async def get(self, visitor: str | None, id: str) -> Optimisation:
        """Return what an optimisation has found so far. Raises NotFound."""
        if (running := self._runs.get(id)) and running[0].current.owner in (None, visitor):
            return running[0].current
        stored = await self._store.optimisation(id)
        if stored is None or stored.owner not in (None, visitor):
            raise NotFound("optimisation")
        return _read(stored)

    async def of(self, visitor: str | None) -> tuple[Optimisation, ...]:
        """Return a visitor's optimisations, the latest first."""
        stored = await self._store.optimisations(visitor) if visitor else ()
        running = {id: run.current for id, (run, _) in self._runs.items()}
        return tuple(running.get(each.id) or _read(each) for each in stored)

    async def states(self, visitor: str | None, id: str) -> AsyncGenerator[Optimisation | None, None]:
        """What is found now, and each later state until it stands still; None after each silent BEAT_S."""
        current = await self.get(visitor, id)
        yield current
        running = self._runs.get(id)
        while running and not current.is_over:
            run = running[0]
            if run.current is current:
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_S):
                        await run.news.wait()
            if run.current is current:
                yield None
            else:
                current = run.current
                yield current

    async def stop(self, visitor: str | None, id: str) -> Optimisation:
        """Stop an optimisation; what it has found is kept. Raises NotFound."""
        found = await self.get(visitor, id)
        if running := self._runs.get(id):
            running[1].cancel()
            await asyncio.wait({running[1]})
            return running[0].current
        return found

    async def resume(self, request: TurnRequest, id: str) -> Optimisation:
        """Go on from the best program found, with the rest of the budget. Raises NotFound, Refused and Busy."""
        found = await self.get(request.visitor, id)
        if found.state == "running":
            raise Refused("still_optimising")
        if found.state == "finished":
            raise Refused("nothing_to_resume")
        label = check_model(replace(request, model=found.plan.model), self._models)
        request = replace(request, model=label, options=found.plan.options)
        found = replace(found, state="running", fault=None)
        await self._begin(request, found)
        return found

    # After

    async def use(self, visitor: str | None, id: str, *, anyway: bool = False) -> SavedProgram:
        """Make the best program found a saved one of its visitor, once. Raises Refused where nothing is improved.

        `anyway` takes one that was better on the validation examples, though no gain is proven.
        """
        found = await self.get(visitor, id)
        if not visitor:
            raise Refused("whose_optimisation")
        if not found.is_over:
            raise Refused("still_optimising")
        compared = comparison_of(found)
        best = found.best
        if best is None or not found.has_found or not (anyway or (compared and compared.improved)):
            raise Refused("nothing_improved")
        if found.used and (known := await self._store.saved_program(visitor, found.used)):
            return known
        base = f"{found.plan.title or found.plan.program} · "
        earlier = [each.title for each in await self._store.saved_programs(visitor) if each.title.startswith(base)]
        title = f"{base}{len(earlier) + 2}"
        saved = SavedProgram(new_name(), title, found.plan.program, best.state.encode(), time.time())
        await self._store.save_program(visitor, saved)
        await self._save(replace(found, used=saved.name))
        return saved

    async def undo(self, visitor: str | None, id: str) -> str:
        """Remove the saved program that was made, and return the name of the one before it. Raises NotFound."""
        found = await self.get(visitor, id)
        if found.used and visitor:
            await self._store.remove_program(visitor, found.used)
            await self._save(replace(found, used=""))
        return found.plan.program

    async def close(self) -> None:
        """Interrupt all; what they have found is stored."""
        tasks = [task for _, task in self._runs.values()]
        for run, task in list(self._runs.values()):
            run.note(state="interrupted")
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def saved(self, visitor: str) -> tuple[SavedProgram, ...]:
        """Return the saved programs of a visitor, which can be optimised further."""
        return await self._store.saved_programs(visitor)

    # Inside

    async def _checked(
        self, request: TurnRequest, plan: Plan, questions: Sequence[Question]
    ) -> tuple[Plan, SavedProgram | None, Estimate]:
        label = check_model(request, self._models)
        if label == BUILTIN_MODEL:
            raise Refused("cannot_learn")
        spec, saved = await self._program(request.visitor, plan.program)
        if spec.needs_document:
            raise Refused("cannot_be_optimised")
        examples = await self._examples(request.visitor, plan, questions)
        split = split_of(examples, plan.seed)
        least = len(split.training) + len(split.validation) + len(split.held_out)
        if least < LEAST:
            raise Refused("few_examples", LEAST)
        needed = calls_needed(len(split.held_out), len(split.validation))
        if plan.calls < needed:
            raise Refused("few_calls", needed)
        cost = self._models.cost(label, plan.calls * PROMPT_TOKENS, plan.calls * REPLY_TOKENS)
        if cost is None and self._models.is_local(label):
            cost = 0.0
        if cost is None and plan.max_usd is not None:
            raise Refused("unknown_price")
        if cost is not None and plan.max_usd is not None:
            cost = min(cost, plan.max_usd)
        plan = replace(plan, model=label, program=spec.name, title=plan.title or spec.title or spec.name)
        return plan, saved, Estimate(plan.calls, cost, split)

    async def _program(self, visitor: str | None, name: str) -> tuple[ProgramSpec, SavedProgram | None]:
        """Return a program, and its saved state where a visitor has it. Raises Refused for an unknown one."""
        if name and visitor and not self._programs.is_listed(name):
            saved = await self._store.saved_program(visitor, name)
            if saved and (spec := self._programs.spec_of(saved)):
                return spec, saved
            raise Refused("unknown_program")
        return program_named(name or None, self._programs), None

    async def _examples(self, visitor: str | None, plan: Plan, questions: Sequence[Question]) -> list[Example]:
        if plan.source != RATINGS:
            alone = (each for each in questions if each.previous is None)
            return [example for each in alone if (example := _of_question(each)).is_known]
        if not visitor:
            raise Refused("whose_optimisation")
        rated = [_of_rating(each) for each in await self._conversations.rated(visitor)]
        return [each for each in reversed(rated) if each.is_known]

    async def _begin(self, request: TurnRequest, found: Optimisation) -> None:
        who = request.visitor or found.id
        running = {run.current.owner for run, _ in self._runs.values() if not run.current.is_over}
        if who in self._starting or (request.visitor and request.visitor in running):
            raise Busy("optimising", RETRY_S)
        self._starting.add(who)
        try:
            release = await self._pipeline.take_place(request)
            try:
                await self._save(found)
            except BaseException:
                release()
                raise
            ready: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(self._work(request, found, ready))
            task.add_done_callback(lambda _: release())
            waited: set[asyncio.Future[Any]] = {ready, task}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                await task  # raises why there is no run
            self._runs[found.id] = ready.result(), task
            task.add_done_callback(lambda _: self._runs.pop(found.id, None))
        finally:
            self._starting.discard(who)

    async def _work(self, request: TurnRequest, found: Optimisation, ready: asyncio.Future[Run]) -> None:
        plan, payer = found.plan, Payer(request.visitor or "", own_key=request.model_key is not None)
        await self._spending.refresh(payer.visitor)
        limit = CallLimit(plan.calls, plan.max_usd, found.calls, found.cost)
        scope = self._pipeline.profiles.scope(request.visitor, plan.options)
        async with self._models.with_key(plan.model, request.model_key) as own:
            timeout_s = self._settings.turn_timeout_s
            calls = ModelCalls(self._models, self._spending, plan.model, payer, own, limit, timeout_s)
            options, is_local = SearchOptions.of(plan.options), self._models.is_local(plan.model)
            run = Run(found, calls, self._search, scope, options, self._kept, is_local=is_local)
            ready.set_result(run)
            await self._ended(run)

    async def _ended(self, run: Run) -> None:
        """Work, and note how it ended in any case."""
        state: State = "finished"
        fault: GlassboxError | None = None
        try:
            await run.work()
        except asyncio.CancelledError:
            state = "interrupted" if run.current.state == "interrupted" else "stopped"
        except GlassboxError as error:
            state, fault = "failed", error
        except Died:
            state, fault = "failed", ModelFault("unexpected")
        except Exception as error:  # noqa: BLE001  the last resort: every optimisation must end
            state, fault = "failed", own_fault(error, "turn")
        message = Message(fault.code, dict(fault.values)) if fault else None
        current = run.current
        endings = (*current.endings, (len(current.trials), state))
        ending = replace(current, state=state, fault=message, endings=endings)
        await self._kept(ending)
        run.note(state=state, fault=message, endings=endings, took_s=ending.took_s)

    async def _kept(self, found: Optimisation) -> None:
        """Store what was found; a database that fails does not end an optimisation."""
        with suppress(StoreFault):
            await self._save(found)

    async def _save(self, found: Optimisation) -> None:
        content = OPTIMISATION.dump_json(replace(found, trials=()))
        trials = tuple(map(TRIAL.dump_json, found.trials))
        await self._store.save_optimisation(
            Stored(found.id, found.owner, found.created_at, found.state, content, trials)
        )


def _read(stored: Stored) -> Optimisation:
    found = OPTIMISATION.validate_json(stored.content)
    trials = tuple(map(TRIAL.validate_json, stored.trials))
    state: State = "interrupted" if stored.state == "interrupted" else found.state
    endings = found.endings
    if state == "interrupted" and found.state == "running":
        endings = (*endings, (len(trials), state))
    return replace(found, trials=trials, state=state, endings=endings)


def _of_question(question: Question) -> Example:
    return Example(
        question=question.question,
        answer=question.answer,
        alternatives=question.alternatives,
        refuses=question.unanswerable,
    )


def _of_rating(turn: Turn) -> Example:
    said, ending = turn.feedback, turn.record[-1] if turn.record else None
    return rated_example(
        turn.question,
        turn.fields.get("answer", ""),
        turn.rating,
        said.comment,
        said.corrected,
        abstained=isinstance(ending, TurnFinished) and ending.abstained,
    )
