"""What the process that opens foreign files may still do."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.ingest.confining import ABI_VERSION, CREATE_RULESET, NICENESS
from pipeline.ingest.files import read_file
from pipeline.settings import ROOT

TRIES = """
import os, pathlib, socket, sys
sys.path.insert(0, {root!r})
from pipeline.ingest.confining import confine
confine(pathlib.Path({root!r}) / "pipeline")
for name, act in {{
    "parent": lambda: open(f"/proc/{{os.getppid()}}/environ", "rb").read(),
    "secrets": lambda: open({secrets!r}).read(),
    "write": lambda: open({secrets!r} + ".new", "w"),
    "network": lambda: socket.create_connection(("127.0.0.1", {port}), 5),
    "signal": lambda: os.kill(os.getppid(), 0),
    "code": lambda: open({root!r} + "/pipeline/errors.py").read(),
    "import": lambda: __import__("pypdfium2"),
}}.items():
    try:
        act()
        print(name, "yes")
    except OSError:
        print(name, "no")
print("nice", os.nice(0))
"""


def landlock_version() -> int:
    if sys.platform != "linux":
        return 0
    import ctypes

    return int(ctypes.CDLL(None).syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ABI_VERSION))


@pytest.mark.skipif(landlock_version() < 6, reason="this kernel cannot forbid all of it")
def test_a_confined_process_sees_its_code_and_nothing_of_its_parent_or_of_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-of-the-parent")
    secrets = tmp_path / ".env"
    secrets.write_text("SOME_API_KEY=sk-of-the-file")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        tries = TRIES.format(root=str(ROOT), secrets=str(secrets), port=port)
        said = subprocess.run([sys.executable, "-I", "-c", tries], env={}, capture_output=True, text=True, timeout=60)
    assert said.stderr == ""
    could = dict(line.split() for line in said.stdout.splitlines())
    assert could == {
        "parent": "no",
        "secrets": "no",
        "write": "no",
        "network": "no",
        "signal": "no",
        "code": "yes",
        "import": "yes",
        "nice": str(NICENESS),
    }


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")
async def test_the_reading_child_runs_behind_the_server() -> None:
    reading = asyncio.create_task(read_file(b"".join(b"Row %d of it.\n\n" % at for at in range(200_000)), "long.txt"))
    seen: set[int] = set()
    while not reading.done() and NICENESS not in seen:
        seen |= {int(niceness) for niceness in map(_niceness_below_us, await asyncio.to_thread(_processes)) if niceness}
        await asyncio.sleep(0.01)
    await reading
    assert NICENESS + os.nice(0) in seen or NICENESS in seen


def _processes() -> list[Path]:
    return list(Path("/proc").glob("[0-9]*"))


def _niceness_below_us(process: Path) -> str | None:
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[16] if int(fields[1]) == os.getpid() else None
