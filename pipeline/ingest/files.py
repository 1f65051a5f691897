"""Reads files into documents. Untrusted files are opened in a child process only.

    archive = await opened_zip(file, limits)            a zip that passed all checks
    document = await read_file(file, name, limits)      any other

Both raise IngestFault.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import zipfile
from pathlib import Path
from typing import get_args

from pipeline.errors import IngestFault
from pipeline.ingest import Chunk, ChunkSize, Document, ReadingLimits, Unread, markdown
from pipeline.ingest.archive import DAMAGED
from pipeline.ingest.kinds import KINDS, kind_of
from pipeline.ingest.progress import Hear
from pipeline.ingest.sandbox import run
from pipeline.own_faults import own_fault

_log = logging.getLogger(__name__)

KINDS_UNREAD = frozenset(get_args(Unread))
TEXTS = frozenset({".md", ".txt"})
DEFAULT_LIMITS = ReadingLimits()
DEFAULT_SIZE = ChunkSize()


async def read_file(
    file: Path | bytes,
    name: str,
    limits: ReadingLimits = DEFAULT_LIMITS,
    size: ChunkSize = DEFAULT_SIZE,
    hear: Hear | None = None,
) -> Document:
    """Read a document. `name` determines its kind and is the only part of its path that is stored.

    `hear` is called with the share that has been read so far.
    """
    kind_of(name)
    await _check_size(file, limits)
    reply = await run("read", {"name": name, "most": size.most, "overlap": size.overlap}, file, limits, hear)
    return await asyncio.to_thread(_document_of, reply, name)


def _document_of(reply: bytes, name: str) -> Document:
    """Return the document that a child read: a line of JSON, then its text."""
    end = reply.index(b"\n")
    text = str(memoryview(reply)[end + 1 :], "utf-8", "surrogatepass")
    content_hash, title, language, pages, page_starts, unread, places = json.loads(reply[:end])
    chunks = tuple(
        Chunk(section, text[slice(*header)] + text[start:end], start, end, first, last, tuple(header))
        for section, start, end, first, last, header in places
    )
    left_out = tuple((what, int(count)) for what, count in unread if what in KINDS_UNREAD)
    return Document(content_hash, name, title, language, text, pages, chunks, tuple(page_starts), left_out)


def files_below(folder: Path) -> list[Path]:
    """Return every file below `folder` of a supported kind, by name. Zips are supported for uploads only."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and path.is_file())


def read_below(folder: Path, path: Path, size: ChunkSize = DEFAULT_SIZE) -> Document | None:
    """Read one of them by its path inside the folder; None, after one line in the log, when it cannot be read.

    The operator's own Markdown and text is read here, everything else in a child. Blocks: call it in a thread.
    """
    name = path.relative_to(folder).as_posix()
    try:
        if path.suffix.lower() in TEXTS:
            return markdown.read_file(folder, path, size)
        return asyncio.run(read_file(path, name, DEFAULT_LIMITS, size))
    except IngestFault as fault:
        _log.warning("skipped the document %r (%s)", name, fault.code)
    except OSError:
        _log.warning("skipped the document %r: it cannot be read", name)
    except Exception as error:  # noqa: BLE001  a document that fails must not prevent the others from being read
        _log.warning("skipped the document %r (%s)", name, own_fault(error, "document").code)
    return None


class Archive:
    """A zip that passed all checks; `names` lists its files. Close it."""

    def __init__(self, file: Path | bytes, places: list[int]) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(file) if isinstance(file, bytes) else file)
        self._members = [self._zip.infolist()[place] for place in places]
        self.names = tuple(_inside(member) for member in self._members)

    async def read(self, place: int) -> bytes:
        """Read one of its files by index. Raises IngestFault when that file is damaged."""
        try:
            return await asyncio.to_thread(self._zip.read, self._members[place])
        except DAMAGED as error:
            raise IngestFault("broken") from error

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


async def opened_zip(file: Path | bytes, limits: ReadingLimits = DEFAULT_LIMITS) -> Archive:
    """Open an uploaded zip. Raises IngestFault, before any file in it is read, when it is unsafe."""
    await _check_size(file, limits)
    places = json.loads(await run("list", {}, file, limits))
    return await asyncio.to_thread(Archive, file, places)


async def _check_size(file: Path | bytes, limits: ReadingLimits) -> None:
    size_bytes = len(file) if isinstance(file, bytes) else (await asyncio.to_thread(file.stat)).st_size
    if not size_bytes:
        raise IngestFault("empty")
    if size_bytes > limits.size_bytes:
        raise IngestFault("too_large")


def _inside(member: zipfile.ZipInfo) -> str:
    return "/".join(part for part in member.filename.replace("\\", "/").split("/") if part not in ("", "."))
