"""One page of a document as a picture, with the passage marked on it: a dialog over the chat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from markupsafe import Markup

from components.html.html_elements import NOTHING, Elements, action, icon, joined
from components.html.markdown import plain
from i18n import text
from pipeline.retrieval import IndexedDocument

NAME, TITLE = "document-page", text("document_page.title")


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A page (from 1) of a document, and the span of its text to mark, found through a `profile`."""

    document_id: str
    page: int
    start: int
    end: int
    profile: str = ""

    def at(self, page: int) -> DocumentPage:
        """Return another page of the document, with the same span marked."""
        return replace(self, page=page)

    @property
    def attributes(self) -> Markup:
        """The attributes that the script sends back."""
        return Markup('data-document="{}" data-page="{}" data-start="{}" data-end="{}" data-profile="{}"').format(
            self.document_id, self.page, self.start, self.end, self.profile
        )


def dialog(wanted: DocumentPage, document: IndexedDocument, key: str) -> Elements:
    """Return the page, the buttons to its neighbours and the link to the file; `key` signs both addresses."""
    pages, address = document.pages or 1, f"api/documents/{quote(document.id)}"
    signed = {"key": key}
    span = {"start": wanted.start, "end": wanted.end}
    turn = joined(
        [
            _turn("previous", text("document_page.previous"), wanted.at(wanted.page - 1), is_there=wanted.page > 1),
            Markup('<span class="state">{}</span>').format(text("document_page.place", page=wanted.page, pages=pages)),
            _turn("next", text("document_page.next"), wanted.at(wanted.page + 1), is_there=wanted.page < pages),
        ]
    )
    head = Markup(
        '<header class="dialog-head"><h2>{title}</h2><div class="turn-page">{turn}</div>'
        '<a class="act" data-key="original" href="{address}" download aria-label="{download}" '
        'title="{download}">{icon}</a>{close}</header>'
    ).format(
        title=plain(document.title),
        turn=turn,
        address=f"{address}/original?{urlencode(signed)}",
        download=text("document_page.download"),
        icon=icon("download", 18),
        close=action("close-dialog", text("documents.close")),
    )
    figure = Markup(
        '<figure class="page-picture"><button type="button" data-act="zoom" title="{zoom}">'
        '<img src="{picture}" alt="{alt}"></button><div class="unseen" role="alert"><p class="quiet">{failed}</p>'
        '<button type="button" data-act="show-page" {attributes}>{again}</button></div></figure>'
    ).format(
        picture=f"{address}/pages/{wanted.page}.jpg?{urlencode({**span, **signed})}",
        alt=text("document_page.picture", page=wanted.page, title=document.title),
        zoom=text("document_page.zoom"),
        again=text("document_page.again"),
        failed=text("document_page.failed"),
        attributes=wanted.attributes,
    )
    return [head, figure]


def gone() -> Elements:
    """Return what is shown for a page whose document was removed."""
    return [
        Markup('<header class="dialog-head"><h2>{}</h2>{}</header>').format(
            TITLE, action("close-dialog", text("documents.close"))
        ),
        Markup(
            '<figure class="page-picture failed"><div class="unseen" role="alert">'
            '<p class="quiet">{}</p></div></figure>'
        ).format(text("document_page.gone")),
    ]


def _turn(sign: str, label: str, wanted: DocumentPage, *, is_there: bool) -> Markup:
    return Markup(
        '<button type="button" data-act="show-page" data-key="{sign}" {attributes} aria-label="{label}" '
        'title="{label}"{disabled}>{icon}</button>'
    ).format(
        sign=sign,
        attributes=wanted.attributes,
        label=label,
        disabled=NOTHING if is_there else Markup(" disabled"),
        icon=icon(sign, 18),
    )
