"""Ollama's answers, read: its models, what it says of one, the lines of a reply, and its errors. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ModelFault

CAN_COMPLETE, CAN_THINK = "completion", "thinking"
_WINDOW = re.compile(r"^\s*num_ctx\s+(\d+)\s*$", re.MULTILINE)
# Words of Ollama's errors → our code; the first that occurs decides.
_WORDS = (
    (re.compile(r"system memory|out of memory|more memory|insufficient memory", re.IGNORECASE), "no_memory"),
    (re.compile(r"context (length|window|size)|too long|exceeds .*context", re.IGNORECASE), "context_window_exceeded"),
    (re.compile(r"model .*not found|does not support chat|not supported", re.IGNORECASE), "unsupported_model"),
    (re.compile(r"busy|overloaded|pending requests", re.IGNORECASE), "server"),
)
_STATUSES = {
    400: "invalid_request",
    401: "auth",
    402: "billing",
    403: "auth",
    404: "wrong_address",
    405: "wrong_address",
}
_STATUSES |= {408: "connect_timeout", 429: "rate_limit"}


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of `/api/tags`: its name, its size and the digest, which changes with it."""

    name: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What `/api/show` says: `window` is the model's own, `set_window` the one that its file sets; None if unknown.

    `capabilities` is None for an older version, which does not say them.
    """

    window: int | None = None
    set_window: int | None = None
    capabilities: frozenset[str] | None = None

    @property
    def most_tokens(self) -> int | None:
        """The largest window that a request may have, None where it is unknown."""
        return min((each for each in (self.set_window, self.window) if each), default=None)

    @property
    def can_complete(self) -> bool:
        """Whether the model writes text, as far as Ollama says; one that makes embeddings does not."""
        return self.capabilities is None or CAN_COMPLETE in self.capabilities

    @property
    def can_think(self) -> bool:
        """Whether the model's thinking can be asked for."""
        return CAN_THINK in (self.capabilities or ())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a reply. `is_last` has the counts, None where Ollama leaves them out."""

    text: str = ""
    thinking: str = ""
    is_last: bool = False
    finish: str = ""
    prompt_tokens: int | None = None
    reply_tokens: int | None = None


def listed_models(body: Any) -> tuple[ListedModel, ...]:
    """Read `/api/tags`; what cannot be read is left out."""
    models = body.get("models") if isinstance(body, Mapping) else None
    found = []
    for each in models if isinstance(models, list) else ():
        name = (each.get("model") or each.get("name")) if isinstance(each, Mapping) else None
        if isinstance(name, str) and name.strip():
            size = each.get("size")
            found.append(ListedModel(name, size if isinstance(size, int) else 0, str(each.get("digest") or "")))
    return tuple(found)


def details_of(body: Any) -> ModelDetails:
    """Read `/api/show`."""
    said = body if isinstance(body, Mapping) else {}
    info = said.get("model_info")
    windows = [
        value
        for key, value in (info if isinstance(info, Mapping) else {}).items()
        if str(key).endswith(".context_length") and isinstance(value, int) and value > 0
    ]
    listed, parameters = said.get("capabilities"), said.get("parameters")
    found = _WINDOW.search(parameters) if isinstance(parameters, str) else None
    return ModelDetails(
        window=windows[0] if windows else None,
        set_window=int(found[1]) if found else None,
        capabilities=frozenset(map(str, listed)) if isinstance(listed, list) else None,
    )


def line_of(written: str) -> Line:
    """Read a line of a streamed reply, or a whole one. Raises ModelFault for an error and for anything else."""
    try:
        said = json.loads(written)
    except ValueError:
        raise ModelFault("bad_reply") from None
    if not isinstance(said, dict):
        raise ModelFault("bad_reply")
    if error := said.get("error"):
        raise fault_of_words(str(error), "server")
    message = said.get("message")
    message = message if isinstance(message, dict) else {}
    return Line(
        text=str(message.get("content") or ""),
        thinking=str(message.get("thinking") or ""),
        is_last=said.get("done") is True,
        finish=str(said.get("done_reason") or "stop"),
        prompt_tokens=_count(said.get("prompt_eval_count")),
        reply_tokens=_count(said.get("eval_count")),
    )


def refusal(status: int, body: bytes) -> ModelFault:
    """Return the fault that a status and its body stand for."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    words = str(said.get("error") or "") if isinstance(said, dict) else ""
    is_ollama = isinstance(said, dict) and isinstance(said.get("error"), str)
    code = _STATUSES.get(status, "server" if status >= 500 else "wrong_address" if status < 400 else "invalid_request")
    return fault_of_words(words, code) if is_ollama else ModelFault(code)


def fault_of_words(words: str, code: str) -> ModelFault:
    """Return the fault that an error's words stand for, else the one of `code`. The words themselves are dropped."""
    return ModelFault(next((known for pattern, known in _WORDS if pattern.search(words)), code))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
