"""Keeps what was rendered of one turn, so that rendering its next view costs only what is new.

Whoever renders a turn repeatedly holds one cache for it; a view itself holds no HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, pairwise, takewhile
from operator import eq
from types import MappingProxyType
from typing import Any, TypeVar, cast

from markupsafe import Markup

from components.html import doubted_sentences
from components.html.citations import cited
from components.html.flow import ReadBlock
from components.html.markdown import HtmlBlocks
from components.html.verdict_marks import Doubt, FieldMarks, Mark
from components.view import Text, View
from pipeline.events import SentenceChecked, TurnFinished
from pipeline.passages import Passage

S = TypeVar("S")
T = TypeVar("T")


_Marked = tuple[ReadBlock, tuple[Mark | None, ...], tuple[Doubt, ...]]  # a block, the marks of its chips, its doubts


@dataclass(slots=True)
class _Field:
    blocks: HtmlBlocks
    marks: FieldMarks
    text: Text = field(default_factory=Text)
    is_final: bool = False
    parts: tuple[Markup, ...] = ()
    read: tuple[ReadBlock, ...] = ()
    doubts_in: Sequence[tuple[Doubt, ...]] = ()  # by blocks
    placed: tuple[object, ...] = ()  # what `doubts_in` was made for
    marked: tuple[_Marked, ...] = ()
    cited: tuple[Markup, ...] = ()
    checks: tuple[SentenceChecked, ...] = ()
    template: Markup | None = None
    wrapped_from: tuple[Markup, ...] = ()
    wrapped: tuple[Markup, ...] = ()


class RenderCache:
    """The Markdown blocks of a turn's fields, which grow with its views."""

    def __init__(self, doubts: Mapping[str, Sequence[Doubt]] = MappingProxyType({})) -> None:
        """`doubts` are the sentences that are marked in a field, in place of those whose verdicts are doubtful."""
        self._doubts = doubts
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
            known, news = _Field(HtmlBlocks(view.titles), FieldMarks(name)), str(text)
            self._fields[name] = known
        elif not news and is_final == known.is_final and view.checks == known.checks:
            return known.cited
        known.blocks.add(news)
        known.text, known.is_final, known.checks = text, is_final, view.checks
        if part is None:
            known.marks.update(view)
            known.marks.doubts = list(self._doubts.get(name, known.marks.doubts))
        parts = known.blocks.parts(final=is_final)
        known.parts, known.read = parts, _made(parts, known.parts, known.read, ReadBlock)
        marked = _marked(known)
        cites = partial(_cited, passages=view.passages)
        known.marked, known.cited = marked, _made(marked, known.marked, known.cited, cites)
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


def _marked(known: _Field) -> tuple[_Marked, ...]:
    """Return each block with the marks of its chips and with its doubtful sentences."""
    doubts = tuple(known.marks.doubts)
    places = doubts, len(known.read), known.is_final
    if places != known.placed:  # a sentence is complete less often than a text grows
        known.placed, known.doubts_in = places, doubted_sentences.by_block(known.read, doubts)
    ends = accumulate((block.chip_count for block in known.read), initial=0)
    chips = (tuple(known.marks.chips[begin:end]) for begin, end in pairwise(ends))
    return tuple(zip(known.read, chips, known.doubts_in, strict=True))


def _cited(marked: _Marked, passages: Sequence[Passage]) -> Markup:
    block, marks, doubts = marked
    return cited(block, passages, marks, doubts)


def _made(blocks: Sequence[S], before: Sequence[S], made: Sequence[T], make: Callable[[S], T]) -> tuple[T, ...]:
    """Make something of each block; what `made` holds of the same blocks `before` is taken over."""
    same = sum(1 for _ in takewhile(bool, map(eq, blocks, before)))
    return (*made[:same], *map(make, blocks[same:]))
