"""What a streamed token costs: raw httpx, our Pipeline and our API, against one local provider, in turns.

    python -m bench.streaming [--runs 9] [--tokens 2000]

The provider is a process of its own, so its CPU counts nowhere. CPU of raw httpx and of the Pipeline is this
process's, that of the API is the app's (/proc/<pid>/stat, all threads). *Apart*: 6,000 tokens per second, so that
each one is read, parsed and said by itself; *burst*: as fast as it goes, where one read brings many.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from pipeline.conversation import TurnRequest
from pipeline.events import FieldDelta, TurnFinished
from pipeline.ingest.markdown import read_folder
from pipeline.models import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import QUIET, ROOT, ModelEntry, Settings
from pipeline.store import Store
from pipeline.turns import Pipeline
from tests.served import served

QUESTION = "Why does water temperature change the taste of coffee?"


@dataclass(frozen=True, slots=True)
class Run:
    """One reply: CPU and wall time in seconds."""

    cpu_s: float
    first_token_s: float
    total_s: float


Road = Callable[[str], Awaitable[Run]]  # takes the model's label


class Watch:
    """Times one run by the wall clock, and by the CPU clock it is given (in seconds)."""

    def __init__(self, cpu: Callable[[], float]) -> None:
        self._cpu = cpu
        self._first_s: float | None = None
        self._cpu_s, self._begun_s = cpu(), time.perf_counter()

    def token(self) -> None:
        if self._first_s is None:
            self._first_s = time.perf_counter() - self._begun_s

    def run(self) -> Run:
        assert self._first_s is not None, "no token came"
        return Run(self._cpu() - self._cpu_s, self._first_s, time.perf_counter() - self._begun_s)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used so far, in steps of a clock tick (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def raw_httpx(client: httpx.AsyncClient, base: str, model: str) -> Run:
    """The floor: read the provider's stream line by line and parse each chunk."""
    request = {"model": model, "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    watch = Watch(time.process_time)
    async with client.stream("POST", f"{base}/chat/completions", json=request) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line[6:])["choices"]
                if choices and choices[0]["delta"].get("content"):
                    watch.token()
    return watch.run()


async def pipeline_turn(pipeline: Pipeline, model: str) -> Run:
    """A whole turn: search, program, events, store; read by one reader."""
    watch = Watch(time.process_time)
    turn = await pipeline.start(TurnRequest(QUESTION, model=model))
    async for event in pipeline.follow(turn.id):
        if isinstance(event, FieldDelta):
            watch.token()
    assert isinstance(turn.events[-1], TurnFinished), turn.events[-1]
    return watch.run()


async def api_turn(client: httpx.AsyncClient, url: str, pid: int, model: str) -> Run:
    """The same over HTTP, as server-sent events; the CPU is the server's."""
    watch = Watch(lambda: cpu_of(pid))
    line = ""
    async with client.stream("POST", f"{url}/api/turns", json={"question": QUESTION, "model": model}) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line == "event: field_delta":
                watch.token()
            elif line.startswith("data: "):
                ending = line
    assert '"turn_finished"' in ending, ending
    return watch.run()


@contextmanager
def provider_process() -> Iterator[str]:
    """A misbehaving provider that behaves → its api_base."""
    command = [sys.executable, str(ROOT / "tests" / "provider.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


@contextmanager
def pipeline_of(entries: Sequence[Mapping[str, str]], folder: Path) -> Iterator[Pipeline]:
    """A Pipeline over the bundled documents, with a store of its own."""
    settings = Settings(models=tuple(map(ModelEntry.model_validate, entries)), data_dir=folder)
    search = EdgeIndex.build(read_folder(ROOT / "samples"))
    store = Store(settings.database_address)
    store.open()
    try:
        yield Pipeline(settings, Models(settings), search, store)
    finally:
        store.close()
        search.close()


async def interleaved(roads: dict[str, Road], models: Sequence[str], runs: int) -> dict[tuple[str, str], list[Run]]:
    """All roads in turns, so that a slow minute of the machine is everybody's; the first round is a warm-up."""
    taken: dict[tuple[str, str], list[Run]] = {(name, model): [] for name in roads for model in models}
    for number in range(runs + 1):
        for (name, model), its_runs in taken.items():
            run = await roads[name](model)
            its_runs += [run] if number else []
    return taken


def row(name: str, apart: list[Run], burst: list[Run], tokens: int) -> str:
    """Medians; CPU also as the lowest, which the machine's other work touches least."""
    costs = [[run.cpu_s / tokens * 1e6 for run in runs] for runs in (apart, burst)]
    cells = [f"{median(cost_us):.0f} ({min(cost_us):.0f})" for cost_us in costs]
    first_ms = median(run.first_token_s for run in apart) * 1e3
    per_s = median(tokens / run.total_s for run in burst)
    return f"| {name} | {' | '.join(cells)} | {first_ms:.1f} | {per_s:,.0f} |"


async def measure(runs: int, tokens: int) -> str:
    """Run everything → one Markdown table."""
    apart, burst = models = (f"ok-tokens-{tokens}-rate-6000", f"ok-tokens-{tokens}")
    with provider_process() as base, tempfile.TemporaryDirectory() as folder:
        entries = [{"label": model, "model": f"hosted_vllm/{model}", "api_base": base} for model in models]
        app_settings = {"MODELS": json.dumps(entries)}
        with served(Path(folder) / "app", **app_settings) as app, pipeline_of(entries, Path(folder)) as pipeline:
            async with httpx.AsyncClient(timeout=60) as client:
                roads: dict[str, Road] = {
                    "raw httpx": lambda model: raw_httpx(client, base, model),
                    "Pipeline": lambda model: pipeline_turn(pipeline, model),
                    "API": lambda model: api_turn(client, app.url, app.process.pid, model),
                }
                taken = await interleaved(roads, models, runs)
            await pipeline.close()
    rows = [row(name, taken[name, apart], taken[name, burst], tokens) for name in roads]
    head = "| road | CPU per token apart, µs (lowest) | in a burst | first token, ms | tokens/s in a burst |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--runs", type=int, default=9)
    reader.add_argument("--tokens", type=int, default=2000)
    asked = reader.parse_args()
    os.environ.update(QUIET)
    print(asyncio.run(measure(asked.runs, asked.tokens)))


if __name__ == "__main__":
    main()
