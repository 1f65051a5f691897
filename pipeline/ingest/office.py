"""Reads DOCX and PPTX into Markdown blocks, without hidden content (`unshown`).

DOCX is read through HTML: of the libraries tried only mammoth kept notes, text boxes and nested tables. A DOCX has no
reliable pages, so its passages are located by headings; a presentation's slides count as pages.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, time
from typing import Any

from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract
from pipeline.ingest.html import html_extract
from pipeline.ingest.unshown import is_unshown, seen_docx, seen_text

_DOCX_STYLES = "p[style-name='Title'] => h1:fresh\ncomment-reference => sup"


def docx_extract(content: bytes) -> Extract:
    """Read body, notes and comments without pictures."""
    import mammoth

    page = mammoth.convert_to_html(
        io.BytesIO(seen_docx(content)),
        convert_image=mammoth.images.img_element(lambda _image: {"src": ""}),
        include_embedded_style_map=False,
        style_map=_DOCX_STYLES,
    )
    return html_extract(page.value)


def pptx_extract(content: bytes) -> Extract:
    """Read one page per slide: its title, texts, tables, charts and the speaker's notes."""
    from pptx import Presentation

    blocks, starts, first_title = ExtractBuilder(), [], ""
    show = Presentation(io.BytesIO(content))
    size = (show.slide_width or 0, show.slide_height or 0)
    for slide in show.slides:
        starts.append(blocks.next_start)
        if slide.element.get("show") == "0":
            continue
        title = slide.shapes.title
        if title is not None and is_unshown(title, size):
            title = None
        heading = one_line(title.text_frame.text) if title is not None else ""
        first_title = first_title or heading
        blocks.heading(2, heading or f"{len(starts)}")
        for shape in _shapes(slide.shapes, size):
            if title is None or shape.shape_id != title.shape_id:
                _add_shape(blocks, shape)
        if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
            blocks.add("\n".join(filter(None, map(one_line, frame.text.splitlines()))))
    extract = blocks.extract(first_title)
    return replace(extract, page_starts=tuple(min(start, len(extract.text)) for start in starts))


def _shapes(shapes: Iterable[Any], size: tuple[int, int]) -> Iterator[Any]:
    """Iterate over visible shapes, those of groups in place. It does not recurse, since groups may nest deeply."""
    ahead: list[tuple[Any, tuple[int, int] | None]] = [(shape, size) for shape in reversed(list(shapes))]
    while ahead:
        shape, outer = ahead.pop()
        if is_unshown(shape, outer):
            continue
        if hasattr(shape, "shapes"):  # positions inside a group have the group's own unit
            ahead.extend([(each, None) for each in shape.shapes][::-1])
        else:
            yield shape


def _add_shape(blocks: ExtractBuilder, shape: Any) -> None:
    if getattr(shape, "has_table", False):
        blocks.table([[cell.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        _add_chart(blocks, shape.chart)
    elif shape.has_text_frame:
        for paragraph in shape.text_frame.paragraphs:
            if text := one_line(seen_text(paragraph)):
                blocks.add(f"{'  ' * paragraph.level}- {text}" if paragraph.level else text, tight=True)


def _add_chart(blocks: ExtractBuilder, chart: Any) -> None:
    """Return the table that a chart was drawn from."""
    if chart.has_title and chart.chart_title.has_text_frame:
        blocks.add(one_line(chart.chart_title.text_frame.text))
    for plot in chart.plots:
        names = [str(series.name) for series in plot.series]
        columns = [tuple(series.values) for series in plot.series]
        labels = [str(label) for label in plot.categories]
        length = max((len(column) for column in columns), default=0)
        blocks.table(
            [
                ["", *names],
                *(
                    [
                        labels[row] if row < len(labels) else "",
                        *(_written(column[row]) if row < len(column) else "" for column in columns),
                    ]
                    for row in range(length)
                ),
            ]
        )


def _written(value: object) -> str:
    """Write a cell as a person would: 1 for 1.0, and dates without a time that they do not have."""
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes") if value.time() != time() else value.date().isoformat()
    return "" if value is None else str(value)
