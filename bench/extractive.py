"""Measures how well the built-in model quotes and abstains; prints its tables.

    python -m bench.extractive                    the bundled questions
    python -m bench.extractive FILE.json [de]     also a file in SQuAD's format, and the language of its paragraphs

Every question takes the path of a turn: search over all passages, the prompt's numbered text, the choice of quotes.
"Gold" counts quotes that hold the expected words; "words" are those of all quotes of one answer. A SQuAD paragraph is
one passage; its answerable questions are asked again without their own paragraph, and without their whole article.
The second table tells how well a number separates two sets (AUROC; 0.5 is chance): `confidence` and `premise` of the
choice, and the score of the best sentence. The third compares the probabilities that an ending names (`confidence`)
with how often they came true, where answerable and other questions weigh the same. The last one counts errors by kind.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.separation import auroc
from pipeline.citations.sentences import sentences
from pipeline.ingest import Chunk, Document
from pipeline.ingest.markdown import read_folder
from pipeline.models.builtin.answerability import probability_of
from pipeline.models.builtin.quotes import QUOTES_MOST, Choice, choose
from pipeline.passages import Passage
from pipeline.prompt_passages import numbered, read_numbered
from pipeline.retrieval import SHARED, SearchOptions
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.query import query_of

SAMPLES = Path(__file__).parent.parent / "samples"
PASSAGES_WANTED, WORDS_WANTED = 4, 60
ANSWERABLE, ARTICLE_OUT, IMPOSSIBLE = "answerable", "article taken out", "impossible"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a set; `gold` is empty for an unanswerable one, `without` are documents to leave out."""

    question: str
    gold: tuple[str, ...]
    previous: tuple[str, str] | None = None
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answered:
    """The result of one question."""

    asked: Asked
    passages: tuple[Passage, ...]
    choice: Choice
    cpu_s: float

    @property
    def found(self) -> bool:
        """Whether a passage holds the gold, which is the upper bound of quoting."""
        return _holds([passage.text for passage in self.passages], self.asked.gold)

    @property
    def words(self) -> int:
        """The number of words of all quotes."""
        return sum(len(quote.text.split()) for quote in self.choice.quotes)

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
    sets: dict[str, list[Asked]] = {
        ANSWERABLE: [],
        "paragraph taken out": [],
        ARTICLE_OUT: [],
        IMPOSSIBLE: [],
    }
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = article.get("title", "").replace("_", " ")
        first = len(documents)
        whole = frozenset(str(number) for number in range(first, first + len(article["paragraphs"])))
        for paragraph in article["paragraphs"]:
            name = str(len(documents))
            text = paragraph["context"]
            documents.append(Document(name, name, title, language, text, None, (Chunk("", text, 0, len(text)),)))
            for entry in paragraph["qas"]:
                gold = tuple(answer["text"] for answer in entry["answers"])
                if entry.get("is_impossible") or not gold:
                    sets[IMPOSSIBLE].append(Asked(entry["question"], ()))
                else:
                    sets[ANSWERABLE].append(Asked(entry["question"], gold))
                    sets["paragraph taken out"].append(Asked(entry["question"], (), without=frozenset({name})))
                    sets[ARTICLE_OUT].append(Asked(entry["question"], (), without=whole))
    return documents, sets


async def answers(search: EdgeIndex, asked: Iterable[Asked]) -> list[Answered]:
    """Search and quote for each question."""
    answered = []
    for each in asked:
        query = query_of(each.question, each.previous)
        found = [
            passage
            for passage in (await search(query, SHARED, SearchOptions(PASSAGES_WANTED + len(each.without)))).passages
            if passage.document not in each.without
        ]
        passages = tuple(replace(passage, number=number) for number, passage in enumerate(found[:PASSAGES_WANTED], 1))
        began_s = time.thread_time()
        choice = choose(query, read_numbered(numbered(passages)))
        answered.append(Answered(each, passages, choice, time.thread_time() - began_s))
    return answered


def row(name: str, answered: Sequence[Answered]) -> str:
    """Format one line; shares that need a gold are of the answerable questions."""
    golden = [each for each in answered if each.asked.gold]

    def share(hits: Iterable[bool]) -> str:
        counted = list(hits)
        return f"{sum(counted) / len(counted):.3f}" if counted else "–"

    states = Counter(each.choice.state for each in answered)
    words = [each.words for each in answered if each.choice.quotes]
    cells = (
        share(each.found for each in golden),
        share(each.quoted(1) for each in golden),
        share(each.quoted(QUOTES_MOST) for each in golden),
        f"{sum(words) / max(1, len(words)):.0f}",
        share(count > WORDS_WANTED for count in words),
        *(f"{states[state] / max(1, len(answered)):.3f}" for state in ("answer", "near", "none")),
        f"{1000 * sum(each.cpu_s for each in answered) / max(1, len(answered)):.1f}",
    )
    return f"| {name} | {len(answered)} | {' | '.join(cells)} |"


