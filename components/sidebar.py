"""The sidebar: conversations, model, retrieval, prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from itertools import groupby

import gradio as gr

from components.knobs import (
    INSTRUCTIONS_LIMIT_CHARS,
    LEAST_CANDIDATES,
    LEAST_TOKENS,
    MOST_CANDIDATES,
    MOST_HISTORY_TURNS,
    MOST_PASSAGES,
    MOST_TEMPERATURE,
    MOST_TOKENS,
    USUAL,
)
from components.markdown import plain
from components.parts import Parts, icon, keyed, mark, too_long
from pipeline.conversation import Conversation, SearchMode
from pipeline.models import ModelChoice

TEMPERATURE, MAX_TOKENS = 0.7, 1024  # where the sliders stand; not sent before they are moved
KNOBS = 5  # components that a model without knobs switches off: `Sidebar.knobs`

NONE_YET = "Your conversations will be listed here."
UNUSED = (
    "The built-in model only quotes sentences that share words with the question: ask in the documents’ own language. "
    "Instructions, temperature and token limit are for language models."
)
MODE_NAMES = {"keyword": "Keywords", "vector": "Meaning", "hybrid": "Both"}
KEYWORDS_ONLY = "Search goes by words. With EMBEDDING_MODEL set, it can go by meaning too."
UNMOVED = "As long as these are not moved, each model keeps its own."
TOO_LONG = (
    f"The instructions are too long: at most {INSTRUCTIONS_LIMIT_CHARS:,} characters. Shorten them; until then "
    "those from before are used."
)
KEYS = (
    "Any LiteLLM name; Enter adds it, for everybody here until Glassbox starts again. Its key belongs into the file "
    ".env beside app.py, under its provider’s own name (OPENAI_API_KEY=…); then start Glassbox again."
)


@dataclass(frozen=True, slots=True)
class Sidebar:
    """The components that the page listens to. `knobs` are those that the built-in model does not use."""

    new: gr.Button
    documents: gr.HTML
    conversations: gr.HTML
    model: gr.HTML
    typed: gr.Textbox | None
    passages: gr.Slider
    history_turns: gr.Slider
    temperature: gr.Slider
    max_tokens: gr.Slider
    own: gr.Button
    instructions: gr.Textbox
    reset: gr.Button
    streams: gr.Checkbox
    hint: gr.HTML
    search: tuple[gr.components.Component, ...]

    @property
    def knobs(self) -> list[gr.components.Component]:
        """Disabled for a model that does not use them."""
        return [self.temperature, self.max_tokens, self.own, self.instructions, self.reset]

    @property
    def kept(self) -> dict[str, gr.components.Component]:
        """Which component turns which field of `Knobs`."""
        mode, candidates, reranks, rewrites = self.search
        return {
            "passages": self.passages,
            "history_turns": self.history_turns,
            "instructions": self.instructions,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "streams": self.streams,
            "mode": mode,
            "candidates": candidates,
            "reranks": reranks,
            "rewrites": rewrites,
        }


def build(
    models: Parts, instructions: str, modes: Sequence[SearchMode], *, typed_models: bool, reranks: bool
) -> Sidebar:
    """Draw it, inside a `gr.Blocks`. `modes`: how documents can be searched; `reranks`: whether there is a reranker."""
    with gr.Sidebar(width=272, open=True, elem_id="sidebar"):
        gr.HTML(f'<div class="brand">{mark(24)}<b>Glassbox</b></div>', apply_default_css=False)
        new = gr.Button("New chat", elem_id="new-chat")
        documents = keyed([], "documents-opener", events=("documents",))
        conversations = keyed([], "conversations", events=("open", "delete"))
        model = keyed(models, "model", events=("choose",))
        typed = _typed() if typed_models else None
        with gr.Group(elem_classes="knobs"):
            passages = _slider(1, MOST_PASSAGES, USUAL.passages_wanted, "Passages", "passages")
            history_turns = _slider(0, MOST_HISTORY_TURNS, USUAL.history_turns, "Turns of history", "history-turns")
            streams = gr.Checkbox(True, label="Stream the answer", interactive=True, elem_id="stream")
        with gr.Accordion("Search", open=False):
            search = _search(modes, reranks=reranks)
        with gr.Accordion("Instructions", open=False):
            prompt = gr.Textbox(
                instructions,
                lines=6,
                max_lines=14,
                label="Instructions",
                show_label=False,
                interactive=True,
                elem_id="instructions",
            )
            gr.HTML(too_long("instructions", TOO_LONG, INSTRUCTIONS_LIMIT_CHARS), apply_default_css=False)
            reset = gr.Button("Reset to default", size="sm", elem_classes="quiet")
        with gr.Accordion("Advanced", open=False):
            gr.HTML(f'<p class="unused">{UNMOVED}</p>', apply_default_css=False)
            temperature = _slider(0, MOST_TEMPERATURE, TEMPERATURE, "Temperature", "temperature", step=0.1)
            max_tokens = _slider(LEAST_TOKENS, MOST_TOKENS, MAX_TOKENS, "Maximum tokens", "max-tokens", step=64)
            own = gr.Button("Back to the model’s own", size="sm", elem_classes="quiet")
        hint = keyed([], "hint")
    return Sidebar(
        new,
        documents,
        conversations,
        model,
        typed,
        passages,
        history_turns,
        temperature,
        max_tokens,
        own,
        prompt,
        reset,
        streams,
        hint,
        search,
    )


def picker(choices: Sequence[ModelChoice], chosen: str) -> Parts:
    """The models as radio buttons: arrow keys and screen readers know them by themselves."""
    return [f"<fieldset><legend>Model</legend>{''.join(_choice(each, chosen) for each in choices)}</fieldset>"]


def hint(*, uses_knobs: bool) -> Parts:
    """Why the knobs below are disabled, when they are."""
    return [] if uses_knobs else [f'<p class="unused">{UNUSED}</p>']


def listing(conversations: Sequence[Conversation], active_id: str | None, minutes_west: int) -> Parts:
    """The visitor's conversations by day of their own clock, newest first."""
    if not conversations:
        return [f'<p class="none">{NONE_YET}</p>']
    zone = timezone(timedelta(minutes=-minutes_west))
    today = datetime.now(zone)

    def day(each: Conversation) -> str:
        return _day(datetime.fromtimestamp(each.changed_at, zone), today)

    names = _names(conversations)
    days = (
        f'<p class="day">{name}</p>{"".join(_row(each, active_id, names[each.id]) for each in rows)}'
        for name, rows in groupby(conversations, day)
    )
    return [f'<nav aria-label="Conversations">{"".join(days)}</nav>']


