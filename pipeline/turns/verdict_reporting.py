"""Keeps verdicts that people call wrong. Whoever may read a turn may report on it, but for a running one."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pipeline.database.write_behind import WriteBehind
from pipeline.errors import NotFound, Refused
from pipeline.events import SentenceChecked
from pipeline.recording import answered_by, cited_from, language_of_turn
from pipeline.turn import Turn
from pipeline.turns.engine import Pipeline
from pipeline.turns.sentence_checks import checks_of
from pipeline.verdict_reports import ReportedPassage, VerdictReport


class VerdictReports:
    """The reports of all visitors. Every method may raise StoreFault."""

    def __init__(self, pipeline: Pipeline, history: WriteBehind) -> None:
        self._pipeline, self._history = pipeline, history

    async def add(self, visitor: str | None, turn_id: str, field: str, index: int) -> None:
        """Keep a sentence with its verdict; a second time changes nothing. Raises NotFound and Refused."""
        turn, check = await self._sentence(visitor, turn_id, field, index)
        if not await self._history.save_verdict_report(_report(turn, check)):
            raise NotFound("turn")

    async def remove(self, visitor: str | None, turn_id: str, field: str, index: int) -> None:
        """Keep it no longer. Raises NotFound and Refused."""
        await self._sentence(visitor, turn_id, field, index)
        await self._history.remove_verdict_report(turn_id, field, index)

    async def of_turn(self, visitor: str | None, turn_id: str) -> frozenset[tuple[str, int]]:
        """Return the sentences of a turn that are reported, each by its field and index. Raises NotFound."""
        await self._pipeline.turn(turn_id, visitor)
        return await self._history.reported_sentences(turn_id)

    async def of_visitor(self, visitor: str | None) -> Sequence[VerdictReport]:
        """Return a visitor's own, oldest first."""
        return await self._history.verdict_reports(visitor) if visitor else ()

    async def of_all(self) -> Sequence[VerdictReport]:
        """Return those of all visitors, oldest first, for whoever runs Glassbox."""
        return await self._history.all_verdict_reports()

    async def _sentence(
        self, visitor: str | None, turn_id: str, field: str, index: int
    ) -> tuple[Turn, SentenceChecked]:
        turn = await self._pipeline.turn(turn_id, visitor)
        if turn.state == "running":
            raise Refused("still_running")
        for each in checks_of(turn.record):
            if (each.field, each.index) == (field, index):
                return turn, each
        raise NotFound("sentence")


def _report(turn: Turn, check: SentenceChecked) -> VerdictReport:
    return VerdictReport(
        turn_id=turn.id,
        field=check.field,
        index=check.index,
        reported_at=round(time.time(), 3),
        model=answered_by(turn.record),
        language=language_of_turn(turn.record),
        question=turn.question,
        sentence=turn.fields.get(check.field, "")[check.start : check.end].strip(),
        citations=check.citations,
        verdict=check.verdict,
        score=check.score,
        passage=check.passage,
        suggested=check.suggested,
        reason=check.reason,
        passages=tuple(
            ReportedPassage(
                number=each.number,
                document=each.document,
                title=each.title,
                section=each.section,
                text=each.text,
            )
            for each in cited_from(turn.record)
        ),
    )