def separations(name: str, sets: dict[str, list[Answered]]) -> Iterator[str]:
    """Iterate over lines that tell how well each number separates answerable questions from others."""
    numbers: tuple[Callable[[Choice], float], ...] = (
        lambda choice: choice.confidence,
        lambda choice: choice.premise,
        lambda choice: choice.score,
    )
    for kind, answered in sets.items():
        if kind != ANSWERABLE and answered and ANSWERABLE in sets:
            pairs = (
                [[number(each.choice) for each in one] for one in (sets[ANSWERABLE], answered)] for number in numbers
            )
            yield f"| {name}, {kind} | {' | '.join(f'{auroc(*pair):.3f}' for pair in pairs)} |"


def calibration(name: str, sets: dict[str, list[Answered]]) -> Iterator[str]:
    """Iterate over lines that compare the probabilities said with the share that is answered, a tenth at a time."""
    judged = [(probability_of(each.choice), kind == ANSWERABLE and each.found) for kind in sets for each in sets[kind]]
    answered = sum(is_answered for _, is_answered in judged)
    if not answered or answered == len(judged):
        return
    weights = {True: 0.5 / answered, False: 0.5 / (len(judged) - answered)}
    for tenth in range(10):
        inside = [(said, true, weights[true]) for said, true in judged if min(9, int(said * 10)) == tenth]
        if total := sum(weight for _, _, weight in inside):
            said = sum(said * weight for said, _, weight in inside) / total
            true = sum(weight for _, true, weight in inside if true) / total
            yield f"| {name} | {tenth / 10:.1f} to {(tenth + 1) / 10:.1f} | {len(inside)} | {said:.2f} | {true:.2f} |"


def kind_of_error(each: Answered) -> str | None:
    """Return why the first quote of an answerable question does not hold the gold; None where it does."""
    if each.quoted(1):
        return None
    if not each.choice.quotes:
        return "nothing quoted"
    if not each.found:
        return "not in the passages"
    first = each.choice.quotes[0]
    passage = next(passage.text for passage in each.passages if passage.number == first.number)
    if not _holds([passage], each.asked.gold):
        return "in another passage"
    texts = [passage[begin:end] for begin, end in sentences(passage)]
    quoted = [at for at, text in enumerate(texts) if text in first.text]
    if not quoted:
        return "elsewhere in the passage"
    if _holds(texts[max(0, quoted[0] - 1) : quoted[0]], each.asked.gold):
        return "in the sentence before"
    is_after = _holds(texts[quoted[-1] + 1 : quoted[-1] + 2], each.asked.gold)
    return "in the sentence after" if is_after else "elsewhere in the passage"


def kind_of_trust(each: Answered) -> str | None:
    """Return what a confident answer to an impossible question had; None for one that is not confident."""
    if each.choice.state != "answer":
        return None
    if each.choice.premise == 1:
        return "all words are in the sentence"
    doubts = each.choice.doubts
    if doubts.opposite or doubts.negation:
        return "an opposite or a negation, outweighed"
    return "a name or number is missing, outweighed" if doubts.unsaid else "words are missing, no name or number"


def errors(name: str, sets: dict[str, list[Answered]]) -> Iterator[str]:
    """Iterate over lines that count the errors of a file by kind."""
    for kind, judge in ((ANSWERABLE, kind_of_error), (IMPOSSIBLE, kind_of_trust)):
        for error, count in Counter(filter(None, map(judge, sets.get(kind, ())))).most_common():
            yield f"| {name}, {kind} | {error} | {count} |"


def tables(arguments: Sequence[str]) -> Iterator[tuple[Sequence[Document], str, dict[str, list[Asked]]]]:
    """Iterate over documents, name and question sets of each bench."""
    yield read_folder(SAMPLES), "samples", bundled()
    if arguments:
        documents, sets = squad(Path(arguments[0]), arguments[1] if len(arguments) > 1 else "en")
        yield documents, Path(arguments[0]).stem, sets


def main(arguments: Sequence[str]) -> None:
    """Print the tables, then the failed bundled questions."""
    print(
        "| questions | n | gold in passages | in first quote | in any | words | > 60 | answer | near | none | CPU ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    wrong: list[str] = []
    separated: list[str] = []
    counted: list[str] = []
    calibrated: list[str] = []
    for documents, name, sets in tables(arguments):
        search = EdgeIndex.build(documents)
        results: dict[str, list[Answered]] = {}
        for kind, asked in sets.items():
            results[kind] = answered = asyncio.run(answers(search, asked))
            if answered:
                print(row(f"{name}, {kind}", answered), flush=True)
            if name == "samples":
                wrong += [_told(each) for each in answered if _went_wrong(each)]
        separated += separations(name, results)
        counted += errors(name, results)
        calibrated += calibration(name, results)
        search.close()
    if separated:
        print(
            "\n| told from answerable ones (AUROC) | by confidence | by premise | by score |",
            "|---|---|---|---|",
            sep="\n",
        )
        print(*separated, sep="\n")
        print("\n| probability | between | n | said | true |", "|---|---|---|---|---|", *calibrated, sep="\n")
        print("\n| questions | error | n |", "|---|---|---|", *counted, sep="\n")
    print("\nBundled questions that went wrong:", *wrong or ["none"], sep="\n- ")


def _went_wrong(each: Answered) -> bool:
    return not each.quoted(QUOTES_MOST) if each.asked.gold else each.choice.state == "answer"


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
