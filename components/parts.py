"""The small parts that several panes draw, and the `gr.HTML` that draws only what changed.

Every string here is safe HTML: texts come from us, or through `components/markdown.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Literal

import gradio as gr

Parts = list[str]

# Strokes on a 24-unit grid, drawn for Glassbox.
ICONS = {
    "copy": '<path d="M9 9h10v11H9zM5 15V4h10"/>',
    "retry": '<path d="M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6"/>',
    "edit": '<path d="M4 20h4L19 9l-4-4L4 16z"/>',
    "like": '<path d="M7 11v9H4v-9zm0 0 4-7c2 0 2.5 1.5 2 3l-.7 3H19l-1.5 8.5c-.2 1-1 1.5-2 1.5H7"/>',
    "dislike": '<path d="M17 13V4h3v9zm0 0-4 7c-2 0-2.5-1.5-2-3l.7-3H5l1.5-8.5c.2-1 1-1.5 2-1.5H17"/>',
    "warn": '<path d="M12 4 2.5 20h19zM12 10v4.5M12 17.2v.3"/>',
    "good": '<path d="m5 12.5 4.5 4.5L19 7"/>',
    "quote": '<path d="M5 7h5v6c0 2-1.5 4-4 4M14 7h5v6c0 2-1.5 4-4 4"/>',
    "theme": '<path d="M12 3a9 9 0 1 0 9 9c-4 3-9-1-9-9z"/>',
    "sun": '<path d="M12 16a4 4 0 1 1 0-8 4 4 0 0 1 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2"/>'
    '<path d="m5.3 5.3 1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"/>',
    "stop": '<path d="M7 7h10v10H7z"/>',
    "fallback": '<path d="M6 4v8a4 4 0 0 0 4 4h9M15 12l4 4-4 4"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h10"/>',
    "close": '<path d="M6 6l12 12M18 6 6 18"/>',
    "delete": '<path d="M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10 11v5M14 11v5"/>',
    "documents": '<path d="M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5"/>',
    "upload": '<path d="M12 16V5M7.5 9.5 12 5l4.5 4.5M5 19h14"/>',
    "download": '<path d="M12 5v11M7.5 11.5 12 16l4.5-4.5M5 20h14"/>',
    "previous": '<path d="m14.5 6-6 6 6 6"/>',
    "next": '<path d="m9.5 6 6 6-6 6"/>',
    "shortcuts": '<path d="M3 7h18v11H3zM7 10.8v.2M11 10.8v.2M15 10.8v.2M17.5 10.8v.2M8 14.5h8"/>',
    "search": '<path d="M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.5 15.5 20 20"/>',
}


def icon(name: str, size_px: int = 16) -> str:
    """A drawn icon in the colour of its text; hidden from screen readers."""
    return (
        f'<svg class="icon" width="{size_px}" height="{size_px}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        f'stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{ICONS[name]}</svg>'
    )


def mark(size_px: int) -> str:
    """The mark: a box that one can see through."""
    return (
        f'<svg class="mark" width="{size_px}" height="{size_px}" viewBox="0 0 32 32" aria-hidden="true">'
        '<g fill="var(--accent)"><path d="M16 3 28 9.5 16 16 4 9.5z" opacity=".3"/>'
        '<path d="M4 9.5 16 16v13L4 22.5z" opacity=".55"/><path d="M28 9.5 16 16v13l12-6.5z" opacity=".18"/></g>'
        '<g fill="none" stroke="var(--accent)" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round">'
        '<path d="M16 3 28 9.5v13L16 29 4 22.5v-13zM4 9.5 16 16l12-6.5M16 16v13"/>'
        '<path d="M16 3v13M4 22.5 16 16l12 6.5" opacity=".38"/></g></svg>'
    )


def badge(kind: Literal["quote", "warn", "good", "stop", "fallback", "search"], text: str, why: str = "") -> str:
    """A short remark: always text and icon, never colour alone. `why` is told to whoever points at it."""
    title = f' title="{escape(why)}"' if why else ""
    return f'<span class="badge {kind}"{title}>{icon(kind, 13)}{escape(text)}</span>'


def action(name: str, label: str, *, of: str = "", pressed: bool | None = None) -> str:
    """An icon that does something; `page.js` reads `data-act`. The icon is the name's first word.

    `of` says what it belongs to, where several of the kind are on the page: no two buttons have one accessible name.
    """
    drawn = icon(name.partition("-")[0])
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    told = escape(f"{label} {of}" if of else label)
    return f'<button type="button" data-act="{name}" aria-label="{told}" title="{label}"{state}>{drawn}</button>'


def button(name: str, label: str, kind: Literal["primary", "plain"] = "plain", *, of: str = "") -> str:
    """A worded button of a notice; `of` as for `action`."""
    told = f' aria-label="{escape(f"{label} {of}")}"' if of else ""
    return f'<button type="button" data-act="{name}" class="{kind}"{told}>{label}</button>'


def notice(
    kind: Literal["bad", "warn", "calm"],
    title: str,
    text: str,
    buttons: Sequence[str],
    sign: str = "warn",
    *,
    lang: str = "en",
) -> str:
    """What went otherwise than asked, and what to do now; read out at once when it is bad."""
    role = "alert" if kind == "bad" else "note"
    told = "" if lang == "en" else f' lang="{escape(lang)}"'
    heading = f"<strong>{escape(title)}</strong>" if title else ""
    return (
        f'<div class="notice {kind}" role="{role}"{told}>{icon(sign, 18)}<div class="what">{heading}'
        f'<p>{escape(text)}</p></div><div class="do">{"".join(buttons)}</div></div>'
    )


def too_long(field: str, text: str, limit_chars: int) -> str:
    """Shown by the script as long as the field of that id holds more characters than are taken."""
    told = f"{icon('warn', 14)}<span>{escape(text)}</span>"
    note = f'<p class="note too-long" role="alert" data-of="{field}">{told}</p>'
    return f'<template class="limit" data-of="{field}" data-limit="{limit_chars}">{note}</template>'


def keyed(
    parts: Parts,
    elem_id: str,
    *,
    draws: Literal["list", "turn", "pane", "earlier", "dialog", "around"] = "list",
    events: Sequence[str] = (),
    label: str = "",
) -> gr.HTML:
    """A component whose value is a flat list of safe HTML strings, one element each; `page.js` redraws what changed.

    The template is constant, since Gradio runs what a template is given as code. `events`: what the script may trigger.
    """
    how = json.dumps({"draws": draws, "events": list(events), "label": label})
    return gr.HTML(
        parts,
        elem_id=elem_id,
        html_template="",
        apply_default_css=False,
        js_on_load=f"glassbox.keyed(element, props, watch, trigger, {how})",
    )
