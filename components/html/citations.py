"""Citations joined with the sentences that they stand on, in HTML that `components/html/markdown.py` made.

A card's text is cut into sentences, each in spans with its number (`data-s`); a chip names those that it cites. So the
page's script only marks what a chip names. Both work on the text that is seen, so no Markdown is in the way. Pure.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape
from itertools import groupby, zip_longest
from typing import Literal

from markupsafe import Markup

from components.html.doubted_sentences import doubted, located
from components.html.flow import Flow, Piece, ReadBlock, flow_of
from components.html.html_elements import shortened
from components.html.markdown import passage as shown_text
from components.html.verdict_marks import Doubt, Mark
from pipeline.citations.matching import evidence
from pipeline.citations.refusals import is_refusal
from pipeline.citations.sentences import sentences
from pipeline.passages import Passage, Span

QUOTE_CHARS = 600  # of the cited sentences, in the preview
START_CHARS = 240  # of a passage of which no sentence matches
CLAUSE_WORDS = 4  # from so many words on, what stands between two citations of a sentence is looked for on its own
_LABEL = re.compile(r'( aria-label="[^"]*)"')
_ROW = re.compile(r"\s*\|\s*")
_GLUE = "\u2060\u202f \t"


@dataclass(frozen=True, slots=True)
class Cutting:
    """A passage as a card shows it, its sentences numbered in `html`; `spans` are their places in `text`."""

    html: Markup
    text: str
    spans: tuple[Span, ...]

    def found(self, claim: str) -> range | None:
        """The numbers of the sentences that a claim stands on."""
        place = evidence(claim, self.text)
        if place is None:
            return None
        inside = [at for at, (begin, end) in enumerate(self.spans) if place[0] <= begin and end <= place[1]]
        return range(inside[0], inside[-1] + 1) if inside else None


def cutting(passage: Passage) -> Cutting:
    """A passage with its sentences numbered and the words of the search marked."""
    return _cutting(passage.text, passage.matched)


def cited(
    block: ReadBlock, passages: Sequence[Passage], marks: Sequence[Mark | None] = (), doubts: Sequence[Doubt] = ()
) -> Markup:
    """Return an answer's block with its chips, what they cite and what was found of that.

    A chip gets `data-s`, and for the preview title, place and sentence. `marks` are the verdicts on the chips'
    sentences, in the order of the chips; later chips have none yet. `doubts` are sentences of the block, in order.
    """
    if 'class="cite"' not in block.html and not doubts:
        return block.html
    flow = block.flow
    pieces = [piece.html for piece in flow.pieces]
    for at, html in doubted(flow, located(block, doubts), partial(_added, flow=flow, passages=passages)):
        pieces[at] = html
    last = {mark.check: at for at, mark in enumerate(marks) if mark}
    found = zip_longest(flow.chips, _claims(flow), marks[: len(flow.chips)])
    for at, (chip, claims, mark) in enumerate(found):
        if chip.number <= len(passages):
            pieces[chip.opens] = pieces[chip.opens][:-1] + _attributes(passages[chip.number - 1], claims) + ">"
        if mark:
            pieces[chip.opens] = _marked(pieces[chip.opens], mark)
            if last[mark.check] == at:
                pieces[chip.closes] += _ours(mark, claims, passages)
    return Markup("".join(pieces))


Standing = Literal["cites", "cites_nothing", "refuses"]


def standing(blocks: Sequence[Markup]) -> Standing:
    """Return whether an answer, given as blocks with their chips, cites passages, cites nothing or refuses."""
    said: list[tuple[str, bool]] = []
    for flow in (flow_of(str(block)) for block in blocks):
        spans = sentences(flow.text)
        begins = [begin for begin, _ in spans]
        places = {_place(flow.text, spans, begins, chip.place) for chip in flow.chips}
        said += [(flow.text[begin:end], (begin, end) in places) for begin, end in spans]
    if is_refusal(said):
        return "refuses"
    return "cites" if any(cites for _, cites in said) else "cites_nothing"


def _attributes(passage: Passage, claims: Sequence[str]) -> str:
    cut = cutting(passage)
    found = next((place for claim in claims if (place := cut.found(claim))), None)
    data = {"title": passage.title, "path": passage.section}
    if found:
        data["s"] = f"{found[0]}-{found[-1]}"
        quote = _read(cut.text[cut.spans[found[0]][0] : cut.spans[found[-1]][1]])
        data["quote"] = shortened(quote, QUOTE_CHARS)
    else:
        data["start"] = _read(cut.text[: 2 * START_CHARS])[:START_CHARS]
    return "".join(f' data-{name}="{escape(text)}"' for name, text in data.items() if text)


def _marked(chip: str, mark: Mark) -> str:
    """Return a chip's tag that says its verdict: to eyes by `data-v`, to ears in its name, why in the preview."""
    name = _LABEL.sub(lambda match: f'{match[1]}, {escape(mark.name)}"', chip, count=1)
    return f"{name[:-1]}{_said(mark)}>"


