"""Runs a program up to its first request to a model, which is not made: what would be sent."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import dspy

from pipeline.events import Event
from pipeline.exchanges import PromptExchange
from pipeline.models.lm import PromptSeen, previewed, prompt_limit
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOptions


class _Events:
    """A program's stream, of which our events are kept."""

    def __init__(self) -> None:
        self.said: list[Event] = []

    async def send(self, item: Any) -> None:
        """Keep an event, and nothing else."""
        if isinstance(item, Event):
            self.said.append(item)


async def first_prompt(
    program: dspy.Module, inputs: Mapping[str, Any], lm: dspy.LM, limits: ReplyLimits, options: ReplyOptions
) -> tuple[PromptExchange | None, tuple[Event, ...]]:
    """Return the first request and the events before it; None for a program that asks no model.

    Raises GlassboxError.
    """
    seen: list[PromptExchange] = []
    events = _Events()
    tokens = previewed.set(seen), prompt_limit.set(limits.prompt)
    adapter = options.adapter(in_chunks=options.is_streamed, parameters=options.parameters)
    try:
        with dspy.context(lm=lm, adapter=adapter, trace=None, send_stream=events), suppress(PromptSeen):
            await program.acall(**inputs)
    finally:
        previewed.reset(tokens[0])
        prompt_limit.reset(tokens[1])
    return (seen[0] if seen else None), tuple(events.said)
