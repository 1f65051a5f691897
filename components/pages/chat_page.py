"""The chat page: where its components stand, and which handler answers which event.

The panes come from `components.panes.PANES`: the chat, then those beside it, their tabs on a phone, and what shows
their earlier turns.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import gradio as gr
from markupsafe import Markup

from components import sidebar
from components.dialogs import document_page, documents, inspector, marks_legend, shortcuts, whole_document
from components.dialogs.documents import UploadState
from components.handlers import browser_values
from components.handlers.browser_values import BrowserValue
from components.handlers.chat_handlers import ChatHandlers
from components.handlers.document_handlers import DocumentHandlers, DocumentsUpdate
from components.handlers.inspector_handlers import InspectorHandlers
from components.handlers.listener import listener
from components.handlers.page_state import PageUpdate, Tab
from components.handlers.scope_handlers import ScopeHandlers
from components.handlers.side_by_side_handlers import AskedAbout, SideBySideHandlers
from components.handlers.signed_in import SignedIn
from components.html.feedback import form_template
from components.html.html_elements import NOTHING, Elements, joined, keyed, lost, preview_button, too_long
from components.html.scope_chips import EVERYTHING, scope_chips
from components.panes import PANES, chat
from components.panes.pane import Pane
from components.sidebar import Sidebar
from components.theme import theme
from i18n import CATALOGUE, ENGLISH, template_of, text
from i18n.messages import error_text
from pipeline.accounts.sessions import Accounts
from pipeline.conversations.service import Conversations
from pipeline.documents.library import Library
from pipeline.errors import Refused
from pipeline.models.catalogue import Models
from pipeline.settings import Settings
from pipeline.turns.engine import Pipeline

HERE = Path(__file__).parents[1] / "static"
SCRIPTS = (
    "texts.js",
    "storage.js",
    "connection.js",
    "page.js",
    "side_by_side.js",
    "second_checks.js",
    "feedback.js",
    "citing.js",
    "marks.js",
    "documents.js",
    "scope.js",
    "inspector.js",
    "fields.js",
    "own_key.js",
    "keys.js",
    "frame.js",
    "evaluate.js",
    "compare.js",
    "optimise.js",
    "ratings.js",
)
SCRIPT_TEXTS = "script."  # the area of the catalogue that scripts read
STYLES = (
    "page.css",
    "frame.css",
    "evaluate.css",
    "compare.css",
    "optimise.css",
    "ratings.css",
    "documents.css",
    "inspector.css",
    "citing.css",
    "verdicts.css",
    "abstention.css",
    "feedback.css",
    "media.css",
)
FOR_AGENTS = '<link rel="alternate" type="text/markdown" href="agents.md"/>'
STAGE = "stage"  # the id of the column with the live turn and its panes
# Waits for the fonts, so that nothing moves later, then adds what only the browser knows.
ON_LOAD = (
    "async (tab, visitor, model, address, minutes, stored) =>"
    " [tab, visitor, model, ...(await glassbox.ready()), glassbox.preferences ??= stored ?? {}]"
)
# Adds the model and the preferences as the page shows them: what Gradio holds of them comes a moment later.
ON_ASK = "(...given) => glassbox.asked(given)"
ON_CHOSEN = "(...given) => glassbox.chosen(given)"
ON_ASK_ANEW = f"(...given) => glassbox.stage('{STAGE}').asked_anew(given)"
ON_FOLLOWED = f"(...given) => glassbox.stage('{STAGE}').followed(given)"
# Shows the stop button and empties the composer without a round trip.
ON_RUNNING = f"(typed) => glassbox.stage('{STAGE}').composer(typed)"


Component: TypeAlias = gr.components.Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Remembered values: `tab` by the server for one open page, the others by the browser for the visitor."""

    tab: gr.State
    visitor: gr.BrowserState
    model: gr.BrowserState
    preferences: gr.BrowserState


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The components of the page. `panes` and `earlier` go by the names of panes; the chat has no earlier turns."""

    memory: Memory
    side: Sidebar
    bar: gr.HTML
    notice: gr.HTML
    thread: gr.HTML
    scope: gr.HTML
    question: gr.Textbox
    feedback: gr.HTML
    panes: Mapping[str, gr.HTML]
    earlier: Mapping[str, gr.HTML]

    @property
    def conversation(self) -> list[Component]:
        """The components that another conversation, or another turn, changes."""
        return [self.bar, self.notice, self.side.conversations, self.thread, *self.panes.values()]

    @property
    def model(self) -> list[Component]:
        """The components that another model changes."""
        return [self.bar, self.memory.model, self.side.model, self.side.hint, *self.side.for_language_models]

    def changes(self, update: PageUpdate) -> dict[Component, Any]:
        """Return the update by component; what it leaves as it is, is missing."""
        values: dict[Component | None, Any] = {
            self.bar: update.bar,
            self.notice: update.notice,
            self.thread: update.thread,
            self.question: update.question,
            self.feedback: update.feedback,
            self.side.conversations: update.conversations,
            self.side.profile: _unless_empty(update.profiles),
            self.side.model: update.picker,
            self.side.hint: update.hint,
            self.side.typed: update.typed_model,
            self.memory.visitor: update.visitor,
            self.side.account: update.account,
            self.memory.model: update.model,
            self.memory.preferences: update.stored,
            **{self.panes[name]: elements for name, elements in update.panes.items()},
            **{self.earlier[name]: elements for name, elements in update.earlier.items()},
            **{self.side.preferences[name]: gr.update(**changed) for name, changed in _controls(update).items()},
        }
        if update.is_language_model is not None:
            interactive = gr.update(interactive=update.is_language_model)
            # A control may get its value by the same update.
            values |= {each: {**(values.get(each) or {}), **interactive} for each in self.side.for_language_models}
        return {component: value for component, value in values.items() if component and value is not None}


def _unless_empty(elements: Elements | None) -> Any:
    """Return the update of a component that is hidden while it is empty."""
    return None if elements is None else gr.update(value=elements, visible=bool(elements))


def _controls(update: PageUpdate) -> dict[str, dict[str, Any]]:
    """Return what changes of the sidebar's controls, by their names."""
    values = {name: {"value": value} for name, value in update.preferences.items()}
    return values | {name: values.get(name, {}) | {**changed} for name, changed in update.offered.items()}


