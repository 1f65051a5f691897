"""What a person at the terminal sees when the start does not go as asked."""

from __future__ import annotations

import json
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.ollama_server import model, ollama
from tests.provider import Provider
from tests.served import START_S, await_health, start


@pytest.mark.parametrize("after_s", [2.0, 4.0])
def test_an_early_ctrl_c_ends_the_start_without_a_traceback(tmp_path: Path, after_s: float) -> None:
    app = start(tmp_path / "data")
    time.sleep(after_s)
    assert app.stop(signal.SIGINT) == 0
    said = app.log.read_text().splitlines()
    assert said[-1] == "Stopping …"
    assert len(said) == 1 or "is ready" in said[0]  # a fast machine has started by then


def test_a_folder_of_documents_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    app = start(tmp_path / "data", DOCUMENTS_DIR=str(tmp_path / "nowhere"))
    assert app.process.wait(START_S) == 1
    assert app.log.read_text() == "DOCUMENTS_DIR is no folder. Set it to one that holds documents.\n"


def test_a_database_that_cannot_be_had_is_named_by_its_scheme_and_driver_alone(tmp_path: Path) -> None:
    app = start(tmp_path / "data", DATABASE_URL="foo://maya:sesame@bar/base")
    assert app.process.wait(START_S) == 1
    said = app.log.read_text()
    assert said.splitlines()[-2:] == [
        "DATABASE_URL: scheme foo, for which there is no driver.",
        "The database cannot be used. Check DATABASE_URL.",
    ]
    assert not [part for part in ("maya", "sesame", "bar", "base/") if part in said]


def test_a_model_that_is_still_being_fetched_does_not_hold_up_the_end(tmp_path: Path) -> None:
    (tmp_path / "fastembed.py").write_text(
        "import time\nclass TextEmbedding:\n    def __init__(self, name): time.sleep(60)\n"
    )
    app = start(tmp_path / "data", EMBEDDING_MODEL="fastembed/slow", PYTHONPATH=str(tmp_path))
    try:
        await_health(app)
        time.sleep(1)
        assert app.stop() == 0
    finally:
        app.process.kill()


def test_what_makes_answers_poor_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with ollama(tiny=model()) as server:
        settings = {"DOCUMENTS_DIR": str(tmp_path / "empty"), "OLLAMA_BASE_URL": server.address}
        app = start(tmp_path / "data", DEFAULT_MODEL="gone", **settings)
        try:
            await_health(app)
            said = app.log.read_text()
            assert "DOCUMENTS_DIR holds no document" in said
            assert "DEFAULT_MODEL is not among the models" in said
            until = time.monotonic() + START_S
            while "/api/tags" not in server.paths and time.monotonic() < until:
                time.sleep(0.1)
            assert "/api/tags" in server.paths  # Ollama is looked for before anybody asks for the list
        finally:
            assert app.stop() == 0


def test_behind_a_proxy_that_is_away_this_machine_is_asked_directly(tmp_path: Path) -> None:
    away = "http://127.0.0.1:9"
    proxies = {name: away for each in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for name in (each, each.lower())}
    with Provider() as provider:
        near = {"label": "near", "model": "hosted_vllm/ok", "api_base": provider.base}
        app = start(tmp_path / "data", MODELS=json.dumps([near]), NO_PROXY="", **proxies)
        try:
            until = time.monotonic() + START_S
            while "is ready" not in app.log.read_text() and time.monotonic() < until:
                time.sleep(0.1)
            direct = httpx.Client(trust_env=False, timeout=60)
            body = {"question": "Why is the sky blue?", "model": "near", "stream": False}
            with direct:
                answer = direct.post(f"{app.url}/api/turns", json=body).json()
            assert (answer["kind"], answer["state"]) == ("turn_finished", "finished")
            assert provider.requests
        finally:
            app.stop()


@pytest.mark.parametrize("host", ["[::1]", "::"])
def test_it_starts_on_ipv6_and_says_where(tmp_path: Path, host: str) -> None:
    if not _has_ipv6():
        pytest.skip("no IPv6 here")
    app = start(tmp_path / "data", HOST=host)
    port = app.url.rpartition(":")[2]
    url = f"http://[::1]:{port}"
    try:
        until = time.monotonic() + START_S
        while "is ready" not in app.log.read_text() and time.monotonic() < until:
            time.sleep(0.1)
        shown = f"http://127.0.0.1:{port}" if host == "::" else url
        assert f"Glassbox is ready: {shown}\n" in app.log.read_text()
        assert httpx.get(f"{url}/health").status_code == 200
        assert httpx.get(f"{url}/metrics").status_code == 200  # this loopback is one, too
        assert httpx.get(f"{url}/", headers={"Host": f"[::1]:{port}"}).status_code == 200
    finally:
        assert app.stop() == 0


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
