"""What is remembered: conversations and their turns, each with its owner. SQLite, or any database SQLAlchemy reaches.

Knows no pipeline and no screen. A turn is one row that holds its events folded (`events.compact`), not a row per event:
it is read back as a whole, and folding it shows what was seen. Whoever reads, rates or deletes says who they are; a row
without an owner is open to whoever knows its id. Every fault of the database is one StoreFault.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from alembic import command
from alembic.config import Config
from pydantic_core import PydanticSerializationError, to_jsonable_python
from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    bindparam,
    delete,
    func,
    make_url,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from pipeline.conversation import AskOptions, Conversation, Rating, Turn, TurnMetrics, TurnState
from pipeline.errors import NotFound, StoreFault
from pipeline.events import Event, TurnStarted, TurnStopped, record_from_wire, record_to_wire
from pipeline.metrics import measure
from pipeline.names import shown_name
from pipeline.notices import warned
from pipeline.store.database import Gate, Unreadable
from pipeline.store.tables import ConversationRow, MetricsRow, TurnRow

TITLE_CHARS = 120
LISTED = 200  # conversations, newest first
READERS = 4  # threads
OPEN_EVERY_S = 5.0  # how often a database that failed is made ready anew; a piece of work is tried always

MOVED_ASIDE = "The history could not be read. It was moved aside, to a dated file in DATA_DIR, and a new one has begun."
NOT_SAVED = (
    "Conversations cannot be saved right now: answers go on, but will be gone after a restart. Free disk space or make "
    "DATA_DIR writable; saving then goes on by itself."
)

T = TypeVar("T")

log = logging.getLogger(__name__)

# What no encoding or no database takes: halves of a character that a cut left behind, and NUL (Postgres).
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


class Store:
    """The conversations in one database. `open` before use, `close` after it; the rest runs on the event loop.

    Rows written are there after a killed process; a power cut may take the last moments, never the whole. A store that
    fails goes on by itself as soon as its database works again. A SQLite file that cannot be read is moved aside.
    """

    def __init__(self, url: str) -> None:
        self._url, self._made_at = url, time.time()
        self._writes = Gate(url, "write", threads=1)
        self._reads = Gate(url, "read", threads=READERS)
        self._is_open = self._is_failing = self._has_moved_aside = False
        self._opens_again_at = 0.0

    @property
    def trouble(self) -> str | None:
        """What people should know of their history and do about it, None when all is well."""
        return NOT_SAVED if self._is_failing else MOVED_ASIDE if self._has_moved_aside else None

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

    async def _write(self, work: Callable[[Session], T]) -> T:
        try:
            if not self._is_open and time.monotonic() >= self._opens_again_at:
                self._opens_again_at = time.monotonic() + OPEN_EVERY_S
                await self._writes.in_thread(self.open)
            done = await self._writes.run(work)
        except StoreFault as fault:
            if fault.code == StoreFault().code:  # a bug of ours says nothing about the database
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
        """What belongs to `owner`, newest first. What belongs to nobody is listed nowhere."""
        wanted = (
            select(ConversationRow)
            .where(ConversationRow.owner == _named(owner), ConversationRow.owner.is_not(None))
            .order_by(ConversationRow.changed_at.desc(), ConversationRow.id)
            .limit(LISTED)
        )
        return await self._reads.run(lambda session: tuple(map(_conversation, session.scalars(wanted))))

    async def turns(self, conversation_id: str, owner: str | None) -> tuple[Turn, ...]:
        """The conversation's turns in order; none where it is someone else's."""
        wanted = (
            select(TurnRow, MetricsRow)
            .outerjoin(MetricsRow, MetricsRow.turn_id == TurnRow.id)
            .where(TurnRow.conversation_id == _named(conversation_id), _open_to(owner, TurnRow.owner))
            .order_by(TurnRow.position)
        )
        return await self._reads.run(lambda session: tuple(_turn(*row) for row in session.execute(wanted)))

    async def turn(self, turn_id: str, owner: str | None) -> Turn | None:
        """One turn, None where there is none or it is someone else's."""
        wanted = select(TurnRow).where(TurnRow.id == _named(turn_id), _open_to(owner, TurnRow.owner))

        def work(session: Session) -> Turn | None:
            row = session.scalar(wanted)
            return _turn(row) if row else None

        return await self._reads.run(work)

    async def open_turn(
        self, conversation: Conversation, turn: Turn, replaces: str | None = None, *, goes_on: bool = False
    ) -> None:
        """Add a turn, and its conversation unless it `goes_on` with one, titled by the question.

        The turn `replaces` and all after it are removed first, if it is there (its own saving may have failed). Raises
        NotFound, and changes nothing, when the conversation is someone else's or was deleted.
        """
        await self._write(lambda session: _open_turn(session, conversation, turn, replaces, goes_on=goes_on))

    async def save_turn(self, turn: Turn) -> bool:
        """Keep the turn's state, record, fields and metrics; False when there is no such turn (any more)."""
        return await self._write(lambda session: _save_turn(session, turn))

    async def add_updates(self, turn_id: str, updates: int) -> None:
        """Count views that were sent after the turn's metrics were kept."""
        adding = update(MetricsRow).where(MetricsRow.turn_id == turn_id).values(updates=MetricsRow.updates + updates)
        await self._write(lambda session: _hits(session, adding))

    async def measured(self, each: int) -> tuple[TurnMetrics, ...]:
        """The metrics of each model's latest `each` answers, oldest first: numbers, whoever asked."""
        place = func.row_number().over(partition_by=MetricsRow.model_used, order_by=MetricsRow.asked_at.desc())
        latest = select(MetricsRow.turn_id, place.label("place")).where(MetricsRow.ending == "finished").subquery()
        wanted = (
            select(MetricsRow)
            .join(latest, latest.c.turn_id == MetricsRow.turn_id)
            .where(latest.c.place <= each)
            .order_by(MetricsRow.asked_at)
        )
        return await self._reads.run(lambda session: tuple(map(_metrics, session.scalars(wanted))))

    async def delete(self, conversation_id: str, owner: str | None) -> bool:
        """Remove a conversation and its turns, also from SQLite's log; False when there is none for this owner."""
        deleting = delete(ConversationRow).where(
            ConversationRow.id == _named(conversation_id), _open_to(owner, ConversationRow.owner)
        )
        deleted = await self._write(lambda session: _hits(session, deleting))
        if deleted:
            await self._writes.wipe()
        return deleted

    async def rate(self, turn_id: str, owner: str | None, rating: Rating) -> bool:
        """Keep a visitor's liking; False when there is no such turn for this owner."""
        rating_it = (
            update(TurnRow).where(TurnRow.id == _named(turn_id), _open_to(owner, TurnRow.owner)).values(rating=rating)
        )
        return await self._write(lambda session: _hits(session, rating_it))


