"""How many bytes people may bring. A file counts from its first byte: on its way, waiting to be taken, kept.

One limit is for all, one for each visitor and for each address, so that one who makes new tokens is still one. Which
address brought what is known until a restart and written nowhere.
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
class Used:
    """Bytes on disk, as they were counted a moment ago."""

    kept: int
    waiting: int
    own: int  # of the visitor


class Quota:
    """Room below `kept` (what was taken in) and `waiting` (what was sent and not taken yet). Raises IngestFault."""

    def __init__(self, kept: Path, waiting: Path, limit_bytes: int | None, visitor_bytes: int | None) -> None:
        self._kept, self._waiting = kept, waiting
        self._limit, self._visitor_limit = limit_bytes, visitor_bytes
        self._coming: Counter[str] = Counter()  # address → bytes on their way
        self._taking: Counter[str] = Counter()  # visitor → bytes being read
        self._new = 0  # of them, those that lie nowhere yet
        self._brought: defaultdict[str, dict[Path, int]] = defaultdict(dict)  # address → what it has brought → bytes

    @contextmanager
    def coming(self, address: str) -> Generator[Coming, None, None]:
        """Count what is on its way, as long as this is open."""
        coming = Coming(self, address)
        try:
            yield coming
        finally:
            _take_off(self._coming, address, coming.size_bytes)

    @asynccontextmanager
    async def taking(
        self, size_bytes: int, owner: Path, address: str, *, is_counted: bool
    ) -> AsyncGenerator[None, None]:
        """Hold room for a file of the visitor whose folder is `owner`. `is_counted`: it is waiting or on its way."""
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
        """Refuse as soon as there is no room: what comes now is counted already."""
        self._check(await self._used(None), 0)
        if self._visitor_limit is not None and self._of(address) > self._visitor_limit:
            raise IngestFault("no_room")

    def brought(self, address: str, path: Path, size_bytes: int) -> None:
        """A file or folder that an address has brought counts for it until it is gone."""
        if address:
            self._brought[address][path] = size_bytes

    def waiting(self, address: str) -> int:
        """How many files of an address wait to be taken."""
        self._forget_gone(address)
        return sum(path.is_relative_to(self._waiting) for path in self._brought.get(address, ()))

    def came(self, address: str, size_bytes: int) -> None:
        """So many more bytes are on their way."""
        self._coming[address] += size_bytes

    def _check(self, used: Used, new_bytes: int) -> None:
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

    async def _used(self, owner: Path | None) -> Used:
        if self._limit is None and self._visitor_limit is None:
            return Used(0, 0, 0)
        return await asyncio.to_thread(self._count, owner)

    def _count(self, owner: Path | None) -> Used:
        return Used(_size_bytes(self._kept), _size_bytes(self._waiting), _size_bytes(owner) if owner else 0)


class Coming:
    """The bytes of one request that brings files."""

    def __init__(self, quota: Quota, address: str) -> None:
        self._quota, self._address = quota, address
        self.size_bytes = 0

    def add(self, size_bytes: int) -> None:
        """So many more have come."""
        self.size_bytes += size_bytes
        self._quota.came(self._address, size_bytes)


def _take_off(counts: Counter[str], name: str, size_bytes: int) -> None:
    """What is nothing any more is not kept: names are as many as people."""
    counts[name] -= size_bytes
    if not counts[name]:
        del counts[name]


def _size_bytes(folder: Path) -> int:
    size = 0
    for file in folder.rglob("*"):
        try:
            size += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue  # it was taken away meanwhile
    return size
