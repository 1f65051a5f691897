"""Measures how well and how fast passages are found; prints one table for each part.

    python -m bench.retrieval                          the bundled questions, and context quality on them
    python -m bench.retrieval FOLDER                   also a folder in BEIR's layout
    python -m bench.retrieval --passages 100000        also that many made-up passages: ingest, search, memory
    python -m bench.retrieval --embedding NAME         with vectors, too: any name that EMBEDDING_MODEL takes

Each search takes the complete path of a turn's search: query, terms, store, texts, marked words, quality. A document of
BEIR is one passage. Made-up passages have 120 words of 30,000, drawn by Zipf's law, questions 8 of them; concurrent
searches are timed while a thousand more passages are added. Memory is the process's peak, Python and bench included.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import json
import math
import random
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest import Chunk, Document
from pipeline.ingest.markdown import read_folder
from pipeline.passages import Passage, Query, SearchMode
from pipeline.retrieval import SHARED, Index, SearchOptions, SearchResult
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.embedding import Embedding, embedding_of
from pipeline.retrieval.query import query_of

SAMPLES = Path(__file__).parent.parent / "samples"
PUBLISHED = {"scifact": "published nDCG@10 of BM25: 0.665 (BEIR), 0.679 (Anserini)"}
WORDS, PASSAGE_WORDS, QUESTION_WORDS, DOCUMENT_PASSAGES = 30_000, 120, 8, 20


@dataclass(frozen=True, slots=True)
class Judged:
    """A question and its answers: passage key → relevance."""

    query: Query
    relevant: Mapping[str, int]


def bundled() -> tuple[list[Document], list[Judged], list[bool]]:
    """Return the documents of `samples/`, their questions, and which of them are answerable."""
    documents = list(read_folder(SAMPLES))
    judged, answerable = [], []
    for line in (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        previous = entry.get("previous")
        query = query_of(entry["question"], (previous["question"], previous["answer"]) if previous else None)
        gold = {
            f"{document.name}#{chunk.start}": 1
            for document in documents
            for chunk in document.chunks
            if not entry.get("unanswerable") and _plain(entry["answer"]) in _plain(chunk.text)
        }
        judged.append(Judged(query, gold))
        answerable.append(not entry.get("unanswerable"))
    return documents, judged, answerable


def beir(folder: Path) -> tuple[list[Document], list[Judged]]:
    """Read a test set in BEIR's layout."""
    corpus = folder / "corpus.jsonl"
    lines = (
        corpus.read_text(encoding="utf-8")
        if corpus.exists()
        else gzip.decompress((folder / "corpus.jsonl.gz").read_bytes()).decode()
    ).splitlines()
    documents = []
    for entry in map(json.loads, lines):
        chunk = Chunk("", entry["text"], 0, len(entry["text"]))
        documents.append(
            Document(entry["_id"], entry["_id"], entry.get("title", ""), "", entry["text"], None, (chunk,))
        )
    questions = {
        entry["_id"]: entry["text"]
        for entry in map(json.loads, (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines())
    }
    relevant: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        question, document, grade = line.split("\t")
        relevant.setdefault(question, {})[f"{document}#0"] = int(grade)
    return documents, [Judged(Query(questions[each]), grades) for each, grades in relevant.items()]


async def quality_table(
    name: str, documents: Sequence[Document], judged: Sequence[Judged], embedding: Embedding | None
) -> None:
    """Print a line for each mode."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    index = EdgeIndex(folder, embedding)
    began_s = time.perf_counter()
    await index.add(documents, "bench", None)
    build_s = time.perf_counter() - began_s
    passages = sum(len(document.chunks) for document in documents)
    golden = [each for each in judged if each.relevant]
    await index.embed()  # what a local model does in the background
    modes: tuple[SearchMode, ...] = index.modes
    for mode in modes:
        took_s, ranked = [], []
        for each in golden:
            began_s = time.perf_counter()
            found = await index(each.query, SHARED, SearchOptions(10, mode=mode, candidates=100))
            took_s.append(time.perf_counter() - began_s)
            ranked.append([_key(passage) for passage in found.passages])
        pairs = list(zip(ranked, (each.relevant for each in golden), strict=True))
        cells = (
            f"{_mean(ndcg(keys, grades) for keys, grades in pairs):.3f}",
            f"{_mean(recall(keys, grades) for keys, grades in pairs):.3f}",
            f"{_mean(reciprocal_rank(keys, grades) for keys, grades in pairs):.3f}",
            _times(took_s),
            f"{build_s:.1f}",
            str(_memory_mb()),
        )
        print(f"| {name}, {mode} | {passages} | {len(golden)} | {' | '.join(cells)} |")
    index.close()
    shutil.rmtree(folder)


def ndcg(keys: Sequence[str], relevant: Mapping[str, int], depth: int = 10) -> float:
    """Return the normalised discounted cumulative gain of the first `depth`, 0..1."""
    gain = sum(relevant.get(key, 0) / math.log2(rank + 1) for rank, key in enumerate(keys[:depth], 1))
    best = sorted(relevant.values(), reverse=True)[:depth]
    return gain / sum(grade / math.log2(rank + 1) for rank, grade in enumerate(best, 1))


def recall(keys: Sequence[str], relevant: Mapping[str, int], depth: int = 5) -> float:
    """Return the share of the relevant passages among the first `depth`."""
    return len(set(keys[:depth]) & set(relevant)) / len(relevant)


def reciprocal_rank(keys: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Return 1 / the rank of the first relevant passage, 0 without any."""
    return next((1 / rank for rank, key in enumerate(keys, 1) if key in relevant), 0.0)


async def context_table(documents: Sequence[Document], judged: Sequence[Judged], answerable: Sequence[bool]) -> None:
    """Print how the judged quality agrees with whether a question is answerable."""
    index = EdgeIndex.build(documents)
    found: list[SearchResult] = [await index(each.query, SHARED) for each in judged]
    counted = Counter(zip(answerable, (each.quality for each in found), strict=True))
    print("\n| questions | good | weak | none |\n|---|---|---|---|")
    for truth, name in ((True, "answerable"), (False, "unanswerable")):
        print(f"| {name} | {' | '.join(str(counted[truth, quality]) for quality in ('good', 'weak', 'none'))} |")
    index.close()


async def scale_line(passages: int) -> None:
    """Print ingest and search over made-up passages."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    index: Index = EdgeIndex(folder)
    before_mb = _memory_mb()
    chance = random.Random(7)
    made = made_up(chance, passages)
    ingest_s = 0.0
    while batch := list(itertools.islice(made, 1000 // DOCUMENT_PASSAGES)):
        began_s = time.perf_counter()
        await index.add(batch, "bench", None)
        ingest_s += time.perf_counter() - began_s
    took_s = [await _timed(index, chance) for _ in range(500)]
    index.close()
    began_s = time.perf_counter()
    index = EdgeIndex(folder)
    reopen_s = time.perf_counter() - began_s
    more = list(made_up(random.Random(8), 1000, first=passages))
    adding = asyncio.create_task(index.add(more, "bench", None))
    beside_s = []
    while not adding.done():
        beside_s.append(await _timed(index, chance))
        await asyncio.sleep(0.005)
    began_s = time.perf_counter()
    await index.remove((await adding)[0].id, None)
    remove_s = time.perf_counter() - began_s
    print(
        f"| {passages} | {passages / ingest_s:.0f} | {_times(took_s)} | {_times(beside_s)} | {reopen_s:.2f} |"
        f" {remove_s:.2f} | {_memory_mb() - before_mb} | {_disk_mb(folder)} |"
    )
    index.close()
    shutil.rmtree(folder)


def made_up(chance: random.Random, passages: int, first: int = 0) -> Iterator[Document]:
    """Make documents of twenty passages."""
    for number in range(first, first + passages, DOCUMENT_PASSAGES):
        texts = [_words(chance, PASSAGE_WORDS) for _ in range(DOCUMENT_PASSAGES)]
        chunks = tuple(Chunk("", text, 1000 * place, 1000 * place + len(text)) for place, text in enumerate(texts))
        yield Document(f"{number}", f"{number}.txt", f"Document {number}", "en", "", None, chunks)


_LETTERS = "bdfgklmnprtv"
_SYLLABLES = [consonant + vowel for consonant in _LETTERS for vowel in "aeiou"]
_VOCABULARY = ["".join(each) for each in itertools.islice(itertools.product(_SYLLABLES, repeat=3), 7, 7 * WORDS, 7)]
_WEIGHTS = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(_VOCABULARY))))


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(_VOCABULARY, cum_weights=_WEIGHTS, k=count))


async def _timed(index: Index, chance: random.Random) -> float:
    query = Query(_words(chance, QUESTION_WORDS))
    began_s = time.perf_counter()
    await index(query, SHARED)
    return time.perf_counter() - began_s


def _key(passage: Passage) -> str:
    return f"{passage.document}#{passage.start}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _mean(values: Iterable[float]) -> float:
    counted = list(values)
    return sum(counted) / len(counted)


def _times(took_s: Iterable[float]) -> str:
    """Format p50 and p95 in ms."""
    ordered = sorted(took_s)
    return f"{1000 * ordered[len(ordered) // 2]:.1f} / {1000 * ordered[int(len(ordered) * 0.95)]:.1f}"


def _disk_mb(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) >> 20


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


async def main() -> None:
    """Print the tables that the arguments ask for."""
    parser = argparse.ArgumentParser(description="How well and how fast passages are found.")
    parser.add_argument("folders", nargs="*", type=Path, help="test sets in BEIR's layout")
    parser.add_argument("--passages", type=int, nargs="*", default=(), help="sizes of made-up indexes")
    parser.add_argument("--embedding", default="none", help="an embedding model, as EMBEDDING_MODEL takes it")
    parser.add_argument("--api-base", default=None, help="where a hosted embedding model answers")
    arguments = parser.parse_args()
    embedding = embedding_of(arguments.embedding, arguments.api_base)
    documents, judged, answerable = bundled()
    print("| questions, mode | passages | n | nDCG@10 | recall@5 | MRR@10 | p50 / p95 ms | build s | memory MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    await quality_table("samples", documents, judged, embedding)
    for folder in arguments.folders:
        await quality_table(folder.name, *beir(folder), embedding)
    for folder in arguments.folders:
        if folder.name in PUBLISHED:
            print(f"\n{folder.name}: {PUBLISHED[folder.name]}")
    await context_table(documents, judged, answerable)
    if arguments.passages:
        print(
            "\n| passages | ingested/s | p50 / p95 ms | beside a writer | reopen s | remove s | memory MB | disk MB |"
        )
        print("|---|---|---|---|---|---|---|---|")
    for passages in arguments.passages:
        await scale_line(passages)


if __name__ == "__main__":
    asyncio.run(main())
