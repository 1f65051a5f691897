"""Reads e-books (EPUB): the pages of the spine in their order, with the book's title and language."""

from __future__ import annotations

import io
import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from lxml import etree

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract
from pipeline.ingest.decoding import decoded
from pipeline.ingest.html import html_extract
from pipeline.ingest.linked_styles import with_styles

_FOLDER = "META-INF"
CONTAINER, ENCRYPTION = f"{_FOLDER}/container.xml", f"{_FOLDER}/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "")


def epub_extract(content: bytes) -> Extract:
    """Read a book. Raises IngestFault where its pages are encrypted or missing."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        package = _package_name(archive)
        root = _parsed(archive.read(package))
        book, folder = ExtractBuilder(), posixpath.dirname(package)
        pages = [names.get(_path(folder, address).lower(), "") for address in _spine(root)]
        if set(pages) & _encrypted(archive):
            raise IngestFault("encrypted")
        title = _said(root, "title")
        for name in filter(None, pages):
            page = _page(archive, name, names)
            if not page.headings and page.title != title:
                book.heading(1, page.title)
            book.include(page)
    extract = book.extract(title)
    return Extract(extract.text, extract.headings, extract.title, _said(root, "language").partition("-")[0])


def _package_name(archive: zipfile.ZipFile) -> str:
    files = (each.get("full-path") for each in _parsed(archive.read(CONTAINER)).iter() if _local(each) == "rootfile")
    name = next(filter(None, files), None)
    if name is None:
        raise IngestFault("broken")
    return str(name)


def _spine(root: Any) -> list[str]:
    """Return the addresses of the pages in reading order, without the table of contents, which repeats the headings."""
    items = {each.get("id"): each for each in root.iter() if _local(each) == "item"}
    found = [
        items[each.get("idref")] for each in root.iter() if _local(each) == "itemref" and each.get("idref") in items
    ]
    return [
        each.get("href") or ""
        for each in found
        if (each.get("media-type") or "") in _PAGES and "nav" not in (each.get("properties") or "").split()
    ]


def _encrypted(archive: zipfile.ZipFile) -> set[str]:
    if ENCRYPTION not in archive.namelist():
        return set()
    found = (each for each in _parsed(archive.read(ENCRYPTION)).iter() if _local(each) == "CipherReference")
    return {unquote(each.get("URI") or "") for each in found}


def _page(archive: zipfile.ZipFile, name: str, names: dict[str, str]) -> Extract:
    def sheet_at(address: str) -> str | None:
        path = names.get(_path(posixpath.dirname(name), address).lower())
        return decoded(archive.read(path)) if path else None

    return html_extract(with_styles(decoded(archive.read(name), declared=True), sheet_at))


def _path(folder: str, address: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(address.partition("#")[0])))


def _said(root: Any, name: str) -> str:
    found = next((each for each in root.iter() if _local(each) == name and each.text), None)
    return one_line(found.text) if found is not None else ""


def _parsed(part: bytes) -> Any:
    return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True))


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
