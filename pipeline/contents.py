"""The passages for a question about documents as a whole: the beginnings of one, or the contents of many.

    Contents › 14 documents
    - **Espresso**: Espresso is a small, strong coffee.

A search finds what shares words with the question, and such a question shares none with what answers it. The contents
are no passage of a document; all that stands in them does: titles, and what each document begins with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from textwrap import shorten
from types import MappingProxyType

from pipeline.conversation import Passage
from pipeline.quoting import sentences_of
from pipeline.retrieval import Entry, Scope, Shelf
from pipeline.retrieval.words import Language, language_of, words_of
from pipeline.sentences import ends, is_row, without_mark
from pipeline.whole import TOLD, Whole, calls, is_general, is_single

TITLES: MappingProxyType[Language, str] = MappingProxyType({"en": "Contents", "de": "Inhalt"})
_COUNTED: MappingProxyType[Language, tuple[str, str, str]] = MappingProxyType(
    {"en": ("1 document", "{} documents", "and {} more"), "de": ("1 Dokument", "{} Dokumente", "und {} weitere")}
)
LINES_MOST = 40
BEGINNING_CHARS = 200  # of a document, in a line of the contents
WORDS_LEAST = 5  # of the sentence that is to tell what a document is about
READ_CHARS = 100_000  # of one document: its first sections
_SCORE = 1.0  # nothing was searched, so none is better than another


async def passages_on(whole: Whole, asked_in: Language, shelf: Shelf, scope: Scope, wanted: int) -> tuple[Passage, ...]:
    """At most `wanted` passages; () where no document has that name, and a search may know better."""
    seen = [entry for entry in await shelf.documents(scope.visitor) if _is_in(entry, scope)]
    meant = _meant(whole, seen)
    if len(meant) == 1 and whole.aim in TOLD:
        return await _beginnings(meant[0], shelf, scope, wanted)
    return (await _contents(meant, asked_in, shelf, scope),) if meant and wanted else ()


def _is_in(entry: Entry, scope: Scope) -> bool:
    return (not scope.documents or entry.id in scope.documents) and (
        not scope.collections or entry.collection in scope.collections
    )


def _meant(whole: Whole, seen: Sequence[Entry]) -> Sequence[Entry]:
    """The documents that are asked of: those that are called so, else one's own or all where the name tells none."""
    own = [entry for entry in seen if entry.owner is not None]
    fits = {entry.id: calls(whole.name, entry.title, entry.name) for entry in seen} if whole.name else {}
    if best := max(fits.values(), default=0):
        called = [entry for entry in seen if fits[entry.id] == best]
        return [entry for entry in called if entry.owner is not None] or called
    if not is_general(whole.name):
        return ()
    return own if own and (whole.own or is_single(whole.name)) else seen


async def _beginnings(entry: Entry, shelf: Shelf, scope: Scope, wanted: int) -> tuple[Passage, ...]:
    """How a document begins and how each of its sections does; what is left is filled with what follows."""
    passages = await shelf.read(entry.id, scope.visitor, 0, READ_CHARS)
    firsts: dict[str, Passage] = {}
    for each in passages:
        firsts.setdefault(each.section.partition(" › ")[0], each)
    chosen = list(firsts.values())[:wanted]
    chosen += [each for each in passages if each not in chosen][: wanted - len(chosen)]
    chosen.sort(key=lambda each: each.start or 0)
    return tuple(replace(each, number=number, score=_SCORE) for number, each in enumerate(chosen, 1))


async def _contents(entries: Sequence[Entry], asked_in: Language, shelf: Shelf, scope: Scope) -> Passage:
    """One passage with a line for each document: one's own first, then those in the language of the question."""
    ordered = sorted(entries, key=lambda entry: (entry.owner is None, entry.language != asked_in))
    listed = ordered[:LINES_MOST]
    begun = await asyncio.gather(*(shelf.read(entry.id, scope.visitor, 0, 1000) for entry in listed))
    lines = [_line(entry, passages) for entry, passages in zip(listed, begun, strict=True)]
    one, many, more = _COUNTED[asked_in]
    if rest := len(ordered) - len(listed):
        lines.append(f"- {more.format(rest)}")
    section = one if len(ordered) == 1 else many.format(len(ordered))
    return Passage(1, "", TITLES[asked_in], section, "\n".join(lines), _SCORE)


def _line(entry: Entry, passages: Sequence[Passage]) -> str:
    title = " ".join(entry.title.replace("*", " ").split())
    begins = beginning(passages[0].text) if passages else ""
    return f"- **{title}**" + (f": {shorten(begins, BEGINNING_CHARS, placeholder=' …')}" if begins else "")


def beginning(text: str) -> str:
    """The first whole sentence of a text, else what it begins with; of a table its head; "" for none."""
    units = sentences_of(text, language_of(text))
    told = [unit.text for unit in units if not is_row(unit.text)]
    if told:
        whole = (each for each in told if ends(each) and len(words_of(each)) >= WORDS_LEAST)
        return without_mark(next(whole, told[0]))
    row = (units[0].head.partition("\n")[0] or units[0].text) if units else ""
    return " · ".join(cell.strip() for cell in row.strip("| ").split("|")) if row else ""