def interrupted(turn: Turn, *, saved: bool = True) -> tuple[Event, ...]:
    """What ends the record of a turn whose ending was never stored."""
    seq, at_s = (turn.record[-1].seq + 1, turn.record[-1].at_s) if turn.record else (0, 0.0)
    return (
        replace(warned("interrupted", _language(turn)), seq=seq, at_s=at_s),
        TurnStopped(seq=seq + 1, at_s=at_s, partial=turn.fields, saved=saved),
    )


def _language(turn: Turn) -> str:
    return next((event.language for event in turn.record if isinstance(event, TurnStarted)), "en")


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
        said = (*turn.record, *interrupted(turn))
        # A record does not tell how many chunks there were, nor until when.
        metrics = replace(measure(said), chunks=0, total_s=None, tokens_per_s=None)
        _save_turn(session, replace(turn, state="stopped", record=said, metrics=metrics))


def _open_turn(
    session: Session, conversation: Conversation, turn: Turn, replaces: str | None, *, goes_on: bool
) -> None:
    if session.get(TurnRow, turn.id):
        return  # an earlier try was given up by its caller, and yet came through
    asked_at = turn.asked_at or time.time()
    position = _make_room(session, conversation.id, replaces)
    row = session.get(ConversationRow, conversation.id)
    if row is None:
        if goes_on:
            raise NotFound
        row = ConversationRow(id=conversation.id, owner=conversation.owner, created_at=asked_at)
        session.add(row)
    elif row.owner != conversation.owner:
        raise NotFound
    if position == 0:
        row.title = shown_name(turn.question, TITLE_CHARS)
    row.changed_at = asked_at
    session.flush()  # before its turn: the session does not know that one row refers to the other
    session.add(
        TurnRow(
            id=turn.id,
            conversation_id=conversation.id,
            owner=conversation.owner,
            position=position,
            question=_kept(turn.question),
            model=_kept(turn.model),
            state=turn.state,
            record=_record_text(turn.record),
            fields=_fields_text(turn.fields),
            rating=turn.rating,
            asked_at=asked_at,
            asked=_kept(json.dumps(asdict(turn.asked), ensure_ascii=False)) if turn.asked else None,
        )
    )


