"""The small elements that several panes draw, and the `gr.HTML` that draws only what changed.

Functions that make HTML return `Markup`. A text becomes part of it by `Markup.format` or `escape` alone, so mypy and
ruff (S704) find an escape that was forgotten.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

import gradio as gr
from markupsafe import Markup, escape

from i18n import ENGLISH, template_of
from i18n import text as text_of
from pipeline.exchange_costs import Cost

Elements = list[Markup]  # one element of the page each

NOTHING = Markup("")
LEAST_SHOWN_USD = 0.0001  # a smaller cost is only said to be smaller

_SURROGATE = re.compile("[\ud800-\udfff]")

# Strokes on a 24-unit grid, drawn for Glassbox.
ICONS: dict[str, Markup] = {
    "copy": Markup('<path d="M9 9h10v11H9zM5 15V4h10"/>'),
    "retry": Markup('<path d="M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6"/>'),
    "edit": Markup('<path d="M4 20h4L19 9l-4-4L4 16z"/>'),
    "like": Markup('<path d="M7 11v9H4v-9zm0 0 4-7c2 0 2.5 1.5 2 3l-.7 3H19l-1.5 8.5c-.2 1-1 1.5-2 1.5H7"/>'),
    "dislike": Markup('<path d="M17 13V4h3v9zm0 0-4 7c-2 0-2.5-1.5-2-3l.7-3H5l1.5-8.5c.2-1 1-1.5 2-1.5H17"/>'),
    "warn": Markup('<path d="M12 4 2.5 20h19zM12 10v4.5M12 17.2v.3"/>'),
    "good": Markup('<path d="m5 12.5 4.5 4.5L19 7"/>'),
    "quote": Markup('<path d="M5 7h5v6c0 2-1.5 4-4 4M14 7h5v6c0 2-1.5 4-4 4"/>'),
    "theme": Markup('<path d="M12 3a9 9 0 1 0 9 9c-4 3-9-1-9-9z"/>'),
    "sun": Markup(
        '<path d="M12 16a4 4 0 1 1 0-8 4 4 0 0 1 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2"/>'
        '<path d="m5.3 5.3 1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"/>'
    ),
    "stop": Markup('<path d="M7 7h10v10H7z"/>'),
    "fallback": Markup('<path d="M6 4v8a4 4 0 0 0 4 4h9M15 12l4 4-4 4"/>'),
    "menu": Markup('<path d="M4 7h16M4 12h16M4 17h10"/>'),
    "close": Markup('<path d="M6 6l12 12M18 6 6 18"/>'),
    "delete": Markup('<path d="M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10 11v5M14 11v5"/>'),
    "documents": Markup('<path d="M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5"/>'),
    "upload": Markup('<path d="M12 16V5M7.5 9.5 12 5l4.5 4.5M5 19h14"/>'),
    "download": Markup('<path d="M12 5v11M7.5 11.5 12 16l4.5-4.5M5 20h14"/>'),
    "artifact_code": Markup('<path d="m8 7-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14"/>'),
    "artifact_table": Markup('<path d="M3 5h18v14H3zM3 10h18M3 14.5h18M10 10v9"/>'),
    "artifact_document": Markup('<path d="M6 3h8l4 4v14H6zM14 3v4h4M9 11h6M9 14h6M9 17h4"/>'),
    "artifact_formula": Markup('<path d="M18 5H7l6 7-6 7h11"/>'),
    "previous": Markup('<path d="m14.5 6-6 6 6 6"/>'),
    "next": Markup('<path d="m9.5 6 6 6-6 6"/>'),
    "shortcuts": Markup('<path d="M3 7h18v11H3zM7 10.8v.2M11 10.8v.2M15 10.8v.2M17.5 10.8v.2M8 14.5h8"/>'),
    "calculate": Markup('<path d="M6 3h12v18H6zM9 7h6M9 12v.1M12 12v.1M15 12v.1M9 16.5v.1M12 16.5v.1M15 16.5v.1"/>'),
    "tool": Markup(
        '<path d="M14.5 6.5a4 4 0 0 1 5-2l-2.6 2.6.6 2 2 .5L22 7a4 4 0 0 1-5.6 4.4L8 19.8 4.2 16l8.4-8.4"/>'
    ),
    "inspect": Markup('<path d="M4 5h16v14H4zM4 9h16M8 12.5h8M8 15.5h5"/>'),
    "compare": Markup('<path d="M4 5h6v14H4zM14 5h6v14h-6z"/>'),
    "evaluate": Markup('<path d="M4 5h16v14H4zM4 9.7h16M4 14.3h16M10 5v14"/>'),
    "optimise": Markup('<path d="m4 17 5-5 4 4 7-9M15 7h5v5"/>'),
    "ratings": Markup('<path d="M7 11v9H4v-9zm0 0 4-7c2 0 2.5 1.5 2 3l-.7 3H19l-1.5 8.5c-.2 1-1 1.5-2 1.5H7"/>'),
    "search": Markup('<path d="M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.5 15.5 20 20"/>'),
}


@lru_cache(maxsize=200)
def icon(name: str, size_px: int = 16) -> Markup:
    """Return a drawn icon in the colour of its text; it is hidden from screen readers."""
    return Markup(
        '<svg class="icon" width="{size}" height="{size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{strokes}</svg>'
    ).format(size=size_px, strokes=ICONS[name])


@lru_cache(maxsize=20)
def mark(size_px: int) -> Markup:
    """Return the logo: a box that one can see through."""
    return Markup(
        '<svg class="mark" width="{size}" height="{size}" viewBox="0 0 32 32" aria-hidden="true">'
        '<g fill="var(--accent)"><path d="M16 3 28 9.5 16 16 4 9.5z" opacity=".3"/>'
        '<path d="M4 9.5 16 16v13L4 22.5z" opacity=".55"/><path d="M28 9.5 16 16v13l12-6.5z" opacity=".18"/></g>'
        '<g fill="none" stroke="var(--accent)" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round">'
        '<path d="M16 3 28 9.5v13L16 29 4 22.5v-13zM4 9.5 16 16l12-6.5M16 16v13"/>'
        '<path d="M16 3v13M4 22.5 16 16l12 6.5" opacity=".38"/></g></svg>'
    ).format(size=size_px)


def dollars(cost: Cost) -> str:
    """Write a cost, with a sign before one that is estimated; "" for an unknown one and for what is free."""
    if not cost.usd:
        return ""
    about = "" if cost.exact else "≈ "
    if 0 < cost.usd < LEAST_SHOWN_USD:
        return f"{about}< ${LEAST_SHOWN_USD}"
    return f"{about}${cost.usd:.4f}" if cost.usd < 1 else f"{about}${cost.usd:.2f}"


def joined(elements: Iterable[Markup]) -> Markup:
    """Return the elements one after the other."""
    return NOTHING.join(elements)


def html_text(key: str, language: str = ENGLISH, /, **values: Markup) -> Markup:
    """Return a text of the catalogue with elements as its values. Raises KeyError for an unknown key."""
    return escape(template_of(key, language)).format(**values)


def shortened(text: str, most_chars: int) -> str:
    """Return the text, or its first words and a sign that it goes on."""
    return text if len(text) <= most_chars else f"{text[:most_chars].rpartition(' ')[0]} …"


def as_json(text: str) -> str:
    """Return a text as JSON: a browser changes line ends and some characters of what stands in an attribute."""
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def measured(seconds: float) -> str:
    """Return a measured time with its unit; `page.js` writes running times in the same way."""
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def attribute(name: str, value: str) -> Markup:
    """Return an attribute with the space before it, or nothing for an empty value."""
    return Markup(' {}="{}"').format(name, value) if value else NOTHING


def badge(kind: Literal["quote", "warn", "good", "stop", "fallback", "search"], text: str, why: str = "") -> Markup:
    """Return a short remark: always text and icon, never colour alone. `why` is its tooltip."""
    return Markup('<span class="badge {}"{}>{}{}</span>').format(kind, attribute("title", why), icon(kind, 13), text)


@lru_cache(maxsize=2000)
def action(name: str, label: str, *, of: str = "", pressed: bool | None = None) -> Markup:
    """Return a button with an icon; `page.js` reads `data-act`. The icon is the first word of the name.

    `of` says what the button belongs to where several of its kind are on the page: no two have one accessible name.
    """
    return Markup('<button type="button" data-act="{}" aria-label="{}" title="{}"{}>{}</button>').format(
        name,
        f"{label} {of}" if of else label,
        label,
        attribute("aria-pressed", "" if pressed is None else str(pressed).lower()),
        icon(name.partition("-")[0]),
    )


def dialog_head(title: str, state: str) -> Markup:
    """Return the head of a dialog: its title, what is said of its state, and the button that closes it."""
    return Markup('<header class="dialog-head"><h2>{}</h2><span class="state">{}</span>{}</header>').format(
        title, state, action("close-dialog", text_of("documents.close"))
    )


def button(name: str, label: str, kind: Literal["primary", "plain"] = "plain", *, of: str = "") -> Markup:
    """Return a button with a word, for a notice; `of` as in `action`."""
    named = attribute("aria-label", f"{label} {of}" if of else "")
    return Markup('<button type="button" data-act="{}" class="{}"{}>{}</button>').format(name, kind, named, label)


def preview_button(label: str) -> Markup:
    """Return the button that shows what would be sent for the question in the composer."""
    return Markup('<button type="button" data-act="preview" class="preview">{}</button>').format(label)


def notice(
    kind: Literal["bad", "warn", "calm"],
    title: str,
    text: str,
    buttons: Sequence[Markup],
    sign: str = "warn",
    *,
    lang: str = "en",
) -> Markup:
    """Return a box that says what went wrong and what to do; a screen reader reads a bad one at once."""
    return Markup(
        '<div class="notice {kind}" role="{role}"{lang}>{icon}<div class="what">{heading}'
        '<p>{text}</p></div><div class="do">{buttons}</div></div>'
    ).format(
        kind=kind,
        role="alert" if kind == "bad" else "note",
        lang=attribute("lang", "" if lang == "en" else lang),
        icon=icon(sign, 18),
        heading=Markup("<strong>{}</strong>").format(title) if title else NOTHING,
        text=text,
        buttons=joined(buttons),
    )


def lost() -> Markup:
    """Return what the script shows when the server does not answer any more."""
    note = notice("calm", "", "", [button("reconnect", text_of("page.try_now"))])
    return Markup('<template id="lost">{}</template><div id="connection" role="status"></div>').format(note)


def too_long(field: str, text: str, limit_chars: int) -> Markup:
    """Return a note that the script shows while the field with that id holds more characters than the limit."""
    note = Markup('<p class="note too-long" role="alert" data-of="{}">{}<span>{}</span></p>').format(
        field, icon("warn", 14), text
    )
    return Markup('<template class="limit" data-of="{}" data-limit="{}">{}</template>').format(field, limit_chars, note)


def keyed(
    elements: Elements,
    elem_id: str,
    *,
    draws: Literal[
        "list",
        "turn",
        "pane",
        "earlier",
        "dialog",
        "around",
        "inspector",
        "whole",
        "copied",
        "side_by_side",
        "second_checks",
        "feedback",
        "ratings",
        "file",
        "evaluated",
    ] = "list",
    events: Sequence[str] = (),
    label: str = "",
    name: str = "",
    css_class: str = "",
    visible: bool = True,
) -> gr.HTML:
    """Return a component whose value is a list of `Elements`; `page.js` redraws those that changed.

    The template is constant, since Gradio runs what a template is given as code. `events`: what the script may trigger;
    they are heard in the surrounding element of the class `stage` alone. `name`: the pane's, if it is not `elem_id`.
    """
    how = json.dumps({"draws": draws, "events": list(events), "label": label, "name": name})
    return gr.HTML(
        elements,
        elem_id=elem_id,
        elem_classes=[css_class] if css_class else [],
        visible=visible,
        html_template="",
        apply_default_css=False,
        js_on_load=f"glassbox.keyed(element, props, watch, trigger, {how})",
    )
