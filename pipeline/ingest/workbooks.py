"""Reads XLSX: cells as a person sees them, merged ones in each place, comments and text boxes, without hidden content.

The XML is read as it is: no installed library returns values together with their formats. A formula that no program
has calculated yet is written as it was typed, since it has no value.
"""

from __future__ import annotations

import io
import re
import zipfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import CELLS, ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract
from pipeline.ingest.grids import Grid, Merged, add_tables
from pipeline.ingest.number_formats import BUILT_IN, GENERAL, general, shown
from pipeline.ingest.office_xml import attribute, children, local, parsed, related

_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
FORMULA = "\ufdd0="  # begins a formula without a value until the cells are written; no file has this character
_TRUTH = {"0": "FALSE", "1": "TRUE"}
_READ = ("{*}row", "{*}mergeCell", "{*}col", "{*}autoFilter")


@dataclass(frozen=True, slots=True)
class _Book:
    """What the sheets of a workbook share."""

    strings: Sequence[str]
    formats: Sequence[str]  # code of each cell style
    since_1904: bool


@dataclass(slots=True)
class _Sheet:
    """The cells of a sheet by row and column, and what is merged or hidden."""

    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    merged: list[Merged] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    formulas: int = 0  # without values


def xlsx_extract(content: bytes) -> Extract:
    """Read a section per visible sheet: its tables, then its comments and text boxes. Raises IngestFault."""
    blocks = ExtractBuilder()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        main = related(archive, "").get("officeDocument", ("xl/workbook.xml",))[0]
        root = parsed(archive, main)
        if root is None:
            raise IngestFault("broken")
        names = set(archive.namelist())
        parts = related(archive, main)
        ids = related(archive, main, by_id=True)
        since_1904 = any(
            local(each) == "workbookPr" and attribute(each, "date1904") in ("1", "true") for each in children(root)
        )
        strings = _strings(archive, next(iter(parts.get("sharedStrings", ())), ""))
        book = _Book(strings, _formats(parsed(archive, next(iter(parts.get("styles", ())), ""))), since_1904)
        for sheet in root.iter("{*}sheet"):
            part = next(iter(ids.get(attribute(sheet, "id"), ())), "")
            is_hidden = attribute(sheet, "state") in ("hidden", "veryHidden")
            if is_hidden or part not in names or "chartsheet" in part:
                continue
            blocks.heading(2, attribute(sheet, "name"))
            _add_sheet(blocks, archive, part, book)
    return blocks.extract()


def _add_sheet(blocks: ExtractBuilder, archive: zipfile.ZipFile, part: str, book: _Book) -> None:
    with archive.open(part) as file:
        sheet = _read(file, book)
    add_tables(blocks, _grid(sheet))
    blocks.leave_out("formula", sheet.formulas)
    beside = related(archive, part)
    threads = beside.get("threadedComment", ())
    for comments in threads or beside.get("comments", ()):
        for at, text in _comments(parsed(archive, comments)):
            blocks.add(f"{at}: {text}", tight=True)
    for drawing in beside.get("drawing", ()):
        root = parsed(archive, drawing)
        for text in _drawn(root):
            blocks.add(text)
        blocks.leave_out("picture", sum(1 for _ in root.iter("{*}pic")) if root is not None else 0)


# Cells


def _read(file: Any, book: _Book) -> _Sheet:
    """Read a sheet row by row, so that its tree does not have to fit into memory."""
    sheet, is_filtered = _Sheet(), False
    number = -1
    for _, element in etree.iterparse(file, tag=_READ, resolve_entities=False, huge_tree=False):
        name = local(element)
        if name == "row":
            said = element.get("r") or ""
            number = int(said) - 1 if said.isdecimal() else number + 1
            if cells := dict(_cells(element, book)):
                sheet.rows[number] = cells
                sheet.formulas += sum(text.startswith(FORMULA) for text in cells.values())
            if element.get("hidden") in ("1", "true"):
                sheet.hidden_rows.add(number)
        elif name == "mergeCell":
            if area := _area(element.get("ref") or ""):
                sheet.merged.append(area)
        elif name == "autoFilter":
            is_filtered = True
        elif element.get("hidden") in ("1", "true"):
            first, last = element.get("min") or "", element.get("max") or ""
            if first.isdecimal() and last.isdecimal():
                sheet.hidden_columns.append((int(first) - 1, int(last) - 1))
        if name != "autoFilter":
            element.clear()
        while name == "row" and element.getprevious() is not None:
            del element.getparent()[0]
    if is_filtered:  # one click shows what a filter hides
        sheet.hidden_rows.clear()
    return sheet


def _cells(row: Any, book: _Book) -> Iterator[tuple[int, str]]:
    """Iterate over (column, text) of the cells that show something."""
    column = -1
    for cell in row:
        found = _REFERENCE.fullmatch(cell.get("r") or "")
        column = _column(found[1]) if found else column + 1
        if column < CELLS and (text := _text(cell, book)):
            yield column, text


