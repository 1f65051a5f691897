"""Reads from Linux how much CPU and memory a process uses."""

from __future__ import annotations

import os
import time
from pathlib import Path


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and all its threads so far."""
    return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) does, which Python has not


def memory_of(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