def launch_options() -> dict[str, Any]:
    """Return the options of `launch` that give the page its look and its scripts."""
    scripts = "".join(f"<script>{(HERE / name).read_text(encoding='utf-8')}</script>" for name in SCRIPTS)
    media = f"<style>{(HERE / 'media.css').read_text(encoding='utf-8')}</style>"
    head = FOR_AGENTS + media + _texts() + scripts
    return {"theme": theme(), "css_paths": [HERE / name for name in STYLES], "head": head}


def _texts() -> str:
    """Return a script with the texts of the other scripts, which `texts.js` reads."""
    texts = {key: template_of(key) for key in CATALOGUE[ENGLISH] if key.startswith(SCRIPT_TEXTS)}
    literal = json.dumps(texts).replace("<", "\\u003c")  # so that no text can end the script
    return f"<script>window.texts = {literal}</script>"


def build(
    pipeline: Pipeline,
    conversations: Conversations,
    models: Models,
    library: Library,
    settings: Settings,
    about: AskedAbout,
    panes: Sequence[Pane] = PANES,
    accounts: Accounts | None = None,
) -> gr.Blocks:
    """Build the page over the parts that it shows; `accounts` where people can sign in.

    `about` is what can be said and asked about verdicts.
    """
    signed_in = SignedIn(accounts)
    handlers = ChatHandlers(pipeline, conversations, models, library, panes, signed_in)
    is_bare = settings.on_space and not any(each.is_language_model and each.state == "ready" for each in models.choices)
    with gr.Blocks(
        title="Glassbox",
        fill_height=True,
        fill_width=True,
        analytics_enabled=False,
    ) as demo:
        memory = Memory(
            tab=gr.State(Tab()),
            visitor=browser_values.visitor(),
            model=BrowserValue(browser_values.text, "glassbox-model"),
            preferences=browser_values.preferences(),
        )
        initial = handlers.initial()
        side = sidebar.build(
            initial.profiles or [],
            sidebar.picker(models.choices, models.default),
            handlers.choices.offer,
            typed_models=settings.is_private,
        )
        with gr.Row(
            elem_id=STAGE, elem_classes=["stage", "marked", *([] if settings.enable_metadata else ["unmeasured"])]
        ):
            no_model = "page.sign_in_on_space" if accounts else "page.no_model_on_space"
            banner = text(no_model) if is_bare else ""
            page = _page(memory, side, panes, initial, settings.question_limit_chars, banner)
        gr.HTML(shortcuts.dialog(), elem_id=shortcuts.NAME, apply_default_css=False)
        gr.HTML(marks_legend.dialog(), elem_id=marks_legend.NAME, apply_default_css=False)
        _wire_turns(handlers, page)
        _wire_side_by_side(SideBySideHandlers(handlers, about), signed_in, page)
        _wire_conversations(demo, handlers, page)
        _wire_documents(demo, handlers, DocumentHandlers(library), page)
        _wire_models(demo, handlers, page)
        days = settings.exchanges_retention_d
        _wire_inspector(InspectorHandlers(pipeline, conversations, models, handlers, days), signed_in, page)
    return demo


