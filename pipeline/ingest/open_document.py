"""Reads texts and presentations in OpenDocument format (ODT, ODP), without hidden content.

The XML is read as it is, since no library that is kept up reads it. A presentation's slides count as pages.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any

from lxml import etree

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract
from pipeline.ingest.open_styles import Styles

_UNREAD = frozenset(
    [
        "tracked-changes",
        "table-of-content",
        "illustration-index",
        "table-index",
        "object-index",
        "user-index",
        "alphabetical-index",
        "bibliography",
        "sequence-decls",
        "variable-decls",
        "user-field-decls",
        "forms",
        "hidden-text",
        "hidden-paragraph",
        "ruby-text",
        "annotation-end",
        "soft-page-break",
        "binary-data",
        "title",
        "desc",
        "event-listeners",
    ]
)
_BLOCKS = frozenset(
    [
        "p",
        "h",
        "list",
        "table",
        "section",
        "text-box",
        "frame",
        "g",
        "note",
        "annotation",
        "custom-shape",
        "rect",
        "page",
    ]
)
_SHAPES = frozenset(
    ["custom-shape", "rect", "ellipse", "circle", "line", "polyline", "polygon", "path", "connector", "caption"]
)
_NOT_NOTES = ("page", "page-number", "header", "footer", "date-time")
_LENGTH = re.compile(r"(-?[\d.]+)(cm|mm|in|pt|pc|px)")
_MILLIMETRES = {"cm": 10.0, "mm": 1.0, "in": 25.4, "pt": 25.4 / 72, "pc": 25.4 / 6, "px": 25.4 / 96}
MANIFEST = posixpath.join("META-INF", "manifest.xml")
COLUMNS = 1_024  # the most columns that are read of a table
ROWS = 65_536  # the most times that one row is repeated
SPANNED = 10_000  # the most cells that one covers


def odt_extract(content: bytes) -> Extract:
    """Read body, notes and comments, headers and footers once. Raises IngestFault."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        reader = _Reader(archive)
        body = next(
            (each for each in reader.root.iter() if local(each) == "text" and local(each.getparent()) == "body"), None
        )
        if body is None:
            raise IngestFault("wrong_type")
        reader.blocks_of(body)
        reader.add_notes()
        for text in reader.headers_and_footers():
            reader.blocks.add(text)
        return reader.blocks.extract(_title(archive))


