"""The fields of a turn, joined from those of several calls of a model. Pure.

Each call's text of a field is a part; a blank line stands between two parts. Invariant: a field's changes since its
last None add up to its parts joined. A part begins only when all earlier calls with a part of that field have ended, so
that two calls at once do not take each other's text back.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from pipeline.replies.reading import Change

BETWEEN = "\n\n"


@dataclass(eq=False, slots=True)
class _Part:
    """The text that one call adds to a field; `source` is the field's name in that call."""

    call: Hashable
    source: str
    pieces: list[str] = field(default_factory=list)


class JoinedFields:
    """Takes the changes of each call's fields and returns those of the turn's fields."""

    def __init__(self) -> None:
        self._shown: dict[str, list[_Part]] = {}  # field → parts on the wire
        self._waiting: dict[str, list[_Part]] = {}  # field → parts behind a call that has not ended
        self._ended: set[Hashable] = set()

    def add(self, call: Hashable, source: str, name: str, text: str | None) -> list[Change]:
        """Add `text` to what `call` says of `name`; None takes that back. `source` is the call's name for the field."""
        shown = self._shown.setdefault(name, [])
        last = shown[-1] if shown else None
        if last is None or last.call is not call or last.source != source or text is None or not last.pieces:
            return self._add_elsewhere(call, source, name, text)
        last.pieces.append(text)
        return [(name, text)]

    def end(self, call: Hashable) -> list[Change]:
        """Mark a call as ended, and show the parts that waited for it."""
        self._ended.add(call)
        changes: list[Change] = []
        for name, waiting in self._waiting.items():
            while waiting and self._may_show(name, waiting[0].call):
                part = waiting.pop(0)
                text, part.pieces = "".join(part.pieces), []
                self._shown[name].append(part)
                changes += self._grow(name, part, text)
        return changes

    def calls(self, name: str) -> int:
        """Return the number of calls that have a part of a field."""
        return len({id(part.call) for part in self._shown.get(name, ()) if part.pieces})

    def text(self, name: str) -> str:
        """The text of a field so far."""
        return BETWEEN.join("".join(part.pieces) for part in self._shown.get(name, ()) if part.pieces)

    def _add_elsewhere(self, call: Hashable, source: str, name: str, text: str | None) -> list[Change]:
        for part in self._waiting.get(name, ()):
            if part.call is call and part.source == source:
                part.pieces = [] if text is None else [*part.pieces, text]
                return []
        for part in self._shown[name]:
            if part.call is call and part.source == source:
                return self._take_back(name, part) if text is None else self._grow(name, part, text)
        if not text:
            return []
        part = _Part(call, source)
        if not self._waiting.get(name) and self._may_show(name, call):
            self._shown[name].append(part)
            return self._grow(name, part, text)
        part.pieces.append(text)
        self._waiting.setdefault(name, []).append(part)
        return []

    def _may_show(self, name: str, call: Hashable) -> bool:
        return all(part.call is call or part.call in self._ended for part in self._shown[name])

    def _grow(self, name: str, part: _Part, text: str) -> list[Change]:
        """Add to a part that is shown; the field is repeated where other parts come after it."""
        if not text:
            return []
        was_empty = not part.pieces
        part.pieces.append(text)
        others = [each for each in self._shown[name] if each.pieces and each is not part]
        if others and (others[-1] is not self._before(name, part)):
            return [(name, None), (name, self.text(name))]
        return [(name, BETWEEN + text if others and was_empty else text)]

    def _before(self, name: str, part: _Part) -> _Part | None:
        """The last part with text before a part."""
        parts = self._shown[name]
        return next((each for each in reversed(parts[: parts.index(part)]) if each.pieces), None)

    def _take_back(self, name: str, part: _Part) -> list[Change]:
        if not part.pieces:
            return []
        part.pieces = []
        rest = self.text(name)
        return [(name, None), (name, rest)] if rest else [(name, None)]
