"""What the styles of an OpenDocument file say: hidden text, rows, sheets and slides, titles, lists, page sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TINY_POINTS = 1.0
_POINTS = re.compile(r"([\d.]+)pt")
_WHITE = "#ffffff"
_BLANK = ("", "transparent", _WHITE)
_DEEPEST = 20  # styles that are based on one another
_LENGTH = re.compile(r"([\d.]+)(cm|mm|in|pt)")
_MILLIMETRES = {"cm": 10.0, "mm": 1.0, "in": 25.4, "pt": 25.4 / 72}


class Styles:
    """The styles of one file: those of its content, and those of `styles.xml`."""

    def __init__(self, content: Any, other: Any) -> None:
        roots = [root for root in (content, other) if root is not None]
        elements = [each for root in roots for each in root.iter() if isinstance(each.tag, str)]
        self._styles = {
            (_said(each, "family"), _said(each, "name")): each for each in elements if _local(each) == "style"
        }
        self._lists = {_said(each, "name"): each for each in elements if _local(each) == "list-style"}
        masters = [each for each in elements if _local(each) == "master-page"]
        self._layouts = {_said(each, "name"): _said(each, "page-layout-name") for each in masters}
        self._pages = {_said(each, "name"): each for each in elements if _local(each) == "page-layout"}
        self._hiding = {key: self._is_hiding(key) for key in self._styles if key[0] in ("text", "paragraph")}

    def hides(self, element: Any) -> bool:
        """Whether an element of a text is hidden: by its own attributes, by its style, or as a row that is folded."""
        name = _local(element)
        if _said(element, "display") in ("none", "condition") or _said(element, "visibility") == "collapse":
            return True
        if name == "section" or name not in ("span", "p", "h", "a"):
            return False
        family = "text" if name in ("span", "a") else "paragraph"
        return self._hiding.get((family, _said(element, "style-name")), False)

    def is_hidden_sheet(self, table: Any) -> bool:
        """Whether a sheet is hidden."""
        return self._value("table", _said(table, "style-name"), "display") == "false"

    def is_hidden_slide(self, slide: Any) -> bool:
        """Whether a slide is left out of the show."""
        return self._value("drawing-page", _said(slide, "style-name"), "visibility") == "hidden"

    def is_title(self, paragraph: Any) -> bool:
        """Whether a paragraph has the style of a document's title."""
        return any(name == "Title" for _, name in self._bases("paragraph", _said(paragraph, "style-name")))

    def is_numbered(self, list_style: str, level: int) -> bool:
        """Whether a list has numbers on a level (from 1)."""
        found = self._lists.get(list_style)
        levels = [each for each in found if _said(each, "level") == str(level)] if found is not None else []
        return bool(levels) and _local(levels[0]) == "list-level-style-number" and bool(_said(levels[0], "num-format"))

    def page_size(self, master: str) -> tuple[float, float] | None:
        """Return width and height of the pages of a master page in millimetres, None where it is not said."""
        layout = self._pages.get(self._layouts.get(master, ""))
        if layout is None:
            return None
        width, height = (_millimetres(self._property(layout, name)) for name in ("page-width", "page-height"))
        return (width, height) if width and height else None

    def _is_hiding(self, key: tuple[str, str]) -> bool:
        if self._value(*key, "display") == "none":
            return True
        points = _POINTS.fullmatch(self._value(*key, "font-size"))
        if points and float(points[1]) <= _TINY_POINTS:
            return True
        is_white = self._value(*key, "color").lower() == _WHITE
        return is_white and self._value(*key, "background-color").lower() in _BLANK and key[0] == "text"

    def _value(self, family: str, name: str, wanted: str) -> str:
        """Return a property of a style, or of the nearest one that it is based on."""
        return next(filter(None, (self._property(self._styles[key], wanted) for key in self._bases(family, name))), "")

    def _bases(self, family: str, name: str) -> Iterator[tuple[str, str]]:
        for _ in range(_DEEPEST):
            if (family, name) not in self._styles:
                return
            yield family, name
            name = _said(self._styles[family, name], "parent-style-name")

    def _property(self, style: Any, wanted: str) -> str:
        return next((value for each in style for key, value in each.attrib.items() if _bare(key) == wanted), "")


def _millimetres(length: str) -> float:
    found = _LENGTH.fullmatch(length)
    return float(found[1]) * _MILLIMETRES[found[2]] if found else 0.0


def _said(element: Any, name: str) -> str:
    return next((value for key, value in element.attrib.items() if _bare(key) == name), "")


def _bare(name: str) -> str:
    return name.rpartition("}")[2]


def _local(element: Any) -> str:
    return _bare(element.tag) if isinstance(element.tag, str) else ""
