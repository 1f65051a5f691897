"""A page of a PDF as a picture, with a span of the document's text marked on it.

Only a PDF has pages that look like something; for every other kind of file, and a page that is not there, the fault is
`no_page`. Nothing is kept: a picture costs less than its bookkeeping.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import IngestFault
from pipeline.ingest import Limits
from pipeline.ingest.sandbox import run

LIMITS = Limits(cpu_s=10, wall_s=30)


async def page_jpeg(file: Path | bytes, page: int, page_start: int, start: int, end: int) -> bytes:
    """Page `page` (from 1) of a PDF as JPEG; `page_start` is the document's `page_starts[page - 1]`.

    What of `text[start:end]` stands on this page is marked, nothing when none of it does. Raises IngestFault.
    """
    if page < 1:
        raise IngestFault("no_page")
    return await run("picture", {"page": page, "page_start": page_start, "start": start, "end": end}, file, LIMITS)
