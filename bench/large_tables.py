"""Measures whether reading a large table costs in proportion to its size, and what memory it takes; prints one table.

    python -m bench.large_tables            CSV of 1, 10 and 100 MB, made here
    python -m bench.large_tables FILE …     files of one's own

Every file takes the path of an upload, in a process of its own. CPU and memory are those of that process.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.errors import IngestFault
from pipeline.ingest.files import read_file

MEGABYTES = (1, 10, 100)


def main(arguments: list[str]) -> None:
    """Print the table: a process for each file, since the memory of children is a maximum over all of them."""
    print("| file | MB | passages | s | CPU s | MB per CPU s | memory, MiB | ending |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    with tempfile.TemporaryDirectory() as folder:
        for path in map(Path, arguments) if arguments else (_made(Path(folder), size) for size in MEGABYTES):
            subprocess.run([sys.executable, "-m", "bench.large_tables", "--one", path], check=True)


def _made(folder: Path, megabytes: int) -> Path:
    path, size, number = folder / f"{megabytes}.csv", 0, 0
    with path.open("w") as file:
        file.write("Code,Town,Trade,Crowns,Note\n")
        while size < megabytes * 1_000_000 - 100:  # 100 MB is the limit
            number += 1
            size += file.write(f"K-{number},Ostrava,bell founder,{7 * number},\n")
    return path


def one(path: Path) -> None:
    """Print the row of a file."""
    began_s, megabytes = time.perf_counter(), path.stat().st_size / 1e6
    try:
        passages, ending = len(asyncio.run(read_file(path, path.name)).chunks), "read"
    except IngestFault as fault:
        passages, ending = 0, fault.code
    took_s, used = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime or float("nan")  # refused before it was opened
    print(
        f"| {path.name} | {megabytes:.1f} | {passages} | {took_s:.1f} | {cpu_s:.1f} | {megabytes / cpu_s:.1f} "
        f"| {used.ru_maxrss / 1024:.0f} | {ending} |",
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(Path(sys.argv[2]))
    else:
        main(sys.argv[1:])
