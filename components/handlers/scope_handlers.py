"""Handles which documents and collections the next questions of a page ask."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr

from components.handlers import browser_values
from components.handlers.choices import Choices
from components.handlers.page_state import Tab
from components.html.html_elements import Elements
from components.html.scope_chips import EVERYTHING, ChosenScope, scope_chips
from pipeline.retrieval.mentions import mentioned
from pipeline.turn import MOST_DOCUMENTS, AskOptions


class ScopeHandlers:
    """The handlers of the chips above the composer."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    async def show(self, tab: Tab, visitor: str) -> Elements:
        """Return the chips, without those of documents that are gone, and how many these are."""
        documents = await self._choices.documents(visitor, tab.profile)
        chosen, tab.scope = tab.scope, tab.scope.among(documents)
        return scope_chips(tab.scope, documents, chosen.count - tab.scope.count, tab.scope_restored)

    async def restore(self, event: gr.EventData, tab: Tab, visitor: str) -> Elements:
        """Choose what the browser has kept for the conversation that the page shows now."""
        tab.scope_restored = browser_values.name(event, "shows")
        collections, documents = (
            browser_values.texts(event, of, MOST_DOCUMENTS) for of in ("collections", "documents")
        )
        tab.scope = ChosenScope(collections, documents)
        return await self.show(tab, visitor)

    async def choose(self, event: gr.EventData, tab: Tab, visitor: str) -> Elements:
        """Choose a document or a collection, or no longer."""
        collection, document = (browser_values.name(event, of) for of in ("collection", "document"))
        tab.scope = tab.scope.toggled(collection, document)
        return await self.show(tab, visitor)

    async def only(self, event: gr.EventData, tab: Tab, visitor: str) -> Elements:
        """Choose one document or collection and nothing else."""
        tab.scope = EVERYTHING.toggled(browser_values.name(event, "collection"), browser_values.name(event, "document"))
        return await self.show(tab, visitor)

    async def clear(self, tab: Tab, visitor: str) -> Elements:
        """Ask all documents again."""
        tab.scope = EVERYTHING
        return await self.show(tab, visitor)


async def scoped(options: AskOptions, question: str, tab: Tab, visitor: str, choices: Choices) -> AskOptions:
    """Return the options narrowed to what is chosen above the composer.

    A turn's documents and collections narrow it together, while every chip adds to what is asked. So where both are
    chosen, a collection is named by its documents. A question with an `@name` asks that alone.
    """
    documents = await choices.documents(visitor, tab.profile) if tab.scope != EVERYTHING else ()
    scope = EVERYTHING if mentioned(question, documents) else tab.scope.among(documents)
    if not scope.documents:
        return replace(options, collections=scope.collections) if scope.collections else options
    return replace(options, documents=scope.ids(documents)[:MOST_DOCUMENTS])
