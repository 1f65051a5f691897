"""Our own bugs: told from the faults of others, logged without their text, and counted.

An exception is ours when it is one that only wrong code raises and the raising line is in this repository. Handlers
that surround nothing but our own code need no such test: whatever reaches them is ours. What is logged is the kind of
the exception and our own frames as `file:line`; its text may hold a key, a path or somebody's question.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pipeline.errors import OwnFault

Place = Literal["turn", "model", "search", "store", "document", "page", "api", "task", "watcher", "start"]
PLACES: tuple[Place, ...] = (
    "turn", "model", "search", "store", "document", "page", "api", "task", "watcher", "start"
)  # fmt: skip

ROOT = Path(__file__).resolve().parents[1]
OURS = ("api", "components", "pipeline", "app.py")
FACTS = "facts"  # the name under which a log record carries more than its message
MOST_FRAMES = 12
# What wrong code raises. A full disk, a missing package and a broken connection are nobody's bug.
BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)

counts: Counter[Place] = Counter()  # of this process, since its start

log = logging.getLogger(__name__)


def own_fault(error: BaseException, place: Place) -> OwnFault:
    """Log and count an exception of ours → what people are told instead."""
    record(type(error).__name__, frames_of(error), place)
    return OwnFault()


def record(kind: str, frames: tuple[str, ...], place: Place) -> None:
    """Log and count a bug that is known by its kind and frames alone, as one of another process is."""
    counts[place] += 1
    log.error("our own fault: %s", kind, extra={FACTS: {"place": place, "frames": list(frames)}})


def is_ours(error: BaseException) -> bool:
    """Whether wrong code of ours raised it, or raised what it was made from."""
    root = list(causes(error))[-1]
    frames = traceback.extract_tb(root.__traceback__, limit=-1)
    is_bug = isinstance(root, BUGS) and type(root).__module__ == "builtins"
    return is_bug and bool(frames) and _own_path(frames[-1].filename) is not None


def frames_of(error: BaseException) -> tuple[str, ...]:
    """Our own frames below the exception and its causes as `file:line`, the innermost last."""
    frames = []
    for each in causes(error):
        for raised_in, line in traceback.walk_tb(each.__traceback__):
            if path := _own_path(raised_in.f_code.co_filename):
                frames.append(f"{path}:{line}")
    return tuple(dict.fromkeys(frames))[-MOST_FRAMES:]


def _own_path(file: str) -> str | None:
    """The path relative to the repository, None for a file that is not ours."""
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return None
    inside = path.relative_to(ROOT)
    return inside.as_posix() if inside.parts[0] in OURS else None


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it was explicitly made from, the deepest last; a group of one is its only member."""
    below: BaseException | None = error
    seen: set[int] = set()
    while below is not None and id(below) not in seen:
        seen.add(id(below))
        if isinstance(below, BaseExceptionGroup) and len(below.exceptions) == 1:
            below = below.exceptions[0]
            continue
        yield below
        below = below.__cause__
