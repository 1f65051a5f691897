"""Opens untrusted files in a disposable child process, so that they cannot harm the server.

A child lives for one job. It gets the file on stdin and no key, path or folder name, so that it can leave nothing
behind and reveal nothing. It is killed when the caller is cancelled or its time is up.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import cast
from weakref import WeakKeyDictionary

from pipeline.errors import FILE_CODES, FileCode, IngestFault
from pipeline.ingest import ReadingLimits
from pipeline.ingest.progress import Hear
from pipeline.own_faults import record

# How a child reports a bug of ours. It read an untrusted file, so no other report is taken for a bug.
_BUG = re.compile(r"internal (?P<kind>[A-Za-z]{1,40})(?P<frames>(?: pipeline/[\w/]{1,60}\.py:\d{1,5}){0,12})")

AT_ONCE = max(2, os.cpu_count() or 1)  # children per job kind; each may use ReadingLimits.memory_bytes

_SHARE = re.compile(rb"at (\d\.\d\d)\n")
_CHILD = Path(__file__).with_name("child.py")
_ROOMS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Semaphore]] = WeakKeyDictionary()
# Signals of a child that exceeded a limit: CPU time, memory (libraries abort, Linux kills).
_DEATHS = {
    "SIGXCPU": "timeout",
    "SIGKILL": "too_complex",
    "SIGABRT": "too_complex",
    "SIGTRAP": "too_complex",
}


async def run(
    job: str,
    arguments: Mapping[str, object],
    file: Path | bytes,
    limits: ReadingLimits,
    hear: Hear | None = None,
) -> bytes:
    """Return what the child answers about `file`; `hear` is called with the share that it has read.

    Raises IngestFault; OSError when the file cannot be opened.
    """
    async with _room(job):
        given = [job, json.dumps(arguments), json.dumps(asdict(limits))]
        code, result = await _spawned(given, file, limits.wall_s, hear)
    if code == "ok":
        return result
    if bug := _BUG.fullmatch(code):
        record(bug["kind"], tuple(bug["frames"].split()), "document")
        raise IngestFault("internal")
    raise IngestFault(cast(FileCode, code) if code in FILE_CODES else "broken")


def _room(job: str) -> asyncio.Semaphore:
    """Return the semaphore of a job kind; pictures do not wait for files that take long to read."""
    rooms = _ROOMS.setdefault(asyncio.get_running_loop(), {})
    return rooms.setdefault(job, asyncio.Semaphore(AT_ONCE))


async def _spawned(arguments: list[str], file: Path | bytes, wall_s: float, hear: Hear | None) -> tuple[str, bytes]:
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
            (code, result), _ = await asyncio.gather(_heard(process, hear), _fed(process, file))
            await process.wait()
    except TimeoutError:
        return "timeout", b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()  # waits for it and closes the pipes
    if process.returncode:
        return _death(process.returncode), b""
    return code, result


async def _heard(process: Process, hear: Hear | None) -> tuple[str, bytes]:
    """Return the code and the result that a child writes, and pass on the shares that it writes before."""
    assert process.stdout
    try:
        while share := _SHARE.fullmatch(line := await process.stdout.readline()):
            if hear:
                hear(min(float(share[1]), 1.0))
    except ValueError:  # a line without an end: no child of ours writes it
        return "broken", b""
    return line.strip().decode("ascii", "replace"), await process.stdout.read()


async def _fed(process: Process, file: Path | bytes) -> None:
    """Write the content of a file to a child that was not given the file itself."""
    if process.stdin and isinstance(file, bytes):
        with suppress(BrokenPipeError, ConnectionResetError):  # the child ended early
            process.stdin.write(file)
            await process.stdin.drain()
        process.stdin.close()


def _death(returncode: int) -> str:
    name = signal.Signals(-returncode).name if -returncode in set(signal.Signals) else ""
    return _DEATHS.get(name, "broken")


def _env() -> dict[str, str]:
    """Return an empty environment; Windows cannot start a program without its own variables."""
    return {"SYSTEMROOT": r"C:\Windows"} if sys.platform == "win32" else {"LC_ALL": "C.UTF-8"}
