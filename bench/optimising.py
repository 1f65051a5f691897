"""Measures what a running optimisation costs the page: the first token of turns, and the calls that reach a provider.

    python -m bench.optimising [TURNS]

Everything runs on this machine: a scripted provider in a thread, the server's parts in this process, the optimiser in
its own. Turns are asked one after another through the pipeline, first alone, then while an optimisation runs.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

from pipeline.events import FieldDelta
from pipeline.ingest.markdown import read_folder
from pipeline.optimisation.values import Plan
from pipeline.retrieval.edge import EdgeIndex
from pipeline.turn import TurnRequest
from server import Parts
from tests.optimising import QUESTIONS, made_of, settings_of
from tests.provider import Provider

TURNS, CALLS, PAUSE_S = 60, 2_000, 0.05
VISITOR, OPTIMISER = "v" * 32, "o" * 32


async def main(turns: int) -> None:
    """Print the table."""
    with Provider() as provider, tempfile.TemporaryDirectory() as folder:
        index = EdgeIndex.build(read_folder(Path("samples")))
        parts = made_of(settings_of(Path(folder), provider), index)
        await first_tokens(parts, 10)  # connections, imports
        alone = await first_tokens(parts, turns)
        before = len(provider.requests)
        plan = Plan(program="", model="", optimizer="labelled", calls=CALLS)
        found = await parts.optimisations.start(TurnRequest("", visitor=OPTIMISER, model="learns"), plan, QUESTIONS)
        async with aclosing(parts.optimisations.states(OPTIMISER, found.id)) as states:
            async for state in states:
                if state and state.trials:
                    break
        beside = await first_tokens(parts, turns)
        stopping = time.monotonic()
        found = await parts.optimisations.stop(OPTIMISER, found.id)
        stopped_s = time.monotonic() - stopping
        reached = len(provider.requests) - before - turns
        print("| turns | first token p50, ms | p95, ms |\n|---|---|---|")
        for name, times in (("alone", alone), ("while an optimisation runs", beside)):
            print(f"| {name} | {statistics.median(times):.1f} | {statistics.quantiles(times, n=20)[-1]:.1f} |")
        print(f"\n{found.calls} calls counted, {reached} reached the provider, {CALLS} allowed")
        print(f"stopped in {stopped_s:.2f} s")
        await parts.end_turns()
        parts.store.close()
        index.close()


async def first_tokens(parts: Parts, turns: int) -> list[float]:
    """Ask one turn after another; return the milliseconds to the first text of each."""
    times = []
    for number in range(turns):
        request = TurnRequest(QUESTIONS[number % len(QUESTIONS)].question, visitor=VISITOR, model="grounded")
        began = time.perf_counter()
        running = await parts.pipeline.start(request)
        first: float | None = None
        async for event in parts.pipeline.follow(running.id):
            if first is None and isinstance(event, FieldDelta):
                first = time.perf_counter() - began
        times.append(1000 * (first or 0.0))
        await asyncio.sleep(PAUSE_S)
    return times


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else TURNS))
