"""The chat page: where everything stands, and which intent answers which event. What the intents do is `intents.py`.

PANES is what is seen of a turn: the chat, then what stands beside it. A pane is a module with NAME, TITLE and
`render(view, ink)`, which gives its head and its parts.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from components import chat, documents, leaf, shortcuts, sidebar, told
from components.documents import Desk
from components.intents import NEW_CHAT, PANES, Intents, Tab
from components.parts import button, keyed, notice, too_long
from components.shelf import Shelf
from components.sidebar import Sidebar
from components.theme import theme
from components.traced import traced
from pipeline.conversation import is_visitor
from pipeline.errors import Refused
from pipeline.library import Library
from pipeline.turns import Pipeline

HERE = Path(__file__).parent
SCRIPTS = ("storage.js", "connection.js", "page.js", "citing.js", "documents.js", "fields.js", "keys.js")
STYLES = ("page.css", "documents.css", "citing.css", "media.css")
# Fixed, or nothing in the browser could be read after a restart. It hides the token from a glance, no more.
BROWSER_SECRET = "glassbox"
NO_MODEL_ON_SPACE = (
    "This Space runs without a language model: answers are quotes from the documents. "
    "Duplicate it and add a provider’s key as a secret to see a model reason."
)
UNKEPT = (
    "This browser keeps nothing for this page: your conversations will not be listed any more once it is closed or "
    "loaded again. Allow site data for this address to keep them."
)
# Runs when the page is loaded: fonts first, so that nothing moves later, then what only the browser knows.
ON_LOAD = "async (tab, visitor, model) => [tab, visitor, model, ...(await glassbox.ready())]"
# The model that is ticked on the page: what the server was told of it may be on its way.
ON_ASK = "(...given) => glassbox.asked(given)"
ON_ASK_ANEW = "(...given) => glassbox.asked_anew(given)"
ON_FOLLOWED = "(...given) => glassbox.followed(given)"
# The stop button and the emptied composer follow what is shown, without a round trip.
ON_RUNNING = "(typed) => glassbox.composer(typed)"


@dataclass(frozen=True, slots=True)
class Main:
    """The components of the chat and of the panes beside it."""

    bar: gr.HTML
    notice: gr.HTML
    thread: gr.HTML
    question: gr.Textbox
    panes: tuple[gr.HTML, ...]
    earlier: tuple[gr.HTML, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered: by the server for one open page, and by the browser for the visitor."""

    tab: gr.State
    visitor: gr.BrowserState
    model: gr.BrowserState
    knobs: gr.BrowserState


def launch_options() -> dict[str, Any]:
    """What `launch` needs so that the page looks and works as it should."""
    scripts = "".join(f"<script>{(HERE / name).read_text(encoding='utf-8')}</script>" for name in SCRIPTS)
    media = f"<style>{(HERE / 'media.css').read_text(encoding='utf-8')}</style>"
    return {"theme": theme(), "css_paths": [HERE / name for name in STYLES], "head": media + scripts}


def build(
    pipeline: Pipeline, library: Library, *, on_space: bool, typed_models: bool, shows_figures: bool = True
) -> gr.Blocks:
    """The page over one pipeline. `typed_models`: whether visitors may name a model that is not listed.

    `shows_figures`: whether tokens, speed and times stand under an answer.
    """
    intents = Intents(pipeline)
    is_bare = on_space and not any(each.uses_knobs and each.state == "ready" for each in pipeline.models)
    models = sidebar.picker(pipeline.models, pipeline.default_model)
    with gr.Blocks(
        title="Glassbox",
        fill_height=True,
        fill_width=True,
        analytics_enabled=False,
    ) as demo:
        kept = Kept(
            gr.State(Tab()),
            told.Kept(lambda token: token if is_visitor(token) else "", "glassbox-visitor", BROWSER_SECRET),
            told.Kept(told.text, "glassbox-model", BROWSER_SECRET),
            told.Kept(lambda knobs: knobs if isinstance(knobs, dict) else {}, "glassbox-knobs", BROWSER_SECRET),
        )
        side = sidebar.build(
            models,
            pipeline.default_instructions,
            pipeline.search_modes,
            typed_models=typed_models,
            reranks=pipeline.can_rerank,
        )
        with gr.Row(elem_id="stage", elem_classes=[] if shows_figures else ["unmeasured"]):
            main = _main(pipeline, intents, banner=NO_MODEL_ON_SPACE if is_bare else "")
        gr.HTML(shortcuts.dialog(), elem_id=shortcuts.NAME, apply_default_css=False)
        _wire_turns(intents, kept, side, main)
        _wire_conversations(demo, intents, kept, side, main)
        _wire_documents(demo, intents, Shelf(library), kept, side, main)
        _wire_models(demo, intents, kept, side, main, pipeline.default_instructions)
    return demo


