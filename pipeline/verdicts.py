"""The verdict on a sentence of an answer, and what it is made of. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.messages import Message
from pipeline.passages import Span

Label = Literal["verbatim", "supported", "weak", "not_found", "wrong_source", "uncited", "no_claim"]
DifferenceKind = Literal["number", "unit", "date", "name", "order", "negation", "quantity", "opposite", "word"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What an answer says otherwise: its place in the answer, and that of what the passage says instead, if any."""

    kind: DifferenceKind
    answer: Span
    source: Span | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one sentence at [`start`, `end`) of a field, its citation markers included.

    `passage` is the number of the passage that it was compared with, `quote` the best place in that passage's text;
    `score` (0 to 1) is the support; `suggested` is the passage that says it, where that is not cited. `reason` is a
    code of the catalogue.
    """

    index: int
    start: int
    end: int
    citations: tuple[int, ...]
    label: Label
    score: float
    reason: Message
    passage: int | None = None
    quote: Span | None = None
    suggested: int | None = None
    differences: tuple[Difference, ...] = ()
