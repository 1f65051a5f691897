"""Finds hidden content of Office files: hidden runs and rows of DOCX, hidden shapes of PPTX.

Content that one click shows is visible, such as a speaker's notes.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Collection
from typing import Any

from lxml import etree

from pipeline.ingest.office_xml import attribute, below, local, root_of, value_of

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
    hiding = _hiding_styles(root_of(styles)) if styles else frozenset[str]()
    names = suspect if not hiding else [name for name in parts if name.endswith(".xml")]
    for name in names:
        root = root_of(parts[name])
        if root is not None and local(root) in _HOLDS_TEXT:
            _remove_hidden(root, hiding)
            parts[name] = etree.tostring(root)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def _remove_hidden(root: Any, hiding: Collection[str]) -> None:
    is_paper = not any(local(each) == "background" for each in root)
    for element in [each for each in root.iter() if local(each) in ("r", "tr", "moveFrom")]:
        if local(element) == "r":
            is_hidden = _hides_run(element, hiding, is_paper=is_paper)
        elif local(element) == "tr":
            is_hidden = _is_on(below(element, "trPr", "hidden"))
        else:
            is_hidden = True  # the text is also where it was moved to
        if is_hidden and element.getparent() is not None:
            element.getparent().remove(element)


def _hides_run(run: Any, hiding: Collection[str], *, is_paper: bool) -> bool:
    above = list(run.iterancestors())
    paragraph = next((each for each in above if local(each) == "p"), None)
    vanish = below(run, "rPr", "vanish")
    if vanish is not None:
        return _is_on(vanish)
    used = (value_of(below(run, "rPr", "rStyle")), value_of(below(paragraph, "pPr", "pStyle")))
    size = value_of(below(run, "rPr", "sz"))
    if any(style in hiding for style in used) or (size.isdecimal() and int(size) <= _TINY_HALF_POINTS):
        return True
    is_white = value_of(below(run, "rPr", "color")).upper() == "FFFFFF"
    shades = [below(run, "rPr", "shd"), below(run, "rPr", "highlight"), below(paragraph, "pPr", "shd")]
    is_shaded = any(shade is not None for shade in shades) or any(
        local(each) in ("tbl", "txbxContent") for each in above
    )
    return is_white and is_paper and not is_shaded


def _hiding_styles(root: Any) -> frozenset[str]:
    """Return the names of styles that hide text, also through the styles that they are based on."""
    styles = {attribute(each, "styleId"): each for each in (root if root is not None else ()) if local(each) == "style"}
    hiding = {name for name, style in styles.items() if _is_on(below(style, "rPr", "vanish"))}
    while more := {
        name
        for name, style in styles.items()
        if name not in hiding and value_of(below(style, "basedOn")) in hiding and below(style, "rPr", "vanish") is None
    }:
        hiding |= more
    return frozenset(hiding)


# PPTX


def is_unshown(shape: Any, size: tuple[int, int] | None) -> bool:
    """Whether a shape is hidden, or outside a slide of that size; None: its position has another unit."""
    named = next((each for each in shape.element.iter() if local(each) == "cNvPr"), None)
    if named is not None and named.get("hidden") in ("1", "true"):
        return True
    place: list[Any] = [getattr(shape, name, None) for name in ("left", "top", "width", "height")]
    if size is None or any(each is None for each in place):
        return False
    left, top, width, height = place
    return bool(left >= size[0] or top >= size[1] or left + width <= 0 or top + height <= 0)


def seen_text(paragraph: Any) -> str:
    """Return the text of a paragraph without letters too small to be seen."""
    parts = [each for each in paragraph._p if local(each) in ("r", "br", "fld")]
    if not any(_is_tiny(below(part, "rPr")) for part in parts):
        return str(paragraph.text)
    return "".join(
        " " if local(part) == "br" else below(part, "t").text or ""
        for part in parts
        if not _is_tiny(below(part, "rPr")) and (local(part) == "br" or below(part, "t") is not None)
    )


def _is_tiny(properties: Any) -> bool:
    size = "" if properties is None else properties.get("sz") or ""
    return size.isdecimal() and int(size) <= _TINY_HUNDREDTHS


def _is_on(element: Any) -> bool:
    return element is not None and value_of(element).lower() not in _OFF
