"""The page of optimisations: the visitor's thumbs, the run, and its result, side by side."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import gradio as gr

from components.handlers import browser_values
from components.handlers.listener import Component
from components.handlers.optimise_handlers import OptimiseHandlers, OptimiseUpdate
from components.html.html_elements import keyed
from components.pages.frame import Frames
from i18n import text

NAME = "optimise"
EVENTS = ("start", "estimate", "resume", "stop", "use", "undo", "new")


def add(frames: Frames, handlers: OptimiseHandlers) -> None:
    """Add the page."""
    with frames.page(NAME) as frame:
        with frame.head:
            gr.Markdown(text("optimise.intro"), elem_id="optimise-intro")
        with gr.Row(elem_id="optimise-columns"):
            with gr.Column(elem_classes=["card"], min_width=0):
                thumbs = keyed([], "optimise-thumbs")
            with gr.Column(elem_classes=["card"], min_width=0):
                run = keyed([], "optimise-run", events=[f"optimise_{each}" for each in EVENTS])
                note = keyed([], "optimise-note")
            with gr.Column(elem_classes=["card"], min_width=0):
                result = keyed([], "optimise-result")
        stored = browser_values.preferences()
        drawn: list[Component] = [thumbs, run, note, result]

        def changes(update: OptimiseUpdate) -> dict[Component, Any]:
            values = {
                thumbs: update.thumbs,
                run: update.run,
                note: update.note,
                result: update.result,
                stored: update.stored,
            }
            return {component: value for component, value in values.items() if value is not None}

        on, known = frame.on(changes), [frame.visitor]
        on(frame.loaded, handlers.load, known, drawn)
        on(run.optimise_start, _generator(handlers.start), known, drawn)
        on(run.optimise_resume, _generator(handlers.resume), known, drawn)
        on(run.optimise_estimate, handlers.estimate, known, [note])
        on(run.optimise_stop, handlers.stop, known, drawn)
        on(run.optimise_use, handlers.use, [*known, stored], [*drawn, stored])
        on(run.optimise_undo, handlers.undo, [*known, stored], [*drawn, stored])
        on(run.optimise_new, handlers.new, known, drawn)


def _generator(handler: Callable[[gr.EventData, str], Any]) -> Callable[..., Any]:
    """Return a handler that ends with the page that hears it."""

    async def heard(event: gr.EventData, visitor: str) -> AsyncGenerator[Any, None]:
        async with aclosing(handler(event, visitor)) as updates:
            async for update in updates:
                yield update

    return heard
