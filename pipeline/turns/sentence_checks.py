"""Derives `SentenceChecked` from the deltas of a turn's fields, each as soon as its sentence is complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pipeline.citations.checker import Checker
from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    SentenceChecked,
    TurnFailed,
    TurnFinished,
    TurnStopped,
    passages_after,
)
from pipeline.field_names import THOUGHTS
from pipeline.passages import Passage
from pipeline.verdicts import Label, Verdict


class SentenceChecks:
    """One turn's. A reset of a field forgets its text, and its sentences are counted anew."""

    def __init__(self) -> None:
        self._passages: tuple[Passage, ...] = ()
        self._checkers: dict[str, Checker] = {}

    def derive(self, event: Event) -> Sequence[SentenceChecked]:
        """Take in the next event → the verdicts on sentences that it completes; an ending completes every field."""
        match event:
            case FieldDelta() if event.field not in THOUGHTS:
                if event.field not in self._checkers:
                    self._checkers[event.field] = Checker(self._passages)
                return [_checked(event.field, each) for each in self._checkers[event.field].add(event.text)]
            case FieldReset():
                self._checkers.pop(event.field, None)
            case PassagesFound():
                self._passages = passages_after(self._passages, event)
            case TurnFinished() | TurnFailed() | TurnStopped():
                ends = [_checked(name, each) for name, checker in self._checkers.items() for each in checker.end()]
                self._checkers.clear()
                return ends
            case _:  # completes no sentence
                pass
        return ()


def checks_of(events: Iterable[Event]) -> tuple[SentenceChecked, ...]:
    """Return the verdicts that hold after these events, in the order of the sentences of each field."""
    checks: dict[str, list[SentenceChecked]] = {}
    for event in events:
        if isinstance(event, SentenceChecked):
            checks.setdefault(event.field, []).append(event)
        elif isinstance(event, FieldReset):
            checks.pop(event.field, None)
    return tuple(each for of_field in checks.values() for each in of_field)


def counted(checks: Iterable[SentenceChecked]) -> Mapping[Label, int]:
    """Return how many sentences have each verdict; one that no sentence has is left out."""
    return dict(Counter(each.verdict for each in checks))


def _checked(field: str, verdict: Verdict) -> SentenceChecked:
    return SentenceChecked(
        index=verdict.index,
        field=field,
        start=verdict.start,
        end=verdict.end,
        citations=verdict.citations,
        verdict=verdict.label,
        passage=verdict.passage,
        quote=verdict.quote,
        score=verdict.score,
        suggested=verdict.suggested,
        reason=verdict.reason,
        differences=verdict.differences,
    )
