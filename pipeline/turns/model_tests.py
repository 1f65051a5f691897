"""Tests a model by one tiny request: how soon its first text comes and how fast it writes, or what is wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.errors import GlassboxError, ModelFault
from pipeline.exchanges import PromptExchange
from pipeline.metrics import estimated_tokens
from pipeline.models.lm import RecordedLM, prompts
from pipeline.models.spending import Account, account
from pipeline.programs.greeting import QUESTION, Greeting
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOptions, answer

REPLY_TOKENS = 64
DEADLINE_S = 30.0
# The model has written, though not what was asked for: it can be used.
HAS_WRITTEN = frozenset({"format", "empty", "cut_short", "repeats", "answer_limit"})


@dataclass(frozen=True, slots=True)
class ModelTest:
    """The result of a test. `first_token_s` and `tokens_per_s` are None where nothing was streamed.

    `ended_at` is in seconds since the epoch.
    """

    fault: GlassboxError | None = None
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    ended_at: float = field(default_factory=time.time)


async def try_model(
    build: Callable[[], RecordedLM], limits: ReplyLimits, payer: Account, *, is_builtin: bool
) -> ModelTest:
    """Ask the model that `build` gives, in a task of its own. Raises nothing but what `Account` may refuse."""
    return await asyncio.create_task(_try_model(build, limits, payer, is_builtin=is_builtin))


async def _try_model(
    build: Callable[[], RecordedLM], limits: ReplyLimits, payer: Account, *, is_builtin: bool
) -> ModelTest:
    recorded: list[PromptExchange] = []
    prompts.set(recorded)
    account.set(payer)
    fault: GlassboxError | None = None
    parameters = {} if is_builtin else {"max_tokens": REPLY_TOKENS}
    options = ReplyOptions(fields=("answer",), parameters=parameters)
    try:
        lm = build()
        await lm.ready()
        async with asyncio.timeout(DEADLINE_S):
            await answer(Greeting(), {"question": QUESTION}, lm, limits, lambda event: None, options)
    except TimeoutError:
        fault = ModelFault("turn_timeout")
    except GlassboxError as error:
        fault = error
    if fault and fault.code in HAS_WRITTEN and any(each.reply or each.thinking for each in recorded):
        fault = None
    first_token_s, tokens_per_s = _speed(recorded[-1]) if recorded and not fault else (None, None)
    return ModelTest(fault, first_token_s, None if is_builtin else tokens_per_s)


def _speed(exchange: PromptExchange) -> tuple[float | None, float | None]:
    """Return when the first text came, and the tokens of a second after it."""
    first_s, took_s = exchange.first_token_s, exchange.took_s
    if first_s is None or took_s is None:
        return None, None
    usage = exchange.usage or {}
    said = (exchange.reply or "") + (exchange.thinking or "")
    tokens = usage.get("completion_tokens") or estimated_tokens(said)
    writing_s = took_s - first_s
    return round(first_s, 3), round(tokens / writing_s, 1) if writing_s > 0 and tokens > 1 else None