def odp_extract(content: bytes) -> Extract:
    """Read one page per slide: its title, texts, tables, charts and the speaker's notes. Raises IngestFault."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        reader = _Reader(archive)
        slides = [each for each in reader.root.iter() if local(each) == "page"]
        if not any(local(each) == "presentation" for each in reader.root.iter()):
            raise IngestFault("wrong_type")
        starts, first_title = [], ""
        for slide in slides:
            starts.append(reader.blocks.next_start)
            if not reader.styles.is_hidden_slide(slide):
                title = reader.add_slide(slide, len(starts))
                first_title = first_title or title
        extract = reader.blocks.extract(first_title or _title(archive))
        return replace(extract, page_starts=tuple(min(start, len(extract.text)) for start in starts))


class _Reader:
    """State of one file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        refuse_encrypted(archive)
        self._archive, self._names = archive, frozenset(archive.namelist())
        self.root = parsed(archive.read("content.xml"))
        self._other = parsed(archive.read("styles.xml")) if "styles.xml" in self._names else None
        self.styles = Styles(self.root, self._other)
        self.blocks = ExtractBuilder()
        self._notes: list[str] = []
        self._numbers: dict[str, int] = {}  # list style → number of its last item on the first level

    # Text

    def blocks_of(self, element: Any, depth: int = 0) -> None:
        """Add what an element holds, in order."""
        for child in element:
            self._block(child, depth)

    def _block(self, element: Any, depth: int) -> None:
        name = local(element)
        if name in _UNREAD or self.styles.hides(element):
            return
        if name == "h":
            self.blocks.heading(min(count(element, "outline-level", 6), 6), self._inline(element))
            self._inner_blocks(element, depth)
        elif name == "p":
            text = self._inline(element)
            if self.styles.is_title(element):
                self.blocks.heading(1, text)
            else:
                self.blocks.add(text)
            self._inner_blocks(element, depth)
        elif name == "list":
            self._list(element, depth)
        elif name == "table":
            self.blocks.table(list(table_rows(element, self.styles, self._cell_text)))
        elif name == "object":
            self._object(element)
        elif name in ("note", "annotation"):
            self._note(element)
        elif isinstance(element.tag, str):
            self.blocks_of(element, depth)

    def _inner_blocks(self, paragraph: Any, depth: int) -> None:
        """Add the text boxes, notes and objects that are anchored in a paragraph."""
        for child in paragraph.iterchildren():
            if local(child) in ("frame", "g", "note", "annotation", *_SHAPES):
                self._block(child, depth)
            elif local(child) in ("span", "a", "ruby"):
                self._inner_blocks(child, depth)

    def _inline(self, element: Any) -> str:
        lines = "".join(self._runs(element)).split("\n")
        return "\n".join(filter(None, map(one_line, lines)))

    def _runs(self, element: Any) -> Iterator[str]:
        """Iterate over the text of a paragraph. What is anchored in it is a block of its own."""
        yield element.text or ""
        for child in element:
            name = local(child)
            if name == "s":
                yield " " * min(count(child, "c", 100), 100)
            elif name == "tab":
                yield "\t"
            elif name == "line-break":
                yield "\n"
            elif name == "frame":
                yield self._formula(child)
            elif isinstance(child.tag, str) and name not in _UNREAD | _BLOCKS and not self.styles.hides(child):
                yield from self._runs(child)
            yield child.tail or ""

    def _list(self, element: Any, depth: int) -> None:
        style = attribute(element, "style-name")
        is_numbered = self.styles.is_numbered(style, depth + 1)
        continues = attribute(element, "continue-numbering") == "true" or bool(attribute(element, "continue-list"))
        number = self._numbers.get(style, 0) if continues and depth == 0 else 0
        for item in element:
            if local(item) not in ("list-item", "list-header"):
                continue
            number = count(item, "start-value", number + (local(item) == "list-item"))
            bullet = f"{number}. " if is_numbered else "- "
            for child in item:
                if local(child) == "list":
                    self._list(child, depth + 1)
                elif local(child) == "p" and not self.styles.hides(child):
                    if text := self._inline(child):
                        self.blocks.add("  " * min(depth, 8) + bullet + text, tight=True)
                    bullet = "  "
                    self._inner_blocks(child, depth)
                else:
                    self._block(child, depth)
        if depth == 0 and style:
            self._numbers[style] = number

    def _note(self, element: Any) -> None:
        said = [self._inline(each) for each in element.iter() if local(each) in ("p", "h")]
        mark = next((one_line("".join(each.itertext())) for each in element if local(each) == "note-citation"), "")
        if text := " ".join(filter(None, said)):
            self._notes.append(f"[{mark}] {text}" if mark else text)

    def add_notes(self) -> None:
        """Add the notes and comments so far."""
        for note in self._notes:
            self.blocks.add(note)
        self._notes = []

    def headers_and_footers(self) -> Iterator[str]:
        """Iterate over the different texts of headers and footers."""
        roots = self._other.iter() if self._other is not None else ()
        found = [each for each in roots if local(each) in ("header", "footer", "header-left", "footer-left")]
        texts = (one_line(" ".join(self._inline(line) for line in each.iter() if local(line) == "p")) for each in found)
        yield from dict.fromkeys(filter(None, texts))

    def _cell_text(self, cell: Any) -> str:
        return one_line(" ".join(self._cell_parts(cell)))

    def _cell_parts(self, element: Any) -> Iterator[str]:
        for child in element:
            name = local(child)
            if name in ("p", "h"):
                yield self._inline(child)
                for anchored in child:
                    if local(anchored) in ("note", "annotation"):
                        self._note(anchored)
            elif name not in _UNREAD and name != "annotation" and not self.styles.hides(child):
                yield from self._cell_parts(child)

    # Objects

    def _object_root(self, element: Any) -> Any:
        path = posixpath.normpath(attribute(element, "href")).lstrip("./")
        part = f"{path}/content.xml"
        return parsed(self._archive.read(part)) if part in self._names else element

    def _object(self, element: Any) -> None:
        """Add the table that a chart was drawn from."""
        root = self._object_root(element)
        if any(local(each) == "chart" for each in root.iter()):
            titles = [
                each for each in root.iter() if local(each) == "title" and each.getparent().tag.endswith("}chart")
            ]
            for title in titles:
                self.blocks.add(one_line("".join(title.itertext())))
            for table in (each for each in root.iter() if local(each) == "table"):
                self.blocks.table(list(table_rows(table, self.styles, self._cell_text)))

    def _formula(self, frame: Any) -> str:
        """Return a formula within a paragraph as its author typed it, else the letters of its MathML."""
        found = next((each for each in frame if local(each) == "object"), None)
        root = self._object_root(found) if found is not None else None
        math = next((each for each in root.iter() if local(each) == "math"), None) if root is not None else None
        if math is None:
            return ""
        typed = next((each for each in math.iter() if local(each) == "annotation"), None)
        return one_line((typed.text or "") if typed is not None else "".join(math.itertext()))

    # Slides

    def add_slide(self, slide: Any, number: int) -> str:
        """Add a slide and return its title."""
        size = self.styles.page_size(attribute(slide, "master-page-name"))
        shapes = [each for each in slide if isinstance(each.tag, str) and not _is_outside(each, size)]
        title = next((each for each in shapes if attribute(each, "class") == "title"), None)
        heading = (
            one_line(" ".join(self._inline(each) for each in title.iter() if local(each) == "p"))
            if title is not None
            else ""
        )
        self.blocks.heading(2, heading or str(number))
        for shape in shapes:
            if shape is not title and local(shape) != "notes" and attribute(shape, "display") != "none":
                self._block(shape, 0)
        for notes in (each for each in slide if local(each) == "notes"):
            for frame in notes:
                if attribute(frame, "class") not in _NOT_NOTES:
                    self._block(frame, 0)
        self.add_notes()
        return heading


