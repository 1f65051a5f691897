"""Answers greetings and questions about documents as a whole with constant sentences, titles and beginnings. Pure.

It does not summarise, and says so when asked to. The given passages determine which documents are meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from pipeline.citations.sentences import is_complete_sentence, is_table_row
from pipeline.models.builtin.overview_passages import TITLES
from pipeline.models.builtin.overview_question import CONTENT_AIMS, OverviewQuestion, calls, is_file, is_general
from pipeline.models.builtin.quote_markdown import row, sentence, uncited
from pipeline.models.builtin.sentence_scores import Sentence, sentences_of
from pipeline.prompt_passages import PromptPassage
from pipeline.retrieval.languages import Language
from pipeline.retrieval.terms import language_of

DESCRIBED_MOST, LISTED_MOST = 5, 30  # documents with their first sentence, and by title only
LEAD_SENTENCES, LEAD_MOST, ROWS_MOST = 2, 4, 3

_LINE = re.compile(r"^- \*\*(.+?)\*\*.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Phrases:
    """All constant sentences; {} is the number of documents in words."""

    method: str
    hello: str
    self: str
    thanks: str
    list: str
    about: str
    summary: str
    summary_of_one: str
    also: str


_PHRASES: MappingProxyType[Language, Phrases] = MappingProxyType(
    {
        "en": Phrases(
            method="This asks of documents as a whole, so no words were searched: what follows are titles and first "
            "sentences. No language model is at work.",
            hello="Hello! Ask about anything in these documents, and the sentences that answer are quoted from them.",
            self="This is Glassbox’s built-in model, and no language model: it finds the sentences that answer a "
            "question, quotes them and names where they stand. It can be asked about these documents:",
            thanks="You are welcome. Ask whatever else you want to know from the documents.",
            list="{} can be asked:",
            about="{}. This is how they begin:",
            summary="The built-in model only quotes, so this is no summary in words of its own. {} begin like this:",
            summary_of_one="The built-in model only quotes, so this is no summary in words of its own, but how the "
            "document and its sections begin:",
            also="Also:",
        ),
        "de": Phrases(
            method="Das fragt nach Dokumenten als Ganzem, also wurden keine Wörter gesucht: Es folgen Titel und erste "
            "Sätze. Hier arbeitet kein Sprachmodell.",
            hello="Guten Tag! Fragen Sie nach allem, was in diesen Dokumenten steht: Die Sätze, die antworten, werden "
            "daraus zitiert.",
            self="Das ist das eingebaute Modell von Glassbox, kein Sprachmodell: Es findet die Sätze, die eine Frage "
            "beantworten, zitiert sie und nennt ihre Stelle. Fragen kann man es nach diesen Dokumenten:",
            thanks="Gern. Fragen Sie, was Sie noch aus den Dokumenten wissen möchten.",
            list="{} können befragt werden:",
            about="{}. So beginnen sie:",
            summary="Das eingebaute Modell zitiert nur, das ist also keine Zusammenfassung in eigenen Worten. {} "
            "beginnen so:",
            summary_of_one="Das eingebaute Modell zitiert nur, das ist also keine Zusammenfassung in eigenen Worten, "
            "sondern der Anfang des Dokuments und seiner Abschnitte:",
            also="Außerdem:",
        ),
    }
)


def overview_of(
    whole: OverviewQuestion, passages: Sequence[PromptPassage], language: Language
) -> tuple[str, str] | None:
    """Return reasoning and answer; None where the passages are of other documents and a search is needed."""
    phrases = _PHRASES.get(language, _PHRASES["en"])
    answer = _answer(whole, passages, phrases)
    return (phrases.method, answer) if answer else None


def _answer(whole: OverviewQuestion, passages: Sequence[PromptPassage], phrases: Phrases) -> str:
    if whole.aim == "thanks":
        return phrases.thanks
    contents = passages[0] if passages and passages[0].heading.partition(" › ")[0] in TITLES.values() else None
    lines = list(_LINE.finditer(contents.text)) if contents else []
    if contents and lines:
        return _of_many(whole, contents, lines, phrases)
    if whole.aim in CONTENT_AIMS:
        return _of_one(whole, passages, phrases)
    return phrases.hello if whole.aim == "hello" else phrases.self if whole.aim == "self" else ""


def _of_many(whole: OverviewQuestion, contents: PromptPassage, lines: Sequence[re.Match[str]], phrases: Phrases) -> str:
    number, counted = contents.number, contents.heading.partition(" › ")[2]
    titles = [line[1] for line in lines]
    if whole.aim in ("hello", "self"):
        return f"{phrases.hello if whole.aim == 'hello' else phrases.self}\n\n{_joined(titles[:LISTED_MOST], number)}"
    if whole.aim == "list":
        items = [f"- {sentence(title, number)}" for title in titles[:LISTED_MOST]]
        return "\n\n".join([phrases.list.format(counted), "\n".join(items)])
    most = whole.points or DESCRIBED_MOST
    items = [f"- {sentence(line[0], number)}" for line in lines[:most]]
    intro = (phrases.about if whole.aim == "about" else phrases.summary).format(counted)
    rest = titles[most : most + LISTED_MOST]
    return "\n\n".join([intro, "\n".join(items), *([f"{phrases.also} {_joined(rest, number)}"] if rest else [])])


def _joined(titles: Sequence[str], number: int) -> str:
    return f"{uncited(' · '.join(titles))} [{number}]"


def _of_one(whole: OverviewQuestion, passages: Sequence[PromptPassage], phrases: Phrases) -> str:
    """Answer with the beginnings of a document and its sections; "" where the passages are not of the named one."""
    titles = {passage.heading.partition(" › ")[0] for passage in passages}
    known = is_general(whole.name) or is_file(whole.name)  # the prompt holds no file names
    if len(titles) != 1 or not (known or calls(whole.name, *titles)):
        return ""
    intro = [phrases.summary_of_one] if whole.aim == "summary" else []
    if whole.points:
        items = [f"- {item}" for item in islice(_in_turn(passages), whole.points)]
        return "\n\n".join([*intro, "\n".join(items)]) if items else ""
    first, *others = passages
    lead = _lead(first)
    items = [f"- {item}" for passage in others for item in islice(_items(passage), 1)]
    return "\n\n".join([*intro, lead, *(["\n".join(items)] if items else [])]) if lead else ""


def _lead(passage: PromptPassage) -> str:
    """Return the first sentences of a passage, of a table its first rows."""
    units = _units(passage)
    prose, whole = list[Sentence](), 0
    for unit in units:
        if not is_table_row(unit.text) and whole < LEAD_SENTENCES and len(prose) < LEAD_MOST:
            prose.append(unit)
            whole += is_complete_sentence(unit.text)  # a line without a full stop is an unmarked heading
    if prose:
        return " ".join(sentence(unit.text, passage.number) for unit in prose)
    if units and units[0].head:
        return "\n".join([units[0].head, *(row(unit.text, passage.number) for unit in units[:ROWS_MOST])])
    return " ".join(sentence(unit.text, passage.number) for unit in units[:ROWS_MOST])


def _in_turn(passages: Sequence[PromptPassage]) -> Iterator[str]:
    """Iterate over the first item of each passage, then the second of each, and so on."""
    waiting = [_items(passage) for passage in passages]
    while waiting:
        for items in list(waiting):
            if (item := next(items, None)) is None:
                waiting.remove(items)
            else:
                yield item


def _items(passage: PromptPassage) -> Iterator[str]:
    """Iterate over a passage's sentences, the first one after the section's name; over rows if it has only those."""
    section = passage.heading.rpartition(" › ")[2] if " › " in passage.heading else ""
    units = _units(passage)
    for place, unit in enumerate([unit for unit in units if not is_table_row(unit.text)] or units):
        named = f"**{uncited(section)}**: " if section and not place else ""
        yield named + sentence(unit.text, passage.number)


def _units(passage: PromptPassage) -> Sequence[Sentence]:
    """Return the quotable sentences; those that only announce a list come last."""
    units = sentences_of(passage.text, language_of(passage.text, passage.heading))
    return sorted(units, key=lambda unit: unit.text.endswith(":"))
