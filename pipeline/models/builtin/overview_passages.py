"""Finds the passages for a question about documents as a whole: one document's beginnings, or a list of documents.

    Contents › 14 documents
    - **Espresso**: Espresso is a small, strong coffee.

A search finds passages that share words with the question; such a question shares none with its answer. The list of
contents is not a passage of a document, but its parts are: titles, and the beginning of each document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from textwrap import shorten
from types import MappingProxyType

from pipeline.citations.sentences import is_complete_sentence, is_table_row, without_list_marker
from pipeline.models.builtin.overview_question import CONTENT_AIMS, OverviewQuestion, calls, is_general, is_single
from pipeline.models.builtin.sentence_scores import sentences_of
from pipeline.passages import Passage
from pipeline.retrieval import DocumentReader, IndexedDocument, Scope, documents_in
from pipeline.retrieval.languages import Language
from pipeline.retrieval.terms import language_of, words_of

TITLES: MappingProxyType[Language, str] = MappingProxyType({"en": "Contents", "de": "Inhalt"})
_COUNTED: MappingProxyType[Language, tuple[str, str, str]] = MappingProxyType(
    {"en": ("1 document", "{} documents", "and {} more"), "de": ("1 Dokument", "{} Dokumente", "und {} weitere")}
)
LINES_MOST = 40
BEGINNING_CHARS = 200  # of a document's beginning in a line of the contents
WORDS_LEAST = 5  # of a sentence that can say what a document is about
READ_CHARS = 100_000  # of one document, from its beginning
_SCORE = 1.0  # without a search all passages rank equal


async def passages_on(
    whole: OverviewQuestion, asked_in: Language, reader: DocumentReader, scope: Scope, wanted: int
) -> tuple[Passage, ...]:
    """Return at most `wanted` passages; () where no document has the asked name, so that a search has to find it."""
    seen = await documents_in(scope, reader)
    meant = meant_documents(whole, seen)
    if len(meant) == 1 and whole.aim in CONTENT_AIMS:
        return await _beginnings(meant[0], reader, scope, wanted)
    return (await _contents(meant, asked_in, reader, scope),) if meant and wanted else ()


def meant_documents(whole: OverviewQuestion, seen: Sequence[IndexedDocument]) -> Sequence[IndexedDocument]:
    """Return the documents that the question means: those of that name, else the visitor's own, or all of them."""
    own = [entry for entry in seen if entry.owner is not None]
    fits = {entry.id: calls(whole.name, entry.title, entry.name) for entry in seen} if whole.name else {}
    if best := max(fits.values(), default=0):
        called = [entry for entry in seen if fits[entry.id] == best]
        return [entry for entry in called if entry.owner is not None] or called
    if not is_general(whole.name):
        return ()
    return own if own and (whole.own or is_single(whole.name)) else seen


async def _beginnings(entry: IndexedDocument, reader: DocumentReader, scope: Scope, wanted: int) -> tuple[Passage, ...]:
    """Return the beginning of a document and of each section, then other passages up to `wanted`."""
    passages = await reader.read(entry.id, scope.visitor, 0, READ_CHARS)
    firsts: dict[str, Passage] = {}
    for each in passages:
        firsts.setdefault(each.section.partition(" › ")[0], each)
    chosen = list(firsts.values())[:wanted]
    chosen += [each for each in passages if each not in chosen][: wanted - len(chosen)]
    chosen.sort(key=lambda each: each.start or 0)
    return tuple(replace(each, number=number, score=_SCORE) for number, each in enumerate(chosen, 1))


async def _contents(
    entries: Sequence[IndexedDocument], asked_in: Language, reader: DocumentReader, scope: Scope
) -> Passage:
    """Make one passage with a line per document: the visitor's own first, then those in the question's language."""
    ordered = sorted(entries, key=lambda entry: (entry.owner is None, entry.language != asked_in))
    listed = ordered[:LINES_MOST]
    begun = await asyncio.gather(*(reader.read(entry.id, scope.visitor, 0, 1000) for entry in listed))
    lines = [_line(entry, passages) for entry, passages in zip(listed, begun, strict=True)]
    one, many, more = _COUNTED.get(asked_in, _COUNTED["en"])
    if rest := len(ordered) - len(listed):
        lines.append(f"- {more.format(rest)}")
    section = one if len(ordered) == 1 else many.format(len(ordered))
    return Passage(1, "", TITLES.get(asked_in, TITLES["en"]), section, "\n".join(lines), _SCORE)


def _line(entry: IndexedDocument, passages: Sequence[Passage]) -> str:
    title = " ".join(entry.title.replace("*", " ").split())
    begins = beginning(passages[0].text) if passages else ""
    return f"- **{title}**" + (f": {shorten(begins, BEGINNING_CHARS, placeholder=' …')}" if begins else "")


def beginning(text: str) -> str:
    """Return the first complete sentence of a text, else its first line; of a table its head; "" for none."""
    units = sentences_of(text, language_of(text))
    prose = [unit.text for unit in units if not is_table_row(unit.text)]
    if prose:
        whole = (each for each in prose if is_complete_sentence(each) and len(words_of(each)) >= WORDS_LEAST)
        return without_list_marker(next(whole, prose[0]))
    row = (units[0].head.partition("\n")[0] or units[0].text) if units else ""
    return " · ".join(cell.strip() for cell in row.strip("| ").split("|")) if row else ""
