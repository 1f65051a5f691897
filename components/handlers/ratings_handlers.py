"""Handles the events of the page of ratings: showing them, changing one, files of all, instructions that are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.handlers import browser_values
from components.html.html_elements import Elements, notice
from components.html.ratings import elements, prompts_table
from i18n import text
from i18n.messages import error_text
from pipeline.conversations.rating_rows import csv_file, json_lines
from pipeline.conversations.service import Conversations
from pipeline.errors import GlassboxError
from pipeline.experiments.prompt_results import PromptResults
from pipeline.turn import visitor_or_none


@dataclass(frozen=True, slots=True)
class RatingsUpdate:
    """The changes of the page; None changes nothing. `file` is the number of the event, a name and a content."""

    rated: Elements | None = None
    prompts: Elements | None = None
    notice: Elements | None = None
    file: list[str] | None = None
    stored: Mapping[str, Any] | None = None


class RatingsHandlers:
    """The handlers of the page's events. A visitor sees their own ratings alone."""

    def __init__(self, conversations: Conversations, prompts: PromptResults) -> None:
        self._conversations, self._prompts = conversations, prompts

    async def load(self, visitor: str) -> RatingsUpdate:
        """Show all of it."""
        try:
            turns = await self._conversations.rated(visitor_or_none(visitor))
            used = await self._prompts.of_visitor(visitor_or_none(visitor))
        except GlassboxError as error:
            return _refused(error)
        return RatingsUpdate(elements(turns), prompts_table(used), [])

    async def save(self, event: gr.EventData, visitor: str) -> RatingsUpdate:
        """Change what was said of an answer, or with the rating 0 take all of it back."""
        said = {name: browser_values.value(event, name) for name in ("comment", "corrected", "tags")}
        comment, corrected, tags = (each if isinstance(each, str) else None for each in said.values())
        turn_id, is_removed = browser_values.name(event, "turn"), browser_values.value(event, "rating") == 0
        try:
            turn = await self._conversations.turn(turn_id, visitor_or_none(visitor))
            await self._conversations.rate(
                turn.id,
                visitor_or_none(visitor),
                0 if is_removed else turn.rating,
                comment=comment,
                corrected=corrected,
                tags=None if tags is None else tuple(tags.split(",")),
            )
        except GlassboxError as error:
            return _refused(error)
        return await self.load(visitor)

    async def file(self, event: gr.EventData, visitor: str) -> RatingsUpdate:
        """Give all ratings as a file."""
        try:
            turns = await self._conversations.rated(visitor_or_none(visitor))
        except GlassboxError as error:
            return _refused(error)
        is_csv = browser_values.name(event, "as") == "csv"
        name, content = ("ratings.csv", csv_file(turns)) if is_csv else ("ratings.jsonl", json_lines(turns).decode())
        return RatingsUpdate(file=[browser_values.name(event, "number"), name, content])

    async def use(self, event: gr.EventData, visitor: str, stored: object) -> RatingsUpdate:
        """Make instructions those of the chat."""
        wanted, known = browser_values.name(event, "hash"), stored if isinstance(stored, Mapping) else {}
        try:
            used = await self._prompts.of_visitor(visitor_or_none(visitor))
        except GlassboxError as error:
            return _refused(error)
        chosen = next((prompt.text for prompt, _ in used if prompt.hash == wanted), None)
        if chosen is None:
            return RatingsUpdate()
        said = [notice("calm", "", text("ratings.used"), [], "good")]
        return RatingsUpdate(stored={**known, "instructions": chosen}, notice=said)


def _refused(error: GlassboxError) -> RatingsUpdate:
    return RatingsUpdate(notice=[notice("bad", "", error_text(error), [])])
