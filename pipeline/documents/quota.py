"""Limits the bytes that people may upload. A file counts from its first byte: in transit, waiting, and stored.

One limit is for everybody together, one for each visitor and one for each address, so that new tokens give no new
quota. Which address uploaded a file is kept in memory only.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import IngestFault


@dataclass(frozen=True, slots=True)
class StorageUse:
    """Bytes on disk, as counted a moment ago."""

    kept: int
    waiting: int
    own: int  # of the visitor


class Quota:
    """The quota of the folders `kept` (stored files) and `waiting` (uploads not added yet). Raises IngestFault."""

    def __init__(self, kept: Path, waiting: Path, limit_bytes: int | None, visitor_bytes: int | None) -> None:
        self._kept, self._waiting = kept, waiting
        self._limit, self._visitor_limit = limit_bytes, visitor_bytes
        self._coming: Counter[str] = Counter()  # address → bytes in transit
        self._taking: Counter[str] = Counter()  # visitor → bytes being read
        self._new = 0  # those of them that are in neither folder yet
        self._brought: defaultdict[str, dict[Path, int]] = defaultdict(dict)  # address → uploaded path → bytes

    @contextmanager
    def coming(self, address: str) -> Generator[IncomingUpload, None, None]:
        """Count the bytes of an upload in transit while the context is open."""
        coming = IncomingUpload(self, address)
        try:
            yield coming
        finally:
            _take_off(self._coming, address, coming.size_bytes)

    @asynccontextmanager
    async def taking(
        self, size_bytes: int, owner: Path, address: str, *, is_counted: bool
    ) -> AsyncGenerator[None, None]:
        """Reserve room for a file of the visitor with folder `owner`. `is_counted`: it is waiting or in transit."""
        used, new = await self._used(owner), 0 if is_counted else size_bytes
        self._check(used, new)
        if self._visitor_limit is not None:
            own = used.own + self._taking[str(owner)] + size_bytes
            if max(own, self._of(address) + new) > self._visitor_limit:
                raise IngestFault("no_room")
        self._taking[str(owner)] += size_bytes
        self._new += new
        try:
            yield
        finally:
            _take_off(self._taking, str(owner), size_bytes)
            self._new -= new

    async def check(self, address: str) -> None:
        """Raise IngestFault when the room is used up; bytes in transit are counted already."""
        self._check(await self._used(None), 0)
        if self._visitor_limit is not None and self._of(address) > self._visitor_limit:
            raise IngestFault("no_room")

    def brought(self, address: str, path: Path, size_bytes: int) -> None:
        """Count a file or folder for the address that uploaded it, until it is deleted."""
        if address:
            self._brought[address][path] = size_bytes

    def waiting(self, address: str) -> int:
        """Return how many files of an address wait to be added."""
        self._forget_gone(address)
        return sum(path.is_relative_to(self._waiting) for path in self._brought.get(address, ()))

    def came(self, address: str, size_bytes: int) -> None:
        """Count more bytes in transit."""
        self._coming[address] += size_bytes

    def _check(self, used: StorageUse, new_bytes: int) -> None:
        held = used.kept + used.waiting + self._coming.total() + self._new
        if self._limit is not None and held + new_bytes > self._limit:
            raise IngestFault("no_room")

    def _of(self, address: str) -> int:
        self._forget_gone(address)
        return sum(self._brought.get(address, {}).values()) + self._coming[address]

    def _forget_gone(self, address: str) -> None:
        left = {path: size for path, size in self._brought.get(address, {}).items() if path.exists()}
        if left:
            self._brought[address] = left
        else:
            self._brought.pop(address, None)

    async def _used(self, owner: Path | None) -> StorageUse:
        if self._limit is None and self._visitor_limit is None:
            return StorageUse(0, 0, 0)
        return await asyncio.to_thread(self._count, owner)

    def _count(self, owner: Path | None) -> StorageUse:
        return StorageUse(_size_bytes(self._kept), _size_bytes(self._waiting), _size_bytes(owner) if owner else 0)


class IncomingUpload:
    """Counts the bytes of one upload request."""

    def __init__(self, quota: Quota, address: str) -> None:
        self._quota, self._address = quota, address
        self.size_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Count more bytes of this request."""
        self.size_bytes += size_bytes
        self._quota.came(self._address, size_bytes)


def _take_off(counts: Counter[str], name: str, size_bytes: int) -> None:
    """Subtract from a counter and drop names that reach 0, since there may be as many names as people."""
    counts[name] -= size_bytes
    if not counts[name]:
        del counts[name]


def _size_bytes(folder: Path) -> int:
    size = 0
    for file in folder.rglob("*"):
        try:
            size += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue  # the file was deleted meanwhile
    return size
