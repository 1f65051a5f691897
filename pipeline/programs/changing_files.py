"""The files of a folder, each read when it is new or has changed, at the next use; nothing watches the folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, Literal, TypeVar

FileFault = Literal["unreadable", "not_a_file", "outside"]
T = TypeVar("T")

_Known = tuple[int, ...]  # what changes when a file does


class UnusableFile(Exception):
    """A file that cannot be read; its text is the code alone."""

    def __init__(self, code: FileFault) -> None:
        super().__init__(code)
        self.code: FileFault = code


class ChangingFiles(Generic[T]):
    """What was read of each file, in the order of their names, as of the last `update`."""

    def __init__(
        self,
        folder: Path,
        read: Callable[[Path, T | None], T],
        is_wanted: Callable[[str], bool],
        most: int | None = None,
    ) -> None:
        """`read` is given a file and what was read of it before it changed; `is_wanted` the name of each file.

        `most` is the most files that are read, None for no limit.
        """
        self._folder, self._read, self._is_wanted, self._most = folder, read, is_wanted, most
        self._files: dict[str, tuple[_Known, T]] = {}

    @property
    def latest(self) -> Mapping[str, T]:
        """What was read, by the names of the files."""
        return {name: read for name, (_, read) in self._files.items()}

    def update(self) -> None:
        """Read what is new or has changed. Raises OSError where the folder cannot be listed; then nothing changes."""
        with os.scandir(self._folder) as found:
            entries = sorted((each for each in found if self._is_wanted(each.name)), key=lambda each: each.name)
        self._files = {each.name: self._entry(each) for each in entries[: self._most]}

    def _entry(self, entry: os.DirEntry[str]) -> tuple[_Known, T]:
        try:
            seen = entry.stat()
            known: _Known = (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)
        except OSError:
            known = ()
        before = self._files.get(entry.name)
        if before and before[0] == known:
            return before
        return known, self._read(Path(entry.path), before[1] if before else None)


def content_of(path: Path, most_bytes: int) -> bytes:
    """Read a regular file of its folder, at most so many bytes: a pipe would never end. Raises UnusableFile."""
    try:
        if not path.resolve().is_relative_to(path.parent.resolve()):
            raise UnusableFile("outside")
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnusableFile("not_a_file")
        with path.open("rb") as file:
            return file.read(most_bytes)
    except OSError:
        raise UnusableFile("unreadable") from None
