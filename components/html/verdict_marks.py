"""The verdicts on a turn's sentences: a mark for each chip, and a summary under the answer that says why. Pure."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from components.html.html_elements import Elements, attribute, joined
from components.html.markdown import plain
from components.view import View
from i18n import available, text
from i18n.messages import verdict_text
from pipeline.citations.markers import markers
from pipeline.events import SentenceChecked
from pipeline.turns.sentence_checks import counted
from pipeline.verdicts import Label

_ROW = Markup(
    '<li class="verdict" data-v="{}"><i aria-hidden="true"></i><p><b>{}</b> <q>{}</q></p><p class="why">{}</p></li>'
)
SENTENCE_CHARS = 240  # of a sentence in the list of the doubtful ones
SHOWN: tuple[Label, ...] = ("verbatim", "supported", "weak", "wrong_source", "not_found", "uncited")
DOUBTFUL = frozenset[Label](("weak", "wrong_source", "not_found", "uncited"))


class Mark(NamedTuple):
    """What a chip says of its sentence."""

    label: Label
    name: str
    why: str


def chip_marks(view: View, field: str) -> tuple[Mark | None, ...]:
    """Return the mark of each chip of a field, in the order of the chips; None where a chip makes no claim.

    A chip is a cited number that a passage has; numbers of sentences that have no verdict yet are left out.
    """
    said, known = str(view.text(field)), {each.number for each in view.passages}
    marks: list[Mark | None] = []
    for check in view.checks:
        if check.field == field:
            mark = _mark(check, view.language) if check.verdict in SHOWN else None
            chips = (n for marker in markers(said[check.start : check.end]) for n in marker.numbers if n in known)
            marks += [mark for _ in chips]
    return tuple(marks)


def summary(view: View) -> Elements:
    """Return how many sentences have each verdict, and below that the doubtful ones with what speaks against them.

    It comes with the turn's ending, so that nothing moves while an answer is written.
    """
    counts = counted(each for each in view.checks if each.verdict in SHOWN)
    if view.ending is None or not counts:
        return []
    lang = available(view.language)
    facts = joined(
        Markup('<span class="verdict" data-v="{}"><i aria-hidden="true"></i><b>{}</b> {}</span>').format(
            label, counts[label], text(f"verdict_name.{label}", lang)
        )
        for label in SHOWN
        if label in counts
    )
    doubtful = [_row(view, check, lang) for check in view.checks if check.verdict in DOUBTFUL]
    name = f"{text('verdict.summary', lang)}, {text('turn.of_answer', lang, place=view.place)}"
    if not doubtful:
        return [Markup('<p class="checks" aria-label="{}"{}>{}</p>').format(name, attribute("lang", lang), facts)]
    return [
        Markup('<details class="checks"{}><summary aria-label="{}">{}</summary><ol>{}</ol></details>').format(
            attribute("lang", lang), name, facts, joined(doubtful)
        )
    ]


def _row(view: View, check: SentenceChecked, lang: str) -> Markup:
    said = " ".join(str(view.text(check.field))[check.start : check.end].split())
    cut = said if len(said) <= SENTENCE_CHARS else f"{said[:SENTENCE_CHARS].rpartition(' ')[0]} …"
    mark = _mark(check, lang)
    return _ROW.format(check.verdict, mark.name, plain(cut), mark.why)


def _mark(check: SentenceChecked, language: str) -> Mark:
    lang = available(language)
    return Mark(check.verdict, text(f"verdict_name.{check.verdict}", lang), verdict_text(check.reason, lang))
