"""Texts → vectors, behind one small contract: a LiteLLM model by its name, or a local ONNX model.

`EMBEDDING_MODEL` is empty (keyword search alone), `fastembed/NAME` (needs `pip install fastembed`, which fetches the
model when it is first used), or any embedding model's LiteLLM name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol

from pipeline.bugs import is_ours, own_fault
from pipeline.errors import EmbeddingFault
from pipeline.litellm_door import open_door

LOCAL = "fastembed/"
AT_ONCE = 64  # texts a request
TIMEOUT_S = 20.0

Vectors = list[list[float]]


class Embedding(Protocol):
    """A model of which equal texts get equal vectors, all of one length. `name` is what an index remembers."""

    @property
    def name(self) -> str:
        """Never empty; another name means other vectors."""
        ...

    async def __call__(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """One vector per text, in order. Raises EmbeddingFault."""
        ...


def embedding_of(name: str, api_base: str | None = None) -> Embedding | None:
    """The embedding that a setting names, None for none. Nothing is loaded or asked before its first use."""
    if not name:
        return None
    return Local(name) if name.startswith(LOCAL) else Hosted(name, api_base)


class Hosted:
    """Any embedding model that LiteLLM reaches."""

    def __init__(self, name: str, api_base: str | None = None) -> None:
        self.name, self._api_base = name, api_base

    async def __call__(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """See `Embedding`."""
        import dspy  # the first use pays for the import, not the start

        await asyncio.to_thread(open_door)

        options = {"api_base": self._api_base} if self._api_base else {}
        embedder = dspy.Embedder(
            self.name, batch_size=AT_ONCE, caching=False, timeout=TIMEOUT_S, num_retries=1, **options
        )
        try:
            rows = await embedder.acall(list(texts))
        except Exception as error:  # what LiteLLM raises has no common base, and its text may hold the key
            raise EmbeddingFault from error
        return _checked(rows, len(texts))


class Local:
    """A model of fastembed's list, run by onnxruntime.

    In a thread of its own: it may take minutes to fetch the model, and the loop's few threads are for everybody.
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
    except (TypeError, ValueError) as error:  # it is the server that says what these are
        raise EmbeddingFault from error
    if len(vectors) != wanted or len({len(vector) for vector in vectors}) > 1:
        raise EmbeddingFault
    return vectors
