"""The output items of OpenAI's Responses API: a turn's fields as a reasoning item and a message item, piece by piece.

The answer is the text of a message, byte for byte. Every other field is a part of the reasoning's summary, under its
title. One item is open at a time, and every part and item that was opened is closed. What was sent cannot be taken
back: where a reset withdraws it, the new text goes on behind it if it begins alike; else what was withdrawn is closed
as `incomplete`, and the new text stands in a part or item of its own. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from api.dialects.appended_text import AppendedText, Sent
from api.dialects.openai_texts import ANSWER, heading

Json = dict[str, Any]
Annotate = Callable[[str], list[Json]]

TEXT_DELTA, REASONING_DELTA = "output_text.delta", "reasoning_summary_text.delta"
MESSAGE, REASONING = "msg_", "rs_"  # what the ids of items begin with
COMPLETED, INCOMPLETE, IN_PROGRESS = "completed", "incomplete", "in_progress"


class Say(Protocol):
    """What is called with each event: its type behind "response.", and its keys."""

    def event(self, type: str, keys: Json) -> None:
        """Say any event."""
        ...

    def delta(self, type: str, place: Json, piece: str) -> None:
        """Say a piece of the text at a place, which is the same object for all pieces of a part."""
        ...


@dataclass(slots=True)
class _Part:
    """A part of an item: a run of one field's pieces. `stands` is false once its text is withdrawn."""

    name: str  # of the field
    place: Json  # where it stands among the items
    pieces: list[str] = field(default_factory=list)
    annotations: list[Json] = field(default_factory=list)
    stands: bool = True

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def json(self) -> Json:
        if self.name == ANSWER:
            return {"type": "output_text", "text": self.text, "annotations": self.annotations, "logprobs": []}
        return {"type": "summary_text", "text": self.text}


@dataclass(slots=True)
class _Item:
    """A message or the reasoning. The last part is the open one."""

    id: str
    index: int
    status: str = IN_PROGRESS
    parts: list[_Part] = field(default_factory=list)

    @property
    def is_message(self) -> bool:
        return self.id.startswith(MESSAGE)

    def json(self, parts: Iterable[_Part]) -> Json:
        written = [part.json() for part in parts]
        if self.is_message:
            return {
                "id": self.id,
                "type": "message",
                "status": self.status,
                "role": "assistant",
                "content": written,
            }
        return {"id": self.id, "type": "reasoning", "status": self.status, "summary": written}


