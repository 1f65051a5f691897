"""The sources pane: the passages that the answer may stand on, there before its first word."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from textwrap import shorten
from typing import Literal

from components.citing import cutting, standing
from components.ink import Ink
from components.markdown import passage as shown_text
from components.markdown import plain
from components.parts import Parts, badge, icon
from components.view import View
from pipeline.conversation import Listed, Passage, Query, Scores
from pipeline.events import TurnFinished
from pipeline.retrieval.quality import words_found

NAME, TITLE = "sources", "Sources"
DOCUMENTS_SHOWN = 16
TITLE_CHARS = 600  # of the query that the mouse reveals
# What `pipeline.retrieval.quality` counted: words that were found, which is no proof that they answer anything.
QUALITIES: dict[str | None, tuple[Literal["search", "warn"], str]] = {
    "good": ("search", "most words found"),
    "weak": ("warn", "some words found"),
    "none": ("warn", "words not found"),
}
MODES: dict[str | None, tuple[str, str]] = {
    "keyword": ("keyword", "Searched by words (BM25)"),
    "vector": ("vector", "Searched by meaning"),
    "hybrid": ("hybrid", "Searched by words and by meaning, both rankings fused"),
}


def empty(documents: Sequence[Listed], own: Sequence[Listed] = ()) -> Parts:
    """What can be found, before anything was searched: what the visitor brought, then what is shared."""
    found = [(each, "<em>yours</em>") for each in own] + [(each, "") for each in documents]
    rows = "".join(
        f"<li>{plain(each.title)}{yours}<b>{each.passages}</b></li>" for each, yours in found[:DOCUMENTS_SHOWN]
    )
    more = len(found) - DOCUMENTS_SHOWN
    rest = f'<p class="more">and {more} more</p>' if more > 0 else ""
    note = f'<span class="state">{_counted(len(found), "document")}</span>'
    return [
        f'<header class="pane-head"><h2>{TITLE}</h2>{note}</header>',
        '<div class="hint"><p>Answers are made from these documents. The passages found appear here first.</p></div>',
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
    if view.ending is None:  # nothing of it changes as long as the passages stay the same
        return ink.once("sources", view.passages, lambda: _found(view, ink))
    return _found(view, ink)


def _found(view: View, ink: Ink) -> Parts:
    standing_as = given(view, ink)
    cards = ink.once("cards", view.passages, lambda: _cards(view.passages))
    used = [card for card, passage in zip(cards, view.passages, strict=True) if passage.number in standing_as]
    found, looked_at = len(view.passages), len(view.passages) + len(view.rejected)
    about = f"The best {found} of the {looked_at} candidates that were looked at"
    note = f'<span title="{about}">{len(used)} of {looked_at} passages</span>'
    unused = [card for card in cards if card not in used]
    return [_head(view, note, len(used)), _searched(view), *used, *_unused(view, unused), *_rejected(view.rejected)]


def given(view: View, ink: Ink) -> frozenset[int]:
    """The numbers of the passages that stand as sources: those that the model was given.

    None of them where they hold hardly a word of the question and the answer, once it is there, cites none.
    """
    if not isinstance(view.ending, TurnFinished):
        return frozenset(passage.number for passage in view.passages)
    if view.quality == "none" and standing(ink.blocks(view, "answer")) != "cites":
        return frozenset()
    return frozenset(passage.number for passage in view.ending.passages)


def neighbours(passages: Sequence[Passage], start: int, end: int) -> str:
    """What stands around [start, end) of a document's text, as far as its passages tell."""
    before = "".join(shown_text(each.text[: start - (each.start or 0)], ()) for each in _apart(passages, 0, start))
    after = "".join(shown_text(each.text, ()) for each in _apart(passages, end, sys.maxsize))
    if not before and not after:
        return no_neighbours(
            "Nothing stands around it: the passage is all of the document, or the document was removed."
        )
    return f'<div class="near">{_near("Before", before)}{_near("After", after)}</div>'


def no_neighbours(why: str) -> str:
    """In the place of the text around a passage."""
    return f'<p class="quiet">{escape(why)}</p>'


def _near(name: str, html: str) -> str:
    return f'<h4>{name}</h4><div dir="auto">{html}</div>' if html else ""


def _apart(passages: Sequence[Passage], at: int, before: int) -> Iterator[Passage]:
    """The passages from `at` on that begin before `before`, each without what the one before it has said."""
    for each in passages:
        begin = max(at, each.start or 0)
        if begin < min(each.end or 0, before):
            yield replace(each, start=begin, text=each.text[begin - (each.start or 0) :])
        at = max(at, each.end or 0)


def _cards(passages: Sequence[Passage]) -> Parts:
    best = max(passage.score for passage in passages)
    return [_card(passage, best, len(passages)) for passage in passages]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _head(view: View, note: str, count: int = 0) -> str:
    quality = badge(*QUALITIES[view.quality], _counted_words(view)) if view.quality in QUALITIES else ""
    return (
        f'<header class="pane-head" data-turn="{escape(view.turn_id)}" data-count="{count or ""}">'
        f'<h2>{TITLE}</h2>{quality}<span class="state">{note}</span></header>'
    )