def _said(mark: Mark) -> str:
    data = {"v": mark.label, "verdict": mark.name, "why": mark.why, "check": mark.check, "of": mark.passage}
    return "".join(f' data-{name}="{escape(text)}"' for name, text in data.items())


def _ours(mark: Mark, claims: Sequence[str], passages: Sequence[Passage]) -> str:
    """Return our chip: the passage that says the sentence, where the model cites none or another one.

    It has no text, since it is no part of the answer: the style sheet writes its number.
    """
    ours = mark.ours
    if ours is None or ours.number > len(passages):
        return ""
    attributes = _attributes(passages[ours.number - 1], claims) + _said(mark)
    return (
        f'<a class="ours {ours.kind}" href="#src-{ours.number}" data-n="{ours.number}"'
        f' aria-label="{escape(ours.name)}"{attributes}><i data-n="{ours.number}"></i></a>'
    )


def _added(span: Span, mark: Mark, flow: Flow, passages: Sequence[Passage]) -> str:
    """Return our chip behind a sentence without citations."""
    return _ours(mark, (flow.text[slice(*span)],), passages) if mark.label == "uncited" else ""


def _read(text: str) -> str:
    """On one line, the cells of a row with points between them."""
    lines = (_ROW.sub(" · ", line.strip().strip("|").strip()) for line in text.splitlines())
    return " ".join(" ".join(lines).split())


def _claims(flow: Flow) -> Iterator[tuple[str, ...]]:
    """For each chip what it may stand behind, the likeliest first: its part of the sentence, then all of it.

    A chip belongs to the sentence that it ends or stands in; at the beginning of a line to the one that follows.
    """
    spans = sentences(flow.text)
    begins = [begin for begin, _ in spans]
    for span, chips in groupby(flow.chips, key=lambda chip: _place(flow.text, spans, begins, chip.place)):
        places = [chip.place for chip in chips]
        begin = last = span[0] if span else 0
        for at in places:
            if span is None:
                yield ()
                continue
            if flow.text[last:at].strip(_GLUE):
                begin = last
            last = at
            part, whole = flow.text[begin : span[1] if at == places[-1] else at], flow.text[span[0] : span[1]]
            yield (part, whole) if len(part.split()) >= CLAUSE_WORDS else (whole,)


def _place(text: str, spans: Sequence[Span], begins: Sequence[int], at: int) -> Span | None:
    line = text.rfind("\n", 0, at) + 1
    said = text[line:at].rstrip(_GLUE)
    if said:
        return spans[bisect_right(begins, line + len(said) - 1) - 1]
    found = bisect_right(begins, at) - 1
    if found < 0 or spans[found][1] <= at:
        found += 1
    return spans[found] if found < len(spans) else None


@lru_cache(maxsize=500)
def _cutting(text: str, matched: tuple[Span, ...]) -> Cutting:
    flow = flow_of(str(shown_text(text, matched)))
    spans = sentences(flow.text)
    ends = [end for _, end in spans]
    html = "".join(_numbered(piece, flow.text, spans, bisect_right(ends, piece.start)) for piece in flow.pieces)
    return Cutting(Markup(html), flow.text, spans)


def _numbered(piece: Piece, text: str, spans: Sequence[Span], first: int) -> str:
    """A stretch of text, what of it belongs to a sentence in a span with that one's number.

    `first` is the number of the first sentence that ends behind its beginning.
    """
    if piece.start == piece.end:
        return piece.html
    out, at = [], piece.start
    for number in range(first, len(spans)):
        begin, end = max(spans[number][0], at), min(spans[number][1], piece.end)
        if begin >= end:
            break
        out += [escape(text[at:begin]), f'<span data-s="{number}">{escape(text[begin:end])}</span>']
        at = end
    return "".join([*out, escape(text[at : piece.end])])
