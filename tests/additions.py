"""Reads the rows of "How to add each thing" in CONTRIBUTING.md, and applies their examples to a copy of the tree."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import ROOT
from tests.documentation import tree

_SECTION = re.compile(r"(?ms)^### (?P<title>.+?)\n(?P<body>.*?)(?=^###? |\Z)")
_PATH = re.compile(r"`([\w.-]+/[\w./-]*|\w+\.py)`")
_CHANGE = re.compile(r"(?ms)^`(?P<file>[\w./-]+)`(?P<is_new> \(new\))?:\n\n```\w+\n(?P<text>.*?)^```")


@dataclass(frozen=True)
class Change:
    """A new file with its text, or hunks of an existing one as a diff writes them, with `@@` between them."""

    file: str
    text: str
    is_new: bool

    def apply(self, root: Path) -> None:
        """Make it below `root`. AssertionError: what it changes is not there, or not there exactly once."""
        path = root / self.file
        assert path.exists() is not self.is_new, f"{self.file} {'exists already' if self.is_new else 'is not there'}"
        if self.is_new:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text, encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        for hunk in self.text.split("@@\n"):
            old, new = _side(hunk, " -"), _side(hunk, " +")
            assert text.count(old) == 1, f"{self.file} holds {text.count(old)} times:\n{old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Addition:
    """One row: what is added, the files that it names, and its example."""

    title: str
    files: frozenset[str]
    changes: tuple[Change, ...]

    def apply(self, root: Path) -> None:
        """Make all its changes below `root`."""
        for change in self.changes:
            change.apply(root)


def additions() -> tuple[Addition, ...]:
    """Every row of the table, in its order."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## How to add each thing")[2]
    text = text.partition("\n## ")[0]
    examples = {found["title"].lower(): _changes(found["body"]) for found in _SECTION.finditer(text)}
    rows = re.findall(r"(?m)^\| \[([^\]]+)\]\(#[\w-]+\) \| (.+) \|$", text)
    return tuple(Addition(title, frozenset(_PATH.findall(cell)), examples[title]) for title, cell in rows)


def copied(root: Path, made: Iterable[Addition]) -> Path:
    """A copy of the tree below `root`, with additions."""
    for name in tree():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for each in made:
        each.apply(root)
    return root


def _changes(body: str) -> tuple[Change, ...]:
    return tuple(Change(found["file"], found["text"], bool(found["is_new"])) for found in _CHANGE.finditer(body))


def _side(hunk: str, signs: str) -> str:
    """The lines of a hunk before (" -") or after (" +") the change."""
    lines = (line if line.strip() else " \n" for line in hunk.splitlines(keepends=True))
    return "".join(line[1:] for line in lines if line[0] in signs)