class OutputItems:
    """The items of one response, each event of which `say` is told."""

    def __init__(self, turn_id: str, say: Say, annotate: Annotate, language: str) -> None:
        self._turn_id, self._say, self._annotate, self._language = turn_id, say, annotate, language
        self._items: list[_Item] = []
        self._open: _Item | None = None
        self._texts: dict[str, AppendedText] = {}
        self._late: list[tuple[str, str]] = []  # reasoning that came while the answer was being written

    def json(self) -> list[Json]:
        """Return the items as they stand, without what was withdrawn."""
        standing = [(item, [part for part in item.parts if part.stands]) for item in self._items]
        return [item.json(parts) for item, parts in standing if parts]

    def reasoning_share(self) -> float:
        """Return the share of what was said that is not the answer."""
        chars = [(len(part.text), item.is_message) for item in self._items for part in item.parts]
        total = sum(length for length, _ in chars)
        return sum(length for length, is_message in chars if not is_message) / total if total else 0.0

    def add(self, name: str, piece: str) -> None:
        """Say one more piece of a field."""
        if name not in self._texts:
            self._texts[name] = AppendedText()
        self._send(name, self._texts[name].add(piece))

    def reset(self, name: str) -> None:
        """Withdraw the text of a field; what comes next is said anew."""
        if name in self._texts:
            self._texts[name].reset()

    def end(self, status: str, *, needs_message: bool) -> None:
        """Close what is open with this status. Where it `needs_message` there is one, empty if nothing was said."""
        for name, sent in [(name, text.rest()) for name, text in self._texts.items()]:
            self._send(name, sent)
        if needs_message and not any(part.stands for item in self._items if item.is_message for part in item.parts):
            self._opened_part(ANSWER)
        self._close(status)
        self._append_late()
        self._close(status)

    def _send(self, name: str, sent: Sent) -> None:
        if sent.begins_anew:
            self._withdraw(name)
        if sent.text:
            self._append(name, sent.text)

    def _append(self, name: str, piece: str) -> None:
        if name != ANSWER:
            if self._is_answering():
                self._late.append((name, piece))
                return
            self._append_late()
        self._delta(self._opened_part(name), piece)

    def _append_late(self) -> None:
        late, self._late = self._late, []
        for name, piece in late:
            self._append(name, piece)

    def _is_answering(self) -> bool:
        """Whether the message that is open stands. One that is withdrawn, and not said again, makes way."""
        if self._open is None or not self._open.is_message:
            return False
        if not self._texts[ANSWER].is_withdrawn:
            return True
        self._texts[ANSWER] = AppendedText()
        self._withdraw(ANSWER)
        return False

    def _withdraw(self, name: str) -> None:
        self._late = [(late, piece) for late, piece in self._late if late != name]
        for item in self._items:
            for part in item.parts:
                part.stands = part.stands and part.name != name
        if self._open is None or self._open.parts[-1].name != name:
            return
        if self._open.is_message:
            self._close(INCOMPLETE)
        else:
            self._close_part(INCOMPLETE)

    def _opened_part(self, name: str) -> _Part:
        """Return the open part of a field, opened now if it is not the one that is open."""
        if self._open and self._open.is_message != (name == ANSWER):
            self._close(COMPLETED)
        if self._open is None:
            self._open_item(name)
        item = self._open
        assert item
        if item.parts and item.parts[-1].name == name and item.parts[-1].stands:
            return item.parts[-1]
        if item.parts and item.parts[-1].stands:
            self._close_part(COMPLETED)
        index = "content_index" if item.is_message else "summary_index"
        part = _Part(name, {"item_id": item.id, "output_index": item.index, index: len(item.parts)})
        item.parts.append(part)
        self._say.event(f"{_kind_of(part)}.added", {**part.place, "part": part.json()})
        if title := "" if name == ANSWER else heading(name, self._language):
            self._delta(part, title)
        return part

    def _open_item(self, name: str) -> None:
        prefix, index = MESSAGE if name == ANSWER else REASONING, len(self._items)
        item = self._open = _Item(f"{prefix}{self._turn_id}_{index}", index)
        self._items.append(item)
        self._say.event("output_item.added", {"output_index": index, "item": item.json(())})

    def _delta(self, part: _Part, piece: str) -> None:
        part.pieces.append(piece)
        self._say.delta(TEXT_DELTA if part.name == ANSWER else REASONING_DELTA, part.place, piece)

    def _close(self, status: str) -> None:
        if self._open is None:
            return
        item = self._open
        if item.parts[-1].stands or item.is_message:
            self._close_part(status)
        item.status, self._open = status, None
        self._say.event("output_item.done", {"output_index": item.index, "item": item.json(item.parts)})

    def _close_part(self, status: str) -> None:
        assert self._open
        part = self._open.parts[-1]
        place = part.place
        if part.name == ANSWER:
            part.annotations = self._annotate(part.text) if part.stands else []
            for index, annotation in enumerate(part.annotations):
                self._say.event(
                    "output_text.annotation.added", {**place, "annotation_index": index, "annotation": annotation}
                )
            self._say.event("output_text.done", {**place, "text": part.text, "logprobs": []})
            self._say.event("content_part.done", {**place, "part": part.json()})
            return
        self._say.event("reasoning_summary_text.done", {**place, "text": part.text})
        unfinished = {"status": INCOMPLETE} if status == INCOMPLETE else {}
        self._say.event("reasoning_summary_part.done", {**place, "part": part.json(), **unfinished})


def _kind_of(part: _Part) -> str:
    return "content_part" if part.name == ANSWER else "reasoning_summary_part"
