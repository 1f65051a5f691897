"""Pipeline: the running turns, their readers and their endings.

A turn belongs to the server. It runs in a task of its own and appends to its buffer without ever waiting for a reader;
readers come, leave and come back; when the last one has left, the turn is stopped after a grace time. Whatever happens,
a turn says exactly one ending, after it was stored. All of this lives on one event loop: the server's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.bugs import own_fault
from pipeline.conversation import (
    AskOptions,
    Conversation,
    Listed,
    Rating,
    SearchMode,
    Turn,
    TurnMetrics,
    TurnRequest,
    TurnState,
    is_visitor,
)
from pipeline.dspy_events import Limits, Manner, Outcome, answer
from pipeline.errors import Busy, GlassboxError, Gone, ModelFault, NotFound, Refused, StoreFault
from pipeline.events import (
    Ending,
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    answered_by,
    fields_of,
)
from pipeline.history import History
from pipeline.limits import RETRY_S, Admission, address_of, shortened
from pipeline.metrics import measure
from pipeline.models import ModelChoice, Models
from pipeline.names import shown_name
from pipeline.notices import fault_text, warned_of
from pipeline.programs import DEFAULT_INSTRUCTIONS, PROGRAMS
from pipeline.progress import LATEST, Experience, Progress
from pipeline.recovery import Attempt, Breakers, Say, climb
from pipeline.retrieval import Index, Options, Scope
from pipeline.retrieval.words import language_of
from pipeline.running import STATES, RunningTurn
from pipeline.settings import BUILTIN_MODEL, Settings
from pipeline.store import Store

log = logging.getLogger(__name__)

Watcher = Callable[[str, str | None, TurnMetrics], None]  # turn, owner, what was measured

PROGRAM = "ChainOfThought"
SAVE_EVERY_S = 1.0
KEEP_ENDED_S = 60.0  # how long an ended turn's buffer can still be followed
FIRST_READER_S = 10.0  # how long a turn that nobody has read yet waits for its first reader
MOST_PASSAGES, MOST_HISTORY_TURNS, MOST_TOKENS, MOST_CANDIDATES = 20, 50, 200_000, 500


class Pipeline:
    """Starts turns, lets readers follow them, stops them; the one door to the store for page and API."""

    def __init__(self, settings: Settings, models: Models, search: Index, store: Store) -> None:
        self._settings, self._models, self._search, self._history = settings, models, search, History(store)
        self._program = PROGRAMS[PROGRAM](search, search)  # keeps nothing of a turn, so it is the same for all
        self._turns: dict[str, RunningTurn] = {}
        self._breakers = Breakers()
        self._lost: dict[str, ModelFault] = {}  # model → why its server was not found the last time
        self._experience = Experience()
        self._has_learned = False
        self._admission, self._door = Admission(settings), asyncio.Lock()
        self.watchers: list[Watcher] = []  # hear of every turn that has ended
        self.updates = 0  # views that pages were sent of all turns
        self._closing = False
        self.default_instructions = DEFAULT_INSTRUCTIONS
        self.question_limit_chars = settings.question_limit_chars

    # Turns

    async def start(self, request: TurnRequest) -> RunningTurn:
        """Check, store and start a turn. Raises Refused, NotFound or Busy, and then nothing is stored."""
        request = self._checked(request)
        conversation = await self._conversation(request)
        turn = Turn(
            id=secrets.token_urlsafe(16),
            conversation_id=conversation.id,
            question=request.question,
            model=request.model or self.default_model,
            asked_at=time.time(),
            asked=_options(request),
        )
        running = RunningTurn(turn, conversation.owner, request, Progress(self._experience))
        running.say(
            TurnStarted(
                turn_id=turn.id,
                conversation_id=conversation.id,
                question=turn.question,
                model=turn.model,
                program=PROGRAM,
                language=language_of(turn.question),
            )
        )
        async with self._door:  # two starts at once must not both take the last place
            replaced = (request.replaces, conversation.id)
            others = [each.request for each in self._unended() if (each.id, each.conversation_id) != replaced]
            await self._admission.admit(request, others)
            self._turns[turn.id] = running
        try:
            history, begun = await self._before(conversation, request)
            goes_on = conversation.id == request.conversation_id
            await self._history.open_turn(conversation, running.now, request.replaces, goes_on=goes_on)
        except BaseException:
            del self._turns[turn.id]
            self._advance()
            raise
        self._advance()
        running.work = asyncio.create_task(self._work(running, request, history, begun))
        if running.stopped:
            running.work.cancel()
        running.task = asyncio.create_task(self._run(running, running.work))
        self._leave(running, max(self._settings.leave_grace_s, FIRST_READER_S))
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
        return self._batches(running, after, beat_s)

    async def _batches(
        self, running: RunningTurn, after: int, beat_s: float
    ) -> AsyncGenerator[tuple[Event, ...], None]:
        running.readers += 1
        if running.leaving and not running.ended:  # an ended turn's timer is what removes it
            running.leaving.cancel()
        seq = after + 1
        try:
            while True:
                if seq < len(running.events):
                    batch = tuple(running.events[seq:])
                    seq += len(batch)
                    yield batch
                elif running.ended:
                    return
                else:
                    await running.news(beat_s)
                    if seq == len(running.events) and not running.ended:
                        yield ()
        finally:
            running.readers -= 1
            if not running.readers and not running.ended:
                self._leave(running, self._settings.leave_grace_s)

    async def follow(self, turn_id: str, after: int = -1, beat_s: float = 1.0) -> AsyncGenerator[Event | None, None]:
        """The same, one event at a time; None after each silent `beat_s`, so that a reader notices its own leaving."""
        batches = self.batches(turn_id, after, beat_s)
        try:
            async for batch in batches:
                for event in batch:
                    yield event
                if not batch:
                    yield None
        finally:
            await batches.aclose()

    async def ended(self, turn_id: str, timeout_s: float) -> None:
        """Return at the turn's ending, or after `timeout_s`."""
        running = self._turns.get(turn_id)
        if running and running.task:
            await asyncio.wait({running.task}, timeout=timeout_s)

    async def shown(self, turn_id: str, updates: int) -> None:
        """A page was sent so many views of a turn: counted beside what the turn measured."""
        self.updates += updates
        running = self._turns.get(turn_id)
        if running and not running.ended:
            running.updates += updates
            return
        await self._history.add_updates(turn_id, updates)

    async def stop(self, turn_id: str) -> None:
        """End a turn; returns when its ending is said. Nothing happens when it has ended or never was."""
        if running := self._turns.get(turn_id):
            running.cancel()
            if running.task:
                await asyncio.wait({running.task})

    async def close(self) -> None:
        """Stop every turn and store it; no turn starts afterwards."""
        self._closing = True
        while unended := self._unended():
            await asyncio.gather(*(self.stop(running.id) for running in unended))
            await asyncio.sleep(0.01)  # one that is just being opened gets its task first
        for running in self._turns.values():
            if running.leaving:
                running.leaving.cancel()
        self._turns.clear()

    async def turn(self, turn_id: str, visitor: str | None) -> Turn:
        """One turn as it stands, running or ended. Raises NotFound, also for one of another visitor."""
        running = self._turns.get(turn_id)
        if running and running.owner in (None, visitor):
            return running.now
        turn = None if running else await self._history.turn(turn_id, visitor)
        if turn is None:
            raise NotFound("There is no such turn. Ask again.")
        return turn

    def address_of(self, forwarded_for: str, peer: str) -> str:
        """Where a request comes from: what X-Forwarded-For says as far as it can be believed, else the peer."""
        return address_of(forwarded_for, peer, self._settings.proxies)

    def running(self, conversation_id: str) -> str | None:
        """The id of the conversation's running turn, the newest when there are several."""
        ids = [each.id for each in self._turns.values() if each.conversation_id == conversation_id and not each.ended]
        return ids[-1] if ids else None

    def elapsed_s(self, turn_id: str) -> float:
        """Seconds since a running turn began; 0 when it has ended or never was."""
        running = self._turns.get(turn_id)
        return time.monotonic() - running.began_at if running and not running.ended else 0.0

    def asked(self, turn_id: str) -> AskOptions | None:
        """How a turn was asked that is running or has just ended; None for any other."""
        running = self._turns.get(turn_id)
        return running.turn.asked if running else None

    # What was said before

    async def conversations(self, visitor: str) -> tuple[Conversation, ...]:
        """The visitor's own, newest first."""
        return await self._history.conversations(visitor)

    async def conversation(self, conversation_id: str, visitor: str | None) -> Conversation:
        """One conversation. Raises NotFound."""
        found = await self._history.find(conversation_id, visitor)
        if found is None:
            raise NotFound
        return found

    async def turns(self, conversation_id: str, visitor: str | None) -> tuple[Turn, ...]:
        """A conversation's turns, oldest first, running ones as far as they were saved. Raises NotFound."""
        await self.conversation(conversation_id, visitor)
        return await self._history.turns(conversation_id, visitor)

    async def delete(self, conversation_id: str, visitor: str | None) -> None:
        """Remove a conversation and stop what runs in it. Raises NotFound."""
        if not await self._history.delete(conversation_id, visitor):
            raise NotFound
        inside = [turn.id for turn in self._turns.values() if turn.conversation_id == conversation_id]
        await asyncio.gather(*(self.stop(turn_id) for turn_id in inside))
        for turn_id in inside:
            self._turns.pop(turn_id, None)  # what was deleted can no longer be followed either

    async def rate(self, turn_id: str, visitor: str | None, rating: Rating) -> None:
        """Remember a like (1), a dislike (-1) or neither (0). Raises NotFound."""
        if not await self._history.rate(turn_id, visitor, rating):
            raise NotFound

    # What there is

    @property
    def models(self) -> tuple[ModelChoice, ...]:
        """The picker's lines; a model that failed and rests says for how long."""
        return tuple(
            replace(choice, state="resting", note=f"rests {rest_s:.0f} s")
            if choice.state == "ready" and (rest_s := self._breakers.rest_s(choice.label))
            else choice
            for choice in self._models.choices
        )

    @property
    def default_model(self) -> str:
        """The label that a new visitor starts with."""
        return self._models.default

    def add_model(self, name: str) -> str:
        """Put a typed LiteLLM name into the picker → its label. Raises Refused; always does where strangers come."""
        if not self._settings.is_private:
            raise Refused("not_here")
        return self._models.add(name)

    @property
    def ready(self) -> bool:
        """Whether a question can be answered now."""
        return not self._closing

    @property
    def load(self) -> tuple[int, int]:
        """How many turns are being answered, and how many wait in line."""
        unended = self._unended()
        running = sum(each.turn_has_come.is_set() for each in unended)
        return running, len(unended) - running

    @property
    def trouble(self) -> str | None:
        """What people should know of their history and do about it, None when all is well."""
        return self._history.trouble

    @property
    def search_modes(self) -> tuple[SearchMode, ...]:
        """How the documents can be searched now, the best last."""
        return self._search.modes

    @property
    def can_rerank(self) -> bool:
        """Whether there is a reranker."""
        return self._search.reranks

    @property
    def documents(self) -> tuple[Listed, ...]:
        """Every shared document."""
        return self._search.titles

    async def own_documents(self, visitor: str | None) -> tuple[Listed, ...]:
        """What the visitor brought, newest first. Raises SearchFault."""
        seen = await self._search.documents(visitor if is_visitor(visitor) else None)
        mine = [entry for entry in reversed(seen) if entry.owner is not None]
        return tuple(Listed(entry.title, entry.passages, entry.language) for entry in mine)

    # One turn

    def _checked(self, request: TurnRequest) -> TurnRequest:
        question = request.question.strip()
        if not shown_name(question):  # signs without a width are no question either
            raise Refused("blank_question")
        if len(question) > self._settings.question_limit_chars:
            raise Refused("long_question", self._settings.question_limit_chars)
        for text in (question, request.instructions or ""):
            if any("\ud800" <= character <= "\udfff" or character == "\0" for character in text):
                raise Refused("unreadable_question")
        if not self._models.known(request.model or self.default_model):
            raise Refused("unknown_model", near=self._models.nearest(request.model or ""))
        temperature, max_tokens = request.temperature, request.max_tokens
        if not (
            1 <= request.passages_wanted <= MOST_PASSAGES
            and 1 <= request.candidates <= MOST_CANDIDATES
            and 0 <= request.history_turns <= MOST_HISTORY_TURNS
            and (temperature is None or 0 <= temperature <= 2)
            and (max_tokens is None or 1 <= max_tokens <= MOST_TOKENS)
            and len(request.instructions or "") <= self._settings.question_limit_chars
        ):
            raise Refused("invalid_request")
        if self._closing:
            raise Busy("closing", RETRY_S)
        return replace(request, question=question)

    async def _conversation(self, request: TurnRequest) -> Conversation:
        """The conversation to go on with; a new one without an id, or while nobody can say whose it is.

        Raises NotFound.
        """
        new = Conversation(secrets.token_urlsafe(16), request.visitor, request.question)
        if request.conversation_id is None:
            return new
        try:
            found = await self._history.find(request.conversation_id, request.visitor)
        except StoreFault:
            return new
        if found is None:
            raise NotFound
        return found

    async def _before(self, conversation: Conversation, request: TurnRequest) -> tuple[Sequence[Turn], Turn | None]:
        """The turns before this one as far as a model is sent them, and the turn to go on with."""
        if conversation.id != request.conversation_id:
            return (), None
        replaced = self._turns.get(request.replaces or "")
        if replaced and replaced.conversation_id == conversation.id:
            await self.stop(replaced.id)
        try:
            turns = await self._history.turns(conversation.id, request.visitor)
        except StoreFault:
            turns = ()
        ids = [turn.id for turn in turns]
        at = ids.index(request.replaces) if request.replaces in ids else len(turns)
        history = [turn for turn in turns[:at] if turn.fields.get("answer")][-request.history_turns or at :]
        begun = turns[at] if request.goes_on and at < len(turns) and turns[at].fields.get("answer") else None
        if (request.model or self.default_model) == BUILTIN_MODEL:
            begun = None  # it quotes, and has nothing to go on with
        history = shortened(history, self._settings.history_limit_chars)
        return history, begun

    async def _run(self, running: RunningTurn, work: asyncio.Task[Outcome]) -> None:
        """From the first event to the ending. This task is never cancelled, only the work beside it."""
        try:
            await self._learn()
            fault = await self._wait(running, work)
            ending = await self._save_ending(running, self._ending(running, work, fault))
        except Exception as error:  # noqa: BLE001  the last resort: a turn must end whatever we did wrong
            fault = own_fault(error, "turn")
            work.cancel()
            await asyncio.wait({work})  # nothing is said after an ending
            ending = replace(_failed(fault, running.language, fields_of(running.events)), saved=False)
        running.ended = True
        running.say(ending)
        self._tell(running)
        if running.leaving:
            running.leaving.cancel()
        running.leaving = asyncio.get_running_loop().call_later(KEEP_ENDED_S, self._turns.pop, running.id, None)
        self._advance()

    def _unended(self) -> list[RunningTurn]:
        """Oldest first. Who has been left and is in its grace time is among them."""
        return [running for running in self._turns.values() if not running.ended]

    def _advance(self) -> None:
        """Let those begin whose turn has come, and tell the others their new place in the line."""
        unended = self._unended()
        free = self._admission.turns_at_once - sum(running.turn_has_come.is_set() for running in unended)
        waiting = [running for running in unended if not running.turn_has_come.is_set() and not running.stopped]
        for place, running in enumerate(waiting, start=1):
            if place <= free:
                running.come()
            else:
                running.wait_at(place - int(free))

    def _tell(self, running: RunningTurn) -> None:
        """Say what was measured to whoever watches. One that fails hides nothing from anybody else."""
        measured = replace(measure(running.events), updates=running.updates)
        self._experience.learn(measured)
        for watcher in self.watchers:
            try:
                watcher(running.id, running.owner, measured)
            except Exception as error:  # noqa: BLE001  whatever it is, the turn has ended well
                own_fault(error, "watcher")

    async def _learn(self) -> None:
        """Once: what earlier answers were like, for the estimates."""
        if self._has_learned:
            return
        self._has_learned = True
        try:
            for measured in await self._history.measured(LATEST):
                self._experience.learn(measured)
        except StoreFault:
            self._has_learned = False

    async def _work(
        self, running: RunningTurn, request: TurnRequest, history: Sequence[Turn], begun: Turn | None
    ) -> Outcome:
        await running.turn_has_come.wait()
        for found in begun.record if begun else ():
            if isinstance(found, PassagesFound):
                running.say(replace(found, at_s=0.0))  # what is already cited keeps its numbers
        kept, answered = dict[str, str](), ""
        if begun:
            answered = begun.fields["answer"]
            begun = replace(begun, fields={**begun.fields, "answer": _whole_words(answered)})
            kept = {name: text if name == "answer" else text + "\n\n" for name, text in begun.fields.items()}
        for name, text in kept.items():
            running.say(FieldDelta(field=name, text=text))

        def tell(event: Event) -> None:
            running.say(event)
            if isinstance(event, FieldReset) and event.field in kept:  # what is taken back is a model's own text alone
                running.say(FieldDelta(field=event.field, text=kept[event.field]))

        async def ask(attempt: Attempt, say: Say) -> Outcome:
            try:
                outcome = await self._ask(running, request, history, begun, attempt, say)
            except ModelFault as fault:
                if fault.names_server:
                    self._lost[attempt.model] = fault
                    log.warning("no model server answered at %s (%s)", fault.address, fault.code)
                raise
            self._lost.pop(attempt.model, None)
            return outcome

        first = Attempt(
            running.turn.model,
            has_own_instructions=_options(request).instructions is not None,
            has_history=bool(history and request.history_turns),
            has_token_limit=request.max_tokens is not None,
        )
        fallbacks = () if first.model == BUILTIN_MODEL else self._models.fallbacks
        if begun is None:
            outcome = await climb(first, fallbacks, self._breakers, ask, tell)
            self._say_lost(running)
            return outcome
        # Quotes would not go on with what a model began.
        fallbacks = tuple(label for label in fallbacks if label != BUILTIN_MODEL)
        try:
            outcome = await climb(first, fallbacks, self._breakers, ask, tell)
            self._say_lost(running)
            return outcome
        finally:
            if fields_of(running.events).get("answer") == kept["answer"]:  # nothing came: it is again as it was
                running.say(FieldReset(field="answer"))
                running.say(FieldDelta(field="answer", text=answered))

    def _say_lost(self, running: RunningTurn) -> None:
        """Another model answered: say where a server was looked for, also while it rests, to whom that is no secret."""
        if not self._may_see_addresses(running.request):
            return
        tried = dict.fromkeys(event.from_model for event in running.events if isinstance(event, Recovered))
        for fault in [self._lost[model] for model in tried if model in self._lost]:
            running.say(warned_of(fault.shown(), running.language))

    def _may_see_addresses(self, request: TurnRequest) -> bool:
        """Whether whoever asks may read where a model's server is.

        Whoever sits at the machine has configured it; to others the names of hosts in a private network tell what to
        attack, and help with nothing.
        """
        return self._settings.is_private and request.is_local

    async def _ask(
        self,
        running: RunningTurn,
        request: TurnRequest,
        history: Sequence[Turn],
        begun: Turn | None,
        attempt: Attempt,
        say: Say,
    ) -> Outcome:
        """One attempt of the ladder. Raises GlassboxError."""
        lm = self._models.lm(attempt.model)
        await lm.ready()
        is_builtin = attempt.model == BUILTIN_MODEL
        max_tokens = request.max_tokens if attempt.has_token_limit else None
        knobs = {"temperature": request.temperature, "max_tokens": max_tokens}
        inputs: dict[str, Any] = {
            "question": request.question,
            "history": history if attempt.has_history else (),
            "scope": Scope(running.owner),  # what belongs to nobody shows nobody's own documents
            "options": Options(request.passages_wanted, request.mode, request.candidates, request.reranks),
            "rewrites": request.rewrites and not is_builtin,
            "instructions": request.instructions if attempt.has_own_instructions and not is_builtin else None,
            "config": {} if is_builtin else {name: value for name, value in knobs.items() if value is not None},
            "found": next((event.passages for event in running.events if isinstance(event, PassagesFound)), None),
            "begun": begun,
            "prompt_limit_chars": self._settings.prompt_limit_chars,
        }
        limits = Limits(
            0 if is_builtin else self._settings.first_token_timeout_s,  # here nobody is waited for but this machine
            0 if is_builtin else self._settings.idle_timeout_s,
            self._settings.answer_limit_chars,
            self._settings.stream_chunk_size,
        )
        reasons = self._settings.enable_rationale_streaming
        manner = Manner(attempt.is_streamed, streams_reasoning=reasons, adapter=self._models.adapter(attempt.model))
        return await answer(self._program, inputs, lm, limits, say, manner)

    async def _wait(self, running: RunningTurn, work: asyncio.Task[Outcome]) -> GlassboxError | None:
        """Until the work is done or its time is over, saving what there is once a second."""
        began, seen = time.monotonic(), 0
        while True:
            await asyncio.wait({work}, timeout=SAVE_EVERY_S)
            if work.done():
                return None
            if not running.turn_has_come.is_set():
                began = time.monotonic()
            limit_s = self._settings.turn_timeout_s
            if limit_s and time.monotonic() - began >= limit_s:
                work.cancel()
                await asyncio.wait({work})
                return ModelFault("turn_timeout")
            if len(running.events) > seen:
                seen = len(running.events)
                await self._history.save_turn(running.now)

    def _ending(self, running: RunningTurn, work: asyncio.Task[Outcome], fault: GlassboxError | None) -> Ending:
        fields = fields_of(running.events)
        if fault is None and work.cancelled():
            return TurnStopped(partial=fields, saved=True)
        error = fault or work.exception()
        if error is not None:
            told = error if isinstance(error, GlassboxError) else own_fault(error, "turn")
            if isinstance(told, ModelFault) and self._may_see_addresses(running.request):
                told = told.shown()
            return _failed(told, running.language, fields)
        outcome = work.result()
        passages = next((event.passages for event in running.events if isinstance(event, PassagesFound)), ())
        return TurnFinished(
            fields={"reasoning": "", **fields},
            passages=passages,
            usage=outcome.usage,
            cost=outcome.cost,
            finish=outcome.finish,
            model=answered_by(running.events),
            cached=False,
            saved=True,
        )

    async def _save_ending(self, running: RunningTurn, ending: Ending) -> Ending:
        seq, at_s = len(running.events), running.events[-1].at_s
        state: TurnState = STATES[type(ending)]
        numbered = replace(ending, seq=seq, at_s=max(at_s, round(time.monotonic() - running.began_at, 4)))
        stored = await self._history.save_turn(running.stored(state, numbered))
        return numbered if stored else replace(numbered, saved=False)

    def _leave(self, running: RunningTurn, grace_s: float) -> None:
        """Stop the turn in `grace_s` unless a reader comes."""
        if running.leaving:
            running.leaving.cancel()
        running.leaving = asyncio.get_running_loop().call_later(grace_s, running.cancel)


def _options(request: TurnRequest) -> AskOptions:
    is_default = (request.instructions or "").strip() in ("", DEFAULT_INSTRUCTIONS.strip())
    return replace(request.options, instructions=None) if is_default else request.options


def _whole_words(answer: str) -> str:
    """An answer that broke off up to its last whole word, so that more of it can follow."""
    head = answer.rstrip()
    if head == answer and (words := head.rpartition(" ")[0]):
        head = words
    return head + " "


def _failed(error: GlassboxError, language: str, partial: Mapping[str, str]) -> TurnFailed:
    retryable = error.retryable if isinstance(error, ModelFault) else True
    text = fault_text(error, language)
    return TurnFailed(code=error.code, text=text, retryable=retryable, partial=partial, saved=True)
