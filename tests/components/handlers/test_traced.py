"""A handler of the page that has a bug: what people are told, what is kept of it, and what stays as it was."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable
from typing import Any

import gradio as gr
import pytest

from components.handlers.traced import traced
from i18n.messages import error_text
from pipeline import own_faults as bugs
from pipeline.errors import OwnFault, StoreFault


async def shown(event: gr.EventData, most: int = 1) -> int:
    return most // 0


async def views(most: int = 1) -> AsyncGenerator[int, None]:
    yield most
    yield most // 0


def chosen(most: int = 1) -> int:
    return most // 0


async def used(handler: Callable[..., Any]) -> list[Any]:
    """What it gives until it raises or ends."""
    given = handler() if handler.__name__ != "shown" else handler(None)
    if inspect.isasyncgen(given):
        return [view async for view in given]
    return [await given if inspect.isawaitable(given) else given]


@pytest.mark.parametrize("handler", [shown, views, chosen])
async def test_a_bug_of_a_handler_is_logged_counted_and_told_as_ours(
    handler: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    before = bugs.counts["page"]
    with pytest.raises(gr.Error) as raised:
        await used(traced(handler))
    assert raised.value.message == error_text(OwnFault())
    assert not raised.value.print_exception  # it is logged already
    assert raised.value.__suppress_context__
    assert bugs.counts["page"] == before + 1
    assert [record.getMessage() for record in caplog.records] == ["our own fault: ZeroDivisionError"]


async def test_a_fault_with_a_text_of_its_own_is_told_with_it_and_is_no_bug() -> None:
    async def opened() -> None:
        raise StoreFault

    before = bugs.counts["page"]
    with pytest.raises(gr.Error) as raised:
        await traced(opened)()
    assert raised.value.message == error_text(StoreFault())
    assert bugs.counts["page"] == before


@pytest.mark.parametrize("handler", [shown, views, chosen])
def test_gradio_still_sees_what_the_handler_takes_and_of_which_kind_it_is(handler: Callable[..., Any]) -> None:
    wrapped = traced(handler)
    assert inspect.signature(wrapped) == inspect.signature(handler)
    assert inspect.iscoroutinefunction(wrapped) == inspect.iscoroutinefunction(handler)
    assert inspect.isasyncgenfunction(wrapped) == inspect.isasyncgenfunction(handler)
