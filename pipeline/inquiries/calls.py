"""The calls of one inquiry: which model is asked, who pays, and what all of them cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pipeline.errors import ModelFault
from pipeline.events import Emit, Event
from pipeline.exchange_costs import Cost
from pipeline.exchanges import PromptExchange
from pipeline.models.catalogue import Models
from pipeline.models.lm import RecordedLM, asked_label, asked_with_own_key, prompts
from pipeline.models.prompt_limit import PromptLimit
from pipeline.models.spending import Account, PaidModel, account, expense_of
from pipeline.models.visitor_keys import VisitorModel
from pipeline.recording import fields_of
from pipeline.replies.adapters import DspyAdapter
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOptions, answer
from pipeline.settings import BUILTIN_MODEL, Settings
from pipeline.turns.attempts import reply_limits
from pipeline.turns.recovery import MOST_HALVINGS, MOST_TRIES, Attempt, ask_with_recovery


class Calls:
    """Asks one model at temperature 0. To be made in the task that asks: it sets who pays for what that task asks.

    `samples` says that the model does not take that temperature, so that chance plays a part in what it says.
    """

    def __init__(
        self, models: Models, settings: Settings, label: str, own: VisitorModel | None, paying: Account | None
    ) -> None:
        """`own` is the model with the visitor's key, None where the host pays; `paying` None keeps no accounts."""
        self._models, self._settings, self._own = models, settings, own
        self._exchanges: list[PromptExchange] = []
        self.label, self.samples = label, False
        prompts.set(self._exchanges)
        account.set(paying)
        asked_label.set(label)
        asked_with_own_key.set(own is not None)

    @property
    def count(self) -> int:
        """The calls that a provider worked on."""
        return sum(each.is_billed for each in self._exchanges)

    @property
    def cost(self) -> Cost:
        """What all calls cost."""
        paid = PaidModel(self.label, partial(self._models.cost, self.label))
        expenses = [each for exchange in self._exchanges if (each := expense_of(exchange, paid))]
        is_priced = not any(each.unpriced_calls for each in expenses)
        is_counted = all(each.usage for each in self._exchanges if each.is_billed)
        return Cost(sum(each.cost for each in expenses) if is_priced else None, exact=is_counted)

    async def ask(
        self,
        program: Any,
        inputs: Mapping[str, Any],
        fields: tuple[str, ...],
        adapter: Callable[..., DspyAdapter],
        *,
        max_tokens: int | None = None,
        needed: str,
    ) -> Mapping[str, str]:
        """Run a program of one call and return its fields, among them the `needed` one.

        A fault of the connection is tried once more; no other model answers in its place. Raises GlassboxError.
        """
        limit = {} if max_tokens is None else {"max_tokens": max_tokens}
        options = ReplyOptions(adapter=adapter, fields=fields, parameters=limit, needed=needed, is_watched=False)
        if self.label == BUILTIN_MODEL:
            return await self._ask(program, inputs, replace(options, is_streamed=False, parameters={}))
        if not self.samples:
            try:
                return await self._ask(program, inputs, replace(options, parameters={**limit, "temperature": 0.0}))
            except ModelFault as fault:
                if fault.code != "invalid_request" or self.count:
                    raise
            self.samples = True
        return await self._ask(program, inputs, options)

    async def _ask(self, program: Any, inputs: Mapping[str, Any], options: ReplyOptions) -> Mapping[str, str]:
        # What the ladder of a turn could leave out of the prompt counts as gone: the prompt is sent as it is, or not.
        first = Attempt(
            self.label,
            tries=MOST_TRIES - 1,
            is_streamed=options.is_streamed,
            has_own_instructions=False,
            has_history=False,
            has_token_limit=False,
            halvings=MOST_HALVINGS,
        )

        async def make(attempt: Attempt, emit: Emit) -> None:
            with self._models.reaching(self.label):
                lm = self._own.lm() if self._own else self._models.lm(self.label)
                await lm.ready()
                asked = replace(options, is_streamed=attempt.is_streamed)
                await answer(program, inputs, lm, self._limits(attempt, lm), emit, asked)

        events: list[Event] = []
        breakers = self._own.breakers if self._own else self._models.breakers
        try:
            async with asyncio.timeout(self._settings.turn_timeout_s or None):
                await ask_with_recovery(first, (), breakers, make, events.append)
        except TimeoutError:
            raise ModelFault("turn_timeout") from None
        return fields_of(events)

    def _limits(self, attempt: Attempt, lm: RecordedLM) -> ReplyLimits:
        window, chars = self._models.context_tokens(self.label), self._settings.prompt_limit_chars
        prompt = PromptLimit.of(chars, window, correction=lm.calibration.correction)
        return reply_limits(attempt, self._settings, prompt, loads_slowly=self._models.loads_slowly(self.label))
