"""The button to the picture of a passage's page, which a PDF and a picture have."""

from __future__ import annotations

from pathlib import PurePosixPath

from markupsafe import Markup

from components.html.html_elements import NOTHING, attribute
from pipeline.ingest.kinds import KINDS
from pipeline.passages import Passage


def document_place(passage: Passage) -> Markup:
    """Return the attributes by which the script asks for a passage's place in its document."""
    return Markup('data-document="{}" data-page="{}" data-start="{}" data-end="{}"').format(
        passage.document_id or "", passage.first_page or 1, passage.start or 0, passage.end or 0
    )


def _has_pages(name: str) -> bool:
    """Whether the pages of a file can be drawn: those of a PDF and of a picture."""
    return KINDS.get(PurePosixPath(name).suffix.lower()) in ("pdf", "image")


def page_button(passage: Passage, label: Markup, profile: str = "") -> Markup:
    """Return the button, or nothing for a passage without a page; `profile` is the one that found the document."""
    if passage.document_id is None or not passage.first_page or not _has_pages(passage.document):
        return NOTHING
    return Markup('<button type="button" data-act="show-page" aria-haspopup="dialog" {}{}>{}</button>').format(
        document_place(passage), attribute("data-profile", profile), label
    )
