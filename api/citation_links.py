"""Addresses that open a cited passage for whoever has them: signed, absolute, another one for each passage."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import Request

from api.dialects.cited import Link
from pipeline.documents.library import Library
from pipeline.passages import Passage

PATH = "/passages"

Linker = Callable[[Request], Link]


def linker(library: Library, public_address: str | None = None) -> Linker:
    """Return what makes the links for one request: they begin with the public address, else with that of the request.

    A client beside us may use another address than the people who follow the links. A passage without a place in a
    document, as of a turn from before there were places, leads to our page.
    """

    def links_for(request: Request) -> Link:
        base, now_s = (public_address or str(request.base_url)).rstrip("/"), time.time()

        def link(passage: Passage) -> str:
            key = library.passage_key(passage, now_s)
            return f"{base}{PATH}/{key}" if key else f"{base}/#passage-{passage.number}"

        return link

    return links_for
