"""The page is made from the list of panes: one more is a module and its name in the list, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from markupsafe import Markup

from components.handlers.chat_handlers import ChatHandlers
from components.handlers.page_state import Tab
from components.html.html_elements import Elements
from components.html.render_cache import RenderCache
from components.pages import chat_page
from components.panes import PANES
from components.panes.pane import EmptyPage, Pane
from components.view import View
from server import Parts
from tests.components.pages.test_chat_page import KNOBS, MAYA, QUESTION, parts  # noqa: F401  (a fixture)


def _empty(page: EmptyPage) -> Elements:
    return [Markup("<header><h2>Words</h2></header>"), Markup("<p>{} documents</p>").format(len(page.shared))]


def _render(view: View, cache: RenderCache) -> Elements:
    words = len(str(view.text("answer")).split())
    head = Markup('<header data-turn="{}"><h2>Words</h2></header>').format(view.turn_id)
    return [head, Markup("<p>{} words</p>").format(words)]


WORDS: Any = SimpleNamespace(NAME="words", TITLE="Words", empty=_empty, render=_render)  # as a module of a file


@pytest.fixture
def panes() -> tuple[Pane, ...]:
    return (*PANES, WORDS)


async def test_one_more_pane_has_its_place_its_tab_and_its_earlier_turns_on_the_page(
    parts: Parts,  # noqa: F811
    panes: tuple[Pane, ...],
) -> None:
    demo = chat_page.build(
        parts.pipeline, parts.conversations, parts.models, parts.library, parts.settings, parts.about, panes
    )
    blocks = {block.elem_id: block for block in demo.blocks.values()}
    assert "documents" in blocks["words"].value[1]
    assert 'data-tab="words" aria-selected="false">Words<' in blocks["tabs"].value
    written = {output.elem_id for listener in demo.fns.values() for output in listener.outputs}
    assert {"words", "earlier-words"} <= written


async def test_one_more_pane_is_drawn_while_a_turn_runs_after_it_and_when_it_is_an_earlier_one(
    parts: Parts,  # noqa: F811
    panes: tuple[Pane, ...],
) -> None:
    handlers = ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library, panes)
    tab = Tab()
    await handlers.ask(QUESTION, tab, MAYA, *KNOBS)
    *_, last = [update async for update in handlers.follow(tab)]
    (turn,) = await parts.conversations.turns(tab.conversation_id or "", MAYA)
    words = f"<p>{len(turn.fields['answer'].split())} words</p>"
    assert last.panes["words"][1] == words
    loaded = await handlers.load(Tab(), MAYA, KNOBS[0], tab.conversation_id or "", 0)
    assert loaded.panes["words"][1] == words
    event: Any = SimpleNamespace(turn=turn.id)
    assert (await handlers.show_earlier(event, tab, MAYA)).earlier["words"][-1] == words
