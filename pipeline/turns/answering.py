"""Gets the answer of one turn: a stored one is replayed, else models are asked until one answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from pipeline.errors import GlassboxError
from pipeline.events import Emit, Recovered, Warned
from pipeline.models.catalogue import Models
from pipeline.models.lm import prompts
from pipeline.models.spending import Payer, Spending, account
from pipeline.programs.registry import REASONING, Programs, program_named
from pipeline.recording import answered_by
from pipeline.replies.dspy_stream import ReplyOutcome
from pipeline.settings import BUILTIN_MODEL, Settings
from pipeline.turn import AskOptions, Turn, TurnRequest
from pipeline.turns.attempts import Attempts, TurnContext, first_attempt
from pipeline.turns.cached_answers import OUTCOME as CACHED
from pipeline.turns.cached_answers import CachedAnswers, replayed
from pipeline.turns.continuing import Continuation
from pipeline.turns.recovery import Attempt, ask_with_recovery
from pipeline.turns.running import RunningTurn

# Fault of a model with a visitor's own key → the warning that says what to do about the key.
OWN_KEY_WARNINGS: Mapping[str, str] = {"auth": "own_key_refused", "billing": "own_key_no_credit"}


class Answering:
    """Answers turns over the models and programs of this process."""

    def __init__(
        self,
        settings: Settings,
        models: Models,
        programs: Programs,
        attempts: Attempts,
        cached: CachedAnswers,
        spending: Spending,
        count_call: Callable[[TurnRequest], Awaitable[None]],
    ) -> None:
        """`count_call` counts a further call of a provider for a turn."""
        self._settings, self._models, self._programs = settings, models, programs
        self._attempts, self._cached, self._spending = attempts, cached, spending
        self._count_call = count_call

    async def answer(self, running: RunningTurn, context: TurnContext) -> ReplyOutcome:
        """Wait in the queue, then ask models until one answers. Raises GlassboxError."""
        await running.may_begin.wait()
        prompts.set(running.exchanges)
        key = await self._cached.key(running.turn, context)
        if stored := await self._cached.find(key, context):
            return await self._replay(running, stored)
        outcome = await self._answer_anew(running, context)
        # A document that came or went meanwhile may have changed the passages: then nobody knows what the key means.
        if key and key == await self._cached.key(running.turn, context):
            running.cache_key = key
        return outcome

    async def _answer_anew(self, running: RunningTurn, context: TurnContext) -> ReplyOutcome:
        """Ask models, for whose calls the asker pays. Raises GlassboxError."""
        count_call = partial(self._count_call, running.request)
        account.set(await self._spending.account(payer_of(running.request), count_call))
        async with self._models.with_key(running.turn.model, context.request.model_key) as own:
            return await self._answer_with(running, replace(context, own=own))

    async def _replay(self, running: RunningTurn, stored: Turn) -> ReplyOutcome:
        """Emit the events of a stored turn again. No model is asked."""
        for event in replayed(stored, self._settings.stream_chunk_size):
            running.emit(event)
            await asyncio.sleep(0)
        return CACHED

    async def _answer_with(self, running: RunningTurn, context: TurnContext) -> ReplyOutcome:
        """Ask models for an answer, or for the rest of one that broke off. Raises GlassboxError."""
        if context.continued is None:
            return await self._ask_models(running, context, running.emit)
        continuation = Continuation(context.continued, running.emit)
        continuation.begin()
        try:
            return await self._ask_models(running, replace(context, continued=continuation.prefix), continuation.emit)
        finally:
            continuation.end(running.fields)

    async def _ask_models(self, running: RunningTurn, context: TurnContext, emit: Emit) -> ReplyOutcome:
        """Make attempts until one succeeds. Raises GlassboxError."""
        asked = running.turn.asked or AskOptions()
        first = first_attempt(running.turn.model, asked, context.history)
        own = context.own
        # After a visitor's own model nothing is asked that the host pays for.
        fallbacks = () if first.model == BUILTIN_MODEL else (BUILTIN_MODEL,) if own else self._models.fallbacks
        needs_passages = program_named(asked.program, self._programs).needs_passages
        if context.continued or not needs_passages:  # quotes neither continue a model's text nor replace every program
            fallbacks = tuple(label for label in fallbacks if label != BUILTIN_MODEL)

        async def ask(attempt: Attempt, emit: Emit) -> ReplyOutcome:
            try:
                outcome = await self._attempts.make(attempt, context, running.found, emit)
                if running.exchanges and own is None:
                    self._models.note_first_token(attempt.model, running.exchanges[-1].first_token_s)
                return outcome
            except GlassboxError as fault:
                running.note_fault(fault.code)
                if own and attempt.model == own.label and (warning := OWN_KEY_WARNINGS.get(fault.code)):
                    running.emit(Warned(code=warning))
                raise

        # The faults of a visitor's key must not put the host's model to rest, nor the other way round.
        breakers = own.breakers if own else self._models.breakers
        outcome = await ask_with_recovery(first, fallbacks, breakers, ask, emit)
        self._warn_of_lost_servers(running)
        self._warn_of_missing_fields(running)
        return outcome

    def _warn_of_lost_servers(self, running: RunningTurn) -> None:
        """Emit a warning for each unreachable server that a fallback replaced, if the asker may see addresses."""
        if not self._settings.shows_addresses(is_local=running.request.is_local):
            return
        tried = dict.fromkeys(event.from_model for event in running.events if isinstance(event, Recovered))
        for fault in self._models.unreached(tried):
            shown = fault.shown()
            running.emit(Warned(code=shown.code, values=shown.values))

    def _warn_of_missing_fields(self, running: RunningTurn) -> None:
        """Emit a warning where a language model left out fields of its program, which look empty otherwise."""
        asked = running.turn.asked
        if asked is None or answered_by(running.events) == BUILTIN_MODEL:
            return
        names, texts = program_named(asked.program, self._programs).field_names, running.fields
        missing = [name for name in names if name != REASONING.name and not texts.get(name, "").strip()]
        if missing:
            running.emit(
                Warned(code="missing_fields", values={"fields": tuple(each.replace("_", " ") for each in missing)})
            )


def payer_of(request: TurnRequest) -> Payer:
    """For whom a turn calls providers."""
    visitor, profile = request.visitor or "", request.options.profile or ""
    return Payer(visitor, profile, own_key=request.model_key is not None)
