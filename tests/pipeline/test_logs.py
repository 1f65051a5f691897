"""A log line says what happened, in JSON, without a secret and without anybody's text."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline import logs
from pipeline.logs import log_turn, set_up
from pipeline.own_faults import FACTS
from pipeline.prompt_passages import numbered
from pipeline.settings import ModelEntry, Settings
from pipeline.turn import TurnMetrics

KEY = "AIzaSecretOfAProvider"


@pytest.fixture
def written() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Logging as the app has it, on a stream of the test's; undone afterwards."""
    root, out = logging.getLogger(), io.StringIO()
    before = (root.handlers[:], root.level, logging.raiseExceptions, traceback.print_exc)
    filters = root.filters[:]
    of_threads = threading.excepthook
    levels = {name: logging.getLogger(name).level for name in logs.NOISY}
    root.handlers.clear()
    set_up("INFO", [KEY, "short"], out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    root.filters[:] = filters
    logging.raiseExceptions, traceback.print_exc = before[2], before[3]
    threading.excepthook = of_threads
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_line_is_one_json_object_whatever_the_message_holds(written: Any) -> None:
    logging.getLogger("any.module").warning('two\nlines and a "quote" of %s', "☕")
    (line,) = written()
    assert (line["level"], line["logger"], line["message"]) == (
        "WARNING",
        "any.module",
        'two\nlines and a "quote" of ☕',
    )
    assert line["at"].endswith("+00:00")


@pytest.mark.parametrize(
    "secret", [KEY, "sk-proj-0123456789abcdef", "hf_0123456789abcdef", "Bearer abc.def-ghi", "bearer  abcdef"]
)
def test_a_secret_is_blotted_out_wherever_it_stands(written: Any, secret: str) -> None:
    logging.getLogger("x").error("refused: %s.", f"key={secret}")
    logging.getLogger("x").error(secret, extra={FACTS: {"model": f"my {secret} model"}})
    for line in written():
        assert secret not in json.dumps(line)
        assert logs.REDACTED in line["message"]


def test_ordinary_words_stay(written: Any) -> None:
    text = "a short, risk-averse desk-bound task of the bearer; ask-me"
    logging.getLogger("x").info(text)
    assert written()[0]["message"] == text


def test_of_an_exception_only_its_kind_is_kept(written: Any) -> None:
    try:
        raise ValueError(f"{KEY} in /home/maya/secret.txt")
    except ValueError:
        logging.getLogger("x").exception("it broke")
        traceback.print_exc()
    lines = written()
    assert lines[0]["message"] == "it broke (ValueError)"
    assert lines[1]["message"] == "our own fault: ValueError"
    assert "maya" not in json.dumps(lines)


def test_what_libraries_write_to_the_root_logger_is_not_kept(written: Any) -> None:
    logging.warning("Failed to validate request: input_value='a question of somebody'")
    logging.getLogger("a.library").warning("it goes on")
    assert [line["message"] for line in written()] == ["it goes on"]


def test_with_an_exception_our_own_lines_are_kept_that_it_came_through(written: Any) -> None:
    try:
        numbered([None])  # type: ignore[list-item]
    except AttributeError:
        logging.getLogger("a.library").exception("it broke")
    (line,) = written()
    assert [frame.partition(":")[0] for frame in line["frames"]] == ["pipeline/prompt_passages.py"]


def test_what_nobody_waits_for_leaves_a_trace(written: Any) -> None:
    def fail() -> None:
        raise ZeroDivisionError(KEY)

    async def unheard() -> None:
        loop = asyncio.get_running_loop()
        logs.watch(loop)
        loop.call_soon(fail)
        await asyncio.sleep(0)
        task = asyncio.create_task(asyncio.to_thread(fail))
        await asyncio.wait({task})
        del task

    asyncio.run(unheard())
    gc.collect()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert [line["message"] for line in written()] == ["our own fault: ZeroDivisionError"] * 3


def test_a_message_that_does_not_fit_its_arguments_is_no_fault(written: Any) -> None:
    logging.getLogger("x").error("%d tokens", "many")
    assert written()[0]["message"] == "%d tokens"


def test_libraries_that_write_texts_are_silent(written: Any) -> None:
    logging.getLogger("httpx").warning("GET /?q=what+she+asked")
    assert written() == []


def test_a_turn_is_one_line_of_figures_and_its_owner_a_hash(written: Any) -> None:
    measured = TurnMetrics(
        model_asked="asked",
        model_used="used",
        rungs=("retry", "fallback"),
        ending="finished",
        finish="stop",
        first_token_s=0.1234,
        total_s=2.5,
        tokens=40,
        exact=True,
    )
    log_turn("t1", "maya-0123456789abcdef", measured, {"verbatim": 2})
    log_turn("t2", None, TurnMetrics(ending="failed", code="idle_timeout"), {})
    first, second = written()
    assert first | {"at": "", "logger": "", "owner": ""} == {
        "at": "",
        "level": "INFO",
        "logger": "",
        "message": "turn ended",
        "turn": "t1",
        "owner": "",
        "model_asked": "asked",
        "model_used": "used",
        "rung": "fallback",
        "ending": "finished",
        "finish": "stop",
        "code": None,
        "first_token_ms": 123,
        "duration_ms": 2500,
        "tokens": 40,
        "exact": True,
        "verdicts": {"verbatim": 2},
    }
    assert len(first["owner"]) == 12
    assert "maya" not in json.dumps(first)
    assert (second["owner"], second["code"], second["first_token_ms"]) == (None, "idle_timeout", None)


def test_the_secrets_are_all_keys_tokens_and_passwords_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MY_KEY_VARIABLE", "OPENAI_API_KEY", "HF_TOKEN", "METRICS_TOKEN"):
        monkeypatch.setenv(name, f"value-of-{name}")
    monkeypatch.setenv("DATABASE_URL", "postgresql://glass:pass-of-db@localhost/box")
    models = (ModelEntry(label="x", model="openai/x", api_key_env="MY_KEY_VARIABLE"),)
    assert set(Settings(models=models).secrets) >= {
        "value-of-MY_KEY_VARIABLE",
        "value-of-OPENAI_API_KEY",
        "value-of-HF_TOKEN",
        "value-of-METRICS_TOKEN",
        "pass-of-db",
    }


def test_a_visitors_key_is_blotted_out_while_somebody_uses_it(written: Any) -> None:
    key, logger = "visitors.key:0123456789", logging.getLogger("x")
    with logs.redacting(key), logs.redacting(key):
        logger.warning("refused %s", key)
        logger.warning("refused", extra={FACTS: {"why": f"not {key}"}})
    logger.warning("said %s", key)
    first, second, third = written()
    assert (first["message"], second["why"], third["message"]) == (
        "refused [redacted]",
        "not [redacted]",
        f"said {key}",
    )
