"""What dialects say of a finished answer: its sources, its reasoning and its tokens. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, cast

from pydantic import Field
from typing_extensions import TypedDict

from api.dialects.cited import Link
from i18n.event_json import event_json
from pipeline.events import Event, TurnFinished
from pipeline.metrics import estimated_tokens
from pipeline.passages import Passage
from pipeline.turn import Turn
from pipeline.turns.sentence_checks import checks_of
from pipeline.verdicts import Label

OF_STREAMS = ("kind", "seq", "at_s")  # keys that say which event of a stream it is


class Difference(TypedDict):
    """What a sentence says otherwise than its passage, as characters of both texts."""

    kind: str
    answer: list[int]
    source: list[int] | None


class Sentence(TypedDict):
    """The verdict on one sentence of a field, as `sentence_checked` says it."""

    field: str
    index: int
    start: Annotated[int, Field(description="the sentence's first character in the field's text")]
    end: int
    citations: list[int]
    verdict: Label
    passage: Annotated[int | None, Field(description="the number of the passage that it was compared with")]
    quote: Annotated[list[int] | None, Field(description="the best place in that passage's text")]
    score: Annotated[float, Field(description="the support, 0 to 1")]
    suggested: Annotated[int | None, Field(description="the passage that says it, where that is not cited")]
    reason: Annotated[str, Field(description="why it has this verdict")]
    differences: list[Difference]


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


def sentences_json(events: Iterable[Event], language: str) -> list[Sentence]:
    """Return the verdicts on the sentences that stand after these events, in the order of each field."""
    return [cast(Sentence, said_of(check, language)) for check in checks_of(events)]


def said_of(event: Event, language: str) -> dict[str, Any]:
    """Return an event as in the stream, without its place there."""
    return {name: value for name, value in json.loads(event_json(event, language)).items() if name not in OF_STREAMS}


def document_names(passages: Iterable[Passage]) -> list[str]:
    """Return the documents of the passages, each once, in the order of the numbers."""
    return list(dict.fromkeys(each.document for each in passages))


def reasoning_of(ending: TurnFinished) -> str:
    """Return why the answer is as it is: the program's reasoning, else the model's own thinking."""
    return ending.fields.get("reasoning") or ending.fields.get("thinking", "")


def reply_tokens(ending: TurnFinished) -> int:
    """Return the tokens of the reply, at least 1; an estimate where the provider counted none, as of a cached one."""
    return ending.usage.completion_tokens or estimated_tokens(ending.fields.get("answer", "")) or 1
