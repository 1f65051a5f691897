"""A quote as Markdown: on one line, with the [n] of its passage behind it. Pure."""

from __future__ import annotations

import re

from pipeline.sentences import is_row, without_mark

_CITATION_LIKE = re.compile(r"\[(?=\^?\d{1,3}\])")


def sentence(text: str, number: int) -> str:
    """A sentence, without the mark of its list; a row whose head is elsewhere as its cells."""
    text = without_mark(text)
    if is_row(text):
        text = " · ".join(cell.strip() for cell in text.strip("|").split("|"))
    if text.count("**") % 2:
        text = text.replace("**", "")
    return f"{uncited(' '.join(text.split()))} [{number}]"


def row(text: str, number: int) -> str:
    """A table's row with its [n] in the last cell."""
    cells = uncited(text).rstrip().removesuffix("|").rstrip()
    return f"{cells} [{number}] |"


def uncited(text: str) -> str:
    """What looks like a citation in a document is none of ours: escaped, it reads the same and cites nothing."""
    return _CITATION_LIKE.sub(r"\\[", text)
