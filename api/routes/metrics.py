"""`GET /metrics`: metrics for Prometheus, named by OpenTelemetry's conventions for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics in Prometheus' spelling; other metrics are called
glassbox_…. Values of labels come from the configuration at the start and from our own lists, so that typed model names
and ids create no series. The numbers cover all visitors and are not for strangers: requests from loopback may read
them, others need METRICS_TOKEN.
"""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

import asyncio
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from fastapi import APIRouter, HTTPException, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from api.access import Access
from api.operations import operation
from api.operators import is_operator
from pipeline import own_faults as bugs
from pipeline.models.catalogue import Models
from pipeline.turn import TurnMetrics
from pipeline.turns.engine import Pipeline
from pipeline.verdicts import Label

OTHER = "other"  # label of models that were not configured at the start
LAG_EVERY_S = 0.5

# The buckets of the conventions.
DURATIONS_S = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST_CHUNK_S = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
CHUNK_S = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
TOKENS = tuple(4**power for power in range(14))
LAG_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

# Provider names of the conventions that differ from LiteLLM's.
PROVIDERS = MappingProxyType(
    {
        "gemini": "gcp.gemini",
        "vertex_ai": "gcp.vertex_ai",
        "bedrock": "aws.bedrock",
        "azure": "azure.ai.openai",
        "mistral": "mistral_ai",
        "xai": "x_ai",
        "watsonx": "ibm.watsonx.ai",
    }
)
MODEL_LABELS = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model")


class Meters:
    """Counts the turns of one pipeline. `ended` is called for each, `watch_lag` runs as a background task."""

    def __init__(self, pipeline: Pipeline, models: Models) -> None:
        self.registry = CollectorRegistry()
        self._providers = {each.label: PROVIDERS.get(each.provider, each.provider) or OTHER for each in models.choices}

        def histogram(name: str, meaning: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, meaning, labels, buckets=buckets, registry=self.registry)

        client = "gen_ai_client_operation"
        self._duration = histogram(
            f"{client}_duration_seconds", "A whole turn.", (*MODEL_LABELS, "error_type"), DURATIONS_S
        )
        self._first_chunk = histogram(
            f"{client}_time_to_first_chunk_seconds", "From the question to the first text.", MODEL_LABELS, FIRST_CHUNK_S
        )
        self._per_chunk = histogram(
            f"{client}_time_per_output_chunk_seconds",
            "Between two chunks, as each turn's mean.",
            MODEL_LABELS,
            CHUNK_S,
        )
        self._tokens = histogram(
            "gen_ai_client_token_usage",
            "Tokens that the provider counted.",
            (*MODEL_LABELS, "gen_ai_token_type"),
            TOKENS,
        )
        self._retrieval = histogram("glassbox_retrieval_seconds", "Searching the documents.", (), FIRST_CHUNK_S)
        self._lag = histogram("glassbox_event_loop_lag_seconds", "How late the event loop wakes.", (), LAG_S)
        self._turns = Counter("glassbox_turns", "Turns by their ending.", ("ending", "code"), registry=self.registry)
        self._rungs = Counter(
            "glassbox_recoveries", "Retries and fallbacks by rung.", ("rung",), registry=self.registry
        )
        self._sentences = Counter(
            "glassbox_sentences",
            "Sentences of answers by their verdict.",
            ("gen_ai_response_model", "verdict"),
            registry=self.registry,
        )
        self._chunks = Counter("glassbox_chunks", "Pieces of text that models streamed.", registry=self.registry)
        self.registry.register(_Now(pipeline))
        ProcessCollector(registry=self.registry)

    def ended(self, _turn_id: str, _owner: str | None, measured: TurnMetrics, verdicts: Mapping[Label, int]) -> None:
        """Count a turn that has ended."""
        if measured.cached:  # no model worked
            self._turns.labels(measured.ending, "").inc()
            return
        provider = self._providers.get(measured.model_used, OTHER)
        names = ("chat", provider, self._bounded(measured.model_asked), self._bounded(measured.model_used))
        self._turns.labels(measured.ending, measured.code or "").inc()
        for rung in measured.rungs:
            self._rungs.labels(rung).inc()
        self._chunks.inc(measured.chunks)
        for verdict, count in verdicts.items():
            self._sentences.labels(names[-1], verdict).inc(count)
        if measured.retrieval_s is not None:
            self._retrieval.observe(measured.retrieval_s)
        if measured.total_s is not None:
            self._duration.labels(*names, measured.code or "").observe(measured.total_s)
        if measured.first_token_s is not None:
            self._first_chunk.labels(*names).observe(measured.first_token_s)
            if measured.total_s is not None and measured.chunks > 1:
                writing_s = measured.total_s - measured.first_token_s
                self._per_chunk.labels(*names).observe(writing_s / (measured.chunks - 1))
        if measured.exact:
            self._tokens.labels(*names, "input").observe(measured.prompt_tokens or 0)
            self._tokens.labels(*names, "output").observe(measured.tokens or 0)

    async def watch_lag(self) -> None:
        """Measure the event loop's lag twice a second until cancelled."""
        while True:
            slept_at = time.perf_counter()
            await asyncio.sleep(LAG_EVERY_S)
            self._lag.observe(max(0.0, time.perf_counter() - slept_at - LAG_EVERY_S))

    def _bounded(self, model: str) -> str:
        return model if model in self._providers else OTHER


class _Now(Collector):
    """Collects values that the pipeline has at the time of the request."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def collect(self) -> Iterator[Metric]:
        running, waiting = self._pipeline.load
        yield GaugeMetricFamily("glassbox_turns_running", "Turns that are being answered.", value=running)
        yield GaugeMetricFamily("glassbox_turns_waiting", "Turns that wait in line.", value=waiting)
        yield CounterMetricFamily("glassbox_view_updates", "Views sent to pages.", value=self._pipeline.updates)
        own = CounterMetricFamily("glassbox_own_faults", "Bugs of ours by where they were met.", labels=("place",))
        for place in bugs.PLACES:
            own.add_metric((place,), bugs.counts[place])
        yield own


def routes(meters: Meters, tokens: Access) -> APIRouter:
    """Make the route; it answers 404 to clients that may not read it."""
    router = APIRouter()

    @router.get("/metrics", **operation("Metrics of Prometheus", gives="text/plain"))
    async def metrics(request: Request) -> Response:
        if not is_operator(request, tokens):
            raise HTTPException(404)
        return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)

    return router
