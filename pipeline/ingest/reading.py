"""Reads one file's bytes into a document: kind, checks, reader, chunks. Runs in the child process.

A reader is imported when its kind occurs, since a child lives for one file and should not import all of them.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import re

from pipeline.errors import IngestFault
from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.chunks import Extract, document_of
from pipeline.ingest.kinds import OFFICE, Kind, check_content, check_parts, kind_of

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{1,40})""", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def read(content: bytes, name: str, limits: ReadingLimits, size: ChunkSize) -> Document:
    """Read a document. Raises IngestFault; a damaged file raises whatever its reader raises."""
    kind = kind_of(name)
    check_content(kind, content)
    extract = _extract(kind, content, limits)
    if len(extract.text) > limits.text_chars:
        raise IngestFault("too_much_text")
    document = document_of(extract, hashlib.sha256(content).hexdigest(), name, size)
    if not document.chunks:
        raise IngestFault("no_text")
    return document


def _extract(kind: Kind, content: bytes, limits: ReadingLimits) -> Extract:
    if kind in OFFICE:
        return _office(kind, content, limits)
    if kind == "pdf":
        from pipeline.ingest.pdf import pdf_extract

        return pdf_extract(content, limits.pages)
    text = decoded(content, declared=kind == "html")
    if kind == "html":
        from pipeline.ingest.html import html_extract

        return html_extract(text)
    if kind == "csv":
        from pipeline.ingest.office import csv_extract

        return csv_extract(text)
    from pipeline.ingest.markdown import markdown_extract, text_extract

    return markdown_extract(text) if kind == "markdown" else text_extract(text)


def _office(kind: Kind, content: bytes, limits: ReadingLimits) -> Extract:
    from pipeline.ingest import archive, office

    with archive.opened(io.BytesIO(content), limits) as parts:
        check_parts(kind, parts.namelist())
    if kind == "docx":
        return office.docx_extract(content)
    if kind == "xlsx":
        return office.xlsx_extract(content)
    extract = office.pptx_extract(content)
    if len(extract.page_starts) > limits.pages:
        raise IngestFault("too_many_pages")
    return extract


def decoded(content: bytes, *, declared: bool) -> str:
    """Decode text by its byte order mark, by what HTML declares, as UTF-8, or last as Windows-1252."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace").replace("\0", "")
    if declared and (found := _CHARSET.search(content[:4096])) and not found[1].lower().startswith(b"utf-16"):
        try:
            return content.decode(found[1].decode("ascii")).encode("utf-8", "replace").decode("utf-8")
        except (LookupError, UnicodeError):
            pass  # the declared encoding is wrong
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