def table_rows(
    table: Any, styles: Styles, text_of: Callable[[Any], str], *, keeps_blank: bool = False
) -> Iterator[list[str]]:
    """Iterate over the rows of a table; a merged cell stands in each place that it covers.

    `keeps_blank`: a blank row, which divides tables of a sheet, is yielded once, however often it is repeated.
    """
    covers: dict[tuple[int, int], str] = {}
    for number, element in enumerate(_rows_of(table)):
        cells: list[str] = []
        for cell in element:
            if local(cell) not in ("table-cell", "covered-table-cell"):
                continue
            text = text_of(cell)
            down, right = count(cell, "number-rows-spanned", 1), count(cell, "number-columns-spanned", 1)
            if 1 < down * right <= SPANNED:
                places = ((number + row, len(cells) + column) for row in range(down) for column in range(right))
                covers.update(dict.fromkeys(places, text))
            for _ in range(min(count(cell, "number-columns-repeated", 1), COLUMNS - len(cells))):
                cells.append(covers.pop((number, len(cells)), "") or text)
        while cells and not cells[-1]:
            cells.pop()
        if not styles.hides(element) and (cells or keeps_blank):
            times = min(count(element, "number-rows-repeated", 1), ROWS) if cells else 1
            yield from repeat(cells, times)


def _rows_of(table: Any) -> Iterator[Any]:
    for child in table:
        if local(child) == "table-row":
            yield child
        elif local(child) in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows_of(child)


def refuse_encrypted(archive: zipfile.ZipFile) -> None:
    if MANIFEST in archive.namelist() and b"encryption-data" in archive.read(MANIFEST):
        raise IngestFault("encrypted")


def _title(archive: zipfile.ZipFile) -> str:
    if "meta.xml" not in archive.namelist():
        return ""
    found = (each for each in parsed(archive.read("meta.xml")).iter() if local(each) == "title")
    return one_line(next((each.text or "" for each in found), ""))


def _is_outside(shape: Any, size: tuple[float, float] | None) -> bool:
    """Whether a shape lies beside its slide."""
    if size is None or not attribute(shape, "x"):
        return False
    left, top, width, height = (_millimetres(attribute(shape, name)) for name in ("x", "y", "width", "height"))
    return left >= size[0] or top >= size[1] or left + width < 0 or top + height < 0


def _millimetres(length: str) -> float:
    found = _LENGTH.fullmatch(length)
    return float(found[1]) * _MILLIMETRES[found[2]] if found else 0.0


def parsed(part: bytes) -> Any:
    """Return the root of an XML part, without entities."""
    return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True))


def count(element: Any, name: str, default: int) -> int:
    value = attribute(element, name)
    return int(value) if value.isdecimal() and len(value) < 9 else default


def attribute(element: Any, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def local(element: Any) -> str:
    tag = element.tag if element is not None else None
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
