"""`RecordedLM`: a `dspy.LM` that records its exchanges with the turn that made them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import dspy
from dspy.clients._deprecation import adapter_message_call
from dspy.clients.backend_selection import select_backend

from pipeline.base_urls import shown_address
from pipeline.errors import GlassboxError, ModelFault
from pipeline.exchanges import CANCELLED, PromptExchange, messages_of, parameters_of, storable_text
from pipeline.metrics import tokens_of_chars
from pipeline.models.costs import cost_of, rates_at, reported_cost
from pipeline.models.price_table import Row
from pipeline.models.prompt_limit import Calibration, PromptLimit
from pipeline.models.provider_faults import engine_fault
from pipeline.models.spending import Charge, PaidModel, account
from pipeline.transports.litellm_transport import Wire, import_litellm, is_provider, wire
from pipeline.transports.lm15_transport import read_lists

POOL_CONNECTIONS = 100  # lm15's, per LM and event loop

HistoryEntry = dict[str, Any]  # DSPy's entry of an LM's history

# The list of the turn, or of the call that runs, to which completed exchanges are appended.
exchanges: ContextVar[list[HistoryEntry] | None] = ContextVar("exchanges", default=None)

# The most that a prompt may have. Programs keep to it where they can leave something out.
prompt_limit: ContextVar[PromptLimit | None] = ContextVar("prompt_limit", default=None)
# The list of the attempt to which codes of warnings about its exchanges are appended.
warnings: ContextVar[list[str] | None] = ContextVar("warnings", default=None)
# The list of the turn to which every exchange is appended in its stored form, also a failed one.
prompts: ContextVar[list[PromptExchange] | None] = ContextVar("prompts", default=None)
# Of the call that runs: the model's label, whether the visitor's key is used, and the output fields. Its exchanges are
# stored with them.
asked_label: ContextVar[str] = ContextVar("asked_label", default="")
asked_with_own_key: ContextVar[bool] = ContextVar("asked_with_own_key", default=False)
asked_fields: ContextVar[tuple[str, ...]] = ContextVar("asked_fields", default=())
# Where a prompt is only to be seen: the list that gets the first request, which then reaches no model.
previewed: ContextVar[list[PromptExchange] | None] = ContextVar("previewed", default=None)
_completed: ContextVar[list[HistoryEntry] | None] = ContextVar("_completed", default=None)


class PromptSeen(BaseException):
    """Ends a program at its first request, where the prompt alone was wanted.

    No Exception: a program that goes on after a fault would make another request.
    """


class _Arrived:
    """What has arrived of the reply of one exchange."""

    __slots__ = ("first_at", "text", "thinking")

    def __init__(self) -> None:
        self.first_at: float | None = None  # monotonic seconds
        self.text: list[str] = []
        self.thinking: list[str] = []


_arrived: ContextVar[_Arrived | None] = ContextVar("_arrived", default=None)


def note_arrived(thinking: str, text: str) -> None:
    """Note what has arrived of the exchange that runs. To be called in its context, not for nothing at all."""
    if (arrived := _arrived.get()) is None:
        return
    if arrived.first_at is None:
        arrived.first_at = time.monotonic()
    if text:
        arrived.text.append(text)
    if thinking:
        arrived.thinking.append(thinking)


class RecordedLM(dspy.LM):
    """An LM whose exchanges (usage, cost) go to the turn that made them, not to DSPy's process-wide history.

    DSPy gives an LM a pool of 100 connections and no setting for it: further calls go to a second LM with a pool of its
    own (a copy would share the pool). `bases` are addresses at which the server may be: they are tried in turn until
    one answers, which is used from then on.
    """

    def __init__(self, *args: Any, bases: Sequence[str] = (), **kwargs: Any) -> None:
        read_lists()
        super().__init__(*args, **kwargs, **({"api_base": bases[0]} if bases else {}))
        self.paid: PaidModel | None = None  # whose calls are charged to the `account` of the work that runs
        self.rates: Row = {}  # the prices of a token; empty where they are unknown
        self.has_own_rates = False  # whether the host has set them
        self.otherwise: RecordedLM | None = None  # is asked from then on when this one's server has no such path
        self.calibration = Calibration()  # of the estimate of a prompt's tokens
        self._is_replaced = False
        self._calls = 0
        self._next_pool: RecordedLM | None = None
        self._bases = tuple(bases)  # the working one alone, once it is known
        self._new: Callable[..., RecordedLM] = partial(type(self), *args, **kwargs)

    @property
    def is_native(self) -> bool:
        """Whether an engine of DSPy, or one of ours, makes the calls. LiteLLM makes all others."""
        return not isinstance(self.engine, str) or bool(select_backend(self).native)

    async def ready(self) -> None:
        """Import LiteLLM for a model that needs it. It takes seconds, which no deadline of the model must count.

        Raises ModelFault where no library knows the provider: LiteLLM itself would report a bad request.
        """
        if not self.is_native:
            await asyncio.to_thread(import_litellm)
            if not is_provider(self.model.partition("/")[0]):
                raise ModelFault("unsupported_model")

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """Make one exchange over the first pool that has a free connection. Raises GlassboxError."""
        limit = prompt_limit.get()
        if limit and not limit.admits_texts(_texts(kwargs.get("messages"))):
            raise ModelFault("context_window_exceeded")
        if (seen := previewed.get()) is not None:
            seen.append(self._begun(kwargs))
            raise PromptSeen
        if self._calls >= POOL_CONNECTIONS:
            self._next_pool = self._next_pool or self._new(bases=self._bases)
            self._next_pool.paid, self._next_pool.rates = self.paid, self.rates
            self._next_pool.has_own_rates = self.has_own_rates
            return await _passed_on(self._next_pool, *args, **kwargs)
        self._calls += 1
        try:
            return await self._exchange_at_bases(*args, **kwargs)
        finally:
            self._calls -= 1

    async def _otherwise(self, *args: Any, **kwargs: Any) -> Any:
        """Make one exchange, by the other engine where this one's server was found to have no such path."""
        if self.otherwise is None:
            return await self._exchange(*args, **kwargs)
        if not self._is_replaced:
            try:
                return await self._exchange(*args, **kwargs)
            except ModelFault as fault:
                if fault.code != "wrong_address":
                    raise
        reply = await _passed_on(self.otherwise, *args, **kwargs)
        self._is_replaced = True
        return reply

    async def _exchange_at_bases(self, *args: Any, **kwargs: Any) -> Any:
        """Make one exchange at the first of the addresses that has a model server."""
        if not self._bases:
            return await self._otherwise(*args, **kwargs)
        *others, last = self._bases
        for base in others:
            try:
                reply = await self._exchange(*args, **kwargs, api_base=base)
            except ModelFault as fault:
                if fault.code != "wrong_address":
                    raise
            else:
                self._bases = (base,)
                return reply
        reply = await self._exchange(*args, **kwargs, api_base=last)
        self._bases = (last,)
        return reply

    async def _exchange(self, *args: Any, **kwargs: Any) -> Any:
        """Make one exchange; it stands in `prompts` from its beginning, and is complete there at its end.

        Raises ModelFault, without an exchange, when the budget of the day is spent.
        """
        begun = self._begun(kwargs)
        charge = await self._begin_charge(begun)
        completed: list[HistoryEntry] = []
        arrived, record, seen = _Arrived(), prompts.get(), Wire()
        tokens = _completed.set(completed), _arrived.set(arrived)
        began, code = time.monotonic(), None
        place = len(record) if record is not None else 0
        if record is not None:
            record.append(begun)
        try:
            return await self._request(seen, *args, **kwargs)
        except BaseException as error:
            code = error.code if isinstance(error, GlassboxError) else CANCELLED
            raise
        finally:
            took_s = time.monotonic() - began
            _completed.reset(tokens[0])
            _arrived.reset(tokens[1])
            first_s = None if arrived.first_at is None else round(arrived.first_at - began, 4)
            ended = replace(_ended(begun, completed, arrived), took_s=round(took_s, 4), fault=code)
            parameters = {**ended.parameters, **parameters_of(seen.parameters)}
            ended = replace(ended, first_token_s=first_s, parameters=parameters)
            if ended.cost is None and not ended.usage and ended.is_billed:
                ended = replace(ended, cost=cost_of(self._rates_now, _estimated_usage(ended)))
            if code is None and (counted := (ended.usage or {}).get("prompt_tokens")):
                self.calibration.learn(_texts(kwargs.get("messages")), counted)
            if charge and self.paid:
                charge.settle(ended, self.paid)
            if record is not None:
                record[place] = ended

    async def _begin_charge(self, exchange: PromptExchange) -> Charge | None:
        if self.paid is None or (paying := account.get()) is None:
            return None
        limit = exchange.parameters.get("max_tokens") or exchange.parameters.get("max_completion_tokens")
        return await paying.begin(self.paid, exchange.prompt_chars, limit if isinstance(limit, int) else None)

    def _begun(self, request: Mapping[str, Any]) -> PromptExchange:
        return PromptExchange(
            model=self.model,
            parameters=parameters_of(self.kwargs, request),
            messages=messages_of(request.get("messages") or ()),
            label=asked_label.get(),
            own_key=asked_with_own_key.get(),
            fields=asked_fields.get(),
            asked_at=round(time.time(), 3),
        )

    async def _request(self, seen: Wire, *args: Any, **kwargs: Any) -> Any:
        wire.set(seen)
        try:
            reply = await super().acall(*args, **kwargs)
        except Exception as error:
            fault = engine_fault(error)
            if isinstance(fault, ModelFault) and self._bases:
                fault = ModelFault(fault.code, fault.retry_after_s, shown_address(self._bases[0]))
            raise fault from error
        if not seen.is_whole:
            raise ModelFault("incomplete")
        if (codes := warnings.get()) is not None:
            codes.extend(seen.warnings)
        return reply

    async def aclose(self) -> None:
        """Close the pools of this event loop."""
        for each in (self._next_pool, self.otherwise):
            if each:
                await each.aclose()
        await super().aclose()

    @property
    def _rates_now(self) -> Row:
        return rates_at(self.rates, datetime.now(UTC))

    def forget_key(self) -> None:
        """Drop the key; nothing can be asked any more. Cancelled timers may keep this object for a while."""
        self.kwargs.pop("api_key", None)
        self._new = partial(type(self), self.model)

    def update_history(self, entry: HistoryEntry) -> None:
        """Record an exchange. DSPy calls this once per completed exchange, in the context of its call.

        DSPy's own figure comes from an older table. LiteLLM's, of a call that it made, is kept where the host has set
        no prices.
        """
        reported = reported_cost(entry)
        if reported is not None:
            entry["cost"] = reported
        elif self.is_native or self.has_own_rates or entry.get("cost") is None:
            entry["cost"] = cost_of(self._rates_now, entry.get("usage") or {})
        if (record := exchanges.get()) is not None:
            record.append(entry)
        if (completed := _completed.get()) is not None:
            completed.append(entry)


