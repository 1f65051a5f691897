"""What a model would be sent for a question: the search runs, the prompt is written, and no provider is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.errors import ModelFault
from pipeline.events import PassagesFound, Warned
from pipeline.exchanges import PromptExchange
from pipeline.models.catalogue import Models
from pipeline.passages import Passage, union
from pipeline.retrieval import Scope
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import Turn, TurnRequest
from pipeline.turns.attempts import Attempts, TurnContext, first_attempt

ANSWER = "answer"
HOSTED_OFF = "own_key_search"  # the warning that a search did without a hosted model

# What is not known before a model is asked: the queries that it would write, what a model of the search on another
# machine would find, and the requests after the first one.
PreviewNote = Literal["rewrites", "hosted_search", "further_calls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPreview:
    """The first request, the passages in it, those that were left out, and what is not known yet."""

    exchange: PromptExchange
    passages: tuple[Passage, ...] = ()
    rejected: tuple[Passage, ...] = ()
    warnings: tuple[Warned, ...] = ()
    notes: tuple[PreviewNote, ...] = ()


class Previewing:
    """Writes prompts without sending them."""

    def __init__(self, models: Models, attempts: Attempts) -> None:
        self._models, self._attempts = models, attempts

    async def preview(self, request: TurnRequest, scope: Scope, history: Sequence[Turn]) -> PromptPreview:
        """Return what the request's model would be sent first. Raises GlassboxError."""
        options = replace(request.options, rewrites=False)
        context = TurnContext(replace(request, options=options), scope, history)
        attempt = first_attempt(request.model or self._models.default, options, history)
        exchange, events = await self._attempts.preview(attempt, context)
        if exchange is None:
            raise ModelFault("unexpected")
        searches = [event for event in events if isinstance(event, PassagesFound)]
        warnings = [event for event in events if isinstance(event, Warned)]
        notes: dict[PreviewNote, bool] = {
            "rewrites": request.options.rewrites and attempt.model != BUILTIN_MODEL,
            "hosted_search": any(each.code == HOSTED_OFF for each in warnings),
            "further_calls": ANSWER not in exchange.fields,
        }
        return PromptPreview(
            exchange=exchange,
            passages=union(*(event.passages for event in searches)),
            rejected=tuple(each for event in searches for each in event.rejected),
            warnings=tuple(each for each in warnings if each.code != HOSTED_OFF),
            notes=tuple(name for name, holds in notes.items() if holds),
        )
