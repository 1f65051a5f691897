"""The sentences that are marked in a compared answer: doubtful ones, and those in which it differs from the others."""

from __future__ import annotations

from collections.abc import Sequence

from components.html.flow import letters_of
from components.html.verdict_marks import DOUBTFUL, Doubt, FieldMarks, Mark
from components.view import View
from pipeline.citations.answer_differences import Differing
from pipeline.citations.sentences import without_list_marker

ANSWER = "answer"


def doubts_of(view: View, differences: Sequence[Differing]) -> list[Doubt]:
    """Return the sentences in their order; of one that is both, the verdict counts."""
    marks = FieldMarks(ANSWER)
    marks.update(view)
    checks = [each for each in view.checks if each.field == ANSWER and each.verdict in DOUBTFUL]
    places = {each.start: doubt for each, doubt in zip(checks, marks.doubts, strict=True)}
    for each in differences:
        if not any(check.start < each.end and each.start < check.end for check in checks):
            mark = Mark(each.kind, "", "", "", "")
            places[each.start] = Doubt(letters_of(without_list_marker(each.shown)), mark)
    return [places[start] for start in sorted(places)]