def _main(pipeline: Pipeline, intents: Intents, *, banner: str) -> Main:
    empty = intents.empty_panes()
    with gr.Column(elem_id="chat", min_width=0):
        bar = keyed(chat.bar(NEW_CHAT, chat.UNKNOWN, pipeline.default_model, pipeline.trouble), "bar")
        gr.HTML(_tabs(), elem_id="tabs", apply_default_css=False)
        said = f'<p class="banner">{banner}</p>' if banner else ""
        unkept = f'<p class="banner" id="unkept" role="status" hidden>{UNKEPT}</p>'
        gr.HTML(said + unkept, elem_id="banner", apply_default_css=False)
        with gr.Column(elem_id="scroll"):
            hero = chat.hero(pipeline.documents, pipeline.default_model)
            thread = keyed(hero, "thread", events=("example", "retry", "go_on", "edit", "rate", "look"))
            live = keyed([], "live", draws="turn", events=("running", "follow"))
        with gr.Column(elem_id="compose"):
            gr.HTML(_lost(), apply_default_css=False)
            notice = keyed([], "notice", events=("again", "cancel", "close"))
            gr.HTML(_too_long(pipeline.question_limit_chars), apply_default_css=False)
            question = _question()
            gr.HTML(
                '<p class="fine">Answers can be wrong. The numbers lead to the passages that were cited.</p>'
                '<p id="status" class="sr" role="status"></p>',
                apply_default_css=False,
            )
    with gr.Column(elem_id="beside", min_width=0):
        beside = tuple(
            keyed(parts, pane.NAME, draws="pane", label=pane.TITLE)
            for pane, parts in zip(PANES[1:], empty[1:], strict=True)
        )
    earlier = tuple(keyed([], f"earlier-{pane.NAME}", draws="earlier") for pane in PANES[1:])
    return Main(bar, notice, thread, question, (live, *beside), earlier)


def _question() -> gr.Textbox:
    return gr.Textbox(
        placeholder="Ask the documents …",
        lines=1,
        max_lines=8,
        label="Question",
        show_label=False,
        container=False,
        submit_btn="Send",
        autofocus=True,
        elem_id="question",
    )


def _too_long(limit_chars: int) -> str:
    return too_long("question", Refused("long_question", limit_chars).text, limit_chars)


def _lost() -> str:
    """Shown by the script when the server is not heard any more."""
    said = notice("calm", "", "", [button("reconnect", "Try now")])
    return f'<template id="lost">{said}</template><div id="connection" role="status"></div>'


def _tabs() -> str:
    """Only a phone shows them; there they choose the pane."""
    buttons = "".join(
        f'<button type="button" role="tab" data-act="tab" data-tab="{pane.NAME}" '
        f'aria-selected="{str(pane is chat).lower()}">{pane.TITLE}</button>'
        for pane in PANES
    )
    return f'<div role="tablist" aria-label="Panes">{buttons}</div>'


def _wire_turns(intents: Intents, kept: Kept, side: Sidebar, main: Main) -> None:
    """Asking and what becomes of it."""
    live, tab, visitor = main.panes[0], kept.tab, kept.visitor
    knobs = [kept.model, kept.knobs]
    page = _page(side, main)

    async def follow(event: gr.EventData, tab: Tab, kept: object) -> AsyncGenerator[Any, None]:
        async with aclosing(intents.follow(tab, kept, told.name(event, "question"))) as views:
            async for view in views:
                yield view

    _on(main.question.submit, intents.ask, [main.question, tab, visitor, *knobs], page, js=ON_ASK_ANEW)
    _on(main.thread.example, intents.example, [tab, visitor, *knobs], page, js=ON_ASK_ANEW)
    _on(main.thread.retry, intents.retry, [tab, visitor, *knobs], page, js=ON_ASK)
    _on(main.thread.go_on, intents.go_on, [tab, visitor, *knobs], page, js=ON_ASK)
    _on(main.notice.again, intents.again, [tab, visitor, *knobs], page, js=ON_ASK)
    _on(main.thread.edit, intents.edit, [tab, visitor], [main.question, main.notice])
    _on(main.notice.cancel, intents.cancel, [tab], [main.question, main.notice])
    _on(main.notice.close, intents.close, [tab], main.notice)
    _on(main.question.stop, intents.stop, [tab], None)
    _on(main.thread.rate, intents.rate, [visitor], main.notice)
    _on(main.thread.look, intents.look, [tab, visitor], list(main.earlier))
    # Without Gradio's own round of each value through a thread: a pane's list of strings is what the page needs.
    following = _on(live.follow, follow, [tab, kept.knobs], list(main.panes), postprocess=False)
    _on(following.then, intents.settle, [tab, visitor, kept.model], [*page, side.model], js=ON_FOLLOWED)
    # "multiple": one that comes while another is under way must not be dropped, or the stop button would be wrong.
    live.running(None, [main.question], [main.question], js=ON_RUNNING, trigger_mode="multiple", show_progress="hidden")


