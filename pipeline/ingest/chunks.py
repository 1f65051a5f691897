"""Extracted text → chunks with their place in it: section by section, so that no chunk crosses a heading.

Every reader gives an `Extract`; here is the one way from it to a `Document`. semantic-text-splitter cuts: of the
splitters measured it alone kept every offset, size and heading.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from pipeline.ingest import Chunk, ChunkSize, Document
from pipeline.names import NAME_CHARS, shown_name, shown_path

# semantic-text-splitter takes quadratic time where nothing can be split: 22 s for 1 MB without a blank.
_LONG_RUN = re.compile(r"\S{10000}")


@dataclass(frozen=True, slots=True)
class Heading:
    """`text[start:end]` is the line that holds it (empty where only its place is known); `level` counts from 1."""

    level: int
    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extract:
    """What a reader found in one file. `markdown`: blocks are marked as in Markdown. Headings are in order."""

    text: str
    headings: tuple[Heading, ...] = ()
    title: str = ""
    language: str = ""
    markdown: bool = True
    page_starts: tuple[int, ...] = ()


def document_of(extract: Extract, content_hash: str, name: str, size: ChunkSize) -> Document:
    """Title: what the file says, else its first top heading, else the stem of its name.

    Only marked-up text has a top heading that is a title: a PDF's first bookmark is its first chapter, or its cover.
    Title and section are as long as a person reads.
    """
    tops = (heading.title for heading in extract.headings if heading.level == 1 and heading.title)
    top = next(tops, "") if extract.markdown else ""
    said = (shown_name(each) for each in (extract.title, top, PurePosixPath(name).stem))
    title = next(filter(None, said), "")
    chunks = tuple(
        _chunk(extract, shown_path([heading for heading in path if heading and heading != title]), start, end)
        for path, section_start, section_end in _sections(extract)
        for start, end in _spans(extract, section_start, section_end, size)
    )
    return Document(
        content_hash,
        name,
        title,
        extract.language.lower(),
        extract.text,
        len(extract.page_starts) or None,
        chunks,
        extract.page_starts,
    )


def _sections(extract: Extract) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """(Headings from level 1 down to the section's own, start and end of its text); a skipped level is "".

    A heading that is longer than a name is text that was marked as one: it is a part of its section, too.
    """
    path: tuple[str, ...] = ()
    begin = 0
    for heading in extract.headings:
        yield path, begin, heading.start
        above = heading.level - 1
        path = (*(path + ("",) * above)[:above], shown_name(heading.title))
        begin = heading.end if len(heading.title) <= NAME_CHARS else heading.start
    yield path, begin, len(extract.text)


def _spans(extract: Extract, start: int, end: int, size: ChunkSize) -> list[tuple[int, int]]:
    """Where the chunks of one section begin and end, blanks around them left out."""
    section = extract.text[start:end]
    if not section.strip():
        return []
    kind = MarkdownSplitter if extract.markdown else TextSplitter
    splitter = kind(size.most, overlap=min(size.overlap, size.most - 1))
    cuts = [0, *(run.end() for run in _LONG_RUN.finditer(section)), len(section)]
    spans: list[tuple[int, int]] = []
    for first, last in pairwise(cuts):
        for offset, piece in splitter.chunk_indices(section[first:last]):
            begin = start + first + offset + len(piece) - len(piece.lstrip())
            _add_span(spans, begin, begin + len(piece.strip()))
    return spans


def _add_span(spans: list[tuple[int, int]], begin: int, end: int) -> None:
    """Where much overlaps, the splitter also gives pieces that lie within their neighbour: they say nothing more."""
    if spans and begin <= spans[-1][0] and end >= spans[-1][1]:
        spans.pop()
    if begin < end and not (spans and end <= spans[-1][1]):
        spans.append((begin, end))


def _chunk(extract: Extract, section: str, start: int, end: int) -> Chunk:
    first, last = page_at(extract.page_starts, start), page_at(extract.page_starts, end - 1)
    return Chunk(section, extract.text[start:end], start, end, first, last)


def page_at(page_starts: tuple[int, ...], offset: int) -> int | None:
    """The page (from 1) that the character at `offset` stands on, None without pages."""
    return max(1, bisect_right(page_starts, offset)) if page_starts else None