def _page(
    memory: Memory, side: Sidebar, panes: Sequence[Pane], initial: PageUpdate, question_limit_chars: int, banner: str
) -> Page:
    beside = [pane for pane in panes if pane.NAME != chat.NAME]
    with gr.Column(elem_id=chat.NAME, min_width=0):
        bar = keyed(initial.bar or [], "bar")
        gr.HTML(_tabs(panes), elem_id="tabs", apply_default_css=False)
        no_model = Markup('<p class="banner">{}</p>').format(banner) if banner else NOTHING
        unkept = Markup('<p class="banner" id="unkept" role="status" hidden>{}</p>').format(text("page.nothing_stored"))
        gr.HTML(no_model + unkept, elem_id="banner", apply_default_css=False)
        with gr.Column(elem_id="scroll"):
            events = ("example", "retry", "go_on", "edit", "show_earlier", "show_version")
            thread = keyed(initial.thread or [], "thread", events=events)
            live = keyed([], "live", draws="turn", events=("running", "follow"))
            rated = keyed([], "feedback", draws="feedback", events=("rate",))
        with gr.Column(elem_id="compose"):
            gr.HTML(lost() + form_template(), apply_default_css=False)
            notice = keyed([], "notice", events=("cancel", "close"))
            gr.HTML(_too_long(question_limit_chars), apply_default_css=False)
            scope = keyed(
                scope_chips(EVERYTHING, ()),
                "scope",
                events=("scope_choose", "scope_only", "scope_clear", "scope_restore"),
            )
            question = _question()
            gr.HTML(
                Markup('<p class="fine">{} {}</p><p id="status" class="sr" role="status"></p>').format(
                    text("page.fine_print"), preview_button(text("preview.open"))
                ),
                apply_default_css=False,
            )
    with gr.Column(elem_id="beside", min_width=0):
        drawn = {
            pane.NAME: keyed(initial.panes[pane.NAME], pane.NAME, draws="pane", label=pane.TITLE, css_class="pane")
            for pane in beside
        }
    return Page(
        memory=memory,
        side=side,
        bar=bar,
        notice=notice,
        thread=thread,
        scope=scope,
        question=question,
        feedback=rated,
        panes={chat.NAME: live, **drawn},
        earlier={pane.NAME: keyed([], f"earlier-{pane.NAME}", draws="earlier", name=pane.NAME) for pane in beside},
    )


