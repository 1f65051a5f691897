"""Files as they come from people, the hostile ones among them, through the real child process."""

from __future__ import annotations

import asyncio
import io
import os
import resource
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from PIL import Image, ImageChops

from pipeline.errors import IngestFault
from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.files import opened_zip, read_file
from pipeline.ingest.pictures import page_jpeg
from pipeline.ingest.recognition import program
from pipeline.ingest.sandbox import AT_ONCE, run
from pipeline.own_faults import FACTS
from tests.documents import (
    LARGE,
    docx,
    endless_pdf,
    forged_docx,
    locked_office,
    locked_zip,
    paragraph,
    pdf,
    pptx,
    swelling_pdf,
    xlsx,
    zip_with_link,
    zipped,
)

T = TypeVar("T")
SMALL = ReadingLimits(memory_bytes=400_000_000, cpu_s=5, wall_s=20)


async def code_of(content: bytes, name: str, limits: ReadingLimits = SMALL) -> str:
    with pytest.raises(IngestFault) as caught:
        await read_file(content, name, limits)
    return caught.value.code


async def code_of_zip(content: bytes, limits: ReadingLimits = SMALL) -> str:
    with pytest.raises(IngestFault) as caught:
        await opened_zip(content, limits)
    return caught.value.code


def children() -> set[str]:
    """Processes that this one started and that are still there."""
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


ORDINARY = {
    "a.pdf": pdf([[("Beans", LARGE), "Beans are green before they are roasted."]]),
    "b.docx": docx(paragraph("Beans are green before they are roasted.")),
    "c.pptx": pptx([{"title": "Beans", "text": "Beans are green before they are roasted."}]),
    "d.xlsx": xlsx({"Beans": [["colour", "when"], ["Beans are green before they are roasted.", 1]]}),
    "e.html": b"<p>Beans are green before they are roasted.",
    "f.md": b"# Beans\n\nBeans are green before they are roasted.",
    "g.txt": b"Beans are green before they are roasted.",
    "h.csv": b"colour,when\nBeans are green before they are roasted.,1",
}


@pytest.mark.parametrize("name", ORDINARY)
async def test_a_file_of_every_kind_becomes_a_document(name: str, tmp_path: Path) -> None:
    path = tmp_path / "anything"
    path.write_bytes(ORDINARY[name])
    document = await read_file(path, name)
    assert document.name == name
    assert "Beans are green before they are roasted." in document.text
    assert all(document.text[chunk.start : chunk.end] == chunk.text for chunk in document.chunks)
    assert str(tmp_path) not in repr(document)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", pdf([["Beans are green."] for _ in range(30)])),
        ("a.csv", b"colour,when\n" + b"Beans are green,1\n" * 5_000),
        ("a.md", b"Beans are green before they are roasted.\n\n" * 500),
    ],
)
async def test_a_reader_tells_how_much_of_a_file_it_has_read(name: str, content: bytes) -> None:
    told: list[float] = []
    await read_file(content, name, hear=told.append)
    assert len(told) > 5
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] <= 1


async def test_bytes_and_a_file_give_the_same_document_and_the_size_of_chunks_is_obeyed(tmp_path: Path) -> None:
    content = b"A sentence of some words. " * 100
    (tmp_path / "x").write_bytes(content)
    size = ChunkSize(200, 50)
    document = await read_file(content, "a.txt", size=size)
    assert document == await read_file(tmp_path / "x", "a.txt", size=size)
    assert isinstance(document, Document)
    assert max(len(chunk.text) for chunk in document.chunks) <= 200


