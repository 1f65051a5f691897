"""`python -m pipeline.ingest`: a folder becomes documents for everybody, and what fails is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from pipeline.documents.library import Library
from pipeline.ingest.files import files_below, read_below
from pipeline.retrieval import IndexedDocument
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import ROOT, Settings
from tests.documents import pdf


def ingest(data: Path, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATA_DIR": str(data)}
    command = [sys.executable, "-m", "pipeline.ingest", str(path), "--collection", "coast"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False)


async def documents(data: Path) -> tuple[IndexedDocument, ...]:
    index = EdgeIndex(data / "index")
    try:
        return await index.documents(None)
    finally:
        index.close()


async def test_a_folder_is_added_for_everybody_again_only_what_changed(tmp_path: Path) -> None:
    folder, data = tmp_path / "coast", tmp_path / "data"
    (folder / "north").mkdir(parents=True)
    (folder / "north" / "lights.pdf").write_bytes(pdf([["The lamp of Skagen turns once in four seconds."]]))
    (folder / "fog.txt").write_text("Fog horns boom in Dover.")
    (folder / "empty.pdf").write_bytes(b"")
    first = ingest(data, folder)
    assert first.returncode == 1
    assert "empty.pdf: The file is empty." in first.stdout
    assert "2 documents" in first.stdout
    entries = await documents(data)
    assert {(entry.name, entry.collection, entry.owner) for entry in entries} == {
        ("north/lights.pdf", "coast", None),
        ("fog.txt", "coast", None),
    }
    (folder / "empty.pdf").unlink()
    (folder / "fog.txt").write_text("Fog horns boom in Calais.")
    assert ingest(data, folder).returncode == 0
    again = await documents(data)
    assert {entry.name for entry in again} == {"north/lights.pdf", "fog.txt"}
    assert {entry.id for entry in again} & {entry.id for entry in entries} == {
        entry.id for entry in entries if entry.name == "north/lights.pdf"
    }
    index = EdgeIndex(data / "index")
    try:
        library = Library(index, Settings(data_dir=data))
        light = next(entry for entry in again if entry.name == "north/lights.pdf")
        assert (await library.picture(light.id, 1, None)).startswith(b"\xff\xd8")
    finally:
        index.close()


def test_a_running_glassbox_is_not_disturbed(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock"):
        refused = ingest(tmp_path, ROOT / "samples")
    assert refused.returncode == 2
    assert "Stop it first" in refused.stderr


def test_every_kind_of_document_in_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf([["The lamp of Skagen."]]))
    (tmp_path / "b.html").write_text("<h1>Fog</h1><p>Horns boom.</p>")
    (tmp_path / "c.md").write_text("# Tide\n\nIt turns.")
    (tmp_path / "d.png").write_bytes(b"\x89PNG")
    (tmp_path / "e.docx").write_bytes(b"not a document")
    read = [read_below(tmp_path, path) for path in files_below(tmp_path)]
    assert [document.name if document else None for document in read] == ["a.pdf", "b.html", "c.md", None, None]
