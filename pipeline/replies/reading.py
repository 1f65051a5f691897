"""One reply while it arrives: what comes in its two channels → changes of its fields.

A change is (field, text) to be added, or (field, None): all that was said of the field is taken back. Invariant: the
texts since a field's last None add up to what it holds, and what it holds in the end does not depend on how the reply
was cut. Pure.
"""

from __future__ import annotations

import re

from pipeline.replies.fields import FieldReader
from pipeline.replies.names import Fields
from pipeline.replies.structured import THOUGHTS
from pipeline.replies.text import TextMender
from pipeline.replies.thinking import Piece, ThinkingReader

Change = tuple[str, str | None]

_CITES = re.compile(r"\[\d{1,3}\]")


class ReplyReader:
    """Reads one reply. `content` and `thinking` take the deltas of its channels, then `finish` once."""

    def __init__(self, fields: Fields) -> None:
        self._names = fields
        self._reader = FieldReader(fields)
        self._before: FieldReader | None = None  # what was said before a mark that says that all of it was thought
        self._withdrawn = slice(0, 0)  # its place in the thoughts, while it may have been said after all
        self._content = ThinkingReader(fields.outputs)
        self._native = ThinkingReader(fields.outputs, inside=True)
        self._menders = TextMender(), TextMender()
        self._thoughts = ""
        self._native_text = ""
        self._has_said = False  # whether anything was said since the last thought
        self._shown: dict[str, str] = {}
        self.is_rescued = False  # whether the answer stood in the channel of the thinking

    @property
    def keeps_format(self) -> bool:
        """Whether the answer stands under a header of its own."""
        return self._reader.keeps_format

    def content(self, delta: str) -> list[Change]:
        """More of the content."""
        self._take(self._content.feed(self._menders[0].feed(delta)))
        return self._changes()

    def thinking(self, delta: str) -> list[Change]:
        """More of the channel that a server keeps for thinking."""
        text = self._menders[1].feed(delta)
        self._native_text += text
        self._take(self._native.feed(text))
        return self._changes()

    def finish(self, *, was_cut: bool = False) -> list[Change]:
        """The reply has ended; `was_cut`: not by itself."""
        self._take(self._native.feed(self._menders[1].finish()) + self._native.finish())
        self._take(self._content.feed(self._menders[0].finish()) + self._content.finish())
        is_silent = not (self._before or self._reader).has_begun
        self._reader.finish(was_cut=was_cut)
        if self._before and not self._reader.view():  # a closing tag that stood astray
            self._before.finish(was_cut=was_cut)
            self._thoughts = self._without_withdrawn()
            self._reader, self._before = self._before, None
        if is_silent and self._thoughts:
            self._rescue(was_cut=was_cut)
        return self._changes()

    def _take(self, pieces: list[Piece]) -> None:
        for kind, text in pieces:
            if kind == "said":
                self._reader.feed(text)
                self._has_said = self._has_said or bool(text.strip())
            elif kind == "freed":
                self._thoughts = self._thoughts.removesuffix(text)
                self._reader.feed(text)
            elif kind == "retracted":
                self._before = self._reader
                self._withdrawn = slice(len(self._thoughts), len(self._thoughts) + len(text))
                self._thoughts += text
                self._reader, self._has_said = FieldReader(self._names), False
            else:
                separator = "\n\n" if self._has_said and self._thoughts.strip() else ""
                self._thoughts += separator + text
                self._has_said = False

    def _rescue(self, *, was_cut: bool) -> None:
        """Nothing but thinking came: some servers take a whole reply for it, and some models never close it.

        It is the reply where it holds an answer under its header, to its end, or where it cites passages; inside a
        thinking that the model opened itself, where the reply ends as the format does, for all else is a draft.
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


def read(text: str, fields: Fields, thinking: str = "") -> dict[str, str]:
    """A whole reply → its fields, blank ones left out."""
    reader = ReplyReader(fields)
    held: dict[str, str] = {}
    for name, piece in (*reader.thinking(thinking), *reader.content(text), *reader.finish()):
        held[name] = "" if piece is None else held.get(name, "") + piece
    return {name: piece for name, piece in held.items() if piece}
