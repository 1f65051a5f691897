"""The limits of one optimisation: how many requests reach the provider, and what they may cost."""

from __future__ import annotations

from pipeline.metrics import tokens_of_chars
from pipeline.models.spending import REPLY_TOKENS, Account, Charge, PaidModel, Payer, Spending

PROMPT_MARGIN = 2  # a language may need twice the tokens that are expected of its characters


class LimitReached(Exception):
    """No further request may be made."""


class CallLimit:
    """Counts requests and cost. `keep` sets aside what a later phase needs, until `release`."""

    def __init__(self, most_calls: int, most_usd: float | None, calls: int = 0, cost: float = 0.0) -> None:
        self._most_calls, self._most_usd = most_calls, most_usd
        self.calls, self.cost = calls, cost
        self._kept_calls, self._kept_usd, self._open = 0, 0.0, 0.0

    def keep(self, calls: int, usd: float) -> None:
        """Set aside requests and USD; none are set aside with (0, 0)."""
        self._kept_calls, self._kept_usd = calls, usd

    @property
    def calls_left(self) -> int:
        """How many requests may be made now."""
        return max(self._most_calls - self._kept_calls - self.calls, 0)

    def begin(self, most_usd: float) -> None:
        """Count a request that costs at most so much. Raises LimitReached, and then it must not be made."""
        if not self.calls_left:
            raise LimitReached
        if self._most_usd is not None and self.cost + self._open + most_usd > self._most_usd - self._kept_usd:
            raise LimitReached
        self.calls += 1
        self._open += most_usd

    def settle(self, most_usd: float, cost: float) -> None:
        """Replace what a request may have cost by what it did."""
        self._open = max(self._open - most_usd, 0.0)
        self.cost += cost


class LimitedAccount(Account):
    """An account that counts each request to the provider, repeated ones and other addresses included."""

    def __init__(self, spending: Spending, payer: Payer, limit: CallLimit) -> None:
        super().__init__(spending, payer, None)
        self._limit = limit
        self.reserved = 0.0  # USD, of the requests since `settled`

    async def begin(self, model: PaidModel, prompt_chars: int, max_tokens: int | None) -> Charge:
        """Begin a request. Raises LimitReached, and ModelFault when the budget of the day is spent."""
        most = model.price(PROMPT_MARGIN * tokens_of_chars(prompt_chars), max_tokens or REPLY_TOKENS) or 0.0
        self._limit.begin(most)
        self.reserved += most
        return await super().begin(model, prompt_chars, max_tokens)

    def settled(self, cost: float) -> None:
        """Note what the requests since the last time cost."""
        self._limit.settle(self.reserved, cost)
        self.reserved = 0.0