def _counted_words(view: View) -> str:
    """The numbers behind the badge, and what they do not tell."""
    found, missing = words_found(Query(view.query), view.passages)
    words = _counted(len(found) + len(missing), "word")
    told = [f"{len(found)} of the {words} of the search stand in the passages{_listed(found)}."]
    told += [f"Not found{_listed(missing)}."] if missing else []
    return " ".join([*told, "This counts words: it does not say that they answer."])


def _listed(words: Sequence[str]) -> str:
    return f": {', '.join(words)}" if words else ""


def _searched(view: View) -> str:
    mode = f'<em title="{MODES[view.mode][1]}">{MODES[view.mode][0]}</em>' if view.mode in MODES else ""
    title = escape(shorten(view.query, TITLE_CHARS, placeholder=" …"))
    said = f'<span class="sr">Searched for </span>{plain(view.query)}{mode}'
    return f'<p class="searched" title="{title}">{icon("search", 13)}{said}</p>'


def _card(passage: Passage, best: float, count: int) -> str:
    number, share = passage.number, max(0.0, min(1.0, passage.score / best)) if best > 0 else 0.0
    return (
        f'<article class="source" id="src-{number}" data-n="{number}" tabindex="-1" aria-label="Source {number}">'
        f'<header><span class="number">{number}</span>'
        f'<div class="name"><h3>{plain(passage.title)}</h3>{_path(passage)}</div>'
        f'<span class="score" title="Score, next to the best of this search"><i style="--share:{share:.2f}"></i>'
        f"<b>{passage.score:.2f}</b></span></header>"
        f'<blockquote dir="auto">{cutting(passage).html}</blockquote>'
        f'<div class="more-of">{_why(passage, best, count)}{_around(passage)}{_leaf(passage)}</div></article>'
    )


def _path(passage: Passage) -> str:
    """Where in its document a passage stands: headings, then the page."""
    told = [plain(passage.section)] if passage.section else []
    if passage.first_page:
        pages = str(passage.first_page)
        if passage.last_page and passage.last_page != passage.first_page:
            pages += f"–{passage.last_page}"
        told.append(f'<span class="at-page">p. {pages}</span>')
    return f'<p class="path">{" · ".join(told)}</p>' if told else ""


def _why(passage: Passage, best: float, count: int) -> str:
    words = dict.fromkeys(passage.text[start:end].lower() for start, end in passage.matched)
    rows = {
        "Words found": plain(", ".join(words)) if words else "none",
        "Rank": f"{passage.number} of {count}",
        "Score": f"{passage.score:.2f}, the best has {best:.2f}",
        **dict(_stages(passage.scores)),
        "File": plain(passage.document),
    }
    items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows.items())
    return f"<details><summary>Why this passage{_of(passage)}</summary><dl>{items}</dl></details>"


def _stages(scores: Scores) -> Iterator[tuple[str, str]]:
    """What each stage of the search that saw the passage gave it."""
    for name, score, about in (
        ("Keyword", scores.keyword, "by words in common (BM25)"),
        ("Vector", scores.vector, "by nearness in meaning"),
        ("Fused", scores.fused, "by its places in both rankings"),
        ("Reranked", scores.reranked, "by a model that read question and passage"),
    ):
        if score is not None:
            yield name, f"{score:.2f} {about}"


def _around(passage: Passage) -> str:
    if passage.document_id is None or passage.start is None:
        return ""
    return (
        f'<details class="around" {_place(passage)} data-key="{escape(passage.document_id)}-{passage.start}">'
        f'<summary>Show around{_of(passage)}</summary><div class="filled"><div class="skeleton"></div></div></details>'
    )


def _leaf(passage: Passage) -> str:
    """Only a PDF has pages that look like something."""
    if passage.document_id is None or not passage.first_page or not passage.document.lower().endswith(".pdf"):
        return ""
    shown = f"Open page{_of(passage)}"
    return f'<button type="button" data-act="leaf" aria-haspopup="dialog" {_place(passage)}>{shown}</button>'


def _of(passage: Passage) -> str:
    """No two buttons sound the same."""
    return f'<span class="sr"> of source {passage.number}</span>'


def _place(passage: Passage) -> str:
    return (
        f'data-document="{escape(passage.document_id or "")}" data-page="{passage.first_page or 1}" '
        f'data-start="{passage.start or 0}" data-end="{passage.end or 0}"'
    )


def _unused(view: View, cards: Parts) -> Parts:
    """Found, but no source: the answer cannot stand on it, or stands on none of it."""
    if not cards:
        return []
    was_given = isinstance(view.ending, TurnFinished) and view.ending.passages
    why = "not cited by the answer" if was_given and len(cards) == len(view.passages) else "not given to the model"
    return [f'<details class="unused"><summary>{len(cards)} found, {why}</summary>{"".join(cards)}</details>']


def _rejected(passages: Sequence[Passage]) -> Parts:
    if not passages:
        return []
    rows = "".join(
        f"<li><header><h4>{plain(passage.title)}</h4><b>{passage.score:.2f}</b></header>{_path(passage)}"
        f'<p class="reason">{plain(passage.reason)}</p></li>'
        for passage in passages
    )
    return [f'<details class="rejected"><summary>{len(passages)} not chosen</summary><ol>{rows}</ol></details>']