# Made once and without the session's bookkeeping: every running turn is saved once a second.
_SAVING = (
    update(TurnRow)
    .where(TurnRow.id == bindparam("turn_id"), TurnRow.conversation_id == bindparam("conversation"))
    .values(state=bindparam("new_state"), record=bindparam("new_record"), fields=bindparam("new_fields"))
    .returning(TurnRow.owner, TurnRow.asked_at)
)


def _save_turn(session: Session, turn: Turn) -> bool:
    new = {
        "turn_id": turn.id,
        "conversation": turn.conversation_id,
        "new_state": turn.state,
        "new_record": _record_text(turn.record),
        "new_fields": _fields_text(turn.fields),
    }
    kept = session.connection().execute(_SAVING, new).first()
    if kept and turn.metrics:
        session.merge(_metrics_row(turn.id, turn.conversation_id, *kept, turn.metrics))
    return kept is not None


def _make_room(session: Session, conversation_id: str, replaces: str | None) -> int:
    # The position of the turn to come: where the replaced one and all after it were, else at the end.
    inside = TurnRow.conversation_id == conversation_id
    position = session.scalar(select(TurnRow.position).where(inside, TurnRow.id == replaces))
    if position is None:
        last = session.scalar(select(func.max(TurnRow.position)).where(inside))
        return 0 if last is None else last + 1
    session.execute(delete(TurnRow).where(inside, TurnRow.position >= position))
    return position


def _open_to(visitor: str | None, owner: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    return or_(owner.is_(None), owner == _named(visitor))


def _named(token: object) -> str | None:
    """An id or an owner as a database takes it; None, which no id is, for what names nothing and nobody."""
    return token if isinstance(token, str) and not _UNKEPT.search(token) else None


def _hits(session: Session, statement: Executable) -> bool:
    return cast("CursorResult[object]", session.execute(statement)).rowcount > 0


def _conversation(row: ConversationRow) -> Conversation:
    return Conversation(row.id, row.owner, shown_name(row.title, TITLE_CHARS), row.changed_at)


def _turn(row: TurnRow, metrics: MetricsRow | None = None) -> Turn:
    return Turn(
        id=row.id,
        conversation_id=row.conversation_id,
        question=row.question,
        model=row.model,
        state=cast("TurnState", row.state),
        record=record_from_wire(row.record),
        fields=json.loads(row.fields),
        rating=cast("Rating", row.rating),
        asked_at=row.asked_at,
        metrics=_metrics(metrics) if metrics else None,
        asked=_options(row.asked) if row.asked else None,
    )


def _options(stored: str) -> AskOptions:
    """Options that this version does not know are left out, and those that it misses are the default."""
    known = {each.name for each in fields(AskOptions)}
    return AskOptions(**{name: value for name, value in json.loads(stored).items() if name in known})


def _metrics(row: MetricsRow) -> TurnMetrics:
    values: dict[str, Any] = {each.name: getattr(row, each.name) for each in fields(TurnMetrics)}
    return TurnMetrics(**values | {"rungs": tuple(row.rungs.split())})


def _metrics_row(
    turn_id: str, conversation_id: str, owner: str | None, asked_at: float, metrics: TurnMetrics
) -> MetricsRow:
    values = asdict(metrics) | {"rungs": " ".join(metrics.rungs)}
    values = {name: _kept(value) if isinstance(value, str) else value for name, value in values.items()}
    return MetricsRow(turn_id=turn_id, conversation_id=conversation_id, owner=owner, asked_at=asked_at, **values)


def _record_text(events: tuple[Event, ...]) -> str:
    try:
        return record_to_wire(events).decode()
    except PydanticSerializationError:
        return _kept(json.dumps(to_jsonable_python(events), ensure_ascii=False))


def _fields_text(fields: Mapping[str, str]) -> str:
    return _kept(json.dumps(dict(fields), ensure_ascii=False))


def _kept(text: str) -> str:
    return _UNKEPT.sub("\N{REPLACEMENT CHARACTER}", text)
