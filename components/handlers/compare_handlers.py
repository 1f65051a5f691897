"""Handles the events of the page of comparisons: columns, asking, following each column, votes.

The store is the truth of what was asked; the page's state holds the columns of the next comparison.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import gradio as gr
from pydantic import ValidationError

from components.handlers import browser_values
from components.handlers.choices import Choices
from components.handlers.compare_state import (
    CompareTab,
    CompareUpdate,
    added,
    preferences_with,
    preset_columns,
    presets_offered,
)
from components.handlers.page_state import Asking, asking_of
from components.handlers.turn_views import TurnViews
from components.html import comparison_page, comparison_table
from components.html.comparison_columns import LETTERS, ShownColumn, best_of, column, differing, knob_title
from components.html.comparison_knobs import form
from components.html.comparison_marks import doubts_of
from components.html.html_elements import Elements
from components.html.render_cache import RenderCache
from components.preferences import checked_value
from components.view import View
from i18n import text
from i18n.messages import error_text
from pipeline.citations.answer_differences import Differing, differences_of
from pipeline.comparison import LEAST_COLUMNS, MOST_COLUMNS, Column, Comparison, Vote
from pipeline.errors import GlassboxError, NotFound
from pipeline.experiments.comparisons import Asked, Comparisons, lines_of, questions_of
from pipeline.experiments.paired_scores import rows_of
from pipeline.experiments.question_sets import QuestionSet, QuestionSets
from pipeline.messages import Message
from pipeline.options import options_of
from pipeline.turn import TurnRequest, visitor_or_none
from pipeline.turns.engine import Pipeline

MOST_CHARS = 1_000_000  # of what is read at all


class CompareHandlers:
    """The handlers of the page's events."""

    def __init__(self, pipeline: Pipeline, comparisons: Comparisons, choices: Choices, sets: QuestionSets) -> None:
        self._pipeline, self._comparisons, self._choices = pipeline, comparisons, choices
        self._sets = sets
        self._views = TurnViews(pipeline, choices)

    # What is compared

    async def load(self, tab: CompareTab, visitor: str, model: str, stored: object, address: str) -> CompareUpdate:
        """Show the comparison that the address names, else the columns of the first preset that can be chosen."""
        asking = asking_of(model, stored)
        options = self._choices.completed(asking.preferences)
        tab.base = Column(
            self._choices.usable_model(asking.model),
            self._choices.offer.usable(options),
            asking.preferences.streams,
        )
        with suppress(GlassboxError):
            listed = await self._sets.list(visitor_or_none(visitor))
            tab.sets = tuple((each.name, _titled(each)) for each in listed)
        offered = self._offered(tab)
        tab.preset = next(name for name, why in offered.items() if not why)
        tab.columns = self._preset(tab, tab.preset)
        if id := browser_values.text(address):
            try:
                await self._show(tab, await self._comparisons.find(id, visitor_or_none(visitor)))
            except GlassboxError as error:
                tab.refusal = error_text(error)
        return await self._drawn(tab, visitor)

    async def preset(self, event: gr.EventData, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Fill the columns so that they differ in one thing."""
        name = browser_values.name(event, "preset")
        columns = self._preset(tab, name)
        if len(columns) >= LEAST_COLUMNS:
            self._leave(tab)
            tab.columns, tab.preset = columns, name
        return await self._drawn(tab, visitor)

    async def add(self, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Add a column like the last one."""
        self._leave(tab)
        tab.columns, tab.preset = added(tab.columns), ""
        return await self._drawn(tab, visitor)

    async def remove(self, event: gr.EventData, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Remove a column, if two are left then."""
        at = browser_values.whole(browser_values.value(event, "column"))
        if tab.comparison is None and at is not None and len(tab.columns) > LEAST_COLUMNS:
            tab.columns = tuple(each for place, each in enumerate(tab.columns) if place != at)
            tab.preset = ""
        return await self._drawn(tab, visitor)

    async def edit(self, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Show the settings of the columns again, for another comparison."""
        self._leave(tab)
        return await self._drawn(tab, visitor)

    async def choose(self, event: gr.EventData, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Take over one setting of one column; what it cannot be leaves it as it was."""
        at = browser_values.whole(browser_values.value(event, "column"))
        knob, value = browser_values.name(event, "knob"), browser_values.value(event, "value")
        if tab.comparison is None and at is not None and 0 <= at < len(tab.columns):
            changed = self._changed(tab.columns[at], knob, value)
            tab.columns = (*tab.columns[:at], changed, *tab.columns[at + 1 :])
            tab.preset = ""
        return await self._drawn(tab, visitor)

    async def choose_set(self, event: gr.EventData, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Put the questions of a set into the composer, each with what is expected of its answer."""
        try:
            chosen = await self._sets.named(browser_values.name(event, "set"), visitor_or_none(visitor))
        except GlassboxError as error:
            tab.refusal = error_text(error)
            return await self._drawn(tab, visitor)
        return CompareUpdate(question=lines_of(chosen.questions))

    def blind(self, event: gr.EventData, tab: CompareTab) -> None:
        """Ask the next comparison blind, or not."""
        tab.is_blind = browser_values.value(event, "on") is True

    # Asking

    async def ask(self, question: str, tab: CompareTab, visitor: str, model: str, stored: object) -> CompareUpdate:
        """Ask the question, or each line of several, in all columns."""
        typed = browser_values.text(question, MOST_CHARS)
        if not typed.strip() or (tab.comparison and self._comparisons.is_running(tab.comparison.id)):
            return CompareUpdate()
        asking = asking_of(model, stored)
        asked = Asked(
            questions=(),
            columns=tab.columns,
            request=TurnRequest(
                "",
                visitor=visitor_or_none(visitor),
                address=browser_values.address(),
                is_local=browser_values.is_local(),
            ),
            is_blind=tab.is_blind,
        )
        tab.question, tab.refusal = typed, ""
        try:
            keys = self._keys(tab.columns, asking)
            asked = replace(asked, questions=questions_of(typed), keys=keys)
            await self._show(tab, await self._comparisons.start(asked))
        except GlassboxError as error:
            tab.refusal = error_text(error)
        return await self._drawn(tab, visitor)

    async def stop(self, tab: CompareTab, visitor: str) -> None:
        """Stop all columns; the page gets their endings as it gets every event."""
        if tab.comparison:
            await self._comparisons.stop(tab.comparison.id, visitor_or_none(visitor))

    async def follow(self, place: int, tab: CompareTab, visitor: str) -> AsyncGenerator[CompareUpdate, None]:
        """Yield a column view by view until its turn ends, or the page shows something else."""
        comparison, at, shows = tab.comparison, tab.at, tab.shows
        if comparison is None or place >= len(comparison.columns):
            return
        await self._comparisons.begun(comparison.id, at, place)
        turn_id, asked = comparison.rounds[at].cells[place].turn_id, comparison.columns[place]
        cache, updates = RenderCache(), 0
        try:
            with self._views.following():
                live = self._views.live(turn_id, at + 1, streams=asked.streams, beside=len(comparison.columns))
                async with aclosing(live) as views:
                    async for view in views:
                        if tab.shows != shows:
                            break
                        updates += 1
                        shown = self._shown(tab, comparison, place, view)
                        yield CompareUpdate(columns={place: column(shown, cache)})
        except NotFound:
            pass  # it was not asked, or has ended long ago: what is stored is shown when this returns
        finally:
            await self._pipeline.count_updates(turn_id, updates)
        if tab.shows != shows or not updates:
            yield CompareUpdate()  # Gradio sends a generator's last value once more; this one changes nothing

    async def settle(self, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Show what a column's ending changes: the next question, or all that is known once every one has ended."""
        if tab.comparison is None:
            return CompareUpdate()
        shows = tab.shows
        await self._comparisons.round_over(tab.comparison.id, tab.at)
        if tab.shows != shows:
            return CompareUpdate()
        tab.at, tab.shows = max(tab.at, self._comparisons.at(tab.comparison)), tab.shows + 1
        return await self._drawn(tab, visitor)

    # The vote

    async def vote(self, event: gr.EventData, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Keep a vote; of a blind comparison the columns say then what they are."""
        given = browser_values.name(event, "vote")
        vote: Vote | None = "tie" if given == "tie" else "none" if given == "none" else browser_values.whole(given)
        if tab.comparison is None or vote is None:
            return CompareUpdate()
        try:
            tab.comparison = await self._comparisons.vote(tab.comparison.id, visitor_or_none(visitor), tab.at, vote)
            tab.refusal = ""
        except GlassboxError as error:
            tab.refusal = error_text(error)
        return await self._drawn(tab, visitor)

    async def make_default(self, event: gr.EventData, tab: CompareTab, stored: object) -> CompareUpdate:
        """Make a column what the chat asks with."""
        at = browser_values.whole(browser_values.value(event, "column"))
        comparison = tab.comparison
        if comparison is None or at is None or not 0 <= at < len(comparison.columns) or _is_hidden(comparison, tab.at):
            return CompareUpdate()
        chosen = comparison.columns[at]
        known = stored if isinstance(stored, Mapping) else {}
        return CompareUpdate(model=chosen.model, stored=preferences_with(known, chosen))

    async def show_round(self, event: gr.EventData, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Show another question of the comparison."""
        at = browser_values.whole(browser_values.value(event, "round"))
        if tab.comparison and at is not None and 0 <= at < len(tab.comparison.rounds):
            tab.at, tab.shows = at, tab.shows + 1
        return await self._drawn(tab, visitor)

    # Drawing

    async def _drawn(self, tab: CompareTab, visitor: str) -> CompareUpdate:
        """Draw the whole page as it stands."""
        comparison = tab.comparison
        if comparison is None:
            return self._draft(tab)
        comparison = await self._latest(tab, visitor)
        turns = await self._comparisons.turns(comparison, tab.at, visitor_or_none(visitor))
        views = [self._views.stored(turn, tab.at + 1) if turn else None for turn in turns]
        is_hidden = _is_hidden(comparison, tab.at)
        is_running = self._comparisons.is_running(comparison.id)
        is_asking = self._comparisons.is_asking(comparison.id, tab.at)
        is_over = not is_asking and all(view is None or view.ending for view in views)
        differences = await self._differences(views) if is_over else [()] * len(views)
        best = best_of(views, comparison.columns) if is_over and not is_hidden else [frozenset[str]()] * len(views)
        columns = dict[int, Elements]()
        for place, view in enumerate(views):
            shown = self._shown(tab, comparison, place, view, is_asking=is_asking)
            shown = replace(shown, best=best[place], differences=differences[place])
            cache = RenderCache({"answer": doubts_of(view, differences[place])}) if view and is_over else RenderCache()
            columns[place] = column(shown, cache)
        return CompareUpdate(
            bar=self._bar(tab, comparison.columns, is_hidden=is_hidden),
            actions=comparison_page.actions(
                len(comparison.columns), is_running=is_running, is_draft=False, refusal=tab.refusal
            ),
            columns=columns | {place: [] for place in range(len(views), MOST_COLUMNS)},
            foot=comparison_page.foot(
                comparison,
                tab.at,
                await self._comparisons.tally(comparison, visitor_or_none(visitor)) if is_over else None,
                can_vote=is_over and comparison.rounds[tab.at].vote is None,
                is_hidden=is_hidden,
                has_marks=any(differences),
            ),
            table=await self._table(tab, comparison, visitor),
            question=tab.question,
        )

    def _draft(self, tab: CompareTab) -> CompareUpdate:
        """Draw the columns with their settings, before anything is asked."""
        names, models = differing(tab.columns), self._models(tab)
        columns = dict[int, Elements]()
        for place, each in enumerate(tab.columns):
            shown = ShownColumn(
                letter=LETTERS[place],
                column=each,
                differs=names,
                form=form(each, LETTERS[place], models, self._choices.offer, knob_title),
                can_be_removed=len(tab.columns) > LEAST_COLUMNS,
            )
            columns[place] = column(shown, RenderCache())
        return CompareUpdate(
            bar=self._bar(tab, tab.columns, is_hidden=False),
            actions=comparison_page.actions(
                len(tab.columns), is_running=False, is_draft=True, refusal=tab.refusal, sets=tab.sets
            ),
            columns=columns | {place: [] for place in range(len(tab.columns), MOST_COLUMNS)},
            foot=[],
            table=[],
        )

    def _shown(
        self, tab: CompareTab, comparison: Comparison, place: int, view: View | None, *, is_asking: bool = True
    ) -> ShownColumn:
        cell = comparison.rounds[tab.at].cells[place]
        return ShownColumn(
            letter=LETTERS[place],
            column=comparison.columns[place],
            turn_id=cell.turn_id,
            view=view,
            refusal=_refusal(cell.refusal) if cell.refusal else "",
            differs=differing(comparison.columns),
            is_blind=_is_hidden(comparison, tab.at),
            is_asking=is_asking or bool(view and view.ending is None),
            reused_search=cell.reused_search,
        )

    def _bar(self, tab: CompareTab, columns: Sequence[Column], *, is_hidden: bool) -> Elements:
        is_blind = tab.comparison.is_blind if tab.comparison else tab.is_blind
        return comparison_page.bar(
            columns, tab.comparison, self._offered(tab), tab.preset, is_blind=is_blind, is_hidden=is_hidden
        )

    async def _differences(self, views: Sequence[View | None]) -> Sequence[Sequence[Differing]]:
        """Compare the answers in a thread: long ones take tenths of a second."""
        answers = [str(view.text("answer")) if view else "" for view in views]
        return await asyncio.to_thread(differences_of, answers)

    async def _table(self, tab: CompareTab, comparison: Comparison, visitor: str) -> Elements:
        """Return the questions of a comparison of several with what came of them."""
        if len(comparison.rounds) == 1 or _is_hidden(comparison, tab.at):
            return []
        scores = await self._comparisons.scores(comparison, visitor_or_none(visitor))
        rows = await asyncio.to_thread(rows_of, scores)
        return comparison_table.table(comparison.rounds, tab.at, scores, rows)

    # What stands behind it

    async def _show(self, tab: CompareTab, comparison: Comparison) -> None:
        tab.comparison, tab.columns, tab.is_blind = comparison, comparison.columns, comparison.is_blind
        tab.at, tab.preset, tab.refusal = self._comparisons.at(comparison), tab.preset, ""
        tab.question = "\n".join(each.question for each in comparison.rounds)
        tab.shows += 1

    def _leave(self, tab: CompareTab) -> None:
        """Go back to the columns of the next comparison; the one that was shown stays in the history."""
        tab.comparison, tab.at, tab.refusal = None, 0, ""
        tab.shows += 1

    async def _latest(self, tab: CompareTab, visitor: str) -> Comparison:
        """Return the page's comparison as it stands now, or as it was last seen where the store fails."""
        assert tab.comparison
        with suppress(GlassboxError):
            tab.comparison = await self._comparisons.find(tab.comparison.id, visitor_or_none(visitor))
        return tab.comparison

    def _models(self, tab: CompareTab) -> list[str]:
        ready = [each.label for each in self._choices.models if each.state == "ready"]
        return list(dict.fromkeys([*ready, *(each.model for each in tab.columns)]))

    def _offered(self, tab: CompareTab) -> Mapping[str, str]:
        assert tab.base
        ready = [each.label for each in self._choices.models if each.state == "ready"]
        return presets_offered(tab.base, ready, self._pipeline.programs)

    def _preset(self, tab: CompareTab, name: str) -> tuple[Column, ...]:
        assert tab.base
        ready = [each.label for each in self._choices.models if each.state == "ready"]
        return preset_columns(name, tab.base, ready, self._pipeline.programs)

    def _changed(self, before: Column, knob: str, value: Any) -> Column:
        if knob == "streams":
            return replace(before, streams=value is True)
        if knob == "model":
            return replace(before, model=self._choices.usable_model(browser_values.text(value)))
        option = next((each for each in options_of(type(before.options)) if each.name == knob and each.control), None)
        if option is None:
            return before
        value = None if value == self._usual(knob) else value
        try:
            options = replace(before.options, **{knob: checked_value(option, value)})
        except ValidationError:
            return before
        return replace(before, options=self._choices.offer.usable(options))

    def _usual(self, knob: str) -> str | None:
        """Return what an option is shown as while it is not set; None where it is always set."""
        if knob == "program":
            return next(iter(self._pipeline.programs))
        return self._choices.offer.texts.get(knob)

    def _keys(self, columns: Sequence[Column], asking: Asking) -> dict[str, Any]:
        """Return the visitor's own keys by the labels of models. Raises Refused for an invalid one."""
        labels = {each.model for each in columns}
        keys = {label: self._choices.own_key(Asking(label, asking.preferences)) for label in labels}
        return {label: key for label, key in keys.items() if key}


def _titled(of: QuestionSet) -> str:
    """Return what a set is called, and how many questions it has."""
    title = of.title or text(f"compare.set_{of.name}")
    return f"{title} ({len(of.questions)})"


def _is_hidden(comparison: Comparison, at: int) -> bool:
    return comparison.is_blind and comparison.rounds[at].vote is None


def _refusal(refusal: Message) -> str:
    return text(refusal.code, **refusal.values)
