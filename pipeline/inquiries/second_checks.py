"""Asks a model about the weak sentences of an answer, on request or by setting, or gives what was found before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from pipeline.errors import GlassboxError, Refused
from pipeline.inquiries.rates import ErrorRates, rates_in
from pipeline.inquiries.results import SECOND_CHECK, Price, SecondCheck
from pipeline.inquiries.running import Inquiry, Note
from pipeline.inquiries.second_check import REPLY_TOKENS_PER_SENTENCE, Queue, judgements_of, queue_of
from pipeline.inquiries.service import Inquiries
from pipeline.metrics import estimated_tokens
from pipeline.programs.judge import FIELD, INSTRUCTIONS, Judge
from pipeline.replies.adapters import adapter_for
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import Turn, TurnMetrics, TurnRequest
from pipeline.turns.request_checks import check_model
from pipeline.verdicts import Label

NAME = "second_check"  # under which the result of a turn is stored


class SecondChecks:
    """The second checks of all visitors, one of each turn."""

    def __init__(self, inquiries: Inquiries) -> None:
        self._inquiries = inquiries
        self._unasked: set[asyncio.Task[None]] = set()

    @property
    def model(self) -> str | None:
        """The model of CHECK_MODEL; None where none is set, or there is none of that label now."""
        label = self._inquiries.settings.check_model
        return label if label and label != BUILTIN_MODEL and self._inquiries.models.known(label) else None

    def rates(self, label: str) -> ErrorRates | None:
        """Return how often a model was wrong, None where that was not measured."""
        entry = self._inquiries.models.entry(label)
        return rates_in(self._inquiries.settings.data_dir).get(entry.model) if entry else None

    async def price(self, visitor: str | None, turn_id: str, model: str | None = None) -> Price:
        """Return what would be asked; no call where no sentence is weak. Raises NotFound and Refused."""
        turn, label = await self._inquiries.ended_turn(visitor, turn_id), self._judge(model)
        queue = queue_of(turn)
        if not queue.doubtful:
            return self._inquiries.price(label, 0, 0, 0)
        prompt = sum(map(estimated_tokens, (INSTRUCTIONS, queue.question, *queue.drafts()[0])))
        return self._inquiries.price(label, 1, prompt, REPLY_TOKENS_PER_SENTENCE * len(queue.doubtful))

    async def known(self, visitor: str | None, turn_id: str) -> SecondCheck | None:
        """Return what was found before, or what is known of a check that runs. Raises NotFound."""
        await self._inquiries.ended_turn(visitor, turn_id)
        known = await self._inquiries.known(visitor, turn_id, NAME, SECOND_CHECK)
        return known.state if known else None

    async def ask(self, request: TurnRequest, turn_id: str) -> Inquiry[SecondCheck]:
        """Ask the request's model, else that of the settings, or return what it has said before.

        Raises NotFound, Refused and Busy.
        """
        turn, label = await self._inquiries.ended_turn(request.visitor, turn_id), self._judge(request.model)
        asked = replace(request, model=label)
        check_model(asked, self._inquiries.models)
        async with self._inquiries.beginning:
            known = await self._inquiries.known(request.visitor, turn_id, NAME, SECOND_CHECK)
            if known and known.state.model == label:
                return known
            queue = queue_of(turn)
            if not queue.doubtful:
                raise Refused("nothing_weak")
            first = _first(label, queue)
            work = partial(self._work, first, asked, turn, queue)
            return await self._inquiries.begin(turn_id, NAME, asked, first, work)

    def ended(self, turn_id: str, owner: str | None, measured: TurnMetrics, _: Mapping[Label, int]) -> None:
        """Check a turn that has ended, where CHECK_WEAK says so. A `Watcher` of the pipeline."""
        is_wanted = self._inquiries.settings.check_weak == "auto" and self.model is not None
        if is_wanted and measured.ending == "finished" and not measured.cached:
            task = asyncio.create_task(self._check(turn_id, owner))
            self._unasked.add(task)
            task.add_done_callback(self._unasked.discard)

    async def _check(self, turn_id: str, owner: str | None) -> None:
        with suppress(GlassboxError):
            turn, label = await self._inquiries.ended_turn(owner, turn_id), self._judge(None)
            if not (queue := queue_of(turn)).doubtful:
                return
            first = _first(label, queue)
            work = partial(self._work, first, TurnRequest("", visitor=owner, model=label), turn, queue)
            async with self._inquiries.beginning:
                if await self._inquiries.known(owner, turn_id, NAME, SECOND_CHECK) is None:
                    self._inquiries.begin_unasked(turn_id, NAME, first, work)

    async def _work(
        self, state: SecondCheck, request: TurnRequest, turn: Turn, queue: Queue, note: Note[SecondCheck]
    ) -> None:
        began = time.monotonic()
        adapter = adapter_for(is_local=self._inquiries.models.is_local(state.model))
        limit = self._inquiries.settings.prompt_limit_chars
        inputs = {"question": queue.question, "drafts": queue.drafts(), "prompt_limit_chars": limit}
        async with self._inquiries.calls(state.model, request, turn) as calls:
            try:
                said = await calls.ask(Judge(), inputs, (FIELD,), adapter, needed=FIELD)
                state = replace(state, judgements=judgements_of(said.get(FIELD, ""), queue))
            except GlassboxError as fault:
                state = replace(state, fault=self._inquiries.message(fault, request))
            took_s = round(time.monotonic() - began, 2)
            state = replace(state, calls=calls.count, cost=calls.cost, took_s=took_s)
        if state.fault is None:
            await self._inquiries.save(turn.id, NAME, SECOND_CHECK.dump_json(state))
        note(state)

    def _judge(self, model: str | None) -> str:
        """Return the label of the model that judges. Raises Refused."""
        label = model or self.model
        if label is None:
            raise Refused("no_check_model")
        if label == BUILTIN_MODEL:
            raise Refused("cannot_judge")
        return label


def _first(label: str, queue: Queue) -> SecondCheck:
    return SecondCheck(model=label, asked=tuple((each.field, each.index) for each in queue.doubtful))