def _estimated_usage(exchange: PromptExchange) -> dict[str, int]:
    """Estimate the tokens of an exchange whose provider counted none."""
    return {
        "prompt_tokens": tokens_of_chars(exchange.prompt_chars),
        "completion_tokens": tokens_of_chars(exchange.reply_chars),
    }


def _texts(messages: Sequence[Mapping[str, Any]] | None) -> list[str]:
    return [str(each["content"]) for each in messages or ()]


async def _passed_on(lm: RecordedLM, *args: Any, **kwargs: Any) -> Any:
    """Have another LM make a call of an adapter; DSPy would take it for a call by hand, which it advises against."""
    with adapter_message_call(lm, kwargs.get("messages")):
        return await lm.acall(*args, **kwargs)


async def completion(lm: RecordedLM, messages: list[dict[str, str]], parameters: Mapping[str, Any]) -> str:
    """Return the text of one exchange that was written elsewhere. Raises GlassboxError."""
    with adapter_message_call(lm, messages):
        output = (await lm.acall(messages=messages, **parameters))[0]
    return str(output.get("text") or "") if isinstance(output, dict) else str(output or "")


def _ended(begun: PromptExchange, completed: Sequence[HistoryEntry], arrived: _Arrived) -> PromptExchange:
    """The exchange with its reply: the completed one, else what had arrived of it."""
    entry = completed[-1] if completed else {}
    output = (entry.get("outputs") or [None])[0]
    reply = output.get("text") if isinstance(output, dict) else output
    thinking = output.get("reasoning_content") if isinstance(output, dict) else None
    usage = {name: count for name, count in dict(entry.get("usage") or {}).items() if isinstance(count, int)}
    reply = "".join(arrived.text) or None if reply is None else reply
    thinking = thinking or "".join(arrived.thinking) or None
    return replace(
        begun,
        reply=None if reply is None else storable_text(reply),
        thinking=None if thinking is None else storable_text(thinking),
        usage=usage or None,
        cost=entry.get("cost"),
    )
