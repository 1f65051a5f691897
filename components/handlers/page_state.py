"""The state of one open page, what it asks with, and what changes on it, as values."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from components.handlers import browser_values
from components.html.html_elements import Elements
from components.html.scope_chips import EVERYTHING, ChosenScope
from components.preferences import Preferences, preferences_of
from i18n import text
from pipeline.exchange_costs import NO_COST, Cost
from pipeline.exchanges import PromptExchange

NEW_CHAT = text("chat.new")
START_WAIT_S = 10.0  # how long a follower waits for the turn of its question


@dataclass(slots=True)
class Tab:
    """The state of one open page. It lives as long as the page and is never shared."""

    conversation_id: str | None = None
    turn_id: str | None = None  # the running turn, or the last one that ran
    is_read_only: bool = False  # the conversation is nobody's: asking begins another one
    title: str = NEW_CHAT
    last_question: str = ""
    replaces: str | None = None  # the turn that is being edited
    path: tuple[str, ...] = ()  # the turns that are shown, the first one first
    seen: frozenset[str] = frozenset()  # all turns of its conversation that this page has shown
    place: int = 1  # of the running turn in its conversation
    minutes_west: int = 0
    cost: Cost = NO_COST  # of its conversation
    profile: str | None = None  # that is chosen
    scope: ChosenScope = EVERYTHING  # what the next question asks
    scope_restored: str = ""  # the last of `shows` whose scope came from the browser
    shows: int = 0  # how often the page was given a conversation, or the empty page, to show
    followed: int = 0  # counts up whenever the page shows something else; earlier followers end then
    is_asking: bool = False
    was_busy: bool = False  # the last notice said that an answer is still being written
    preview: PromptExchange | None = None  # the last prompt that was shown before it was sent
    handled: str = ""  # the last numbered question that was started or refused
    handled_changed: asyncio.Event = field(default_factory=asyncio.Event)

    def mark_handled(self, number: str) -> None:
        """Wake the follower that came with that question."""
        self.handled = number
        self.handled_changed.set()

    async def wait_handled(self, number: str) -> None:
        """Return when that question was started or refused, after `START_WAIT_S` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(START_WAIT_S):
                while self.handled != number:
                    self.handled_changed.clear()
                    await self.handled_changed.wait()


@dataclass(frozen=True, slots=True)
class Asking:
    """The page's choices for a question: the chosen model, the preferences, and the number of the question.

    A question with a number has a follower already, which draws the panes. `own_key` is the visitor's key for the
    model, as it was typed, "" where there is none.
    """

    model: str
    preferences: Preferences
    number: str = ""
    own_key: str = field(default="", repr=False)


def asking_of(model: str, stored: object) -> Asking:
    """Read what came from the browser; what is of no use is left out."""
    values = stored if isinstance(stored, Mapping) else {}
    own_key = values.get("own_key")
    return Asking(
        model,
        preferences_of(stored),
        browser_values.text(values.get("question")),
        own_key if isinstance(own_key, str) else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageUpdate:
    """The changes of the page; None, or a name that is missing in a mapping, changes nothing.

    `panes` and `earlier` go by the names of panes; an earlier turn's value is its id, then the pane's elements.
    """

    bar: Elements | None = None
    notice: Elements | None = None
    conversations: Elements | None = None
    thread: Elements | None = None
    panes: Mapping[str, Elements] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[str]] = field(default_factory=dict)
    question: str | None = None  # in the composer
    feedback: Sequence[str] | None = None  # what was said of an answer: the number of the event, the turn, the element
    visitor: str | None = None
    account: Elements | None = None
    model: str | None = None  # that the browser remembers
    stored: Mapping[str, Any] | None = None  # the preferences that the browser remembers
    profiles: Elements | None = None  # their picker; [] where there is nothing to choose
    picker: Elements | None = None
    hint: Elements | None = None
    is_language_model: bool | None = None
    preferences: Mapping[str, Any] = field(default_factory=dict)  # by the names of `Sidebar.preferences`
    offered: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # what else changes of these components
    typed_model: str | None = None
