"""The sources pane: the passages that the answer may stand on, there before its first word."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from components.ink import Ink
from components.markdown import passage as shown_text
from components.markdown import plain
from components.parts import Parts, badge, icon
from components.view import View
from pipeline.conversation import Passage

NAME, TITLE = "sources", "Sources"
DOCUMENTS_SHOWN = 16


def empty(documents: Sequence[tuple[str, int]]) -> Parts:
    """What can be found, before anything was searched."""
    rows = "".join(f"<li>{plain(title)}<b>{count}</b></li>" for title, count in documents[:DOCUMENTS_SHOWN])
    more = len(documents) - DOCUMENTS_SHOWN
    rest = f'<p class="more">and {more} more</p>' if more > 0 else ""
    note = f'<span class="state">{_counted(len(documents), "document")}</span>'
    return [
        f'<header class="pane-head"><h2>{TITLE}</h2>{note}</header>',
        '<div class="hint"><p>Answers may only use these documents. The passages found appear here first.</p></div>',
        f'<div class="documents"><ol aria-label="Documents and their passages">{rows}</ol>{rest}</div>',
    ]


def render(view: View, ink: Ink) -> Parts:
    """Head, the query that was searched, a card per passage, then what was not chosen."""
    if not view.searched:
        waiting = (
            ['<div class="skeleton"></div>'] * 3
            if view.ending is None
            else ['<p class="quiet">Nothing was searched.</p>']
        )
        return [_head(view, ""), *waiting]
    if not view.passages:
        return [
            _head(view, "none found"),
            _searched(view),
            '<p class="quiet">No passage shares a word with the question.</p>',
        ]
    cards = ink.once("cards", view.passages, lambda: _cards(view.passages))
    return [_head(view, f"{len(view.passages)} found"), _searched(view), *cards, *_rejected(view.rejected)]


def _cards(passages: Sequence[Passage]) -> Parts:
    best = max(passage.score for passage in passages)
    return [_card(passage, best, len(passages)) for passage in passages]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _head(view: View, note: str) -> str:
    quality = {"good": badge("good", "good context"), "weak": badge("warn", "weak context")}.get(view.quality or "", "")
    return (
        f'<header class="pane-head" data-turn="{escape(view.turn_id)}" data-count="{len(view.passages) or ""}">'
        f'<h2>{TITLE}</h2>{quality}<span class="state">{note}</span></header>'
    )


def _searched(view: View) -> str:
    return f'<p class="searched">{icon("search", 13)}<span class="sr">Searched for </span>{plain(view.query)}</p>'


def _card(passage: Passage, best: float, count: int) -> str:
    number, share = passage.number, max(0.0, min(1.0, passage.score / best)) if best > 0 else 0.0
    path = f'<p class="path">{plain(passage.section)}</p>' if passage.section else ""
    return (
        f'<article class="source" id="src-{number}" data-n="{number}" tabindex="-1" aria-label="Source {number}">'
        f'<header><span class="number">{number}</span><div class="name"><h3>{plain(passage.title)}</h3>{path}</div>'
        f'<span class="score" title="Score, next to the best of this search"><i style="--share:{share:.2f}"></i>'
        f"<b>{passage.score:.2f}</b></span></header>"
        f'<blockquote dir="auto">{shown_text(passage.text, passage.matched)}</blockquote>'
        f"{_why(passage, best, count)}</article>"
    )


def _why(passage: Passage, best: float, count: int) -> str:
    words = dict.fromkeys(passage.text[start:end].lower() for start, end in passage.matched)
    rows = {
        "Words found": plain(", ".join(words)) if words else "none",
        "Rank": f"{passage.number} of {count}",
        "Score": f"{passage.score:.2f} by words in common (BM25), the best has {best:.2f}",
        "File": plain(passage.document),
    }
    items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows.items())
    return f"<details><summary>Why this passage</summary><dl>{items}</dl></details>"


def _rejected(passages: Sequence[Passage]) -> Parts:
    if not passages:
        return []
    rows = "".join(f"<li>{plain(passage.title)}<b>{passage.score:.2f}</b></li>" for passage in passages)
    return [f'<details class="rejected"><summary>{len(passages)} not chosen</summary><ol>{rows}</ol></details>']
