"""Measures what a streamed token costs one reader on each path, and what many readers get from one local provider.

    python -m bench.streaming [one|dialects|page|crowd] [--runs 9] [--tokens 2000] [--streams 1 25 100 200]

The provider is a process of its own, so its CPU counts nowhere. **One**: CPU of raw httpx, bare DSPy and the Pipeline
is this process's, that of the API is the app's, all threads. *Apart*: 6,000 tokens per second, so
that each one is read, parsed and sent separately; *burst*: as fast as possible, where one read yields many.
**Dialects**: the same for every door of a program, apart, see `bench/dialects.py`.
**Page**: one page in Chromium, see `bench/visit.py`.
**Crowd**: streams of 20 tokens per second, begun within 2 s; a server is a process, and so are its CPU and memory.
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
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import dspy
import httpx

from bench import crowd, dialects, visit
from bench.bare import bare
from bench.processes import cpu_of
from pipeline.events import FieldDelta, TurnFinished
from pipeline.ingest.markdown import read_folder
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import QUIET, ROOT, ModelEntry, Settings
from pipeline.turn import TurnRequest
from pipeline.turns.engine import Pipeline
from server import build
from tests.served import served

QUESTION = crowd.QUESTION
CROWD_TOKENS, CROWD_RATE = 100, 20


@dataclass(frozen=True, slots=True)
class Run:
    """One reply: CPU and wall time in seconds."""

    cpu_s: float
    first_token_s: float
    total_s: float


Road = Callable[[str], Awaitable[Run]]  # the argument is the model's label


class Watch:
    """Times one run by the wall clock and by the given CPU clock (in seconds)."""

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


async def raw_httpx(client: httpx.AsyncClient, base: str, model: str) -> Run:
    """Read the provider's stream line by line and parse each chunk, as the lower bound."""
    request = {"model": model, "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    watch = Watch(time.process_time)
    async with client.stream("POST", f"{base}/chat/completions", json=request) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line[6:])["choices"]
                if choices and choices[0]["delta"].get("content"):
                    watch.token()
    return watch.run()


async def bare_dspy(lm: dspy.LM) -> Run:
    """Stream a chain of thought with DSPy alone; every chunk is read and ignored."""
    watch = Watch(time.process_time)
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)):
        async for item in dspy.streamify(dspy.ChainOfThought("question -> answer"), is_async_program=True)(
            question=QUESTION
        ):
            if not isinstance(item, dspy.Prediction):
                watch.token()
    return watch.run()


async def pipeline_turn(pipeline: Pipeline, model: str) -> Run:
    """Run a complete turn with search, program, events and store for one reader."""
    watch = Watch(time.process_time)
    turn = await pipeline.start(TurnRequest(QUESTION, model=model))
    async for event in pipeline.follow(turn.id):
        if isinstance(event, FieldDelta):
            watch.token()
    assert isinstance(turn.events[-1], TurnFinished), turn.events[-1]
    return watch.run()


