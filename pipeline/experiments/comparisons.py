"""Comparisons: the same question to two to four columns at once, each a turn of one conversation.

The columns are versions of one turn and count as one of the visitor's turns at once; each counts as a question, and is
begun as soon as there is a place for it. A column that cannot be asked, or fails, leaves the others. Several questions
are asked one after another. A search that columns have in common is made once.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from pipeline.comparison import (
    LEAST_COLUMNS,
    MOST_COLUMNS,
    MOST_QUESTIONS,
    Cell,
    Column,
    Comparison,
    Round,
    Tally,
    Vote,
    tally_of,
)
from pipeline.database.write_behind import WriteBehind
from pipeline.errors import Busy, GlassboxError, NotFound, Refused
from pipeline.experiments.paired_scores import scores_shown
from pipeline.experiments.questions import LIST_JOIN, Question, read_questions
from pipeline.experiments.scores import Scores
from pipeline.messages import Message
from pipeline.options import options_of
from pipeline.programs.shared_searches import SharedSearches, TurnSearches, turn_searches
from pipeline.turn import AskOptions, Turn, TurnRequest
from pipeline.turns.engine import Pipeline

SCORES_KEPT = 2000
LOOK_EVERY_S = 0.5  # whether there is a place for the next column
# A profile sets none of a column, nor does the variant of an experiment.
ALL_OPTIONS = frozenset((*(each.name for each in options_of(AskOptions)), "model"))
MOST_WAIT_S = 90  # for the window of a rate; a column that would wait longer is not asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be compared: `request` says who asks, from where; its question, model and options do not count.

    `keys` are the visitor's own keys, by the labels of models.
    """

    questions: Sequence[Question]
    columns: Sequence[Column]
    request: TurnRequest
    is_blind: bool = False
    keys: Mapping[str, SecretStr] = field(default_factory=dict)


