"""The disposable process that opens one untrusted file. It is a script: `sandbox` starts it, nothing imports it.

It limits itself before it reads a byte and takes the file from stdin. While it reads it writes lines `at SHARE` to
stdout, then one line, `ok` or a fault code, and then the result; after the code of a bug of ours follow its kind and
our frames. It opens no file for writing and has no key, since its environment is empty.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # option -I leaves the checkout out of sys.path

from pipeline.errors import IngestFault
from pipeline.ingest import ChunkSize, ReadingLimits
from pipeline.ingest.confining import confine
from pipeline.ingest.progress import tell_to
from pipeline.own_faults import frames_of, is_ours


def main() -> None:
    """Run the job that the arguments name."""
    job, arguments, limits = sys.argv[1], json.loads(sys.argv[2]), ReadingLimits(**json.loads(sys.argv[3]))
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints must not corrupt the answer
        _limit(limits)
        confine(Path(__file__).resolve().parents[1])
        tell_to(_Progress(answer))
        _answer(answer, job, arguments, limits)


def _answer(answer: BinaryIO, job: str, arguments: dict[str, object], limits: ReadingLimits) -> None:
    jobs: dict[str, Callable[..., bytes]] = {"read": _read, "list": _list, "picture": _picture}
    try:
        result = jobs[job](limits=limits, **arguments)
    except IngestFault as fault:
        answer.write(fault.code.encode() + b"\n")
    except (MemoryError, RecursionError):
        answer.write(b"too_complex\n")
    except BaseException as error:  # noqa: BLE001 (parsers raise anything, even Rust panics; the text may hold a path)
        answer.write(_trace(error) if is_ours(error) else b"broken\n")
    else:
        answer.write(b"ok\n")
        answer.write(result)


class _Progress:
    """Writes a line for each hundredth that has been read."""

    def __init__(self, answer: BinaryIO) -> None:
        self._answer, self._said = answer, 0.0

    def __call__(self, share: float) -> None:
        if share >= self._said + 0.01:
            self._said = share
            self._answer.write(b"at %.2f\n" % share)
            self._answer.flush()


def _trace(bug: BaseException) -> bytes:
    return " ".join(("internal", type(bug).__name__, *frames_of(bug))).encode() + b"\n"


def _limit(limits: ReadingLimits) -> None:
    """Limit memory and CPU time, core dumps and file writes. Without Unix only the parent's timeout remains."""
    if sys.platform == "win32":
        return
    import resource

    for what, soft, hard in (
        (resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1),  # the soft limit sends SIGXCPU, which tells the reason
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
    ):
        try:
            resource.setrlimit(what, (soft, hard))
        except (ValueError, OSError):
            continue  # macOS refuses RLIMIT_AS


def _read(*, name: str, most: int, overlap: int, limits: ReadingLimits) -> bytes:
    from pipeline.ingest.reading import read

    document = read(sys.stdin.buffer.read(), name, limits, ChunkSize(most, overlap))
    chunks = [
        (each.section, each.start, each.end, each.first_page, each.last_page, each.header) for each in document.chunks
    ]
    head = (document.id, document.title, document.language, document.pages, document.page_starts, document.unread)
    return json.dumps([*head, chunks]).encode() + b"\n" + document.text.encode("utf-8", "surrogatepass")


def _list(*, limits: ReadingLimits) -> bytes:
    from pipeline.ingest.archive import files_of, opened

    with opened(io.BytesIO(sys.stdin.buffer.read()), limits) as archive:
        return json.dumps(files_of(archive)).encode()


def _picture(*, page: int, page_start: int, start: int, end: int, limits: ReadingLimits) -> bytes:
    from pipeline.ingest.marking import drawn

    return drawn(sys.stdin.buffer.read(), page, start - page_start, end - page_start)


if __name__ == "__main__":
    main()
