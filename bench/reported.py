"""Reads verdicts that people called wrong (`GET /api/verdict-reports`), and checks each sentence again.

A report says that a verdict is wrong, not which one is right: what can be measured is how many verdicts are others now.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.citations.checker import Checker
from pipeline.passages import Passage
from pipeline.verdicts import Verdict

SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class Reported:
    """A reported sentence with the verdict that was called wrong, and the verdicts on it now."""

    sentence: str
    was: str
    verdicts: tuple[Verdict, ...]

    @property
    def now(self) -> str:
        """The verdict on it now: that of its part with the lowest support."""
        return min(self.verdicts, key=lambda each: each.score).label if self.verdicts else "no_claim"


def is_report_set(path: Path) -> bool:
    """Whether a path is such a set: a file of JSON lines."""
    return path.is_file() and path.suffix == SUFFIX


def reported(file: Path) -> tuple[Reported, ...]:
    """Return the reports of a file, each checked again."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(_checked(json.loads(line)) for line in lines if line.strip())


def report_table(name: str, reports: Sequence[Reported]) -> Iterator[str]:
    """Show by the verdict that was called wrong how many are the same still; then list those."""
    yield f"| {name}: called wrong | n | the same still | now |"
    yield "|---|---|---|---|"
    for was in sorted({each.was for each in reports}):
        own = [each for each in reports if each.was == was]
        others = sorted({each.now for each in own} - {was})
        now = ", ".join(f"{label} {sum(each.now == label for each in own)}" for label in others)
        yield f"| {was} | {len(own)} | {sum(each.now == was for each in own)} | {now or '–'} |"
    yield ""
    yield from (f"- {each.was}: {each.sentence}" for each in reports if each.now == each.was)


def _checked(case: dict[str, object]) -> Reported:
    passages = [
        Passage(each["number"], each["document"], each["title"], each["section"], each["text"], 1.0)
        for each in case["passages"]  # type: ignore[attr-defined]
    ]
    sentence, checker = str(case["sentence"]), Checker(passages)
    return Reported(sentence, str(case["verdict"]), (*checker.add(sentence), *checker.end()))
