"""Keeps the index in step with a folder of shared documents, by the files' hashes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest import Document
from pipeline.retrieval import Index, ProgressCallback

ORIGIN = "folder"
PASSAGES_AT_ONCE = 1000  # small documents are written together, since each write ends with a flush of 50 ms


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """Numbers of documents that were indexed, removed and left unchanged."""

    indexed: int
    removed: int
    unchanged: int


async def synchronise(
    index: Index,
    folder: Path,
    files: Iterable[Path],
    read: Callable[[Path], Document | None],
    recipe: str,
    progress: ProgressCallback | None = None,
) -> FolderChanges:
    """Index new and changed files of `folder` and remove deleted ones; `read` is not called for unchanged files.

    A file in a subfolder belongs to the collection of that name, others to that of the folder itself. Documents cut by
    another `recipe` are indexed again. `progress` counts files. Copies of a file are skipped. Vectors are left to
    `Index.embed`, so that a start does not wait for a model.
    """
    known = {(each.collection, each.hash): each for each in await index.documents(None) if each.origin == ORIGIN}
    present: set[tuple[str, str]] = set()
    waiting: dict[str, list[Document]] = {}
    indexed, paths = 0, sorted(files)
    for number, path in enumerate(paths, 1):
        name = path.relative_to(folder).as_posix()
        collection = name.partition("/")[0] if "/" in name else folder.name or "documents"
        key = collection, await asyncio.to_thread(_hash, path)
        entry = known.get(key)
        if key not in present and not (entry and (entry.name, entry.recipe) == (name, recipe)):
            document = await asyncio.to_thread(read, path)
            if document:
                batch = waiting.setdefault(collection, [])
                batch.append(document)
                indexed += 1
                if sum(len(each.chunks) for each in batch) >= PASSAGES_AT_ONCE:
                    await index.add(
                        waiting.pop(collection), collection, None, origin=ORIGIN, recipe=recipe, embed=False
                    )
        present.add(key)
        if progress:
            progress(number, len(paths))
    for collection, batch in waiting.items():
        await index.add(batch, collection, None, origin=ORIGIN, recipe=recipe, embed=False)
    vanished = [entry for key, entry in known.items() if key not in present]
    for entry in vanished:
        await index.remove(entry.id, None)
    return FolderChanges(indexed, len(vanished), len(present) - indexed)


def _hash(path: Path) -> str:
    """Return the hash that is `Document.id`; "" for an unreadable file, which `read` then reports."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
