"""Going on with an answer that broke off: its text comes first, and stands alone again when no more comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.events import Emit, Event, FieldDelta, FieldReset, PassagesFound
from pipeline.turn import Turn


class Continuation:
    """One turn that goes on with another: `emit` is for whatever is said after the old texts."""

    def __init__(self, continued: Turn, emit: Emit) -> None:
        self._emit = emit
        self._continued = continued
        self.prefix = replace(continued, fields={**continued.fields, "answer": whole_words(self._old_answer)})
        self._old_texts = {
            name: text if name == "answer" else text + "\n\n" for name, text in self.prefix.fields.items()
        }

    @property
    def _old_answer(self) -> str:
        return self._continued.fields["answer"]

    def begin(self) -> None:
        """Emit the old passages, so that what is cited keeps its numbers, then the old texts."""
        for event in self._continued.record:
            if isinstance(event, PassagesFound):
                self._emit(event)
        for name, text in self._old_texts.items():
            self._emit(FieldDelta(field=name, text=text))

    def emit(self, event: Event) -> None:
        """Emit an event; after a reset the field's old text, since a model takes back only its own."""
        self._emit(event)
        if isinstance(event, FieldReset) and event.field in self._old_texts:
            self._emit(FieldDelta(field=event.field, text=self._old_texts[event.field]))

    def end(self, fields: Mapping[str, str]) -> None:
        """Restore the old answer to its last character when nothing was added to it."""
        if fields.get("answer") == self._old_texts["answer"]:
            self._emit(FieldReset(field="answer"))
            self._emit(FieldDelta(field="answer", text=self._old_answer))


def whole_words(answer: str) -> str:
    """An answer that broke off up to its last whole word, so that more of it can follow."""
    head = answer.rstrip()
    if head == answer and (words := head.rpartition(" ")[0]):
        head = words
    return head + " "
