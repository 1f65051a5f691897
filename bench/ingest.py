"""Measures how fast files become documents; prints one table.

    python -m bench.ingest                300 pages of each format, made here from the samples' words
    python -m bench.ingest 1000           another number of pages
    python -m bench.ingest FILE …         files of one's own

Every file takes the path of an upload: its own process, the process's start included, until the document has its
chunks. A page is 3,000 characters of text (a page or slide where the format has them). Best of three runs.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import IngestFault
from pipeline.ingest import Document
from pipeline.ingest.files import read_file
from pipeline.ingest.pictures import page_jpeg
from tests.documents import LARGE, Line, docx, paragraph, pdf, pptx, word_table, xlsx

SAMPLES = Path(__file__).parent.parent / "samples"
PAGE_CHARS = 3000
LINE_CHARS = 85
RUNS = 3


def generated(pages: int) -> Iterator[tuple[str, bytes]]:
    """Make a file of each format with the same content, a heading and a table on each page."""
    words = (
        " ".join(path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob("*.md"))).replace("|", " ").split()
    )
    texts = [_text(words, 331 * number) for number in range(pages)]
    table = [["cup", "millilitres", "price"], *([f"size {row}", str(30 * row), f"{row}.50"] for row in range(1, 6))]
    rows = "\n".join(f"| {' | '.join(row)} |" for row in [table[0], ["---"] * 3, *table[1:]])
    markdown = "\n\n".join(f"## Page {number}\n\n{text}\n\n{rows}" for number, text in enumerate(texts, 1))
    html_rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in table)
    yield "pages.pdf", pdf([_lines(number, text, table) for number, text in enumerate(texts, 1)])
    yield (
        "pages.docx",
        docx(
            "".join(
                paragraph(f"Page {number}", "Heading1")
                + "".join(paragraph(part) for part in _escaped(text).split("\n"))
                + word_table([[paragraph(cell) for cell in row] for row in table])
                for number, text in enumerate(texts, 1)
            )
        ),
    )
    yield (
        "pages.pptx",
        pptx([{"title": f"Page {number}", "text": text, "table": table} for number, text in enumerate(texts, 1)]),
    )
    yield "pages.xlsx", xlsx({"Pages": [[number, *text.split(". ")] for number, text in enumerate(texts, 1)]})
    yield (
        "pages.html",
        "".join(f"<h2>Page</h2><p>{_escaped(text)}</p><table>{html_rows}</table>" for text in texts).encode(),
    )
    yield "pages.md", markdown.encode()
    yield "pages.txt", "\n\n".join(texts).encode()
    yield "pages.csv", "\n".join(f'{number},"{_quoted(text)}"' for number, text in enumerate(texts, 1)).encode()


def _text(words: list[str], begin: int) -> str:
    text = ""
    while len(text) < PAGE_CHARS:
        text += words[begin % len(words)] + ("\n" if begin % 60 == 0 else " ")
        begin += 1
    return text


def _lines(number: int, text: str, table: list[list[str]]) -> list[Line]:
    lines: list[Line] = [(f"Page {number}", LARGE)]
    line = ""
    for word in text.split():
        if len(line) + len(word) > LINE_CHARS:
            lines.append(line)
            line = ""
        line += word + " "
    return [*lines, line, *("     ".join(row) for row in table)]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str) -> str:
    return text.replace('"', '""')


async def timed(name: str, content: bytes) -> tuple[Document, float, float]:
    """Return the document, and the wall and CPU seconds of the best run."""
    best = (float("inf"), float("inf"))
    for _ in range(RUNS):
        before_s, began_s = _children_s(), time.perf_counter()
        document = await read_file(content, name)
        best = min(best, (time.perf_counter() - began_s, _children_s() - before_s))
    return document, *best


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def row(name: str, content: bytes) -> str:
    """Format one line of the table."""
    try:
        document, took_s, cpu_s = await timed(name, content)
    except IngestFault as fault:
        return f"| {name} | {len(content) / 1e6:.2f} | – | – | – | – | – | {fault.code} |"
    pages = document.pages or max(1, round(len(document.text) / PAGE_CHARS))
    picture = ""
    if name.endswith(".pdf"):
        chunk = document.chunks[len(document.chunks) // 2]
        page = chunk.first_page or 1
        began_s = time.perf_counter()
        await page_jpeg(content, page, document.page_starts[page - 1], chunk.start, chunk.end)
        picture = f"{1000 * (time.perf_counter() - began_s):.0f}"
    return (
        f"| {name} | {len(content) / 1e6:.2f} | {pages} | {len(document.chunks)} | {took_s:.2f} | {pages / took_s:.0f} "
        f"| {pages / cpu_s:.0f} | {picture} |"
    )


def _own(arguments: list[str]) -> list[tuple[str, bytes]]:
    return [(Path(argument).name, Path(argument).read_bytes()) for argument in arguments if not argument.isdigit()]


async def main(arguments: list[str]) -> None:
    """Print the table."""
    print("| file | MB | pages | chunks | s | pages/s | pages per CPU s | picture of a page, ms |")
    print("|---|---|---|---|---|---|---|---|")
    own = _own(arguments)
    counts = [int(argument) for argument in arguments if argument.isdigit()] or [300]
    for name, content in own or generated(counts[0]):
        print(await row(name, content), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
