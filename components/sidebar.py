"""The sidebar: conversations, model, retrieval, prompt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import groupby
from typing import Any, TypeAlias

import gradio as gr
from markupsafe import Markup

from components.html.html_elements import (
    NOTHING,
    Elements,
    attribute,
    icon,
    joined,
    keyed,
    mark,
    preview_button,
    too_long,
)
from components.html.markdown import plain
from components.html.navigation import PAGES, navigation
from components.html.own_key import own_key
from components.option_controls import Offer, options_in
from i18n import has, text
from i18n.messages import error_text, model_test_text, note_text, profile_fault_text
from pipeline.models.catalogue import ModelChoice, short_count
from pipeline.models.spending import Rest
from pipeline.options import Dropdown, Group, Option, Slider, options_of
from pipeline.programs.profiles import Profile, ProfileFault
from pipeline.turn import AskOptions, Conversation
from pipeline.turns.model_tests import ModelTest

Component: TypeAlias = gr.components.Component

INSTRUCTIONS_LIMIT_CHARS = next(each.most_items or 0 for each in options_of(AskOptions) if each.name == "instructions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidebar:
    """The components that the page listens to. `controls` are those of the options, by the names of these.

    `unset` gives the options in the "advanced" part back to the model, `reset` restores the default instructions.
    """

    new: gr.Button
    documents: gr.HTML
    conversations: gr.HTML
    profile: gr.HTML
    model: gr.HTML
    account: gr.HTML
    typed: gr.Textbox | None
    controls: Mapping[str, Any]
    streams: gr.Checkbox
    unset: gr.Button
    reset: gr.Button
    hint: gr.HTML
    kind: type[AskOptions] = AskOptions

    @property
    def shown(self) -> list[Option]:
        """The options that have a control."""
        return [each for each in options_of(self.kind) if each.name in self.controls]

    @property
    def resting(self) -> dict[str, float]:
        """The positions of the sliders of options that may be left to the model."""
        sliders = [(each.name, each.control) for each in self.shown if isinstance(each.control, Slider)]
        return {name: slider.rests_at for name, slider in sliders if slider.rests_at is not None}

    @property
    def for_language_models(self) -> list[Component]:
        """The components that are disabled for the built-in model."""
        return [*(self.controls[each.name] for each in self.shown if each.use), self.unset, self.reset]

    @property
    def preferences(self) -> dict[str, Component]:
        """The components whose values the browser stores, by the names under which it does."""
        return {**self.controls, "streams": self.streams}


def build(
    profiles: Elements, models: Elements, offer: Offer, *, typed_models: bool, kind: type[AskOptions] = AskOptions
) -> Sidebar:
    """Draw the sidebar inside a `gr.Blocks`. `offer` is what can be chosen, `kind` declares the options."""
    controls: dict[str, Component] = {}

    def draw(group: Group) -> None:
        controls.update({each.name: offer.control(each) for each in options_in(group, kind)})

    with gr.Sidebar(width=272, open=True, elem_id="sidebar"):
        gr.HTML(
            Markup('<div class="brand">{}<b>Glassbox</b></div>').format(mark(24)),
            elem_id="brand",
            apply_default_css=False,
        )
        new = gr.Button(text("chat.new"), elem_id="new-chat")
        documents = keyed([], "documents-opener", events=("documents",))
        if PAGES:
            keyed(navigation(), "pages")
        conversations = keyed([], "conversations", events=("open", "delete"))
        profile = keyed(profiles, "profile", events=("choose_profile",), visible=bool(profiles))
        model = keyed(models, "model", events=("choose", "test_model", "open_models"))
        gr.HTML(own_key(), elem_id="own-key", apply_default_css=False)
        account = keyed([], "account")
        typed = _typed() if typed_models else None
        with gr.Group(elem_classes="turn-options"):
            draw("program")
            draw("document")
            draw("main")
            streams = gr.Checkbox(True, label=text("sidebar.stream"), interactive=True, elem_id="stream")
            gr.HTML(_marks_switch(), apply_default_css=False)
        with gr.Accordion(text("sidebar.search"), open=False):
            if len(offer.choices.get("mode", ())) == 1:
                gr.HTML(_note(text("sidebar.keywords_only")), apply_default_css=False)
            draw("search")
        with gr.Accordion(text("sidebar.instructions"), open=False):
            draw("instructions")
            why = text("sidebar.too_long", most=INSTRUCTIONS_LIMIT_CHARS)
            gr.HTML(too_long("instructions", why, INSTRUCTIONS_LIMIT_CHARS), apply_default_css=False)
            reset = gr.Button(text("sidebar.reset"), size="sm", elem_classes="quiet")
            gr.HTML(preview_button(text("preview.open_whole")), apply_default_css=False)
        with gr.Accordion(text("sidebar.advanced"), open=False):
            gr.HTML(_note(text("sidebar.unmoved")), apply_default_css=False)
            draw("advanced")
            unset = gr.Button(text("sidebar.unset"), size="sm", elem_classes="quiet")
        hint = keyed([], "hint")
        gr.HTML(_abouts(offer, kind), apply_default_css=False, elem_classes="unseen")
    return Sidebar(
        new=new,
        documents=documents,
        conversations=conversations,
        profile=profile,
        model=model,
        account=account,
        typed=typed,
        controls=controls,
        streams=streams,
        unset=unset,
        reset=reset,
        hint=hint,
        kind=kind,
    )


def profile_picker(profiles: Sequence[Profile], chosen: str | None, faults: Sequence[ProfileFault] = ()) -> Elements:
    """Return the profiles as radio buttons behind that of none; below them what is wrong with files that are none.

    A button says what its profile sets, so that the script can tell it from what the visitor has chosen.
    """
    if not profiles and not faults:
        return []
    rows = [_profile_row("", text("sidebar.no_profile"), chosen or "", "", {})]
    rows += [_profile_row(each.name, each.title, chosen or "", each.model or "", each.options) for each in profiles]
    picker = Markup('<fieldset><legend>{}</legend><div class="models">{}</div></fieldset>').format(
        text("sidebar.profile"), joined(rows) if profiles else NOTHING
    )
    return [picker, *_faults(faults)]


def _profile_row(name: str, title: str, chosen: str, model: str, sets: Mapping[str, Any]) -> Markup:
    return Markup(
        '<label><input type="radio" name="profile" value="{}" data-model="{}" data-sets="{}"{}>{}</label>'
    ).format(name, model, json.dumps(dict(sets)), Markup(" checked") if name == chosen else NOTHING, plain(title))


def _faults(faults: Sequence[ProfileFault]) -> Elements:
    if not faults:
        return []
    items = joined(
        Markup("<li>{}</li>").format(
            text("sidebar.profile_fault", file=each.file, line=each.line, why=profile_fault_text(each))
        )
        for each in faults
    )
    return [Markup('<ul class="faults">{}</ul>').format(items)]


def picker(choices: Sequence[ModelChoice], chosen: str, test: ModelTest | None = None) -> Elements:
    """Return the models as radio buttons: arrow keys and screen readers know them by themselves.

    Below them stands what is known of the chosen one, or the result of its `test`. Hosted models without a key are
    folded away.
    """
    rows, others = (
        [_choice(each, chosen) for each in choices if each.is_configured == is_configured]
        for is_configured in (True, False)
    )
    fieldset = Markup('<fieldset><legend>{}</legend><div class="models">{}</div></fieldset>').format(
        text("sidebar.model"), joined(rows)
    )
    is_open = any(each.label == chosen and not each.is_configured for each in choices)
    about = [_about(each, test) for each in choices if each.label == chosen]
    return [fieldset, *about, *([_without_key(others, is_open=is_open)] if others else [])]


def _about(choice: ModelChoice, test: ModelTest | None) -> Markup:
    """Return the line of the chosen model, as tall with as without the result of a test."""
    return Markup(
        '<div class="about-model" data-test="{at}"><div role="status">{what}</div>'
        '<button type="button" data-act="test-model" data-key="test-model" data-label="{label}">{test}</button></div>'
    ).format(
        at=test.ended_at if test else "",  # else the script would take the same result again for no change
        what=_tested(test) if test else _known(choice),
        label=choice.label,
        test=text("sidebar.test"),
    )


def _known(choice: ModelChoice) -> Markup:
    """Return window and prices of a model, as far as they are known."""
    known = []
    if choice.context_tokens:
        known.append(text("sidebar.window", tokens=short_count(choice.context_tokens)))
    if prices := choice.prices:
        prompt, completion = (f"{price:.3g}" for price in (prices.prompt, prices.completion))
        known.append(text("sidebar.prices", prompt=prompt, completion=completion))
    return joined(Markup("<p>{}</p>").format(each) for each in known)


def _tested(test: ModelTest) -> Markup:
    if test.fault is None:
        said = model_test_text(test.first_token_s, test.tokens_per_s)
        return Markup('<p class="works">{}</p>').format(said)
    key = f"recovery.fault.{test.fault.code}"
    short = text(key) if has(key) else text("sidebar.test_failed")
    return Markup('<details class="failed"><summary>{}</summary><p>{}</p></details>').format(
        short, error_text(test.fault)
    )


def _without_key(rows: Sequence[Markup], *, is_open: bool) -> Markup:
    return Markup('<details class="keyless"{}><summary>{}</summary><div class="models">{}</div></details>').format(
        Markup(" open") if is_open else NOTHING, text("sidebar.without_key", count=len(rows)), joined(rows)
    )


def budget(rest: Rest | None) -> Elements:
    """Return what is left of the day's budget for models; nothing where there is no budget."""
    if rest is None:
        return []
    key = "sidebar.budget_spent" if rest.is_spent else "sidebar.budget_left"
    left = text(key, left=f"{max(0.0, rest.left):.2f}", budget=f"{rest.budget:.2f}")
    return [Markup('<p class="budget">{}</p>').format(left)]


