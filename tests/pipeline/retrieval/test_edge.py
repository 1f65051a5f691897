"""The index in a folder: it survives a kill, finishes what was not finished, and is built anew when it is in doubt."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest
import qdrant_edge

from pipeline.documents.shared_folder import FolderChanges, synchronise
from pipeline.errors import IndexTaken, SearchFault
from pipeline.ingest import ChunkSize, Document
from pipeline.ingest.markdown import files_in, read_file
from pipeline.passages import Query
from pipeline.retrieval import SHARED, Index, IndexedDocument, Scope, SearchOptions
from pipeline.retrieval.catalog import Catalog
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.embedding import Hosted, Local, embedding_of
from pipeline.retrieval.open_index import open_index
from pipeline.settings import ROOT, Settings
from tests.indexed import ScriptedEmbedding, letter, word

MAYA = "maya-0123456789abcdef"
CLAIM = (
    "import sys; from pathlib import Path; from pipeline.retrieval.edge import EdgeIndex; EdgeIndex(Path(sys.argv[1]))"
)


def found(index: Index, question: str, wanted: int = 20, visitor: str | None = None) -> list[str]:
    outcome = asyncio.run(index(Query(question), Scope(visitor), SearchOptions(wanted)))
    return [passage.document for passage in outcome.passages]


def add(index: Index, *documents: Document, owner: str | None = None) -> None:
    asyncio.run(index.add(documents, "letters", owner))


def test_a_second_process_is_refused_before_it_touches_the_shard(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path)
    add(index, letter(1))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "shard").rglob("*")}
    second = subprocess.run([sys.executable, "-c", CLAIM, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert "IndexTaken" in second.stderr
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "shard").rglob("*")} == before
    with pytest.raises(IndexTaken):
        EdgeIndex(tmp_path)
    add(index, letter(2))
    index.close()
    again = EdgeIndex(tmp_path)
    assert found(again, f"{word(1)} {word(2)}") == ["1.txt"] * 3 + ["2.txt"] * 3
    again.close()


def test_closing_twice_is_closing_once_and_gives_a_folder_of_its_own_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    built = EdgeIndex.build((letter(1),))
    assert list(tmp_path.iterdir())
    built.close()
    built.close()
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_the_index_is_a_temporary_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    index = open_index(Settings(data_dir=tmp_path / "file"))
    add(index, letter(1))
    assert found(index, "letter") == ["1.txt"] * 3
    assert "Set DATA_DIR" in caplog.text
    index.close()


def test_the_settings_name_the_embedding(tmp_path: Path) -> None:
    assert embedding_of("none") is None
    assert isinstance(embedding_of("openai/text-embedding-3-small"), Hosted)
    assert isinstance(embedding_of("fastembed/BAAI/bge-small-en-v1.5"), Local)
    index = open_index(
        Settings(data_dir=tmp_path, embedding_model="hosted_vllm/none", embedding_api_base="http://127.0.0.1:9")
    )
    asyncio.run(index.add((letter(1),), "letters", None, embed=False))
    assert index.modes == ("keyword",)
    index.close()


INGEST = """
import asyncio, sys
from pathlib import Path
from pipeline.retrieval.edge import EdgeIndex
from tests.indexed import letter