def _question() -> gr.Textbox:
    return gr.Textbox(
        placeholder=text("page.placeholder"),
        lines=1,
        max_lines=8,
        label=text("page.question"),
        show_label=False,
        container=False,
        submit_btn=text("script.send"),
        autofocus=True,
        elem_id="question",
    )


def _too_long(limit_chars: int) -> Markup:
    return too_long("question", error_text(Refused("long_question", limit_chars)), limit_chars)


def _tabs(panes: Sequence[Pane]) -> Markup:
    """Return the tabs that choose the pane on a phone; only a phone shows them."""
    buttons = joined(
        Markup('<button type="button" role="tab" data-act="tab" data-tab="{}" aria-selected="{}">{}</button>').format(
            pane.NAME, str(pane is chat).lower(), pane.TITLE
        )
        for pane in panes
    )
    return Markup('<div role="tablist" aria-label="{}">{}</div>').format(text("page.panes"), buttons)


def _wire_turns(handlers: ChatHandlers, page: Page) -> None:
    """Wire asking, and what can be done with turns."""
    live, tab, visitor = page.panes[chat.NAME], page.memory.tab, page.memory.visitor
    asked_with = [tab, visitor, page.memory.model, page.memory.preferences]
    on = listener(handlers.signed_in, page.changes)

    async def follow(event: gr.EventData, tab: Tab, stored: object) -> AsyncGenerator[Any, None]:
        async with aclosing(handlers.follow(tab, stored, browser_values.name(event, "question"))) as updates:
            async for update in updates:
                yield update

    on(page.question.submit, handlers.ask, [page.question, *asked_with], page.conversation, js=ON_ASK_ANEW)
    on(page.thread.example, handlers.example, asked_with, page.conversation, js=ON_ASK_ANEW)
    on(page.thread.retry, handlers.retry, asked_with, page.conversation, js=ON_ASK)
    on(page.thread.go_on, handlers.go_on, asked_with, page.conversation, js=ON_ASK)
    on(page.thread.edit, handlers.edit, [tab, visitor], [page.question, page.notice])
    on(page.notice.cancel, handlers.cancel, [tab], [page.question, page.notice])
    on(page.notice.close, handlers.close, [tab], [page.notice])
    on(page.question.stop, handlers.stop, [tab], None)
    on(page.feedback.rate, handlers.rate, [visitor], [page.feedback, page.notice])
    on(page.thread.show_earlier, handlers.show_earlier, [tab, visitor], list(page.earlier.values()))
    # Without Gradio's own round of each value through a thread: a pane's list of strings is what the page needs.
    following = on(live.follow, follow, [tab, page.memory.preferences], list(page.panes.values()), postprocess=False)
    settled = [*page.conversation, page.side.model]
    on(following.then, handlers.settle, [tab, visitor, page.memory.model], settled, js=ON_FOLLOWED)
    # "multiple": one that comes while another is under way must not be dropped, or the stop button would be wrong.
    live.running(None, [page.question], [page.question], js=ON_RUNNING, trigger_mode="multiple", show_progress="hidden")


def _wire_side_by_side(handlers: SideBySideHandlers, signed_in: SignedIn, page: Page) -> None:
    """Wire the comparison of a sentence with its passage."""
    events = ("compare", "report", "ask_what_it_stands_on", "stop_inquiry")
    beside = keyed([], "side-by-side", draws="side_by_side", events=events)
    under = keyed([], "second-checks", draws="second_checks", events=("second_checks", "second_check"))
    known = [page.memory.tab, page.memory.visitor]
    asked_with = [*known, page.memory.model, page.memory.preferences]
    on = listener(signed_in, lambda card: {beside: card})
    on(beside.compare, handlers.compare, known, [beside])
    on(beside.report, handlers.report, known, [beside])
    on(beside.ask_what_it_stands_on, handlers.ask_what_it_stands_on, asked_with, [beside], js=ON_ASK)
    on(beside.stop_inquiry, handlers.stop, [page.memory.visitor], None)
    on = listener(signed_in, lambda shown: {under: shown})
    on(under.second_checks, handlers.second_checks, asked_with, [under], js=ON_ASK)
    on(under.second_check, handlers.second_check, asked_with, [under], js=ON_ASK)


