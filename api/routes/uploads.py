"""`POST /gradio_api/upload`: receives the page's files, in place of Gradio's own upload route.

Gradio's route checks only the size of one file and leaves partial files when a request breaks off. The answer has the
same form: a list of paths, below the folder where files wait until an event of the page adds them.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import asyncio
import shutil
import time
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from api.clients import address_of
from api.forms import Forms, discard
from api.operations import operation
from pipeline.clients import RETRY_S, Client
from pipeline.documents.library import Library, Upload
from pipeline.errors import Busy, Refused

DROPS_WAITING = 4  # of the maximum number of files each, from one address
KEPT_S = 3600  # waiting files are removed after this time: their page was closed


def routes(library: Library) -> APIRouter:
    """Make the route."""
    router, forms = APIRouter(), Forms(library)

    async def uploaded(request: Request) -> JSONResponse:
        """Store the files until they are added. Raises GlassboxError, which `error_responses` answers."""
        address = address_of(request)
        await library.count_file(Client(address=address))
        await asyncio.to_thread(_tidy, library.waiting)
        if library.quota.waiting(address) >= DROPS_WAITING * library.bounds.files:
            raise Busy("uploads", RETRY_S)
        uploads = await forms.received(request, "files")
        if not uploads or any(_size_bytes(each) > library.bounds.size_bytes for each in uploads):
            discard(uploads)
            raise Refused("too_large" if uploads else "no_files")
        return JSONResponse([str(each.file) for each in uploads])

    @router.post("/gradio_api/upload", **operation("Store files of the page until they are added", form_field="files"))
    async def upload(answer: Annotated[JSONResponse, Depends(uploaded)]) -> JSONResponse:
        return answer

    return router


def _size_bytes(upload: Upload) -> int:
    return len(upload.file) if isinstance(upload.file, bytes) else upload.file.stat().st_size


def _tidy(folder: Path) -> None:
    """Remove files that were not added in time."""
    for each in folder.glob("*"):
        try:
            is_old = each.stat().st_mtime < time.time() - KEPT_S
        except OSError:
            continue  # the file was added meanwhile
        if is_old:
            shutil.rmtree(each, ignore_errors=True)