def hint(*, is_language_model: bool) -> Elements:
    """Return why the controls of language models are disabled, when they are."""
    return [] if is_language_model else [_note(text("sidebar.for_language_models"))]


def listing(conversations: Sequence[Conversation], active_id: str | None, minutes_west: int) -> Elements:
    """Return the visitor's conversations by day of the visitor's clock, newest first."""
    if not conversations:
        return [Markup('<p class="none">{}</p>').format(text("sidebar.none_yet"))]
    zone = timezone(timedelta(minutes=-minutes_west))
    today = datetime.now(zone)

    def day(each: Conversation) -> str:
        return _day(datetime.fromtimestamp(each.changed_at, zone), today)

    names = _names(conversations)
    days = joined(
        Markup('<p class="day">{}</p>{}').format(
            name, joined(_row(each, active_id, names[each.id]) for each in conversations_of_day)
        )
        for name, conversations_of_day in groupby(conversations, day)
    )
    return [Markup('<nav aria-label="{}">{}</nav>').format(text("sidebar.conversations"), days)]


def _note(note: str) -> Markup:
    return Markup('<p class="unused">{}</p>').format(note)


def _abouts(offer: Offer, kind: type[AskOptions]) -> Markup:
    """Return what the choices of dropdowns are, for `page.js`, which puts it under their titles."""
    template = Markup('<template class="about-choices" data-of="{}" data-texts="{}"></template>')
    return joined(
        template.format(each.control.element_id, json.dumps(texts))
        for each in options_of(kind)
        if isinstance(each.control, Dropdown) and (texts := offer.abouts(each))
    )