HOSTILE = [
    ("locked.pdf", pdf([["secret"]], locked=True), "encrypted"),
    ("locked.docx", locked_office(), "encrypted"),
    ("empty.pdf", b"", "empty"),
    ("blank.md", b"---\ntitle: T\n---\n \n", "no_text"),
    ("blank.pdf", pdf([[], []]), "no_text"),
    ("scanned.pdf", pdf([["3"], []], image=True), "scanned"),
    ("cut.pdf", pdf([["words"]])[:200], "broken"),
    ("endless.pdf", endless_pdf(), "broken"),
    ("long.pdf", pdf([["words"]] * 5_001), "too_many_pages"),
    ("swelling.pdf", swelling_pdf(400), "too_complex"),
    ("forged.docx", forged_docx(), "broken"),
    ("bomb.docx", zipped({"[Content_Types].xml": "", "word/document.xml": bytes(20_000_000)}), "bomb"),
    ("entities.docx", docx("<w:p>&bomb;</w:p>"), "broken"),
    ("deep.docx", docx("<w:tbl><w:tr><w:tc>" * 2000 + "</w:tc></w:tr></w:tbl>" * 2000), "too_complex"),
    ("renamed.pdf", docx(paragraph("words")), "wrong_type"),
    ("renamed.docx", pdf([["words"]]), "wrong_type"),
    ("renamed.xlsx", docx(paragraph("words")), "wrong_type"),
    ("plain.docx", zipped({"a.txt": "words"}), "wrong_type"),
    ("renamed.txt", pdf([["words"]]), "wrong_type"),
    ("renamed.md", b"<!doctype html><p>words", "wrong_type"),
    ("binary.csv", b"a,\0b", "wrong_type"),
    ("picture.html", b"\x89PNG\r\n", "wrong_type"),
    ("old.doc", b"words", "old_office"),
    ("program.exe", b"MZ", "unsupported"),
    ("noending", b"words", "unsupported"),
    ("deep.json", b"[" * 100_000, "too_complex"),
    ("deep.yaml", b"[" * 100_000, "too_complex"),
    ("deep.xml", b"<a>" * 100_000, "broken"),
    ("deep.rtf", b"{\\rtf1 " + b"{" * 100_000, "no_text"),
    ("cut.epub", zipped({"META-INF/container.xml": "<container><rootfile full-path='a'/>"}), "broken"),
    ("bomb.odt", zipped({"content.xml": bytes(20_000_000)}), "bomb"),
    ("renamed.odt", docx(paragraph("words")), "wrong_type"),
    ("renamed.xls", b"<html><table>", "wrong_type"),
    ("picture.png", b"\x89PNG\r\n", "broken" if program() else "no_ocr"),
    ("random.txt", bytes([0x81, 0xFF, 0x8D, 0xFE, 0x90, 0xFD]) * 30, "unknown_encoding"),
    ("inner.zip", zipped({"a.txt": "words"}), "nested_zip"),
]


@pytest.mark.parametrize(("name", "content", "code"), HOSTILE, ids=[name for name, *_ in HOSTILE])
async def test_every_hostile_file_has_its_own_fault(name: str, content: bytes, code: str) -> None:
    assert await code_of(content, name) == code


async def test_a_page_nested_200_000_deep_ends_at_the_limit_of_cpu_time() -> None:
    began_s = cpu_of_children_s()
    assert await code_of(b"<div>" * 200_000 + b"deep", "a.html", replace(SMALL, cpu_s=1, wall_s=100)) == "timeout"
    assert cpu_of_children_s() - began_s < 4


