"""Scans and pictures, read by Debian's tesseract in the real child process where it is installed."""

from __future__ import annotations

import io

import pypdfium2 as pdfium
import pytest
from PIL import Image

from pipeline.errors import IngestFault
from pipeline.ingest.files import read_file
from pipeline.ingest.pictures import page_jpeg
from pipeline.ingest.recognition import _joined, program
from tests.documents import LARGE, Line, pdf

HANDBOOK: list[Line] = [
    ("Harbour handbook", LARGE),
    "The lamp of the Skagen lighthouse turns once in four seconds.",
    "Fog horns boom in Dover when the weather is thick.",
]
needs_tesseract = pytest.mark.skipif(program() is None, reason="no tesseract here")


def pictures(*pages: list[Line]) -> list[Image.Image]:
    return [page.render(scale=3).to_pil().convert("RGB") for page in pdfium.PdfDocument(pdf(list(pages)))]


def saved(kind: str, pages: list[Image.Image]) -> bytes:
    content = io.BytesIO()
    more = {"save_all": True, "append_images": pages[1:]} if len(pages) > 1 else {}
    pages[0].save(content, kind, **more)
    return content.getvalue()


def marked(jpeg: bytes) -> set[int]:
    """The tenths of a page, from its top, in which something is yellow."""
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB").resize((100, 100))
    pixels = picture.load()
    assert pixels
    found = set()
    for y in range(100):
        for x in range(100):
            red, green, blue = pixels[x, y]  # type: ignore[misc]
            if red > 200 and green > 180 and blue < 160:
                found.add(y // 10)
    return found


@needs_tesseract
@pytest.mark.parametrize(("kind", "name"), [("PDF", "a.pdf"), ("TIFF", "a.tiff")])
async def test_scanned_pages_are_read_and_a_passage_is_marked_on_its_page(kind: str, name: str) -> None:
    content = saved(kind, pictures(["Beans are green."], HANDBOOK))
    document = await read_file(content, name)
    assert document.pages == 2
    second = document.text[document.page_starts[1] :]
    assert "Beans are green." in document.text[: document.page_starts[1]]
    assert "The lamp of the Skagen lighthouse turns once in four seconds." in second
    at = document.text.index("Fog horns")
    span = (document.page_starts[1], at, at + len("Fog horns boom in Dover"))
    assert len(marked(await page_jpeg(content, 2, *span))) == 1
    assert marked(await page_jpeg(content, 2, document.page_starts[1], 0, 0)) == set()


@needs_tesseract
async def test_a_scanned_page_among_written_ones_is_read_too() -> None:
    both = pdfium.PdfDocument(pdf([["Written: beans are green before they are roasted."]]))
    both.import_pages(pdfium.PdfDocument(saved("PDF", pictures(HANDBOOK))))
    content = io.BytesIO()
    both.save(content)
    document = await read_file(content.getvalue(), "a.pdf")
    assert document.text.startswith("Written: beans are green")
    assert "turns once in four seconds" in document.text[document.page_starts[1] :]


@needs_tesseract
async def test_a_picture_without_letters_has_no_text() -> None:
    for kind, name, code in (("PNG", "a.png", "no_text"), ("PDF", "a.pdf", "scanned")):
        with pytest.raises(IngestFault) as caught:
            await read_file(saved(kind, [Image.new("RGB", (800, 600), "white")]), name)
        assert caught.value.code == code


async def test_a_damaged_picture_is_refused() -> None:
    with pytest.raises(IngestFault) as caught:
        await read_file(b"\x89PNG\r\n\x1a\nno picture", "a.png")
    assert caught.value.code == ("broken" if program() else "no_ocr")


def row(place: str, confidence: int, text: str) -> str:
    return "\t".join(["5", "1", *place.split("."), "1", "10", "20", "30", "40", str(confidence), text])


def test_lines_are_joined_to_paragraphs_and_each_word_knows_its_place() -> None:
    found = _joined(
        "\n".join(
            [
                "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext",
                row("1.1.1", 95, "The"),
                row("1.1.1", 95, "light-"),
                row("1.1.2", 95, "house"),
                row("1.1.2", 12, "~;"),
                row("1.1.2", 95, "at"),
                row("1.2.1", 95, "Pier"),
                row("1.2.1", 95, "A-"),
                row("1.2.2", 95, "B"),
            ]
        )
    )
    assert found.text == "The lighthouse at\nPier A- B"
    assert [found.text[start:end] for start, end in found.paragraphs] == ["The lighthouse at", "Pier A- B"]
    assert [found.text[word.start : word.end] for word in found.words] == [
        "The",
        "light",
        "house",
        "at",
        "Pier",
        "A-",
        "B",
    ]
    assert list(found.boxes(4, 8)) == [(10, 20, 40, 60)]
