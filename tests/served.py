"""`python app.py` as a process of its own, on a free port, with a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pipeline.settings import ROOT

START_S = 180


@dataclass(frozen=True)
class Served:
    """A running app."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal → the exit code, within 10 s."""
        self.process.send_signal(number)
        return self.process.wait(10)

    def ask(self, body: dict[str, Any], visitor: str | None = None) -> list[dict[str, Any]]:
        """POST /api/turns → its events, read to the end."""
        headers = {"X-Visitor": visitor} if visitor else {}
        answer = httpx.post(f"{self.url}/api/turns", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(data_dir: Path, root: Path = ROOT, /, **settings: str) -> Served:
    """Start the app of the tree at `root`; does not wait for it."""
    port = int(settings.pop("PORT", free_port()))
    plain = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY") and name != "SPACE_ID"}
    environment = {**plain, "PYTHONUNBUFFERED": "1", "DATA_DIR": str(data_dir), "PORT": str(port), **settings}
    log = data_dir.parent / f"{data_dir.name}-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=root, env=environment, stdout=out, stderr=out)
    return Served(f"http://127.0.0.1:{port}", process, log)


@contextmanager
def served(data_dir: Path, root: Path = ROOT, /, **settings: str) -> Iterator[Served]:
    """The app of the tree at `root`, ready to answer; ended afterwards."""
    app = start(data_dir, root, **settings)
    try:
        await_health(app)
        yield app
    finally:
        if app.process.poll() is None:
            app.process.kill()
            app.process.wait(10)


def await_health(app: Served) -> None:
    """Until a question can be answered."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if app.process.poll() is not None:
            raise AssertionError(app.log.read_text())
        try:
            if httpx.get(f"{app.url}/health", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"not healthy after {START_S} s: {app.log.read_text()}")
