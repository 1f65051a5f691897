"""Measures a cold start, from the process to the first page, compared with the smallest Gradio page.

    python -m bench.startup [--runs 5]

Both run in turns; the table shows medians. CPU is that of the process (all threads), which other work on the machine
affects less than wall time. Our starts have an empty data folder, so they create the database and the index. The second
table shows the imports by `-X importtime`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.bare import await_page, bare
from bench.processes import cpu_of, memory_of
from pipeline.settings import QUIET, ROOT
from tests.served import start

LISTED = ("gradio", "dspy", "litellm", "alembic", "sqlalchemy", "qdrant_edge", "pypdf", "pydantic_settings", "app")


@dataclass(frozen=True, slots=True)
class Start:
    """The time and CPU from the start of the process to its first page."""

    cpu_s: float
    wall_s: float
    memory_mib: float


def of_gradio() -> Start:
    """Start the smallest Gradio page."""
    began = time.perf_counter()
    with bare("gradio") as (_, pid):
        return Start(cpu_of(pid), time.perf_counter() - began, memory_of(pid))


def of_app() -> Start:
    """Start our app."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        app = start(Path(folder) / "data")
        try:
            await_page(f"{app.url}/", app.process)
            return Start(cpu_of(app.process.pid), time.perf_counter() - began, memory_of(app.process.pid))
        finally:
            app.stop()


def imports() -> dict[str, float]:
    """Return the import time in ms of each module of LISTED, with all that it imports."""
    command = [sys.executable, "-X", "importtime", "-c", "import app"]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**QUIET, "DATA_DIR": folder, "PATH": ""}
        said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stderr
    lines = re.findall(r"\|\s+(\d+) \|\s+(\S+)$", said, re.MULTILINE)
    return {name: int(took_us) / 1000 for took_us, name in lines if name in LISTED}


def row(name: str, starts: Sequence[Start], base: Sequence[Start]) -> str:
    """Format the medians, and CPU relative to the base."""
    cpu_s, base_s = (median(each.cpu_s for each in list_) for list_ in (starts, base))
    wall_s, memory = median(each.wall_s for each in starts), median(each.memory_mib for each in starts)
    return f"| {name} | {cpu_s:.2f} | {cpu_s / base_s:.2f}× | {wall_s:.2f} | {memory:.0f} |"


def measure(runs: int) -> str:
    """Run everything and return two Markdown tables."""
    roads: dict[str, Callable[[], Start]] = {"bare Gradio": of_gradio, "Glassbox": of_app}
    taken: dict[str, list[Start]] = {name: [] for name in roads}
    for number in range(runs + 1):  # the first round warms the file cache
        for name, road in roads.items():
            taken[name] += [road()] if number else []
    rows = [row(name, starts, taken["bare Gradio"]) for name, starts in taken.items()]
    head = "| to the first page | CPU, s | of bare Gradio's | clock, s | memory, MiB |\n|---|---|---|---|---|"
    took = imports()
    told = [f"| {name} | {took[name]:.0f} |" if name in took else f"| {name} | not imported |" for name in LISTED]
    return "\n".join([head, *rows, "", "| import | ms, by the clock |\n|---|---|", *told])


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--runs", type=int, default=5)
    print(measure(reader.parse_args().runs))


if __name__ == "__main__":
    main()
