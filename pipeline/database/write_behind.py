"""A write-behind buffer in front of the store: it holds the turns that the store could not save.

Unsaved turns are returned together with the stored ones and are saved as soon as the store works again, so that a full
disk loses nothing while this process lives. They are readable by whoever could read their rows. Each call of the store
is given WAIT_S.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from pipeline.comparison import Comparison
from pipeline.database.branches import Branches
from pipeline.database.evaluations import StoredEvaluation, StoredSet
from pipeline.database.store import Store, interrupted
from pipeline.errors import NotFound, StoreFault
from pipeline.events import TurnFailed, TurnFinished, TurnStopped
from pipeline.exchange_costs import Cost, sum_of_costs
from pipeline.exchanges import PromptExchange
from pipeline.feedback import NO_FEEDBACK, Feedback
from pipeline.request_result import RequestResult
from pipeline.saved_program import SavedProgram
from pipeline.turn import Conversation, Rating, Trouble, Turn, TurnMetrics
from pipeline.turn_sample import TurnSample, UsedPrompt
from pipeline.verdict_reports import VerdictReport

T = TypeVar("T")

WAIT_S = 2.0  # for one thing that is asked of the store
MOST_UNSAVED = 100  # turns
MOST_ADOPTED = 1000  # visitors who signed in, as this process remembers them
SWEEP_EVERY_S = 3600.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _PendingTurn:
    """A turn of this process whose ending is not stored yet.

    `activation` is the choice of a version that is stored before this turn is opened. `follows` is the last turn of the
    path that it was asked on.
    """

    conversation: Conversation
    turn: Turn
    replaces: str | None
    continues: bool
    activation: _Activation | None = None
    follows: str | None = None
    is_opened: bool = False  # its row exists
    is_unsaved: bool = False  # the store lacks something of it
    is_unsavable: bool = False  # a bug prevents saving it, so trying again is useless
    is_rated: bool = False  # and the store does not know it yet

    def is_readable_by(self, visitor: str | None) -> bool:
        """Return whether its conversation is the visitor's or nobody's."""
        return self.conversation.owner in (None, visitor)


@dataclass(frozen=True, slots=True)
class _Activation:
    """The turn whose branch is to be shown, and the owner of its conversation."""

    turn_id: str
    owner: str | None


class WriteBehind:
    """The conversations of all visitors, stored and unsaved.

    Reading raises StoreFault when the store fails and nothing unsaved matches; saving a turn never raises it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: dict[str, _PendingTurn] = {}
        self._adopted: OrderedDict[str, str] = OrderedDict()  # visitor → the user who took over what was theirs
        self._activations: dict[str, _Activation] = {}  # conversation → its choice of a version that is not stored yet

    # Reading

    @property
    def trouble(self) -> Trouble | None:
        """Return the message for people when their history cannot be saved, None when it can."""
        is_behind = any(pending.is_unsaved and not pending.is_unsavable for pending in self._pending.values())
        return "not_saved" if is_behind else self._store.trouble

    async def find(self, conversation_id: str, visitor: str | None) -> Conversation | None:
        """The conversation, None where there is none or it is someone else's."""
        remembered = next((pending.conversation for pending in self._unsaved(conversation_id, visitor)), None)
        try:
            return await _in_time(self._store.find(conversation_id, visitor)) or remembered
        except StoreFault:
            if remembered:
                return remembered
            raise

    async def conversations(self, visitor: str) -> tuple[Conversation, ...]:
        """The visitor's own, newest first, as far as they are stored."""
        return await _in_time(self._store.conversations(visitor))

    async def turns(self, conversation_id: str, visitor: str | None, leaf: str | None = None) -> tuple[Turn, ...]:
        """Return the turns of the active path, or those up to the turn `leaf`, oldest first.

        Returns none where the conversation is someone else's. An unknown `leaf` is the active one.
        """
        unsaved = self._unsaved(conversation_id, visitor)
        if not unsaved and not leaf and conversation_id not in self._activations:
            stored = await _in_time(self._store.turns(conversation_id, visitor))
            return tuple(map(self._ended_if_abandoned, stored))
        branches = await self._branches(conversation_id, visitor)
        path = branches.path(leaf)
        try:
            stored = await _in_time(self._store.turns(conversation_id, visitor, path))
        except StoreFault:
            stored = ()
        turns = {turn.id: self._ended_if_abandoned(turn) for turn in stored}
        turns |= {pending.turn.id: pending.turn for pending in unsaved}
        return tuple(replace(turns[id], parent_id=branches.parents[id]) for id in path if id in turns)

    async def versions(self, conversation_id: str, visitor: str | None) -> dict[str, tuple[str, ...]]:
        """Map each turn of the active path to the ids of all its versions, itself included, in order of asking."""
        return (await self._branches(conversation_id, visitor)).versions()

    async def turn(self, turn_id: str, visitor: str | None) -> Turn | None:
        """One turn, None where there is none or it is someone else's."""
        pending = self._pending.get(turn_id)
        if pending and pending.is_unsaved:
            return pending.turn if pending.is_readable_by(visitor) else None
        stored = await _in_time(self._store.turn(turn_id, visitor))
        return stored and self._ended_if_abandoned(stored)

    async def cached_turn(self, key: str, owner: str) -> Turn | None:
        """The owner's latest stored turn with a cache key, None without one. Raises StoreFault."""
        return await _in_time(self._store.cached_turn(key, owner))

    async def last_turns(self, owner: str, question: str) -> tuple[Turn, ...]:
        """Return the stored last turns of the owner's conversations that ask a question, the latest first.

        Raises StoreFault.
        """
        return await _in_time(self._store.last_turns(owner, question))

    async def rated_turns(self, visitor: str | None, before: Turn | None = None) -> tuple[Turn, ...]:
        """Return stored turns that a visitor has rated, or with None those that anybody has, the latest thumb first.

        They come in parts: `before` is the last turn of the part before. Raises StoreFault.
        """
        place = (before.feedback.changed_at, before.id) if before else None
        return await _in_time(self._store.rated_turns(visitor, place))

    async def samples_of_variants(self, variants: Sequence[str]) -> tuple[TurnSample, ...]:
        """Return the measurements of the stored turns of some variants. Raises StoreFault."""
        return await _in_time(self._store.samples_of_variants(variants))

    async def prompts(self, visitor: str) -> tuple[UsedPrompt, ...]:
        """Return the instructions that a visitor's stored turns were answered by. Raises StoreFault."""
        return await _in_time(self._store.prompts(visitor))

    async def samples_of_prompts(self, visitor: str) -> tuple[TurnSample, ...]:
        """Return the measurements of a visitor's stored turns, by the hash of their instructions. Raises StoreFault."""
        return await _in_time(self._store.samples_of_prompts(visitor))

    async def exchanges(self, turn_id: str, visitor: str | None) -> tuple[PromptExchange, ...] | None:
        """Return the exact prompts of a turn, none of an unsaved one; None without such a turn. Raises StoreFault."""
        pending = self._pending.get(turn_id)
        if pending and pending.is_unsaved and pending.is_readable_by(visitor):
            return ()
        return await _in_time(self._store.exchanges(turn_id, visitor))

    async def inquiries(self, turn_id: str, visitor: str | None) -> dict[str, bytes]:
        """Return what inquiries about a turn have found, by their names. Raises StoreFault."""
        return await _in_time(self._store.inquiries(turn_id, visitor))

    async def save_inquiry(self, turn_id: str, name: str, content: bytes) -> bool:
        """Store what an inquiry has found → whether that worked; of a turn that is not stored nothing is."""
        try:
            return await _in_time(self._store.save_inquiry(turn_id, name, content))
        except StoreFault:
            log.warning("what an inquiry has found could not be saved")
            return False

    async def save_verdict_report(self, report: VerdictReport) -> bool:
        """Store a verdict that is called wrong; False where its turn is not stored. Raises StoreFault."""
        return await _in_time(self._store.save_verdict_report(report))

    async def remove_verdict_report(self, turn_id: str, field: str, index: int) -> None:
        """Remove the report on one sentence of a turn. Raises StoreFault."""
        await _in_time(self._store.remove_verdict_report(turn_id, field, index))

    async def reported_sentences(self, turn_id: str) -> frozenset[tuple[str, int]]:
        """Return the sentences of a turn that are reported, each by its field and index. Raises StoreFault."""
        return await _in_time(self._store.reported_sentences(turn_id))

    async def verdict_reports(self, visitor: str) -> tuple[VerdictReport, ...]:
        """Return a visitor's reports, oldest first. Raises StoreFault."""
        return await _in_time(self._store.verdict_reports(visitor))

    async def all_verdict_reports(self) -> tuple[VerdictReport, ...]:
        """Return the reports of all visitors, oldest first. Raises StoreFault."""
        return await _in_time(self._store.all_verdict_reports())

    async def save_question_set(self, visitor: str, stored: StoredSet) -> bool:
        """Store a question set of a visitor; False where the visitor has too many. Raises StoreFault."""
        return await _in_time(self._store.save_question_set(visitor, stored))

    async def question_sets(self, visitor: str) -> tuple[StoredSet, ...]:
        """Return a visitor's question sets, newest first. Raises StoreFault."""
        return await _in_time(self._store.question_sets(visitor))

    async def remove_question_set(self, visitor: str, id: str) -> bool:
        """Remove a visitor's question set; False where there is none of that id. Raises StoreFault."""
        return await _in_time(self._store.remove_question_set(visitor, id))

    async def save_evaluation(self, stored: StoredEvaluation) -> None:
        """Store an evaluation in the place of what is stored of it. Raises StoreFault."""
        await _in_time(self._store.save_evaluation(stored))

    async def save_evaluated_row(self, id: str, position: int, content: bytes) -> None:
        """Store what has become of a question of an evaluation. Raises StoreFault."""
        await _in_time(self._store.save_evaluated_row(id, position, content))

    async def evaluation(self, id: str, visitor: str | None) -> StoredEvaluation | None:
        """Return an evaluation, None where there is none or it is someone else's. Raises StoreFault."""
        return await _in_time(self._store.evaluation(id, visitor))

    async def evaluations(self, visitor: str) -> tuple[StoredEvaluation, ...]:
        """Return a visitor's latest evaluations, newest first. Raises StoreFault."""
        return await _in_time(self._store.evaluations(visitor))

    async def evaluated_rows(self, id: str) -> tuple[bytes, ...]:
        """Return the rows of an evaluation, in order of their ends. Raises StoreFault."""
        return await _in_time(self._store.evaluated_rows(id))

    async def save_comparison(self, comparison: Comparison) -> bool:
        """Store a comparison → whether that worked."""
        try:
            return await _in_time(self._store.save_comparison(comparison))
        except StoreFault:
            log.warning("a comparison could not be saved")
            return False

    async def comparison(self, id: str, visitor: str | None) -> Comparison | None:
        """Return the comparison of that conversation, None where there is none or it is someone else's.

        Raises StoreFault.
        """
        return await _in_time(self._store.comparison(id, visitor))

    async def comparisons(self, visitor: str) -> tuple[Comparison, ...]:
        """Return a visitor's latest comparisons, newest first. Raises StoreFault."""
        return await _in_time(self._store.comparisons(visitor))

    async def saved_program(self, visitor: str | None, name: str) -> SavedProgram | None:
        """Return a visitor's saved program. Raises StoreFault."""
        return await _in_time(self._store.saved_program(visitor, name)) if visitor else None

    async def saved_programs(self, visitor: str | None) -> tuple[SavedProgram, ...]:
        """Return a visitor's saved programs, oldest first. Raises StoreFault."""
        return await _in_time(self._store.saved_programs(visitor)) if visitor else ()

    async def kept_result(self, id: str, since_s: float) -> RequestResult | None:
        """Return the result of a request that was sent before, None where it is too old. Raises StoreFault."""
        return await _in_time(self._store.kept_result(id, since_s))

    async def sweep_exchanges(self, retention_s: float) -> None:
        """Remove prompts that are older, again and again; ends by cancellation."""
        while True:
            with suppress(StoreFault):
                await self._store.delete_exchanges(time.time() - retention_s)
            await asyncio.sleep(SWEEP_EVERY_S)

    async def measured(self, each: int) -> tuple[TurnMetrics, ...]:
        """The metrics of each model's latest `each` answers, oldest first."""
        return await _in_time(self._store.measured(each))

    async def cost(self, conversation_id: str, visitor: str | None) -> Cost:
        """What all turns of a conversation cost, those that are still to be stored included. Raises StoreFault."""
        metrics = [each.turn.metrics for each in self._unsaved(conversation_id, visitor) if each.turn.metrics]
        unsaved = [Cost(each.cost, each.exact) for each in metrics]
        return sum_of_costs([await _in_time(self._store.cost(conversation_id, visitor)), *unsaved])

    # Writing

    async def open_turn(
        self,
        conversation: Conversation,
        turn: Turn,
        replaces: str | None,
        *,
        continues: bool,
        follows: str | None = None,
    ) -> bool:
        """Begin to keep a turn → whether it is stored. Raises NotFound for a conversation that was deleted."""
        activation = self._activations.pop(conversation.id, None)
        pending = _PendingTurn(conversation, turn, replaces, continues, activation, follows)
        pending.is_unsaved = not await self._catch_up()
        is_stored = not pending.is_unsaved and await self._stored(pending)
        self._pending[turn.id] = pending
        return is_stored

    async def save_turn(self, turn: Turn, exchanges: Sequence[PromptExchange] = ()) -> bool:
        """Keep what has become of a turn → whether it is stored.

        Its exact prompts are stored with it or not at all: they are too long to be held until the store works again.
        """
        pending = self._pending.get(turn.id)
        if pending is None:
            return False  # it was deleted
        pending.turn = turn
        try:
            is_stored = await self._stored(pending, exchanges)
        except NotFound:
            del self._pending[turn.id]
            return False
        if turn.state != "running":
            if is_stored:
                self._pending.pop(turn.id, None)
            else:
                pending.turn = _with_saved(turn, saved=False)
                self._drop_oldest()
        return is_stored

    def forget(self, turn_id: str) -> None:
        """Hold nothing of a turn any more: what is stored of it is all there is."""
        self._pending.pop(turn_id, None)

    async def add_updates(self, turn_id: str, updates: int) -> None:
        """Count views that were sent after a turn ended."""
        pending = self._pending.get(turn_id)
        if pending and pending.turn.metrics:
            metrics = replace(pending.turn.metrics, updates=pending.turn.metrics.updates + updates)
            pending.turn = replace(pending.turn, metrics=metrics)
            return
        with suppress(StoreFault):  # no more than a figure
            await _in_time(self._store.add_updates(turn_id, updates))

    async def keep_result(self, result: RequestResult) -> None:
        """Store the result of a request that may be sent again. Raises StoreFault."""
        await _in_time(self._store.keep_result(result))

    async def rate(self, turn_id: str, visitor: str | None, rating: Rating, feedback: Feedback = NO_FEEDBACK) -> bool:
        """Keep a visitor's liking and what is said with it; False when there is no such turn for this owner.

        Raises StoreFault.
        """
        pending = self._pending.get(turn_id)
        if pending and pending.is_unsaved and pending.is_readable_by(visitor):
            pending.turn = replace(pending.turn, rating=rating, feedback=feedback)
            pending.is_rated = True
            return True
        return await _in_time(self._store.rate(turn_id, visitor, rating, feedback))

    async def activate(self, turn_id: str, visitor: str | None) -> bool:
        """Show the path through this turn to the newest turn below it; False when this owner has no such turn.

        Raises StoreFault. While turns of the conversation are unsaved, the choice is stored after them.
        """
        turn = await self.turn(turn_id, visitor)
        if turn is None:
            return False
        if unopened := self._unopened(turn.conversation_id):
            self._activations[turn.conversation_id] = _Activation(turn_id, unopened[0].conversation.owner)
            return True
        return await _in_time(self._store.activate(turn_id, visitor))

    async def adopt(self, visitor: str, user: str) -> None:
        """Give every conversation of a visitor to a user, also those that are not stored yet. Raises StoreFault.

        A turn that is being opened meanwhile is stored for the user, since its owner is looked up as it is written.
        """
        self._adopted[visitor] = user
        while len(self._adopted) > MOST_ADOPTED:
            self._adopted.popitem(last=False)
        for pending in self._pending.values():
            pending.conversation = self._as_adopted(pending.conversation)
            if activation := pending.activation:
                pending.activation = replace(activation, owner=pending.conversation.owner)
        self._activations = {
            id: replace(each, owner=self._adopted.get(each.owner or "", each.owner))
            for id, each in self._activations.items()
        }
        await _in_time(self._store.adopt(visitor, user))

    def _as_adopted(self, conversation: Conversation) -> Conversation:
        owner = self._adopted.get(conversation.owner or "")
        return replace(conversation, owner=owner) if owner else conversation

    async def delete(self, conversation_id: str, visitor: str | None) -> bool:
        """Remove a conversation and its turns; False when there is none for this owner. Raises StoreFault."""
        is_deleted = await self._store.delete(conversation_id, visitor)
        inside = [
            id
            for id, pending in self._pending.items()
            if pending.conversation.id == conversation_id and pending.is_readable_by(visitor)
        ]
        for id in inside:
            del self._pending[id]
        if is_deleted or inside:
            self._activations.pop(conversation_id, None)
        return is_deleted or bool(inside)

    # Unsaved turns

    def _unsaved(self, conversation_id: str, visitor: str | None) -> list[_PendingTurn]:
        return [
            pending
            for pending in self._pending.values()
            if pending.is_unsaved and pending.conversation.id == conversation_id and pending.is_readable_by(visitor)
        ]

    def _unopened(self, conversation_id: str) -> list[_PendingTurn]:
        return [
            pending
            for pending in self._pending.values()
            if pending.conversation.id == conversation_id and not pending.is_opened
        ]

    async def _branches(self, conversation_id: str, visitor: str | None) -> Branches:
        """Return the tree of stored turns with the unsaved ones added in the order in which they will be stored."""
        unsaved = self._unsaved(conversation_id, visitor)
        try:
            branches = await _in_time(self._store.branches(conversation_id, visitor))
        except StoreFault:
            if not unsaved:
                raise
            branches = Branches()
        for pending in unsaved:
            if pending.turn.id not in branches.parents:
                if pending.activation:
                    branches = branches.activated(pending.activation.turn_id)
                branches = branches.opened(pending.turn.id, pending.replaces, pending.follows, pending.turn.parent_id)
        last = self._activations.get(conversation_id)
        return branches.activated(last.turn_id) if last else branches

    def _ended_if_abandoned(self, turn: Turn) -> Turn:
        """A stored turn that nobody works on, and whose ending was never stored, stopped where it stood."""
        if turn.state != "running" or turn.id in self._pending:
            return turn
        return replace(turn, state="stopped", record=(*turn.record, *interrupted(turn, saved=False)))

    async def _stored(self, pending: _PendingTurn, exchanges: Sequence[PromptExchange] = ()) -> bool:
        """Write all of it → whether that worked. Raises NotFound where its conversation is gone."""
        try:
            await _in_time(self._write(pending, _with_saved(pending.turn, saved=True), exchanges))
        except StoreFault as fault:
            log.warning("a turn could not be saved")
            pending.is_unsaved, pending.is_unsavable = True, fault.is_own_fault
            return False
        pending.is_unsaved = False
        return True

    async def _write(self, pending: _PendingTurn, turn: Turn, exchanges: Sequence[PromptExchange]) -> None:
        if not pending.is_opened:
            if pending.activation:
                await self._store.activate(pending.activation.turn_id, pending.activation.owner)
            await self._store.open_turn(
                self._as_adopted(pending.conversation),
                turn,
                pending.replaces,
                continues=pending.continues,
                follows=pending.follows,
            )
            pending.is_opened = True
            if turn.state == "running":
                return
        if not await self._store.save_turn(turn, exchanges):
            raise NotFound
        if pending.is_rated:
            await self._store.rate(turn.id, self._as_adopted(pending.conversation).owner, turn.rating, turn.feedback)
            pending.is_rated = False

    async def _catch_up(self) -> bool:
        """Store the ended turns that could not be; False at the first that still cannot."""
        for id, pending in list(self._pending.items()):
            if not pending.is_unsaved or pending.is_unsavable or pending.turn.state == "running":
                continue
            try:
                if not await self._stored(pending):
                    return False
            except NotFound:
                pass
            self._pending.pop(id, None)
        return await self._activate_stored()

    async def _activate_stored(self) -> bool:
        """Tell the store which branches to show of conversations that it holds wholly; False when it fails."""
        for conversation_id, activation in list(self._activations.items()):
            if self._unopened(conversation_id):
                continue
            try:
                await _in_time(self._store.activate(activation.turn_id, activation.owner))
            except StoreFault:
                return False
            self._activations.pop(conversation_id, None)
        return True

    def _drop_oldest(self) -> None:
        ended = [id for id, pending in self._pending.items() if pending.turn.state != "running"]
        for id in ended[:-MOST_UNSAVED]:
            del self._pending[id]


def _with_saved(turn: Turn, *, saved: bool) -> Turn:
    """The turn with an ending that says whether it is stored."""
    ending = turn.record[-1] if turn.record else None
    if not isinstance(ending, TurnFinished | TurnFailed | TurnStopped):
        return turn
    return replace(turn, record=(*turn.record[:-1], replace(ending, saved=saved)))


async def _in_time(asked: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(WAIT_S):
            return await asked
    except TimeoutError:
        raise StoreFault from None
