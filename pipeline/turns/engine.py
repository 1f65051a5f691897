"""Pipeline: the running turns, their readers and their endings.

A turn belongs to the server. It runs in a task of its own and appends to its buffer without ever waiting for a reader.
Readers come, leave and come back; after the last one has left, the turn is stopped when a grace time is over. Every
turn emits exactly one ending, after it was stored. Everything here runs on one event loop, the server's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pipeline.artifacts.finder import ArtifactFinder
from pipeline.clients import RETRY_S, Client, Rates
from pipeline.database.write_behind import WriteBehind
from pipeline.errors import Busy, GlassboxError, Gone, ModelFault, NotFound, Refused, SearchFault, StoreFault
from pipeline.events import Ending, Event, LookedIn, TurnFailed, TurnFinished, TurnStarted, TurnStopped
from pipeline.exchange_costs import NO_COST, Cost, cost_of_exchanges
from pipeline.exchanges import PromptExchange
from pipeline.models.catalogue import Models
from pipeline.models.spending import Rest, Spending
from pipeline.own_faults import own_fault
from pipeline.programs.profiles import Profiles
from pipeline.programs.registry import REASONING, ProgramSpec, program_named
from pipeline.programs.saved_programs import SavedPrograms
from pipeline.recording import answered_by
from pipeline.replies.dspy_stream import ReplyOutcome
from pipeline.retrieval import Index, Scope, documents_in
from pipeline.retrieval.mentions import mentioned
from pipeline.retrieval.terms import language_of
from pipeline.settings import BUILTIN_MODEL, Settings
from pipeline.turn import MOST_DOCUMENTS, AskOptions, Conversation, Said, Turn, TurnMetrics, TurnRequest
from pipeline.turns.abstention import judged, warning_of
from pipeline.turns.admission import Admission
from pipeline.turns.answering import Answering, payer_of
from pipeline.turns.attempts import Attempts, TurnContext, reply_limits
from pipeline.turns.cached_answers import CachedAnswers, ended_well
from pipeline.turns.earlier_turns import continued_turn, history_of
from pipeline.turns.emitter import Deriver
from pipeline.turns.estimates import LATEST, Estimator, PastAnswers
from pipeline.turns.experiment import Experiment
from pipeline.turns.model_tests import ModelTest, try_model
from pipeline.turns.previewing import Previewing, PromptPreview
from pipeline.turns.recovery import Attempt
from pipeline.turns.request_checks import check_model, checked_request
from pipeline.turns.running import STATES, RunningTurn, no_status
from pipeline.turns.sentence_checks import SentenceChecks, checks_of, counted
from pipeline.verdicts import Label

log = logging.getLogger(__name__)

# Turn's id, owner, metrics, how many of its sentences have each verdict.
Watcher = Callable[[str, str | None, TurnMetrics, Mapping[Label, int]], None]

SAVE_EVERY_S = 1.0
KEEP_ENDED_S = 60.0  # an ended turn can be followed for so long
FIRST_READER_S = 10.0  # a turn waits so long for its first reader


class Pipeline:
    """Starts turns, lets readers follow them, and stops them."""

    def __init__(
        self,
        settings: Settings,
        models: Models,
        index: Index,
        history: WriteBehind,
        programs: SavedPrograms,
        spending: Spending,
        profiles: Profiles,
        experiment: Experiment | None = None,
    ) -> None:
        self._experiment = experiment
        self._settings, self._models, self._history = settings, models, history
        self._spending, self.profiles, self._index = spending, profiles, index
        self.programs, attempts = programs, Attempts(settings, models, index, programs)
        self._previewing, self._previews = Previewing(models, attempts), Rates(settings)
        self._turns: dict[str, RunningTurn] = {}
        self._past_answers = PastAnswers()
        self._has_learned = False
        self._admission, self._admitting = Admission(settings), asyncio.Lock()
        self._places: list[TurnRequest] = []  # those that are held by other work than turns
        cached = CachedAnswers(settings, models, index, history.cached_turn)
        self._answering = Answering(settings, models, programs, attempts, cached, spending, self._admission.count_call)
        self.watchers: list[Watcher] = []  # are called with every turn that has ended
        self.updates = 0  # views that were sent to pages, of all turns
        self._closing = False

    # Turns

    async def start(self, request: TurnRequest) -> RunningTurn:
        """Check, store and start a turn. Raises Refused, NotFound or Busy, and then nothing is stored."""
        request = await self._checked(request)
        if self._closing:
            raise Busy("closing", RETRY_S)
        conversation, is_known = await self._conversation(request)
        asked, (request, scope) = request.question, await self._named(request, conversation.owner)
        running = self._opened(request, conversation, asked)
        admitted = await self._admit(running)
        if admitted is not running:
            return admitted
        try:
            context, follows = await self._context(running, scope)
            running.previous = _previous(context)
            await self._history.open_turn(
                conversation,
                running.snapshot,
                request.replaces or request.beside,
                continues=is_known,
                follows=follows,
            )
        except BaseException:
            self._turns.pop(running.id, None)  # a deletion of its conversation has removed it already
            self._advance()
            raise
        self._advance()
        running.work = asyncio.create_task(self._answering.answer(running, context))
        if running.stopped:
            running.work.cancel()
        running.task = asyncio.create_task(self._run(running, running.work))
        running.stop_in(max(self._settings.leave_grace_s, FIRST_READER_S))
        return running

    def batches(self, turn_id: str, after: int = -1, beat_s: float = 1.0) -> AsyncGenerator[tuple[Event, ...], None]:
        """Events with a seq above `after`, as many at a time as there are; () after each silent `beat_s`.

        Raises at once, not at the first event: Gone where there is no buffer, Refused for an `after` still to come.
        """
        running = self._turns.get(turn_id)
        if running is None:
            raise Gone(turn_id)
        if not -1 <= after < len(running.events):
            raise Refused("unknown_event")
        return running.batches(after, beat_s, self._settings.leave_grace_s)

    async def follow(self, turn_id: str, after: int = -1, beat_s: float = 1.0) -> AsyncGenerator[Event | None, None]:
        """Like `batches`, one event at a time; None after each silent `beat_s`, so that a reader can notice its end."""
        batches = self.batches(turn_id, after, beat_s)
        try:
            async for batch in batches:
                for event in batch:
                    yield event
                if not batch:
                    yield None
        finally:
            await batches.aclose()

    async def wait_for_ending(self, turn_id: str, timeout_s: float | None) -> None:
        """Return at the turn's ending, or after `timeout_s`, if that is not None."""
        running = self._turns.get(turn_id)
        if running and running.task:
            await asyncio.wait({running.task}, timeout=timeout_s)

    async def count_updates(self, turn_id: str, updates: int) -> None:
        """Add to the views that pages were sent of a turn, running or ended."""
        self.updates += updates
        running = self._turns.get(turn_id)
        if running and not running.ended:
            running.updates += updates
            return
        await self._history.add_updates(turn_id, updates)

    async def stop(self, turn_id: str) -> None:
        """End a turn and return when its ending is emitted. Does nothing when it has ended or there is none."""
        if running := self._turns.get(turn_id):
            running.cancel()
            if running.task:
                await asyncio.wait({running.task})

    async def close(self) -> None:
        """Stop every turn and store it; no turn starts afterwards."""
        self._closing = True
        while unended := self._unended():
            await asyncio.gather(*(self.stop(running.id) for running in unended))
            await asyncio.sleep(0.01)  # a turn that is being opened gets its task first
        for running in self._turns.values():
            running.cancel_timer()
        self._turns.clear()

    async def saved_programs(self, visitor: str | None) -> tuple[ProgramSpec, ...]:
        """Return the programs that a visitor has saved and can use. Raises StoreFault."""
        specs = map(self.programs.spec_of, await self._history.saved_programs(visitor))
        return tuple(spec for spec in specs if spec)

    async def turn(self, turn_id: str, visitor: str | None) -> Turn:
        """One turn as it stands, running or ended. Raises NotFound, also for one of another visitor."""
        running = self._turns.get(turn_id)
        if running and running.owner in (None, visitor):
            return running.snapshot
        turn = None if running else await self._history.turn(turn_id, visitor)
        if turn is None:
            raise NotFound("turn")
        return turn

    async def last_turn(self, visitor: str, said: Said) -> Turn | None:
        """Return the latest turn of the visitor that ends a conversation and is `said`, None without one.

        What was said may differ in blanks, since clients change them.
        """
        try:
            turns = await self._history.last_turns(visitor, said.question.strip())
        except StoreFault:
            return None
        answer = said.answer.split()
        return next((each for each in turns if answer and each.fields.get("answer", "").split() == answer), None)

    async def exchanges(self, turn_id: str, visitor: str | None) -> tuple[PromptExchange, ...]:
        """The exact prompts of a turn, those of a running one so far; () where they are not kept, or not any more.

        Raises NotFound, also for a turn of another visitor.
        """
        running = self._turns.get(turn_id)
        if running and running.owner in (None, visitor):
            return tuple(running.exchanges) if self._settings.exchanges_retention_d else ()
        exchanges = None if running else await self._history.exchanges(turn_id, visitor)
        if exchanges is None:
            raise NotFound("turn")
        return exchanges

    async def check(self, request: TurnRequest) -> TurnRequest:
        """Return a request as it would be answered, without asking it. Raises Refused as `start` does."""
        return await self._checked(request)

    @property
    def default_model(self) -> str:
        """The label of the model that answers where none is named."""
        return self._models.default

    async def preview(self, request: TurnRequest) -> PromptPreview:
        """Return what a model would be sent for a question. Asks no model and stores nothing; counts as a search.

        Raises Refused, NotFound, Busy, and other GlassboxErrors of the search.
        """
        request = await self._checked(request)
        if self._closing:
            raise Busy("closing", RETRY_S)
        conversation, is_known = await self._conversation(request)
        await self._previews.count(Client(request.visitor, request.address))
        turns: Sequence[Turn] = ()
        if is_known:
            turns = await self._history.turns(conversation.id, request.visitor, request.replaces or request.follows)
        history = history_of(request, turns, self._settings.history_limit_chars)
        request, scope = await self._named(request, conversation.owner)
        return await self._previewing.preview(request, scope, history)

    def running(self, conversation_id: str) -> str | None:
        """The id of the conversation's running turn, the newest when there are several."""
        ids = [each.id for each in self._turns.values() if each.conversation_id == conversation_id and not each.ended]
        return ids[-1] if ids else None

    def elapsed_s(self, turn_id: str) -> float:
        """Seconds since a running turn began; 0 when it has ended or never was."""
        running = self._turns.get(turn_id)
        return running.elapsed_s if running and not running.ended else 0.0

    def options_of(self, turn_id: str) -> AskOptions | None:
        """The options of a turn that is running or has just ended; None for any other."""
        running = self._turns.get(turn_id)
        return running.turn.asked if running else None

    async def adopt(self, visitor: str, user: str) -> None:
        """Give the conversations of a visitor, and what runs in them, to a user. Raises StoreFault."""
        for running in self._turns.values():
            if running.owner == visitor:
                running.owner = user
        await self._history.adopt(visitor, user)

    async def end_turns(self, conversation_id: str) -> None:
        """Stop the running turns of a conversation and forget all of its turns, so that none can be followed."""
        inside = [turn.id for turn in self._turns.values() if turn.conversation_id == conversation_id]
        await asyncio.gather(*(self.stop(turn_id) for turn_id in inside))
        for turn_id in inside:
            self._turns.pop(turn_id, None)

    async def refresh_budget(self, visitor: str) -> None:
        """Read what was spent before this process began, and by others that share the database."""
        await self._spending.refresh(visitor)

    def budget(self, visitor: str) -> Rest | None:
        """What is left of the day's budget for a visitor, as of the last refresh; None without a budget."""
        return self._spending.rest(visitor)

    def shows_addresses(self, *, is_local: bool) -> bool:
        """Whether somebody may read the addresses of model servers; `is_local`: who asks directly from this machine."""
        return self._settings.shows_addresses(is_local=is_local)

    @property
    def is_private(self) -> bool:
        """Whether its users run it themselves."""
        return self._settings.is_private

    @property
    def ready(self) -> bool:
        """Whether a question can be answered now."""
        return not self._closing

    @property
    def load(self) -> tuple[int, int]:
        """Return the number of turns that are being answered, and of those that wait in the queue."""
        unended = self._unended()
        running = sum(each.may_begin.is_set() for each in unended)
        return running, len(unended) - running

    async def cost(self, conversation_id: str, visitor: str | None) -> Cost:
        """What all turns of a conversation cost so far; unknown where the store fails."""
        try:
            return await self._history.cost(conversation_id, visitor)
        except StoreFault:
            return NO_COST

    async def test_model(self, request: TurnRequest) -> ModelTest:
        """Ask the request's model for a few words. Raises Refused for an unknown model, and Busy.

        It counts as a question. The result is what the picker says of the model from then on, except with a visitor's
        own key.
        """
        label = check_model(request, self._models)
        await self._admission.count(request)
        paying = await self._spending.account(payer_of(request))
        limits = reply_limits(Attempt(label), self._settings)
        async with self._models.with_key(label, request.model_key) as own:
            build = own.lm if own else partial(self._models.lm, label)
            test = await try_model(build, limits, paying, is_builtin=label == BUILTIN_MODEL)
            if own is None:
                self._models.note_test(label, test.fault, test.first_token_s)
        if isinstance(test.fault, ModelFault) and self._may_see_addresses(request):
            return replace(test, fault=test.fault.shown())
        return test

    async def take_place(self, request: TurnRequest) -> Callable[[], None]:
        """Take a place among the running turns for other work, which counts as a question. Raises Busy.

        Return what gives the place back.
        """
        if self._closing:
            raise Busy("closing", RETRY_S)
        async with self._admitting:
            await self._admission.admit(request, [*(each.request for each in self._unended()), *self._places])
            self._places.append(request)

        def release() -> None:
            self._places.remove(request)
            self._advance()

        return release

    async def count_call(self, request: TurnRequest) -> None:
        """Count a further call of a provider for work that has a place."""
        await self._admission.count_call(request)

    # One turn

    async def _checked(self, request: TurnRequest) -> TurnRequest:
        """Return the request as it is answered. Raises Refused."""
        name = request.options.program
        if isinstance(name, str) and not self.programs.is_listed(name):
            saved = await self._history.saved_program(request.visitor, name)
            if saved is None or self.programs.spec_of(saved) is None:
                raise Refused("unknown_program")
        if self._experiment:
            request = self._experiment.applied(self.profiles.completed(request))
        limit_chars = self._settings.question_limit_chars
        return checked_request(request, self._models, self.programs, self.profiles, limit_chars)

    async def _conversation(self, request: TurnRequest) -> tuple[Conversation, bool]:
        """The request's conversation, and whether it is there already. Raises NotFound.

        It is a new one if the request names none, or if the store fails.
        """
        new_id = request.new_conversation_id or secrets.token_urlsafe(16)
        new = Conversation(new_id, request.visitor, request.question)
        if request.conversation_id is None:
            return new, False
        try:
            found = await self._history.find(request.conversation_id, request.visitor)
        except StoreFault:
            return new, False
        if found:
            return found, True
        if not request.begins:
            raise NotFound
        return replace(new, id=request.conversation_id), False

    async def _named(self, request: TurnRequest, owner: str | None) -> tuple[TurnRequest, Scope]:
        """Return the request without the `@name`s of its question, and what it asks: what they name alone.

        A turn that belongs to nobody finds shared documents alone.
        """
        scope = self.profiles.scope(owner, request.options)
        if "@" not in request.question:
            return request, scope
        try:
            found = mentioned(request.question, await documents_in(scope, self._index))
        except SearchFault:  # the search of the turn says so
            return request, scope
        if found is None:
            return request, scope
        options = replace(request.options, documents=found.documents[:MOST_DOCUMENTS], collections=())
        return replace(request, question=found.question, options=options), scope.narrowed(documents=found.documents)

    def _opened(self, request: TurnRequest, conversation: Conversation, question: str) -> RunningTurn:
        """A new turn with its first event; `question` is what was typed."""
        options = request.options
        program = program_named(options.program, self.programs)
        turn = Turn(
            id=request.turn_id or secrets.token_urlsafe(16),
            conversation_id=conversation.id,
            parent_id=request.follows,
            question=question,
            model=request.model or self._models.default,
            asked_at=time.time(),
            asked=options,
            program=program.name,
            program_version=program.version,
            instructions=options.instructions or program.instructions,
            request_hash=request.request_hash,
            variant=request.variant,
        )
        profile = self.profiles.named(options.profile)
        derivers: list[Deriver] = [
            Estimator(self._past_answers).derive,
            ArtifactFinder().derive,
            SentenceChecks().derive,
        ]
        running = RunningTurn(turn, conversation.owner, request, derivers, profile.status if profile else no_status)
        running.emit(
            TurnStarted(
                turn_id=turn.id,
                conversation_id=conversation.id,
                question=turn.question,
                model=turn.model,
                program=program.name,
                language=language_of(request.question) if options.language == "auto" else options.language,
            )
        )
        return running

    async def _admit(self, running: RunningTurn) -> RunningTurn:
        """Add the turn to the running ones, unless one of its id is there, which is returned. Raises Busy."""
        replaced = (running.request.replaces, running.conversation_id)
        async with self._admitting:  # two starts at once must not both take the last place
            if same := self._turns.get(running.id):
                return same
            others = [each.request for each in self._unended() if (each.id, each.conversation_id) != replaced]
            await self._admission.admit(running.request, [*others, *self._places])
            self._turns[running.id] = running
            return running

    async def _context(self, running: RunningTurn, scope: Scope) -> tuple[TurnContext, str | None]:
        """Stop the turn that this one replaces, then read what came before → that, and the last turn of the path."""
        request, conversation_id = running.request, running.conversation_id
        context = TurnContext(request, scope)
        if conversation_id != request.conversation_id:
            return replace(context, history=history_of(request, (), self._settings.history_limit_chars)), None
        replaced = self._turns.get(request.replaces or "")
        if replaced and replaced.conversation_id == conversation_id:
            await self.stop(replaced.id)
        try:
            leaf = request.replaces or request.beside or request.follows
            turns = await self._history.turns(conversation_id, request.visitor, leaf)
        except StoreFault:
            return context, None
        history = history_of(request, turns, self._settings.history_limit_chars)
        # The built-in model quotes, and has nothing to go on with.
        can_continue = program_named(request.options.program, self.programs).can_continue
        can_continue = can_continue and running.turn.model != BUILTIN_MODEL
        continued = continued_turn(request, turns) if can_continue else None
        return replace(context, history=history, continued=continued), turns[-1].id if turns else None

    async def _run(self, running: RunningTurn, work: asyncio.Task[ReplyOutcome]) -> None:
        """Run a turn to its ending. This task is never cancelled, only the work beside it."""
        try:
            await self._learn()
            fault = await self._wait(running, work)
            ending = await self._save_ending(running, self._ending(running, work, fault))
        except Exception as error:  # noqa: BLE001  the last resort: every turn must end
            fault = own_fault(error, "turn")
            work.cancel()
            await asyncio.wait({work})  # nothing may be emitted after an ending
            ending = await self._save_own_fault(running, fault)
        running.end(ending)
        self._notify(running)
        running.request = replace(running.request, model_key=None)
        running.call_in(KEEP_ENDED_S, lambda: self._turns.pop(running.id, None))
        self._advance()

    async def _save_own_fault(self, running: RunningTurn, fault: GlassboxError) -> Ending:
        """Store a turn that a bug ended → its ending. Where that fails too, the turn is read as an interrupted one."""
        stamped, is_stored = running.stamped(_failed(fault, running.fields)), False
        try:
            is_stored = await self._history.save_turn(running.stored("failed", stamped))
        except Exception as error:  # noqa: BLE001  the turn must end
            own_fault(error, "turn")
            self._history.forget(running.id)
        return stamped if is_stored else replace(stamped, saved=False)

    def _unended(self) -> list[RunningTurn]:
        """Oldest first, including turns without a reader that are in their grace time."""
        return [running for running in self._turns.values() if not running.ended]

    def _advance(self) -> None:
        """Begin the turns at the head of the queue that there is room for, and tell the others their new place."""
        unended = self._unended()
        taken = len(self._places) + sum(running.may_begin.is_set() for running in unended)
        free = self._admission.turns_at_once - taken
        waiting = [running for running in unended if not running.may_begin.is_set() and not running.stopped]
        for place, running in enumerate(waiting, start=1):
            if place <= free:
                running.begin()
            else:
                running.queue_at(place - int(free))

    def _notify(self, running: RunningTurn) -> None:
        """Pass what was measured to every watcher. One that fails is logged and keeps nothing from the others."""
        measured, verdicts = running.measured(running.events), counted(checks_of(running.events))
        self._past_answers.learn(measured)
        for watcher in self.watchers:
            try:
                watcher(running.id, running.owner, measured, verdicts)
            except Exception as error:  # noqa: BLE001  the turn itself has ended well
                own_fault(error, "watcher")

    async def _learn(self) -> None:
        """Load the metrics of earlier answers for the estimates, once."""
        if self._has_learned:
            return
        self._has_learned = True
        try:
            for measured in await self._history.measured(LATEST):
                self._past_answers.learn(measured)
        except StoreFault:
            self._has_learned = False

    def _may_see_addresses(self, request: TurnRequest) -> bool:
        return self.shows_addresses(is_local=request.is_local)

    async def _wait(self, running: RunningTurn, work: asyncio.Task[ReplyOutcome]) -> GlassboxError | None:
        """Wait until the work is done or its time is over, and save the turn once a second → the fault of a timeout."""
        began, seen = time.monotonic(), 0
        while True:
            await asyncio.wait({work}, timeout=SAVE_EVERY_S)
            if work.done():
                return None
            if not running.may_begin.is_set():
                began = time.monotonic()
            limit_s = self._settings.turn_timeout_s
            if limit_s and time.monotonic() - began >= limit_s:
                work.cancel()
                await asyncio.wait({work})
                return ModelFault("turn_timeout")
            if len(running.events) > seen:
                seen = len(running.events)
                await self._history.save_turn(running.snapshot)

    def _ending(self, running: RunningTurn, work: asyncio.Task[ReplyOutcome], fault: GlassboxError | None) -> Ending:
        fields = running.fields
        if fault is None and work.cancelled():
            return TurnStopped(partial=fields, saved=True)
        error = fault or work.exception()
        if error is not None:
            told = error if isinstance(error, GlassboxError) else own_fault(error, "turn")
            if isinstance(told, ModelFault) and self._may_see_addresses(running.request):
                told = told.shown()
            return _failed(told, fields)
        outcome, cost = work.result(), cost_of_exchanges(running.exchanges)
        return TurnFinished(
            fields=self._all_fields(running, fields),
            passages=running.found or (),
            usage=replace(outcome.usage, exact=outcome.usage.exact and (cost.exact or cost.usd is None)),
            cost=0.0 if outcome.cached else cost.usd,
            finish=outcome.finish,
            model=answered_by(running.events),
            program=running.turn.program or "",
            cached=outcome.cached,
            saved=True,
        )

    def _all_fields(self, running: RunningTurn, fields: Mapping[str, str]) -> dict[str, str]:
        """Return every field of the turn's program, also those without text: reasoning first, then thinking."""
        names = program_named(running.request.options.program, self.programs).field_names
        order = [*(name for name in names if name == REASONING.name), *(name for name in fields if name not in names)]
        return {name: fields.get(name, "") for name in dict.fromkeys([*order, *names])}

    async def _save_ending(self, running: RunningTurn, ending: Ending) -> Ending:
        """Store the turn with its ending → the ending as it is to be emitted, with the time that was stored."""
        running.complete(ending)
        if isinstance(ending, TurnFinished):
            ending = await self._judged(running, ending)
        stamped = running.stamped(ending)
        if running.cache_key and ended_well([*running.events, stamped]):
            running.turn = replace(running.turn, cache_key=running.cache_key)
        exchanges = tuple(running.exchanges) if self._settings.exchanges_retention_d else ()
        is_stored = await self._history.save_turn(running.stored(STATES[type(ending)], stamped), exchanges)
        return stamped if is_stored else replace(stamped, saved=False)

    async def _judged(self, running: RunningTurn, ending: TurnFinished) -> TurnFinished:
        """Return an ending with what is judged of its answer, after a warning where its claims are not found."""
        checks = counted(checks_of(running.events))
        if warning := warning_of(checks):
            running.emit(warning)
        ending = judged(ending, running.request.question, running.previous, checks)
        return replace(ending, looked_in=await self._looked_in(running)) if ending.missing else ending

    async def _looked_in(self, running: RunningTurn) -> LookedIn | None:
        """Return what the searches of a turn could find; None where nothing was searched, or where the index fails."""
        if running.found is None:
            return None
        try:
            scope = self.profiles.scope(running.owner, running.request.options)
            documents = await documents_in(scope, self._index)
        except SearchFault:
            return None
        return LookedIn(len(documents), sum(each.passages for each in documents))


def _failed(error: GlassboxError, partial: Mapping[str, str]) -> TurnFailed:
    retryable = error.retryable if isinstance(error, ModelFault) else True
    return TurnFailed(code=error.code, values=error.values, retryable=retryable, partial=partial, saved=True)


def _previous(context: TurnContext) -> tuple[str, str] | None:
    """Return the question and the answer of the turn before."""
    last = context.history[-1] if context.history else None
    return (last.question, last.fields.get("answer", "")) if last else None