class Running:
    """A comparison that runs, as it stands. `changed` is set, and replaced, whenever it has changed."""

    def __init__(self, comparison: Comparison, asked: Asked) -> None:
        self.comparison, self.asked = comparison, asked
        self.begun: set[str] = set()  # ids of turns
        self.is_stopped = self.is_over = False
        self.changed = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def change(self, comparison: Comparison | None = None) -> None:
        """Wake whoever waits for news."""
        self.comparison = comparison or self.comparison
        self.changed.set()
        self.changed = asyncio.Event()

    async def pause(self, most_s: float) -> None:
        """Return when something has changed, after `most_s` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self.changed.wait()


class Comparisons:
    """The comparisons of all visitors. Every method may raise StoreFault."""

    def __init__(self, pipeline: Pipeline, history: WriteBehind) -> None:
        self._pipeline, self._history = pipeline, history
        self._running: dict[str, Running] = {}
        self._scored: OrderedDict[str, Scores] = OrderedDict()  # by the ids of turns that have ended

    async def start(self, asked: Asked) -> Comparison:
        """Begin a comparison. Raises Refused, NotFound or Busy, and then nothing is stored.

        The first column that can be asked has begun when this returns.
        """
        questions = [each for each in asked.questions if each.question.strip()]
        if not LEAST_COLUMNS <= len(asked.columns) <= MOST_COLUMNS or not 1 <= len(questions) <= MOST_QUESTIONS:
            raise Refused("blank_question" if not questions else "invalid_request")
        columns = list(asked.columns)
        if asked.is_blind:
            random.SystemRandom().shuffle(columns)
        rounds = tuple(
            Round(question=each.question.strip(), cells=tuple(_cell() for _ in columns), expected=each.golds)
            for each in questions
        )
        comparison = Comparison(
            id=secrets.token_urlsafe(16),
            columns=tuple(columns),
            rounds=rounds,
            is_blind=asked.is_blind,
            created_at=round(time.time(), 3),
        )
        running = Running(comparison, asked)
        work = _Round(self._pipeline, running, 0)
        first = await work.begin_first()
        self._running[comparison.id] = running
        await self._history.save_comparison(running.comparison)
        running.task = asyncio.create_task(self._run(running, work, first))
        return running.comparison

    async def find(self, id: str, visitor: str | None) -> Comparison:
        """Return a comparison as it stands. Raises NotFound, also for one of another visitor."""
        running = self._running.get(id)
        if running and running.asked.request.visitor in (None, visitor):
            return running.comparison
        found = None if running else await self._history.comparison(id, visitor)
        if found is None:
            raise NotFound
        return found

    def is_running(self, id: str) -> bool:
        """Whether a comparison still asks."""
        running = self._running.get(id)
        return running is not None and not running.is_over

    def at(self, comparison: Comparison) -> int:
        """Return the latest round that has begun."""
        running = self._running.get(comparison.id)
        if running is None:
            return 0
        begun = [at for at, each in enumerate(running.comparison.rounds) if _has_begun(each, running.begun)]
        return max(begun, default=0)

    async def round_over(self, id: str, at: int) -> None:
        """Return when a later round has begun, or nothing is asked any more."""
        while (running := self._running.get(id)) and not running.is_over and self.at(running.comparison) <= at:
            await running.pause(LOOK_EVERY_S)

    async def begun(self, id: str, at: int, column: int) -> bool:
        """Wait until a column was asked, or was not and will not be; return which."""
        while running := self._running.get(id):
            cell = running.comparison.rounds[at].cells[column]
            if cell.refusal or running.is_over:
                return False
            if cell.turn_id in running.begun:
                return True
            await running.pause(LOOK_EVERY_S)
        return True  # it is stored, or there is no such turn

    async def turns(self, comparison: Comparison, at: int, visitor: str | None) -> tuple[Turn | None, ...]:
        """Return the turns of a round by its columns, running or ended; None for one that was not asked (yet)."""
        return tuple([await self._turn(cell.turn_id, visitor) for cell in comparison.rounds[at].cells])

    async def scores(self, comparison: Comparison, visitor: str | None) -> list[list[Scores]]:
        """Return the scores of each question in each column; none of one that has not ended."""
        return [[await self._scores(cell, each, visitor) for cell in each.cells] for each in comparison.rounds]

    async def stop(self, id: str, visitor: str | None) -> None:
        """Stop all columns and ask nothing more. Raises NotFound."""
        comparison, running = await self.find(id, visitor), self._running.get(id)
        if running:
            running.is_stopped = True
            running.change()
        ids = [cell.turn_id for round_ in comparison.rounds for cell in round_.cells]
        await asyncio.gather(*(self._pipeline.stop(turn_id) for turn_id in ids))
        if running and running.task:
            await asyncio.wait({running.task})

    async def vote(self, id: str, visitor: str | None, at: int, vote: Vote) -> Comparison:
        """Keep a vote on a round; the first one counts. Raises NotFound, and Refused while a column still runs."""
        comparison = await self.find(id, visitor)
        if not 0 <= at < len(comparison.rounds) or (isinstance(vote, int) and not 0 <= vote < len(comparison.columns)):
            raise Refused("invalid_request")
        turns = await self.turns(comparison, at, visitor)
        if self.is_asking(id, at) or any(turn and turn.state == "running" for turn in turns):
            raise Refused("still_running")
        if comparison.rounds[at].vote is not None:
            return comparison
        voted = comparison.with_round(at, replace(comparison.rounds[at], vote=vote))
        if running := self._running.get(id):
            running.change(voted)
        await self._history.save_comparison(voted)
        return voted

    async def tally(self, comparison: Comparison, visitor: str | None) -> Tally:
        """Return how the visitor voted on comparisons of these columns."""
        others = await self._history.comparisons(visitor) if visitor else ()
        return tally_of(comparison, [comparison, *(each for each in others if each.id != comparison.id)])

    async def close(self) -> None:
        """Ask nothing more."""
        tasks = {running.task for running in self._running.values() if running.task}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def is_asking(self, id: str, at: int) -> bool:
        """Whether a column of a round is still to be asked."""
        running = self._running.get(id)
        if running is None or running.is_over:
            return False
        cells = running.comparison.rounds[at].cells
        return any(not cell.refusal and cell.turn_id not in running.begun for cell in cells)

    async def _scores(self, cell: Cell, round_: Round, visitor: str | None) -> Scores:
        """Return the scores of one answer; those of one that has ended are read once."""
        known = self._scored.get(cell.turn_id)
        if known is None:
            turn, (answer, *others) = await self._turn(cell.turn_id, visitor), round_.expected or ("",)
            known = scores_shown(turn, Question(round_.question, answer, tuple(others)))
            if turn and turn.state != "running":
                self._scored[cell.turn_id] = known
                if len(self._scored) > SCORES_KEPT:
                    self._scored.popitem(last=False)
        return known

    async def _turn(self, turn_id: str, visitor: str | None) -> Turn | None:
        try:
            return await self._pipeline.turn(turn_id, visitor)
        except NotFound:
            return None

    async def _run(self, running: Running, work: _Round, first: int) -> None:
        """Ask the other columns of the first round, then the further rounds, and keep what has become of them."""
        try:
            await work.begin_others(first)
            await work.wait()
            for at in range(1, len(running.comparison.rounds)):
                if running.is_stopped:
                    break
                work = _Round(self._pipeline, running, at)
                await self._history.save_comparison(running.comparison)
                await work.begin_others(-1)
                await work.wait()
        finally:
            running.is_over = True
            running.change()
            await self._history.save_comparison(running.comparison)
            self._running.pop(running.comparison.id, None)  # from now on what is stored is read


class _Round:
    """Asks one question of a comparison in each column."""

    def __init__(self, pipeline: Pipeline, running: Running, at: int) -> None:
        self._pipeline, self._running, self._at = pipeline, running, at
        self._searches = SharedSearches()
        self._own = [TurnSearches(self._searches) for _ in running.comparison.columns]

    @property
    def _round(self) -> Round:
        return self._running.comparison.rounds[self._at]

    @property
    def _begun(self) -> list[str]:
        """The ids of its turns that have begun; the others stand beside the first of them."""
        return [each.turn_id for each in self._round.cells if each.turn_id in self._running.begun]

    async def begin_first(self) -> int:
        """Begin the first column that can be asked, and return which. Raises Refused where none can, and Busy."""
        refusals: list[Refused] = []
        for column in range(len(self._own)):
            try:
                await self._begin(column)
            except Refused as refusal:
                refusals.append(refusal)
                self._refuse(column, refusal)
            else:
                return column
        raise refusals[0]

    async def begin_others(self, first: int) -> None:
        """Begin the columns behind `first`, each when there is a place for it."""
        for column in range(first + 1, len(self._own)):
            while not await self._was_stopped():
                try:
                    await self._begin(column)
                    if await self._was_stopped():  # while this one was on its way
                        await self._pipeline.stop(self._round.cells[column].turn_id)
                    break
                except Busy as busy:
                    waits_s = LOOK_EVERY_S if busy.code in ("turns", "visitor") else float(busy.retry_after_s)
                    if busy.code == "closing" or waits_s > MOST_WAIT_S:
                        self._refuse(column, busy)
                        break
                    await self._running.pause(waits_s)
                except GlassboxError as error:
                    self._refuse(column, error)
                    break

    async def wait(self) -> None:
        """Return when all turns have ended, with what is known of their searches kept."""
        await asyncio.gather(*map(self._ended, self._begun))
        for column, (cell, own) in enumerate(zip(self._round.cells, self._own, strict=True)):
            if own.all_reused and not cell.reused_search:
                self._keep(column, replace(cell, reused_search=True))

    async def _begin(self, column: int) -> None:
        running, asked = self._running, self._running.asked.request
        wanted, cell = running.comparison.columns[column], self._round.cells[column]
        is_known = bool(running.begun)
        request = replace(
            asked,
            question=self._round.question,
            # A stored answer would be there at once, and its figures would be those of the reading.
            options=replace(wanted.options, uses_cache=False),
            given=ALL_OPTIONS,
            model=wanted.model,
            model_key=running.asked.keys.get(wanted.model),
            conversation_id=running.comparison.id if is_known else None,
            new_conversation_id=running.comparison.id,
            beside=next(iter(self._begun), None),
            turn_id=cell.turn_id,
            history=(),
            waits=True,
        )
        await _within(self._own[column], self._pipeline, request)
        running.begun.add(cell.turn_id)
        running.change()

    async def _was_stopped(self) -> bool:
        """Whether somebody, or everybody's leaving, has stopped a column: then nothing more is asked."""
        if not self._running.is_stopped:
            turns = [await self._pipeline.turn(each, self._running.asked.request.visitor) for each in self._begun]
            self._running.is_stopped = any(turn.state == "stopped" for turn in turns)
        return self._running.is_stopped

    async def _ended(self, turn_id: str) -> None:
        """Return at a turn's ending. Of several questions it is read here too, so that nobody's leaving ends it."""
        if len(self._running.comparison.rounds) > 1:
            with suppress(NotFound):
                async for _ in self._pipeline.follow(turn_id):
                    pass
        await self._pipeline.wait_for_ending(turn_id, None)

    def _refuse(self, column: int, error: GlassboxError) -> None:
        self._keep(
            column,
            replace(self._round.cells[column], refusal=Message(f"{error.area}.{error.code}", dict(error.values))),
        )

    def _keep(self, column: int, cell: Cell) -> None:
        self._running.change(self._running.comparison.with_cell(self._at, column, cell))


