"""Events and passages as JSON with their sentences: what the API sends, and what the page shows of a turn's events.

Events hold codes and values, their JSON holds sentences in a language: `text` of warnings, failures and of a turn that
waits, `reason` of a passage that was not chosen and of a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic_core import to_json

from i18n import ENGLISH
from i18n.messages import failure_text, reason_text, step_text, verdict_text, warning_text
from pipeline.events import (
    Event,
    FieldDelta,
    PassagesFound,
    SentenceChecked,
    StepChanged,
    TurnFailed,
    TurnFinished,
    Warned,
)
from pipeline.passages import Passage

Json = dict[str, Any]

_event: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
_passage: TypeAdapter[Passage] = TypeAdapter(Passage)


def event_json(event: Event, language: str = ENGLISH) -> bytes:
    """One event → one flat JSON object on one line. An event without codes is written as it is."""
    if isinstance(event, FieldDelta):  # first, since most events are deltas
        return _event.dump_json(event)
    if isinstance(event, Warned):
        return to_json(_with_text(event, warning_text(event, language)))
    if isinstance(event, TurnFailed):
        return to_json(_with_text(event, failure_text(event, language)))
    if isinstance(event, StepChanged):
        keys = _event.dump_python(event, mode="json")
        for name in ("place", *(() if event.status else ("status",))):
            del keys[name]
        return to_json({**keys, "text": step_text(event, language)})
    if isinstance(event, SentenceChecked):
        return to_json({**_event.dump_python(event, mode="json"), "reason": verdict_text(event.reason, language)})
    if isinstance(event, PassagesFound):
        passages, rejected = (passages_json(each, language) for each in (event.passages, event.rejected))
        return to_json({**_event.dump_python(event, mode="json"), "passages": passages, "rejected": rejected})
    if isinstance(event, TurnFinished):
        passages = passages_json(event.passages, language)
        return to_json({**_event.dump_python(event, mode="json"), "passages": passages})
    return _event.dump_json(event)


def passages_json(passages: Iterable[Passage], language: str = ENGLISH) -> list[Json]:
    """Passages as the wire has them: `reason` is a sentence, "" of a passage that was chosen."""
    return [
        {**_passage.dump_python(each, mode="json"), "reason": reason_text(each.reason, language)} for each in passages
    ]


def _with_text(event: Warned | TurnFailed, text: str) -> Json:
    """The object with its sentence in the place of the values."""
    keys = _event.dump_python(event, mode="json")
    return {"text" if name == "values" else name: text if name == "values" else value for name, value in keys.items()}
