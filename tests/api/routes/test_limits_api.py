"""How much one client may do over HTTP: what is refused, with which status, and that the others go on."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.documents import pdf
from tests.served import Served, served

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
HERE, THERE = "203.0.113.7", "198.51.100.2"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = {
        "RATE_LIMIT": "2/hour",
        "UPLOAD_FILES": "2",
        "UPLOAD_MB": "1",
        "UPLOAD_QUOTA_MB": "3",
        "UPLOAD_QUOTA_VISITOR_MB": "0.9",
        "TRUSTED_PROXY_HOPS": "1",
    }
    with served(tmp_path_factory.mktemp("limits"), **settings) as running:
        yield running


def call(app: Served, method: str, path: str, visitor: str, address: str, **given: Any) -> httpx.Response:
    headers = {"X-Visitor": visitor, "X-Forwarded-For": address}
    return httpx.request(method, f"{app.url}{path}", headers=headers, timeout=60, **given)


def test_searches_uploads_and_pictures_meet_the_rate_each_by_itself(app: Served) -> None:
    file = ("lights.pdf", pdf([["The lamp of Skagen turns once in four seconds."]]))
    for visitor, address in ((MAYA, HERE), (NOAH, THERE)):
        sent = [call(app, "POST", "/api/documents", visitor, address, files={"file": file}) for _ in range(3)]
        page = f"/api/documents/{sent[0].json()['documents'][0]['id']}/pages/1.jpg"
        looked = [call(app, "GET", page, visitor, address) for _ in range(3)]
        searched = [call(app, "GET", "/api/search?q=lamp", visitor, address) for _ in range(3)]
        for answers in (sent, looked, searched):
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert int(answers[-1].headers["retry-after"]) > 3_000
            assert answers[-1].json()["detail"].startswith("Those were many requests")


def test_what_is_over_the_quota_is_refused_while_it_comes(app: Served) -> None:
    def upload(address: str, size: int) -> httpx.Response:
        given = {"files": [("files", ("a", b"x" * size))]}
        return call(app, "POST", "/gradio_api/upload", MAYA, address, **given)

    assert upload("192.0.2.1", 700_000).status_code == 200
    refused = upload("192.0.2.1", 700_000)  # of one address
    assert (refused.status_code, refused.json()["code"]) == (413, "no_room")
    answers = [upload(f"192.0.2.{at}", 700_000) for at in range(2, 7)]  # of all
    assert [answer.status_code for answer in answers] == [200, 200, 200, 413, 413]


def test_too_many_files_at_once_are_refused_and_nothing_of_them_is_left(app: Served) -> None:
    for path, field in (("/gradio_api/upload", "files"), ("/api/documents", "file")):
        files = [(field, (f"{at}.txt", b"Fog.")) for at in range(3)]
        answer = call(app, "POST", path, "another-0123456789abc", "192.0.2.77", files=files)
        assert answer.status_code == 422
        assert "too many" in answer.json()["detail"]


def test_uploads_that_hang_do_not_hold_up_the_end(tmp_path: Path) -> None:
    with served(tmp_path / "data") as app, ExitStack() as open_ones:
        port = int(app.url.rpartition(":")[2])
        for path, field in (("/api/documents", "file"), ("/gradio_api/upload", "files")):
            talk = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            talk.sendall(
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Visitor: {MAYA}\r\n"
                f"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 9000000\r\n\r\n--B\r\n"
                f'Content-Disposition: form-data; name="{field}"; filename="a.txt"\r\n\r\n'.encode()
                + b"x" * 2_000_000
            )
        time.sleep(0.5)
        assert app.stop(signal.SIGTERM) == 0  # within 10 s
