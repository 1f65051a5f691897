"""Reads public sets of answers whose unsupported parts people have marked, and checks each answer.

Two formats are known by their files: a folder with `response.jsonl` and `source_info.jsonl` (RAGTruth), and JSON files
with a list `samples` (FaithBench: a file, or a folder of them). Such answers cite nothing: each sentence is checked
as if it cited all passages of its source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.separation import auroc
from pipeline.citations.checker import Checker
from pipeline.citations.sentences import sentences
from pipeline.passages import Passage, Span
from pipeline.verdicts import Verdict

_PASSAGE = re.compile(r"(?m)^passage \d+:")
_BAD_LABELS = ("Unwanted", "Questionable")


@dataclass(frozen=True, slots=True)
class Example:
    """An answer to texts; `wrong` are the places that people marked. `number` tells odd from even examples."""

    number: int
    task: str
    sources: tuple[str, ...]
    answer: str
    wrong: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence of an example with its verdict, and whether a marked place lies in it."""

    text: str
    verdict: Verdict
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class CheckedExample:
    """An example with its claims."""

    example: Example
    claims: tuple[CheckedSentence, ...]

    @property
    def score(self) -> float:
        """The mean support of its claims, 1 where it claims nothing."""
        return sum(each.verdict.score for each in self.claims) / len(self.claims) if self.claims else 1.0


def examples(path: Path) -> Iterator[Example]:
    """Iterate over the examples of a set."""
    if (path / "response.jsonl").exists():
        yield from _ragtruth(path)
        return
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    for place, file in enumerate(files):
        yield from _faithbench(file, 1000 * place)


def is_hallucination_set(path: Path) -> bool:
    """Whether a path is such a set: a folder, or a JSON file with `samples`."""
    return path.is_dir() or "samples" in json.loads(path.read_text(encoding="utf-8"))


def _ragtruth(folder: Path) -> Iterator[Example]:
    sources = {each["source_id"]: each for each in _lines(folder / "source_info.jsonl")}
    for each in _lines(folder / "response.jsonl"):
        if each.get("split", "test") == "test" and each.get("quality", "good") == "good":
            source = sources[each["source_id"]]
            wrong = tuple((label["start"], label["end"]) for label in each["labels"])
            texts = _texts(source["source_info"])
            yield Example(int(each["source_id"]), source["task_type"], texts, each["response"], wrong)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


def _texts(source: Any) -> tuple[str, ...]:
    """Return the passages of a question, an article, or the entries of structured data as lines."""
    if isinstance(source, str):
        return (source,)
    if "passages" in source:
        return tuple(text.strip() for text in _PASSAGE.split(source["passages"]) if text.strip())
    return ("\n\n".join(_entries(source)),)


def _entries(data: Any, name: str = "") -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _entries(value, f"{name} {key}".strip())
    elif isinstance(data, list):
        for value in data:
            yield from _entries(value, name)
    else:
        yield f"{name.replace('_', ' ')}: {data}"


def _faithbench(file: Path, first: int) -> Iterator[Example]:
    for number, each in enumerate(json.loads(file.read_text(encoding="utf-8"))["samples"], first):
        wrong = tuple(
            (int(note["summary_start"]), int(note["summary_end"]))
            for note in each["annotations"]
            if any(label.startswith(_BAD_LABELS) for label in note["label"])
        )
        yield Example(number, "Summary", (each["source"],), each["summary"], wrong)


def checked_example(example: Example) -> CheckedExample:
    """Check every sentence of an example that claims something."""
    passages = [Passage(number, str(number), "", "", text, 1.0) for number, text in enumerate(example.sources, 1)]
    marks = "".join(f"[{passage.number}]" for passage in passages)
    claims = []
    for begin, end in sentences(example.answer):
        checker, text = Checker(passages), example.answer[begin:end]
        verdicts = [*checker.add(re.sub(r"([.!?:]?)$", rf" {marks}\1", text, count=1)), *checker.end()]
        is_wrong = any(first < end and begin < last for first, last in example.wrong)
        claims += [CheckedSentence(text, each, is_wrong) for each in verdicts if each.label != "no_claim"]
    return CheckedExample(example, tuple(claims))


def hallucination_table(name: str, checked: Sequence[CheckedExample]) -> Iterator[str]:
    """Show by task how well the score tells examples and sentences with marked places from others."""
    yield f"| {name} | examples | marked | AUROC | sentences | marked | AUROC | passes | passes, marked |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for task in sorted({each.example.task for each in checked}):
        own = [each for each in checked if each.example.task == task]
        for half, some in (("all", own), ("even", [each for each in own if each.example.number % 2 == 0])):
            claims = [claim for each in some for claim in each.claims]
            passing = [claim for claim in claims if claim.verdict.label in ("verbatim", "supported")]
            cells = (
                len(some),
                sum(bool(each.example.wrong) for each in some),
                _separated([(each.score, bool(each.example.wrong)) for each in some]),
                len(claims),
                sum(claim.is_wrong for claim in claims),
                _separated([(claim.verdict.score, claim.is_wrong) for claim in claims]),
                f"{len(passing) / max(1, len(claims)):.3f}",
                f"{sum(claim.is_wrong for claim in passing) / max(1, len(passing)):.3f}",
            )
            yield f"| {task}, {half} | {' | '.join(map(str, cells))} |"


def _separated(scored: Sequence[tuple[float, bool]]) -> str:
    right, wrong = ([score for score, is_wrong in scored if is_wrong is kind] for kind in (False, True))
    return f"{auroc(right, wrong):.3f}" if right and wrong else "–"
