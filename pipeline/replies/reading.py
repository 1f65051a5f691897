"""`ReplyReader`: reads the two channels of one reply (content and thinking) into changes of its fields. Pure.

A change is (field, text) to be added, or (field, None) to take back all text of the field. Invariant: the texts since a
field's last None add up to the field, and the final fields do not depend on the chunks.
"""

from __future__ import annotations

import re

from pipeline.field_names import ReplyFields
from pipeline.replies.fields import FieldReader
from pipeline.replies.structured import THOUGHTS
from pipeline.replies.text import TextMender
from pipeline.replies.thinking import Piece, ThinkingReader

Change = tuple[str, str | None]

_CITES = re.compile(r"\[\d{1,3}\]")


class ReplyReader:
    """Reads one reply. Call `content` and `thinking` with the deltas of its channels, then `finish` once."""

    def __init__(self, fields: ReplyFields) -> None:
        self._names = fields
        self._reader = FieldReader(fields)
        self._before: FieldReader | None = None  # the text before a closing mark, which makes it thinking
        self._withdrawn = slice(0, 0)  # its place in the thinking, while it may still be content
        self._content = ThinkingReader(fields.outputs)
        self._native = ThinkingReader(fields.outputs, inside=True)
        self._menders = TextMender(), TextMender()
        self._thoughts = ""
        self._native_text = ""
        self._has_content = False  # whether content has come since the last thinking
        self._shown: dict[str, str] = {}
        self.is_rescued = False  # whether the answer stood in the channel of the thinking

    @property
    def keeps_format(self) -> bool:
        """Whether the answer has a header of its own."""
        return self._reader.keeps_format

    def content(self, delta: str) -> list[Change]:
        """Read more of the content."""
        self._take(self._content.feed(self._menders[0].feed(delta)))
        return self._changes()

    def thinking(self, delta: str) -> list[Change]:
        """Read more of the channel that a server keeps for thinking."""
        text = self._menders[1].feed(delta)
        self._native_text += text
        self._take(self._native.feed(text))
        return self._changes()

    def finish(self, *, was_cut: bool = False) -> list[Change]:
        """End the reply; `was_cut`: it did not end by itself."""
        self._take(self._native.feed(self._menders[1].finish()) + self._native.finish())
        self._take(self._content.feed(self._menders[0].finish()) + self._content.finish())
        is_silent = not (self._before or self._reader).has_text
        self._reader.finish(was_cut=was_cut)
        if self._before and not self._reader.view():  # the closing tag was a stray one
            self._before.finish(was_cut=was_cut)
            self._thoughts = self._without_withdrawn()
            self._reader, self._before = self._before, None
        if is_silent and self._thoughts:
            self._rescue(was_cut=was_cut)
        return self._changes()

    def _take(self, pieces: list[Piece]) -> None:
        for kind, text in pieces:
            if kind == "content":
                self._reader.feed(text)
                self._has_content = self._has_content or bool(text.strip())
            elif kind == "released":
                self._thoughts = self._thoughts.removesuffix(text)
                self._reader.feed(text)
            elif kind == "retracted":
                self._before = self._reader
                self._withdrawn = slice(len(self._thoughts), len(self._thoughts) + len(text))
                self._thoughts += text
                self._reader, self._has_content = FieldReader(self._names), False
            else:
                separator = "\n\n" if self._has_content and self._thoughts.strip() else ""
                self._thoughts += separator + text
                self._has_content = False

    def _rescue(self, *, was_cut: bool) -> None:
        """Look for the reply in its thinking, where there is nothing else.

        Some servers take a whole reply for thinking, and some models never close it. Thinking counts as the reply where
        it has an answer under a header, or cites passages. Where the model itself opened the thinking, it must also end
        with the format's end marker, since anything else is a draft.
        """
        reader = FieldReader(self._names)
        reader.feed(self._thoughts)
        reader.finish(was_cut=was_cut)
        is_headed = reader.keeps_format and (not was_cut or not reader.preamble)
        if not self._native_text and not (is_headed and reader.is_completed):
            return
        if is_headed or (not reader.is_headed and not was_cut and _CITES.search(reader.raw)):
            self._reader, self.is_rescued = reader, True
            self._thoughts = reader.preamble if is_headed else ""

    def _without_withdrawn(self) -> str:
        return self._thoughts[: self._withdrawn.start] + self._thoughts[self._withdrawn.stop :]

    def _changes(self) -> list[Change]:
        fields, thought = self._reader.view(), self._thoughts
        if self._before and not fields:
            fields, thought = self._before.view(), self._without_withdrawn()
        thoughts = [text for text in (thought.strip(), fields.pop(THOUGHTS, "")) if text]
        now = {THOUGHTS: "\n\n".join(thoughts)} | fields
        changes: list[Change] = []
        for name, text in self._shown.items():
            if not now.get(name, "").startswith(text):
                changes.append((name, None))
                self._shown[name] = ""
        grown = [name for name, text in now.items() if len(text) > len(self._shown.get(name, ""))]
        if len(grown) > 1:
            grown.sort(key=lambda name: (name == self._names.answer, name != THOUGHTS))
        for name in grown:
            changes.append((name, now[name][len(self._shown.get(name, "")) :]))
            self._shown[name] = now[name]
        return changes


def read(text: str, fields: ReplyFields, thinking: str = "") -> dict[str, str]:
    """Read a whole reply → its fields, without empty ones."""
    reader = ReplyReader(fields)
    fields_read: dict[str, str] = {}
    for name, piece in (*reader.thinking(thinking), *reader.content(text), *reader.finish()):
        fields_read[name] = "" if piece is None else fields_read.get(name, "") + piece
    return {name: piece for name, piece in fields_read.items() if piece}
