"""Defines a pane: a module with a name, a title, what it shows before the first question, and what it shows of a turn.

A pane is a file in this folder and a name in `PANES`; the page, its tabs and its views of earlier turns follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from components.html.html_elements import Elements
from components.html.render_cache import RenderCache
from components.view import View
from pipeline.passages import ListedDocument
from pipeline.programs.profiles import Profile


@dataclass(frozen=True, slots=True)
class EmptyPage:
    """The facts known before the first question: the documents that can be asked, and what was chosen."""

    shared: Sequence[ListedDocument] = ()
    own: Sequence[ListedDocument] = ()
    model: str = ""
    profile: Profile | None = None


class Pane(Protocol):
    """A pane's module. The first element of what it returns is its head, where it stands beside the chat.

    While the head holds an element with the classes `state running`, the script keeps the end of the pane in sight.
    """

    @property
    def NAME(self) -> str:
        """Its element's id, and the name of its tab."""

    @property
    def TITLE(self) -> str:
        """Its title for people."""

    def empty(self, page: EmptyPage) -> Elements:
        """Return what it shows before the first question."""

    def render(self, view: View, cache: RenderCache) -> Elements:
        """Return what it shows of a turn that runs or has ended; `cache` belongs to that turn."""
