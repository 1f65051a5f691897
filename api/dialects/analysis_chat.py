"""The dialect of `/api/chat/stream`: status, reasoning, content of several fields, artifacts, done. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from api.dialects import Encoder, Problem
from api.dialects.answers import finished, sentences_json, sources_json
from api.dialects.appended_text import AnnouncedText
from api.dialects.cited import Link
from api.dialects.event_stream import EventStream
from api.dialects.frames import NumberedFrames, frame
from i18n import text
from i18n.messages import ending_text, recovery_text, step_status, warning_text
from pipeline.artifacts.files import artifacts_of, content_of
from pipeline.events import (
    ArtifactFound,
    Event,
    FieldDelta,
    FieldReset,
    Recovered,
    SentenceChecked,
    StepChanged,
    ToolCalled,
    ToolReturned,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
)
from pipeline.field_names import THOUGHTS
from pipeline.programs.registry import PROGRAMS, Programs
from pipeline.recording import language_of_turn
from pipeline.turn import Said, Turn

Json = dict[str, Any]

ANSWER, REASONING = "answer", "reasoning"
FIELD_NAMES = {ANSWER: "response", REASONING: "rationale"}  # what clients call them; others keep their names


@dataclass(frozen=True, slots=True)
class AnalysisChat(EventStream):
    """Server-sent events without names.

    `history` are the earlier turns that the client sent, `programs` say which fields are part of an answer.
    `received` counts the events that a client of a GET stream has got already; None for a POST, whose events have no
    ids. `link` gives the addresses of sources.
    """

    programs: Programs = field(default_factory=lambda: PROGRAMS)
    history: tuple[Said, ...] = ()
    received: int | None = None
    link: Link | None = None

    def encoder(self, turn: Turn) -> Encoder:
        """Write the events of one turn. Fields beside the answer and its reasoning come behind the answer."""
        frames, said = (
            NumberedFrames(turn.id, self.received),
            _Writer(turn, self.programs, self.history, self.link).said,
        )

        def encode(events: Sequence[Event]) -> bytes:
            return b"".join(frames.frame(value) for event in events for value in said(event))

        return encode

    def broken(self, problem: Problem) -> bytes:
        """An error, which ends the stream. It has no id: who comes back goes on behind the last event it did get."""
        return frame(_error(problem.text))

    def whole(self, turn: Turn) -> bytes:
        """The answer with the metadata of `done`."""
        ending = finished(turn)
        metadata = _metadata(turn, ending, turn.record, self.link)
        return json.dumps({"content": ending.fields.get(ANSWER, ""), "metadata": metadata}).encode()


class _Writer:
    """The chunks of one stream."""

    def __init__(self, turn: Turn, programs: Programs, history: Sequence[Said], link: Link | None) -> None:
        self._turn, self._programs, self._history, self._link = turn, programs, history, link
        self._language = language_of_turn(turn.record)
        self._fields: frozenset[str] | None = None  # those of the program; None where it is not known any more
        self._streamed: dict[str, AnnouncedText] = {}
        self._kept: list[Event] = []  # what the metadata are made from

    def said(self, event: Event) -> Iterator[Json]:
        """Return the chunks of one event."""
        match event:
            case TurnStarted():
                self._kept.append(event)
                spec = self._programs.get(event.program)
                self._fields = frozenset(spec.field_names) if spec else None
                yield _status(text("status.answering", self._language), self._started(event))
            case StepChanged():
                if event.state == "began":
                    yield _status(step_status(event, self._language))
            case Recovered():
                yield _status(recovery_text(event, self._language))
            case Warned():
                yield _status(warning_text(event, self._language))
            case FieldDelta() | FieldReset():
                if isinstance(event, FieldReset):
                    self._kept.append(event)
                if event.field == ANSWER or self._is_reasoning(event.field):
                    yield from self._chunk(event.field, self._text(event.field).add(event))
            case ArtifactFound() | SentenceChecked() | ToolCalled() | ToolReturned():
                self._kept.append(event)
            case TurnFinished():
                yield from self._rest(event.fields)
                artifacts = [_artifact(each, event.fields) for each in artifacts_of(self._kept)]
                if artifacts:
                    yield {"type": "artifacts", "content": artifacts, "done": False}
                metadata = _metadata(self._turn, event, self._kept, self._link)
                yield {"type": "done", "content": "", "done": True, "metadata": metadata}
            case TurnFailed() | TurnStopped():
                yield from self._rest(event.partial)
                yield _error(ending_text(event, self._language))
            case _:  # says nothing to these clients
                pass

    def _started(self, event: TurnStarted) -> Json:
        return {
            "turn_id": event.turn_id,
            "conversation_id": event.conversation_id,
            "history": [asdict(each) for each in self._history],
        }

    def _rest(self, fields: Mapping[str, str]) -> Iterator[Json]:
        """Return what is missing of the streamed fields, the reasoning first, and then the other fields."""
        streamed = [name for name in fields if self._is_reasoning(name)] + [ANSWER]
        for name in streamed:
            yield from self._chunk(name, self._text(name).end(fields.get(name, "")))
        for name, whole in fields.items():
            if name not in streamed:
                yield from self._chunk(name, whole)

    def _text(self, name: str) -> AnnouncedText:
        if name not in self._streamed:
            self._streamed[name] = AnnouncedText(name, self._language)
        return self._streamed[name]

    def _chunk(self, name: str, said: str) -> Iterator[Json]:
        if said:
            kind = "reasoning" if self._is_reasoning(name) else "content"
            yield {"type": kind, "content": said, "done": False, "field": FIELD_NAMES.get(name, name)}

    def _is_reasoning(self, name: str) -> bool:
        """Whether a field says how the model came to its answer, as each step of a program with several calls does."""
        return name in THOUGHTS or (self._fields is not None and name not in self._fields)


def _status(said: str, metadata: Json | None = None) -> Json:
    chunk: Json = {"type": "status", "content": said, "done": False}
    return chunk if metadata is None else {**chunk, "metadata": metadata}


def _error(said: str) -> Json:
    return {"type": "error", "content": "", "done": True, "error": said}


def _artifact(found: ArtifactFound, fields: Mapping[str, str]) -> Json:
    return {
        "index": found.index,
        "type": found.type,
        "language": found.language,
        "title": found.title,
        "field": FIELD_NAMES.get(found.field, found.field),
        "content": content_of(found, fields.get(found.field, "")),
    }


def _metadata(turn: Turn, ending: TurnFinished, events: Iterable[Event], link: Link | None) -> Json:
    events = tuple(events)
    started_s = next((event.at_s for event in events if isinstance(event, TurnStarted)), 0.0)
    return {
        "turn_id": turn.id,
        "conversation_id": turn.conversation_id,
        "model": ending.model,
        "program": ending.program,
        "sources": sources_json(ending.passages, link),
        "usage": asdict(ending.usage),
        "cost": ending.cost,
        "finish": ending.finish,
        "cached": ending.cached,
        "saved": ending.saved,
        "checks": dict(ending.checks),
        "sentences": [
            {**each, "field": FIELD_NAMES.get(each["field"], each["field"])}
            for each in sentences_json(events, language_of_turn(turn.record))
        ],
        "connection_duration_s": round(max(ending.at_s - started_s, 0.0), 3),
        "tools_used": _tools(events),
        "artifact_suggestions": _suggestions(turn, artifacts_of(events)),
    }


def _tools(events: Iterable[Event]) -> list[Json]:
    """Return each call of a tool in order; `took_s` and `failed` are null where it did not return."""
    calls: dict[str, Json] = {}
    for event in events:
        if isinstance(event, ToolCalled):
            calls[event.call] = {"tool": event.tool, "took_s": None, "failed": None}
        elif isinstance(event, ToolReturned) and event.call in calls:
            calls[event.call] |= {"took_s": event.took_s, "failed": event.failed}
    return list(calls.values())


def _suggestions(turn: Turn, artifacts: Iterable[ArtifactFound]) -> list[Json]:
    """Return what may be made of the answer: each artifact as a file, a table also as CSV."""
    suggestions: list[Json] = []
    for each in artifacts:
        href = f"/api/turns/{turn.id}/artifacts/{each.index}"
        of_file = {"type": each.type, "title": each.title}
        suggestions.append({**of_file, "href": href})
        if each.type == "table":
            suggestions.append({**of_file, "href": f"{href}?as=csv"})
    return suggestions
