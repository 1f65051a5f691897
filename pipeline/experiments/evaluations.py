"""Evaluations: each question of a set is asked as a turn, scored, and stored at once.

The turns are versions of one turn in a conversation that no list shows. They count for limits and budget like others,
and one evaluation is one of the visitor's turns at once. Nothing is asked by itself: after a restart, and where the
budget is spent, an evaluation is interrupted until its visitor resumes it. A visitor's own key is never stored.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from pipeline.database.write_behind import WriteBehind
from pipeline.errors import Busy, GlassboxError, ModelFault, NotFound, Refused, StoreFault
from pipeline.events import TurnFailed
from pipeline.experiments.evaluation import (
    OVER,
    ROW,
    Evaluation,
    EvaluationState,
    Row,
    restored,
    row_not_asked,
    row_of,
    stored,
)
from pipeline.experiments.questions import Question
from pipeline.experiments.scores import ending_of
from pipeline.messages import Message
from pipeline.own_faults import own_fault
from pipeline.turn import Turn, TurnRequest
from pipeline.turns.engine import Pipeline

AT_ONCE = 4  # questions of one evaluation
LOOK_EVERY_S = 0.5  # whether there is a place


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """An evaluation as it stands, with the rows so far."""

    evaluation: Evaluation
    rows: tuple[Row, ...]


class _Running:
    """An evaluation that this process asks. `changed` is set, and replaced, whenever something has changed."""

    def __init__(self, evaluation: Evaluation, rows: Sequence[Row], request: TurnRequest) -> None:
        self.evaluation, self.rows, self.request = evaluation, list(rows), request
        answered = {row.index for row in rows}
        self.waiting: Iterator[int] = iter([each for each in range(evaluation.total) if each not in answered])
        self.first_turn: str | None = next((row.turn_id for row in rows if row.turn_id), None)
        self.asked: set[str] = set()  # ids of turns that run
        self.opening = asyncio.Lock()  # held while the first turn, which the others stand beside, is begun
        self.ends_as: EvaluationState = "finished"
        self.reason: GlassboxError | None = None
        self.changed = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @property
    def is_ending(self) -> bool:
        return self.ends_as != "finished"

    @property
    def progress(self) -> Progress:
        return Progress(evaluation=self.evaluation, rows=tuple(self.rows))

    def change(self) -> None:
        """Wake whoever waits for news."""
        self.changed.set()
        self.changed = asyncio.Event()

    def end_as(self, state: EvaluationState, reason: GlassboxError | None = None) -> None:
        """Ask nothing more; the first reason counts."""
        if not self.is_ending:
            self.ends_as, self.reason = state, reason
        self.change()

    async def pause(self, most_s: float) -> None:
        """Return when something has changed, after `most_s` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self.changed.wait()


