"""Asks which passage a sentence stands on, or gives what was found before."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pipeline.errors import GlassboxError, ModelFault, NotFound, Refused
from pipeline.events import SentenceChecked
from pipeline.exchanges import PromptExchange
from pipeline.inquiries.calls import Calls
from pipeline.inquiries.counterfactual import Prompt, concluded, exchange_of, next_left_out, planned, trial_of
from pipeline.inquiries.results import COUNTERFACTUAL, Counterfactual, Price, Trial
from pipeline.inquiries.running import Inquiry, Note
from pipeline.inquiries.service import Inquiries
from pipeline.metrics import tokens_of_chars
from pipeline.replies.stored_prompt import StoredPrompt, StoredPromptAdapter
from pipeline.turn import Turn, TurnRequest
from pipeline.turns.request_checks import check_model
from pipeline.turns.sentence_checks import checks_of

# Faults of one reply, after which the next call may still tell something.
OF_REPLIES = frozenset({"empty", "format", "cut_short", "repeats", "answer_limit", "content_filter"})


class Counterfactuals:
    """The counterfactuals of all visitors, each of one sentence: `field` and `index` are those of its verdict."""

    def __init__(self, inquiries: Inquiries) -> None:
        self._inquiries = inquiries

    async def price(self, visitor: str | None, turn_id: str, field: str, index: int) -> Price:
        """Return what would be asked at most. Raises NotFound, and Refused where nothing can be asked."""
        turn, check = await self._sentence(visitor, turn_id, field, index)
        exchange = await self._exchange(visitor, turn, check)
        usage = exchange.usage or {}
        return self._inquiries.price(
            exchange.label,
            len(_first(turn, check, exchange).planned),
            usage.get("prompt_tokens") or tokens_of_chars(exchange.prompt_chars),
            usage.get("completion_tokens") or tokens_of_chars(exchange.reply_chars),
        )

    async def known(self, visitor: str | None, turn_id: str, field: str, index: int) -> Counterfactual | None:
        """Return what was found before, or what is known of one that runs. Raises NotFound."""
        await self._sentence(visitor, turn_id, field, index)
        known = await self._inquiries.known(visitor, turn_id, _name(field, index), COUNTERFACTUAL)
        return known.state if known else None

    async def ask(self, request: TurnRequest, turn_id: str, field: str, index: int) -> Inquiry[Counterfactual]:
        """Ask, or return what was found before. Raises NotFound, Refused and Busy."""
        turn, check = await self._sentence(request.visitor, turn_id, field, index)
        async with self._inquiries.beginning:
            name = _name(field, index)
            if known := await self._inquiries.known(request.visitor, turn_id, name, COUNTERFACTUAL):
                return known
            exchange = await self._exchange(request.visitor, turn, check)
            asked = replace(request, model=exchange.label)
            check_model(asked, self._inquiries.models)
            first = _first(turn, check, exchange)
            work = partial(self._work, first, asked, turn, exchange)
            return await self._inquiries.begin(turn_id, name, asked, first, work)

    async def _work(
        self,
        state: Counterfactual,
        request: TurnRequest,
        turn: Turn,
        exchange: PromptExchange,
        note: Note[Counterfactual],
    ) -> None:
        began, prompt = time.monotonic(), Prompt(exchange.messages, exchange.fields)
        max_tokens = turn.asked.max_tokens if turn.asked else None
        async with self._inquiries.calls(exchange.label, request, turn) as calls:
            try:
                while (left_out := next_left_out(state)) is not None:
                    trial = await _tried(state, calls, prompt, left_out, max_tokens)
                    took_s = round(time.monotonic() - began, 2)
                    state = replace(_paid(state, calls), trials=(*state.trials, trial), took_s=took_s)
                    note(state)
            except GlassboxError as fault:
                note(replace(_paid(state, calls), fault=self._inquiries.message(fault, request)))
                return
        state = concluded(state)
        name = _name(state.field, state.index)
        await self._inquiries.save(turn.id, name, COUNTERFACTUAL.dump_json(state))
        note(state)

    async def _sentence(
        self, visitor: str | None, turn_id: str, field: str, index: int
    ) -> tuple[Turn, SentenceChecked]:
        turn = await self._inquiries.ended_turn(visitor, turn_id)
        check = next((each for each in checks_of(turn.record) if (each.field, each.index) == (field, index)), None)
        if check is None:
            raise NotFound("sentence")
        return turn, check

    async def _exchange(self, visitor: str | None, turn: Turn, check: SentenceChecked) -> PromptExchange:
        """Return the exchange that a sentence comes from. Raises Refused where it is not kept, or had no passages."""
        exchanges = await self._inquiries.exchanges(visitor, turn.id)
        found = exchange_of(check.field, _text(turn, check), exchanges)
        if found is None or not found.label:
            raise Refused("no_prompt")
        if not Prompt(found.messages, found.fields).passages:
            raise Refused("no_passages")
        return found


async def _tried(
    state: Counterfactual, calls: Calls, prompt: Prompt, left_out: tuple[int, ...], max_tokens: int | None
) -> Trial:
    """Ask once with these passages left out. Raises GlassboxError, in the first call for an unusable reply too."""
    sent = prompt.without(left_out)
    adapter = partial(StoredPromptAdapter, sent.messages)
    try:
        said = await calls.ask(
            StoredPrompt(sent.fields), {}, sent.fields, adapter, max_tokens=max_tokens, needed=state.field
        )
    except ModelFault as fault:
        if fault.code not in OF_REPLIES or not state.trials:
            raise
        return Trial(left_out=left_out, outcome=None, fault=fault.code)
    return trial_of(state, left_out, said.get(state.field, ""))


def _paid(state: Counterfactual, calls: Calls) -> Counterfactual:
    return replace(state, calls=calls.count, cost=calls.cost, samples=calls.samples)


def _first(turn: Turn, check: SentenceChecked, exchange: PromptExchange) -> Counterfactual:
    suggested: Sequence[int] = () if check.suggested is None else (check.suggested,)
    passages = Prompt(exchange.messages, exchange.fields).passages
    return Counterfactual(
        field=check.field,
        index=check.index,
        sentence=_text(turn, check),
        model=exchange.label,
        planned=planned((*check.citations, *suggested), passages),
    )


def _text(turn: Turn, check: SentenceChecked) -> str:
    return turn.fields[check.field][check.start : check.end]


def _name(field: str, index: int) -> str:
    return f"counterfactual:{field}:{index}"
