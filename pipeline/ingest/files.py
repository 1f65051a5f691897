"""Files → documents, for whoever takes files in. The files themselves are opened in a child process only.

    archive = await opened_zip(file, limits)            a zip, refused whole or worth reading
    document = await read_file(file, name, limits)      any other

Both raise IngestFault, whose text is for people.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import zipfile
from pathlib import Path

from pipeline.bugs import own_fault
from pipeline.errors import FILE_FAULTS, IngestFault
from pipeline.ingest import Chunk, ChunkSize, Document, Limits, markdown
from pipeline.ingest.archive import DAMAGED
from pipeline.ingest.kinds import KINDS, kind_of
from pipeline.ingest.sandbox import run

_log = logging.getLogger(__name__)

TEXTS = frozenset({".md", ".txt"})
DEFAULT_LIMITS = Limits()
DEFAULT_SIZE = ChunkSize()


async def read_file(
    file: Path | bytes, name: str, limits: Limits = DEFAULT_LIMITS, size: ChunkSize = DEFAULT_SIZE
) -> Document:
    """The document in `file`; `name` says its kind, and is all that is remembered of where it was."""
    kind_of(name)
    await _check_size(file, limits)
    told = json.loads(await run("read", {"name": name, "most": size.most, "overlap": size.overlap}, file, limits))
    content_hash, title, language, text, pages, page_starts, places = told
    chunks = tuple(
        Chunk(section, text[start:end], start, end, first, last) for section, start, end, first, last in places
    )
    return Document(content_hash, name, title, language, text, pages, chunks, tuple(page_starts))


def files_below(folder: Path) -> list[Path]:
    """Every file below `folder` of a kind that is read, by name; zips are for uploads."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and path.is_file())


def read_below(folder: Path, path: Path, size: ChunkSize = DEFAULT_SIZE) -> Document | None:
    """One of them, by its path inside the folder; None, after one line in the log, when there is nothing to read.

    Markdown and text are the owner's own and are read here; everything else in a child. Blocks: for threads.
    """
    name = path.relative_to(folder).as_posix()
    try:
        if path.suffix.lower() in TEXTS:
            return markdown.read_file(folder, path, size)
        return asyncio.run(read_file(path, name, DEFAULT_LIMITS, size))
    except IngestFault as fault:
        _log.warning("Skipped the document %r: %s", name, fault.text)
    except OSError:
        _log.warning("Skipped the document %r: it cannot be read.", name)
    except Exception as error:  # noqa: BLE001  one document must not keep the others from being asked
        own_fault(error, "document")
        _log.warning("Skipped the document %r: %s", name, FILE_FAULTS["internal"])
    return None


class Archive:
    """A zip that was found harmless: its files by place in `names`. Close it."""

    def __init__(self, file: Path | bytes, places: list[int]) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(file) if isinstance(file, bytes) else file)
        self._members = [self._zip.infolist()[place] for place in places]
        self.names = tuple(_inside(member) for member in self._members)

    async def read(self, place: int) -> bytes:
        """One file of it. Raises IngestFault when that one is damaged."""
        try:
            return await asyncio.to_thread(self._zip.read, self._members[place])
        except DAMAGED as error:
            raise IngestFault("broken") from error

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()


async def opened_zip(file: Path | bytes, limits: Limits = DEFAULT_LIMITS) -> Archive:
    """An upload's zip. Raises IngestFault when it is unsafe, and then nothing of it is read."""
    await _check_size(file, limits)
    places = json.loads(await run("list", {}, file, limits))
    return await asyncio.to_thread(Archive, file, places)


async def _check_size(file: Path | bytes, limits: Limits) -> None:
    size_bytes = len(file) if isinstance(file, bytes) else (await asyncio.to_thread(file.stat)).st_size
    if not size_bytes:
        raise IngestFault("empty")
    if size_bytes > limits.size_bytes:
        raise IngestFault("too_large")


def _inside(member: zipfile.ZipInfo) -> str:
    return "/".join(part for part in member.filename.replace("\\", "/").split("/") if part not in ("", "."))
