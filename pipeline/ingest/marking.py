"""Draws one page of a PDF, or a picture, and marks a span of it. Runs in the child process."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from PIL import Image, ImageChops, ImageDraw

from pipeline.errors import IngestFault
from pipeline.ingest.images import picture_of
from pipeline.ingest.kinds import IMAGES
from pipeline.ingest.pdf import FIELD, is_scan, opened, page_text, scan
from pipeline.ingest.pdf_fields import fields_of
from pipeline.ingest.recognition import Recognised, program, recognised

SCALE = 1.6  # pixels per point; a line of 10-point text is 16 pixels high
LONGEST_PIXELS = 2000  # of the longer side, to limit the memory of a huge page
QUALITY = 85
MARKER = (255, 226, 89)
PAD = 1.0  # points around the letters
BETWEEN = 4  # characters between two of one run at most: blanks, line ends and hyphens


def drawn(content: bytes, page: int, start: int, end: int) -> bytes:
    """Draw the page as JPEG; `start` and `end` are offsets in the text of the page."""
    if content.startswith(IMAGES):
        return _of_image(picture_of(content, page), start, end)
    if b"%PDF-" not in content[:1024]:
        raise IngestFault("no_page")
    with opened(content) as document:
        if page > len(document):
            raise IngestFault("no_page")
        pdf_page = document[page - 1]
        textpage = pdf_page.get_textpage()
        found = page_text(pdf_page, textpage, page - 1)
        if start < end and is_scan(pdf_page, found.text) and program():
            return _of_scan(pdf_page, start, end)
        places = found.places[max(start, 0) : max(end, 0)]
        boxes = [box for run in _runs([place for place in places if place < FIELD]) for box in _boxes(textpage, *run)]
        fields = fields_of(pdf_page) if any(place >= FIELD for place in places) else []
        boxes += [fields[number].box for number in sorted({place - FIELD for place in places if place >= FIELD})]
        return _painted(pdf_page, boxes)


def _of_scan(pdf_page: Any, start: int, end: int) -> bytes:
    """Draw a scanned page with the words marked that are recognised at these offsets of its text."""
    picture = scan(pdf_page)
    return _of_image(picture.convert("RGB"), start, end, recognised(picture))


def _of_image(picture: Image.Image, start: int, end: int, found: Recognised | None = None) -> bytes:
    if found is None and start < end and program():
        found = recognised(picture)
    boxes = list(found.boxes(max(start, 0), end)) if found else []
    share = min(1.0, LONGEST_PIXELS / max(picture.size))
    shown = picture.resize((max(1, int(picture.width * share)), max(1, int(picture.height * share))))
    marks = Image.new("RGB", shown.size, "white")
    pen = ImageDraw.Draw(marks)
    for left, top, right, bottom in boxes:
        pen.rectangle((left * share - PAD, top * share - PAD, right * share + PAD, bottom * share + PAD), fill=MARKER)
    return _jpeg(shown, marks)


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Iterate over the first and last of characters that follow each other: the cells of a row may not."""
    ordered = sorted(set(places))
    breaks = [at for at in range(1, len(ordered)) if ordered[at] - ordered[at - 1] > BETWEEN]
    for begin, end in pairwise([0, *breaks, len(ordered)]):
        if begin < end:
            yield ordered[begin], ordered[end - 1]


def _boxes(textpage: Any, first: int, last: int) -> Iterator[tuple[float, float, float, float]]:
    """Iterate over a rectangle (left, bottom, right, top) in points for each line's part between two characters."""
    for number in range(textpage.count_rects(first, last - first + 1)):
        yield textpage.get_rect(number)


def _painted(pdf_page: Any, boxes: list[tuple[float, float, float, float]]) -> bytes:
    bitmap = pdf_page.render(scale=min(SCALE, LONGEST_PIXELS / max(pdf_page.get_size())))
    place = bitmap.get_posconv(pdf_page)  # respects rotation and crop box
    picture = bitmap.to_pil().convert("RGB")
    marks = Image.new("RGB", picture.size, "white")
    pen = ImageDraw.Draw(marks)
    for left, bottom, right, top in boxes:
        (x0, y0), (x1, y1) = place.to_bitmap(left - PAD, top + PAD), place.to_bitmap(right + PAD, bottom - PAD)
        pen.rectangle((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), fill=MARKER)
    return _jpeg(picture, marks)


def _jpeg(picture: Image.Image, marks: Image.Image) -> bytes:
    jpeg = io.BytesIO()
    ImageChops.multiply(picture, marks).save(jpeg, "JPEG", quality=QUALITY)  # like a marker pen: letters stay black
    return jpeg.getvalue()
