"""Joins content that is a list of parts, which DSPy's reader of OpenAI's protocol drops or refuses (DSPy 3.4.1).

Mistral's reasoning models and some servers send parts of text and of thinking. They are joined to a text and a
`reasoning_content`, as other servers send. `read_lists` patches DSPy's reader to do so, and `litellm_transport` does it
for LiteLLM's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from dspy.lm15 import OpenAIChatLM

_IS_LIST = re.compile(r'"content"\s*:\s*\[')
_THOUGHT = frozenset({"thinking", "reasoning", "thought"})


@cache
def read_lists() -> None:
    """Patch DSPy's reader to accept lists of parts, in streams and in complete replies."""
    stream, whole = OpenAIChatLM.parse_stream_events, OpenAIChatLM.parse_response

    def parse_stream_events(self: Any, request: Any, raw_event: Any) -> Iterator[Any]:
        if raw_event.data and (data := with_text(raw_event.data)) is not raw_event.data:
            raw_event = replace(raw_event, data=data)
        yield from stream(self, request, raw_event)

    def parse_response(self: Any, request: Any, response: Any) -> Any:
        body = with_text(response.body.decode(errors="replace"))
        return whole(self, request, replace(response, body=body.encode()))

    OpenAIChatLM.parse_stream_events, OpenAIChatLM.parse_response = parse_stream_events, parse_response


def with_text(body: str) -> str:
    """Join the lists of parts in a JSON reply or event; return any other text unchanged."""
    if not _IS_LIST.search(body):
        return body
    try:
        reply = json.loads(body)
    except ValueError:
        return body
    for choice in (reply.get("choices") if isinstance(reply, dict) else None) or []:
        for key in ("message", "delta"):
            said = choice.get(key) if isinstance(choice, dict) else None
            if isinstance(said, dict) and isinstance(said.get("content"), list):
                _join(said)
    return json.dumps(reply, ensure_ascii=False)


def _join(said: dict[str, Any]) -> None:
    thoughts: list[str] = []
    texts: list[str] = []
    for part in said["content"]:
        kind = part.get("type") if isinstance(part, dict) else ""
        (thoughts if kind in _THOUGHT else texts).append(_text(part))
    before = said.get("reasoning_content") or said.get("reasoning") or ""
    said["content"] = "".join(texts)
    said["reasoning_content"] = str(before) + "".join(thoughts)


def _text(part: Any) -> str:
    """Return the text of a part, which may hold further parts; "" for anything else."""
    if isinstance(part, str):
        return part
    if isinstance(part, list):
        return "".join(_text(each) for each in part)
    if not isinstance(part, dict):
        return ""
    return next((_text(part[key]) for key in ("text", "thinking", "reasoning", "content") if part.get(key)), "")