def _wire_conversations(demo: gr.Blocks, handlers: ChatHandlers, page: Page) -> None:
    """Wire which conversation is shown."""
    on = listener(handlers.signed_in, page.changes)
    given = [page.memory.tab, page.memory.visitor, page.memory.model]
    on(page.side.conversations.open, handlers.open, given, page.conversation)
    on(page.side.conversations.delete, handlers.delete, given, page.conversation)
    on(page.thread.show_version, handlers.show_version, given, page.conversation)
    on(page.side.new.click, handlers.new, given, page.conversation)
    address, minutes_west = gr.Textbox(visible=False), gr.Textbox(visible=False)
    loaded = [page.memory.visitor, page.side.account, *page.conversation]
    on(demo.load, handlers.load, [*given, address, minutes_west, page.memory.preferences], loaded, js=ON_LOAD)


def _wire_documents(demo: gr.Blocks, handlers: ChatHandlers, uploads: DocumentHandlers, page: Page) -> None:
    """Wire uploading documents and looking into them."""
    upload, visitor, opener = gr.State(UploadState()), page.memory.visitor, page.side.documents
    dialog = keyed(
        [],
        documents.NAME,
        draws="dialog",
        events=(
            "add_files",
            "add_address",
            "cancel_upload",
            "close_upload",
            "remove",
            "remove_all",
        ),
        label=documents.TITLE,
    )
    document = keyed([], document_page.NAME, draws="dialog", events=("show_page",), label=document_page.TITLE)
    whole = keyed([], whole_document.NAME, draws="whole", events=("whole",), label=whole_document.TITLE)
    around = keyed([], "around", draws="around", events=("around",))

    def changes(update: DocumentsUpdate) -> dict[Component, Any]:
        return {opener: update.opener, dialog: update.dialog}

    wired = partial(listener, handlers.signed_in)
    on, given, drawn = wired(changes), [upload, visitor, page.memory.tab], [opener, dialog]
    added = on(dialog.add_files, uploads.add, given, drawn)
    fetched = on(dialog.add_address, uploads.add_address, given, drawn)
    on(dialog.cancel_upload, uploads.cancel, [upload], None)
    removed = on(dialog.remove, uploads.remove, given, drawn), on(dialog.remove_all, uploads.remove_all, given, drawn)
    on(dialog.close_upload, uploads.close_upload, given, drawn)
    for event in (opener.documents, visitor.change, demo.load):
        on(event, uploads.show, given, drawn)
    wired(lambda elements: {document: elements})(document.show_page, uploads.show_page, [visitor], [document])
    wired(lambda elements: {whole: elements})(whole.whole, uploads.whole, [visitor], [whole])
    wired(lambda elements: {around: elements})(around.around, uploads.around, [visitor], [around])
    scope, scoped = ScopeHandlers(handlers.choices), [page.memory.tab, visitor]
    drawn_scope = wired(lambda elements: {page.scope: elements})
    for event, handler in (
        (page.scope.scope_choose, scope.choose),
        (page.scope.scope_only, scope.only),
        (page.scope.scope_clear, scope.clear),
        (page.scope.scope_restore, scope.restore),
        *((each, scope.show) for each in (visitor.change, demo.load)),
    ):
        drawn_scope(event, handler, scoped, [page.scope])
    known = [page.memory.tab, visitor, page.memory.model]
    empty = [page.thread, *page.panes.values(), page.side.controls["documents"]]
    for changed in (added, fetched, *removed):
        wired(page.changes)(changed.then, handlers.documents_changed, known, empty)
        drawn_scope(changed.then, scope.show, scoped, [page.scope])