def _names(conversations: Sequence[Conversation]) -> dict[str, str]:
    """Return a name for each conversation: its title, with a number where a title repeats."""
    names, seen = dict[str, str](), Counter[str]()
    for each in conversations:
        seen[each.title] += 1
        names[each.id] = each.title if seen[each.title] == 1 else f"{each.title} ({seen[each.title]})"
    return names


def _day(when: datetime, today: datetime) -> str:
    days_ago = (today.date() - when.date()).days
    if days_ago <= 1:
        return text("sidebar.today") if days_ago <= 0 else text("sidebar.yesterday")
    return f"{when.day} {when:%B}" if when.year == today.year else f"{when.day} {when:%B %Y}"


def _row(conversation: Conversation, active_id: str | None, name: str) -> Markup:
    is_active = conversation.id == active_id
    return Markup(
        '<div class="row{current}" data-conversation="{id}"{kind}>'
        '<button type="button" data-act="open" class="title" aria-label="{name}"{current_page}>{title}</button>'
        '<button type="button" data-act="doubt" class="bin" aria-label="{delete_one} …" title="{delete}">{icon}'
        "</button>"
        '<span class="sure"><button type="button" data-act="delete" aria-label="{delete_one}">{delete}</button>'
        '<button type="button" data-act="keep" aria-label="{keep_one}">{keep}</button></span></div>'
    ).format(
        current=" current" if is_active else "",
        id=conversation.id,
        kind=attribute("data-kind", conversation.kind or ""),
        name=name,
        delete=text("documents.delete"),
        delete_one=text("documents.delete_one", name=name),
        keep=text("documents.keep"),
        keep_one=text("documents.keep_one", name=name),
        current_page=attribute("aria-current", "page" if is_active else ""),
        title=plain(conversation.title),
        icon=icon("delete"),
    )


def _choice(choice: ModelChoice, chosen: str) -> Markup:
    return Markup(
        '<label class="{state}" title="{label}"{key}><input type="radio" name="model" value="{label}"{checked}'
        "{disabled}><i></i>{name}<em>{note}</em></label>"
    ).format(
        state=choice.state,
        label=choice.label,
        key=attribute("data-key", choice.key_scope),
        checked=Markup(" checked") if choice.label == chosen else NOTHING,
        disabled=Markup(" disabled") if choice.state == "no_key" and not choice.key_scope else NOTHING,
        name=_name(choice.label),
        note=plain(note_text(choice.note)),
    )


def _name(label: str) -> Markup:
    """Return a label; of one like `provider/model` the beginning gives way where there is no room."""
    return Markup("<span{}><bdi>{}</bdi></span>").format(attribute("class", "qualified" if "/" in label else ""), label)


def _marks_switch() -> Markup:
    """Return the checkbox that shows the marks of sentences or hides them; the script and the browser keep it."""
    return Markup('<label class="marks-switch"><input type="checkbox" data-switch="marks" checked>{}</label>').format(
        text("sidebar.marks")
    )


def _typed() -> gr.Textbox:
    with gr.Accordion(text("sidebar.another_model"), open=False):
        return gr.Textbox(
            label=text("sidebar.model_name"),
            info=text("sidebar.keys"),
            placeholder="provider/model",
            max_lines=1,
            max_length=200,
            interactive=True,
            elem_id="typed-model",
        )
