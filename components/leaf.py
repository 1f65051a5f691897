"""One page of a document as a picture, with the passage marked on it: a dialog over the chat."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode

from components.markdown import plain
from components.parts import Parts, action, icon
from pipeline.retrieval import Entry

NAME, TITLE = "leaf", "Page of a document"
FAILED = "This page could not be shown. Try again, or download the document."
GONE = "This document is no longer here. It was removed, or its time is over."


@dataclass(frozen=True, slots=True)
class Leaf:
    """Which page (from 1) of which document, and the span of its text to mark."""

    document_id: str
    page: int
    start: int
    end: int

    def at(self, page: int) -> Leaf:
        """Another page of it, the same span marked."""
        return Leaf(self.document_id, page, self.start, self.end)

    @property
    def attributes(self) -> str:
        """As the script gives it back."""
        return (
            f'data-document="{escape(self.document_id)}" data-page="{self.page}" '
            f'data-start="{self.start}" data-end="{self.end}"'
        )


def dialog(leaf: Leaf, entry: Entry, key: str) -> Parts:
    """The page with its neighbours and the way to the file itself; `key` opens both addresses."""
    pages, address = entry.pages or 1, f"api/documents/{quote(entry.id)}"
    signed = {"key": key} if key else {}
    picture = f"{address}/pages/{leaf.page}.jpg?{urlencode({'start': leaf.start, 'end': leaf.end, **signed})}"
    original = f"{address}/original?{urlencode(signed)}"
    told = f"Page {leaf.page} of {entry.title}, the passage marked"
    turn = (
        f"{_turn('previous', 'Previous page', leaf.at(leaf.page - 1), is_there=leaf.page > 1)}"
        f'<span class="state">{leaf.page} of {pages}</span>'
        f"{_turn('next', 'Next page', leaf.at(leaf.page + 1), is_there=leaf.page < pages)}"
    )
    return [
        f'<header class="dialog-head"><h2>{plain(entry.title)}</h2><div class="turn-page">{turn}</div>'
        f'<a class="act" data-key="original" href="{escape(original)}" download aria-label="Download the document" '
        f'title="Download the document">{icon("download", 18)}</a>{action("close-dialog", "Close")}</header>',
        '<figure class="leaf"><button type="button" data-act="zoom" title="Larger or smaller">'
        f'<img src="{escape(picture)}" alt="{escape(told)}"></button>'
        f'<div class="unseen" role="alert"><p class="quiet">{FAILED}</p>'
        f'<button type="button" data-act="leaf" {leaf.attributes}>Try again</button></div></figure>',
    ]


def gone() -> Parts:
    """In the place of a page whose document was removed."""
    return [
        f'<header class="dialog-head"><h2>{TITLE}</h2>{action("close-dialog", "Close")}</header>',
        f'<figure class="leaf failed"><div class="unseen" role="alert"><p class="quiet">{GONE}</p></div></figure>',
    ]


def _turn(sign: str, label: str, leaf: Leaf, *, is_there: bool) -> str:
    off = "" if is_there else " disabled"
    return (
        f'<button type="button" data-act="leaf" data-key="{sign}" {leaf.attributes} '
        f'aria-label="{label}" title="{label}"{off}>{icon(sign, 18)}</button>'
    )
