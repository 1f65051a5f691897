"""Stores conversations and their turns, each with its owner, in SQLite or any database that SQLAlchemy reaches.

Knows no pipeline and no screen. A turn is one row that holds its events folded (`Recording`), not a row per event:
it is read back as a whole, and folding it shows what was seen. Whoever reads, rates or deletes says who they are; a row
without an owner is open to whoever knows its id. Every fault of the database is one StoreFault.
"""

from __future__ import annotations

import json
import logging
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from alembic import command
from alembic.config import Config
from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    and_,
    bindparam,
    case,
    delete,
    func,
    make_url,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from pipeline.comparison import Comparison
from pipeline.database import (
    comparisons,
    evaluations,
    expenses,
    feedback,
    inquiries,
    optimisations,
    prompts,
    request_results,
    saved_programs,
    verdict_reports,
)
from pipeline.database.branches import Branches
from pipeline.database.connections import DatabaseThreads, Unreadable
from pipeline.database.evaluations import StoredEvaluation, StoredSet
from pipeline.database.optimisations import Stored
from pipeline.database.recordings import Recorded, UnreadableRecording, decoded, encoded
from pipeline.database.tables import ConversationRow, ExchangesRow, FeedbackRow, MetricsRow, Table, TurnRow
from pipeline.database.texts import is_storable, storable
from pipeline.display_names import shown_name
from pipeline.errors import NotFound, StoreFault
from pipeline.events import Event, TurnFailed, TurnFinished, TurnStopped, Warned
from pipeline.exchange_costs import Cost
from pipeline.exchanges import PromptExchange, exchanges_from_wire, exchanges_to_wire
from pipeline.expenses import Expense, Spent
from pipeline.feedback import NO_FEEDBACK, Feedback
from pipeline.metrics import measure
from pipeline.options import read
from pipeline.recording import timed
from pipeline.request_result import RequestResult
from pipeline.saved_program import SavedProgram
from pipeline.turn import AskOptions, Conversation, Rating, Trouble, Turn, TurnMetrics, TurnState
from pipeline.turn_sample import TurnSample, UsedPrompt
from pipeline.verdict_reports import VerdictReport
from pipeline.verdicts import Label

TITLE_CHARS = 120
LISTED = 200  # conversations, newest first
RATED = 100  # rated turns that are read at once
PROMPTED = 300  # the latest turns, from which instructions are known
ALIKE = 10  # of them that end with the same question
READERS = 4  # threads
OPEN_EVERY_S = 5.0  # how often a database that failed is made ready anew; a piece of work is tried always

T = TypeVar("T")

log = logging.getLogger(__name__)


