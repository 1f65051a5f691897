"""Traces for MLflow: every turn that has ended, without a key or a visitor, and never in the way of a turn."""

from __future__ import annotations

import logging
import threading
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import SecretStr

from i18n.messages import error_text
from pipeline.errors import NotInstalled
from pipeline.turn import TurnRequest
from pipeline.turns.tracing import MOST_WAITING, Tracing, TurnTrace, Write, mlflow_writer
from tests.in_process import events_of, tea_parts
from tests.provider import Provider

MAYA, KEY = "m" * 32, "sk-own-key-of-maya"


async def test_a_turn_that_has_ended_is_written_with_what_was_measured(tmp_path: Path, provider: Provider) -> None:
    written: list[TurnTrace] = []
    async with tea_parts(tmp_path, provider) as parts:
        tracing = Tracing(parts.pipeline, lambda: written.append)
        parts.pipeline.watchers.append(tracing.ended)
        await events_of(parts.pipeline, TurnRequest("How hot?", visitor=MAYA, model_key=SecretStr(KEY)))
        await tracing.close()
    [trace] = written
    assert (trace.turn.question, trace.measured.ending) == ("How hot?", "finished")
    assert trace.turn.fields["answer"]
    assert [each.document for each in trace.passages] == ["tea.md"]
    assert trace.facts["model_used"] == "ok"
    assert trace.facts["first_token_s"] > 0
    assert sum(value for name, value in trace.facts.items() if name.startswith("verdict.")) > 0
    assert MAYA not in repr(trace)
    assert KEY not in repr(trace)


async def test_a_server_that_fails_or_hangs_keeps_no_turn_waiting_and_is_said_once(
    tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    goes_on = threading.Event()

    def hanging() -> Write:
        goes_on.wait()
        raise ConnectionError("http://user:password@127.0.0.1")

    async with tea_parts(tmp_path, provider) as parts:
        tracing = Tracing(parts.pipeline, hanging)
        parts.pipeline.watchers.append(tracing.ended)
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                await events_of(parts.pipeline, TurnRequest("How hot?", visitor=MAYA))
            [turn] = await parts.conversations.turns((await parts.conversations.list(MAYA))[0].id, MAYA)
            assert turn.metrics
            for _ in range(MOST_WAITING + 5):
                tracing.ended(turn.id, MAYA, turn.metrics, {})
            await tracing.close()
            goes_on.set()
            await tracing.close()
    assert caplog.text.count("MLflow takes traces too slowly") == 1
    assert caplog.text.count("could not be written to MLflow") == 1
    assert "password" not in caplog.text


@pytest.mark.skipif(find_spec("mlflow") is not None, reason="its client is here")
def test_without_the_client_the_start_says_what_to_install() -> None:
    with pytest.raises(NotInstalled) as fault:
        mlflow_writer("http://127.0.0.1:5000")
    assert error_text(fault.value) == "MLFLOW_TRACKING_URI needs one more package: pip install mlflow-skinny"
