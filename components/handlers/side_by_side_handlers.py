"""Handles what people look at and ask about the verdicts: a sentence beside its passage, and inquiries to a model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import gradio as gr

from components.handlers import browser_values
from components.handlers.chat_handlers import ChatHandlers
from components.handlers.page_state import Asking, Tab, asking_of
from components.html.inquiries import SecondOpinion, StandsOn, second_opinion
from components.html.side_by_side import Compared, card, compared_at
from components.view import View
from i18n import available
from i18n.messages import error_text
from pipeline.errors import GlassboxError
from pipeline.inquiries.counterfactuals import Counterfactuals
from pipeline.inquiries.results import Counterfactual, SecondCheck
from pipeline.inquiries.running import Inquiry
from pipeline.inquiries.second_checks import SecondChecks
from pipeline.inquiries.service import Inquiries
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import TurnRequest, visitor_or_none
from pipeline.turns.verdict_reporting import VerdictReports

NOTHING_SHOWN = ""
MOST_TURNS = 200  # of a page, whose second checks are asked for at once

S = TypeVar("S", Counterfactual, SecondCheck)


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """What can be said and asked about verdicts."""

    reports: VerdictReports
    inquiries: Inquiries
    counterfactuals: Counterfactuals
    second_checks: SecondChecks


class SideBySideHandlers:
    """The handlers of the card and of inquiries. A visitor sees the turns that the page shows them.

    What is returned for the card begins with the number of the request, and what is for answers with a turn's id.
    """

    def __init__(self, chat: ChatHandlers, about: AskedAbout) -> None:
        self._chat, self._about = chat, about

    async def compare(self, event: gr.EventData, tab: Tab, visitor: str) -> list[str]:
        """Return the card of a sentence; "" where there is none any more."""
        compared = await self._compared(event, tab, visitor)
        return [browser_values.name(event, "number"), card(compared) if compared else NOTHING_SHOWN]

    async def report(self, event: gr.EventData, tab: Tab, visitor: str) -> list[str]:
        """Keep the verdict of the card as a wrong one, or no longer, and return the card. Raises GlassboxError."""
        compared = await self._compared(event, tab, visitor)
        if compared and compared.is_reported is not None:
            turn_id, check, is_wrong = compared.view.turn_id, compared.check, browser_values.value(event, "is_wrong")
            change = self._about.reports.add if is_wrong is True else self._about.reports.remove
            await change(visitor_or_none(visitor), turn_id, check.field, check.index)
            compared = replace(compared, is_reported=is_wrong is True)
        return [browser_values.name(event, "number"), card(compared) if compared else NOTHING_SHOWN]

    async def ask_what_it_stands_on(
        self, event: gr.EventData, tab: Tab, visitor: str, model: str, stored: object
    ) -> AsyncGenerator[list[str], None]:
        """Ask which passage the sentence of the card stands on; yield the card with each state of the inquiry."""
        number, compared = browser_values.name(event, "number"), await self._compared(event, tab, visitor)
        if compared is None or compared.asked is None:
            yield [number, card(compared) if compared else NOTHING_SHOWN]
            return
        asked, check = compared.asked, compared.check
        label = asked.price.model if asked.price else ""
        try:
            request = self._request(visitor, asking_of(model, stored), label)
            inquiry = await self._about.counterfactuals.ask(request, compared.view.turn_id, check.field, check.index)
        except GlassboxError as error:
            refused = replace(asked, found=None, refusal=error_text(error, compared.language))
            yield [number, card(replace(compared, asked=refused))]
            return
        async with aclosing(_states(inquiry)) as states:
            async for state, is_stopped in states:
                yield [number, card(replace(compared, asked=replace(asked, found=state, is_stopped=is_stopped)))]

    async def stop(self, event: gr.EventData, visitor: str) -> None:
        """Ask nothing more about a turn."""
        with suppress(GlassboxError):  # there is no such turn any more
            await self._about.inquiries.stop(visitor_or_none(visitor), browser_values.name(event, "turn"))

    async def second_checks(self, event: gr.EventData, tab: Tab, visitor: str, model: str, stored: object) -> list[str]:
        """Return for turns what a model can be asked about their weak sentences, or has said."""
        turns = browser_values.value(event, "turns")
        names = [browser_values.text(each) for each in turns[:MOST_TURNS]] if isinstance(turns, list) else []
        label, shown = self._judge(asking_of(model, stored)), list[str]()
        for name in names:
            try:
                view = await self._chat.view_of_turn(name, tab, visitor)
            except GlassboxError:
                continue
            shown += [name, second_opinion(view, await self._opinion(view, visitor, label))]
        return shown

    async def second_check(
        self, event: gr.EventData, tab: Tab, visitor: str, model: str, stored: object
    ) -> AsyncGenerator[list[str], None]:
        """Ask a model about the weak sentences of an answer; yield what is shown under it with each state."""
        name, asking = browser_values.name(event, "turn"), asking_of(model, stored)
        label = browser_values.name(event, "model") or self._judge(asking)
        try:
            view = await self._chat.view_of_turn(name, tab, visitor)
        except GlassboxError:
            yield [name, NOTHING_SHOWN]
            return
        opinion = await self._opinion(view, visitor, label)
        try:
            inquiry = await self._about.second_checks.ask(self._request(visitor, asking, label), view.turn_id)
        except GlassboxError as error:
            said = error_text(error, available(view.language))
            yield [name, second_opinion(view, replace(opinion, found=None, refusal=said))]
            return
        async with aclosing(_states(inquiry)) as states:
            async for state, is_stopped in states:
                yield [name, second_opinion(view, replace(opinion, found=state, is_stopped=is_stopped))]

    async def _compared(self, event: gr.EventData, tab: Tab, visitor: str) -> Compared | None:
        passage = browser_values.whole(browser_values.value(event, "passage"))
        try:
            view = await self._chat.view_of_turn(browser_values.name(event, "turn"), tab, visitor)
        except GlassboxError:
            return None
        compared = compared_at(view, browser_values.name(event, "check"), passage)
        if compared is None or view.ending is None:
            return compared
        is_reported = None if tab.is_read_only else await self._is_reported(compared, visitor)
        return replace(compared, is_reported=is_reported, asked=await self._stands_on(compared, visitor))

    async def _is_reported(self, compared: Compared, visitor: str) -> bool | None:
        try:
            reported = await self._about.reports.of_turn(visitor_or_none(visitor), compared.view.turn_id)
        except GlassboxError:
            return None
        return (compared.check.field, compared.check.index) in reported

    async def _stands_on(self, compared: Compared, visitor: str) -> StandsOn | None:
        """Return the inquiry about a sentence; None where nothing is known and nothing can be asked."""
        of = visitor_or_none(visitor), compared.view.turn_id, compared.check.field, compared.check.index
        try:
            found = await self._about.counterfactuals.known(*of)
        except GlassboxError:
            return None
        try:
            return StandsOn(await self._about.counterfactuals.price(*of), found)
        except GlassboxError:
            return StandsOn(None, found) if found else None

    async def _opinion(self, view: View, visitor: str, label: str) -> SecondOpinion:
        owner = visitor_or_none(visitor)
        try:
            found = await self._about.second_checks.known(owner, view.turn_id)
            judge = found.model if found else label
            if not judge:
                return SecondOpinion(None)
            price = await self._about.second_checks.price(owner, view.turn_id, judge)
        except GlassboxError:
            return SecondOpinion(None)
        return SecondOpinion(price, found, rates=self._about.second_checks.rates(judge))

    def _judge(self, asking: Asking) -> str:
        """Return the label of the model that is asked: of CHECK_MODEL, else the chosen one; "" where none can judge."""
        label = self._about.second_checks.model or self._chat.choices.usable_model(asking.model)
        return "" if label == BUILTIN_MODEL else label

    def _request(self, visitor: str, asking: Asking, label: str) -> TurnRequest:
        """Return who asks that model, with their own key where it is for the model. Raises Refused."""
        is_chosen = label == self._chat.choices.usable_model(asking.model)
        return TurnRequest(
            "",
            visitor=visitor_or_none(visitor),
            model=label,
            model_key=self._chat.choices.own_key(replace(asking, model=label)) if is_chosen else None,
            address=browser_values.address(),
            is_local=browser_values.is_local(),
        )


async def _states(inquiry: Inquiry[S]) -> AsyncGenerator[tuple[S, bool], None]:
    """Iterate over the states of an inquiry; the last one of a stopped one comes again, as that of a stopped one."""
    async with aclosing(inquiry.states()) as states:
        async for state in states:
            if state is not None:
                yield state, False
    if not inquiry.state.is_over:
        yield inquiry.state, True
