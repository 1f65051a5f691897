"""Reads what was filled into the form of a PDF page, and what was written over it.

pdfium keeps both apart from the text of the page.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as raw

TICKED, UNTICKED = "☒", "☐"
MOST = 2000  # annotations of a page that are looked at
_CHARS = 10_000  # of one value
_UNSEEN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW | raw.FPDF_ANNOT_FLAG_INVISIBLE
_PASSWORD = 1 << 13  # ISO 32000-1, table 228


@dataclass(frozen=True, slots=True)
class Field:
    """A value and its box: left, bottom, right and top in points.

    A tick belongs to the words right of it. A note was written over the page, and is no value of a form.
    """

    text: str
    box: tuple[float, float, float, float]
    is_tick: bool = False
    is_note: bool = False


def fields_of(page: Any) -> list[Field]:
    """Return the visible values of a page, in the order of the file."""
    count = min(raw.FPDFPage_GetAnnotCount(page.raw), MOST)
    return list(_fields(page, count)) if count else []


def _fields(page: Any, count: int) -> Iterator[Field]:
    form, bounds = page.formenv, page.get_bbox()
    for number in range(count):
        annotation = raw.FPDFPage_GetAnnot(page.raw, number)
        if not annotation:
            continue
        try:
            field = _field(form.raw if form else None, annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
        if field is not None and _is_on(field.box, bounds):
            yield field


def _is_on(box: tuple[float, float, float, float], bounds: tuple[float, float, float, float]) -> bool:
    left, bottom, right, top = box
    inside = left < bounds[2] and right > bounds[0] and bottom < bounds[3] and top > bounds[1]
    return inside and right - left > 1 and top - bottom > 1


def _field(form: Any, annotation: Any) -> Field | None:
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind not in (raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT) or raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
        return None
    rectangle = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, rectangle)
    box = (
        min(rectangle.left, rectangle.right),
        min(rectangle.bottom, rectangle.top),
        max(rectangle.left, rectangle.right),
        max(rectangle.bottom, rectangle.top),
    )
    if kind == raw.FPDF_ANNOT_FREETEXT:
        text = _string(lambda *into: raw.FPDFAnnot_GetStringValue(annotation, b"Contents", *into))
        return Field(text, box, is_note=True) if text else None
    if form is None:
        return None
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        return Field(TICKED if raw.FPDFAnnot_IsChecked(form, annotation) else UNTICKED, box, is_tick=True)
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        text = _chosen(form, annotation) or _value(form, annotation)
    elif kind == raw.FPDF_FORMFIELD_TEXTFIELD and not raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        text = _value(form, annotation)
    else:
        text = ""
    return Field(text, box) if text else None


def _value(form: Any, annotation: Any) -> str:
    return _string(lambda *into: raw.FPDFAnnot_GetFormFieldValue(form, annotation, *into))


def _chosen(form: Any, annotation: Any) -> str:
    """Return the labels of the options that are chosen."""
    labels = (
        _string(lambda *into, at=at: raw.FPDFAnnot_GetOptionLabel(form, annotation, at, *into))
        for at in range(min(raw.FPDFAnnot_GetOptionCount(form, annotation), MOST))
        if raw.FPDFAnnot_IsOptionSelected(form, annotation, at)
    )
    return ", ".join(filter(None, labels))


def _string(read: Any) -> str:
    """Return a text of pdfium as one line."""
    length = read(None, 0)
    if not 2 < length <= 2 * _CHARS:
        return ""
    buffer = ctypes.create_string_buffer(length)
    read(ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
    text = buffer.raw[: length - 2].decode("utf-16-le", "ignore")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
