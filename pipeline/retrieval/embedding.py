"""Embedding models, which make vectors of texts: any model of LiteLLM, or a local ONNX model.

`EMBEDDING_MODEL` is empty (only keyword search), `fastembed/NAME` (needs `pip install fastembed`, which downloads the
model at its first use), or the LiteLLM name of an embedding model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol

from pipeline.errors import EmbeddingFault
from pipeline.own_faults import is_ours, own_fault
from pipeline.transports.litellm_transport import import_litellm

LOCAL = "fastembed/"
AT_ONCE = 64  # texts per request
TIMEOUT_S = 20.0

Vectors = list[list[float]]


class Embedding(Protocol):
    """A model that makes vectors of one length. An index stores its `name` with the vectors."""

    @property
    def name(self) -> str:
        """Its name, never empty; a model with another name makes other vectors."""
        ...

    async def __call__(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """Return one vector per text, in order. Raises EmbeddingFault."""
        ...


def embedding_of(name: str, api_base: str | None = None) -> Embedding | None:
    """Return the embedding model that a setting names, None for an empty name. It is loaded at its first use."""
    if not name:
        return None
    return Local(name) if name.startswith(LOCAL) else Hosted(name, api_base)


class Hosted:
    """An embedding model behind LiteLLM."""

    is_hosted = True

    def __init__(self, name: str, api_base: str | None = None) -> None:
        self.name, self._api_base = name, api_base

    async def __call__(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """See `Embedding`."""
        import dspy  # imported at the first use, to keep the start short

        await asyncio.to_thread(import_litellm)

        options = {"api_base": self._api_base} if self._api_base else {}
        embedder = dspy.Embedder(
            self.name, batch_size=AT_ONCE, caching=False, timeout=TIMEOUT_S, num_retries=1, **options
        )
        try:
            rows = await embedder.acall(list(texts))
        except Exception as error:  # LiteLLM's exceptions have no common base, and their texts may hold the key
            raise EmbeddingFault from error
        return _checked(rows, len(texts))


class Local:
    """A model of fastembed, run by onnxruntime in a thread of its own.

    Downloading a model may take minutes, which would block the few threads of the event loop.
    """

    def __init__(self, name: str) -> None:
        self.name, self._thread = name, ThreadPoolExecutor(1, "embedding")
        self._model: Any = None

    async def __call__(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """See `Embedding`."""
        try:
            rows = await asyncio.get_running_loop().run_in_executor(self._thread, self._embed, list(texts), kind)
        except Exception as error:
            if is_ours(error):
                own_fault(error, "search")
            raise EmbeddingFault from error
        return _checked(rows, len(texts))

    def _embed(self, texts: list[str], kind: str) -> list[Any]:
        if self._model is None:
            from fastembed import TextEmbedding

            self._model = TextEmbedding(self.name.removeprefix(LOCAL))
        embed = self._model.query_embed if kind == "query" else self._model.passage_embed
        return list(embed(texts))


def _checked(rows: Any, wanted: int) -> Vectors:
    try:
        vectors = [[float(number) for number in row] for row in rows]
    except (TypeError, ValueError) as error:  # a server may answer with anything
        raise EmbeddingFault from error
    if len(vectors) != wanted or len({len(vector) for vector in vectors}) > 1:
        raise EmbeddingFault
    return vectors