class Evaluations:
    """The evaluations of all visitors. Every method may raise StoreFault."""

    def __init__(self, pipeline: Pipeline, history: WriteBehind) -> None:
        self._pipeline, self._history = pipeline, history
        self._running: dict[str, _Running] = {}

    async def start(
        self, questions: Sequence[Question], request: TurnRequest, *, title: str = "", set_name: str | None = None
    ) -> Evaluation:
        """Begin an evaluation; `request` says who asks and how, its question does not count.

        Raises Refused, and Busy while the visitor has one that runs; then nothing is stored.
        """
        if not questions:
            raise Refused("no_questions")
        checked = await self._pipeline.check(replace(request, question=questions[0].question))
        if any(each.request.visitor == request.visitor is not None for each in self._running.values()):
            raise Busy("evaluation", 30)
        evaluation = Evaluation(
            id=secrets.token_urlsafe(12),
            conversation_id=secrets.token_urlsafe(16),
            title=title,
            set_name=set_name,
            questions=tuple(questions),
            model=checked.model or self._pipeline.default_model,
            # A stored answer would be there at once, and its figures would be those of the reading.
            options=replace(request.options, uses_cache=False),
            given=tuple(sorted({*request.given, "uses_cache"})),
            own_key=request.model_key is not None,
            created_at=round(time.time(), 3),
            owner=request.visitor,
        )
        await self._history.save_evaluation(stored(evaluation))
        self._begin(evaluation, (), request)
        return evaluation

    async def resume(self, id: str, request: TurnRequest) -> Evaluation:
        """Ask what an interrupted evaluation has not asked. Raises NotFound, and Refused where it is not interrupted.

        An evaluation with the visitor's own key needs it again.
        """
        found = await self.find(id, request.visitor)
        if found.evaluation.state != "interrupted" or id in self._running:
            raise Refused("not_interrupted")
        if found.evaluation.own_key and request.model_key is None:
            raise Refused("needs_key")
        evaluation = replace(found.evaluation, state="queued", reason=None)
        self._begin(evaluation, found.rows, request)
        return evaluation

    async def find(self, id: str, visitor: str | None) -> Progress:
        """Return an evaluation with its rows. Raises NotFound, also for one of another visitor."""
        if running := self._running.get(id):
            if running.evaluation.owner in (None, visitor):
                return running.progress
            raise NotFound("evaluation")
        row = await self._history.evaluation(id, visitor)
        if row is None:
            raise NotFound("evaluation")
        rows = await self._history.evaluated_rows(id)
        return Progress(evaluation=restored(row, is_running=False), rows=tuple(map(ROW.validate_json, rows)))

    async def list(self, visitor: str | None) -> tuple[tuple[Evaluation, int], ...]:
        """Return a visitor's evaluations, newest first, each with the number of its answered questions."""
        found = await self._history.evaluations(visitor) if visitor else ()
        kept = []
        for row in found:
            running = self._running.get(row.id)
            kept.append(
                (running.evaluation, len(running.rows)) if running else (restored(row, is_running=False), row.rows)
            )
        return tuple(kept)

    async def states(self, id: str, visitor: str | None, beat_s: float = 10.0) -> AsyncGenerator[Progress | None, None]:
        """Iterate over an evaluation each time it has changed, to its end; None after each silent `beat_s`.

        Raises NotFound.
        """
        while True:
            running = self._running.get(id)
            changed = running.changed if running else None
            yield await self.find(id, visitor)
            if changed is None:
                return
            while not changed.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(beat_s):
                        await changed.wait()
                if not changed.is_set():
                    yield None

    async def stop(self, id: str, visitor: str | None) -> Evaluation:
        """Stop asking. Raises NotFound. An interrupted one cannot be resumed any more."""
        found = await self.find(id, visitor)
        if running := self._running.get(id):
            await self._end(running, "stopped")
            return running.evaluation
        if found.evaluation.state in OVER:
            return found.evaluation
        evaluation = replace(found.evaluation, state="stopped")
        await self._history.save_evaluation(stored(evaluation))
        return evaluation

    async def close(self) -> None:
        """Interrupt everything: whoever evaluates may resume it after the restart."""
        await asyncio.gather(*(self._end(running, "interrupted") for running in list(self._running.values())))

    async def _end(self, running: _Running, state: EvaluationState) -> None:
        running.end_as(state)
        await asyncio.gather(*(self._pipeline.stop(turn_id) for turn_id in list(running.asked)))
        if running.task:
            await asyncio.wait({running.task})

    def _begin(self, evaluation: Evaluation, rows: Sequence[Row], request: TurnRequest) -> None:
        running = self._running[evaluation.id] = _Running(evaluation, rows, request)
        running.task = asyncio.create_task(self._run(running))

    async def _run(self, running: _Running) -> None:
        """Ask what is waiting, a few questions at a time, and keep how that ended."""
        try:
            await self._keep(running, "running")
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._ask_waiting(running))
        except* Exception as errors:  # noqa: BLE001  the last resort: every evaluation must end
            running.end_as("failed", own_fault(errors.exceptions[0], "task"))
        finally:
            with suppress(StoreFault):  # it is interrupted then
                await self._keep(running, running.ends_as)
            self._running.pop(running.evaluation.id, None)
            running.change()

    async def _keep(self, running: _Running, state: EvaluationState) -> None:
        """Store a state, then say it."""
        fault = running.reason
        reason = Message(f"{fault.area}.{fault.code}", dict(fault.values)) if fault else None
        evaluation = replace(running.evaluation, state=state, reason=reason)
        await self._history.save_evaluation(stored(evaluation))
        running.evaluation = evaluation
        running.change()

    async def _ask_waiting(self, running: _Running) -> None:
        for index in running.waiting:
            question = running.evaluation.questions[index]
            row: Row | None
            try:
                turn = await self._asked(running, index)
                row = None if turn is None or self._ends(running, turn) else row_of(index, question, turn)
            except StoreFault as fault:
                running.end_as("interrupted", fault)
                return
            except GlassboxError as error:
                row = row_not_asked(index, question, error)
            if row is None or running.is_ending:
                return
            # The positions of rows are those of their ends, and no two end at once: there is no await in between.
            position = len(running.rows)
            running.rows.append(row)
            running.change()
            try:
                await self._history.save_evaluated_row(running.evaluation.id, position, ROW.dump_json(row))
            except StoreFault as fault:
                running.end_as("interrupted", fault)
                return

    def _ends(self, running: _Running, turn: Turn) -> bool:
        """Whether a turn ended so that nothing more is asked, and counts for nothing."""
        ending = ending_of(turn)
        if isinstance(ending, TurnFailed) and ending.code == "over_budget":
            running.end_as("interrupted", ModelFault("over_budget"))
        elif turn.state == "stopped":
            running.end_as("stopped")
        return running.is_ending

    async def _asked(self, running: _Running, index: int) -> Turn | None:
        """Ask one question as soon as there is a place, and return its turn when it has ended; None if it was stopped.

        Raises GlassboxErrors of `Pipeline.start` but Busy.
        """
        while not running.is_ending:
            try:
                turn_id = await self._started(running, index)
            except Busy as busy:
                if busy.code == "closing":
                    running.end_as("interrupted")
                    return None
                await running.pause(LOOK_EVERY_S if busy.code in ("turns", "visitor") else busy.retry_after_s)
                continue
            try:
                if running.is_ending:
                    await self._pipeline.stop(turn_id)
                await self._followed(turn_id)
                return await self._pipeline.turn(turn_id, running.evaluation.owner)
            finally:
                running.asked.discard(turn_id)
        return None

    async def _started(self, running: _Running, index: int) -> str:
        async with running.opening:
            evaluation, first = running.evaluation, running.first_turn
            question = evaluation.questions[index]
            turn = await self._pipeline.start(
                replace(
                    running.request,
                    question=question.question,
                    visitor=evaluation.owner,
                    options=evaluation.options,
                    given=frozenset(evaluation.given),
                    model=evaluation.model,
                    conversation_id=evaluation.conversation_id if first else None,
                    new_conversation_id=evaluation.conversation_id,
                    beside=first,
                    history=(question.previous,) if question.previous else (),
                    waits=False,  # people come first
                )
            )
            running.asked.add(turn.id)
            if first is None:
                running.first_turn = turn.id
                await self._history.save_evaluation(stored(evaluation))  # which marks the conversation
            return turn.id

    async def _followed(self, turn_id: str) -> None:
        """Read a turn to its ending, so that nobody's leaving ends it."""
        async with aclosing(self._pipeline.batches(turn_id)) as batches:
            async for _ in batches:
                pass
