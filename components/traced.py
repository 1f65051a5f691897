"""Handlers of the page whose bugs leave a trace: what Gradio would answer with an empty “Error” is said to be ours."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import wraps
from typing import Any

import gradio as gr

from pipeline.bugs import own_fault
from pipeline.errors import GlassboxError


def traced(intent: Callable[..., Any]) -> Callable[..., Any]:
    """The same handler; an exception of it is logged and counted, and the page shows a constant text."""
    if inspect.isasyncgenfunction(intent):

        @wraps(intent)
        async def views(*given: Any, **named: Any) -> AsyncGenerator[Any, None]:
            try:
                async with aclosing(intent(*given, **named)) as steps:
                    async for step in steps:
                        yield step
            except Exception as error:  # noqa: BLE001  whatever it is
                raise _told(error) from None

        return views
    if inspect.iscoroutinefunction(intent):

        @wraps(intent)
        async def shown(*given: Any, **named: Any) -> Any:
            try:
                return await intent(*given, **named)
            except Exception as error:  # noqa: BLE001  whatever it is
                raise _told(error) from None

        return shown

    @wraps(intent)
    def done(*given: Any, **named: Any) -> Any:
        try:
            return intent(*given, **named)
        except Exception as error:  # noqa: BLE001  whatever it is
            raise _told(error) from None

    return done


def _told(error: Exception) -> gr.Error:
    fault = error if isinstance(error, GlassboxError) else own_fault(error, "page")
    return gr.Error(fault.text, duration=None, print_exception=False)
