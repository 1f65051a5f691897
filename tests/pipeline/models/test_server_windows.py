from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipeline.models.catalogue import Models
from pipeline.settings import ModelEntry, Settings

VLLM = {"/v1/models": {"data": [{"id": "other", "max_model_len": 1}, {"id": "qwen", "max_model_len": 8192}]}}
LLAMA = {"/v1/models": {"data": [{"id": "qwen"}]}, "/props": {"default_generation_settings": {"n_ctx": 4096}}}
NEWER_LLAMA = {"/v1/models": {"data": [{"id": "qwen", "meta": {"n_ctx": 2048, "n_ctx_train": 8192}}]}}
SILENT: dict[str, Any] = {"/v1/models": ["no", {"data": None}], "/props": 7}


@contextmanager
def served(answers: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers.get('authorization', '')}".strip())
            self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answers.get(self.path)).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("answers", "window"), [(VLLM, 8192), (LLAMA, 4096), (NEWER_LLAMA, 2048), (SILENT, None), ({}, None)]
)
async def test_a_server_is_asked_once_for_the_window_that_nothing_else_says(
    answers: dict[str, Any], window: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOOR_KEY", "sesame")
    with served(answers) as (address, asked):
        plain = ModelEntry(label="m", model="hosted_vllm/qwen", api_base=address, api_key_env="DOOR_KEY")
        known = ModelEntry(label="known", model="hosted_vllm/qwen", api_base=address, context_tokens=512)
        models = Models(Settings(models=(plain, known), ollama_base_url="off"))
        for _ in range(2):
            await models.find()
            await models._asking["m"]
    assert (models.context_tokens("m"), models.context_tokens("known")) == (window, 512)
    assert asked.count("/v1/models Bearer sesame") == 1


async def test_a_server_that_does_not_answer_leaves_the_window_unknown() -> None:
    entry = ModelEntry(label="m", model="hosted_vllm/qwen", api_base="http://127.0.0.1:9")
    models = Models(Settings(models=(entry,), ollama_base_url="off"))
    for _ in range(2):  # it is asked again, as it may have been started since
        await models.find()
        await models._asking["m"]
        assert not models._asking
    assert models.context_tokens("m") is None
