"""Cuts extracted text into chunks with offsets, section by section, so that no chunk crosses a heading.

Every reader returns an `Extract`; this module makes the `Document` of it. semantic-text-splitter cuts: it alone of
the splitters measured kept every offset, size and heading. A table is cut between its rows, and each piece of it
repeats the names of the columns.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import PurePosixPath
from typing import NamedTuple
from unicodedata import is_normalized, normalize

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from pipeline.display_names import NAME_CHARS, shown_name, shown_path
from pipeline.ingest import Chunk, ChunkSize, Document, Unread
from pipeline.ingest.progress import EXTRACTED, tell

# semantic-text-splitter takes quadratic time on text without blanks: 22 s for 1 MB.
_LONG_RUN = re.compile(r"\S{10000}")
HEADER_SHARE = 0.75  # of a passage; a longer first row does not name columns and is not repeated


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: `text[start:end]` is its line (empty where only its position is known); `level` counts from 1."""

    level: int
    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table: `text[start:body]` is its header, the rule below it included, `text[body:end]` its rows, one a line.

    `names` is where the header stands of a table that goes on from the page before, else empty.
    """

    start: int
    body: int
    end: int
    names: tuple[int, int] = (0, 0)

    @property
    def header(self) -> tuple[int, int]:
        """The span of the names of its columns."""
        return self.names if self.names[1] else (self.start, self.body)


@dataclass(frozen=True, slots=True)
class Extract:
    """The text, headings and tables that a reader found in a file, in order.

    `markdown`: its blocks are marked as Markdown. `keeps_places`: a character is marked on its page by its place.
    `unindexed` are spans that are shown but not searched, such as contents pages; `unread` counts what is left out.
    """

    text: str
    headings: tuple[Heading, ...] = ()
    title: str = ""
    language: str = ""
    markdown: bool = True
    page_starts: tuple[int, ...] = ()
    keeps_places: bool = False
    tables: tuple[Table, ...] = ()
    unindexed: tuple[tuple[int, int], ...] = ()
    unread: tuple[tuple[Unread, int], ...] = ()


class _Piece(NamedTuple):
    """The span of a chunk, and that of the header it repeats."""

    start: int
    end: int
    header: tuple[int, int] = (0, 0)


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
        _chunk(extract, shown_path([heading for heading in path if heading and heading != title]), piece)
        for path, piece in _pieces(extract, size)
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
        extract.unread,
    )


def _pieces(extract: Extract, size: ChunkSize) -> Iterator[tuple[tuple[str, ...], _Piece]]:
    """Iterate over the pieces of all sections, each with the path of its headings."""
    cutter = _Cutter(extract, size)
    for path, section_start, section_end in _sections(extract):
        for start, end in _without(extract.unindexed, section_start, section_end):
            for piece in cutter.pieces(start, end):
                yield path, piece
                tell(EXTRACTED + (1 - EXTRACTED) * piece.end / len(extract.text))


def _composed(extract: Extract) -> Extract:
    """Return the extract with composed characters (NFC), so that "é" is one character in every document.

    The text is composed between its places, which move with it.
    """
    if is_normalized("NFC", extract.text):
        return extract
    bounds = (0, len(extract.text), *extract.page_starts)
    marked = (place for each in extract.headings for place in (each.start, each.end))
    tabled = (place for each in extract.tables for place in (each.start, each.body, each.end))
    places = sorted({*bounds, *marked, *tabled})
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
        tables=tuple(Table(moved[each.start], moved[each.body], moved[each.end]) for each in extract.tables),
    )


def _sections(extract: Extract) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Iterate over sections: headings from level 1 to its own (a skipped level is ""), start and end of its text.

    A heading longer than a name is text that was marked as a heading, so it is also part of its section's text; so is
    one without text or headings below it, since nothing else holds its words.
    """
    path: tuple[str, ...] = ()
    begin = 0
    for number, heading in enumerate(extract.headings):
        yield path, begin, heading.start
        above = heading.level - 1
        path = (*(path + ("",) * above)[:above], shown_name(heading.title))
        is_alone = _is_alone(extract, number) and any(map(str.isalpha, heading.title))
        begin = heading.start if is_alone or len(heading.title) > NAME_CHARS else heading.end
    yield path, begin, len(extract.text)


