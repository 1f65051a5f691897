"""Passages ↔ the numbered text that a prompt holds, the exact reverse of each other; and field markers made harmless.

    [1] Espresso › Crema
    Crema is the hazelnut-brown foam on top of an espresso.

A line of a passage that itself begins like a number is written with a backslash before it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.conversation import Passage

_MARKER = re.compile(r"\[\[(?=\s*##)")
_HEAD = re.compile(r"^\[(\d+)\](?: (.*))?$", re.MULTILINE)
_LIKE_HEAD = re.compile(r"^(?=\\*\[\d+\])", re.MULTILINE)
_WRITTEN = re.compile(r"^\\(?=\\*\[\d+\])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A passage as a prompt tells it: `heading` is title and section."""

    number: int
    heading: str
    text: str


def neutral(text: str) -> str:
    """Text without DSPy's field markers: `[[ ##` becomes `[ [ ##`, which no reader takes for one."""
    return _MARKER.sub("[ [", text)


def numbered(passages: Sequence[Passage]) -> str:
    """The passages as text, "" for none."""
    return "\n\n".join(f"[{passage.number}] {heading(passage)}\n{_escaped(passage)}" for passage in passages)


def heading(passage: Passage) -> str:
    """Title and section on one line."""
    return neutral(" ".join(" › ".join(part for part in (passage.title, passage.section) if part).split()))


def read_numbered(text: str) -> tuple[Numbered, ...]:
    """What `numbered` wrote; () for any other text."""
    heads = list(_HEAD.finditer(text))
    bounds = [*(head.start() for head in heads), len(text)]
    return tuple(
        Numbered(int(head[1]), (head[2] or "").strip(), _WRITTEN.sub("", text[head.end() : end].strip()))
        for head, end in zip(heads, bounds[1:], strict=True)
    )


def _escaped(passage: Passage) -> str:
    return _LIKE_HEAD.sub(r"\\", neutral(passage.text.strip()))
