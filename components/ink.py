"""What of one turn's texts has been rendered already, so that a view costs only its news.

Kept by whoever renders a turn again and again; a view itself holds no HTML.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from components.citing import cited
from components.markdown import Blocks
from components.view import Text, View
from pipeline.events import TurnFinished

T = TypeVar("T")


@dataclass(slots=True)
class _Grown:
    blocks: Blocks
    text: Text = field(default_factory=Text)
    is_final: bool = False
    raw: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


class Ink:
    """The Markdown blocks of a turn's fields, growing with its views."""

    def __init__(self) -> None:
        self._fields: dict[str, _Grown] = {}
        self._made: dict[str, tuple[object, Any]] = {}

    def once(self, name: str, value: object, make: Callable[[], T]) -> T:
        """What was made of a value under that name, made again only when it is another object."""
        if name not in self._made or self._made[name][0] is not value:
            self._made[name] = value, make()
        return cast("T", self._made[name][1])

    def blocks(self, view: View, name: str) -> tuple[str, ...]:
        """A field of the view as HTML blocks; those that are finished come as the same objects again.

        A text that broke off keeps what never became whole (half a citation, half a table row) to itself.
        """
        text, is_final = view.text(name), isinstance(view.ending, TurnFinished)
        grown = self._fields.get(name)
        news = text.since(grown.text) if grown else None
        if grown is None or news is None:
            grown, news = _Grown(Blocks(view.titles)), str(text)
            self._fields[name] = grown
        elif not news and is_final == grown.is_final:
            return grown.parts
        grown.blocks.add(news)
        grown.text, grown.is_final = text, is_final
        raw = grown.blocks.parts(final=is_final)
        known = dict(zip(grown.raw, grown.parts, strict=True))
        grown.raw, grown.parts = raw, tuple(known.get(each) or cited(each, view.passages) for each in raw)
        return grown.parts
