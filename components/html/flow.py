"""HTML that `components/html/markdown.py` made, as it is read: its text, and where its tags and chips stand. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import NamedTuple

from markupsafe import Markup

from pipeline.passages import Span

CHIPS_MOST = (
    300  # of one block; a model that cites more than that repeats itself, and the rest lead to their cards only
)

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*>")
_NUMBER = re.compile(r' data-n="(\d+)"')
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
_LETTERS = re.compile(r"[^\W_]+")
_SIGNS_BEHIND = re.compile(r"(?:[\u202f\u2060]*[^\w\s\u2060|])*")


class Piece(NamedTuple):
    """A tag, or a stretch of text that stands at [start, end) of what is read; a tag has no length.

    `is_formula`: nothing may be put around a part of it.
    """

    html: str
    start: int
    end: int
    is_formula: bool = False


class Chip(NamedTuple):
    """A citation: which piece opens and which closes its element, its number, and its place in what is read."""

    opens: int
    closes: int
    number: int
    place: int


@dataclass(frozen=True, slots=True)
class Flow:
    """HTML as what is read: blocks apart, table rows with their bars, chips without their numbers."""

    text: str
    pieces: tuple[Piece, ...]
    chips: tuple[Chip, ...]


class ReadBlock:
    """A block of an answer, with what is read of it, which is made when it is asked for."""

    def __init__(self, html: Markup) -> None:
        self.html = html

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReadBlock) and self.html == other.html

    __hash__ = None  # type: ignore[assignment]  # it is compared, and is no key

    @cached_property
    def flow(self) -> Flow:
        """The block as it is read."""
        return flow_of(str(self.html))

    @cached_property
    def letters(self) -> str:
        """Its letters and digits; code has no sentences."""
        return "" if self.html.startswith(('<div class="code"', "<pre")) else letters_of(self.flow.text)

    @property
    def chip_count(self) -> int:
        """How many chips it has that may be marked."""
        return min(self.html.count('class="cite"'), CHIPS_MOST)

    def place_of(self, begin: int, end: int) -> Span:
        """Return where letters [begin, end) stand in what is read, with the punctuation behind them."""
        first = last = at = 0
        for run in _LETTERS.finditer(self.flow.text):
            size = run.end() - run.start()
            if at <= begin < at + size:
                first = run.start() + begin - at
            if at < end <= at + size:
                last = run.start() + end - at
                break
            at += size
        signs = _SIGNS_BEHIND.match(self.flow.text, last)
        return first, signs.end() if signs else last


def letters_of(text: str) -> str:
    """Return the letters and digits of a text: what Markdown and its HTML have in common."""
    return "".join(_LETTERS.findall(text))


def flow_of(html: str) -> Flow:
    """Return HTML as it is read."""
    pieces: list[Piece] = []
    chips: list[Chip] = []
    said = _ReadText()
    silent: list[str] = []  # open elements whose text is not read, inside each other
    at, is_between, is_formula, opened = 0, False, False, (-1, 0, 0)
    for tag in _TAG.finditer(html):
        text = html[at : tag.start()]
        _add_text(pieces, said, text, is_said=not silent and not is_between, is_formula=is_formula)
        closes, name = bool(tag[1]), tag[2].lower()
        is_formula = not closes if name == "math" else is_formula
        chip = None if closes or 'class="cite' not in tag[0] else _NUMBER.search(tag[0])
        said.add(_before(name, said, closes=closes))
        if chip and len(chips) < CHIPS_MOST:
            opened = len(pieces), int(chip[1]), said.chars
        elif closes and name == "a" and opened[0] >= 0:
            chips.append(Chip(opened[0], len(pieces), opened[1], opened[2]))
            opened = (-1, 0, 0)
        if closes and silent and silent[-1] == name:
            silent.pop()
        elif not closes and (chip or silent or name in _UNSAID) and not tag[0].endswith("/>"):
            silent += [name] if chip or name in _UNSAID or silent[-1] == name else []
        pieces.append(Piece(tag[0], said.chars, said.chars))
        at, is_between = tag.end(), _is_between(name, html, tag.end())
    _add_text(pieces, said, html[at:], is_said=not silent and not is_between, is_formula=is_formula)
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


def _add_text(pieces: list[Piece], said: _ReadText, html: str, *, is_said: bool, is_formula: bool) -> None:
    if html:
        text = unescape(html) if is_said else ""
        pieces.append(Piece(html, said.chars, said.chars + len(text), is_formula))
        said.add(text)


def _before(name: str, said: _ReadText, *, closes: bool) -> str:
    """Return the separator of two texts that a tag divides."""
    if name in _BLOCKS:
        return "" if said.end in ("", "\n\n") else "\n\n"
    if name in ("td", "th"):
        return "" if closes else "| "
    return {"br": "\n", "tr": " |\n" if closes else ""}.get(name, "")
