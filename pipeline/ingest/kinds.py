"""Determines the kind of a file by its name, and checks it against the beginning of its content. Unpacks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

from pipeline.errors import IngestFault

Kind = Literal[
    "pdf",
    "docx",
    "pptx",
    "xlsx",
    "html",
    "markdown",
    "text",
    "csv",
]

KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        ".pdf": "pdf",
        ".docx": "docx",
        ".pptx": "pptx",
        ".xlsx": "xlsx",
        ".html": "html",
        ".htm": "html",
        ".md": "markdown",
        ".markdown": "markdown",
        ".txt": "text",
        ".csv": "csv",
    }
)
ZIP = ".zip"
FORMATS = tuple(  # as people call the kinds: the first ending of each
    next(ending for ending, its_kind in KINDS.items() if its_kind == kind)[1:].upper()
    for kind in dict.fromkeys(KINDS.values())
)
OFFICE: MappingProxyType[str, str] = MappingProxyType({"docx": "word/", "pptx": "ppt/", "xlsx": "xl/"})
_OLD_OFFICE = frozenset({".doc", ".dot", ".xls", ".ppt", ".pps"})
_PACKED = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BINARY = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"\x7fELF", b"MZ\x90", b"{\\rtf")


def kind_of(name: str) -> Kind:
    """Return the kind of a file by its name. Raises IngestFault for an unsupported one, a zip included."""
    ending = PurePosixPath(name).suffix.lower()
    if ending in _OLD_OFFICE:
        raise IngestFault("old_office")
    if ending not in KINDS:
        raise IngestFault("nested_zip" if ending == ZIP else "unsupported")
    return KINDS[ending]


def is_zip(name: str) -> bool:
    """Whether the name is that of a zip."""
    return PurePosixPath(name).suffix.lower() == ZIP


def check_content(kind: Kind, content: bytes) -> None:
    """Raise IngestFault where the content begins like another kind of file."""
    if not content:
        raise IngestFault("empty")
    if kind == "pdf":
        fits = b"%PDF-" in content[:1024]
    elif kind in OFFICE:
        if content.startswith(_COMPOUND) and _ENCRYPTED_STREAM in content:
            raise IngestFault("encrypted")
        fits = content.startswith(_PACKED)
    else:
        fits = _like_text(content) and (kind == "html" or not _like_html(content))
    if not fits:
        raise IngestFault("wrong_type")


def check_parts(kind: Kind, parts: Sequence[str]) -> None:
    """Raise IngestFault where an Office file lacks the parts of its kind."""
    if "[Content_Types].xml" not in parts or not any(part.startswith(OFFICE[kind]) for part in parts):
        raise IngestFault("wrong_type")


def _like_text(content: bytes) -> bool:
    packed = content.startswith((b"%PDF-", _PACKED, _EMPTY_ZIP, _COMPOUND, *_BINARY))
    return not packed and (content.startswith(_UTF_16) or b"\0" not in content)


def _like_html(content: bytes) -> bool:
    head = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html"))
