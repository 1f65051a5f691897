"""Prepares a DOCX for mammoth: writes as text what mammoth does not read.

These are the formulas, the numbers of lists and headings, and the tables of charts; headers and footers are returned,
since they stand on every page.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

from lxml import etree

from pipeline.ingest import Unread
from pipeline.ingest.blocks import CONTROL, one_line
from pipeline.ingest.charts import chart_rows, chart_title
from pipeline.ingest.formulas import formula_text
from pipeline.ingest.html import LABEL
from pipeline.ingest.numbering import Numbering, labels_of
from pipeline.ingest.office_xml import attribute, below, local, parsed, related, value_of

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def prepared(content: bytes) -> tuple[bytes, tuple[str, ...], tuple[tuple[Unread, int], ...]]:
    """Return the file for mammoth, the different texts of its headers and footers, and what cannot be read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        main = next(iter(related(archive, "").get("officeDocument", ())), "word/document.xml")
        root = parsed(archive, main)
        if root is None:
            return content, (), ()
        parts = related(archive, main)
        notes = [*parts.get("footnotes", ()), *parts.get("endnotes", ()), *parts.get("comments", ())]
        roots = {main: root, **{name: found for name in notes if (found := parsed(archive, name)) is not None}}
        for each in roots.values():
            _write_formulas(each)
        numbering = Numbering.of(
            *(parsed(archive, next(iter(parts.get(kind, ())), "")) for kind in ("numbering", "styles"))
        )
        _write_labels(labels_of(numbering, root).items())
        unread: dict[Unread, int] = {
            "picture": sum(not _is_substitute(each) for each in root.iter("{*}pic", "{*}imagedata")),
            "object": sum(1 for _ in root.iter("{*}OLEObject")),
            "chart": _write_charts(root, archive, main),
        }
        edges = [parsed(archive, name) for kind in ("header", "footer") for name in parts.get(kind, ())]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as new:
            for name in archive.namelist():
                part = roots.get(name)
                new.writestr(name, archive.read(name) if part is None else etree.tostring(part))
    return out.getvalue(), _edges(edges), tuple((what, count) for what, count in unread.items() if count)


def _is_substitute(element: Any) -> bool:
    """Whether it is drawn only by programs that do not know something better, or in place of an object."""
    return any(local(each) in ("Fallback", "object") for each in element.iterancestors())


def _named(root: Any, name: str) -> str:
    return f"{root.tag.rpartition('}')[0]}}}{name}"


def _write_formulas(root: Any) -> None:
    """Replace each formula by a run of its text."""
    written: set[Any] = set()
    for formula in list(root.iter("{*}oMath")):
        text = one_line(formula_text(formula).translate(CONTROL))
        above = formula.getparent()
        if above is None:
            continue
        before = formula.getprevious()
        run = _run(root, f" {text}" if before is not None and before in written else text)
        written.add(run)
        run.tail = formula.tail
        if local(above) == "oMathPara":
            above.addprevious(run)
            above.remove(formula)
        else:
            above.replace(formula, run)


def _run(root: Any, text: str) -> Any:
    run = etree.Element(_named(root, "r"))
    written = etree.SubElement(run, _named(root, "t"))
    written.text = text
    written.set(_SPACE, "preserve")
    return run


def _write_labels(labels: Any) -> None:
    for paragraph, label in labels:
        is_list = below(paragraph, "pPr", "numPr") is not None and not _is_heading(paragraph)
        run = _run(paragraph, f"{LABEL}{label}{LABEL}" if is_list else f"{label} ")
        at = 1 if below(paragraph, "pPr") is not None else 0
        paragraph.insert(at, run)


def _is_heading(paragraph: Any) -> bool:
    style = value_of(below(paragraph, "pPr", "pStyle")).lower()
    return "heading" in style or "title" in style or below(paragraph, "pPr", "outlineLvl") is not None


def _write_charts(root: Any, archive: zipfile.ZipFile, main: str) -> int:
    """Write the table of each chart, and the texts of each diagram, behind the paragraph that they stand in.

    Return how many could not be read.
    """
    ids, unread = related(archive, main, by_id=True), 0
    for frame in list(root.iter("{*}chart", "{*}relIds")):
        paragraph = next(frame.iterancestors("{*}p"), None)
        part = next(iter(ids.get(attribute(frame, "id") or attribute(frame, "dm"), ())), "")
        found = parsed(archive, part) if part else None
        if paragraph is None or _is_substitute(frame):
            continue
        if found is None:
            unread += 1
            continue
        if local(frame) == "relIds":
            texts = [one_line("".join(t.text or "" for t in each.iter("{*}t"))) for each in found.iter("{*}pt")]
            added = [_paragraph(root, text) for text in texts if text]
        else:
            rows = chart_rows(found)
            added = [_paragraph(root, chart_title(found)), *([_table(root, rows)] if rows else [])]
        for each in reversed(added):
            paragraph.addnext(each)
    return unread


def _paragraph(root: Any, text: str) -> Any:
    paragraph = etree.Element(_named(root, "p"))
    paragraph.append(_run(root, text))
    return paragraph


def _table(root: Any, rows: Sequence[Sequence[str]]) -> Any:
    table = etree.Element(_named(root, "tbl"))
    for cells in rows:
        row = etree.SubElement(table, _named(root, "tr"))
        for cell in cells:
            etree.SubElement(row, _named(root, "tc")).append(_paragraph(root, cell))
    return table


def _edges(roots: Sequence[Any]) -> tuple[str, ...]:
    """Return the different texts of headers and footers that say more than the number of a page."""
    texts = []
    for root in roots:
        lines = root.iter("{*}p") if root is not None else ()
        said = (one_line("".join(each.text or "" for each in line.iter("{*}t"))) for line in lines)
        texts.append(" · ".join(filter(None, said)))
    return tuple(text for text in dict.fromkeys(texts) if any(map(str.isalpha, text)))