def _text(cell: Any, book: _Book) -> str:
    kind, value, formula = cell.get("t", "n"), "", ""
    for child in cell:
        name = local(child)
        if name == "v":
            value = child.text or ""
        elif name == "is":
            value = _rich(child)
        elif name == "f":
            formula = child.text or ""
    if not value:
        return f"{FORMULA}{formula}" if formula and kind != "str" else ""
    if kind == "s":
        return book.strings[int(value)] if value.isdecimal() and int(value) < len(book.strings) else ""
    if kind == "b":
        return _TRUTH.get(value, value)
    if kind == "d":
        return value.replace("T", " ").removesuffix(" 00:00:00")
    if kind != "n":
        return value
    style = cell.get("s") or "0"
    code = book.formats[int(style)] if style.isdecimal() and int(style) < len(book.formats) else GENERAL
    try:
        if code == GENERAL:
            return general(float(value))
        return shown(float(value), code, since_1904=book.since_1904)
    except (ValueError, ArithmeticError):
        return value


def _grid(sheet: _Sheet) -> Grid:
    """Return the visible cells without the empty space around and between them: one blank row or column stands for all.

    A hidden row or column is left out rather than blank, so that it divides no table.
    """
    rows = [number for number in sorted(sheet.rows) if number not in sheet.hidden_rows]
    used = {column for number in rows for column in sheet.rows[number]}
    columns = sorted(each for each in used if not any(first <= each <= last for first, last in sheet.hidden_columns))
    hidden = sorted(sheet.hidden_rows)
    unseen = sorted({each for first, last in sheet.hidden_columns for each in range(first, min(last + 1, CELLS))})
    ys, xs = _dense(rows, hidden), _dense(columns, unseen)
    cells: list[list[str]] = [[] for _ in range(ys[rows[-1]] + 1)] if rows else []
    for number in rows:
        its = sheet.rows[number]
        kept = [column for column in sorted(its) if column in xs]
        line = cells[ys[number]]
        line += [""] * (xs[kept[-1]] + 1 if kept else 0)
        for column in kept:
            line[xs[column]] = one_line(its[column].replace(FORMULA, "="))
    moved = (_moved(area, rows, columns, ys, xs, sheet) for area in sheet.merged)
    return Grid(cells, [area for area in moved if area])


def _dense(numbers: Sequence[int], hidden: Sequence[int]) -> dict[int, int]:
    """Return number → place; where numbers between two are missing that are not hidden, one place stays free."""
    places: dict[int, int] = {}
    place, last = -1, None
    for number in numbers:
        gap = 0
        if last is not None and number - last > 1:
            concealed = bisect_left(hidden, number) - bisect_right(hidden, last)
            gap = int(number - last - 1 > concealed)
        place, last = place + 1 + gap, number
        places[number] = place
    return places


def _moved(
    area: Merged,
    rows: Sequence[int],
    columns: Sequence[int],
    ys: Mapping[int, int],
    xs: Mapping[int, int],
    sheet: _Sheet,
) -> Merged | None:
    """Return where a merged cell is in the grid. None where it is hidden, or alone."""
    down = rows[bisect_left(rows, area.top) : bisect_right(rows, area.bottom)]
    over = columns[bisect_left(columns, area.left) : bisect_right(columns, area.right)]
    if not down or not over or down[0] != area.top or over[0] != area.left or area.left not in sheet.rows[area.top]:
        return None
    return Merged(ys[down[0]], xs[over[0]], ys[down[-1]], xs[over[-1]])


def _area(reference: str) -> Merged | None:
    first, _, last = reference.partition(":")
    begin, end = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last or first)
    if begin is None or end is None:
        return None
    return Merged(int(begin[2]) - 1, _column(begin[1]), int(end[2]) - 1, _column(end[1]))


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number - 1


# What sheets share


def _strings(archive: zipfile.ZipFile, part: str) -> list[str]:
    if part not in archive.namelist():
        return []
    strings = []
    with archive.open(part) as file:
        for _, element in etree.iterparse(file, tag="{*}si", resolve_entities=False):
            strings.append(_rich(element))
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return strings


def _rich(element: Any) -> str:
    """Return a text without the reading aids of Japanese."""
    return "".join(each.text or "" for each in element.iter("{*}t") if local(each.getparent()) != "rPh")


def _formats(styles: Any) -> list[str]:
    """Return the format code of each cell style."""
    if styles is None:
        return []
    codes = {int(each.get("numFmtId")): each.get("formatCode") or GENERAL for each in styles.iter("{*}numFmt")}
    used = next((each for each in children(styles) if local(each) == "cellXfs"), None)
    numbers = [each.get("numFmtId") or "0" for each in children(used) if local(each) == "xf"]
    return [_code(int(number), codes) if number.isdecimal() else GENERAL for number in numbers]


def _code(number: int, codes: Mapping[int, str]) -> str:
    if number in (14, 22):  # as the reader's system writes dates, whatever the file says
        return BUILT_IN[number]
    return codes.get(number) or BUILT_IN.get(number, GENERAL)


# Beside the cells


def _comments(root: Any) -> Iterator[tuple[str, str]]:
    """Iterate over (cell, text) of the comments."""
    if root is None:
        return
    for each in root.iter("{*}comment", "{*}threadedComment"):
        if text := one_line("".join(said.text or "" for said in each.iter("{*}t", "{*}text"))):
            yield attribute(each, "ref"), text


def _drawn(root: Any) -> Iterator[str]:
    """Iterate over the texts of visible text boxes and shapes."""
    if root is None:
        return
    for shape in root.iter("{*}sp"):
        named = next(shape.iter("{*}cNvPr"), None)
        if named is None or named.get("hidden") not in ("1", "true"):
            lines = ("".join(said.text or "" for said in line.iter("{*}t")) for line in shape.iter("{*}p"))
            yield "\n".join(filter(None, map(one_line, lines)))
