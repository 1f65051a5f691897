"""Measures how truly documents are read; prints a table for each question.

    python -m bench.reading FOLDER                   the PDFs of a folder
    python -m bench.reading FOLDER --cases FOLDER    and files with what must be found in each
    python -m bench.reading --cases FOLDER

Each PDF's words are compared with those of `pdftotext` (Debian's poppler-utils), and with those of pdfplumber where it
is installed. Recall and precision count words, repeated ones as often as they are repeated. Order is the share of the
common words that come in the same order, by the best of two orders of pdftotext: its own, and that of the lines as they
stand on the page. Times are CPU seconds, without the start of a process; marks are passages whose words are those that
the page has at their place.

`expected.jsonl` of the cases has a line for each file, with what a passage must hold: `rows` (a row of a table that
holds the words `of` has these values under these headers), `together`, `near` (a label, then its value), `never` (in no
passage), and `title` and `page`. `re:` begins a regular expression.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from pipeline.errors import IngestFault
from pipeline.ingest import Chunk, ChunkSize, Document, ReadingLimits
from pipeline.ingest.pdf import opened, page_text
from pipeline.ingest.reading import read

LIMITS, SIZE = ReadingLimits(), ChunkSize()
NEAR_CHARS = 60  # between a label and its value
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Compared:
    """Shares (0..1) of one text compared with another, and the words of both."""

    recall: float
    precision: float
    order: float
    words: int


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--cases", type=Path)
    arguments = parser.parse_args()
    if arguments.folder:
        print_pdfs(sorted(arguments.folder.glob("*.pdf")))
    if arguments.cases:
        print_cases(arguments.cases)


# PDF against other programs


def print_pdfs(files: Sequence[Path]) -> None:
    """Print a row for each PDF, and their means."""
    print(
        "| file | pages | words | recall | precision | order | marks | pages/CPU s | pdfplumber | precision | order |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    compared: list[Compared] = []
    others: list[Compared] = []
    pages, took_s = 0, 0.0
    for file in files:
        content = file.read_bytes()
        began_s = time.process_time()
        try:
            document = read(content, file.name, LIMITS, SIZE)
        except IngestFault as fault:
            print(f"| {file.name} | | | {fault.code} | | | | | | | |")
            continue
        its_s = time.process_time() - began_s
        pages, took_s = pages + (document.pages or 0), took_s + its_s
        own = best(document.text, poppler(file))
        plumbed = plumber(file)
        other = best(plumbed, poppler(file)) if plumbed is not None else None
        compared.append(own)
        others += [other] if other else []
        print(
            f"| {file.name} | {document.pages} | {own.words} | {_shares(own)} | {marks(document, content):.3f} "
            f"| {(document.pages or 0) / its_s:.0f} | {_shares(other)} |",
            flush=True,
        )
    for name, weigh in (("mean of files", False), ("of all words", True)):
        print(
            f"| {name} | {pages} | {sum(each.words for each in compared)} | {_mean(compared, weigh=weigh)} | "
            f"| {pages / took_s:.0f} | {_mean(others, weigh=weigh)} |"
        )


def _shares(compared: Compared | None) -> str:
    return f"{compared.recall:.3f} | {compared.precision:.3f} | {compared.order:.3f}" if compared else " | | "


def _mean(compared: Sequence[Compared], *, weigh: bool) -> str:
    weights = [each.words if weigh else bool(each.words) for each in compared]
    if not sum(weights):
        return " | | "
    columns = zip(*((each.recall, each.precision, each.order) for each in compared), strict=True)
    means = (
        sum(share * weight for share, weight in zip(column, weights, strict=True)) / sum(weights) for column in columns
    )
    return " | ".join(f"{mean:.3f}" for mean in means)


def poppler(file: Path) -> list[str]:
    """Return the text of a PDF in the two orders of pdftotext. Raises FileNotFoundError where it is not installed."""
    return [
        subprocess.run(["pdftotext", *options, file, "-"], capture_output=True, check=False).stdout.decode()
        for options in ([], ["-layout"])
    ]


def plumber(file: Path) -> str | None:
    """Return the text of a PDF as pdfplumber reads it, None where it is not installed or fails."""
    try:
        import pdfplumber  # type: ignore[import-not-found]
    except ImportError:
        return None
    try:
        with pdfplumber.open(file) as document:
            return "\n".join(page.extract_text() or "" for page in document.pages)
    except Exception:  # noqa: BLE001 (it raises whatever its parser raises)
        return None


def best(text: str, references: Sequence[str]) -> Compared:
    """Compare a text with each reference and return the comparison of the best order."""
    return max((compare(text, reference) for reference in references), key=lambda each: each.order)


def compare(text: str, reference: str) -> Compared:
    """Compare the words of two texts, in lower case and without hyphens that end a line."""
    ours, theirs = words(text), words(reference)
    common = sum((Counter(ours) & Counter(theirs)).values())
    if not common:
        return Compared(0.0, 0.0, 0.0, len(theirs))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return Compared(common / len(theirs), common / len(ours), sum(block.size for block in blocks) / common, len(theirs))


def words(text: str) -> list[str]:
    """Return the words of a text, in lower case, those divided at a line's end as one."""
    return _WORD.findall(re.sub(r"(?<=\w)[-\u00ad\u2010]\n(?=\w)", "", text).lower().replace("\u00ad", ""))


