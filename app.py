"""Starts and ends the process: settings, the lock of DATA_DIR, signals and exit codes. `server` builds the rest.

`load` comes before every other import: it sets what dspy, litellm, gradio and the hub client read when imported.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

if __name__ == "__main__":  # before the imports below, which take seconds

    def leave(*_: Any) -> None:
        """End the process at once: no turn runs before there is a server. An import could swallow a SystemExit."""
        print("Stopping …", file=sys.stderr, flush=True)
        os._exit(0)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)

from components.skip_gradio_stubs import without_matplotlib, without_stubs
from pipeline.settings import Settings, SettingsFault, load

try:
    without_stubs()
    without_matplotlib()
    SETTINGS = load()
except SettingsFault as fault:
    raise SystemExit(str(fault)) from None

import asyncio
import logging
import shutil
import socket

from filelock import FileLock, Timeout

import server
from api import serving
from components import mounting
from i18n.messages import error_text
from pipeline import garbage_collection, logs
from pipeline.database.connections import described
from pipeline.errors import IndexTaken, NotInstalled, SearchFault, StoreFault
from pipeline.own_faults import own_fault

LEAVING_S = 8.0  # for ending everything; what was acknowledged survives a killed process

log = logging.getLogger("glassbox")


def main() -> int:
    """Run until a signal comes → the exit code: 0, 1 for a setting that cannot be followed, 2 for a folder in use."""
    logs.set_up(SETTINGS.log_level, SETTINGS.secrets)
    lock = FileLock(SETTINGS.data_dir / "lock")
    try:
        SETTINGS.data_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        return failed(
            2, "Another Glassbox uses this DATA_DIR. Stop it, or start this one with DATA_DIR set to another folder."
        )
    except OSError:
        log.warning("cannot write to DATA_DIR: answers will not be saved")
    try:
        return run(SETTINGS)
    finally:
        lock.release()


def run(settings: Settings) -> int:
    """Listen and serve → the exit code."""
    host, port = settings.address
    try:
        sockets = serving.listen(host, port)
    except OSError:
        return failed(
            1, f"Cannot listen on {host}:{port}. It is taken or not ours: set HOST and PORT to another address."
        )
    try:
        serve(settings, sockets, threading.Event())
    except Exception as error:  # noqa: BLE001  a traceback would show texts and paths
        return failed(1, *reasons(error, settings))
    return 0


def reasons(error: Exception, settings: Settings) -> tuple[str, ...]:
    """Return the lines that the terminal shows when the start has failed."""
    match error:
        case StoreFault() if settings.database_url:
            address = described(settings.database_address)
            return f"DATABASE_URL: {address}.", "The database cannot be used. Check DATABASE_URL."
        case StoreFault() | IndexTaken() | NotInstalled() | SearchFault():
            return (error_text(error),)
        case SettingsFault():
            return (str(error),)
        case _:
            return (error_text(own_fault(error, "start")),)


def failed(code: int, *lines: str) -> int:
    """Print why → the exit code."""
    print(*lines, sep="\n", file=sys.stderr)
    return code


def serve(settings: Settings, sockets: list[socket.socket], stop: threading.Event) -> None:
    """Build the parts, and serve until `stop` is set."""
    shutil.rmtree(settings.data_dir / "gradio", ignore_errors=True)  # uploads that an earlier process never took
    parts = server.build(settings, uploads=mounting.upload_folder())
    asyncio.run(server.index_shared_documents(parts))
    warn(parts)
    running = server.Server(parts, sockets)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    running.start()
    garbage_collection.settle()
    address = serving.shown(*settings.address)
    public = f" (for others: {settings.public_address})" if settings.public_address else ""
    print(f"Glassbox is ready: {address}{public}", flush=True)
    stop.wait()
    print("Stopping …", file=sys.stderr, flush=True)
    exit_in(LEAVING_S)
    running.stop()


def exit_in(wait_s: float) -> None:
    """End the process in `wait_s` seconds even if threads still run: one may index a large file or fetch a model."""
    timer = threading.Timer(wait_s, os._exit, (0,))
    timer.daemon = True
    timer.start()


def warn(parts: server.Parts) -> None:
    """Log settings without the effect that was meant."""
    if not parts.library.shared():
        log.warning("DOCUMENTS_DIR holds no document that can be read: nothing is found but what visitors bring.")
    if not parts.models.has_default:
        log.warning("DEFAULT_MODEL is not among the models, so visitors start with %s.", parts.models.default)
    for label in parts.models.without_price() if parts.spending.has_budget else ():
        log.warning(
            "The price of “%s” is unknown, so that its calls use nothing of the budget. Set input_cost_per_token and "
            "output_cost_per_token of its entry in MODELS; 0 for a server of your own.",
            label,
        )


if __name__ == "__main__":
    sys.exit(main())
