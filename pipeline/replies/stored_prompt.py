"""Asks a model with a prompt that was sent before, or a changed copy of it, for the same fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import dspy

from pipeline.exchanges import Message
from pipeline.replies.adapters import DspyAdapter


class StoredPromptAdapter(DspyAdapter):
    """Sends the messages as they are, whatever the signature; the reply is read as ever."""

    def __init__(
        self,
        messages: Sequence[Message],
        *,
        in_chunks: bool = True,
        parameters: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(in_chunks=in_chunks, parameters=parameters)
        self._messages = tuple(messages)

    def format(
        self, signature: type[dspy.Signature], demos: list[dict[str, Any]], inputs: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the messages."""
        return [{"role": each.role, "content": each.content} for each in self._messages]


class StoredPrompt(dspy.Module):
    """One call for these output fields; the adapter knows what is sent."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__()
        self.predict = dspy.Predict(dspy.Signature({name: (str, dspy.OutputField()) for name in fields}))

    async def aforward(self, **inputs: Any) -> dspy.Prediction:
        """Make the call."""
        said: dspy.Prediction = await self.predict.acall()
        return said
