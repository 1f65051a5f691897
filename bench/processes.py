"""What Linux says of a process: the CPU it has used and the memory it holds."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used so far, all its threads, in steps of a clock tick (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """MiB of memory that a process holds now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
