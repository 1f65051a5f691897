"""What both of OpenAI's protocols write: headings of fields, warnings, and what Open WebUI reads beside that. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from api.dialects.appended_text import BREAK
from api.dialects.cited import title_of
from i18n import has, text
from i18n.messages import recovery_text, warning_text
from pipeline.events import Event, Recovered, Warned
from pipeline.passages import Passage

ANSWER = "answer"
PLAIN_REASONING = ("reasoning", "thinking")  # every other field but the answer stands under its title


def heading(field: str, language: str) -> str:
    """Return what a field stands under; "" for reasoning."""
    if field in PLAIN_REASONING:
        return ""
    key = f"field.{field}.title"
    title = text(key, language) if has(key) else field.replace("_", " ")
    return f"**{title}**{BREAK}"


def warnings_of(events: Iterable[Event], language: str) -> dict[str, Any]:
    """Return what a reader should know about the answer; no key without any."""
    warned = [{"code": e.code, "text": warning_text(e, language)} for e in events if isinstance(e, Warned)]
    return {"warnings": warned} if warned else {}


def status_event(event: Recovered, language: str) -> dict[str, Any]:
    """Return a recovery as Open WebUI shows it above the answer; `done`: nothing more will be said of it."""
    return {"event": {"type": "status", "data": {"description": recovery_text(event, language), "done": True}}}


def source_event(sources: Sequence[tuple[Passage, str]]) -> dict[str, Any]:
    """Return passages, each with its link, as Open WebUI shows them: `[n]` is the n-th of all that arrive."""
    texts = [passage.text for passage, _ in sources]
    metadata = [{"source": url, "name": title_of(passage), "external": True} for passage, url in sources]
    source = {"name": metadata[0]["name"], "url": metadata[0]["source"]}
    return {"event": {"type": "source", "data": {"source": source, "document": texts, "metadata": metadata}}}
