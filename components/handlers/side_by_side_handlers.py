"""Handles a click on a verdict: the sentence beside its passage, made when somebody looks at it."""

from __future__ import annotations

import gradio as gr

from components.handlers import browser_values
from components.handlers.chat_handlers import ChatHandlers
from components.handlers.page_state import Tab
from components.html.side_by_side import card, compared_at
from pipeline.errors import GlassboxError

NOTHING_SHOWN = ""


class SideBySideHandlers:
    """The handler of the comparison. A visitor sees the turns that the page shows them."""

    def __init__(self, chat: ChatHandlers) -> None:
        self._chat = chat

    async def compare(self, event: gr.EventData, tab: Tab, visitor: str) -> list[str]:
        """Return the number of the request and the card of a sentence; "" where there is none any more."""
        number = browser_values.name(event, "number")
        passage = browser_values.whole(browser_values.value(event, "passage"))
        try:
            view = await self._chat.view_of_turn(browser_values.name(event, "turn"), tab, visitor)
        except GlassboxError:
            return [number, NOTHING_SHOWN]
        compared = compared_at(view, browser_values.name(event, "check"), passage)
        return [number, card(compared) if compared else NOTHING_SHOWN]