def _wire_conversations(demo: gr.Blocks, intents: Intents, kept: Kept, side: Sidebar, main: Main) -> None:
    """Which conversation is shown."""
    page, known = _page(side, main), [kept.tab, kept.visitor, kept.model]
    _on(side.conversations.open, intents.open, known, page)
    _on(side.conversations.delete, intents.delete, known, page)
    _on(side.new.click, intents.new, known, page)
    address, minutes_west = gr.Textbox(visible=False), gr.Textbox(visible=False)
    _on(demo.load, intents.load, [*known, address, minutes_west], [kept.visitor, *page], js=ON_LOAD)


def _wire_documents(demo: gr.Blocks, intents: Intents, shelf: Shelf, kept: Kept, side: Sidebar, main: Main) -> None:
    """What people bring, and how they look into it."""
    desk = gr.State(Desk())
    shown = keyed(
        [],
        documents.NAME,
        draws="dialog",
        events=("bring", "halt", "tidy", "remove", "remove_all"),
        label=documents.TITLE,
    )
    page = keyed([], leaf.NAME, draws="dialog", events=("leaf",), label=leaf.TITLE)
    around = keyed([], "around", draws="around", events=("around",))
    known, drawn = [desk, kept.visitor], [side.documents, shown]
    bringing = _on(shown.bring, shelf.bring, known, drawn)
    _on(shown.halt, shelf.halt, [desk], None)
    removed = _on(shown.remove, shelf.remove, known, drawn), _on(shown.remove_all, shelf.remove_all, known, drawn)
    for changed in (bringing, *removed):
        _on(changed.then, intents.refresh, [kept.tab, kept.visitor, kept.model], [main.thread, main.panes[-1]])
    _on(shown.tidy, shelf.tidy, known, drawn)
    _on(side.documents.documents, shelf.show, known, drawn)
    _on(kept.visitor.change, shelf.show, known, drawn)
    _on(demo.load, shelf.show, known, drawn)
    _on(page.leaf, shelf.look, [kept.visitor], page)
    _on(around.around, shelf.around, [kept.visitor], around)


def _wire_models(
    demo: gr.Blocks, intents: Intents, kept: Kept, side: Sidebar, main: Main, default_instructions: str
) -> None:
    """Which model answers, and by which instructions."""
    chosen = [main.bar, kept.model, side.model, side.hint, *side.knobs]

    def choose(event: gr.EventData, tab: Tab) -> Any:
        return intents.choose(told.name(event, "label"), tab)

    _on(side.model.choose, choose, [kept.tab], chosen)
    if side.typed:
        _on(side.typed.submit, intents.add_model, [side.typed, kept.tab], [side.typed, main.notice, *chosen])
    _on(demo.load, intents.remember, [kept.model, kept.tab], chosen[1:])
    _on(demo.load, intents.restore, [kept.knobs], list(side.kept.values()))
    # What is turned is kept by the browser at once, without a round trip: a question may follow at any moment.
    default = json.dumps(default_instructions)
    for name, knob in side.kept.items():
        # A text that is pasted is a change and no input.
        event = knob.change if knob is side.instructions else knob.input
        value = f"value === {default} ? '' : value" if knob is side.instructions else "value"
        keep = f"(value, kept) => glassbox.keep(kept, {{{name}: {value}}})"
        _on(event, None, [knob, kept.knobs], kept.knobs, js=keep)
    unmoved = f"{sidebar.TEMPERATURE}, {sidebar.MAX_TOKENS}"
    unset = f"(kept) => [glassbox.keep(kept, {{temperature: null, max_tokens: null}}), {unmoved}]"
    _on(side.own.click, None, [kept.knobs], [kept.knobs, side.temperature, side.max_tokens], js=unset)
    _on(side.reset.click, None, None, side.instructions, js=f"() => {default}")


def _page(side: Sidebar, main: Main) -> list[gr.components.Component]:
    """The components of `intents.Shown`, in its order."""
    return [main.bar, main.notice, side.conversations, main.thread, *main.panes]


def _on(event: Callable[..., Any], intent: Callable[..., Any] | None, inputs: Any, outputs: Any, **more: Any) -> Any:
    """A listener as all of ours are: not limited to one at a time, no spinner over the page, no public endpoint."""
    return event(
        traced(intent) if intent else None,
        inputs,
        outputs,
        trigger_mode="multiple",
        concurrency_limit=None,
        show_progress="hidden",
        api_visibility="private",
        **more,
    )
