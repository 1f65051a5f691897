"""The verdicts on a turn's sentences: a mark for each chip, and a summary under the answer that says why. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from markupsafe import Markup

from components.html.flow import letters_of
from components.html.html_elements import NOTHING, Elements, attribute, joined, shortened
from components.html.markdown import plain
from components.view import View
from i18n import available, text
from i18n.messages import verdict_text
from pipeline.citations.markers import Marker, markers
from pipeline.citations.sentences import without_list_marker
from pipeline.events import SentenceChecked
from pipeline.turns.sentence_checks import counted
from pipeline.verdicts import Label

_FACT = Markup('<span class="verdict" data-v="{}"><i aria-hidden="true"></i><b>{}</b> {}</span>')
_ROW = Markup(
    '<li class="verdict" data-v="{label}" data-check="{check}"><i aria-hidden="true"></i><p><b>{name}</b> '
    '<button type="button" data-act="compare" aria-label="{label_of}">{said}</button></p><p class="why">{why}</p></li>'
)
_SUMMARY = Markup(
    '<section class="checks" aria-label="{name}"{lang}><div class="counts"><p>{facts}</p>{through}{legend}</div>'
    "{second}{listed}</section>"
)
_SECOND = Markup('<div class="second"></div>')  # the script puts there what a model can be asked, or has said
_LISTED = Markup("<details><summary>{}</summary><ol>{}</ol></details>")
SENTENCE_CHARS = 240  # of a sentence in the list of the doubtful ones
SHOWN: tuple[Label, ...] = ("verbatim", "supported", "weak", "wrong_source", "not_found", "uncited")
DOUBTFUL = frozenset[Label](("weak", "wrong_source", "not_found", "uncited"))


class Ours(NamedTuple):
    """Our chip beside those of the model: the passage that says its sentence.

    `kind`: it stands beside a wrong number, or where the model wrote none. `name` is for screen readers.
    """

    number: int
    kind: Literal["repointed", "added"]
    name: str


class Mark(NamedTuple):
    """What a chip says of its sentence, which goes by `check` in its turn; `passage` is the one that it is said of.

    Of a sentence that was compared with other answers, `label` says how it differs, and `check` is "".
    """

    label: Label | Literal["only", "otherwise"]
    name: str
    why: str
    check: str
    passage: str
    ours: Ours | None = None


class Doubt(NamedTuple):
    """A doubtful sentence: its letters, by which it is found in HTML, and what is said of it."""

    letters: str
    mark: Mark


class FieldMarks:
    """The marks of a field while it grows: made once for each verdict.

    `chips` has one for each chip of the field, in the order of the chips; None where a chip makes no claim. A chip is a
    cited number that a passage has; numbers of sentences that have no verdict yet are left out.
    """

    def __init__(self, field: str) -> None:
        self._field = field
        self._checks: tuple[SentenceChecked, ...] = ()
        self._titles: dict[int, str] = {}
        self.chips: list[Mark | None] = []
        self.doubts: list[Doubt] = []

    def update(self, view: View) -> None:
        """Take in the verdicts that are new in a view."""
        titles = {each.number: each.title for each in view.passages}
        if titles != self._titles or view.checks[: len(self._checks)] != self._checks:
            self._titles, self._checks, self.chips, self.doubts = titles, (), [], []
        new = [check for check in view.checks[len(self._checks) :] if check.field == self._field]
        self._checks = view.checks
        said = str(view.text(self._field)) if new else ""
        for check in new:
            self._add(check, said[check.start : check.end], view.language)

    def _add(self, check: SentenceChecked, said: str, language: str) -> None:
        mark = _mark(check, language, self._titles) if check.verdict in SHOWN else None
        found = markers(said)
        self.chips += [mark for marker in found for number in marker.numbers if number in self._titles]
        if mark and mark.label in DOUBTFUL:
            self.doubts.append(Doubt(letters_of(_without(said, found)), mark))


def check_name(check: SentenceChecked) -> str:
    """Return the name of a sentence in its turn, by which the script asks for it: `answer-3`."""
    return f"{check.field}-{check.index}"


def summary(view: View) -> Elements:
    """Return how many sentences have each verdict, a way through the doubtful ones, and what speaks against each.

    It comes with the turn's ending, so that nothing moves while an answer is written.
    """
    counts = counted(each for each in view.checks if each.verdict in SHOWN)
    if view.ending is None or not counts:
        return []
    lang, answer = available(view.language), text("turn.of_answer", available(view.language), place=view.place)
    doubtful = [check for check in view.checks if check.verdict in DOUBTFUL]
    return [
        _SUMMARY.format(
            name=f"{text('verdict.summary', lang)}, {answer}",
            lang=attribute("lang", lang),
            facts=joined(
                _FACT.format(label, counts[label], text(f"verdict_name.{label}", lang))
                for label in SHOWN
                if label in counts
            ),
            through=_through(lang, answer) if doubtful else NOTHING,
            legend=_legend(lang, answer),
            second=_SECOND if any(check.verdict == "weak" for check in doubtful) else NOTHING,
            listed=_listed(view, doubtful, lang, answer) if doubtful else NOTHING,
        )
    ]


def _through(lang: str, answer: str) -> Markup:
    label = text("verdict.next_doubtful", lang)
    return Markup(
        '<button type="button" data-act="through-doubtful" class="through" aria-label="{}, {}">{} <kbd>n</kbd></button>'
    ).format(label, answer, label)


def _legend(lang: str, answer: str) -> Markup:
    label = text("verdict.legend", lang)
    return Markup(
        '<button type="button" data-act="marks" class="about" aria-haspopup="dialog" aria-label="{}, {}" title="{}">?'
        "</button>"
    ).format(label, answer, label)


def _listed(view: View, doubtful: Sequence[SentenceChecked], lang: str, answer: str) -> Markup:
    title = Markup('{}<span class="sr"> {}</span>').format(text("verdict.listed", lang, count=len(doubtful)), answer)
    return _LISTED.format(title, joined(_row(view, check, lang, answer) for check in doubtful))


def _row(view: View, check: SentenceChecked, lang: str, answer: str) -> Markup:
    said = " ".join(str(view.text(check.field))[check.start : check.end].split())
    cut = shortened(said, SENTENCE_CHARS)
    mark = _mark(check, lang, {})
    return _ROW.format(
        label=check.verdict,
        check=mark.check,
        name=mark.name,
        label_of=f"{cut} {answer}",
        said=plain(cut),
        why=mark.why,
    )


def _mark(check: SentenceChecked, language: str, titles: Mapping[int, str]) -> Mark:
    lang = available(language)
    name = text(f"verdict_name.{check.verdict}", lang)
    why, passage = verdict_text(check.reason, lang), "" if check.passage is None else str(check.passage)
    return Mark(check.verdict, name, why, check_name(check), passage, _ours(check, lang, titles))


def _ours(check: SentenceChecked, lang: str, titles: Mapping[int, str]) -> Ours | None:
    """Return our chip, where a passage says the sentence that is not the one cited."""
    number = check.suggested
    if number not in titles or number is None:
        return None
    kind: Literal["repointed", "added"] = "added" if check.verdict == "uncited" else "repointed"
    cited = ", ".join(map(str, check.citations))
    name = text(f"repair.{kind}", lang, number=number, title=titles[number], cited=cited)
    return Ours(number, kind, name)


def _without(said: str, found: Sequence[Marker]) -> str:
    """Return a sentence without its citations and its list marker."""
    for marker in reversed(found):
        said = said[: marker.start] + said[marker.end :]
    return without_list_marker(said)
