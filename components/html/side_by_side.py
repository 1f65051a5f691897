"""A sentence of an answer beside the passage that it was compared with: what matches and what does not. Pure.

`ACTIONS` are the buttons below: each is a function of a `Compared` that returns one, or nothing where it has no use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Literal, NamedTuple

from markupsafe import Markup, escape

from components.html.html_elements import NOTHING, action, attribute, icon, joined
from components.html.inquiries import StandsOn, stands_on, stands_on_button
from components.html.markdown import plain
from components.html.page_button import page_button
from components.html.verdict_marks import DOUBTFUL, check_name
from components.view import View
from i18n import available, text
from i18n.messages import verdict_text
from pipeline.citations.sentences import without_list_marker
from pipeline.citations.side_by_side import SideBySide, sentence_at, side_by_side
from pipeline.events import SentenceChecked
from pipeline.passages import Passage, Span

_PARAGRAPH = "\n\n"
_ROW_SIGNS = " \n·"
AROUND_CHARS = 220  # of a passage, before and behind what is compared
_CARD = Markup(
    '<section class="beside marked" tabindex="-1" data-v="{label}" data-check="{check}" '
    'aria-label="{name}"{lang}>'
    '<header><span class="tag"><i aria-hidden="true"></i>{verdict}</span><b>{why}</b>{place}{close}</header>'
    '<div class="both"><div class="said-here">{said}</div><div class="said-there">{passage}</div></div>'
    "{inquiry}<footer>{actions}</footer></section>"
)
_MATCHES = Markup('<u class="{kind}"{pair}>{text}{sign}</u>')
_DIFFERS = Markup('<strong class="{kind}"{pair}>{text}{sign}</strong>')
_DIM = Markup('<span class="dim">{}{}</span>')
_SIDE = Markup('<p class="kind">{}</p><p class="text" dir="auto">{}</p>')
# Markdown's signs, each of which is shown as blanks: emphasis, code, headings, links, rules of tables.
_SIGNS = re.compile(
    r"\*\*|__|~~|`+|(?<!\w)[*_](?=\w)|(?<=[\w.!?…])[*_](?!\w)|^[ \t>]*#{1,6}[ \t]|!?\[(?=[^\]\n]*\]\()|\]\([^()\s]*\)"
    r"|^[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*$",
    re.MULTILINE,
)
_BEFORE_SIGN = re.compile(r"[ \t]+(?=[.,;:!?…])")  # where a citation stood

Kind = Literal["same", "alike", "differs"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A sentence with its verdict, and the passage that is shown beside it, None where there is none.

    `is_reported`: its verdict was called wrong; None where that cannot be said here. `asked` is the inquiry which
    passage it stands on, None where a model cannot be asked.
    """

    view: View
    check: SentenceChecked
    passage: Passage | None
    is_reported: bool | None = None
    asked: StandsOn | None = None

    @property
    def language(self) -> str:
        """The language of the card, as far as it is available."""
        return available(self.view.language)


class _Mark(NamedTuple):
    """A place that is marked: words that match, or what differs. Places of one letter belong together."""

    span: Span
    kind: Kind
    letter: str


def compared_at(view: View, name: str, number: int | None = None) -> Compared | None:
    """Return the sentence of that name, with the passage of that number or else that of its verdict."""
    check = next((each for each in view.checks if check_name(each) == name), None)
    if check is None:
        return None
    wanted = check.passage if number is None else number
    return Compared(view, check, next((each for each in view.passages if each.number == wanted), None))


def card(compared: Compared) -> Markup:
    """Return both texts side by side, with the verdict above and the actions below."""
    view, check, lang = compared.view, compared.check, compared.language
    verdict, why, place = (
        text(f"verdict_name.{check.verdict}", lang),
        verdict_text(check.reason, lang),
        _place(compared),
    )
    said, passage = _sides(compared)
    return _CARD.format(
        label=check.verdict,
        check=check_name(check),
        name=f"{verdict}. {why} {place}".rstrip(),
        lang=attribute("lang", lang),
        verdict=verdict,
        why=why,
        place=_steps(place, lang) if view.checks else NOTHING,
        close=action("close-beside", text("beside.close", lang)),
        said=said,
        passage=passage,
        inquiry=stands_on(compared.asked, lang),
        actions=joined(button for make in ACTIONS if (button := make(compared))),
    )


def _place(compared: Compared) -> str:
    """Return which of the answer's doubtful sentences it is, "" for one that is not doubtful."""
    doubtful = [each for each in compared.view.checks if each.verdict in DOUBTFUL]
    if compared.check not in doubtful:
        return ""
    place = doubtful.index(compared.check) + 1
    return text("beside.place", compared.language, place=place, count=len(doubtful))


def _steps(place: str, lang: str) -> Markup:
    """Return the buttons to the doubtful sentences before and behind, and the place between them."""
    return Markup('<span class="nav">{}<span>{}</span>{}</span>').format(
        action("previous-doubtful", text("beside.previous", lang)),
        place,
        action("next-doubtful", text("beside.next", lang)),
    )


def _sides(compared: Compared) -> tuple[Markup, Markup]:
    """Return what the answer says, and what the passage says."""
    check, passage, lang = compared.check, compared.passage, compared.language
    said = str(compared.view.text(check.field))
    sentence, here = sentence_at(said, (check.start, check.end)), text("beside.answer_says", lang)
    if sentence is None or passage is None:
        shown = _plain(without_list_marker(_read(said[check.start : check.end]).strip(_ROW_SIGNS)))
        return _SIDE.format(here, shown), _SIDE.format(text("beside.no_passage", lang), _why_none(compared))
    both = side_by_side(sentence, passage, check.differences if passage.number == check.passage else None)
    here_marks, there_marks = _marks(both)
    read = _read(sentence.text).rstrip(_ROW_SIGNS)
    skipped = max(len(read) - len(without_list_marker(read)), len(read) - len(read.lstrip(_ROW_SIGNS)))
    shown = _painted(read[skipped:], here_marks, sentence.start + skipped)
    return _SIDE.format(here, shown), _SIDE.format(_heading(passage), _excerpt(both, there_marks))


