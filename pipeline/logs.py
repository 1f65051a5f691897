"""Logging: writes each record as one line of JSON, without anybody's words.

An exception's own text may hold a key, a path or somebody's question, so a record keeps only its type and our own
frames; questions and answers are never logged. `Redaction` also removes the configured secrets and whatever looks like
one.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

from pipeline.own_faults import FACTS, frames_of, own_fault
from pipeline.turn import TurnMetrics
from pipeline.verdicts import Label

NOISY = (
    "httpx",
    "httpcore",
    "alembic",
    "dspy",
    "asyncio",
    "LiteLLM",
    "openai",
)  # loggers that write texts of requests into their messages
REDACTED = "[redacted]"
SHORTEST_SECRET_CHARS = 6  # a shorter one would blot out ordinary words
LOOKS_SECRET = re.compile(r"\bsk-[\w-]{4,}|\bhf_\w{4,}|\bBearer\s+[^\s\"',;]+", re.IGNORECASE)

_in_use: Counter[str] = Counter()  # secrets of visitors, with the number of those who use each

log = logging.getLogger(__name__)


@contextmanager
def redacting(secret: str) -> Generator[None, None, None]:
    """Remove a visitor's secret from every record while the context lasts."""
    _in_use[secret] += 1
    try:
        yield
    finally:
        _in_use[secret] -= 1
        if not _in_use[secret]:
            del _in_use[secret]


def set_up(level: str, secrets: Iterable[str], out: TextIO | None = None) -> None:
    """Write every record from now on as a line of JSON to `out` (default: stderr), without secrets."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    handler.addFilter(Redaction(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger().addFilter(_silent)
    logging.raiseExceptions = False  # its report of a failure of its own would show the record's text
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    traceback.print_exc = _log_current  # Gradio calls it when a handler raised, and has no switch for it


def _silent(_: logging.LogRecord) -> bool:
    """Drop what is written to the root logger itself: libraries do, with texts of requests, and no module of ours."""
    return False


def short_name(visitor: str) -> str:
    """Return a name by which a visitor can be told from others, but cannot be impersonated."""
    return hashlib.sha256(visitor.encode()).hexdigest()[:12]


def log_turn(turn_id: str, owner: str | None, measured: TurnMetrics, verdicts: Mapping[Label, int]) -> None:
    """Write one line about a turn that has ended."""
    facts = {
        "turn": turn_id,
        "owner": short_name(owner) if owner else None,
        "model_asked": measured.model_asked,
        "model_used": measured.model_used,
        "rung": measured.rung,
        "ending": measured.ending,
        "finish": measured.finish,
        "code": measured.code,
        "first_token_ms": _ms(measured.first_token_s),
        "duration_ms": _ms(measured.total_s),
        "tokens": measured.tokens,
        "exact": measured.exact,
        "verdicts": dict(verdicts),
    }
    log.info("turn ended", extra={FACTS: facts})


class Redaction(logging.Filter):
    """Removes from a record what nobody may read: an exception's text, secrets, and what looks like one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        known = sorted({each for each in secrets if len(each) >= SHORTEST_SECRET_CHARS}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record in place; none is dropped."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # the message does not fit its arguments
            message = str(record.msg)
        facts = getattr(record, FACTS, {})
        if record.exc_info and record.exc_info[1]:
            message = f"{message.strip()} ({type(record.exc_info[1]).__name__})"
            facts = {"frames": list(frames_of(record.exc_info[1]))} | facts
        record.msg, record.args = self.clean(message), ()
        record.exc_info = record.exc_text = record.stack_info = None
        setattr(record, FACTS, {name: self.clean(value) for name, value in facts.items()})
        return True

    def clean(self, value: Any) -> Any:
        """Return a text without secrets, and any other value as it is."""
        if not isinstance(value, str):
            return value
        if self._known:
            value = self._known.sub(REDACTED, value)
        for secret in tuple(_in_use):
            value = value.replace(secret, REDACTED)
        return LOOKS_SECRET.sub(REDACTED, value)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, logger, message and values."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(line | getattr(record, FACTS, {}), ensure_ascii=False, default=str)


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Log the bugs of what nobody awaits: tasks and callbacks of the loop, and threads."""
    loop.set_exception_handler(lambda _, context: _log(context.get("exception")))
    threading.excepthook = lambda arguments: _log(arguments.exc_value)


def _log_current(*_args: Any, **_kwargs: Any) -> None:
    if error := sys.exc_info()[1]:
        own_fault(error, "page")


def _log(error: BaseException | None) -> None:
    if isinstance(error, Exception):
        own_fault(error, "task")


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