class Store:
    """The conversations in one database. `open` before use, `close` after it; the rest runs on the event loop.

    Rows written are there after a killed process; a power cut may take the last moments, never the whole. A store that
    fails goes on by itself as soon as its database works again. A SQLite file that cannot be read is moved aside.
    """

    def __init__(self, url: str) -> None:
        self._url, self._made_at = url, time.time()
        self._writes = DatabaseThreads(url, "write", threads=1)
        self._reads = DatabaseThreads(url, "read", threads=READERS)
        self._is_open = self._is_failing = self._has_moved_aside = False
        self._opens_again_at = 0.0

    @property
    def trouble(self) -> Trouble | None:
        """Return the message for people when their history cannot be saved, None when it can."""
        return "not_saved" if self._is_failing else "moved_aside" if self._has_moved_aside else None

    def open(self) -> None:
        """Bring the tables up to date, and end the turns that a killed process left running.

        Raises StoreFault. The store can be used even so: each use then tries to open it first.
        """
        self._is_failing = True
        try:
            self._writes.run_now(_check)
            self._prepare()
        except Unreadable:
            self._move_aside()
            self._prepare()
        self._is_open, self._is_failing = True, False

    def close(self) -> None:
        """Wait for what is being written. Nothing can be asked of a closed store."""
        self._writes.close()
        self._reads.close()

    def _prepare(self) -> None:
        self._writes.run_now(_migrate)
        self._writes.run_now(lambda session: _stop_running(session, self._made_at))
        self._writes.run_now(lambda session: optimisations.interrupt(session, self._made_at))

    def _move_aside(self) -> None:
        """Under a dated name, so that somebody may still rescue it."""
        self._reads.disconnect()
        self._writes.disconnect()
        file = Path(make_url(self._url).database or "")
        aside = file.with_name(f"{file.name}.unreadable-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            for suffix in ("", "-wal", "-shm"):
                part = file.with_name(file.name + suffix)
                if part.exists():
                    part.rename(aside.with_name(aside.name + suffix))
        except OSError as error:
            raise StoreFault from error
        self._has_moved_aside = True
        log.error("the database could not be read and was moved aside: %s", aside.name)

    async def _write(self, work: Callable[[Session], T], *, is_durable: bool = True) -> T:
        """Do work in a transaction; a durable one is on the disk when it returns, others may be lost in a power cut."""
        try:
            if not self._is_open and time.monotonic() >= self._opens_again_at:
                self._opens_again_at = time.monotonic() + OPEN_EVERY_S
                await self._writes.in_thread(self.open)
            done = await self._writes.run(work, is_durable=is_durable)
        except StoreFault as fault:
            if not fault.is_own_fault:  # which says nothing about the database
                self._is_open, self._is_failing = False, True
            raise
        self._is_failing = False
        return done

    async def find(self, conversation_id: str, owner: str | None) -> Conversation | None:
        """The conversation, None where there is none or it is someone else's."""

        def work(session: Session) -> Conversation | None:
            row = session.scalar(
                select(ConversationRow).where(
                    ConversationRow.id == _named(conversation_id), _open_to(owner, ConversationRow.owner)
                )
            )
            return _conversation(row) if row else None

        return await self._reads.run(work)

    async def conversations(self, owner: str | None) -> tuple[Conversation, ...]:
        """Return the conversations of `owner`, newest first, but for those of evaluations.

        Conversations without an owner are never listed.
        """
        wanted = (
            select(ConversationRow)
            .where(ConversationRow.owner == _named(owner), ConversationRow.owner.is_not(None))
            .where(ConversationRow.kind.is_distinct_from(evaluations.KIND))
            .order_by(ConversationRow.changed_at.desc(), ConversationRow.id)
            .limit(LISTED)
        )
        return await self._reads.run(lambda session: tuple(map(_conversation, session.scalars(wanted))))

    async def turns(
        self, conversation_id: str, owner: str | None, path: Collection[str] | None = None
    ) -> tuple[Turn, ...]:
        """Return the turns of the active path, or those whose ids `path` holds, oldest first.

        Returns none where the conversation is someone else's.
        """
        wanted = (
            select(TurnRow, MetricsRow, FeedbackRow)
            .outerjoin(MetricsRow, MetricsRow.turn_id == TurnRow.id)
            .outerjoin(FeedbackRow, FeedbackRow.turn_id == TurnRow.id)
            .where(TurnRow.conversation_id == _named(conversation_id), _open_to(owner, TurnRow.owner))
            .order_by(TurnRow.position)
        )

        def work(session: Session) -> tuple[Turn, ...]:
            branches = _branches(session, conversation_id, owner)
            others = branches.parents.keys() - set(branches.path() if path is None else path)
            some = wanted.where(TurnRow.id.not_in(others)) if others else wanted
            return tuple(_turn(*row) for row in session.execute(some))

        return await self._reads.run(work)

    async def branches(self, conversation_id: str, owner: str | None) -> Branches:
        """Return the ids of all turns of a conversation as a tree; an empty one where it is someone else's."""
        return await self._reads.run(lambda session: _branches(session, conversation_id, owner))

    async def versions(self, conversation_id: str, owner: str | None) -> dict[str, tuple[str, ...]]:
        """Map each turn of the active path to the ids of all its versions, itself included, in order of asking."""
        return (await self.branches(conversation_id, owner)).versions()

    async def turn(self, turn_id: str, owner: str | None) -> Turn | None:
        """One turn, None where there is none or it is someone else's."""
        wanted = (
            select(TurnRow, FeedbackRow)
            .outerjoin(FeedbackRow, FeedbackRow.turn_id == TurnRow.id)
            .where(TurnRow.id == _named(turn_id), _open_to(owner, TurnRow.owner))
        )

        def work(session: Session) -> Turn | None:
            row = session.execute(wanted).first()
            return _turn(row[0], feedback_row=row[1]) if row else None

        return await self._reads.run(work)

    async def cached_turn(self, key: str, owner: str) -> Turn | None:
        """Return the owner's latest turn with a cache key; None without one, or where the owner disliked it."""
        wanted = (
            select(TurnRow)
            .where(TurnRow.cache_key == key, TurnRow.owner == _named(owner), TurnRow.state == "finished")
            .order_by(TurnRow.asked_at.desc())
            .limit(1)
        )

        def work(session: Session) -> Turn | None:
            row = session.scalar(wanted)
            return _turn(row) if row and row.rating >= 0 else None

        return await self._reads.run(work)

    async def last_turns(self, owner: str, question: str) -> tuple[Turn, ...]:
        """Return the last turns of the owner's newest conversations that ask a question, the latest first."""
        newest = (
            select(ConversationRow.active_leaf, ConversationRow.changed_at)
            .where(ConversationRow.owner == _named(owner))
            .order_by(ConversationRow.changed_at.desc())
            .limit(LISTED)
            .subquery()
        )
        wanted = (
            select(TurnRow)
            .join(newest, newest.c.active_leaf == TurnRow.id)
            .where(TurnRow.question == storable(question), TurnRow.owner == _named(owner))
            .order_by(newest.c.changed_at.desc())
            .limit(ALIKE)
        )
        return await self._reads.run(lambda session: tuple(map(_turn, session.scalars(wanted))))

    async def open_turn(
        self,
        conversation: Conversation,
        turn: Turn,
        replaces: str | None = None,
        *,
        continues: bool = False,
        follows: str | None = None,
    ) -> None:
        """Add a turn, and its conversation unless it `continues` with one, titled by the question.

        It becomes the active leaf; `Branches.parent_of` says what it follows. With `replaces` it is another version of
        that turn, if that is there (its own saving may have failed), and nothing is removed. Raises NotFound, and
        changes nothing, when the conversation is someone else's or was deleted.
        """

        def work(session: Session) -> None:
            _open_turn(session, conversation, turn, replaces, follows, continues=continues)

        await self._write(work, is_durable=False)

    async def activate(self, turn_id: str, owner: str | None) -> bool:
        """Show the path through this turn to the newest turn below it; False when this owner has no such turn."""
        return await self._write(lambda session: _activate(session, turn_id, owner))

    async def save_turn(self, turn: Turn, exchanges: Sequence[PromptExchange] = ()) -> bool:
        """Store the turn's state, recording, metrics and exact prompts; False when there is no such turn (any more).

        The ending of a turn is committed with full durability, what it has said until then is not. Compressing long
        prompts takes tenths of a second, so it is done in the writer's thread.
        """

        def work(session: Session) -> bool:
            if not _save_turn(session, turn):
                return False
            if exchanges:
                content = zlib.compress(exchanges_to_wire(exchanges), 9)
                session.merge(ExchangesRow(turn_id=turn.id, stored_at=time.time(), content=content))
            return True

        return await self._write(work, is_durable=turn.state != "running")

    async def exchanges(self, turn_id: str, owner: str | None) -> tuple[PromptExchange, ...] | None:
        """Return the exact prompts of a turn, none where they are no longer stored; None without such a turn."""
        wanted = (
            select(TurnRow.id, ExchangesRow.content)
            .outerjoin(ExchangesRow, ExchangesRow.turn_id == TurnRow.id)
            .where(TurnRow.id == _named(turn_id), _open_to(owner, TurnRow.owner))
        )

        def work(session: Session) -> tuple[PromptExchange, ...] | None:
            row = session.execute(wanted).first()
            if row is None:
                return None
            return exchanges_from_wire(zlib.decompress(row.content)) if row.content else ()

        return await self._reads.run(work)

    async def delete_exchanges(self, before_s: float) -> bool:
        """Remove the prompts that were stored before a time, also from SQLite's log; False when there were none."""
        deleting = delete(ExchangesRow).where(ExchangesRow.stored_at < before_s)
        deleted = await self._write(lambda session: _hits(session, deleting))
        if deleted:
            await self._writes.wipe()
        return deleted

    async def save_inquiry(self, turn_id: str, name: str, content: bytes) -> bool:
        """Store what an inquiry about a turn has found; False when there is no such turn (any more)."""
        return await self._write(lambda session: inquiries.save(session, turn_id, name, content))

    async def inquiries(self, turn_id: str, owner: str | None) -> dict[str, bytes]:
        """Return what inquiries about a turn have found, by their names; none of someone else's turn."""
        readable = select(TurnRow.id).where(TurnRow.id == _named(turn_id), _open_to(owner, TurnRow.owner))

        def work(session: Session) -> dict[str, bytes]:
            return inquiries.of(session, turn_id) if session.scalar(readable) else {}

        return await self._reads.run(work)

    async def save_verdict_report(self, report: VerdictReport) -> bool:
        """Store a verdict that is called wrong; False when there is no such turn (any more)."""
        return await self._write(lambda session: verdict_reports.save(session, report))

    async def remove_verdict_report(self, turn_id: str, field: str, index: int) -> None:
        """Remove the report on one sentence of a turn."""
        await self._write(lambda session: verdict_reports.remove(session, storable(turn_id), storable(field), index))

    async def reported_sentences(self, turn_id: str) -> frozenset[tuple[str, int]]:
        """Return the sentences of a turn that are reported, each by its field and index."""
        return await self._reads.run(lambda session: verdict_reports.of_turn(session, storable(turn_id)))

    async def verdict_reports(self, owner: str) -> tuple[VerdictReport, ...]:
        """Return a visitor's reports, oldest first."""
        return await self._reads.run(lambda session: verdict_reports.of_owner(session, storable(owner)))

    async def all_verdict_reports(self) -> tuple[VerdictReport, ...]:
        """Return the reports of all visitors, oldest first."""
        return await self._reads.run(verdict_reports.of_all)

    async def save_question_set(self, owner: str, stored: StoredSet) -> bool:
        """Store a question set of an owner; False where the owner has too many."""
        return await self._write(lambda session: evaluations.save_set(session, storable(owner), stored))

    async def question_sets(self, owner: str) -> tuple[StoredSet, ...]:
        """Return an owner's question sets, newest first."""
        return await self._reads.run(lambda session: evaluations.sets_of(session, storable(owner)))

    async def remove_question_set(self, owner: str, id: str) -> bool:
        """Remove an owner's question set; False where there is none of that id."""
        return await self._write(lambda session: evaluations.remove_set(session, storable(owner), storable(id)))

    async def save_evaluation(self, stored: StoredEvaluation) -> None:
        """Store an evaluation in the place of what is stored of it."""
        await self._write(lambda session: evaluations.save(session, stored))

    async def save_evaluated_row(self, id: str, position: int, content: bytes) -> None:
        """Store what has become of a question of an evaluation."""
        await self._write(lambda session: evaluations.save_row(session, id, position, content))

    async def evaluation(self, id: str, owner: str | None) -> StoredEvaluation | None:
        """Return an evaluation, None where there is none or it is someone else's."""
        return await self._reads.run(lambda session: evaluations.named(session, storable(id), _named(owner)))

    async def evaluations(self, owner: str) -> tuple[StoredEvaluation, ...]:
        """Return an owner's latest evaluations, newest first."""
        return await self._reads.run(lambda session: evaluations.of_owner(session, storable(owner)))

    async def evaluated_rows(self, id: str) -> tuple[bytes, ...]:
        """Return the rows of an evaluation, in order of their ends."""
        return await self._reads.run(lambda session: evaluations.rows_of(session, id))

    async def save_comparison(self, comparison: Comparison) -> bool:
        """Store a comparison in the place of what is stored of it; False where its conversation is not stored."""
        return await self._write(lambda session: comparisons.save(session, comparison))

    async def comparison(self, id: str, owner: str | None) -> Comparison | None:
        """Return the comparison of that conversation, None where there is none or it is someone else's."""
        return await self._reads.run(lambda session: comparisons.named(session, storable(id), _named(owner)))

    async def comparisons(self, owner: str) -> tuple[Comparison, ...]:
        """Return an owner's latest comparisons, newest first."""
        return await self._reads.run(lambda session: comparisons.of_owner(session, storable(owner)))

    async def add_updates(self, turn_id: str, updates: int) -> None:
        """Count views that were sent after the turn's metrics were kept."""
        adding = update(MetricsRow).where(MetricsRow.turn_id == turn_id).values(updates=MetricsRow.updates + updates)
        await self._write(lambda session: _hits(session, adding), is_durable=False)

    async def measured(self, each: int) -> tuple[TurnMetrics, ...]:
        """The metrics of each model's latest `each` answers, oldest first: numbers, whoever asked."""
        place = func.row_number().over(partition_by=MetricsRow.model_used, order_by=MetricsRow.asked_at.desc())
        is_learned_from = MetricsRow.ending == "finished", MetricsRow.cached.is_(False)
        latest = select(MetricsRow.turn_id, place.label("place")).where(*is_learned_from).subquery()
        wanted = (
            select(MetricsRow)
            .join(latest, latest.c.turn_id == MetricsRow.turn_id)
            .where(latest.c.place <= each)
            .order_by(MetricsRow.asked_at)
        )
        return await self._reads.run(lambda session: tuple(map(_metrics, session.scalars(wanted))))

    async def cost(self, conversation_id: str, owner: str | None) -> Cost:
        """Return what all turns of a conversation cost, as far as it is known; None where nothing is."""
        estimated = func.sum(case((MetricsRow.exact, 0), else_=1))
        wanted = select(func.sum(MetricsRow.cost), estimated).where(
            MetricsRow.conversation_id == _named(conversation_id),
            MetricsRow.cost.is_not(None),
            _open_to(owner, MetricsRow.owner),
        )

        def work(session: Session) -> Cost:
            usd, inexact = session.execute(wanted).one()
            return Cost(usd, exact=not inexact)

        return await self._reads.run(work)

    async def delete(self, conversation_id: str, owner: str | None) -> bool:
        """Remove a conversation and its turns, also from SQLite's log; False when there is none for this owner."""
        deleting = delete(ConversationRow).where(
            ConversationRow.id == _named(conversation_id), _open_to(owner, ConversationRow.owner)
        )

        def work(session: Session) -> bool:
            is_deleted = _hits(session, deleting)
            if is_deleted and owner:
                prompts.remove_unused(session, owner)
            return is_deleted

        deleted = await self._write(work)
        if deleted:
            await self._writes.wipe()
        return deleted

    async def rate(self, turn_id: str, owner: str | None, rating: Rating, said: Feedback = NO_FEEDBACK) -> bool:
        """Keep a visitor's liking and what is said with it; False when there is no such turn for this owner."""
        is_meant = and_(TurnRow.id == _named(turn_id), _open_to(owner, TurnRow.owner))
        return await self._write(lambda session: feedback.rate(session, is_meant, rating, said))

    async def rated_turns(
        self, owner: str | None, before: tuple[float, str] | None = None, limit: int = RATED
    ) -> tuple[Turn, ...]:
        """Return the rated turns of an owner, or with None those of all, the latest thumb first.

        `before` names the last turn of the part before, by the time of its thumb and its id.
        """
        wanted = feedback.rated(owner and storable(owner), before, limit)

        def work(session: Session) -> tuple[Turn, ...]:
            return tuple(_turn(turn, feedback_row=row) for turn, row in session.execute(wanted))

        return await self._reads.run(work)

    async def samples_of_variants(self, variants: Collection[str]) -> tuple[TurnSample, ...]:
        """Return the measurements of the turns of some variants that have ended; their units are visitors."""
        wanted = (
            select(TurnRow.variant, TurnRow.owner, TurnRow.rating, MetricsRow)
            .join(MetricsRow, MetricsRow.turn_id == TurnRow.id)
            .where(TurnRow.variant.in_(variants))
        )

        def work(session: Session) -> tuple[TurnSample, ...]:
            return tuple(
                TurnSample(
                    group=variant or "",
                    unit=visitor or "",
                    rating=cast("Rating", rating),
                    asked_at=row.asked_at,
                    metrics=_metrics(row),
                )
                for variant, visitor, rating, row in session.execute(wanted)
            )

        return await self._reads.run(work)

    async def prompts(self, owner: str) -> tuple[UsedPrompt, ...]:
        """Return the instructions that an owner's turns were answered by, the newest first."""
        return await self._reads.run(lambda session: prompts.of_owner(session, storable(owner)))

    async def samples_of_prompts(self, owner: str) -> tuple[TurnSample, ...]:
        """Return the measurements of an owner's latest turns by the hash of their instructions; the units are turns."""

        def work(session: Session) -> tuple[TurnSample, ...]:
            return tuple(
                TurnSample(
                    group=row.prompt or "",
                    unit=row.id,
                    rating=cast("Rating", row.rating),
                    asked_at=row.asked_at,
                    metrics=_metrics(measured),
                    checks=_checks(row),
                )
                for row, measured in session.execute(prompts.prompted(storable(owner), PROMPTED))
            )

        return await self._reads.run(work)

    async def adopt(self, owner: str, new_owner: str) -> None:
        """Give every row of an owner to another."""
        await self._write(lambda session: _adopt(session, owner, new_owner))

    async def save_program(self, owner: str, saved: SavedProgram) -> None:
        """Store a visitor's program in the place of theirs of that name."""
        await self._write(lambda session: saved_programs.save(session, owner, saved))

    async def saved_program(self, owner: str, name: str) -> SavedProgram | None:
        """Return a visitor's program of that name, None for that of anybody else."""
        return await self._reads.run(lambda session: saved_programs.named(session, storable(owner), storable(name)))

    async def saved_programs(self, owner: str) -> tuple[SavedProgram, ...]:
        """Return a visitor's programs, oldest first."""
        return await self._reads.run(lambda session: saved_programs.of(session, storable(owner)))

    async def remove_program(self, owner: str, name: str) -> None:
        """Remove a visitor's program of that name."""
        await self._write(lambda session: saved_programs.remove(session, storable(owner), storable(name)))

    async def save_optimisation(self, stored: Stored) -> None:
        """Store an optimisation as it is now, with those of its trials that are new."""
        await self._write(lambda session: optimisations.save(session, stored))

    async def optimisation(self, id: str) -> Stored | None:
        """Return an optimisation, whoever's it is."""
        return await self._reads.run(lambda session: optimisations.of(session, storable(id)))

    async def optimisations(self, owner: str) -> tuple[Stored, ...]:
        """Return the optimisations of a visitor, the latest first."""
        return await self._reads.run(lambda session: optimisations.of_owner(session, storable(owner)))

    async def keep_result(self, result: RequestResult) -> None:
        """Store the result of a request that may be sent again, in the place of an older one of its id."""
        await self._write(lambda session: request_results.save(session, result))

    async def kept_result(self, id: str, since_s: float) -> RequestResult | None:
        """Return the result of that id, None for one that was stored before `since_s`."""
        return await self._reads.run(lambda session: request_results.named(session, id, since_s))

    async def add_expense(self, day: str, expense: Expense) -> None:
        """Add what a call of a provider used to the sums of its day."""
        await self._write(lambda session: expenses.add(session, day, expense), is_durable=False)

    async def spent(self, day: str, visitor: str) -> Spent:
        """What the host paid on a day, in all and for one visitor."""
        return await self._reads.run(lambda session: expenses.spent(session, day, storable(visitor)))

    async def expenses(self, day: str) -> tuple[Expense, ...]:
        """The expenses of a day and of all later ones, a row for each visitor, profile, model and payer."""
        return await self._reads.run(lambda session: expenses.since(session, day))


def interrupted(turn: Turn, *, saved: bool = True) -> tuple[Event, ...]:
    """Return the events that end the record of a turn whose ending was never stored.

    They come after every piece of it: a delta of a compact record has the number and the time of its first piece.
    """
    pieces = timed(turn.record, turn.timings)
    seq, at_s = (pieces[-1].seq + 1, pieces[-1].at_s) if pieces else (0, 0.0)
    return (
        Warned(code="interrupted", seq=seq, at_s=at_s),
        TurnStopped(seq=seq + 1, at_s=at_s, partial=turn.fields, saved=saved),
    )


def _check(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite" and session.scalar(text("PRAGMA quick_check(1)")) != "ok":
        raise Unreadable


def _migrate(session: Session) -> None:
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = session.connection()
    command.upgrade(config, "head")


def _stop_running(session: Session, before_s: float) -> None:
    left = select(TurnRow).where(TurnRow.state == "running", TurnRow.asked_at < before_s)
    for row in session.scalars(left).all():
        turn = _turn(row)
        if turn.state != "running":
            continue  # it is damaged: its bytes stay as they are, and are read as a failed turn
        said = (*turn.record, *interrupted(turn))
        # A record does not tell how many chunks there were, nor until when.
        metrics = replace(measure(said), chunks=0, total_s=None, tokens_per_s=None)
        _save_turn(session, replace(turn, state="stopped", record=said, metrics=metrics))


def _open_turn(
    session: Session,
    conversation: Conversation,
    turn: Turn,
    replaces: str | None,
    follows: str | None,
    *,
    continues: bool,
) -> None:
    if session.get(TurnRow, turn.id):
        return  # an earlier try was given up by its caller, and yet came through
    asked_at = turn.asked_at or time.time()
    inside = TurnRow.conversation_id == conversation.id
    last = session.scalar(select(func.max(TurnRow.position)).where(inside))
    parent_id = _branches(session, conversation.id, conversation.owner).parent_of(replaces, follows, turn.parent_id)
    row = session.get(ConversationRow, conversation.id)
    if row is None:
        if continues:
            raise NotFound
        row = ConversationRow(id=conversation.id, owner=conversation.owner, created_at=asked_at)
        session.add(row)
    elif row.owner != conversation.owner:
        raise NotFound
    if parent_id is None:
        row.title = shown_name(turn.question, TITLE_CHARS)
    row.changed_at, row.active_leaf = asked_at, turn.id
    session.flush()  # before its turn: the session does not know that one row refers to the other
    session.add(
        TurnRow(
            id=turn.id,
            conversation_id=conversation.id,
            owner=conversation.owner,
            position=0 if last is None else last + 1,
            parent_id=parent_id,
            question=storable(turn.question),
            model=storable(turn.model),
            state=turn.state,
            recording=encoded(turn),
            program=turn.program,
            program_version=turn.program_version,
            prompt_chars=turn.prompt_chars,
            cache_key=turn.cache_key,
            request_hash=turn.request_hash,
            variant=turn.variant,
            prompt=prompts.note(session, conversation.owner, turn),
            rating=turn.rating,
            asked_at=asked_at,
            asked=storable(json.dumps(asdict(turn.asked), ensure_ascii=False)) if turn.asked else None,
        )
    )


# Made once and without the session's bookkeeping: every running turn is saved once a second.
_SAVING = (
    update(TurnRow)
    .where(TurnRow.id == bindparam("turn_id"), TurnRow.conversation_id == bindparam("conversation"))
    .values(
        state=bindparam("new_state"),
        recording=bindparam("new_recording"),
        prompt_chars=bindparam("new_prompt_chars"),
        cache_key=bindparam("new_cache_key"),
    )
    .returning(TurnRow.owner, TurnRow.asked_at)
)


def _save_turn(session: Session, turn: Turn) -> bool:
    new = {
        "turn_id": turn.id,
        "conversation": turn.conversation_id,
        "new_state": turn.state,
        "new_recording": encoded(turn),
        "new_prompt_chars": turn.prompt_chars,
        "new_cache_key": turn.cache_key,
    }
    kept = session.connection().execute(_SAVING, new).first()
    if kept and turn.metrics:
        session.merge(_metrics_row(turn.id, turn.conversation_id, *kept, turn.metrics))
    return kept is not None


def _branches(session: Session, conversation_id: str, owner: str | None) -> Branches:
    inside = TurnRow.conversation_id == _named(conversation_id), _open_to(owner, TurnRow.owner)
    wanted = select(TurnRow.id, TurnRow.parent_id).where(*inside).order_by(TurnRow.position)
    parents = {row.id: row.parent_id for row in session.execute(wanted)}
    leaf = select(ConversationRow.active_leaf).where(ConversationRow.id == _named(conversation_id))
    return Branches(parents, session.scalar(leaf) if parents else None)


def _activate(session: Session, turn_id: str, owner: str | None) -> bool:
    wanted = select(ConversationRow).join(TurnRow, TurnRow.conversation_id == ConversationRow.id)
    conversation = session.scalar(wanted.where(TurnRow.id == _named(turn_id), _open_to(owner, TurnRow.owner)))
    if conversation is None:
        return False
    branches = _branches(session, conversation.id, owner).activated(turn_id)
    conversation.active_leaf = branches.active_leaf
    first = session.scalar(select(TurnRow.question).where(TurnRow.id == branches.path()[0]))
    conversation.title = shown_name(first or "", TITLE_CHARS)
    return True


def _open_to(visitor: str | None, owner: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    return or_(owner.is_(None), owner == _named(visitor))


def _named(token: object) -> str | None:
    """An id or an owner as a database takes it; None, which no id is, for what names nothing and nobody."""
    return token if isinstance(token, str) and is_storable(token) else None


def _hits(session: Session, statement: Executable) -> bool:
    return cast("CursorResult[object]", session.execute(statement)).rowcount > 0


def _adopt(session: Session, owner: str, new_owner: str) -> None:
    prompts.make_room(session, storable(owner), storable(new_owner))
    for table in Table.metadata.sorted_tables:
        if "owner" in table.c:
            session.execute(update(table).where(table.c.owner == _named(owner)).values(owner=new_owner))


def _conversation(row: ConversationRow) -> Conversation:
    title = shown_name(row.title, TITLE_CHARS)
    return Conversation(row.id, row.owner, title, row.changed_at, row.active_leaf, row.kind)


def _turn(row: TurnRow, metrics: MetricsRow | None = None, feedback_row: FeedbackRow | None = None) -> Turn:
    recorded, state = _recorded(row)
    return Turn(
        id=row.id,
        conversation_id=row.conversation_id,
        question=row.question,
        model=row.model,
        state=state,
        record=recorded.record,
        fields=recorded.fields,
        rating=cast("Rating", row.rating),
        feedback=feedback.of_row(feedback_row),
        asked_at=row.asked_at,
        metrics=_metrics(metrics) if metrics else None,
        asked=_options(row.asked) if row.asked else None,
        parent_id=row.parent_id,
        program=row.program,
        program_version=row.program_version,
        instructions=recorded.instructions,
        prompt_chars=row.prompt_chars,
        timings=recorded.timings,
        cache_key=row.cache_key,
        request_hash=row.request_hash,
        variant=row.variant,
    )


def _recorded(row: TurnRow) -> tuple[Recorded, TurnState]:
    """Return what a row holds; a damaged one is a failed turn, so that the others of its conversation can be read."""
    try:
        return decoded(row.recording), cast("TurnState", row.state)
    except UnreadableRecording:
        log.error("a stored turn could not be read")
        failed = TurnFailed(seq=0, at_s=0.0, code=StoreFault().code, retryable=True, partial={}, saved=True)
        return Recorded((failed,), {}, None, None), "failed"


def _checks(row: TurnRow) -> Mapping[Label, int]:
    record = _recorded(row)[0].record
    ending = record[-1] if record else None
    return ending.checks if isinstance(ending, TurnFinished) else {}


def _options(stored: str) -> AskOptions:
    """Options that this version does not know are left out, and those that it misses are the default."""
    return read(AskOptions, json.loads(stored))


def _metrics(row: MetricsRow) -> TurnMetrics:
    values: dict[str, Any] = {each.name: getattr(row, each.name) for each in fields(TurnMetrics)}
    return TurnMetrics(**values | {"rungs": tuple(row.rungs.split())})


def _metrics_row(
    turn_id: str, conversation_id: str, owner: str | None, asked_at: float, metrics: TurnMetrics
) -> MetricsRow:
    values = asdict(metrics) | {"rungs": " ".join(metrics.rungs)}
    values = {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}
    return MetricsRow(turn_id=turn_id, conversation_id=conversation_id, owner=owner, asked_at=asked_at, **values)
