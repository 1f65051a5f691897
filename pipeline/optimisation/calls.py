"""Asks the model for the process of an optimiser: the same way, for the same money, as turns do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pipeline.errors import MODEL_FAULTS, ModelFault
from pipeline.exchanges import PromptExchange
from pipeline.models.catalogue import Models
from pipeline.models.lm import asked_label, asked_with_own_key, completion, prompts
from pipeline.models.spending import PaidModel, Payer, Spending, account, expense_of
from pipeline.models.visitor_keys import VisitorModel
from pipeline.optimisation.limits import CallLimit, LimitedAccount
from pipeline.optimisation.wire import AskModel, Reply

TRIES = 3
REPLY_TOKENS_MOST = 2_000  # of one reply, so that its cost is known before
# Faults of one prompt or one reply: the candidate gets no score for it. Any other one ends the run, which can go on.
OF_ONE_PROMPT = frozenset(
    {"content_filter", "context_window_exceeded", "prompt_too_long", "empty", "format", "bad_reply"}
)


@dataclass(frozen=True, slots=True)
class ModelCalls:
    """The calls of one optimisation. `own` is the model with the visitor's key, None where the host pays."""

    models: Models
    spending: Spending
    label: str
    payer: Payer
    own: VisitorModel | None
    limit: CallLimit
    timeout_s: float

    async def ask(self, asked: AskModel) -> Reply:
        """Make a request, again where that may help. To be run in a task of its own.

        Raises ModelFault where no further request would be answered either, and LimitReached.
        """
        for trying in range(1, TRIES + 1):
            try:
                return await self._ask(asked)
            except ModelFault as fault:
                if fault.code in OF_ONE_PROMPT:
                    return Reply(id=asked.id, fault=fault.code)
                if fault.code == "invalid_request" and asked.parameters.pop("temperature", None) is not None:
                    continue  # some models take no temperature
                if trying == TRIES or not MODEL_FAULTS.get(fault.code):
                    raise
                await asyncio.sleep(fault.retry_after_s or trying)
        return Reply(id=asked.id, fault="invalid_request")

    async def _ask(self, asked: AskModel) -> Reply:
        exchanges: list[PromptExchange] = []
        paying = LimitedAccount(self.spending, self.payer, self.limit)
        prompts.set(exchanges)
        account.set(paying)
        asked_label.set(self.label)
        asked_with_own_key.set(self.own is not None)
        messages = [{"role": role, "content": text} for role, text in asked.messages]
        parameters = {"max_tokens": REPLY_TOKENS_MOST, **asked.parameters}
        try:
            lm = self.own.lm() if self.own else self.models.lm(self.label)
            await lm.ready()
            with self.models.reaching(self.label):
                async with asyncio.timeout(self.timeout_s or None):
                    text = await completion(lm, messages, parameters)
        except TimeoutError:
            raise ModelFault("turn_timeout") from None
        finally:
            paying.settled(self._cost(exchanges))
        usage = exchanges[-1].usage or {} if exchanges else {}
        return Reply(
            id=asked.id,
            text=text,
            prompt_tokens=usage.get("prompt_tokens", 0),
            completion_tokens=usage.get("completion_tokens", 0),
        )

    def _cost(self, exchanges: list[PromptExchange]) -> float:
        paid = PaidModel(self.label, lambda prompt, reply: self.models.cost(self.label, prompt, reply))
        return sum(each.cost for exchange in exchanges if (each := expense_of(exchange, paid)))
