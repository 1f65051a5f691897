"""What the page of evaluations does: starts, shows, compares, stops and resumes them, and takes question sets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import gradio as gr

from components.handlers import browser_values
from components.html.evaluation_page import Shown, evaluation_page
from components.html.html_elements import Elements
from i18n.program_texts import program_title
from pipeline.conversations.service import Conversations
from pipeline.errors import GlassboxError, NotFound
from pipeline.experiments.evaluation import OVER
from pipeline.experiments.evaluations import Evaluations, Progress
from pipeline.experiments.export import csv_file
from pipeline.experiments.question_sets import BUNDLED, QuestionSets
from pipeline.experiments.questions import SET_CHARS_MOST
from pipeline.models.catalogue import Models
from pipeline.options import checked
from pipeline.programs.registry import ProgramSpec
from pipeline.turn import AskOptions, TurnRequest

EVERY_S = 0.5  # between two views of an evaluation that runs


@dataclass(slots=True)
class EvaluateTab:
    """What one tab shows: the ids of the evaluation and of the earlier one. `view` counts what was opened since."""

    view: int = 0
    id: str = ""
    against: str = ""
    chosen_set: str = BUNDLED


@dataclass(frozen=True, slots=True)
class EvaluateUpdate:
    """What changes on the page; `said` is for the script: a name and a value."""

    page: Elements | None = None
    said: tuple[str, str, str] | None = None


Updates = AsyncGenerator[EvaluateUpdate, None]


class EvaluateHandlers:
    """The handlers of the page."""

    def __init__(
        self,
        evaluations: Evaluations,
        sets: QuestionSets,
        conversations: Conversations,
        models: Models,
        programs: Mapping[str, ProgramSpec],
    ) -> None:
        self._evaluations, self._sets, self._conversations = evaluations, sets, conversations
        self._models, self._programs = models, programs

    async def load(self, tab: EvaluateTab, visitor: str) -> Updates:
        """Show the latest evaluation."""
        runs = await self._evaluations.list(visitor)
        tab.id = runs[0][0].id if runs else ""
        async with aclosing(self._show(tab, visitor)) as updates:
            async for update in updates:
                yield update

    async def run(self, tab: EvaluateTab, visitor: str, event: gr.EventData) -> Updates:
        """Begin an evaluation of the setting that was chosen."""
        name, mode = browser_values.name(event, "questions"), browser_values.name(event, "mode")
        tab.chosen_set, fault = name, None
        given = {
            "passages_wanted": browser_values.whole(browser_values.value(event, "passages_wanted")) or 4,
            "program": browser_values.name(event, "program") or None,
            **({"mode": mode} if mode else {}),
        }
        try:
            options = checked(AskOptions(**given))  # type: ignore[arg-type]
            chosen = await self._sets.named(name, visitor)
            request = TurnRequest(
                "",
                options=options,
                given=frozenset(given),
                visitor=visitor,
                model=browser_values.name(event, "model") or None,
                address=browser_values.address(),
                is_local=browser_values.is_local(),
            )
            begun = await self._evaluations.start(chosen.questions, request, title=chosen.title, set_name=chosen.name)
            runs = [each for each, _ in await self._evaluations.list(visitor) if each.questions == begun.questions]
            tab.id, tab.against = begun.id, next((each.id for each in runs if each.id != begun.id), "")
        except GlassboxError as error:
            fault = error
        async with aclosing(self._show(tab, visitor, fault)) as updates:
            async for update in updates:
                yield update

    async def open(self, tab: EvaluateTab, visitor: str, event: gr.EventData) -> Updates:
        """Show another evaluation, or compare it with another one."""
        tab.id, tab.against = browser_values.name(event, "id"), browser_values.name(event, "against")
        tab.against = "" if tab.against == tab.id else tab.against
        async with aclosing(self._show(tab, visitor)) as updates:
            async for update in updates:
                yield update

    async def bring(self, tab: EvaluateTab, visitor: str, event: gr.EventData) -> EvaluateUpdate:
        """Take a question set."""
        fault = None
        try:
            written = browser_values.text(browser_values.value(event, "text"), SET_CHARS_MOST)
            tab.chosen_set = (await self._sets.add(visitor, browser_values.name(event, "title"), written)).name
        except GlassboxError as error:
            fault = error
        return EvaluateUpdate(await self._page(tab, visitor, await self._found(tab, visitor), fault=fault))

    async def stop(self, tab: EvaluateTab, visitor: str) -> None:
        """Stop the evaluation that is shown; its view follows."""
        try:
            await self._evaluations.stop(tab.id, visitor)
        except NotFound:
            return

    async def resume(self, tab: EvaluateTab, visitor: str) -> Updates:
        """Go on with the evaluation that is shown."""
        fault = None
        request = TurnRequest("", visitor=visitor, address=browser_values.address(), is_local=browser_values.is_local())
        try:
            await self._evaluations.resume(tab.id, request)
        except GlassboxError as error:
            fault = error
        async with aclosing(self._show(tab, visitor, fault)) as updates:
            async for update in updates:
                yield update

    async def export(self, tab: EvaluateTab, visitor: str) -> EvaluateUpdate:
        """Give the rows as a file."""
        found = await self._found(tab, visitor)
        if found is None:
            return EvaluateUpdate()
        return EvaluateUpdate(said=("file", csv_file(found.evaluation, found.rows), f"{time.time()}"))

    async def open_turn(self, tab: EvaluateTab, visitor: str, event: gr.EventData) -> EvaluateUpdate:
        """Let the chat show a turn."""
        turn_id = browser_values.name(event, "turn")
        try:
            turn = await self._conversations.turn(turn_id, visitor)
            await self._conversations.activate(turn_id, visitor)
        except GlassboxError:
            return EvaluateUpdate()
        return EvaluateUpdate(said=("turn", turn.conversation_id, f"{time.time()}"))

    async def _show(self, tab: EvaluateTab, visitor: str, fault: GlassboxError | None = None) -> Updates:
        """Show what the tab has chosen, until it ends or the tab chooses something else."""
        tab.view += 1
        mine, began_s, first = tab.view, time.monotonic(), None
        found = await self._found(tab, visitor)
        if found is None:
            yield EvaluateUpdate(await self._page(tab, visitor, None, fault=fault))
            return
        async with aclosing(self._evaluations.states(tab.id, visitor)) as states:
            async for state in states:
                if tab.view != mine:
                    return
                if state is None:
                    continue
                first = len(state.rows) if first is None else first
                asked, left = len(state.rows) - first, state.evaluation.total - len(state.rows)
                eta_s = (time.monotonic() - began_s) / asked * left if asked else None
                yield EvaluateUpdate(await self._page(tab, visitor, state, eta_s=eta_s, fault=fault))
                if state.evaluation.state not in OVER:
                    await asyncio.sleep(EVERY_S)

    async def _found(self, tab: EvaluateTab, visitor: str) -> Progress | None:
        if not tab.id:
            return None
        try:
            return await self._evaluations.find(tab.id, visitor)
        except NotFound:
            return None

    async def _page(
        self,
        tab: EvaluateTab,
        visitor: str,
        found: Progress | None,
        *,
        eta_s: float | None = None,
        fault: GlassboxError | None = None,
    ) -> Elements:
        earlier = None
        if tab.against:
            try:
                earlier = await self._evaluations.find(tab.against, visitor)
            except NotFound:
                tab.against = ""
        return evaluation_page(
            Shown(
                sets=await self._sets.list(visitor),
                models=[each.label for each in self._models.choices],
                programs=[(name, program_title(each)) for name, each in self._programs.items()],
                runs=await self._evaluations.list(visitor),
                found=found,
                earlier=earlier,
                chosen_set=tab.chosen_set,
                fault=fault,
                eta_s=eta_s,
            )
        )
