"""The key of a visitor, who pays for the model asked: its check, and the model that one turn builds with it.

A key lives as long as its turn. It is in no cache, no row, no event and no exchange, and logs blot it out.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from pydantic import SecretStr

from pipeline.base_urls import SERVED_BELOW_V1
from pipeline.errors import Refused
from pipeline.logs import redacting
from pipeline.models.breakers import Breakers
from pipeline.models.lm import RecordedLM

MOST_CHARS = 500
_KEY = re.compile(r"[!-~]{1,500}")  # visible ASCII: anything else could not stand in a header

# Providers whose only credential is one key. For any other, a library may take the host's credentials of the
# environment beside a key or in its place.
TAKE_ONE_KEY = frozenset(
    {
        *("openai", "anthropic", "gemini", "openrouter", "groq", "deepseek", "mistral", "xai", "together_ai"),
        *("fireworks_ai", "cohere", "cohere_chat", "perplexity", "cerebras", "huggingface", "nvidia_nim", "deepinfra"),
        *("sambanova", "moonshot", "zai", "dashscope", "novita", "hyperbolic", "nebius", "featherless_ai", "nscale"),
        *SERVED_BELOW_V1,
    }
)


def model_key(text: str) -> SecretStr:
    """Return a key as a visitor gave it. Raises Refused for one that no provider can have issued."""
    if not _KEY.fullmatch(text):
        raise Refused("invalid_key", MOST_CHARS)
    return SecretStr(text)


class VisitorModel:
    """The model asked, with the visitor's key, for one turn. Its connections and its breakers are its own."""

    def __init__(self, label: str, build: Callable[[], RecordedLM]) -> None:
        self.label, self.breakers = label, Breakers(logs=False)  # its rest ends with the turn
        self._build = build
        self._lm: RecordedLM | None = None

    def lm(self) -> RecordedLM:
        """Return the model, which is built at the first use. Raises ModelFault."""
        self._lm = self._lm or self._build()
        return self._lm

    async def close(self) -> None:
        """Close its connections and forget the key."""
        if self._lm:
            try:
                await self._lm.aclose()
            finally:
                self._lm.forget_key()


@asynccontextmanager
async def visitor_model(
    label: str, key: SecretStr, build: Callable[[SecretStr], RecordedLM]
) -> AsyncGenerator[VisitorModel, None]:
    """The model of a label with a visitor's key; logs show no key until it is closed."""
    with redacting(key.get_secret_value()):
        model = VisitorModel(label, lambda: build(key))
        try:
            yield model
        finally:
            await model.close()
