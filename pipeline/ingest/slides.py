"""Reads PPTX into Markdown blocks, without hidden content (`unshown`). Its slides count as pages.

A shape that cannot be read never costs the presentation: it is left out. What python-pptx does not know, such as charts
in three dimensions and SmartArt, is read from the XML.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from lxml import etree

from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.charts import add_chart
from pipeline.ingest.chunks import Extract
from pipeline.ingest.grids import Grid, Merged, add_table
from pipeline.ingest.office_xml import attribute, local, mended, root_of
from pipeline.ingest.unshown import is_unshown, seen_text

T = TypeVar("T")


def pptx_extract(content: bytes) -> Extract:
    """Read one page per slide: its title, texts, tables, charts, diagrams and the speaker's notes."""
    from pptx import Presentation

    blocks, starts, first_title = ExtractBuilder(), [], ""
    try:
        show = Presentation(io.BytesIO(content))
    except etree.XMLSyntaxError:
        show = Presentation(io.BytesIO(mended(content)))
    size = (show.slide_width or 0, show.slide_height or 0)
    for slide in show.slides:
        starts.append(blocks.next_start)
        if slide.element.get("show") == "0":
            continue
        title = _tried(partial(_title, slide, size), None)
        heading = one_line(title.text_frame.text) if title is not None else ""
        first_title = first_title or heading
        blocks.heading(2, heading or f"{len(starts)}")
        for shape in _shapes(slide.shapes, size):
            is_title = title is not None and shape.shape_id == title.shape_id
            if not is_title and not _tried(partial(_add_shape, blocks, shape), False):
                blocks.leave_out("shape")
        _tried(partial(_add_unknown, blocks, slide), None)
        _tried(partial(_add_notes, blocks, slide), None)
        _tried(partial(_add_comments, blocks, slide), None)
    extract = blocks.extract(first_title)
    return replace(extract, page_starts=tuple(min(start, len(extract.text)) for start in starts))


def _tried(read: Callable[[], T], otherwise: T) -> T:
    """Return what `read` returns; where a part of a slide is damaged, the other parts are still read."""
    try:
        return read()
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 (python-pptx raises anything, from KeyError to its own)
        return otherwise


def _title(slide: Any, size: tuple[int, int]) -> Any:
    """Return the shape of the title, None where it is hidden or no text: a picture may take its place."""
    title = slide.shapes.title
    has_text = title is not None and getattr(title, "has_text_frame", False)
    return title if has_text and not is_unshown(title, size) else None


def _shapes(shapes: Any, size: tuple[int, int]) -> Iterator[Any]:
    """Iterate over visible shapes, those of groups in place. It does not recurse, since groups may nest deeply."""
    ahead: list[tuple[Any, tuple[int, int] | None]] = [(shape, size) for shape in _each(shapes)[::-1]]
    while ahead:
        shape, outer = ahead.pop()
        if _tried(partial(is_unshown, shape, outer), False):
            continue
        if hasattr(shape, "shapes"):  # positions inside a group have the group's own unit
            ahead.extend([(each, None) for each in _each(shape.shapes)][::-1])
        else:
            yield shape


def _each(shapes: Any) -> list[Any]:
    """Return the shapes. One that python-pptx cannot make does not cost the others, so they are made one by one."""
    made = (_tried(partial(shapes._shape_factory, element), None) for element in shapes._element.iter_shape_elms())
    return [shape for shape in made if shape is not None]


def _add_shape(blocks: ExtractBuilder, shape: Any) -> bool:
    """Add what a shape says, and return True: nothing went wrong."""
    if getattr(shape, "has_table", False):
        add_table(blocks, _grid(shape.table))
    elif local(shape.element) == "graphicFrame":
        _add_graphic(blocks, shape.element, shape.part)
    elif getattr(shape, "has_text_frame", False):
        for paragraph in shape.text_frame.paragraphs:
            if text := one_line(seen_text(paragraph)):
                blocks.add(f"{'  ' * paragraph.level}- {text}" if paragraph.level else text, tight=True)
    elif local(shape.element) == "pic":
        blocks.leave_out("picture")
    return True


def _grid(table: Any) -> Grid:
    """Return a table with its merged cells; its first row names columns where it is marked so, or not said."""
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    merged = [
        Merged(y, x, y + cell.span_height - 1, x + cell.span_width - 1)
        for y, row in enumerate(table.rows)
        for x, cell in enumerate(row.cells)
        if cell.is_merge_origin
    ]
    return Grid(rows, merged)


def _add_graphic(blocks: ExtractBuilder, frame: Any, part: Any) -> None:
    """Add a chart or a diagram that a frame refers to; other programs' objects are left out."""
    if next(frame.iter("{*}oleObj"), None) is not None:
        blocks.leave_out("object")
    for element in frame.iter("{*}chart", "{*}relIds"):
        for key in ("id", "dm"):
            number = attribute(element, key)
            if number and number in part.rels and not part.rels[number].is_external:
                related = part.rels[number].target_part
                root = root_of(related.blob)
                if key == "id":
                    if root is None or not add_chart(blocks, root):
                        blocks.leave_out("chart")
                elif root is not None:
                    _add_diagram(blocks, root)


def _add_diagram(blocks: ExtractBuilder, root: Any) -> None:
    """Add the texts of SmartArt, in the order in which they were written."""
    for point in root.iter("{*}pt"):
        if point.get("type", "node") in ("node", "asst"):
            text = one_line(
                " ".join(each.text or "" for each in point.iter("{*}t") if local(each.getparent()) in ("r", "fld"))
            )
            if text:
                blocks.add(f"- {text}", tight=True)


def _add_unknown(blocks: ExtractBuilder, slide: Any) -> None:
    """Add what later versions of Office wrote beside a substitute for earlier ones: new charts, formulas."""
    for choice in slide.element.iter("{*}Choice"):
        for shape in choice:
            if local(shape) == "graphicFrame":
                _add_graphic(blocks, shape, slide.part)
            elif local(shape) == "sp":
                for line in shape.iter("{*}p"):
                    blocks.add(one_line("".join(each.text or "" for each in line.iter("{*}t"))), tight=True)


def _add_notes(blocks: ExtractBuilder, slide: Any) -> None:
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
        blocks.add("\n".join(filter(None, map(one_line, frame.text.splitlines()))))


def _add_comments(blocks: ExtractBuilder, slide: Any) -> None:
    """Add the comments of readers, of both kinds that PowerPoint has written."""
    for relation in slide.part.rels.values():
        if relation.reltype.endswith("/comments") and not relation.is_external:
            root = root_of(relation.target_part.blob)
            for comment in root.iter("{*}cm", "{*}reply") if root is not None else ():
                own = (each for each in comment if local(each) in ("text", "txBody"))
                blocks.add("\n".join(one_line(" ".join(each.itertext())) for each in own))