def marks(document: Document, content: bytes) -> float:
    """Return the share of passages whose first and last word stand at their place on the page that is cited."""
    found = 0
    with opened(content) as source:
        pages = {}
        for chunk in document.chunks:
            first, last = chunk.first_page or 1, chunk.last_page or 1
            for number in (first, last):
                if number not in pages:
                    page = source[number - 1]
                    pages[number] = page_text(page, page.get_textpage(), number - 1).text
            start, end = document.page_starts[first - 1], document.page_starts[last - 1]
            begins = pages[first][chunk.start - start :].split()[:1] == document.text[chunk.start :].split()[:1]
            ends = pages[last][: chunk.end - end].split()[-1:] == document.text[: chunk.end].split()[-1:]
            found += begins and ends
    return found / len(document.chunks)


# Cases


def print_cases(folder: Path) -> None:
    """Print a row for each case: what of it is held, and what is not."""
    print("| file | held | not |")
    print("|---|---|---|")
    held, of = 0, 0
    for line in (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        missing = list(lacking(case, folder))
        held, of = held + (not missing), of + 1
        print(f"| {case['file']} | {'no' if missing else 'yes'} | {'; '.join(missing)} |", flush=True)
    print(f"| {held} of {of} | | |")


def lacking(case: dict[str, Any], folder: Path) -> Iterator[str]:
    """Iterate over what a case lacks."""
    file = folder / case["file"]
    if not file.exists():
        yield "the file is not there"
        return
    try:
        document = read(file.read_bytes(), file.name, LIMITS, SIZE)
    except IngestFault as fault:
        yield fault.code
        return
    except Exception as error:  # noqa: BLE001 (a reader may raise anything, and the other cases go on)
        yield type(error).__name__
        return
    chunks = document.chunks
    for wanted in case.get("rows", ()):
        if not any(_has_row(chunk, wanted) for chunk in chunks):
            yield f"row {wanted['of']}"
    for wanted in case.get("together", ()):
        if not any(_holds(_plain(chunk.text), wanted) for chunk in chunks):
            yield f"“{wanted}”"
    for label, value in case.get("near", ()):
        if not any(_is_near(chunk.text, label, value) for chunk in chunks):
            yield f"{label}: {value}"
    for unwanted in case.get("never", ()):
        if any(unwanted in chunk.text for chunk in chunks):
            yield f"never “{unwanted}”"
    if "title" in case and document.title != case["title"]:
        yield f"title “{document.title}”"
    if "page" in case and not any(chunk.first_page == case["page"] for chunk in chunks):
        yield "page"


def _holds(text: str, wanted: str) -> bool:
    """Whether a text holds words or a regular expression."""
    if wanted.startswith("re:"):
        return re.search(wanted[3:], text) is not None
    return _plain(wanted) in text


def _plain(text: str) -> str:
    return " ".join(text.split())


def _is_near(text: str, label: str, value: str) -> bool:
    between = rf"(?is){label}\W{{0,4}}.{{0,{NEAR_CHARS}}}?\b{value}\b"
    return re.search(between, _plain(text)) is not None


def _has_row(chunk: Chunk, wanted: dict[str, Any]) -> bool:
    return any(
        all(word in row.values() for word in wanted["of"])
        and all(_fits(row, header, value) for header, value in wanted["has"].items())
        for row in _rows(chunk.text)
    )


def _fits(row: dict[str, str], header: str, value: str) -> bool:
    cells = [cell for name, cell in row.items() if name == header or name.endswith((f" {header}", f"› {header}"))]
    return any(re.fullmatch(value[3:], cell) if value.startswith("re:") else cell == value for cell in cells)


def _rows(text: str) -> Iterator[dict[str, str]]:
    """Iterate over the rows of the Markdown tables in a text, as header → cell."""
    header: list[str] = []
    before: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            header = before = []
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if all(re.fullmatch(":?-+:?", cell) for cell in cells):
            header = before
        elif header:
            yield dict(zip(header, cells, strict=False))
        before = cells


if __name__ == "__main__":
    main()
