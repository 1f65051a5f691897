"""Finds hidden content of Office files: hidden runs and rows of DOCX, hidden shapes of PPTX, hidden rows and columns
of XLSX. Content that one click shows is visible: rows hidden by a filter, and a speaker's notes.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

_OFF = ("0", "false", "off", "none")
_MAY_HIDE = re.compile(rb'vanish|:hidden|:moveFrom|val="[fF]{6}"|:sz [^>]*val="[12]"')
_HOLDS_TEXT = ("document", "footnotes", "endnotes", "comments", "hdr", "ftr")
_TINY_HALF_POINTS = 2
_TINY_HUNDREDTHS = 100  # of a point


# DOCX


def seen_docx(content: bytes) -> bytes:
    """Return the document without its hidden runs and rows, unchanged where it has none."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {member.filename: archive.read(member) for member in archive.infolist()}
    suspect = [name for name, part in parts.items() if name.endswith(".xml") and _MAY_HIDE.search(part)]
    if not suspect:
        return content
    styles = next((part for name, part in parts.items() if posixpath.basename(name) == "styles.xml"), None)
    hiding = _hiding_styles(_parsed(styles)) if styles else frozenset[str]()
    names = suspect if not hiding else [name for name in parts if name.endswith(".xml")]
    for name in names:
        root = _parsed(parts[name])
        if root is not None and _local(root) in _HOLDS_TEXT:
            _remove_hidden(root, hiding)
            parts[name] = etree.tostring(root)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def _remove_hidden(root: Any, hiding: Collection[str]) -> None:
    is_paper = not any(_local(each) == "background" for each in root)
    for element in [each for each in root.iter() if _local(each) in ("r", "tr", "moveFrom")]:
        if _local(element) == "r":
            is_hidden = _hides_run(element, hiding, is_paper=is_paper)
        elif _local(element) == "tr":
            is_hidden = _is_on(_below(element, "trPr", "hidden"))
        else:
            is_hidden = True  # the text is also where it was moved to
        if is_hidden and element.getparent() is not None:
            element.getparent().remove(element)


def _hides_run(run: Any, hiding: Collection[str], *, is_paper: bool) -> bool:
    above = list(run.iterancestors())
    paragraph = next((each for each in above if _local(each) == "p"), None)
    vanish = _below(run, "rPr", "vanish")
    if vanish is not None:
        return _is_on(vanish)
    used = (_value(_below(run, "rPr", "rStyle")), _value(_below(paragraph, "pPr", "pStyle")))
    size = _value(_below(run, "rPr", "sz"))
    if any(style in hiding for style in used) or (size.isdecimal() and int(size) <= _TINY_HALF_POINTS):
        return True
    is_white = _value(_below(run, "rPr", "color")).upper() == "FFFFFF"
    shades = [_below(run, "rPr", "shd"), _below(run, "rPr", "highlight"), _below(paragraph, "pPr", "shd")]
    is_shaded = any(shade is not None for shade in shades) or any(
        _local(each) in ("tbl", "txbxContent") for each in above
    )
    return is_white and is_paper and not is_shaded


def _hiding_styles(root: Any) -> frozenset[str]:
    """Return the names of styles that hide text, also through the styles that they are based on."""
    styles = {
        _attribute(each, "styleId"): each for each in (root if root is not None else ()) if _local(each) == "style"
    }
    hiding = {name for name, style in styles.items() if _is_on(_below(style, "rPr", "vanish"))}
    while more := {
        name
        for name, style in styles.items()
        if name not in hiding and _value(_below(style, "basedOn")) in hiding and _below(style, "rPr", "vanish") is None
    }:
        hiding |= more
    return frozenset(hiding)


# PPTX


def is_unshown(shape: Any, size: tuple[int, int] | None) -> bool:
    """Whether a shape is hidden, or outside a slide of that size; None: its position has another unit."""
    named = next((each for each in shape.element.iter() if _local(each) == "cNvPr"), None)
    if named is not None and named.get("hidden") in ("1", "true"):
        return True
    place: list[Any] = [getattr(shape, name, None) for name in ("left", "top", "width", "height")]
    if size is None or any(each is None for each in place):
        return False
    left, top, width, height = place
    return bool(left >= size[0] or top >= size[1] or left + width <= 0 or top + height <= 0)


