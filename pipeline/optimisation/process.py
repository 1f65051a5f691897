"""The server's side of the process of an optimiser: starts it, answers what it asks, and ends it in any case."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE

from pydantic import ValidationError

from pipeline.optimisation.wire import (
    JOB,
    LINE_BYTES,
    REPLY,
    SAID,
    Answered,
    AskDocuments,
    AskModel,
    Ended,
    Job,
    Reply,
    Said,
    Tried,
    line,
)

_ROOT = Path(__file__).parents[2]
_ENV = {
    "LC_ALL": "C.UTF-8",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "HF_HUB_OFFLINE": "1",
    "DSPY_CACHEDIR": str(Path(tempfile.gettempdir()) / "glassbox-no-cache"),  # is not made: nothing is cached
}

Ask = Callable[[AskModel], Awaitable[Reply]]
Find = Callable[[AskDocuments], Awaitable[Reply]]
Hear = Callable[[Tried | Answered], Awaitable[None]]


class Died(Exception):
    """The process ended before its job was done."""


async def run(job: Job, ask: Ask, find: Find, hear: Hear) -> None:
    """Do a job in a process of its own. Raises Died.

    What `ask` and `find` raise ends the process and is raised here. A cancellation ends the process at once.
    """
    env = {**_ENV, "SYSTEMROOT": r"C:\Windows"} if sys.platform == "win32" else _ENV
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-m", "pipeline.optimisation.child"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=env,
        cwd=_ROOT,
        limit=LINE_BYTES,
    )
    try:
        await _served(process, job, ask, find, hear)
    except ExceptionGroup as group:
        raise _first(group) from group
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if process.stdin:
            process.stdin.close()


async def _served(process: Process, job: Job, ask: Ask, find: Find, hear: Hear) -> None:
    assert process.stdin
    assert process.stdout
    stdin = process.stdin

    async def answer(reply: Awaitable[Reply]) -> None:
        data = line(REPLY, await reply)
        with suppress(BrokenPipeError, ConnectionResetError):
            stdin.write(data)
            await stdin.drain()

    async with asyncio.TaskGroup() as asking:
        await _written(process, line(JOB, job))
        while (said := await _heard(process)) is not None:
            match said:
                case AskModel():
                    asking.create_task(answer(ask(said)))
                case AskDocuments():
                    asking.create_task(answer(find(said)))
                case Tried() | Answered():
                    await hear(said)
                case Ended():
                    return
    raise Died


async def _written(process: Process, data: bytes) -> None:
    assert process.stdin
    with suppress(BrokenPipeError, ConnectionResetError):  # it died: its stdout says so
        process.stdin.write(data)
        await process.stdin.drain()


async def _heard(process: Process) -> Said | None:
    """Return what the process says next; None where it has ended, or says what no process of ours says."""
    assert process.stdout
    try:
        data = await process.stdout.readline()
        return SAID.validate_json(data) if data else None
    except (ValidationError, ValueError):
        return None


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
