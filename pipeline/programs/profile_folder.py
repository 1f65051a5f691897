"""The folder of profiles: which of its files are profiles that can be used, and the faults of the others."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipeline.display_names import shown_file
from pipeline.messages import Message
from pipeline.programs.changing_files import ChangingFiles, UnusableFile, content_of
from pipeline.programs.profile_files import SEARCHED_BYTES, FaultCode, ProfileFile, read_profile
from pipeline.programs.profiles import Profile, ProfileFault, ProfileSet
from pipeline.programs.registry import Programs

ENDINGS = (".yaml", ".yml")
MOST_FILES = 200
_NAME = re.compile(r"[a-z0-9-]{1,64}")

Report = Callable[[ProfileFault], None]

log = logging.getLogger(__name__)


class ProfileFolder:
    """The profiles in a folder, as a callable that returns them as they are now."""

    def __init__(self, folder: Path, programs: Programs, knows_model: Callable[[str], bool], report: Report) -> None:
        """`report` is called with each fault when it appears."""
        self._programs, self._knows_model, self._report = programs, knows_model, report
        self._files = ChangingFiles(folder, self._read, _is_profile)
        self._reported: tuple[ProfileFault, ...] = ()

    def __call__(self) -> ProfileSet:
        """Return the profiles. Where the folder cannot be listed now, what was known stays."""
        try:
            self._files.update()
        except OSError:
            log.warning("PROFILES_DIR cannot be read now")
        usable: dict[str, Profile] = {}
        faults: list[ProfileFault] = []
        private: set[str] = set()
        for place, (name, file) in enumerate(self._files.latest.items()):
            private |= file.private
            found = self._faults(name, file, usable, is_one_too_many=place >= MOST_FILES)
            faults += found
            if file.profile and not found:
                usable[file.profile.name] = file.profile
        self._report_new(faults)
        return ProfileSet(usable, tuple(faults), frozenset(private))

    def _read(self, path: Path, before: ProfileFile | None) -> ProfileFile:
        """Read a file. What was private before stays so until the file can be read."""
        file = self._file(path)
        return replace(file, hidden=file.hidden | before.private) if before and file.profile is None else file

    def _file(self, path: Path) -> ProfileFile:
        try:
            content = content_of(path, SEARCHED_BYTES)  # as far as names in it matter
        except UnusableFile as fault:
            return _unread(path, fault.code)
        file = read_profile(shown_file(path.name), path.stem, content, self._programs)
        if _NAME.fullmatch(path.stem):
            return file
        named = _unread(path, "name")
        return replace(named, faults=(*named.faults, *file.faults), hidden=file.private)

    def _faults(
        self, name: str, file: ProfileFile, usable: dict[str, Profile], *, is_one_too_many: bool
    ) -> list[ProfileFault]:
        """Return the faults of a file, with those that depend on others and on the list of models."""
        profile = file.profile
        if profile is None:
            return list(file.faults)
        found: list[tuple[FaultCode, int]] = []
        if is_one_too_many:
            found.append(("many", 1))
        if profile.name in usable:
            found.append(("taken", 1))
        if profile.model is not None and not self._knows_model(profile.model):
            found.append(("unknown_model", file.model_line))
        return [ProfileFault(shown_file(name), line, Message(code)) for code, line in found]

    def _report_new(self, faults: list[ProfileFault]) -> None:
        for fault in faults:
            if fault not in self._reported:
                self._report(fault)
        self._reported = tuple(faults)


def _is_profile(name: str) -> bool:
    """Whether a file is meant as a profile: editors keep hidden copies beside it."""
    return name.casefold().endswith(ENDINGS) and not name.startswith(".")


def _unread(path: Path, code: FaultCode) -> ProfileFile:
    return ProfileFile(None, (ProfileFault(shown_file(path.name), 1, Message(code)),))