def _names(conversations: Sequence[Conversation]) -> dict[str, str]:
    """Titles, each with a number from its second on: no two buttons may sound the same."""
    names, seen = dict[str, str](), Counter[str]()
    for each in conversations:
        seen[each.title] += 1
        names[each.id] = each.title if seen[each.title] == 1 else f"{each.title} ({seen[each.title]})"
    return names


def _day(when: datetime, today: datetime) -> str:
    days_ago = (today.date() - when.date()).days
    if days_ago <= 1:
        return "Today" if days_ago <= 0 else "Yesterday"
    return f"{when.day} {when:%B}" if when.year == today.year else f"{when.day} {when:%B %Y}"


def _row(conversation: Conversation, active_id: str | None, name: str) -> str:
    told = escape(name)
    is_active = conversation.id == active_id
    current = ' aria-current="page"' if is_active else ""
    return (
        f'<div class="row{" current" * is_active}" data-conversation="{escape(conversation.id)}">'
        f'<button type="button" data-act="open" class="title" aria-label="{told}"{current}>'
        f"{plain(conversation.title)}</button>"
        f'<button type="button" data-act="doubt" class="bin" aria-label="Delete {told} …" title="Delete">'
        f"{icon('delete')}</button>"
        f'<span class="sure"><button type="button" data-act="delete" aria-label="Delete {told}">Delete</button>'
        f'<button type="button" data-act="keep" aria-label="Keep {told}">Keep</button></span></div>'
    )


def _choice(choice: ModelChoice, chosen: str) -> str:
    is_chosen = " checked" if choice.label == chosen else ""
    is_off = " disabled" if choice.state == "no_key" else ""
    flags = is_chosen + is_off
    return (
        f'<label class="{choice.state}"><input type="radio" name="model" value="{escape(choice.label)}"{flags}>'
        f"<i></i>{plain(choice.label)}<em>{plain(choice.note)}</em></label>"
    )


def _search(modes: Sequence[SearchMode], *, reranks: bool) -> tuple[gr.components.Component, ...]:
    """Mode, candidates, rerank, rewrite; what cannot be chosen here is not shown."""
    if len(modes) == 1:
        gr.HTML(f'<p class="unused">{KEYWORDS_ONLY}</p>', apply_default_css=False)
    mode = gr.Radio(
        [(MODE_NAMES[each], each) for each in modes],
        value=modes[-1],
        label="Mode",
        visible=len(modes) > 1,
        interactive=True,
        elem_id="search-mode",
    )
    candidates = _slider(LEAST_CANDIDATES, MOST_CANDIDATES, USUAL.candidates, "Candidates", "candidates", step=10)
    rerank = gr.Checkbox(label="Rerank candidates", visible=reranks, interactive=True, elem_id="rerank")
    rewrite = gr.Checkbox(
        label="Rewrite the question first",
        info="By the language model: one to three queries.",
        interactive=True,
        elem_id="rewrite",
    )
    return mode, candidates, rerank, rewrite


def _typed() -> gr.Textbox:
    with gr.Accordion("Another model", open=False):
        return gr.Textbox(
            label="Model name",
            info=KEYS,
            placeholder="provider/model",
            max_lines=1,
            max_length=200,
            interactive=True,
            elem_id="typed-model",
        )


def _slider(low: int, high: int, value: float, label: str, elem_id: str, step: float = 1) -> gr.Slider:
    return gr.Slider(low, high, value, step=step, label=label, buttons=[], interactive=True, elem_id=elem_id)
