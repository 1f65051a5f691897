"""Determines the kind of a file by its name, and checks it against the beginning of its content. Unpacks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

from pipeline.errors import IngestFault
from pipeline.ingest.decoding import utf_16

Kind = Literal[
    "pdf",
    "docx",
    "pptx",
    "xlsx",
    "xls",
    "odt",
    "odp",
    "ods",
    "rtf",
    "epub",
    "html",
    "mht",
    "mail",
    "markdown",
    "text",
    "csv",
    "tsv",
    "json",
    "yaml",
    "xml",
    "notebook",
    "code",
    "image",
]

_CODE = (
    "py js ts jsx tsx mjs cjs java c h cc cpp hpp cs go rs rb php swift kt kts scala r jl lua pl pm sh bash zsh ps1 "
    "bat sql vue svelte css scss less dart ex exs erl hs clj lisp el fs vb pas groovy gradle m mm f90 proto graphql "
    "tf hcl toml ini cfg conf properties cmake mk tex bib diff patch"
)
KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        ".pdf": "pdf",
        **dict.fromkeys((".docx", ".docm", ".dotx", ".dotm"), "docx"),
        **dict.fromkeys((".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"), "pptx"),
        **dict.fromkeys((".xlsx", ".xlsm", ".xltx", ".xltm"), "xlsx"),
        ".xls": "xls",
        **dict.fromkeys((".odt", ".ott"), "odt"),
        **dict.fromkeys((".odp", ".otp"), "odp"),
        **dict.fromkeys((".ods", ".ots"), "ods"),
        ".rtf": "rtf",
        ".epub": "epub",
        **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
        **dict.fromkeys((".mht", ".mhtml"), "mht"),
        ".eml": "mail",
        **dict.fromkeys((".md", ".markdown"), "markdown"),
        **dict.fromkeys((".txt", ".text", ".log", ".rst", ".adoc"), "text"),
        ".csv": "csv",
        **dict.fromkeys((".tsv", ".tab"), "tsv"),
        **dict.fromkeys((".json", ".jsonl", ".ndjson", ".geojson"), "json"),
        **dict.fromkeys((".yaml", ".yml"), "yaml"),
        **dict.fromkeys((".xml", ".rss", ".atom"), "xml"),
        ".ipynb": "notebook",
        **dict.fromkeys((f".{ending}" for ending in _CODE.split()), "code"),
        **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif"), "image"),
    }
)
ZIP = ".zip"
WITHOUT_NAME: frozenset[Kind] = frozenset({"code", "image"})  # people do not call these kinds by an ending
FORMATS = tuple(  # as people call the other kinds: the first ending of each
    next(ending for ending, its_kind in KINDS.items() if its_kind == kind)[1:].upper()
    for kind in dict.fromkeys(KINDS.values())
    if kind not in WITHOUT_NAME
)
# Kinds that are zips of parts → a part, or the folder of parts, that each file of the kind has.
PACKED: MappingProxyType[Kind, str] = MappingProxyType(
    {
        "docx": "word/",
        "pptx": "ppt/",
        "xlsx": "xl/",
        "odt": "content.xml",
        "odp": "content.xml",
        "ods": "content.xml",
        "epub": "META-INF/",
    }
)
OPEN_XML: frozenset[Kind] = frozenset({"docx", "pptx", "xlsx"})
_MAY_BE_HTML: frozenset[Kind] = frozenset({"html", "xml", "code"})
IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"RIFF", b"BM")
_OLD_OFFICE = frozenset({".doc", ".dot", ".ppt", ".pps", ".pot", ".xlt"})
_ZIPPED = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
_RTF = b"{\\rtf"
_BINARY = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"\x7fELF", b"MZ\x90", _RTF)


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
    elif kind in PACKED:
        if content.startswith(_COMPOUND) and _ENCRYPTED_STREAM in content:
            raise IngestFault("encrypted")
        fits = content.startswith(_ZIPPED)
    elif kind == "xls":
        fits = content.startswith(_COMPOUND)
    elif kind == "rtf":
        fits = content.lstrip()[:5] == _RTF
    elif kind == "image":
        fits = content.startswith(IMAGES)
    else:
        fits = _like_text(content) and (kind in _MAY_BE_HTML or not _like_html(content))
    if not fits:
        raise IngestFault("wrong_type")


def check_parts(kind: Kind, parts: Sequence[str]) -> None:
    """Raise IngestFault where a packed file lacks the parts of its kind."""
    needed = PACKED[kind]
    has_types = kind not in OPEN_XML or "[Content_Types].xml" in parts
    if not has_types or not any(part == needed or (part.startswith(needed) and needed[-1] == "/") for part in parts):
        raise IngestFault("wrong_type")


def _like_text(content: bytes) -> bool:
    if content.startswith((b"%PDF-", _ZIPPED, _EMPTY_ZIP, _COMPOUND, *_BINARY)):
        return False
    return b"\0" not in content or content.startswith(_UTF_16) or bool(utf_16(content))


def _like_html(content: bytes) -> bool:
    head = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html"))
