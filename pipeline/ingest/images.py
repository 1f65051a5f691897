"""Reads pictures by text recognition; each picture of a file of several is a page. Runs in the child process."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image, ImageOps, ImageSequence

from pipeline.errors import IngestFault
from pipeline.ingest.chunks import Extract
from pipeline.ingest.progress import told
from pipeline.ingest.recognition import program, recognised

MOST_PIXELS = 60_000_000  # of one picture: 180 MB


def image_extract(content: bytes, most_pages: int) -> Extract:
    """Read a picture. Raises IngestFault, also where tesseract is not installed."""
    if program() is None:
        raise IngestFault("no_ocr")
    with Image.open(io.BytesIO(content)) as image:
        count = int(getattr(image, "n_frames", 1))
        if count > most_pages:
            raise IngestFault("too_many_pages")
        texts = [recognised(page).text for page in told(_frames(image), count)]
    starts, length = [], 0
    for text in texts:
        length += bool(length and text)
        starts.append(length)
        length += len(text)
    text = "\n".join(filter(None, texts))
    return Extract(text, markdown=False, page_starts=tuple(starts), keeps_places=True)


def picture_of(content: bytes, page: int) -> Image.Image:
    """Return one picture (from 1) upright. Raises IngestFault where there is none of that number."""
    with Image.open(io.BytesIO(content)) as image:
        for number, frame in enumerate(_frames(image), 1):
            if number == page:
                return frame
    raise IngestFault("no_page")


def _frames(image: Image.Image) -> Iterator[Image.Image]:
    for frame in ImageSequence.Iterator(image):
        if frame.width * frame.height > MOST_PIXELS:
            raise IngestFault("too_complex")
        yield ImageOps.exif_transpose(frame).convert("RGB")
