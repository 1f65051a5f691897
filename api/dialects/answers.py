"""What dialects say of a finished answer: its sources, its reasoning and its tokens. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.dialects.cited import Link
from pipeline.events import TurnFinished
from pipeline.metrics import estimated_tokens
from pipeline.passages import Passage
from pipeline.turn import Turn


def finished(turn: Turn) -> TurnFinished:
    """Return the ending of a turn that finished."""
    ending = turn.record[-1]
    assert isinstance(ending, TurnFinished)
    return ending


def sources_json(passages: Iterable[Passage], link: Link | None = None) -> list[dict[str, Any]]:
    """Return what `[n]` in the answer cites, in the order of the numbers; `url` opens the passage."""
    return [
        {
            "number": each.number,
            "document": each.document,
            "title": each.title,
            "section": each.section,
            "page": each.first_page,
            "text": each.text,
            "url": link(each) if link else None,
        }
        for each in passages
    ]


def document_names(passages: Iterable[Passage]) -> list[str]:
    """Return the documents of the passages, each once, in the order of the numbers."""
    return list(dict.fromkeys(each.document for each in passages))


def reasoning_of(ending: TurnFinished) -> str:
    """Return why the answer is as it is: the program's reasoning, else the model's own thinking."""
    return ending.fields.get("reasoning") or ending.fields.get("thinking", "")


def reply_tokens(ending: TurnFinished) -> int:
    """Return the tokens of the reply, at least 1; an estimate where the provider counted none, as of a cached one."""
    return ending.usage.completion_tokens or estimated_tokens(ending.fields.get("answer", "")) or 1
