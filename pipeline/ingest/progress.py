"""What share of a file has been read. Readers tell it; the child sends it to its parent; elsewhere nobody hears it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

EXTRACTED = 0.8  # the share that is read once the text is there; the rest is cutting it
Hear = Callable[[float], None]
T = TypeVar("T")

_hear: ContextVar[Hear | None] = ContextVar("hear", default=None)


def tell_to(hear: Hear) -> None:
    """Let `hear` be called with each share that readers tell from now on."""
    _hear.set(hear)


def tell(share: float) -> None:
    """Tell that this share of a file has been read."""
    if hear := _hear.get():
        hear(share)


def told(items: Iterable[T], of: int) -> Iterator[T]:
    """Iterate over the `of` parts that a text is extracted from, and tell how many have been."""
    for place, item in enumerate(items):
        tell(EXTRACTED * place / of)
        yield item
