"""Checks zips before anything is unpacked: bombs, encryption, and files that an upload may not hold.

The sizes that a zip states can be trusted even when they are forged: reading stops there and the checksum fails.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO

from pipeline.errors import IngestFault
from pipeline.ingest import ReadingLimits
from pipeline.ingest.kinds import KINDS, PACKED, ZIP

RATIO = 200  # most of unpacked to packed, for members above RATIO_FROM bytes; none of 29 real Office files came near
RATIO_FROM = 1_000_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIPPED = b"PK\x03\x04"
DAMAGED = (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, OSError, EOFError, ValueError, zlib.error)


def opened(file: IO[bytes], limits: ReadingLimits) -> zipfile.ZipFile:
    """Open and check an archive. Raises IngestFault."""
    try:
        archive = zipfile.ZipFile(file)
    except DAMAGED as error:
        raise IngestFault("broken") from error
    members = archive.infolist()
    if len(members) > limits.members:
        raise IngestFault("too_many_files")
    if any(member.flag_bits & 1 for member in members):
        raise IngestFault("encrypted")
    if any(member.compress_type not in _METHODS for member in members):
        raise IngestFault("broken")
    sizes = [member.file_size for member in members]
    packed = [max(1, member.compress_size) for member in members]
    if (
        sum(sizes) > limits.unpacked_bytes
        or max(sizes, default=0) > limits.size_bytes
        or any(size > RATIO_FROM and size > RATIO * small for size, small in zip(sizes, packed, strict=True))
    ):
        raise IngestFault("bomb")
    return archive


def files_of(archive: zipfile.ZipFile) -> list[int]:
    """Return the indexes of an upload's files in its list. Raises IngestFault for one that leaves its folder."""
    members = archive.infolist()
    for member in members:
        _refuse_ways_out(member)
    kept = [place for place, member in enumerate(members) if not member.is_dir() and not _of_the_system(member)]
    for place in kept:
        _refuse_zips(archive, members[place])
    if not kept:
        raise IngestFault("empty")
    return kept


def _refuse_ways_out(member: zipfile.ZipInfo) -> None:
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise IngestFault("zip_link")
    path = PurePosixPath(member.orig_filename.replace("\\", "/"))
    drive = path.parts and path.parts[0].endswith(":")
    if path.is_absolute() or drive or ".." in path.parts or "\0" in member.orig_filename:
        raise IngestFault("zip_path")


def _refuse_zips(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    ending = PurePosixPath(member.filename).suffix.lower()
    if ending == ZIP:
        raise IngestFault("nested_zip")
    if KINDS.get(ending) in PACKED:
        return
    try:
        with archive.open(member) as content:
            packed = content.read(len(_ZIPPED)) == _ZIPPED
    except DAMAGED:
        return  # reading it reports the fault with its name
    if packed:
        raise IngestFault("nested_zip")


def _of_the_system(member: zipfile.ZipInfo) -> bool:
    """Whether it is a file that an operating system adds: `__MACOSX/`, `.DS_Store` and the like."""
    parts = PurePosixPath(member.filename).parts
    return "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1].lower() in ("thumbs.db", "desktop.ini")
