"""A verdict that a person calls wrong, as a case by which the verdicts can be measured. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from pipeline.messages import StoredMessage
from pipeline.verdicts import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPassage:
    """A passage that the turn had found, as the verdict was made with it."""

    number: int
    document: str
    title: str
    section: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictReport:
    """The sentence with its citations, its verdict with the reason, and all passages that it was compared with.

    `field` and `index` are those of its `SentenceChecked`; `reported_at` is in seconds since the epoch.
    """

    turn_id: str
    field: str
    index: int
    reported_at: float
    model: str
    language: str
    question: str
    sentence: str
    citations: tuple[int, ...]
    verdict: Label
    score: float
    passage: int | None
    suggested: int | None
    reason: StoredMessage
    passages: tuple[ReportedPassage, ...]


VERDICT_REPORT: TypeAdapter[VerdictReport] = TypeAdapter(VerdictReport)