def seen_text(paragraph: Any) -> str:
    """Return the text of a paragraph without letters too small to be seen."""
    parts = [each for each in paragraph._p if _local(each) in ("r", "br", "fld")]
    if not any(_is_tiny(_below(part, "rPr")) for part in parts):
        return str(paragraph.text)
    return "".join(
        " " if _local(part) == "br" else _below(part, "t").text or ""
        for part in parts
        if not _is_tiny(_below(part, "rPr")) and (_local(part) == "br" or _below(part, "t") is not None)
    )


def _is_tiny(properties: Any) -> bool:
    size = "" if properties is None else properties.get("sz") or ""
    return size.isdecimal() and int(size) <= _TINY_HUNDREDTHS


# XLSX


@dataclass(frozen=True, slots=True)
class HiddenCells:
    """The hidden rows and columns of a sheet, from 0."""

    rows: frozenset[int] = frozenset()
    columns: tuple[tuple[int, int], ...] = field(default=())  # from, to

    def seen(self, rows: Sequence[Sequence[Any]], first_row: int, first_column: int) -> Iterator[list[Any]]:
        """Iterate over visible cells. A hidden row is skipped rather than blank, so that it divides no table."""
        for number, row in enumerate(rows, first_row):
            if number not in self.rows:
                yield [cell for at, cell in enumerate(row, first_column) if not self._hides_column(at)]

    def _hides_column(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.columns)


def hidden_cells(content: bytes) -> dict[str, HiddenCells]:
    """Return sheet name → hidden cells, for sheets that have any."""
    found: dict[str, HiddenCells] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name, part in _sheets(archive):
            xml = archive.read(part)
            if b'hidden="' in xml:
                found[name] = _hidden_in(xml)
    return found


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    names = set(archive.namelist())
    book = next((each for each in ("xl/workbook.xml",) if each in names), "")
    relations = "xl/_rels/workbook.xml.rels"
    if not book or relations not in names:
        return
    targets = {each.get("Id"): each.get("Target") or "" for each in _children(_parsed(archive.read(relations)))}
    for sheet in (each for each in _all(_parsed(archive.read(book))) if _local(each) == "sheet"):
        target = targets.get(_attribute(sheet, "id"), "")
        part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        if part in names:
            yield sheet.get("name") or "", part


def _hidden_in(xml: bytes) -> HiddenCells:
    rows: set[int] = set()
    columns: list[tuple[int, int]] = []
    is_filtered = b"<autoFilter" in xml or b":autoFilter" in xml
    for _, element in etree.iterparse(io.BytesIO(xml), tag=("{*}row", "{*}col"), resolve_entities=False):
        if element.get("hidden") in ("1", "true"):
            first, last = element.get("min") or "", element.get("max") or ""
            if _local(element) == "col" and first.isdecimal() and last.isdecimal():
                columns.append((int(first) - 1, int(last) - 1))
            elif not is_filtered and (element.get("r") or "").isdecimal():
                rows.add(int(element.get("r")) - 1)
        element.clear()
    return HiddenCells(frozenset(rows), tuple(columns))


# XML


def _parsed(part: bytes) -> Any:
    """Return the root of an XML part, None for invalid XML, which the reader of the file reports."""
    try:
        return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return None


def _local(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _below(element: Any, *path: str) -> Any:
    for name in path:
        element = next((each for each in _children(element) if _local(each) == name), None)
    return element


def _children(element: Any) -> Sequence[Any]:
    return () if element is None else list(element)


def _all(element: Any) -> Sequence[Any]:
    return () if element is None else list(element.iter())


def _attribute(element: Any, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _value(element: Any) -> str:
    return "" if element is None else _attribute(element, "val")


def _is_on(element: Any) -> bool:
    return element is not None and _value(element).lower() not in _OFF