index = EdgeIndex(Path(sys.argv[1]))
begin = int(sys.argv[2])
print("open", flush=True)
for number in range(begin, begin + 100_000):
    owner = "maya-0123456789abcdef" if number % 2 else None
    [entry] = asyncio.run(index.add((letter(number, 300 if number % 5 == 0 else 3),), "letters", owner))
    print("added", number, flush=True)
    if number % 7 == 6:
        assert asyncio.run(index.remove(entry.id, owner))
        print("removed", number, flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_in_mid_ingest_loses_nothing_that_was_acknowledged(tmp_path: Path, seed: int) -> None:
    there: set[int] = set()
    gone: set[int] = set()
    chance = random.Random(seed)
    begin = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", INGEST, str(tmp_path), str(begin)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        time.sleep(chance.uniform(0.3, 1.0))
        process.send_signal(signal.SIGKILL)
        last = begin
        for line in process.stdout:
            if line.endswith("\n"):
                what, _, last_number = line.partition(" ")
                last = int(last_number)
                if what == "removed":
                    gone.add(last)
                elif last % 7 != 6:  # those are removed at once
                    there.add(last)
        process.wait()
        process.stdout.close()
        begin = last + 2  # the one after the last may be there or not: neither was promised
        index = EdgeIndex(tmp_path)
        listed = {entry.name for entry in asyncio.run(index.documents(MAYA))}
        assert {f"{number}.txt" for number in there} <= listed
        assert listed.isdisjoint(f"{number}.txt" for number in gone)
        for number in there:
            wanted = 300 if number % 5 == 0 else 3
            assert found(index, word(number), 400, MAYA) == [f"{number}.txt"] * wanted
        assert len(found(index, "letter coffee", 1000, MAYA)) == min(1000, passages_in(index, MAYA))
        index.close()
    assert there


def passages_in(index: Index, visitor: str | None) -> int:
    return sum(entry.passages for entry in asyncio.run(index.documents(visitor)))


def damaged(path: Path, how: str, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if how == "gone":
        path.unlink()
        return
    if how == "empty":
        content.clear()
    elif how == "cut":
        del content[len(content) // 2 :]
    else:
        for place in chance.sample(range(len(content)), min(len(content), 64)):
            content[place] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["gone", "empty", "cut", "flipped"])
def test_whatever_file_of_the_shard_is_damaged_everything_is_found_or_said_to_fail(tmp_path: Path, how: str) -> None:
    """A search may fail once on a damage that shows only when it is read; the next start has it repaired."""
    chance = random.Random(how)
    index = EdgeIndex(tmp_path)
    add(index, *(letter(number) for number in range(30)))
    index.close()
    files = sorted(path for path in (tmp_path / "shard").rglob("*") if path.is_file())
    names = [path.relative_to(tmp_path) for path in files]
    for name in names[:: max(1, len(names) // 12)]:
        path = tmp_path / name
        if not path.exists():  # a repair may number its files anew
            continue
        damaged(path, how, chance)
        index = EdgeIndex(tmp_path)
        outcome = asyncio.run(index.documents(None))
        assert len(outcome) == 30
        try:
            assert found(index, f"{word(7)} {word(8)}") == ["7.txt"] * 3 + ["8.txt"] * 3, name
        finally:
            index.close()


def test_missing_points_have_the_shard_built_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    index = EdgeIndex(tmp_path)
    add(index, letter(1), letter(2))
    index._shard.delete([range(0, 1)])  # as a damage does that nothing else shows
    index._shard.flush()
    index.close()
    with caplog.at_level(logging.WARNING):
        again = EdgeIndex(tmp_path)
    assert "built anew from its 6 passages" in caplog.text
    assert len(found(again, "coffee")) == 6
    again.close()
    caplog.clear()
    EdgeIndex(tmp_path).close()
    assert caplog.text == ""


def test_a_shard_built_anew_gets_its_vectors_again(tmp_path: Path) -> None:
    embedding = ScriptedEmbedding()
    index = EdgeIndex(tmp_path, embedding)
    add(index, letter(1), letter(2))
    index._shard.delete([range(0, 1)])
    index._shard.flush()
    index.close()
    again = EdgeIndex(tmp_path, embedding)
    assert "vector" not in again.modes
    assert asyncio.run(again.embed()) == 6
    assert "vector" in again.modes
    again.close()


def test_a_damaged_catalog_is_set_aside_and_the_start_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    index = EdgeIndex(tmp_path)
    add(index, letter(1))
    index.close()
    (tmp_path / "catalog.db").write_bytes(b"no database" * 1000)
    again = EdgeIndex(tmp_path)
    assert not found(again, "letter")
    assert (tmp_path / "damaged.db").exists()
    assert "damaged" in caplog.text
    assert str(tmp_path) not in caplog.text
    add(again, letter(2))
    assert found(again, "letter") == ["2.txt", "2.txt", "2.txt"]
    again.close()


def test_a_catalog_of_an_earlier_version_gets_the_column_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    Catalog(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE documents DROP COLUMN unread")
    catalog = Catalog(path)
    entry = IndexedDocument("1", "h", "a.pdf", "A", "en", 1, 0, "c", None, "", "", 0.0, "picture 2")
    catalog.add([(entry, [])])
    assert catalog.entry("1") == entry
    catalog.close()


def test_removed_text_is_in_no_file_any_more(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path)
    add(index, letter(1), letter(77), owner=MAYA)
    secret = next(each for each in asyncio.run(index.documents(MAYA)) if each.name == "77.txt")
    assert word(77).encode() in b"".join(path.read_bytes() for path in tmp_path.glob("catalog.db*"))
    assert asyncio.run(index.remove(secret.id, MAYA))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files if word(77).encode() in path.read_bytes()] == []
    index.close()


# A folder that the index follows


class Reader:
    """Reads a folder's files and remembers which."""

    def __init__(self, folder: Path, size: int = 1000) -> None:
        self.folder, self.size, self.names = folder, ChunkSize(size, 0), list[str]()

    def __call__(self, path: Path) -> Document | None:
        self.names.append(path.name)
        return read_file(self.folder, path, self.size)

    def synchronise(self, index: Index) -> FolderChanges:
        self.names.clear()
        recipe = self.size.recipe
        return asyncio.run(synchronise(index, self.folder, files_in(self.folder), self, recipe))


def test_a_document_that_could_not_be_written_is_not_taken_for_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = EdgeIndex(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(qdrant_edge.UpdateOperation, "upsert_points", None)
        with pytest.raises(SearchFault):
            add(index, letter(1))
    assert asyncio.run(index.documents(None)) == ()
    add(index, letter(1))
    assert found(index, word(1)) == ["1.txt"] * 3
    index.close()


def test_only_what_changed_in_a_folder_is_read_and_indexed_again(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "tea").mkdir(parents=True)
    for name, text in {"a.md": "Alpha beans.", "b.md": "Beta beans.", "tea/c.md": "Gamma leaves."}.items():
        (folder / name).write_text(text)
    index, reader = EdgeIndex(tmp_path / "index"), Reader(folder)
    assert reader.synchronise(index) == FolderChanges(3, 0, 0)
    assert [(each.name, each.collection) for each in asyncio.run(index.documents(None))] == [
        ("a.md", "papers"),
        ("b.md", "papers"),
        ("tea/c.md", "tea"),
    ]
    assert reader.synchronise(index) == FolderChanges(0, 0, 3)
    assert reader.names == []
    (folder / "a.md").write_text("Omega beans.")
    (folder / "tea" / "c.md").unlink()
    (folder / "copy.md").write_text("Beta beans.")
    assert reader.synchronise(index) == FolderChanges(1, 2, 1)
    assert reader.names == ["a.md"]
    assert found(index, "alpha omega gamma beta") == ["a.md", "b.md"]
    index.close()


def test_a_renamed_file_and_another_way_of_cutting_are_indexed_again(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.md").write_text("Alpha beans. " * 20)
    index = EdgeIndex(tmp_path / "index")
    assert Reader(folder).synchronise(index) == FolderChanges(1, 0, 0)
    (folder / "a.md").rename(folder / "z.md")
    assert Reader(folder).synchronise(index) == FolderChanges(1, 0, 0)
    assert found(index, "alpha") == ["z.md"]
    assert Reader(folder, size=100).synchronise(index) == FolderChanges(1, 0, 0)
    assert found(index, "alpha") == ["z.md"] * 3
    index.close()


def test_a_folder_leaves_alone_what_did_not_come_from_it(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path / "index")
    add(index, letter(1))
    add(index, letter(2), owner=MAYA)
    (tmp_path / "papers").mkdir()
    assert Reader(tmp_path / "papers").synchronise(index) == FolderChanges(0, 0, 0)
    assert len(asyncio.run(index.documents(MAYA))) == 2
    index.close()


def test_an_unchanged_index_is_opened_again_without_indexing(tmp_path: Path) -> None:
    samples = ROOT / "samples"
    index = EdgeIndex(tmp_path)
    Reader(samples).synchronise(index)
    index.close()
    index = EdgeIndex(tmp_path)
    assert Reader(samples).synchronise(index).indexed == 0
    assert asyncio.run(index(Query("How hot is filter coffee brewed?"), SHARED)).passages
    index.close()
