"""`GET /metrics`: what Prometheus sees, and who may see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.routes.metrics import OTHER
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import TurnMetrics
from server import build
from tests.provider import Provider
from tests.served import Served, served

QUESTION = "Why does water temperature change the taste of coffee?"
MAYA = "maya-0123456789abcdef"
KEY, TOKEN = "sk-test-0123456789abcdef", "token-0123456789"
THROUGH_A_PROXY = {"X-Forwarded-For": "203.0.113.7"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Provider() as provider:
        models = [
            {"label": name, "model": f"hosted_vllm/{name}", "api_base": provider.base, "api_key_env": "TEST_MODEL_KEY"}
            for name in ("ok", "status-401", "cut-after-30")
        ]
        settings = {"MODELS": json.dumps(models), "TEST_MODEL_KEY": KEY, "METRICS_TOKEN": TOKEN}
        with served(tmp_path_factory.mktemp("metrics"), **settings) as running:
            yield running


def samples(text: str) -> dict[str, float]:
    """name{labels} → value, as the text format has them."""
    return {
        f"{each.name}{json.dumps(each.labels, sort_keys=True)}": each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def value(found: dict[str, float], name: str, **labels: str) -> float:
    """The sum of all samples of that name with at least these labels."""
    wanted = set(labels.items())
    return sum(
        number
        for key, number in found.items()
        if key.partition("{")[0] == name and wanted <= set(json.loads(key[len(name) :]).items())
    )


def test_turns_are_counted_under_the_names_of_the_conventions(app: Served) -> None:
    checks = app.ask({"question": QUESTION, "model": "ok"}, MAYA)[-1]["checks"]
    app.ask({"question": QUESTION, "model": "cut-after-30"}, MAYA)
    app.ask({"question": QUESTION, "model": "status-401"}, MAYA)
    text = httpx.get(f"{app.url}/metrics").text
    found = samples(text)
    asked = {"gen_ai_operation_name": "chat", "gen_ai_request_model": "ok", "gen_ai_provider_name": "hosted_vllm"}
    for name in ("duration", "time_to_first_chunk", "time_per_output_chunk"):
        assert value(found, f"gen_ai_client_operation_{name}_seconds_count", **asked) == 1
    assert value(found, "gen_ai_client_token_usage_count", gen_ai_token_type="output", **asked) == 1
    assert value(found, "gen_ai_client_token_usage_sum", gen_ai_token_type="output", **asked) > 20
    assert value(found, "glassbox_turns_total", ending="finished") == 2
    assert value(found, "glassbox_turns_total", ending="failed", code="connection") == 1
    assert value(found, "glassbox_recoveries_total", rung="extractive") == 1
    answered = {"gen_ai_request_model": "status-401", "gen_ai_response_model": BUILTIN_MODEL}
    assert value(found, "gen_ai_client_operation_duration_seconds_count", **answered) == 1
    assert checks
    for verdict, count in checks.items():
        of_model = {"gen_ai_response_model": "ok", "verdict": verdict}
        assert value(found, "glassbox_sentences_total", **of_model) == count
    assert value(found, "glassbox_turns_running") == 0
    assert value(found, "glassbox_event_loop_lag_seconds_count") > 0
    assert value(found, "glassbox_chunks_total") > 40
    assert value(found, "process_resident_memory_bytes") > 1e6
    for secret in (KEY, TOKEN, MAYA, QUESTION):
        assert secret not in text


def test_loopback_sees_it_and_anybody_else_only_with_the_token(app: Served) -> None:
    url = f"{app.url}/metrics"
    assert httpx.get(url).status_code == 200
    assert httpx.get(url, headers=THROUGH_A_PROXY).status_code == 404
    for given in ("", "Bearer", "Bearer wrong", TOKEN, f"Basic {TOKEN}", "Bearer ü"):
        headers = [(b"X-Forwarded-For", b"203.0.113.7"), (b"Authorization", given.encode())]
        assert httpx.get(url, headers=headers).status_code == 404
    assert httpx.get(url, headers={**THROUGH_A_PROXY, "Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 400


def test_without_a_token_no_token_opens_it(tmp_path: Path) -> None:
    with served(tmp_path / "data", HOST="0.0.0.0") as app:
        url = f"{app.url}/metrics"
        assert httpx.get(url).status_code == 200
        assert httpx.get(url, headers={"Host": "glass.example"}).status_code == 404
        for given in ("Bearer", "Bearer None"):
            headers = {**THROUGH_A_PROXY, "Authorization": given}
            assert httpx.get(url, headers=headers).status_code == 404


def test_each_turn_is_one_line_of_the_log_without_its_text(app: Served) -> None:
    events = app.ask({"question": QUESTION, "model": "ok", "uses_cache": False}, MAYA)
    lines = [json.loads(line) for line in app.log.read_text().splitlines() if line.startswith("{")]
    (mine,) = [line for line in lines if line.get("turn") == events[0]["turn_id"]]
    assert (mine["model_asked"], mine["ending"], mine["finish"]) == ("ok", "finished", "stop")
    assert mine["tokens"] == events[-1]["usage"]["completion_tokens"]
    assert 0 < mine["first_token_ms"] < mine["duration_ms"]
    for secret in (KEY, TOKEN, MAYA, QUESTION, "hot water"):
        assert secret not in app.log.read_text()


async def test_no_name_that_somebody_types_makes_one_more_series(tmp_path: Path) -> None:
    values = Settings(data_dir=tmp_path, models=(ModelEntry(label="mine", model="gemini/pro"),))
    parts = build(values, index=EdgeIndex.build(()))
    meters = parts.meters

    def count(name: str) -> None:
        parts.models.add(name)
        meters.ended("t", MAYA, TurnMetrics(model_asked=name, model_used=name, ending="finished", total_s=1.0), {})

    count("ollama/typed-0")
    before = samples(generate_latest(meters.registry).decode())
    for at in range(1, 200):
        count(f"ollama/typed-{at}")
    after = samples(generate_latest(meters.registry).decode())
    assert after.keys() == before.keys()
    assert value(after, "gen_ai_client_operation_duration_seconds_count", gen_ai_request_model=OTHER) == 200
    meters.ended("t", MAYA, TurnMetrics(model_asked="mine", model_used="mine", ending="finished", total_s=1.0), {})
    text = generate_latest(meters.registry).decode()
    assert 'gen_ai_provider_name="gcp.gemini"' in text
    assert "typed" not in text
    parts.close_stores()
