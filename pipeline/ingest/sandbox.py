"""Foreign files are opened in a throw-away process: whatever they do to it, the server goes on.

A child lives for one job. It gets the file on stdin and nothing else: no key, no path, no name of a folder; so nothing
is left behind and nothing can be told. The caller's cancellation, and the clock, kill it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from subprocess import DEVNULL, PIPE
from weakref import WeakKeyDictionary

from pipeline.bugs import record
from pipeline.errors import FILE_FAULTS, IngestFault
from pipeline.ingest import Limits

# What a child says of a bug of ours. It had a foreign file in it, so nothing else is believed to be one.
_BUG = re.compile(r"internal (?P<kind>[A-Za-z]{1,40})(?P<frames>(?: pipeline/[\w/]{1,60}\.py:\d{1,5}){0,12})")

AT_ONCE = max(2, os.cpu_count() or 1)  # children of a kind, each of which may take Limits.memory_bytes

_CHILD = Path(__file__).with_name("child.py")
_ROOMS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Semaphore]] = WeakKeyDictionary()
# Died of a limit: out of CPU time, out of memory (libraries abort, Linux kills).
_DEATHS = {
    "SIGXCPU": "timeout",
    "SIGKILL": "too_complex",
    "SIGABRT": "too_complex",
    "SIGTRAP": "too_complex",
}


async def run(job: str, arguments: Mapping[str, object], file: Path | bytes, limits: Limits) -> bytes:
    """What the child says of `file`. Raises IngestFault; OSError when the file itself cannot be opened."""
    async with _room(job):
        code, result = await _spawned([job, json.dumps(arguments), json.dumps(asdict(limits))], file, limits.wall_s)
    if code == "ok":
        return result
    if bug := _BUG.fullmatch(code):
        record(bug["kind"], tuple(bug["frames"].split()), "document")
        raise IngestFault("internal")
    raise IngestFault(code if code in FILE_FAULTS else "broken")


def _room(job: str) -> asyncio.Semaphore:
    """Pictures do not wait for files that take long."""
    rooms = _ROOMS.setdefault(asyncio.get_running_loop(), {})
    return rooms.setdefault(job, asyncio.Semaphore(AT_ONCE))


async def _spawned(arguments: list[str], file: Path | bytes, wall_s: float) -> tuple[str, bytes]:
    command = [sys.executable, "-I", "-B", str(_CHILD), *arguments]
    if isinstance(file, bytes):
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=_env())
    else:
        with file.open("rb") as source:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=source, stdout=PIPE, stderr=DEVNULL, env=_env()
            )
    try:
        async with asyncio.timeout(wall_s):
            said, _ = await process.communicate(file if isinstance(file, bytes) else None)
    except TimeoutError:
        return "timeout", b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()  # also closes the pipes
    if process.returncode:
        return _death(process.returncode), b""
    code, _, result = said.partition(b"\n")
    return code.decode("ascii", "replace"), result


def _death(returncode: int) -> str:
    name = signal.Signals(-returncode).name if -returncode in set(signal.Signals) else ""
    return _DEATHS.get(name, "broken")


def _env() -> dict[str, str]:
    """Nothing of ours; Windows cannot start a program without its own."""
    return {"SYSTEMROOT": r"C:\Windows"} if sys.platform == "win32" else {"LC_ALL": "C.UTF-8"}
