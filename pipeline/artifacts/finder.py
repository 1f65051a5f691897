"""Derives `ArtifactFound` from the deltas of a turn's fields, each as soon as its part of the text is complete."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.artifacts.scanning import FieldScanner, Found
from pipeline.events import ArtifactFound, Event, FieldDelta, FieldReset, TurnFailed, TurnFinished, TurnStopped
from pipeline.field_names import THOUGHTS


class ArtifactFinder:
    """One turn's. A reset of a field forgets its text; indices go on over the turn."""

    def __init__(self) -> None:
        self._scanners: dict[str, FieldScanner] = {}
        self._next_index = 0

    def derive(self, event: Event) -> Sequence[ArtifactFound]:
        """Take in the next event → the artifacts that it completes; an ending completes every field."""
        if isinstance(event, FieldDelta):
            if event.field in THOUGHTS:
                return ()
            scanner = self._scanners.setdefault(event.field, FieldScanner())
            return self._numbered(event.field, scanner.add(event.text))
        if isinstance(event, FieldReset):
            self._scanners.pop(event.field, None)
        elif isinstance(event, TurnFinished | TurnFailed | TurnStopped):
            ends = [each for name, scanner in self._scanners.items() for each in self._numbered(name, scanner.end())]
            self._scanners.clear()
            return ends
        return ()

    def _numbered(self, field: str, found: Iterable[Found]) -> list[ArtifactFound]:
        artifacts = []
        for each in found:
            artifacts.append(
                ArtifactFound(
                    index=self._next_index,
                    type=each.type,
                    language=each.language,
                    title=each.title,
                    field=field,
                    start=each.start,
                    end=each.end,
                )
            )
            self._next_index += 1
        return artifacts
