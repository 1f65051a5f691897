"""Decides what becomes of a hyphen at the end of a line of a PDF: it divides a word, belongs to it, or stands for one.

A compound keeps its hyphen where pages nearby write it within a line, or where a digit or a capital follows. The pages
are few, so that one page can be read by itself when a passage is marked on it.
"""

from __future__ import annotations

import re
from typing import Any, Literal
from weakref import WeakKeyDictionary

from pipeline.ingest.pdf_characters import characters

NEAR = 3  # pages before and after one, whose compounds count
EN_DASH = "\u2013"
DASHES = f"-\u2010\u2011{EN_DASH}"
# Words behind a hyphen that stands for the end of another word: "Vor- und Nachteile".
_STANDS_FOR = frozenset("und oder bzw sowie bis als and or to but nor et ou y o e i en of och eller og".split())  # noqa: SIM905
_COMPOUND = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)+")
_READ: WeakKeyDictionary[Any, dict[int, frozenset[str]]] = WeakKeyDictionary()

Joint = Literal["", "-", "- "]


def joint(before: str, after: str, document: Any, number: int) -> Joint:
    """Return what stands between the parts of a word that a hyphen at a line's end divides."""
    if not before or not after or after.casefold() in _STANDS_FOR:
        return "- "
    if before[-1].isdigit() or after[0].isdigit():
        return "-"
    is_capital = after[0].isupper() and not (before.isupper() and after.isupper())
    if is_capital or f"{before}-{after}".casefold() in compounds_near(document, number):
        return "-"
    return ""


def compounds_near(document: Any, number: int) -> frozenset[str]:
    """Return the compounds of a page, from 0, and of those around it, in lower case."""
    read = _READ.setdefault(document, {})
    pages = range(max(0, number - NEAR), min(len(document), number + NEAR + 1))
    for each in pages:
        if each not in read:
            read[each] = _compounds(document, each)
    return frozenset[str]().union(*(read[each] for each in pages))


def remember(document: Any, number: int, text: str) -> None:
    """Keep the compounds of a page that is read, so that it is not read again for those around it."""
    read = _READ.setdefault(document, {})
    if number not in read:
        read[number] = _compounds_in(text)


def _compounds(document: Any, number: int) -> frozenset[str]:
    from pypdfium2 import PdfiumError

    try:
        page = document[number]
        textpage = page.get_textpage()
    except PdfiumError:  # a damaged page
        return frozenset()
    text = characters(textpage)
    textpage.close()
    page.close()
    return _compounds_in(text)


def _compounds_in(text: str) -> frozenset[str]:
    return frozenset(
        found[0].casefold().replace("\u2010", "-").replace("\u2011", "-") for found in _COMPOUND.finditer(text)
    )
