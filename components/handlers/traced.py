"""Logs and counts the bugs of handlers, and says that they are ours: Gradio alone would show an empty “Error”."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import wraps
from typing import Any

import gradio as gr

from i18n.messages import error_text
from pipeline.errors import GlassboxError
from pipeline.own_faults import own_fault


def _same(value: Any) -> Any:
    return value


def traced(
    handler: Callable[..., Any],
    returned: Callable[[Any], Any] = _same,
    given: Callable[[Sequence[Any]], Sequence[Any]] = _same,
) -> Callable[..., Any]:
    """Return the same handler; its exceptions are logged and counted, and the page shows a constant text.

    `returned` is applied to what the handler returns, or yields, `given` to its arguments.
    """
    if inspect.isasyncgenfunction(handler):

        @wraps(handler)
        async def generator(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            try:
                async with aclosing(handler(*given(args), **kwargs)) as values:
                    async for value in values:
                        yield returned(value)
            except Exception as error:  # noqa: BLE001  whatever it is
                raise _shown(error) from None

        return generator
    if inspect.iscoroutinefunction(handler):

        @wraps(handler)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            try:
                return returned(await handler(*given(args), **kwargs))
            except Exception as error:  # noqa: BLE001  whatever it is
                raise _shown(error) from None

        return coroutine

    @wraps(handler)
    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            return returned(handler(*given(args), **kwargs))
        except Exception as error:  # noqa: BLE001  whatever it is
            raise _shown(error) from None

    return function


def _shown(error: Exception) -> gr.Error:
    fault = error if isinstance(error, GlassboxError) else own_fault(error, "page")
    return gr.Error(error_text(fault), duration=None, print_exception=False)
