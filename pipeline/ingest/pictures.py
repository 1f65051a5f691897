"""Renders a page of a PDF as a JPEG, with a span of the document's text highlighted.

Other kinds of files and missing pages raise the fault `no_page`. Pictures are not cached, since rendering one costs
less than a cache would.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import IngestFault
from pipeline.ingest import ReadingLimits
from pipeline.ingest.sandbox import run

LIMITS = ReadingLimits(cpu_s=10, wall_s=30)


async def page_jpeg(file: Path | bytes, page: int, page_start: int, start: int, end: int) -> bytes:
    """Render page `page` (from 1) of a PDF as JPEG; `page_start` is the document's `page_starts[page - 1]`.

    The part of `text[start:end]` on this page is highlighted. Raises IngestFault.
    """
    if page < 1:
        raise IngestFault("no_page")
    return await run("picture", {"page": page, "page_start": page_start, "start": start, "end": end}, file, LIMITS)