async def api_turn(client: httpx.AsyncClient, url: str, pid: int, model: str) -> Run:
    """Run a turn over HTTP as server-sent events; the CPU is the server's."""
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
    """Run the tests' provider, without faults, as a process; yield its api_base."""
    command = [sys.executable, str(ROOT / "tests" / "provider.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


@contextmanager
def pipeline_of(entries: Sequence[Mapping[str, str]], folder: Path) -> Iterator[Pipeline]:
    """Build a Pipeline with the bundled documents and its own store."""
    settings = Settings(models=tuple(map(ModelEntry.model_validate, entries)), data_dir=folder)
    parts = build(settings, index=EdgeIndex.build(read_folder(ROOT / "samples")))
    try:
        yield parts.pipeline
    finally:
        parts.close_stores()


async def interleaved(roads: dict[str, Road], models: Sequence[str], runs: int) -> dict[tuple[str, str], list[Run]]:
    """Run all paths in turns, so that a slow minute affects all of them; the first round is a warm-up."""
    taken: dict[tuple[str, str], list[Run]] = {(name, model): [] for name in roads for model in models}
    for number in range(runs + 1):
        for (name, model), its_runs in taken.items():
            run = await roads[name](model)
            its_runs += [run] if number else []
    return taken


def row(name: str, apart: list[Run], burst: list[Run], tokens: int) -> str:
    """Format medians, and the lowest CPU, which the machine's other work affects least."""
    costs = [[run.cpu_s / tokens * 1e6 for run in runs] for runs in (apart, burst)]
    cells = [f"{median(cost_us):.0f} ({min(cost_us):.0f})" for cost_us in costs]
    first_ms = median(run.first_token_s for run in apart) * 1e3
    per_s = median(tokens / run.total_s for run in burst)
    return f"| {name} | {' | '.join(cells)} | {first_ms:.1f} | {per_s:,.0f} |"


async def measure_one(runs: int, tokens: int) -> str:
    """Measure one reader on every path and return a Markdown table."""
    apart, burst = models = (f"ok-tokens-{tokens}-rate-6000", f"ok-tokens-{tokens}")
    with provider_process() as base, tempfile.TemporaryDirectory() as folder:
        entries = entries_of(base, *models)
        lms = {model: dspy.LM(f"hosted_vllm/{model}", api_base=base, cache=False, num_retries=0) for model in models}
        app_settings = {"MODELS": json.dumps(entries)}
        with served(Path(folder) / "app", **app_settings) as app, pipeline_of(entries, Path(folder)) as pipeline:
            async with httpx.AsyncClient(timeout=60) as client:
                roads: dict[str, Road] = {
                    "raw httpx": lambda model: raw_httpx(client, base, model),
                    "bare DSPy": lambda model: bare_dspy(lms[model]),
                    "Pipeline": lambda model: pipeline_turn(pipeline, model),
                    "API": lambda model: api_turn(client, app.url, app.process.pid, model),
                }
                taken = await interleaved(roads, models, runs)
            await pipeline.close()
        for lm in lms.values():
            await lm.aclose()
    rows = [row(name, taken[name, apart], taken[name, burst], tokens) for name in roads]
    head = "| road | CPU per token apart, µs (lowest) | in a burst | first token, ms | tokens/s in a burst |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


async def measure_dialects(runs: int, tokens: int) -> str:
    """Measure one reader in every dialect and return a Markdown table."""
    model, slow = f"ok-tokens-{tokens}-rate-6000", "ok-tokens-400-gap-5"
    with provider_process() as base, tempfile.TemporaryDirectory() as folder:
        entries = entries_of(base, model, slow)
        with pipeline_of(entries, Path(folder)) as pipeline:
            started = await pipeline.start(TurnRequest(QUESTION, model=model))
            events = tuple([event async for event in pipeline.follow(started.id) if event])
            turn = replace(started.snapshot, record=events)
            await pipeline.close()
        settings = {"MODELS": json.dumps(entries), "DEFAULT_MODEL": model}
        with served(Path(folder) / "app", **settings) as app:
            async with httpx.AsyncClient(timeout=60) as client:
                table = await dialects.measure(client, app.url, app.process.pid, turn, QUESTION, runs)
        async with httpx.AsyncClient(timeout=60) as client:
            with served(Path(folder) / "slow", **settings | {"DEFAULT_MODEL": slow}) as app:
                updates, told = await dialects.updates_of(client, app.url, QUESTION)
    return f"{table}\n\nquestion_stream at 5 ms a token: {updates} updates of {told} tokens."


async def measure_crowd(counts: Sequence[int]) -> str:
    """Measure that many streams at once on every path, one path after another, and return a Markdown table."""
    model = f"ok-tokens-{CROWD_TOKENS}-rate-{CROWD_RATE}"
    rows: list[str] = []

    async def measure_road(name: str, opened: crowd.Opened, pid: int) -> None:
        await (await opened())(crowd.Stream(0.0), model)  # a warm-up
        for count in counts:
            cell = await crowd.crowd_of(opened, model, count, CROWD_TOKENS / CROWD_RATE, pid)
            rows.append(crowd.row(name, cell, CROWD_TOKENS))

    with provider_process() as base, tempfile.TemporaryDirectory() as folder:
        await measure_road("provider itself", crowd.provider_client(base), os.getpid())
        with bare("fastapi", base) as (url, pid):
            await measure_road("bare FastAPI", crowd.fastapi_client(url), pid)
        with bare("gradio", base) as (url, pid):
            await measure_road("bare Gradio", crowd.gradio_client(url), pid)
        settings = {"MODELS": json.dumps(entries_of(base, model)), "DEFAULT_MODEL": model}
        with served(Path(folder) / "api", **settings) as app:
            await measure_road("API", crowd.api_client(app.url), app.process.pid)
        with served(Path(folder) / "page", **settings) as app:
            await measure_road("page", crowd.page_client(app.url), app.process.pid)
    return "\n".join([crowd.HEAD, *rows])


def measure_page(runs: int) -> str:
    """Measure one page in Chromium next to a bare Gradio page and return a Markdown table."""
    with provider_process() as base, tempfile.TemporaryDirectory() as folder, bare("gradio", base) as (url, pid):
        settings = {"MODELS": json.dumps(entries_of(base, visit.STEADY, visit.BURST)), "DEFAULT_MODEL": visit.STEADY}
        with served(Path(folder) / "page", **settings) as app:
            bare_road = visit.Road("bare Gradio", url, pid, "textarea:disabled", visit.pick_bare, visit.ask_bare)
            text = "#reasoning .said, #live .answer"
            ours = visit.Road("Glassbox", app.url, app.process.pid, text, visit.pick_ours, visit.ask_ours)
            return visit.measure([bare_road, ours], base, runs)


def entries_of(base: str, *models: str) -> list[dict[str, str]]:
    """Return entries of MODELS for a provider's models."""
    return [{"label": model, "model": f"hosted_vllm/{model}", "api_base": base} for model in models]


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("table", nargs="?", choices=("one", "dialects", "page", "crowd", "all"), default="all")
    reader.add_argument("--runs", type=int, default=9)
    reader.add_argument("--tokens", type=int, default=2000)
    reader.add_argument("--streams", type=int, nargs="+", default=(1, 25, 100, 200))
    asked = reader.parse_args()
    os.environ.update(QUIET)
    if asked.table in ("one", "all"):
        print(asyncio.run(measure_one(asked.runs, asked.tokens)), flush=True)
    if asked.table in ("dialects", "all"):
        print(asyncio.run(measure_dialects(asked.runs, asked.tokens)), flush=True)
    if asked.table in ("page", "all"):
        print(measure_page(asked.runs), flush=True)
    if asked.table in ("crowd", "all"):
        print(asyncio.run(measure_crowd(asked.streams)))


if __name__ == "__main__":
    main()