async def _within(own: TurnSearches, pipeline: Pipeline, request: TurnRequest) -> None:
    """Start a turn whose searches are shared: its task copies the context that it is started in."""
    before = turn_searches.set(own)
    try:
        await pipeline.start(request)
    finally:
        turn_searches.reset(before)


def questions_of(text: str) -> tuple[Question, ...]:
    """Return the questions of a text: one a line, with what is expected behind a tab, or a set as JSON.

    Of several expected texts, between which there are bars, each is as good. Raises Refused with the line of what is
    wrong in a set.
    """
    if text.lstrip()[:1] in ("[", "{"):
        return read_questions(text)
    questions = []
    for line in text.splitlines():
        question, _, expected = line.partition("\t")
        answer, *others = map(str.strip, expected.split(LIST_JOIN))
        questions += [Question(question.strip(), answer, tuple(others))] if question.strip() else []
    return tuple(questions)


def lines_of(questions: Sequence[Question]) -> str:
    """Return questions as `questions_of` reads them, as many as a comparison may have; none that follow others."""
    alone = [each for each in questions if each.previous is None][:MOST_QUESTIONS]
    pairs = ((each.question, LIST_JOIN.join(each.golds)) for each in alone)
    return "\n".join("\t".join(" ".join(part.split()) for part in pair).rstrip() for pair in pairs)


def _has_begun(round_: Round, begun: set[str]) -> bool:
    return any(cell.refusal or cell.turn_id in begun for cell in round_.cells)


def _cell() -> Cell:
    return Cell(turn_id=secrets.token_urlsafe(16))
