"""Handles the page of optimisations: what is chosen, estimated, started, followed, stopped, used and undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from components.handlers import browser_values
from components.html.html_elements import Elements
from components.html.optimisation import estimate_line, form, refusal, result, run, thumbs
from i18n.messages import error_text
from i18n.program_texts import program_title
from pipeline.conversations.service import Conversations
from pipeline.errors import GlassboxError
from pipeline.experiments.question_sets import BUNDLED, QuestionSets
from pipeline.experiments.questions import Question
from pipeline.models.catalogue import Models
from pipeline.optimisation.service import Optimisations
from pipeline.optimisation.values import CALLS_DEFAULT, CALLS_MOST, Optimisation, Plan
from pipeline.optimisation.wire import OPTIMIZERS
from pipeline.programs.saved_programs import SavedPrograms
from pipeline.turn import TurnRequest

PACE_S = 0.25  # between two views of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimiseUpdate:
    """What changes on the page; None leaves a part as it is."""

    thumbs: Elements | None = None
    run: Elements | None = None
    note: Elements | None = None
    result: Elements | None = None
    stored: Mapping[str, Any] | None = None  # the chat's preferences, as the browser keeps them


class OptimiseHandlers:
    """The handlers, one method for each event. `visitor` is the token of the browser."""

    def __init__(
        self,
        optimisations: Optimisations,
        sets: QuestionSets,
        conversations: Conversations,
        models: Models,
        programs: SavedPrograms,
    ) -> None:
        self._optimisations, self._sets, self._conversations = optimisations, sets, conversations
        self._models, self._programs = models, programs

    async def load(self, visitor: str) -> AsyncGenerator[OptimiseUpdate, None]:
        """Show the thumbs, and the latest run or the form."""
        try:
            rated = await self._conversations.rated(visitor)
            known = await self._optimisations.of(visitor)
        except GlassboxError as error:
            yield OptimiseUpdate(note=refusal(error_text(error)))
            return
        yield OptimiseUpdate(thumbs=thumbs(rated))
        if not known:
            yield OptimiseUpdate(run=await self._form(visitor), result=result(None))
            return
        async with aclosing(self._followed(visitor, known[0].id)) as updates:
            async for update in updates:
                yield update

    async def new(self, visitor: str) -> OptimiseUpdate:
        """Show the form."""
        return OptimiseUpdate(run=await self._form(visitor), note=[], result=result(None))

    async def estimate(self, event: gr.EventData, visitor: str) -> OptimiseUpdate:
        """Say what the chosen run would ask and cost, or why it cannot be started."""
        try:
            return OptimiseUpdate(
                note=estimate_line(await self._optimisations.estimate(*await self._chosen(event, visitor)))
            )
        except GlassboxError as error:
            return OptimiseUpdate(note=refusal(error_text(error)))

    async def start(self, event: gr.EventData, visitor: str) -> AsyncGenerator[OptimiseUpdate, None]:
        """Start the chosen run and follow it."""
        try:
            found = await self._optimisations.start(*await self._chosen(event, visitor))
        except GlassboxError as error:
            yield OptimiseUpdate(note=refusal(error_text(error)))
            return
        async with aclosing(self._followed(visitor, found.id)) as updates:
            async for update in updates:
                yield update

    async def resume(self, event: gr.EventData, visitor: str) -> AsyncGenerator[OptimiseUpdate, None]:
        """Go on with a run and follow it."""
        try:
            found = await self._optimisations.resume(TurnRequest("", visitor=visitor), browser_values.name(event, "id"))
        except GlassboxError as error:
            yield OptimiseUpdate(note=refusal(error_text(error)))
            return
        async with aclosing(self._followed(visitor, found.id)) as updates:
            async for update in updates:
                yield update

    async def stop(self, event: gr.EventData, visitor: str) -> OptimiseUpdate:
        """Stop a run."""
        try:
            return _shown(await self._optimisations.stop(visitor, browser_values.name(event, "id")))
        except GlassboxError as error:
            return OptimiseUpdate(note=refusal(error_text(error)))

    async def use(self, event: gr.EventData, visitor: str, stored: object) -> OptimiseUpdate:
        """Save the best program found, and choose it in the chat; the page has said whether its gain is proven."""
        id = browser_values.name(event, "id")
        try:
            saved = await self._optimisations.use(visitor, id, anyway=True)
            return replace(_shown(await self._optimisations.get(visitor, id)), stored=_choosing(saved.name, stored))
        except GlassboxError as error:
            return OptimiseUpdate(note=refusal(error_text(error)))

    async def undo(self, event: gr.EventData, visitor: str, stored: object) -> OptimiseUpdate:
        """Remove the program that was saved, and choose the one before it in the chat."""
        id = browser_values.name(event, "id")
        try:
            before = await self._optimisations.undo(visitor, id)
            return replace(_shown(await self._optimisations.get(visitor, id)), stored=_choosing(before, stored))
        except GlassboxError as error:
            return OptimiseUpdate(note=refusal(error_text(error)))

    async def _followed(self, visitor: str, id: str) -> AsyncGenerator[OptimiseUpdate, None]:
        try:
            async with aclosing(self._optimisations.states(visitor, id)) as states:
                async for found in states:
                    yield (
                        _shown(found) if found else OptimiseUpdate()
                    )  # so that Gradio sees whether the page is still there
                    await asyncio.sleep(PACE_S)
        except GlassboxError as error:
            yield OptimiseUpdate(note=refusal(error_text(error)))

    async def _form(self, visitor: str) -> Elements:
        specs = [*self._programs.values()]
        for saved in await self._optimisations.saved(visitor):
            if spec := self._programs.spec_of(saved):
                specs.append(spec)
        titles = {each.name: program_title(each) for each in specs if not each.needs_document}
        labels = [each.label for each in self._models.choices if each.is_language_model and each.state != "no_key"]
        sets = {each.name: each.title for each in await self._sets.list(visitor) if each.is_own}
        return form(titles, labels, len(await self._conversations.rated(visitor)), sets)

    async def _chosen(self, event: gr.EventData, visitor: str) -> tuple[TurnRequest, Plan, tuple[Question, ...]]:
        source = browser_values.name(event, "questions") or BUNDLED
        optimizer = browser_values.name(event, "optimizer")
        calls = browser_values.whole(browser_values.value(event, "calls")) or CALLS_DEFAULT
        plan = Plan(
            program=browser_values.name(event, "program"),
            model="",
            optimizer=optimizer if optimizer in OPTIMIZERS else "bootstrap",
            source=source,
            calls=min(max(calls, 1), CALLS_MOST),
            max_usd=_amount(browser_values.value(event, "max_usd")),
        )
        questions = await self._optimisations.questions(visitor, source)
        return TurnRequest("", visitor=visitor, model=browser_values.name(event, "model") or None), plan, questions


def _choosing(program: str, stored: object) -> Mapping[str, Any]:
    """Return the chat's preferences with another program chosen."""
    return {**(stored if isinstance(stored, Mapping) else {}), "program": program}


def _shown(found: Optimisation) -> OptimiseUpdate:
    return OptimiseUpdate(run=run(found), note=[], result=result(found))


def _amount(given: Any) -> float | None:
    """Return a positive amount from a number or a text; None for anything else."""
    try:
        value = float(given)
    except (TypeError, ValueError):
        return None
    return value if 0 < value < 1_000_000 else None
