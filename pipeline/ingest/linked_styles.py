"""Puts the style sheets that a page links into it, so that what they hide is not read."""

from __future__ import annotations

import re
from collections.abc import Callable

_LINK = re.compile(r"<link\b[^>]*>", re.IGNORECASE)
_SHEET = re.compile(r"rel\s*=\s*[\"']?\s*stylesheet", re.IGNORECASE)
_ADDRESS = re.compile(r"href\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_ESCAPED_END = re.compile(r"</style", re.IGNORECASE)


def with_styles(page: str, sheet_at: Callable[[str], str | None]) -> str:
    """Replace the links to style sheets that `sheet_at` knows by the sheets themselves."""

    def replaced(link: re.Match[str]) -> str:
        address = _ADDRESS.search(link[0]) if _SHEET.search(link[0]) else None
        sheet = sheet_at(next(filter(None, address.groups()), "")) if address else None
        return link[0] if sheet is None else f"<style>{_ESCAPED_END.sub('', sheet)}</style>"

    return _LINK.sub(replaced, page)
