"""A whole document beside the chat, its passages that an answer stands on marked: a drawer over the panes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from components.html.html_elements import NOTHING, Elements, action, dialog_head, joined
from components.html.markdown import passage as shown_text
from components.html.markdown import plain
from components.panes.sources import apart
from i18n import text
from pipeline.passages import Passage
from pipeline.retrieval import IndexedDocument

NAME, TITLE = "whole-document", text("whole_document.title")


def dialog(
    document: IndexedDocument, passages: Sequence[Passage], numbers: Mapping[tuple[int, int], int], wanted: int
) -> Elements:
    """Return the text of a document as far as its passages hold it, without what two of them share.

    `numbers`: the span of each passage to mark → its number; the one that begins at `wanted` is scrolled to.
    """
    shown, count = len(passages), document.passages
    part = Markup('<p class="quiet">{}</p>').format(text("whole_document.part", shown=shown, count=count))
    return [
        dialog_head(
            plain(document.title),
            text("whole_document.marked", count=sum((each.start, each.end) in numbers for each in passages)),
        ),
        Markup('<div class="whole" dir="auto">{}{}</div>').format(
            part if shown < count else NOTHING, joined(_pieces(passages, numbers, wanted))
        ),
    ]


def gone(why: str) -> Elements:
    """Return what is shown in the place of a document that is not there."""
    head = Markup('<header class="dialog-head"><h2>{}</h2>{}</header>').format(
        TITLE, action("close-dialog", text("documents.close"))
    )
    return [head, Markup('<p class="quiet" role="alert">{}</p>').format(why)]


def _pieces(passages: Sequence[Passage], numbers: Mapping[tuple[int, int], int], wanted: int) -> Iterator[Markup]:
    """Iterate over the text: marked passages, and between them what lies between, with the rows of a table together."""
    whole = {each.end: each for each in passages}
    section, run, last = "", "", 0
    for piece in apart(passages, 0, sys.maxsize):
        passage, start = whole[piece.end], piece.start or 0
        number = numbers.get((passage.start or 0, passage.end or 0))
        if run and (number is not None or piece.section != section):
            yield shown_text(run, ())
            run = ""
        if piece.section != section:
            section = piece.section
            yield Markup("<h3>{}</h3>").format(plain(section))
        if number is None:
            header = "" if run else passage.text[: passage.header_chars]
            run += f"{_gap(last, start) if run else header}{piece.text}"
        else:
            text_of_piece = passage.text[: passage.header_chars] + piece.text
            yield _marked(shown_text(text_of_piece, ()), number, is_wanted=passage.start == wanted)
        last = piece.end or 0
    if run:
        yield shown_text(run, ())


def _gap(end: int, start: int) -> str:
    """Return what lay between two pieces: no passage holds the line ends around it."""
    return "\n" if start - end == 1 else "\n\n" if start > end else ""


def _marked(html: Markup, number: int, *, is_wanted: bool) -> Markup:
    return Markup(
        '<section class="marked-passage" aria-label="{label}"{here}>'
        '<span class="number">{number}</span>{html}</section>'
    ).format(
        label=text("sources.source", number=number),
        here=Markup(" data-here") if is_wanted else NOTHING,
        number=number,
        html=html,
    )