def _why_none(compared: Compared) -> str:
    """Return why there is no passage to show: the answer cites none, or one that does not exist."""
    key = "beside.no_such_passage" if compared.check.citations else "beside.none_says"
    return text(key, compared.language, count=len(compared.view.passages))


def _heading(passage: Passage) -> Markup:
    path = [plain(each) for each in (passage.title, passage.section) if each]
    return Markup('<span class="number">{}</span> <span>{}</span>').format(passage.number, Markup(" › ").join(path))


def _marks(both: SideBySide) -> tuple[list[_Mark], list[_Mark]]:
    """Return the marked places of both texts; letters go in the order of the answer."""
    pairs: list[tuple[Span, Span | None, Kind]] = [
        *((each.answer, each.source, "same" if each.is_exact else "alike") for each in both.runs),
        *((each.answer, each.source, "differs") for each in both.differences),
    ]
    here, there = list[_Mark](), list[_Mark]()
    letters = iter(ascii_lowercase)
    for answer, source, kind in sorted(pairs, key=lambda each: each[0]):
        letter = next(letters, "") if source else ""
        here.append(_Mark(answer, kind, letter))
        there += [_Mark(source, kind, letter)] if source else []
    return here, there


def _excerpt(both: SideBySide, marks: Sequence[_Mark]) -> Markup:
    """Return what is compared of a passage, and a little around it, which is dimmed."""
    whole, quote = both.passage.text, both.quote or (0, 0)
    begin = min([quote[0], *(each.span[0] for each in marks)])
    end = max([quote[1], *(each.span[1] for each in marks)])
    before, behind = whole.rfind(_PARAGRAPH, 0, begin), whole.find(_PARAGRAPH, end)
    first = max(_word_at(whole, begin - AROUND_CHARS), before + len(_PARAGRAPH) if before >= 0 else 0)
    last = min(_word_at(whole, end + AROUND_CHARS), behind if behind >= 0 else len(whole))
    read = _read(whole)
    return joined(
        [
            _DIM.format("… " if first else "", read[first:begin]),
            _painted(read[begin:end], marks, begin),
            _DIM.format(read[end:last].rstrip(), " …" if last < len(whole) else ""),
        ]
    )


def _word_at(text: str, at: int) -> int:
    """Return the nearest beginning of a word before a place, within the text."""
    if not 0 < at < len(text):
        return max(0, min(at, len(text)))
    return text.rfind(" ", 0, at) + 1


def _read(text: str) -> str:
    """Return Markdown with blanks for its signs, as long as before."""
    return _SIGNS.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text).replace("|", "·")


def _painted(text: str, marks: Sequence[_Mark] = (), start: int = 0) -> Markup:
    """Return a text that begins at `start` with its places marked."""
    pieces, at = [], start
    for (begin, end), kind, letter in sorted(marks):
        pieces += [_plain(text[at - start : begin - start]), _marked(text[begin - start : end - start], kind, letter)]
        at = end
    return joined([*pieces, _plain(text[at - start :])])


def _plain(text: str) -> Markup:
    return escape(_BEFORE_SIGN.sub("", text))


def _marked(text: str, kind: Kind, letter: str) -> Markup:
    sign = Markup('<sup aria-hidden="true">{}</sup>').format(letter) if letter else NOTHING
    template = _DIFFERS if kind == "differs" else _MATCHES
    return template.format(kind=kind, pair=attribute("data-pair", letter), text=text, sign=sign)


# The actions -----------------------------------------------------------------------------------------------------


def _show_source(compared: Compared) -> Markup:
    if compared.passage is None:
        return NOTHING
    label = text("beside.show_source", compared.language)
    return Markup('<button type="button" data-act="show-source" data-n="{}">{}{}</button>').format(
        compared.passage.number, icon("quote", 14), label
    )


def _open_page(compared: Compared) -> Markup:
    if compared.passage is None:
        return NOTHING
    profile = (compared.view.asked.profile if compared.view.asked else None) or ""
    return page_button(compared.passage, icon("documents", 14) + text("beside.open_page", compared.language), profile)


def _undo_repair(compared: Compared) -> Markup:
    """Return the button that takes our number away, and shows it again; the style sheet shows one of its texts."""
    if compared.check.suggested is None:
        return NOTHING
    lang = compared.language
    return Markup(
        '<button type="button" data-act="repair"><span class="undo">{}</span><span class="redo">{}</span></button>'
    ).format(text("repair.undo", lang), text("repair.redo", lang, number=compared.check.suggested))


def _ask_what_it_stands_on(compared: Compared) -> Markup:
    return stands_on_button(compared.asked, compared.language) if compared.asked else NOTHING


def _report(compared: Compared) -> Markup:
    """Return the button that keeps the verdict as a wrong one, pressed where it is kept."""
    if compared.is_reported is None:
        return NOTHING
    return Markup('<button type="button" data-act="report" aria-pressed="{}">{}{}</button>').format(
        str(compared.is_reported).lower(), icon("dislike", 14), text("beside.report", compared.language)
    )


ACTIONS: tuple[Callable[[Compared], Markup], ...] = (
    _show_source,
    _open_page,
    _undo_repair,
    _report,
    _ask_what_it_stands_on,  # the last one: it comes and goes, and the focus with it to no other button
)
