"""What the pages beside the chat share: the sidebar, the head, and who is visiting.

A page is a route of the chat's Blocks. Its module adds it with `Frames.page`, and its name to `navigation.PAGES`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from markupsafe import Markup

from components import sidebar
from components.handlers import browser_values
from components.handlers.listener import Component, listener
from components.handlers.signed_in import SignedIn
from components.html.html_elements import Elements, icon, keyed, lost, mark
from components.html.navigation import navigation
from i18n import text
from pipeline.conversations.service import Conversations
from pipeline.errors import GlassboxError
from pipeline.turn import is_visitor_token

# Waits for the fonts, then shows the page and adds the clock's minutes west of UTC.
ON_LOAD = "async (token) => [token, await glassbox.opened()]"


@dataclass(frozen=True, slots=True)
class Frame:
    """One page. `head` is the row behind its title, where the page puts what belongs there.

    `visitor` is an input of handlers that name it so. `loaded` ends when the visitor has a token: with `.then` begins
    what the page shows. `on` wires an event to a handler whose update `changes` turns into {component: value}.
    `list_after` lists the conversations anew after an event.
    """

    head: gr.Row
    visitor: gr.BrowserState
    loaded: Callable[..., Any]
    on: Callable[[Callable[[Any], Mapping[Component, Any]]], Callable[..., Any]]
    list_after: Callable[..., Any]


class Frames:
    """Adds pages to the chat's Blocks."""

    def __init__(self, demo: gr.Blocks, conversations: Conversations, signed_in: SignedIn) -> None:
        self._demo, self._conversations, self._signed_in = demo, conversations, signed_in

    @contextmanager
    def page(self, name: str) -> Iterator[Frame]:
        """Build a page at the address `name` inside this context."""
        with self._demo.route(text(f"pages.{name}"), name):
            visitor, minutes_west = browser_values.visitor(), gr.Textbox(visible=False)
            conversations = _sidebar(name)
            with gr.Column(elem_id="page", elem_classes=["page", f"page-{name}"], min_width=0):
                with gr.Row(elem_id="page-head") as head:
                    gr.HTML(_title(name), elem_id="page-title", apply_default_css=False)
                on = partial(listener, self._signed_in)
                load = on(lambda update: {visitor: update[0], conversations: update[1]})
                loaded = load(
                    self._demo.load, self._load, [visitor, minutes_west], [visitor, conversations], js=ON_LOAD
                )

                def list_after(event: Callable[..., Any]) -> Any:
                    return load(event, self._load, [visitor, minutes_west], [visitor, conversations], js=ON_LOAD)

                yield Frame(head, visitor, loaded.then, on, list_after)
                with head:
                    gr.HTML(_light(), elem_id="page-light", apply_default_css=False)
            gr.HTML(
                lost() + Markup('<p id="status" class="sr" role="status"></p>'),
                elem_id="page-status",
                apply_default_css=False,
            )
        self._demo.current_page = ""  # what is added next belongs to the chat again

    async def _load(self, token: str, minutes_west: object) -> tuple[str, Elements]:
        """Return the token of the browser, which is made where there is none, and the visitor's conversations."""
        token = token if is_visitor_token(token) else secrets.token_urlsafe(32)
        user = self._signed_in.user
        try:
            conversations = await self._conversations.list(user.visitor if user else token)
        except GlassboxError:
            return token, []
        return token, sidebar.listing(conversations, None, browser_values.minutes(minutes_west))


def _sidebar(name: str) -> gr.HTML:
    """Draw the sidebar; return the list of conversations."""
    with gr.Sidebar(width=272, open=True, elem_id="sidebar"):
        gr.HTML(
            Markup('<div class="brand">{}<b>Glassbox</b></div>').format(mark(24)),
            elem_id="brand",
            apply_default_css=False,
        )
        gr.HTML(
            Markup('<a id="new-chat" href="./">{}</a>').format(text("chat.new")),
            elem_id="to-chat",
            apply_default_css=False,
        )
        keyed(navigation(name), "pages")
        return keyed([], "conversations")


def _title(name: str) -> Markup:
    return Markup(
        '<div><button type="button" data-act="menu" class="only-phone" aria-label="{}">{}</button><h1>{}</h1></div>'
    ).format(text("chat.menu"), icon("menu", 20), text(f"pages.{name}"))


def _light() -> Markup:
    return Markup('<button type="button" data-act="theme" aria-label="{0}" title="{0}">{1}{2}</button>').format(
        text("shortcuts.theme"), icon("theme", 17), icon("sun", 17)
    )
