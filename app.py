"""Composition root: settings → parts → Pipeline → page + api → one server. Builds, decides nothing.

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
        """What a signal does until there is a server: no turn runs yet, and what is stored stands a killed process.

        No SystemExit, which an import may swallow.
        """
        print("Stopping …", file=sys.stderr, flush=True)
        os._exit(0)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)

from components.unstubbed import without_matplotlib, without_stubs
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
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from filelock import FileLock, Timeout
from starlette.middleware import Middleware

import api.documents
import api.faults
import api.guard
import api.health
import api.metrics
import api.turns
import api.uploads
from api import serving
from api.hosts import Place
from components import mounting, page
from pipeline import heap, logs
from pipeline.bugs import own_fault
from pipeline.errors import IndexTaken, NotInstalled, SearchFault, StoreFault
from pipeline.ingest import ChunkSize
from pipeline.ingest.files import files_below, read_below
from pipeline.library import Library
from pipeline.models import Models
from pipeline.retrieval.folder import follow
from pipeline.retrieval.opening import opened
from pipeline.store import Store
from pipeline.store.database import described
from pipeline.turns import Pipeline

CLOSING_S = 4.0  # the turns' ending, the server's and the interpreter's (some 3 s) must stay under 10 s
LEAVING_S = 8.0  # whatever still runs then is given up: what was acknowledged stands a killed process

log = logging.getLogger("glassbox")


def main() -> int:
    """Run until a signal comes → the exit code: 1 for what a setting names and cannot be had, 2 for a folder taken."""
    logs.set_up(SETTINGS.log_level, SETTINGS.secrets)
    claim = FileLock(SETTINGS.data_dir / "lock")
    try:
        SETTINGS.data_dir.mkdir(parents=True, exist_ok=True)
        claim.acquire(blocking=False)
    except Timeout:
        print(
            "Another Glassbox uses this DATA_DIR. Stop it, or start this one with DATA_DIR set to another folder.",
            file=sys.stderr,
        )
        return 2
    except OSError:
        log.warning("cannot write to DATA_DIR: answers will not be saved")
    host, port = SETTINGS.address
    try:
        sockets = serving.listen(host, port)
    except OSError:
        print(
            f"Cannot listen on {host}:{port}. It is taken or not ours: set HOST and PORT to another address.",
            file=sys.stderr,
        )
        return 1
    try:
        serve(SETTINGS, sockets, threading.Event())
    except StoreFault as fault:
        if SETTINGS.database_url:
            print(f"DATABASE_URL: {described(SETTINGS.database_address)}.", file=sys.stderr)
            print("The database cannot be used. Check DATABASE_URL.", file=sys.stderr)
        else:
            print(fault.text, file=sys.stderr)
        return 1
    except (IndexTaken, NotInstalled, SearchFault) as fault:
        print(fault.text, file=sys.stderr)
        return 1
    except SettingsFault as fault:
        print(fault, file=sys.stderr)
        return 1
    except Exception as error:  # noqa: BLE001  a traceback would show texts and paths
        print(own_fault(error, "start").text, file=sys.stderr)
        return 1
    finally:
        claim.release()
    return 0


def serve(settings: Settings, sockets: list[socket.socket], stop: threading.Event) -> None:
    """Build the parts, serve until `stop`, then end the turns first and the server after them."""
    shutil.rmtree(settings.data_dir / "gradio", ignore_errors=True)  # uploads that an earlier process never took
    store = Store(settings.database_address)
    try:
        store.open()
    except StoreFault:  # it is logged, the page says it, and the store tries again
        log.warning(
            "the database cannot be used now (%s): answers will not be saved", described(settings.database_address)
        )
    size = ChunkSize(settings.chunk_chars, settings.chunk_overlap_chars)
    index = opened(settings)
    folder = settings.documents_dir
    asyncio.run(follow(index, folder, files_below(folder), lambda path: read_below(folder, path, size), size.recipe))
    models = Models(settings)
    pipeline = Pipeline(settings, models, index, store)
    library = Library(index, settings, mounting.upload_folder())
    meters = api.metrics.Meters(pipeline)
    pipeline.watchers += [logs.log_turn, meters.ended]
    if not pipeline.documents:
        log.warning("DOCUMENTS_DIR holds no document that can be read: nothing is found but what visitors bring.")
    if settings.default_model != pipeline.default_model:
        log.warning("DEFAULT_MODEL is not among the models, so visitors start with %s.", pipeline.default_model)
    demo = page.build(
        pipeline,
        library,
        on_space=settings.on_space,
        typed_models=settings.is_private,
        shows_figures=settings.enable_metadata,
    )
    loops: list[asyncio.AbstractEventLoop] = []

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncGenerator[None, None]:
        loops.append(asyncio.get_running_loop())
        logs.watch(loops[0])
        works = (library.sweep(), meters.watch_lag(), library.embed(), warn_of_unreachable(models))
        beside = [asyncio.create_task(each) for each in works]
        yield
        for task in beside:
            task.cancel()

    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    routers = (
        api.turns.routes(pipeline),
        api.documents.routes(library),
        api.uploads.routes(library),
        api.health.routes(pipeline),
        api.metrics.routes(meters, token),
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    place = Place.of(settings.address[0], settings.public_address, settings.proxies)
    traced = Middleware(api.faults.Traced)
    app = FastAPI(
        routes=[route for router in routers for route in router.routes],
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        # Outside, what the guard itself raises is told as ours; inside, a route's bug bears the guard's headers.
        middleware=[traced, *api.guard.middleware(place, settings.embed_origins, settings.cors_origins), traced],
        exception_handlers=api.faults.HANDLERS,
    )
    inside = {"middleware": [traced], "exception_handlers": api.faults.HANDLERS}
    mounted = mounting.mount(app, demo, {**page.launch_options(), "app_kwargs": inside})
    api.guard.narrow(app.router.routes, mounted.pending, mounted.forget)
    server = serving.Server(app, sockets)
    server.start()
    heap.settle()
    address = serving.shown(*settings.address)
    public = f" (for others: {settings.public_address})" if settings.public_address else ""
    print(f"Glassbox is ready: {address}{public}", flush=True)
    stop.wait()
    print("Stopping …", file=sys.stderr, flush=True)
    # A thread cannot be ended, and an interpreter waits for each: one may index a large file, or fetch a model.
    last = threading.Timer(LEAVING_S, os._exit, (0,))
    last.daemon = True
    last.start()
    try:
        asyncio.run_coroutine_threadsafe(pipeline.close(), loops[0]).result(CLOSING_S)
    except TimeoutError:
        log.warning("a turn did not end in time; what it had saved is kept")
    finally:
        mounted.close(loops[0])
        server.stop()
        index.close()
        store.close()


async def warn_of_unreachable(models: Models) -> None:
    """Say at the start what would else be found out by whoever asks such a model."""
    for label in await asyncio.to_thread(models.unreachable):
        log.warning("MODELS: no library knows the provider of “%s”. A model's name is like provider/model.", label)


if __name__ == "__main__":
    sys.exit(main())
