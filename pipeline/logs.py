"""What is logged: one JSON object a line, about what happened, and in nobody's words.

An exception's own text may hold a key, a path or somebody's question, so only its kind and our own frames are kept;
questions and answers are never logged. On top of that `Redaction` blots out the configured secrets and whatever looks
like one.
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
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from pipeline.bugs import FACTS, frames_of, own_fault
from pipeline.conversation import TurnMetrics

CHATTY = ("httpx", "httpcore", "alembic", "dspy", "asyncio", "LiteLLM", "openai")  # they write texts into messages
BLOT = "[redacted]"
SHORTEST_SECRET_CHARS = 6  # a shorter one would blot out ordinary words
LOOKS_SECRET = re.compile(r"\bsk-[\w-]{4,}|\bhf_\w{4,}|\bBearer\s+[^\s\"',;]+", re.IGNORECASE)

log = logging.getLogger(__name__)


def set_up(level: str, secrets: Iterable[str], out: TextIO | None = None) -> None:
    """From here on everything that is logged is a line of JSON on `out` (default: stderr), without secrets."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(Lines())
    handler.addFilter(Redaction(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.raiseExceptions = False  # how logging itself fails is a traceback with the record's text
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    traceback.print_exc = _trace  # how Gradio says on stderr that a handler raised; it has no switch for it


def log_turn(turn_id: str, owner: str | None, measured: TurnMetrics) -> None:
    """One line for a turn that has ended."""
    facts = {
        "turn": turn_id,
        "owner": hashlib.sha256(owner.encode()).hexdigest()[:12] if owner else None,
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
    }
    log.info("turn ended", extra={FACTS: facts})


class Redaction(logging.Filter):
    """Takes out of a record what must not be read: an exception's text, the secrets, what looks like one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        known = sorted({each for each in secrets if len(each) >= SHORTEST_SECRET_CHARS}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def filter(self, record: logging.LogRecord) -> bool:
        """The record as it may be seen; none is dropped."""
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
        """A text without secrets; anything else as it is."""
        if not isinstance(value, str):
            return value
        if self._known:
            value = self._known.sub(BLOT, value)
        return LOOKS_SECRET.sub(BLOT, value)


class Lines(logging.Formatter):
    """One JSON object a line: when, how bad, who says it, what, and the facts that came along."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(said | getattr(record, FACTS, {}), ensure_ascii=False, default=str)


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Keep the trace of what nobody waits for: tasks and callbacks of the loop, and threads."""
    loop.set_exception_handler(lambda _, context: _trace_of(context.get("exception")))
    threading.excepthook = lambda unheard: _trace_of(unheard.exc_value)


def _trace(*_args: Any, **_kwargs: Any) -> None:
    if error := sys.exc_info()[1]:
        own_fault(error, "page")


def _trace_of(error: BaseException | None) -> None:
    if isinstance(error, Exception):
        own_fault(error, "task")


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
