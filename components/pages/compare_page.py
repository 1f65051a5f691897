"""The page of comparisons: one question in two to four columns, live beside each other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import gradio as gr

from components.handlers import browser_values
from components.handlers.browser_values import BrowserValue
from components.handlers.compare_handlers import CompareHandlers
from components.handlers.compare_state import CompareTab, CompareUpdate
from components.handlers.listener import Component
from components.html.html_elements import keyed
from components.pages.frame import Frames
from i18n import text
from pipeline.comparison import MOST_COLUMNS

NAME = "compare"
ON_LOAD = "(...given) => [...given.slice(0, -1), glassbox.compared()]"
ON_DEFAULT = "() => glassbox.made_default()"
EVENTS = (
    "preset",
    "add",
    "remove",
    "edit",
    "choose",
    "blind",
    "stop",
    "vote",
    "make_default",
    "show_round",
    "choose_set",
)


def add(frames: Frames, handlers: CompareHandlers) -> None:
    """Add the page."""
    with frames.page(NAME) as frame:
        tab, address = gr.State(CompareTab()), gr.Textbox(visible=False)
        model = BrowserValue(browser_values.text, "glassbox-model")
        stored = browser_values.preferences()
        with frame.head:
            bar = keyed([], "compare-bar", events=[f"compare_{each}" for each in EVENTS])
        with gr.Row(elem_id="compare-ask"):
            question = _question()
            actions = keyed([], "compare-actions")
        with gr.Row(elem_id="compare-columns"):
            columns = [_column(place) for place in range(MOST_COLUMNS)]
        foot, table = keyed([], "compare-foot"), keyed([], "compare-table")
        drawn: list[Component] = [bar, actions, *columns, foot, table, question]

        def changes(update: CompareUpdate) -> dict[Component, Any]:
            values: dict[Component, Any] = {
                bar: update.bar,
                actions: update.actions,
                foot: update.foot,
                table: update.table,
                question: update.question,
                model: update.model,
                stored: update.stored,
                **{columns[place]: elements for place, elements in update.columns.items()},
            }
            return {component: value for component, value in values.items() if value is not None}

        on, visitor = frame.on(changes), frame.visitor
        known = [tab, visitor]
        on(frame.loaded, handlers.load, [*known, model, stored, address], drawn, js=ON_LOAD)
        asked = on(question.submit, handlers.ask, [question, *known, model, stored], drawn)
        frame.list_after(asked.then)
        for event, handler in (
            (bar.compare_preset, handlers.preset),
            (bar.compare_add, handlers.add),
            (bar.compare_remove, handlers.remove),
            (bar.compare_edit, handlers.edit),
            (bar.compare_choose, handlers.choose),
            (bar.compare_vote, handlers.vote),
            (bar.compare_show_round, handlers.show_round),
        ):
            on(event, handler, known, drawn)
        on(bar.compare_choose_set, handlers.choose_set, known, drawn)
        on(bar.compare_blind, handlers.blind, [tab], None)
        on(bar.compare_stop, handlers.stop, known, None)
        made = on(bar.compare_make_default, handlers.make_default, [tab, stored], [model, stored])
        on(made.then, None, None, None, js=ON_DEFAULT)
        for place, each in enumerate(columns):
            following = on(each.follow, _follow(handlers, place), known, [each], postprocess=False)
            on(following.then, handlers.settle, known, drawn)


def _follow(handlers: CompareHandlers, place: int) -> Callable[..., Any]:
    async def follow(tab: CompareTab, visitor: str) -> AsyncGenerator[CompareUpdate, None]:
        async with aclosing(handlers.follow(place, tab, visitor)) as updates:
            async for update in updates:
                yield update

    return follow


def _question() -> gr.Textbox:
    return gr.Textbox(
        placeholder=text("compare.placeholder"),
        lines=1,
        max_lines=6,
        label=text("page.question"),
        show_label=False,
        container=False,
        submit_btn=text("compare.ask"),
        elem_id="compare-question",
    )


def _column(place: int) -> gr.HTML:
    with gr.Column(elem_classes=["stage", "marked", "compare-column"], min_width=0):
        return keyed([], f"compare-column-{place}", draws="turn", events=("follow",))
