"""Rerankers, models that score question and passage together: any reranker of LiteLLM, or a local cross-encoder.

`RERANK_MODEL` is empty (no reranking), `fastembed/NAME` (a cross-encoder; needs `pip install fastembed`), or the
LiteLLM name of a reranker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from pipeline.errors import EmbeddingFault
from pipeline.own_faults import is_ours, own_fault
from pipeline.retrieval.embedding import LOCAL, TIMEOUT_S
from pipeline.transports.litellm_transport import import_litellm


class Reranker(Protocol):
    """Scores passages: higher is better, and only scores of one call can be compared."""

    async def __call__(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one score per text, in order. Raises EmbeddingFault."""
        ...


def reranker_of(name: str, api_base: str | None = None) -> Reranker | None:
    """Return the reranker that a setting names, None for an empty name. It is loaded at its first use."""
    if not name:
        return None
    return Local(name) if name.startswith(LOCAL) else Hosted(name, api_base)


class Hosted:
    """A reranker behind LiteLLM."""

    is_hosted = True

    def __init__(self, name: str, api_base: str | None = None) -> None:
        self._name, self._api_base = name, api_base

    async def __call__(self, question: str, texts: Sequence[str]) -> list[float]:
        """See `Reranker`."""
        litellm = await asyncio.to_thread(import_litellm)
        options = {"api_base": self._api_base} if self._api_base else {}
        try:
            answer = await asyncio.wait_for(
                litellm.arerank(self._name, question, list(texts), top_n=len(texts), **options), TIMEOUT_S
            )
        except Exception as error:  # LiteLLM's exceptions have no common base, and their texts may hold the key
            raise EmbeddingFault from error
        try:
            scores = {int(each["index"]): float(each["relevance_score"]) for each in answer.results or ()}
            return [scores[place] for place in range(len(texts))]
        except (AttributeError, LookupError, TypeError, ValueError) as error:  # a server may answer with anything
            raise EmbeddingFault from error


class Local:
    """A cross-encoder of fastembed, run by onnxruntime in a thread of its own."""

    def __init__(self, name: str) -> None:
        self._name, self._thread = name, ThreadPoolExecutor(1, "reranking")
        self._model: Any = None

    async def __call__(self, question: str, texts: Sequence[str]) -> list[float]:
        """See `Reranker`."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._rerank, question, list(texts))
        except Exception as error:
            if is_ours(error):
                own_fault(error, "search")
            raise EmbeddingFault from error

    def _rerank(self, question: str, texts: list[str]) -> list[float]:
        if self._model is None:
            from fastembed.rerank.cross_encoder import TextCrossEncoder

            self._model = TextCrossEncoder(self._name.removeprefix(LOCAL))
        return [float(score) for score in self._model.rerank(question, texts)]
