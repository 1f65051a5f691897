"""Reads one file's bytes into a document: kind, checks, reader, chunks. Runs in the child process.

A reader is imported when its kind occurs, since a child lives for one file and should not import all of them.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import PurePosixPath

from pipeline.errors import IngestFault
from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.chunks import Extract, document_of
from pipeline.ingest.decoding import decoded
from pipeline.ingest.kinds import PACKED, Kind, check_content, check_parts, kind_of


def read(content: bytes, name: str, limits: ReadingLimits, size: ChunkSize) -> Document:
    """Read a document. Raises IngestFault; a damaged file raises whatever its reader raises."""
    extract = extract_of(content, name, limits)
    if len(extract.text) > limits.text_chars:
        raise IngestFault("too_much_text")
    document = document_of(extract, hashlib.sha256(content).hexdigest(), name, size)
    if not document.chunks:
        raise IngestFault("no_text")
    return document


def extract_of(content: bytes, name: str, limits: ReadingLimits) -> Extract:
    """Read the text of a file, also of one inside another. Raises as `read` does."""
    kind = kind_of(name)
    check_content(kind, content)
    if kind in PACKED:
        return _packed(kind, content, limits)
    match kind:
        case "pdf":
            from pipeline.ingest.pdf import pdf_extract

            return pdf_extract(content, limits.pages)
        case "xls":
            from pipeline.ingest.old_sheets import xls_extract

            return xls_extract(content)
        case "rtf":
            from pipeline.ingest.rtf import rtf_extract

            return rtf_extract(content)
        case "mail":
            from pipeline.ingest.mail import mail_extract

            return mail_extract(content, lambda inner, its_name: extract_of(inner, its_name, limits))
        case "mht":
            from pipeline.ingest.mail import archived_page_extract

            return archived_page_extract(content)
        case "image":
            from pipeline.ingest.images import image_extract

            return image_extract(content, limits.pages)
        case _:
            return _text(kind, decoded(content, declared=kind in ("html", "xml")), PurePosixPath(name).name)


def _text(kind: Kind, text: str, name: str) -> Extract:
    match kind:
        case "html":
            from pipeline.ingest.html import html_extract

            return html_extract(text)
        case "csv" | "tsv":
            from pipeline.ingest.delimited import delimited_extract

            return delimited_extract(text, "\t" if kind == "tsv" else "")
        case "json":
            from pipeline.ingest.trees import json_extract

            return json_extract(text)
        case "yaml":
            from pipeline.ingest.trees import yaml_extract

            return yaml_extract(text, name)
        case "xml":
            from pipeline.ingest.xml_files import xml_extract

            return xml_extract(text)
        case "notebook":
            from pipeline.ingest.notebook import notebook_extract

            return notebook_extract(text)
        case "code":
            from pipeline.ingest.source_code import code_extract

            return code_extract(text, name)
        case "markdown":
            from pipeline.ingest.markdown import markdown_extract

            return markdown_extract(text)
        case _:
            from pipeline.ingest.markdown import text_extract

            return text_extract(text)


def _packed(kind: Kind, content: bytes, limits: ReadingLimits) -> Extract:
    from pipeline.ingest import archive

    with archive.opened(io.BytesIO(content), limits) as parts:
        check_parts(kind, parts.namelist())
    match kind:
        case "docx":
            from pipeline.ingest.office import docx_extract

            return docx_extract(content)
        case "xlsx":
            from pipeline.ingest.workbooks import xlsx_extract

            return xlsx_extract(content)
        case "pptx":
            from pipeline.ingest.slides import pptx_extract

            return _within(pptx_extract(content), limits)
        case "odp":
            from pipeline.ingest.open_document import odp_extract

            return _within(odp_extract(content), limits)
        case "odt":
            from pipeline.ingest.open_document import odt_extract

            return odt_extract(content)
        case "ods":
            from pipeline.ingest.open_sheets import ods_extract

            return ods_extract(content)
        case _:
            from pipeline.ingest.epub import epub_extract

            return epub_extract(content)


def _within(extract: Extract, limits: ReadingLimits) -> Extract:
    """Raise IngestFault where a presentation has too many slides."""
    if len(extract.page_starts) > limits.pages:
        raise IngestFault("too_many_pages")
    return extract
