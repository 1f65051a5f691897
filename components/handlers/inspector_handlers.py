"""Handles what the page shows of a turn's prompts and events, and of what would be sent."""

from __future__ import annotations

import time

import gradio as gr

from components.dialogs import inspector
from components.dialogs.inspector import Inspected
from components.handlers import browser_values
from components.handlers.chat_handlers import MAX_QUESTION_CHARS, ChatHandlers
from components.handlers.page_state import Tab
from components.html.html_elements import Elements
from i18n import text
from i18n.event_json import event_json
from i18n.messages import error_text
from pipeline.conversations.service import Conversations
from pipeline.errors import GlassboxError, NotFound
from pipeline.exchanges import PromptExchange
from pipeline.models.catalogue import Models
from pipeline.models.model_cards import ModelCard, card_of, endpoint_of
from pipeline.recording import language_of_turn, timed
from pipeline.replies.dspy_internals import history_text
from pipeline.request_copies import as_curl, as_python
from pipeline.turn import Turn
from pipeline.turns.engine import Pipeline

NO_COPY: list[str] = []


class InspectorHandlers:
    """The handlers of the drawer. A visitor sees the turns that `GET /api/turns/{id}/exchanges` shows them."""

    def __init__(
        self,
        pipeline: Pipeline,
        conversations: Conversations,
        models: Models,
        chat: ChatHandlers,
        retention_d: float,
    ) -> None:
        self._pipeline, self._conversations, self._models = pipeline, conversations, models
        self._chat, self._retention_d = chat, retention_d

    async def show(self, event: gr.EventData, tab: Tab, visitor: str) -> Elements:
        """Show one view of a turn: a call by its number, its events or its model."""
        number, first = browser_values.name(event, "number"), browser_values.whole(browser_values.value(event, "first"))
        try:
            inspected = await self._inspected(browser_values.name(event, "turn"), tab, visitor)
        except NotFound:
            return inspector.nothing(inspector.TITLE, text("inspector.missing"), number)
        except GlassboxError as error:
            return inspector.nothing(inspector.TITLE, error_text(error), number)
        view = inspector.shown_view(inspected, browser_values.name(event, "view"))
        return inspector.dialog(inspected, view, first or 0, number)

    async def preview(
        self, event: gr.EventData, question: str, tab: Tab, visitor: str, model: str, stored: object
    ) -> Elements:
        """Show what would be sent for the question in the composer, with the options as they are chosen."""
        title, number = text("preview.title"), browser_values.name(event, "number")
        question = browser_values.text(question, MAX_QUESTION_CHARS)
        if not question.strip():
            card = card_of(self._models, self._chat.choices.usable_model(model))
            return inspector.nothing(title, text("preview.blank"), number, card)
        try:
            request = await self._chat.request_for(question, tab, visitor, model, stored)
            prompt = await self._pipeline.preview(request)
        except GlassboxError as error:
            return inspector.nothing(title, error_text(error), number)
        tab.preview = prompt.exchange
        card = card_of(self._models, prompt.exchange.label)
        return inspector.preview(prompt, request.options.instructions or "", card, number)

    async def copy(self, event: gr.EventData, tab: Tab, visitor: str) -> list[str]:
        """Return the number of the request and the text to copy; nothing where there is none."""
        form, number = browser_values.name(event, "form"), browser_values.name(event, "number")
        turn_id, view = browser_values.name(event, "turn"), browser_values.name(event, "view")
        try:
            if form == inspector.EVENTS:
                return [number, _event_lines(await self._pipeline.turn(turn_id, visitor))]
            exchanges = await self._pipeline.exchanges(turn_id, visitor) if turn_id else ()
        except GlassboxError:
            return NO_COPY
        exchange = inspector.exchange_at(exchanges, view) if turn_id else tab.preview
        copied = self._copy(exchange, form) if exchange else None
        return NO_COPY if copied is None else [number, copied]

    def _copy(self, exchange: PromptExchange, form: str) -> str | None:
        if form == "dspy":
            return history_text(exchange)
        if form == "reply":
            return exchange.reply
        kind, _, place = form.partition("-")
        if kind == "message":
            at = browser_values.whole(place)
            return exchange.messages[at].content if at is not None and 0 <= at < len(exchange.messages) else None
        shows = self._pipeline.shows_addresses(is_local=browser_values.is_local())
        endpoint = endpoint_of(self._models, exchange.label, shows_address=shows, has_own_key=exchange.own_key)
        write = {"curl": as_curl, "python": as_python}.get(form)
        return write(exchange, endpoint) if write and endpoint else None

    async def _inspected(self, turn_id: str, tab: Tab, visitor: str) -> Inspected:
        """What is known of a turn. Raises NotFound, and StoreFault."""
        turn = await self._pipeline.turn(turn_id, visitor)
        exchanges = await self._pipeline.exchanges(turn_id, visitor)
        turns = await self._conversations.turns(turn.conversation_id, visitor)
        versions = await self._conversations.versions(turn.conversation_id, visitor)
        labels = dict.fromkeys(each.label or turn.model for each in exchanges) or {turn.model: None}
        cards: dict[str, ModelCard | None] = {label: card_of(self._models, label) for label in labels}
        return Inspected(
            turn=turn,
            exchanges=exchanges,
            events=timed(turn.record, turn.timings),
            place=next((at for at, each in enumerate(turns, 1) if each.id == turn_id), 1),
            versions=versions.get(turn_id, ()),
            cards=cards,
            minutes_west=tab.minutes_west,
            retention_d=self._retention_d,
            now_s=time.time(),
        )


def _event_lines(turn: Turn) -> str:
    """The events of a turn as the API writes them, one a line."""
    language = language_of_turn(turn.record)
    return "".join(f"{event_json(each, language).decode()}\n" for each in timed(turn.record, turn.timings))