def cpu_of_children_s() -> float:
    """The CPU time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def test_the_clock_ends_what_uses_no_cpu_time() -> None:
    assert await code_of(b"<div>" * 200_000 + b"deep", "a.html", replace(SMALL, wall_s=0.5)) == "timeout"
    assert children() == set()


@pytest.mark.parametrize(
    ("name", "content", "limits", "code"),
    [
        ("a.txt", b"words " * 100, replace(SMALL, size_bytes=500), "too_large"),
        ("a.txt", b"words " * 100, replace(SMALL, text_chars=500), "too_much_text"),
        ("a.pdf", pdf([["words"]] * 3), replace(SMALL, pages=2), "too_many_pages"),
        ("a.pptx", pptx([{"title": "words"}] * 3), replace(SMALL, pages=2), "too_many_pages"),
        ("a.docx", docx(paragraph("words")), replace(SMALL, members=2), "too_many_files"),
        ("a.docx", docx(paragraph("words")), replace(SMALL, unpacked_bytes=500), "bomb"),
        ("a.txt", b"words " * 3_000_000, replace(SMALL, memory_bytes=80_000_000), "too_complex"),
    ],
)
async def test_every_limit_holds(name: str, content: bytes, limits: ReadingLimits, code: str) -> None:
    assert await code_of(content, name, limits) == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (zipped({"good.txt": "good", "../../evil.txt": "words"}), "zip_path"),
        (zipped({"good.txt": "good", "/etc/evil.txt": "words"}), "zip_path"),
        (zipped({"..\\evil.txt": "words"}), "zip_path"),
        (zipped({"C:/evil.txt": "words"}), "zip_path"),
        (zip_with_link(), "zip_link"),
        (zipped({"good.txt": "good", "in/inner.zip": zipped({"a.txt": "words"})}), "nested_zip"),
        (zipped({"good.txt": "good", "renamed.txt": zipped({"a.txt": "words"})}), "nested_zip"),
        (zipped({"zeros.txt": bytes(20_000_000)}), "bomb"),
        (zipped({f"{number}.txt": "words" for number in range(5_001)}), "too_many_files"),
        (locked_zip(), "encrypted"),
        (zipped({".DS_Store": "words", "__MACOSX/a.txt": "words"}), "empty"),
        (zipped({"a.txt": "words"})[:30], "broken"),
        (b"", "empty"),
    ],
)
async def test_a_zip_with_one_bad_thing_in_it_is_refused_whole(content: bytes, code: str) -> None:
    assert await code_of_zip(content) == code


async def test_the_files_of_a_zip_are_read_one_by_one_and_a_damaged_one_stops_no_other(tmp_path: Path) -> None:
    content = zipped({"in/a.txt": "first words", "in/": "", "./b.md": "second words", "in/.DS_Store": "x"})
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        place = whole.getinfo("in/a.txt").header_offset
    damaged = bytearray(content)
    damaged[place + 40] ^= 0xFF
    path = tmp_path / "x.zip"
    path.write_bytes(damaged)
    archive = await opened_zip(path)
    try:
        assert archive.names == ("in/a.txt", "b.md")
        with pytest.raises(IngestFault, match="broken"):
            await archive.read(0)
        assert (await read_file(await archive.read(1), archive.names[1])).text == "second words"
    finally:
        archive.close()


async def seen(found: Callable[[], T | None]) -> T:
    """What `found` finds, as soon as it does."""
    while (value := found()) is None:  # noqa: ASYNC110 (another process is watched: it sets no event)
        await asyncio.sleep(0.01)
    return value


async def test_cancelling_kills_the_child_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where nobody else writes
    reading = asyncio.create_task(read_file(b"<div>" * 200_000 + b"deep", "a.html"))
    await seen(limits_of_a_child)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert children() == set()
    assert os.listdir(tmp_path) == []  # noqa: PTH208


async def test_no_more_children_run_at_once_than_the_machine_has_room_for() -> None:
    readings = [asyncio.create_task(read_file(b"words", f"{number}.txt")) for number in range(3 * AT_ONCE)]
    most = 0
    while not all(reading.done() for reading in readings):
        most = max(most, len(children()))
        await asyncio.sleep(0.005)
    assert 0 < most <= AT_ONCE
    assert [(await reading).name for reading in readings] == [f"{number}.txt" for number in range(3 * AT_ONCE)]


def limits_of_a_child() -> tuple[bytes, dict[str, list[str]]] | None:
    """The environment and the limits of a child, once it has set them."""
    for pid in children():
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
        limits = {line[:26].strip(): line[26:].split()[:2] for line in lines}
        if limits["Max file size"] == ["0", "0"]:
            return Path(f"/proc/{pid}/environ").read_bytes(), limits
    return None


async def test_the_child_is_limited_and_knows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    reading = asyncio.create_task(read_file(b"<div>" * 200_000 + b"deep", "a.html", SMALL))
    environment, limits = await seen(limits_of_a_child)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert environment == b"LC_ALL=C.UTF-8\0"
    assert limits["Max address space"] == ["400000000", "400000000"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max cpu time"] == ["5", "6"]


async def test_a_bug_of_ours_in_the_child_leaves_a_trace_in_its_parent(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(IngestFault, match="internal"):
        await run("no such job", {}, b"words", SMALL)
    (record,) = caplog.records
    assert record.getMessage() == "our own fault: KeyError"
    told = getattr(record, FACTS)
    assert told["place"] == "document"
    assert {frame.partition(":")[0] for frame in told["frames"]} == {"pipeline/ingest/child.py"}


# Pictures of pages


def marked_rows(jpeg: bytes) -> list[int]:
    """The first and last row of pixels that hold marker: much less blue than red."""
    red, _, blue = Image.open(io.BytesIO(jpeg)).convert("RGB").split()
    marked = ImageChops.subtract(red, blue).point(lambda difference: 255 if difference > 90 else 0)
    box = marked.getbbox()
    return [box[1], box[3]] if box else []


PAGES = [["First line of words that is here.", "Second line of words."], ["On the next page stand more words."]]


async def test_a_page_is_drawn_with_the_span_marked_where_it_stands() -> None:
    content = pdf(PAGES)
    document = await read_file(content, "a.pdf")
    start = document.text.index("Second line")
    drawn = await page_jpeg(content, 1, 0, start, start + len("Second line"))
    picture = Image.open(io.BytesIO(drawn))
    assert (picture.format, picture.size) == ("JPEG", (952, 1348))
    rows = marked_rows(drawn)
    baseline = 1.6 * (842 - (780 - 2 * 1.4 * 11))
    assert baseline - 25 < rows[0] < rows[-1] < baseline + 10


async def test_a_span_over_two_pages_is_marked_on_both_and_nothing_on_a_third(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pdf([*PAGES, ["Third page."]]))
    document = await read_file(tmp_path / "x", "a.pdf")
    start, end = document.text.index("Second"), document.text.index("next")
    marked = [
        marked_rows(await page_jpeg(tmp_path / "x", page, document.page_starts[page - 1], start, end))
        for page in (1, 2, 3)
    ]
    assert [bool(rows) for rows in marked] == [True, True, False]


@pytest.mark.parametrize(
    "extra", ["/Rotate 90", "/CropBox [50 400 500 842]", "/MediaBox [0 0 14400 14400]", "/UserUnit 10"]
)
async def test_turned_cut_and_huge_pages_are_drawn_and_marked(extra: str) -> None:
    content = pdf(PAGES, extra_page=extra)
    jpeg = await page_jpeg(content, 1, 0, 0, 40)
    assert max(Image.open(io.BytesIO(jpeg)).size) <= 2000
    assert marked_rows(jpeg) or "14400" in extra


@pytest.mark.parametrize(("page", "content"), [(0, pdf(PAGES)), (3, pdf(PAGES)), (1, docx(paragraph("words")))])
async def test_what_has_no_such_page_has_no_picture_of_it(page: int, content: bytes) -> None:
    with pytest.raises(IngestFault, match="no_page"):
        await page_jpeg(content, page, 0, 0, 5)


async def test_a_span_of_nonsense_marks_nothing() -> None:
    content = pdf(PAGES)
    for start, end in [(10, 10), (20, 10), (-5, -1), (10**9, 10**9 + 5)]:
        assert marked_rows(await page_jpeg(content, 1, 0, start, end)) == []