def _wire_inspector(drawer: InspectorHandlers, signed_in: SignedIn, page: Page) -> None:
    """Wire the drawer with the prompts of a turn, and with what would be sent."""
    tab, visitor = page.memory.tab, page.memory.visitor
    events = ("inspect", "preview", "copy_exchange")
    shown = keyed([], inspector.NAME, draws="inspector", events=events, label=inspector.TITLE)
    copied = keyed([], "copied", draws="copied")

    def show(elements: Elements) -> dict[Component, Any]:
        return {shown: elements}

    def give(copy: list[str]) -> dict[Component, Any]:
        return {copied: copy}

    asked_with = [page.question, tab, visitor, page.memory.model, page.memory.preferences]
    on = listener(signed_in, show)
    on(shown.inspect, drawer.show, [tab, visitor], [shown])
    on(shown.preview, drawer.preview, asked_with, [shown], js=ON_ASK)
    listener(signed_in, give)(shown.copy_exchange, drawer.copy, [tab, visitor], [copied])


def _wire_models(demo: gr.Blocks, handlers: ChatHandlers, page: Page) -> None:
    """Wire which model answers, and by which instructions."""
    on = listener(handlers.signed_in, page.changes)
    side, memory, texts = page.side, page.memory, handlers.choices.offer.texts

    def choose(event: gr.EventData, tab: Tab, visitor: str) -> Any:
        return handlers.choose(browser_values.name(event, "label"), tab, visitor)

    async def test(event: gr.EventData, visitor: str) -> Any:
        label, own_key = browser_values.name(event, "label"), browser_values.name(event, "own_key")
        return await handlers.test_model(label, own_key, visitor)

    async def opened(event: gr.EventData, visitor: str) -> Any:
        return await handlers.open_models(browser_values.name(event, "label"), visitor)

    on(side.model.open_models, opened, [memory.visitor], [side.model])
    on(side.model.test_model, test, [memory.visitor], [side.model])
    on(side.model.choose, choose, [memory.tab, memory.visitor], page.model)
    if side.typed:
        on(
            side.typed.submit,
            handlers.add_model,
            [side.typed, memory.tab, memory.visitor],
            [side.typed, page.notice, *page.model],
        )
    on(demo.load, handlers.recall, [memory.model, memory.visitor], page.model)
    chosen = [memory.tab, memory.visitor, memory.model, memory.preferences]
    controls = [side.profile, *side.preferences.values()]
    on(demo.load, handlers.restore, [memory.preferences, memory.visitor], controls)
    drawn = [*controls, memory.preferences, *page.model, page.thread, *page.panes.values()]
    on(side.profile.choose_profile, handlers.choose_profile, chosen, drawn, js=ON_CHOSEN)
    needing = json.dumps(handlers.choices.programs_with_document)
    show = f'(program) => ({{__type__: "update", visible: {needing}.includes(program)}})'
    on(side.controls["program"].change, None, [side.controls["program"]], [side.controls["documents"]], js=show)
    # The browser stores what is chosen at once, without a round trip: a question may follow at any moment.
    for name, component in side.preferences.items():
        default = texts.get(name)
        # A text that is pasted is a change and no input.
        event = component.input if default is None else component.change
        value = "value" if default is None else f"glassbox.own_text(value, '{name}', {json.dumps(default)})"
        store = f"(value, stored) => glassbox.prefer(stored, {{{name}: {value}}})"
        on(event, None, [component, memory.preferences], [memory.preferences], js=store)
    resting = side.resting
    unset = f"(stored) => [glassbox.prefer(stored, {json.dumps(dict.fromkeys(resting))}), ...{[*resting.values()]}]"
    rested = [memory.preferences, *(side.controls[name] for name in resting)]
    on(side.unset.click, None, [memory.preferences], rested, js=unset)
    for name, default in texts.items():
        on(side.reset.click, None, None, [side.controls[name]], js=f"() => {json.dumps(default)}")
