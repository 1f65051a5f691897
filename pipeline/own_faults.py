"""Bugs of Glassbox: separates them from the faults of others, logs them without their text, and counts them.

An exception is a bug when its type is one that only wrong code raises and the raising line is in this repository.
Handlers around nothing but our own code need no such test: whatever reaches them is a bug. The log gets the type of the
exception and our own frames as `file:line`; its text may hold a key, a path or somebody's question.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pipeline.errors import OwnFault

Place = Literal["turn", "model", "search", "store", "document", "page", "api", "task", "watcher", "start", "tool"]
PLACES: tuple[Place, ...] = (
    "turn", "model", "search", "store", "document", "page", "api", "task", "watcher", "start", "tool"
)  # fmt: skip

ROOT = Path(__file__).resolve().parents[1]
OURS = ("api", "components", "i18n", "pipeline", "app.py", "server.py")
FACTS = "facts"  # the attribute of a log record that holds its values
MOST_FRAMES = 12
# The types that wrong code raises. A full disk, a missing package and a broken connection are no bugs.
BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)

counts: Counter[Place] = Counter()  # bugs since the start of this process

log = logging.getLogger(__name__)


def own_fault(error: BaseException, place: Place) -> OwnFault:
    """Log and count a bug, and return the error that takes its place."""
    record(type(error).__name__, frames_of(error), place)
    return OwnFault()


def record(kind: str, frames: tuple[str, ...], place: Place) -> None:
    """Log and count a bug by the type of its exception and its frames; a bug of a child process is known by no more."""
    counts[place] += 1
    log.error("our own fault: %s", kind, extra={FACTS: {"place": place, "frames": list(frames)}})


def is_ours(error: BaseException) -> bool:
    """Whether a line of this repository raised the exception, or the one it was made from, by a bug."""
    root = list(causes(error))[-1]
    frames = traceback.extract_tb(root.__traceback__, limit=-1)
    is_bug = isinstance(root, BUGS) and type(root).__module__ == "builtins"
    return is_bug and bool(frames) and _own_path(frames[-1].filename) is not None


def frames_of(error: BaseException) -> tuple[str, ...]:
    """Return our own frames of the exception and its causes as `file:line`, the innermost last."""
    frames = []
    for each in causes(error):
        for raised_in, line in traceback.walk_tb(each.__traceback__):
            if path := _own_path(raised_in.f_code.co_filename):
                frames.append(f"{path}:{line}")
    return tuple(dict.fromkeys(frames))[-MOST_FRAMES:]


def _own_path(file: str) -> str | None:
    """Return the path relative to the repository, None for a file outside of it."""
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return None
    inside = path.relative_to(ROOT)
    return inside.as_posix() if inside.parts[0] in OURS else None


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and what it was raised `from`, the deepest last; a group of one stands for its member."""
    below: BaseException | None = error
    seen: set[int] = set()
    while below is not None and id(below) not in seen:
        seen.add(id(below))
        if isinstance(below, BaseExceptionGroup) and len(below.exceptions) == 1:
            below = below.exceptions[0]
            continue
        yield below
        below = below.__cause__
