"""Citations joined with the sentences that they stand on, in HTML that `components/html/markdown.py` made.

A card's text is cut into sentences, each in spans with its number (`data-s`); a chip names those that it cites. So the
page's script only marks what a chip names. Both work on the text that is seen, so no Markdown is in the way. Pure.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from itertools import groupby, zip_longest
from typing import Literal, NamedTuple

from markupsafe import Markup

from components.html.markdown import passage as shown_text
from components.html.verdict_marks import Mark
from pipeline.citations.matching import evidence
from pipeline.citations.refusals import is_refusal
from pipeline.citations.sentences import sentences
from pipeline.passages import Passage, Span

QUOTE_CHARS = 600  # of the cited sentences, in the preview
START_CHARS = 240  # of a passage of which no sentence matches
CLAUSE_WORDS = 4  # from so many words on, what stands between two citations of a sentence is looked for on its own
CHIPS_MOST = (
    300  # of one block; a model that cites more than that repeats itself, and the rest lead to their cards only
)

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*>")
_NUMBER = re.compile(r' data-n="(\d+)"')
_LABEL = re.compile(r'( aria-label="[^"]*)"')
_BLOCKS = frozenset(
    [
        "blockquote",
        "div",
        "dl",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "table",
        "tbody",
        "thead",
        "ul",
    ]
)
_CELLS = frozenset(("td", "th", "tr"))
_UNSAID = frozenset(("annotation", "button", "svg"))  # elements whose text is no part of the sentence
_ROW = re.compile(r"\s*\|\s*")
_GLUE = "\u2060\u202f \t"


class Piece(NamedTuple):
    """A tag, or a stretch of text that stands at [start, end) of what is read; a tag has no length."""

    html: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Flow:
    """HTML as what is read: blocks apart, table rows with their bars. `chips`: which piece is one, its n, its place."""

    text: str
    pieces: tuple[Piece, ...]
    chips: tuple[tuple[int, int, int], ...]


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


def chip_count(html: Markup) -> int:
    """Return how many chips a block has that may be marked."""
    return min(html.count('class="cite"'), CHIPS_MOST)


def cited(html: Markup, passages: Sequence[Passage], marks: Sequence[Mark | None] = ()) -> Markup:
    """An answer's block, its chips with what they cite: `data-s`, and for the preview title, place and sentence.

    `marks` are the verdicts on the chips' sentences, in the order of the chips; later chips have none yet.
    """
    if 'class="cite"' not in html:
        return html
    flow = _flow(str(html))
    pieces = [piece.html for piece in flow.pieces]
    for (at, number, _), claims, mark in zip_longest(flow.chips, _claims(flow), marks[: len(flow.chips)]):
        if number <= len(passages):
            pieces[at] = pieces[at][:-1] + _attributes(passages[number - 1], claims) + ">"
        if mark:
            pieces[at] = _marked(pieces[at], mark)
    return Markup("".join(pieces))


Standing = Literal["cites", "cites_nothing", "refuses"]


def standing(blocks: Sequence[Markup]) -> Standing:
    """Return whether an answer, given as blocks with their chips, cites passages, cites nothing or refuses."""
    said: list[tuple[str, bool]] = []
    for flow in (_flow(str(block)) for block in blocks):
        spans = sentences(flow.text)
        begins = [begin for begin, _ in spans]
        places = {_place(flow.text, spans, begins, at) for _, _, at in flow.chips}
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
        data["quote"] = quote if len(quote) <= QUOTE_CHARS else f"{quote[:QUOTE_CHARS].rpartition(' ')[0]} …"
    else:
        data["start"] = _read(cut.text[: 2 * START_CHARS])[:START_CHARS]
    return "".join(f' data-{name}="{escape(text)}"' for name, text in data.items() if text)


def _marked(chip: str, mark: Mark) -> str:
    """Return a chip's tag that says its verdict: to eyes by `data-v`, to ears in its name, why in the preview."""
    name = _LABEL.sub(lambda match: f'{match[1]}, {escape(mark.name)}"', chip, count=1)
    return f'{name[:-1]} data-v="{mark.label}" data-verdict="{escape(mark.name)}" data-why="{escape(mark.why)}">'


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
    for span, chips in groupby(flow.chips, key=lambda chip: _place(flow.text, spans, begins, chip[2])):
        places = [at for _, _, at in chips]
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
    flow = _flow(str(shown_text(text, matched)))
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


def _flow(html: str) -> Flow:
    pieces: list[Piece] = []
    chips: list[tuple[int, int, int]] = []
    said = _ReadText()
    silent: list[str] = []  # open elements whose text is not read, inside each other
    at, is_between = 0, False
    for tag in _TAG.finditer(html):
        _add_text(pieces, said, html[at : tag.start()], is_said=not silent and not is_between)
        closes, name = bool(tag[1]), tag[2].lower()
        chip = None if closes or 'class="cite' not in tag[0] else _NUMBER.search(tag[0])
        said.add(_before(name, said, closes=closes))
        if chip and len(chips) < CHIPS_MOST:
            chips.append((len(pieces), int(chip[1]), said.chars))
        if closes and silent and silent[-1] == name:
            silent.pop()
        elif not closes and (chip or silent or name in _UNSAID) and not tag[0].endswith("/>"):
            silent += [name] if chip or name in _UNSAID or silent[-1] == name else []
        pieces.append(Piece(tag[0], said.chars, said.chars))
        at, is_between = tag.end(), _is_between(name, html, tag.end())
    _add_text(pieces, said, html[at:], is_said=not silent and not is_between)
    return Flow("".join(said.texts), tuple(pieces), tuple(chips))


class _ReadText:
    """Collects the text that is read of some HTML."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.chars = 0
        self.end = ""  # its last two characters

    def add(self, text: str) -> None:
        self.texts.append(text)
        self.chars += len(text)
        self.end = (self.end + text)[-2:]


def _is_between(name: str, html: str, at: int) -> bool:
    """Whether nothing but a line end follows a block's tag."""
    return (
        (name in _BLOCKS or name in _CELLS) and html.startswith("\n", at) and html[at : at + 2].strip("\n") in ("", "<")
    )


def _add_text(pieces: list[Piece], said: _ReadText, html: str, *, is_said: bool) -> None:
    if html:
        text = unescape(html) if is_said else ""
        pieces.append(Piece(html, said.chars, said.chars + len(text)))
        said.add(text)


def _before(name: str, said: _ReadText, *, closes: bool) -> str:
    """Return the separator of two texts that a tag divides."""
    if name in _BLOCKS:
        return "" if said.end in ("", "\n\n") else "\n\n"
    if name in ("td", "th"):
        return "" if closes else "| "
    return {"br": "\n", "tr": " |\n" if closes else ""}.get(name, "")
