"""Embeddings and rerankers over a real socket: what LiteLLM asks, and what becomes of a server that fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipeline.errors import EmbeddingFault
from pipeline.retrieval.embedding import AT_ONCE, embedding_of
from pipeline.retrieval.reranking import reranker_of


class Server(ThreadingHTTPServer):
    """Answers as an OpenAI-compatible server does; `broken` says how it does not."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.broken = ""

    @property
    def base(self) -> str:
        """What goes into an api_base."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        reply: dict[str, Any]
        if "documents" in body:
            scores = [{"index": place, "relevance_score": len(text)} for place, text in enumerate(body["documents"])]
            reply = {"id": "1", "results": scores[::-1]}
        else:
            rows = [
                {"object": "embedding", "index": n, "embedding": [len(t), 1.0]} for n, t in enumerate(body["input"])
            ]
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


def test_an_empty_setting_names_no_model() -> None:
    assert embedding_of("") is None
    assert reranker_of("") is None
