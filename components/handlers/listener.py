"""Wires events of a page's components to handlers, the same way for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import gradio as gr

from components.handlers.signed_in import SignedIn
from components.handlers.traced import traced

Component: TypeAlias = gr.components.Component


def listener(signed_in: SignedIn, changes: Callable[[Any], Mapping[Component, Any]]) -> Callable[..., Any]:
    """Return a function that wires an event to a handler; `changes` turns an update of it into {component: value}.

    A handler's argument `visitor` is the user of `signed_in`, where there is one. The listeners are not limited to one
    at a time, show no spinner over the page and are no public endpoints.
    """

    def on(
        event: Callable[..., Any],
        handler: Callable[..., Any] | None,
        inputs: Sequence[Component] | None,
        outputs: Sequence[Component] | None,
        **options: Any,
    ) -> Any:
        return event(
            traced(handler, _returned(changes), signed_in.given_to(handler)) if handler else None,
            inputs,
            outputs,
            trigger_mode="multiple",
            concurrency_limit=None,
            show_progress="hidden",
            api_visibility="private",
            api_name="page",  # and a number: the names of handlers would be those of endpoints
            **options,
        )

    return on


def _returned(changes: Callable[[Any], Mapping[Component, Any]]) -> Callable[[Any], Any]:
    """Return what Gradio is told of an update: a dict, or nothing at all where the update changes nothing."""

    def returned(update: Any) -> Any:
        return None if update is None else (changes(update) or gr.skip())

    return returned
