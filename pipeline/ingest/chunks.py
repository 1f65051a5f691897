"""Cuts extracted text into chunks with offsets, section by section, so that no chunk crosses a heading.

Every reader returns an `Extract`; this module makes the `Document` of it. semantic-text-splitter cuts: it alone of
the splitters measured kept every offset, size and heading.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import PurePosixPath
from unicodedata import is_normalized, normalize

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from pipeline.display_names import NAME_CHARS, shown_name, shown_path
from pipeline.ingest import Chunk, ChunkSize, Document

# semantic-text-splitter takes quadratic time on text without blanks: 22 s for 1 MB.
_LONG_RUN = re.compile(r"\S{10000}")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: `text[start:end]` is its line (empty where only its position is known); `level` counts from 1."""

    level: int
    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extract:
    """The text and headings that a reader found in a file, in order.

    `markdown`: its blocks are marked as Markdown. `keeps_places`: a character is marked on its page by its place.
    """

    text: str
    headings: tuple[Heading, ...] = ()
    title: str = ""
    language: str = ""
    markdown: bool = True
    page_starts: tuple[int, ...] = ()
    keeps_places: bool = False


def document_of(extract: Extract, content_hash: str, name: str, size: ChunkSize) -> Document:
    """Make the document. Its title is what the file declares, else its first top heading, else the stem of its name.

    Only marked-up text has a top heading that is a title; a PDF's first bookmark is its first chapter or its cover.
    Title and section are shortened to the length of a shown name.
    """
    extract = extract if extract.keeps_places else _composed(extract)
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


def _composed(extract: Extract) -> Extract:
    """Return the extract with composed characters (NFC), so that "é" is one character in every document.

    The text is composed between its places, which move with it.
    """
    if is_normalized("NFC", extract.text):
        return extract
    bounds = (0, len(extract.text), *extract.page_starts)
    places = sorted({*bounds, *(place for heading in extract.headings for place in (heading.start, heading.end))})
    parts = [normalize("NFC", extract.text[begin:end]) for begin, end in pairwise(places)]
    moved = dict(zip(places, accumulate(map(len, parts), initial=0), strict=True))
    return replace(
        extract,
        text="".join(parts),
        title=normalize("NFC", extract.title),
        headings=tuple(
            Heading(each.level, normalize("NFC", each.title), moved[each.start], moved[each.end])
            for each in extract.headings
        ),
        page_starts=tuple(moved[start] for start in extract.page_starts),
    )


def _sections(extract: Extract) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Iterate over sections: headings from level 1 to its own (a skipped level is ""), start and end of its text.

    A heading longer than a name is text that was marked as a heading, so it is also part of its section's text.
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
    """Return the spans of the chunks of one section, without surrounding blanks."""
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
    """Add a span unless it lies within the one before, as the splitter returns where much overlaps."""
    if spans and begin <= spans[-1][0] and end >= spans[-1][1]:
        spans.pop()
    if begin < end and not (spans and end <= spans[-1][1]):
        spans.append((begin, end))


def _chunk(extract: Extract, section: str, start: int, end: int) -> Chunk:
    first, last = page_at(extract.page_starts, start), page_at(extract.page_starts, end - 1)
    return Chunk(section, extract.text[start:end], start, end, first, last)


def page_at(page_starts: tuple[int, ...], offset: int) -> int | None:
    """Return the page (from 1) of the character at `offset`, None without pages."""
    return max(1, bisect_right(page_starts, offset)) if page_starts else None
