"""Passes every turn that has ended to MLflow as a trace, where MLFLOW_TRACKING_URI names a server.

It works in a thread of its own behind a bounded queue: no turn waits for it, and what does not fit is left out. Neither
a key nor a visitor is part of a trace. What fails is said once, without the text of the exception.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

from pipeline.errors import GlassboxError, NotInstalled
from pipeline.passages import Passage
from pipeline.recording import cited_from
from pipeline.turn import Turn, TurnMetrics
from pipeline.turns.engine import Pipeline
from pipeline.verdicts import Label

EXPERIMENT = "Glassbox"  # its name there
MOST_WAITING = 200  # traces
CLOSING_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TurnTrace:
    """One turn as it is traced: what was asked and said, and what was measured."""

    turn: Turn
    passages: tuple[Passage, ...]
    measured: TurnMetrics
    verdicts: Mapping[Label, int]

    @property
    def facts(self) -> dict[str, Any]:
        """What is known beside the texts; what is not known is left out."""
        turn = self.turn
        named = {"program": turn.program, "program_version": turn.program_version, "variant": turn.variant}
        known = {**asdict(self.measured), **named, "turn_id": turn.id, "conversation_id": turn.conversation_id}
        facts = {name: value for name, value in known.items() if value not in (None, "", ())}
        return {**facts, **{f"verdict.{label}": count for label, count in self.verdicts.items()}}


Write = Callable[[TurnTrace], None]


class Tracing:
    """The queue of traces and its thread. `write` blocks; it is made in the thread, since that may take seconds."""

    def __init__(self, pipeline: Pipeline, writer: Callable[[], Write]) -> None:
        self._pipeline, self._writer = pipeline, writer
        self._waiting: queue.Queue[TurnTrace | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self._has_said_full = self._has_said_failed = False

    def ended(self, turn_id: str, owner: str | None, measured: TurnMetrics, verdicts: Mapping[Label, int]) -> None:
        """Trace a turn that has ended. A `Watcher` of the pipeline."""
        task = asyncio.create_task(self._add(turn_id, owner, measured, verdicts))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def close(self) -> None:
        """Write what waits, for at most CLOSING_S."""
        await asyncio.gather(*self._reading)
        if self._thread:
            self._put(None)
            await asyncio.to_thread(self._thread.join, CLOSING_S)

    async def _add(self, turn_id: str, owner: str | None, measured: TurnMetrics, verdicts: Mapping[Label, int]) -> None:
        try:
            turn = await self._pipeline.turn(turn_id, owner)
        except GlassboxError:
            return  # it was deleted
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="tracing", daemon=True)
            self._thread.start()
        self._put(TurnTrace(turn, cited_from(turn.record), measured, verdicts))

    def _put(self, trace: TurnTrace | None) -> None:
        try:
            self._waiting.put_nowait(trace)
        except queue.Full:
            if not self._has_said_full:
                log.warning("MLflow takes traces too slowly: some are left out")
            self._has_said_full = True

    def _work(self) -> None:
        write: Write | None = None
        while (trace := self._waiting.get()) is not None:
            try:
                write = write or self._writer()
                write(trace)
            except Exception:  # noqa: BLE001  foreign code; its text may hold an address with a password
                if not self._has_said_failed:
                    log.warning("a trace could not be written to MLflow: check MLFLOW_TRACKING_URI and its server")
                self._has_said_failed = True


def mlflow_writer(address: str) -> Callable[[], Write]:
    """Return what makes the writer for a server of MLflow. Raises NotInstalled."""
    if find_spec("mlflow") is None:
        raise NotInstalled("mlflow-skinny", "MLFLOW_TRACKING_URI")

    def made() -> Write:
        import mlflow  # takes seconds

        logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # what it logs holds the address
        mlflow.set_tracking_uri(address)  # traces go there, whatever address a client was made with
        client = mlflow.MlflowClient()
        known = client.get_experiment_by_name(EXPERIMENT)
        experiment = known.experiment_id if known else client.create_experiment(EXPERIMENT)
        return lambda trace: _write(client, experiment, trace)

    return made


def _write(client: Any, experiment: str, trace: TurnTrace) -> None:
    turn, measured = trace.turn, trace.measured
    began, took_s = int(turn.asked_at * 1e9), measured.total_s or 0.0
    ended, searched = began + int(took_s * 1e9), began + int((measured.retrieval_s or 0.0) * 1e9)
    options = asdict(turn.asked) if turn.asked else {}
    status = "OK" if measured.ending == "finished" else "ERROR"
    root = client.start_trace(
        "turn",
        span_type="CHAIN",
        inputs={"question": turn.question, "options": options},
        attributes=trace.facts,
        tags={"model": measured.model_used, "ending": measured.ending or ""},
        experiment_id=experiment,
        start_time_ns=began,
    )
    if trace.passages:
        span = client.start_span(
            "search", root.trace_id, root.span_id, "RETRIEVER", inputs={"query": turn.question}, start_time_ns=began
        )
        found = [{"page_content": each.text, "metadata": _named(each)} for each in trace.passages]
        client.end_span(root.trace_id, span.span_id, outputs=found, end_time_ns=searched)
    client.end_trace(root.trace_id, outputs=dict(turn.fields), status=status, end_time_ns=ended)


def _named(passage: Passage) -> dict[str, Any]:
    return {
        "number": passage.number,
        "document": passage.document,
        "title": passage.title,
        "section": passage.section,
        "score": passage.score,
    }
