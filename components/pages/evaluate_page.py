"""The page of evaluations: a question set asked with one setting, its scores, and what changed since another run."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.handlers.evaluate_handlers import EvaluateHandlers, EvaluateTab, EvaluateUpdate
from components.handlers.listener import Component
from components.html.html_elements import keyed
from components.pages.frame import Frames

NAME = "evaluate"
EVENTS = ("run", "open", "bring", "stop", "resume", "export", "turn")


def add(frames: Frames, handlers: EvaluateHandlers) -> None:
    """Add the page."""
    with frames.page(NAME) as frame:
        tab = gr.State(EvaluateTab())
        page = keyed([], "evaluate", events=[f"evaluate_{each}" for each in EVENTS])
        said = keyed([], "evaluate-said", draws="evaluated")
        drawn: list[Component] = [page, said]

        def changes(update: EvaluateUpdate) -> dict[Component, Any]:
            values = {page: update.page, said: list(update.said) if update.said else None}
            return {component: value for component, value in values.items() if value is not None}

        on, known = frame.on(changes), [tab, frame.visitor]
        on(frame.loaded, handlers.load, known, drawn)
        for event, handler in (
            (page.evaluate_run, handlers.run),
            (page.evaluate_open, handlers.open),
            (page.evaluate_bring, handlers.bring),
            (page.evaluate_resume, handlers.resume),
            (page.evaluate_export, handlers.export),
            (page.evaluate_turn, handlers.open_turn),
        ):
            on(event, handler, known, drawn)
        on(page.evaluate_stop, handlers.stop, known, None)
