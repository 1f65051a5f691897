"""`POST /gradio_api/upload`: where the page sends files, under the address that Gradio's own upload has.

Gradio's checks nothing but the size of one file, and leaves half files behind when a request breaks off. The answer is
the same: a list of paths, below the folder where files wait until the page's event takes them.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import asyncio
import shutil
import time
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from api.faults import TooLarge
from api.forms import Forms, address_of, discard
from pipeline.errors import Busy, Refused
from pipeline.library import Library, Upload
from pipeline.limits import RETRY_S, Client

DROPS_WAITING = 4  # of as many files as may be brought at once, from one address
KEPT_S = 3600  # what was sent and never taken: its page was closed in between


def routes(library: Library) -> APIRouter:
    """The route."""
    router, forms = APIRouter(), Forms(library)

    async def uploaded(request: Request) -> JSONResponse:
        """Keep the files where they can be taken. Raises GlassboxError, which `faults` turns into a status."""
        address = address_of(request)
        await library.count_file(Client(address=address))
        await asyncio.to_thread(_tidy, library.waiting)
        if library.quota.waiting(address) >= DROPS_WAITING * library.bounds.files:
            raise Busy("uploads", RETRY_S)
        uploads = await forms.received(request, "files")
        if not uploads or any(_size_bytes(each) > library.bounds.size_bytes for each in uploads):
            discard(uploads)
            raise TooLarge if uploads else Refused("no_files")
        return JSONResponse([str(each.file) for each in uploads])

    @router.post("/gradio_api/upload")
    async def upload(answer: Annotated[JSONResponse, Depends(uploaded)]) -> JSONResponse:
        return answer

    return router


def _size_bytes(upload: Upload) -> int:
    return len(upload.file) if isinstance(upload.file, bytes) else upload.file.stat().st_size


def _tidy(folder: Path) -> None:
    """Remove what nobody took in time."""
    for each in folder.glob("*"):
        try:
            is_old = each.stat().st_mtime < time.time() - KEPT_S
        except OSError:
            continue  # it was taken meanwhile
        if is_old:
            shutil.rmtree(each, ignore_errors=True)
