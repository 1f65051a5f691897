"""Reads the table that a chart of an Office file was drawn from, whatever its kind, from the values kept in its XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.grids import Grid, add_table
from pipeline.ingest.number_formats import GENERAL, shown
from pipeline.ingest.office_xml import attribute, below, children, local

_POINTS = 65_536  # the most rows
_ACROSS, _UP = ("cat", "xVal"), ("val", "yVal", "bubbleSize")


def add_chart(blocks: ExtractBuilder, root: Any) -> bool:
    """Add the title and the table of a chart, and return whether it has any."""
    rows = chart_rows(root)
    if title := chart_title(root):
        blocks.add(title)
    if rows:
        add_table(blocks, Grid(rows, headers=1))
    return bool(title or rows)


def chart_rows(root: Any) -> list[list[str]]:
    """Return the table of a chart; its first row names the series."""
    rows = list(_later_rows(root) if "chartex" in root.tag else _rows(root))
    if rows and not any(rows[0]):  # series without names are numbered
        rows[0] = ["", *(str(number) for number in range(1, len(rows[0])))]
    return rows


def chart_title(root: Any) -> str:
    """Return the title of a chart, "" without one."""
    found = below(root, "chart", "title")
    return "" if found is None else one_line(" ".join(each.text or "" for each in found.iter("{*}t", "{*}v")))


def _rows(root: Any) -> Iterator[list[str]]:
    """Iterate over the header and the rows: a category each, and a column for each series."""
    labels: dict[int, str] = {}
    names: list[str] = []
    columns: list[dict[int, str]] = []
    for series in root.iter("{*}ser"):
        parts = {local(each): each for each in series}
        name = " ".join(_points(parts["tx"]).values()) if "tx" in parts else ""
        for kind in _ACROSS:
            if kind in parts:
                labels = {**_categories(parts[kind]), **labels}
        for kind in _UP:
            if kind in parts:
                names.append(f"{name} ({kind})" if kind == "bubbleSize" and name else name)
                columns.append(_points(parts[kind]))
    if not columns:
        return
    yield ["", *names]
    for number in sorted({*labels, *(number for column in columns for number in column)}):
        yield [labels.get(number, ""), *(column.get(number, "") for column in columns)]


def _categories(element: Any) -> dict[int, str]:
    """Return the labels by number; those of several levels stand together, the outermost first."""
    levels = list(element.iter("{*}lvl"))
    if len(levels) < 2:
        return _points(element)
    read = [_points(level) for level in levels]
    labels: dict[int, str] = {}
    for number in read[0]:
        parts = (
            max((at, text) for at, text in level.items() if at <= number)[1] for level in read if min(level) <= number
        )
        labels[number] = " › ".join(reversed(list(parts)))
    return labels


def _points(element: Any) -> dict[int, str]:
    """Return the values of a series by number, as their format shows them."""
    code = next((each.text or "" for each in element.iter("{*}formatCode")), GENERAL)
    points: dict[int, str] = {}
    for point in element.iter("{*}pt"):
        number, value = point.get("idx") or "", below(point, "v")
        if number.isdecimal() and len(points) < _POINTS and value is not None:
            points[int(number)] = _shown(value.text or "", point.get("formatCode") or code)
    if not points:  # a name that is written without a reference
        value = next(element.iter("{*}v"), None)
        points = {0: value.text} if value is not None and value.text else {}
    return points


def _shown(value: str, code: str) -> str:
    try:
        return shown(float(value), code)
    except (ValueError, ArithmeticError):
        return one_line(value)


def _later_rows(root: Any) -> Iterator[list[str]]:
    """Iterate over the rows of a kind that came with Office 2016: waterfalls, trees, funnels, boxes, maps."""
    names = [one_line("".join(each.itertext())) for each in root.iter("{*}tx") if local(each.getparent()) == "series"]
    for number, data in enumerate(root.iter("{*}data")):
        labels: dict[int, str] = {}
        values: dict[int, str] = {}
        for dimension in children(data):
            levels = [
                {int(attribute(each, "idx")): one_line(each.text or "") for each in level if local(each) == "pt"}
                for level in dimension.iter("{*}lvl")
            ]
            for level in levels if local(dimension) == "strDim" else ():
                labels = {at: f"{text} › {labels[at]}" if labels.get(at) else text for at, text in level.items()}
            if local(dimension) == "numDim" and levels:
                values = {at: _shown(text, GENERAL) for at, text in levels[0].items()}
        if values:
            yield ["", names[number] if number < len(names) else ""]
            yield from ([labels.get(at, ""), value] for at, value in values.items())
