"""Measures how well the built-in model quotes and abstains; prints one table.

    python -m bench.extractive                    the bundled questions
    python -m bench.extractive FILE.json [de]     also a file in SQuAD's format, and the language of its paragraphs

Every question takes the path of a turn: search over all passages, the prompt's numbered text, the choice of quotes.
"Gold" counts quotes that hold the expected words, "refused" questions with the state near or none. A SQuAD paragraph
is one passage; its answerable questions are asked again without their own paragraph and must then be refused.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.ingest import Chunk, Document
from pipeline.ingest.markdown import read_folder
from pipeline.models.builtin.quotes import Choice, choose
from pipeline.passages import Passage
from pipeline.prompt_passages import numbered, read_numbered
from pipeline.retrieval import SHARED, SearchOptions
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.query import query_of

SAMPLES = Path(__file__).parent.parent / "samples"
PASSAGES_WANTED = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a set; `gold` is empty for an unanswerable one, `without` names a document to leave out."""

    question: str
    gold: tuple[str, ...]
    previous: tuple[str, str] | None = None
    without: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The result of one question."""

    asked: Asked
    passages: tuple[Passage, ...]
    choice: Choice
    took_s: float

    @property
    def found(self) -> bool:
        """Whether a passage holds the gold, which is the upper bound of quoting."""
        return _holds([passage.text for passage in self.passages], self.asked.gold)

    def quoted(self, most: int) -> bool:
        """Whether one of the first `most` quotes holds the gold."""
        return _holds([f"{quote.head}\n{quote.text}" for quote in self.choice.quotes[:most]], self.asked.gold)


def bundled() -> dict[str, list[Asked]]:
    """Return the questions of `samples/`, by kind."""
    sets: dict[str, list[Asked]] = {"stand-alone": [], "follow-up": [], "unanswerable": []}
    for line in (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        previous = entry.get("previous")
        kind = "unanswerable" if entry.get("unanswerable") else "follow-up" if previous else "stand-alone"
        gold = (entry["answer"],) if kind != "unanswerable" else ()
        sets[kind].append(
            Asked(entry["question"], gold, (previous["question"], previous["answer"]) if previous else None)
        )
    return sets


def squad(path: Path, language: str) -> tuple[list[Document], dict[str, list[Asked]]]:
    """Read a SQuAD file into one document per paragraph, and its questions."""
    documents: list[Document] = []
    sets: dict[str, list[Asked]] = {"answerable": [], "paragraph taken out": [], "impossible": []}
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = article.get("title", "").replace("_", " ")
        for paragraph in article["paragraphs"]:
            name = str(len(documents))
            text = paragraph["context"]
            documents.append(Document(name, name, title, language, text, None, (Chunk("", text, 0, len(text)),)))
            for entry in paragraph["qas"]:
                gold = tuple(answer["text"] for answer in entry["answers"])
                if entry.get("is_impossible") or not gold:
                    sets["impossible"].append(Asked(entry["question"], ()))
                else:
                    sets["answerable"].append(Asked(entry["question"], gold))
                    sets["paragraph taken out"].append(Asked(entry["question"], (), without=name))
    return documents, sets


async def answers(search: EdgeIndex, asked: Iterable[Asked]) -> list[Answered]:
    """Search and quote for each question."""
    answered = []
    for each in asked:
        query = query_of(each.question, each.previous)
        found = [
            passage
            for passage in (await search(query, SHARED, SearchOptions(PASSAGES_WANTED + 1))).passages
            if passage.document != each.without
        ]
        passages = tuple(replace(passage, number=number) for number, passage in enumerate(found[:PASSAGES_WANTED], 1))
        began_s = time.perf_counter()
        choice = choose(query, read_numbered(numbered(passages)))
        answered.append(Answered(each, passages, choice, time.perf_counter() - began_s))
    return answered


def row(name: str, answered: Sequence[Answered]) -> str:
    """Format one line; shares that need a gold are of the answerable questions."""
    golden = [each for each in answered if each.asked.gold]

    def share(hits: Iterable[bool]) -> str:
        counted = list(hits)
        return f"{sum(counted) / len(counted):.3f}" if counted else "–"

    cells = (
        share(each.found for each in golden),
        share(each.quoted(1) for each in golden),
        share(each.quoted(3) for each in golden),
        share(bool(each.choice.quotes) for each in answered),
        share(each.choice.state == "near" for each in answered),
        share(each.choice.state == "none" for each in answered),
        share(each.choice.state != "answer" for each in answered),
        f"{1000 * sum(each.took_s for each in answered) / max(1, len(answered)):.1f}",
    )
    return f"| {name} | {len(answered)} | {' | '.join(cells)} |"


def tables(arguments: Sequence[str]) -> Iterator[tuple[Sequence[Document], str, dict[str, list[Asked]]]]:
    """Iterate over documents, name and question sets of each bench."""
    yield read_folder(SAMPLES), "samples", bundled()
    if arguments:
        documents, sets = squad(Path(arguments[0]), arguments[1] if len(arguments) > 1 else "en")
        yield documents, Path(arguments[0]).stem, sets


def main(arguments: Sequence[str]) -> None:
    """Print the table, then the failed bundled questions."""
    print("| questions | n | gold in passages | in first quote | in any | with [n] | near | none | refused | ms |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    wrong: list[str] = []
    for documents, name, sets in tables(arguments):
        search = EdgeIndex.build(documents)
        for kind, asked in sets.items():
            answered = asyncio.run(answers(search, asked))
            if answered:
                print(row(f"{name}, {kind}", answered))
            if name == "samples":
                wrong += [_told(each) for each in answered if _went_wrong(each)]
        search.close()
    print("\nBundled questions that went wrong:", *wrong or ["none"], sep="\n- ")


def _went_wrong(each: Answered) -> bool:
    return not each.quoted(3) if each.asked.gold else each.choice.state == "answer"


def _told(each: Answered) -> str:
    quotes = " / ".join(f"[{quote.number}] {quote.text}" for quote in each.choice.quotes) or "no quote"
    where = "" if each.found or not each.asked.gold else ", not in the passages"
    gold = each.asked.gold[0] if each.asked.gold else "nothing"
    return f"{each.asked.question} (wanted: {gold}{where}; {each.choice.state} {each.choice.score:.1f}) → {quotes}"


def _holds(texts: Iterable[str], gold: Iterable[str]) -> bool:
    """Whether any text holds any gold, apart from blanks and case."""
    wanted = [_plain(each) for each in gold]
    return any(each in text for text in map(_plain, texts) for each in wanted)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().casefold()


if __name__ == "__main__":
    main(sys.argv[1:])