def _without(unindexed: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Iterate over the parts of a section that are searched."""
    for begin, its_end in unindexed:
        if start < its_end and begin < end:
            yield start, max(start, begin)
            start = max(start, its_end)
    yield start, max(start, end)


def _is_alone(extract: Extract, number: int) -> bool:
    """Whether a heading has neither text nor a lower heading below it."""
    heading, *following = extract.headings[number : number + 2]
    end = following[0].start if following else len(extract.text)
    is_last = not following or following[0].level <= heading.level
    return is_last and not extract.text[heading.end : end].strip()


class _Cutter:
    """Cuts sections of one extract."""

    def __init__(self, extract: Extract, size: ChunkSize) -> None:
        self._text, self._tables, self._most = extract.text, extract.tables, size.most
        self._kind = MarkdownSplitter if extract.markdown else TextSplitter
        self._splitter = self._kind(size.most, overlap=min(size.overlap, size.most - 1))

    def pieces(self, start: int, end: int) -> Iterator[_Piece]:
        """Iterate over the pieces of a section. A table that fits in one stays with the text around it."""
        first = bisect_left(self._tables, start, key=lambda table: table.start)
        last = bisect_left(self._tables, end, key=lambda table: table.start)
        tables = self._tables[first:last]
        at = start
        for table in tables:
            if table.end - table.start > self._most or table.names[1]:
                yield from self._prose(at, table.start, tables)
                yield from self._rows(table)
                at = table.end
        yield from self._prose(at, end, tables)

    def _prose(self, start: int, end: int, tables: Sequence[Table]) -> Iterator[_Piece]:
        """Cut text whose tables each fit in a piece. A piece that begins in a table begins with a row of it."""
        past = start
        for begin, its_end in self._split(start, end, self._splitter):
            at = bisect_right(tables, begin, key=lambda table: table.start) - 1
            header = (0, 0)
            if at >= 0 and tables[at].start < begin < tables[at].end:
                table = tables[at]
                header = table.header
                begin = self._row_at(table, begin, min(past, its_end - 1))
            yield _Piece(begin, its_end, header)
            past = its_end

    def _row_at(self, table: Table, offset: int, latest: int) -> int:
        """Return where a row begins: the first one from `offset` to `latest`, else the one that holds `offset`."""
        if offset <= table.body:
            return table.body
        begin = self._text.rfind("\n", table.body - 1, offset) + 1
        following = self._text.find("\n", offset, table.end) + 1
        return following if begin < offset and 0 < following <= latest else begin

    def _rows(self, table: Table) -> Iterator[_Piece]:
        """Cut a long table between its rows; a row that is too long for one piece is cut like prose."""
        header = table.header
        if header[1] - header[0] > HEADER_SHARE * self._most:
            header = (0, 0)
        begin, end, repeated = table.start, 0, header if table.names[1] else (0, 0)
        for row, row_end in self._lines(table.body if header[1] else table.start, table.end):
            if row_end - begin > self._room(repeated):
                if end:
                    yield _Piece(begin, end, repeated)
                begin, end, repeated = row, 0, header
            if row_end - begin > self._room(repeated):
                spans = self._split(row, row_end, self._kind(self._room(repeated)))
                yield from (_Piece(*span, repeated) for span in spans)
                begin = row_end + 1
            else:
                end = row_end
        if end:
            yield _Piece(begin, end, repeated)

    def _room(self, header: tuple[int, int]) -> int:
        return self._most - (header[1] - header[0])

    def _lines(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        while start < end:
            found = self._text.find("\n", start, end)
            yield start, (found := end if found < 0 else found)
            start = found + 1

    def _split(self, start: int, end: int, splitter: MarkdownSplitter | TextSplitter) -> list[tuple[int, int]]:
        """Return the spans of the chunks of a text without tables, without surrounding blanks."""
        section = self._text[start:end]
        if not section.strip():
            return []
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


def _chunk(extract: Extract, section: str, piece: _Piece) -> Chunk:
    start, end, header = piece
    first, last = page_at(extract.page_starts, start), page_at(extract.page_starts, end - 1)
    text = extract.text[slice(*header)] + extract.text[start:end]
    return Chunk(section, text, start, end, first, last, header)


def page_at(page_starts: tuple[int, ...], offset: int) -> int | None:
    """Return the page (from 1) of the character at `offset`, None without pages."""
    return max(1, bisect_right(page_starts, offset)) if page_starts else None
