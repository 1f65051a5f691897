"""Keeps what was rendered of one turn, so that rendering its next view costs only what is new.

Whoever renders a turn repeatedly holds one cache for it; a view itself holds no HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, pairwise, takewhile
from operator import eq
from typing import Any, TypeVar, cast

from markupsafe import Markup

from components.html.citations import chip_count, cited
from components.html.markdown import HtmlBlocks
from components.html.verdict_marks import Mark, chip_marks
from components.view import Text, View
from pipeline.events import SentenceChecked, TurnFinished
from pipeline.passages import Passage

S = TypeVar("S")
T = TypeVar("T")


_Chips = tuple[Markup, tuple[Mark | None, ...]]  # a block, and the marks of its chips


@dataclass(slots=True)
class _Field:
    blocks: HtmlBlocks
    text: Text = field(default_factory=Text)
    is_final: bool = False
    chips: tuple[_Chips, ...] = ()
    cited: tuple[Markup, ...] = ()
    checks: tuple[SentenceChecked, ...] = ()
    template: Markup | None = None
    wrapped_from: tuple[Markup, ...] = ()
    wrapped: tuple[Markup, ...] = ()


class RenderCache:
    """The Markdown blocks of a turn's fields, which grow with its views."""

    def __init__(self) -> None:
        self._fields: dict[str, _Field] = {}
        self._made: dict[str, tuple[object, Any]] = {}

    def once(self, name: str, value: object, make: Callable[[], T]) -> T:
        """Return what `make` gave under that name; it is called again only when `value`, its input, has changed."""
        if name not in self._made or self._made[name][0] != value:
            self._made[name] = value, make()
        return cast("T", self._made[name][1])

    def blocks(self, view: View, name: str, part: Text | None = None) -> tuple[Markup, ...]:
        """Return a field of the view as HTML blocks; finished blocks are the same objects as before.

        `part` is another text of the view, which grows under that name as a field does. The end of a text that broke
        off is not shown where it is incomplete (half a citation, half a table row).
        """
        text = view.text(name) if part is None else part
        is_final = isinstance(view.ending, TurnFinished)
        known = self._fields.get(name)
        news = text.since(known.text) if known else None
        if known is None or news is None:
            known, news = _Field(HtmlBlocks(view.titles)), str(text)
            self._fields[name] = known
        elif not news and is_final == known.is_final and view.checks == known.checks:
            return known.cited
        known.blocks.add(news)
        known.text, known.is_final, known.checks = text, is_final, view.checks
        marks: tuple[Mark | None, ...] = ()
        if part is None:  # a sentence is complete less often than a text grows
            marks = self.once(f"marks of {name}", (view.checks, view.passages), lambda: chip_marks(view, name))
        chips = _with_marks(known.blocks.parts(final=is_final), marks)
        cites = partial(_cited, passages=view.passages)
        known.chips, known.cited = chips, _made(chips, known.chips, known.cited, cites)
        return known.cited

    def wrapped(self, view: View, name: str, template: Markup, part: Text | None = None) -> tuple[Markup, ...]:
        """Return `blocks`, each inside `template`; another template than before makes all of them anew."""
        blocks = self.blocks(view, name, part)
        known = self._fields[name]
        if known.template != template:
            known.template, known.wrapped_from, known.wrapped = template, (), ()
        if known.wrapped_from is not blocks:
            known.wrapped = _made(blocks, known.wrapped_from, known.wrapped, template.format)
            known.wrapped_from = blocks
        return known.wrapped


def _with_marks(blocks: Sequence[Markup], marks: Sequence[Mark | None]) -> tuple[_Chips, ...]:
    """Return each block with the marks of its chips; `marks` are those of all blocks."""
    ends = accumulate(map(chip_count, blocks), initial=0)
    return tuple((block, tuple(marks[begin:end])) for block, (begin, end) in zip(blocks, pairwise(ends), strict=True))


def _cited(chips: _Chips, passages: Sequence[Passage]) -> Markup:
    return cited(chips[0], passages, chips[1])


def _made(
    blocks: Sequence[S], before: Sequence[S], made: Sequence[Markup], make: Callable[[S], Markup]
) -> tuple[Markup, ...]:
    """Make something of each block; what `made` holds of the same blocks `before` is taken over."""
    same = sum(1 for _ in takewhile(bool, map(eq, blocks, before)))
    return (*made[:same], *map(make, blocks[same:]))
