"""Documents that people bring: read, searched, opened, removed, and nobody else's business."""

from __future__ import annotations

import asyncio
import io
import shutil
import sqlite3
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from pipeline.documents.library import Library, Upload, UploadStep
from pipeline.documents.web_pages import WebPages
from pipeline.errors import NotFound, Refused
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.folders import UPLOADS
from pipeline.settings import Settings
from pipeline.turn import AskOptions
from tests.web import Answer, web

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
TEXT = b"# Lighthouses\n\nThe lamp of Skagen turns once in four seconds.\n"
Make = Callable[..., Library]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    indexes: list[EdgeIndex] = []

    def build(web_pages: WebPages | None = None, **settings: Any) -> Library:
        index = EdgeIndex(tmp_path / "index")
        indexes.append(index)
        return Library(index, Settings(data_dir=tmp_path, **settings), web_pages=web_pages)

    yield build
    for index in indexes:
        index.close()


async def taken(library: Library, *uploads: Upload, owner: str = MAYA) -> list[UploadStep]:
    return [step async for step in library.take(uploads, owner) if step.step in ("done", "failed")]


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def files_below(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


async def test_what_was_brought_is_found_by_its_owner_alone(make: Make) -> None:
    library = make()
    (step,) = await taken(library, Upload("lights.md", TEXT))
    assert step.entry is not None
    assert [entry.name for entry in await library.documents(MAYA)] == ["lights.md"]
    assert [passage.document for passage in (await library.search("Skagen lamp", MAYA)).passages] == ["lights.md"]
    for other in (NOAH, None):
        assert await library.documents(other) == ()
        assert (await library.search("Skagen lamp", other)).passages == ()
        with pytest.raises(NotFound):
            await library.around(step.entry.id, other, 0, 99)
        with pytest.raises(NotFound):
            await library.original(step.entry.id, other)
    with pytest.raises(NotFound):
        await library.remove(step.entry.id, NOAH)
    assert (await library.original(step.entry.id, MAYA)).read_bytes() == TEXT


async def test_a_web_page_is_read_found_and_seen_by_its_owner_alone(make: Make) -> None:
    answers: Mapping[str, Answer] = {"/lights": (200, {"Content-Type": "text/markdown"}, TEXT)}
    async with web(answers) as (pages, _):
        library = make(web_pages=pages)
        steps = [step async for step in library.take_address("http://example.org/lights", MAYA)]
        assert [step.step for step in steps if not step.share][-3:] == ["reading", "indexing", "done"]
        assert [entry.name for entry in await library.documents(MAYA)] == ["example.org/lights.md"]
        assert await library.documents(NOAH) == ()
        assert (await library.search("Skagen lamp", MAYA)).passages


async def test_web_addresses_can_be_switched_off_and_are_off_on_a_space(make: Make) -> None:
    for settings in ({"web_addresses": False}, {"space_id": "maya/glassbox"}):
        async with web({}) as (pages, network):
            library = make(web_pages=pages, **settings)
            *_, step = [step async for step in library.take_address("http://example.org/", MAYA)]
            assert (step.step, step.code, library.bounds.web) == ("failed", "web_off", False)
            assert network.machines == []
            library._index.close()


async def test_what_an_older_reader_read_is_read_again_and_found_meanwhile(make: Make, tmp_path: Path) -> None:
    library = make()
    before, lost = [
        step.entry
        for step in await taken(library, Upload("lights.md", TEXT), Upload("lost.md", b"# Lost\n\nA lost lamp."))
    ]
    assert before
    assert lost
    make_older(tmp_path / "index" / "catalog.db")
    assert [entry.is_outdated for entry in await library.documents(MAYA)] == [True, True]
    assert {found.document for found in (await library.search("lamp", MAYA)).passages} == {"lights.md", "lost.md"}
    shutil.rmtree(next(file for file in files_below(tmp_path / "uploads") if file.name == "lost.md").parent)
    await library.reread()
    read = {entry.name: entry for entry in await library.documents(MAYA)}
    assert read["lights.md"] == before
    assert read["lost.md"].is_outdated
    assert {found.document for found in (await library.search("lamp", MAYA)).passages} == {"lights.md", "lost.md"}
    assert await library.documents(NOAH) == ()


def make_older(catalog: Path) -> None:
    """Let all that the index holds have been read by an earlier version."""
    with sqlite3.connect(catalog) as database:
        database.execute("UPDATE documents SET recipe = '1/1000/100'")
    database.close()


async def test_a_removed_document_is_gone_everywhere(make: Make, tmp_path: Path) -> None:
    library = make()
    first, second = await taken(library, Upload("lights.md", TEXT), Upload("fog.txt", b"Fog horns boom in Dover."))
    assert first.entry
    assert second.entry
    await library.remove(first.entry.id, MAYA)
    assert (await library.search("Skagen", MAYA)).passages == ()
    assert [file.name for file in files_below(tmp_path / "uploads")] == ["fog.txt"]
    assert await library.remove_all(MAYA) == 1
    assert await library.documents(MAYA) == ()
    assert files_below(tmp_path / "uploads") == []


async def test_the_same_file_twice_is_one_document(make: Make) -> None:
    library = make()
    first, again = await taken(library, Upload("lights.md", TEXT), Upload("lights.md", TEXT))
    assert first.entry == again.entry
    assert len(await library.documents(MAYA)) == 1


async def test_the_same_content_under_a_new_name_keeps_its_first_name(make: Make) -> None:
    library = make()
    first, again = await taken(library, Upload("lights.txt", b"Fog."), Upload("other.txt", b"Fog."))
    assert first.entry == again.entry
    assert (again.name, again.entry and again.entry.name) == ("other.txt", "lights.txt")
    (entry,) = await library.documents(MAYA)
    assert (entry.name, entry.title) == ("lights.txt", "lights")
    assert (await library.original(entry.id, MAYA)).name == "lights.txt"
    (theirs,) = await taken(library, Upload("other.txt", b"Fog."), owner=NOAH)
    assert theirs.entry
    assert theirs.entry.name == "other.txt"


async def test_a_file_that_cannot_be_read_is_named_and_the_rest_goes_on(make: Make) -> None:
    library = make()
    steps = await taken(library, Upload("empty.txt", b""), Upload("a.exe", b"MZ"), Upload("lights.md", TEXT))
    assert [(step.name, step.code) for step in steps] == [
        ("empty.txt", "empty"),
        ("a.exe", "unsupported"),
        ("lights.md", ""),
    ]
    assert [step.done for step in steps] == [1, 2, 3]


async def test_a_zip_is_its_files_and_one_bad_path_refuses_it_whole(make: Make) -> None:
    library = make()
    steps = await taken(library, Upload("all.zip", zipped(**{"a/lights.md": TEXT, "b/none.txt": b""})))
    assert [(step.name, step.code, step.files) for step in steps] == [
        ("a/lights.md", "", 2),
        ("b/none.txt", "empty", 2),
    ]
    (refused,) = await taken(library, Upload("bad.zip", zipped(**{"ok.txt": b"Fog.", "../out.txt": b"Fog."})))
    assert (refused.name, refused.code) == ("bad.zip", "zip_path")
    assert len(await library.documents(MAYA)) == 1


async def test_a_cancelled_upload_leaves_nothing_of_what_was_not_done(make: Make, tmp_path: Path) -> None:
    library = make()
    async with aclosing(library.take([Upload("lights.md", TEXT), Upload("fog.txt", b"Fog.")], MAYA)) as steps:
        async for step in steps:
            if (step.name, step.step) == ("fog.txt", "reading"):
                break
    assert [entry.name for entry in await library.documents(MAYA)] == ["lights.md"]
    assert len(files_below(tmp_path / "uploads")) == 1


async def test_old_documents_are_removed_with_their_files(make: Make, tmp_path: Path) -> None:
    library = make(upload_retention_h=0.5 / 3600)
    await taken(library, Upload("lights.md", TEXT))
    await asyncio.sleep(0.6)
    sweeping = asyncio.create_task(library.sweep())  # it goes on for ever
    while await library.documents(MAYA) or files_below(tmp_path / "uploads"):  # noqa: ASYNC110  it tells nobody
        await asyncio.sleep(0.02)
    sweeping.cancel()


async def test_a_signed_key_opens_one_document_and_nothing_else(make: Make) -> None:
    library = make()
    first, second = await taken(library, Upload("lights.md", TEXT), Upload("fog.txt", b"Fog horns boom."))
    assert first.entry
    assert second.entry
    key = library.signed(first.entry.id)
    assert (await library.original(first.entry.id, None, key)).read_bytes() == TEXT
    expires, _, signature = key.partition(".")
    for wrong in (
        library.signed(second.entry.id),
        f"{int(expires) + 1}.{signature}",
        f"1.{signature}",
        "x",
        "9.é",
        f"{expires}.é",
    ):
        with pytest.raises(NotFound):
            await library.original(first.entry.id, None, wrong)
    with pytest.raises(NotFound):
        await library.original(second.entry.id, None, key)


async def test_limits_are_refused_before_anything_is_read(make: Make) -> None:
    library = make(upload_files=2, upload_quota_mb=0.0001)
    for uploads in ([], [Upload("a.txt", b"a")] * 3):
        with pytest.raises(Refused):
            await taken(library, *uploads)
    (step,) = await taken(library, Upload("long.txt", b"Fog. " * 40))
    assert step.code == "no_room"
    assert await library.documents(MAYA) == ()


@pytest.mark.parametrize("name", ["../../etc/passwd.txt", "C:\\temp\\a.txt", "a\x00b.txt", "ü" * 300 + ".txt", ".txt"])
async def test_no_name_leads_out_of_the_folder(make: Make, tmp_path: Path, name: str) -> None:
    await taken(make(), Upload(name, b"Fog horns boom in Dover."))
    assert all(file.resolve().is_relative_to(tmp_path) for file in files_below(tmp_path))
    assert not any("passwd" in str(file.parent) for file in files_below(tmp_path))


async def test_what_is_being_indexed_when_its_upload_is_cancelled_is_not_there_in_the_end(
    make: Make, tmp_path: Path
) -> None:
    library = make()
    await taken(library, Upload("fog.txt", b"Fog horns boom in Dover."))

    async def bring(upload: Upload) -> None:
        async for step in library.take([upload], MAYA):
            if step.step == "indexing":
                asyncio.get_running_loop().call_soon(bringing.cancel)

    for upload in (Upload("lights.md", TEXT), Upload("fog.txt", b"Fog horns boom in Dover.")):
        bringing = asyncio.create_task(bring(upload))
        with pytest.raises(asyncio.CancelledError):
            await bringing
    names, files = list[str](), list[str]()
    for _ in range(500):  # what was cancelled is removed behind the cancellation, the file last
        names = [entry.name for entry in await library.documents(MAYA)]
        files = [file.name for file in files_below(tmp_path / "uploads")]
        if names == files == ["fog.txt"]:
            break
        await asyncio.sleep(0.02)
    assert names == files == ["fog.txt"]  # it was there before


async def test_a_zip_holds_no_more_files_than_a_space_allows(make: Make) -> None:
    library = make(space_id="maya/glassbox")
    (step,) = await taken(library, Upload("all.zip", zipped(**{f"{number}.txt": b"Fog." for number in range(51)})))
    assert step.code == "too_many_files"


async def test_files_of_a_zip_keep_their_folders_as_collections_that_can_be_asked(make: Make) -> None:
    library = make()
    files = {
        "reports/2023/fog.txt": b"Fog horns boomed twice in Dover.",
        "reports/2024/fog.txt": b"Fog horns boomed thrice in Dover.",
        "loose.txt": b"Fog horns boom in Hoek.",
    }
    await taken(library, Upload("all.zip", zipped(**files)), Upload("notes/fog.txt", b"Fog horns are loud."))
    folders = {each.name: each.folder for each in await library.documents(MAYA)}
    assert folders == {
        "reports/2023/fog.txt": "reports/2023",
        "reports/2024/fog.txt": "reports/2024",
        "loose.txt": "private",
        "notes/fog.txt": "notes",
    }
    for asked, expected in (
        (("reports/2024",), {"reports/2024/fog.txt"}),
        (("reports",), {"reports/2023/fog.txt", "reports/2024/fog.txt"}),
        (("notes", "reports/2023"), {"notes/fog.txt", "reports/2023/fog.txt"}),
        (("private",), set(folders)),
        (("report",), set()),
    ):
        found = await library.search("fog horns", MAYA, AskOptions(collections=asked))
        assert {each.document for each in found.passages} == expected
        assert not (await library.search("fog horns", NOAH, AskOptions(collections=asked))).passages


async def test_the_same_content_in_another_folder_stays_where_it_came_first(make: Make) -> None:
    library = make()
    await taken(library, Upload("a/lights.md", TEXT), Upload("b/lights.md", TEXT))
    assert [(each.name, each.folder) for each in await library.documents(MAYA)] == [("a/lights.md", "a")]
    assert await library.remove_all(MAYA) == 1
    assert await library.documents(MAYA) == ()


async def test_nobody_removes_a_shared_collection_of_that_name(make: Make, tmp_path: Path) -> None:
    library = make()
    (tmp_path / "fog.txt").write_bytes(b"Fog horns boom in Dover.")
    await library.share(tmp_path / "fog.txt", "fog.txt", UPLOADS)
    with pytest.raises(Refused):
        await library.remove_all("")
    assert [entry.name for entry in await library.documents(None)] == ["fog.txt"]
