"""What the page does with a visitor's documents, over a real library; the browser is faked, its uploads are files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.dialogs import document_page, documents
from components.dialogs.document_page import DocumentPage
from components.dialogs.documents import Row, UploadProgress, UploadState, extent
from components.handlers.document_handlers import DocumentHandlers
from components.handlers.page_state import Tab
from components.html.render_cache import RenderCache
from components.panes import sources
from components.view import view_of
from pipeline.documents.library import Library, UploadLimits, UploadStep
from pipeline.events import PassagesFound, TurnStarted
from pipeline.messages import STORED_TEXT, Message
from pipeline.passages import Passage, Scores
from pipeline.retrieval import IndexedDocument
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import Settings
from tests.documents import pdf, zipped

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">"\'${1}{{2}}'
TEXT = b"# Lighthouses\n\nThe lamp of Skagen turns once in four seconds.\n"


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Gradio puts what was sent."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return tmp_path / "gradio"


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    index = EdgeIndex(tmp_path / "index")
    yield Library(index, Settings(data_dir=tmp_path, upload_files=3))
    index.close()


@pytest.fixture
def handlers(library: Library) -> DocumentHandlers:
    return DocumentHandlers(library)


def sent(uploads: Path, name: str, content: bytes) -> dict[str, str]:
    """A file as the script tells of it after Gradio took it."""
    folder = uploads / str(len(list(uploads.glob("*"))))
    folder.mkdir(parents=True)
    (folder / "1-2-3-4").write_bytes(content)
    return {"name": name, "path": str(folder / "1-2-3-4")}


def left_in(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def event(**given: Any) -> Any:
    return SimpleNamespace(**given)


async def brought(
    handlers: DocumentHandlers, state: UploadState, *files: dict[str, str], visitor: str = MAYA
) -> list[str]:
    """All that was shown while the files were taken, each as one text."""
    return ["".join(update.dialog) async for update in handlers.add(event(files=list(files)), state, visitor, Tab())]


async def shown(handlers: DocumentHandlers, visitor: str) -> str:
    parts = (await handlers.show(UploadState(), visitor, Tab())).dialog
    return "".join(parts)


async def test_files_are_taken_one_by_one_and_a_bad_one_is_named_with_its_reason(
    handlers: DocumentHandlers, uploads: Path
) -> None:
    state = UploadState()
    views = await brought(handlers, state, sent(uploads, "lights.md", TEXT), sent(uploads, "none.txt", b""))
    assert "0 of 2 files" in views[0]
    assert any("reading" in view for view in views)
    assert any("indexing" in view for view in views)
    assert "1 added, 1 could not be read" in views[-1]
    assert "The file is empty." in views[-1]
    assert "Lighthouses" in await shown(handlers, MAYA)
    assert [row.step for row in state.progress.rows] == ["done", "failed"]
    assert left_in(uploads) == []


async def test_two_visitors_do_not_see_open_or_remove_each_others_documents(
    handlers: DocumentHandlers, library: Library, uploads: Path
) -> None:
    await brought(handlers, UploadState(), sent(uploads, "lights.pdf", pdf([["The lamp of Skagen turns."]])))
    (entry,) = await library.documents(MAYA)
    asked = {"document": entry.id, "page": "1", "start": "0", "end": "9", "key": "k"}
    assert "lights.pdf" not in await shown(handlers, NOAH)
    assert await handlers.show_page(event(**asked), NOAH) == document_page.gone()
    assert "lamp" not in "".join(await handlers.around(event(**{**asked, "start": "400", "end": "500"}), NOAH))
    await handlers.remove(event(document=entry.id), UploadState(), NOAH, Tab())
    await handlers.remove_all(UploadState(), NOAH, Tab())
    assert "lights.pdf" in await shown(handlers, MAYA)
    parts = (await handlers.remove(event(document=entry.id), UploadState(), MAYA, Tab())).dialog
    assert "lights.pdf" not in "".join(parts)


async def test_a_page_comes_with_addresses_that_its_picture_can_open(
    handlers: DocumentHandlers, library: Library, uploads: Path
) -> None:
    await brought(handlers, UploadState(), sent(uploads, "two.pdf", pdf([["One."], ["Two."]])))
    (entry,) = await library.documents(MAYA)
    head, figure = await handlers.show_page(event(document=entry.id, page="7", start="0", end="4"), MAYA)
    assert "2 of 2" in head
    assert f"api/documents/{entry.id}/pages/2.jpg?" in figure
    key = head.partition("original?key=")[2].partition('"')[0]
    assert (await library.original(entry.id, None, key)).name == "two.pdf"


async def test_a_whole_document_is_opened_with_its_passages_marked_and_no_text_twice(
    handlers: DocumentHandlers, library: Library, uploads: Path
) -> None:
    rows = "\n".join(f"| row {number} | {'word ' * 20}|" for number in range(40))
    prose = "\n\n".join(f"Sentence {number} of the lamp." for number in range(200))
    content = f"# Lights\n\n{prose}\n\n## Sizes\n\n| name | words |\n| --- | --- |\n{rows}\n"
    await brought(handlers, UploadState(), sent(uploads, "lights.md", content.encode()))
    (entry,) = await library.documents(MAYA)
    passages = await library.around(entry.id, MAYA, 0, 10**6)
    marked = passages[1]
    marks = [{"number": "3", "start": str(marked.start), "end": str(marked.end)}, {"number": "x"}]
    place = {"document": entry.id, "page": "1", "start": str(marked.start), "end": str(marked.end)}
    head, body = await handlers.whole(event(**place, marks=marks), MAYA)
    assert "1 passage marked" in head
    assert body.count('class="marked-passage"') == body.count(" data-here") == 1
    assert '<span class="number">3</span>' in body
    assert all(body.count(f"Sentence {number} of") == 1 for number in range(200))
    assert all(body.count(f"row {number}<") == 1 for number in range(40))
    assert body.count("<table") == 1
    (_, refused) = await handlers.whole(event(**place, marks=marks), NOAH)
    assert "lamp" not in refused
    assert 'role="alert"' in refused
    assert 'role="alert"' in "".join(await handlers.whole(event(document=entry.id), MAYA))


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "", "\0"])
async def test_a_path_that_was_never_uploaded_is_neither_read_nor_removed(
    handlers: DocumentHandlers, uploads: Path, path: str
) -> None:
    views = await brought(handlers, UploadState(), {"name": "mine.txt", "path": path})
    assert "could not be kept" in views[-1]
    assert Path("/etc/passwd") in left_in(Path("/etc"))


async def test_a_file_too_large_to_be_sent_and_too_many_files_are_refused_with_the_reason(
    handlers: DocumentHandlers, uploads: Path
) -> None:
    views = await brought(handlers, UploadState(), {"name": "huge.pdf", "code": "too_large"})
    assert "The file is too large." in views[-1]
    views = await brought(handlers, UploadState(), *(sent(uploads, f"{n}.txt", b"Fog.") for n in range(4)))
    assert "These are too many files at once." in views[-1]
    assert left_in(uploads) == []


async def test_cancelling_keeps_what_is_done_and_leaves_no_upload_behind(
    handlers: DocumentHandlers, uploads: Path
) -> None:
    state, views = UploadState(), []
    files = [sent(uploads, f"{n}.md", TEXT + str(n).encode()) for n in range(3)]
    async for update in handlers.add(event(files=files), state, MAYA, Tab()):
        views.append("".join(update.dialog))
        if "1 of 3 files" in views[-1]:
            await handlers.cancel(state)
    assert "1 added, 2 cancelled" in views[-1]
    assert "1 yours" in views[-1]
    assert left_in(uploads) == []


async def test_a_second_file_of_a_name_asks_whether_it_replaces_and_both_have_their_dates(
    handlers: DocumentHandlers, library: Library, uploads: Path
) -> None:
    state = UploadState()
    await brought(handlers, state, sent(uploads, "lights.md", TEXT))
    views = await brought(handlers, state, sent(uploads, "lights.md", TEXT + b"\nAnd Dover."))
    assert "Another file of this name was added on" in views[-1]
    older, newer = await library.documents(MAYA)
    assert views[-1].count(f'class="older" data-document="{older.id}"') == 1
    for entry in (older, newer):
        added = datetime.fromtimestamp(entry.added_at, UTC).strftime("%Y-%m-%d %H:%M")
        assert f"<span>{added}</span>" in views[-1]
    update = await handlers.remove(event(document=older.id), state, MAYA, Tab())
    assert "Another file of this name" not in "".join(update.dialog)
    assert [each.id for each in await library.documents(MAYA)] == [newer.id]


def test_dates_are_those_of_the_visitors_clock() -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC).timestamp()
    entry = IndexedDocument("1", "h", "a.md", "A", "en", None, 1, "private", MAYA, "", "", new_year)
    for minutes_west, shown in ((0, "2026-12-31 23:30"), (-60, "2027-01-01 00:30"), (300, "2026-12-31 18:30")):
        two = [entry, replace(entry, id="2", added_at=0.0)]
        drawn = documents.dialog(two, UploadProgress(), UploadLimits(1, 1, 0.0), minutes_west)
        assert f"<span>{shown}</span>" in "".join(drawn)


async def test_files_in_folders_stand_below_their_folder_which_can_be_asked(
    handlers: DocumentHandlers, uploads: Path
) -> None:
    files = [sent(uploads, name, TEXT + name.encode()) for name in ("b/2024/x.md", "loose.md", "a/y.md")]
    views = await brought(handlers, UploadState(), *files)
    folders = re.findall('<section class="folder">.*?<h4>(.*?)</h4>.*?data-collection="(.*?)"', views[-1])
    assert folders == [("a", "a"), ("b/2024", "b/2024")]
    assert views[-1].index("loose.md") < views[-1].index("<h4>a</h4>")


async def test_the_same_content_under_a_new_name_is_said(handlers: DocumentHandlers, uploads: Path) -> None:
    state = UploadState()
    views = await brought(handlers, state, sent(uploads, "a.md", TEXT), sent(uploads, "b.md", TEXT))
    assert "already here as a.md: the same content" in views[-1]
    assert "1 yours" in views[-1]


def test_the_share_of_a_file_is_shown_and_counted() -> None:
    progress = UploadProgress((Row("a.csv"), Row("b.csv")), is_running=True)
    limits = UploadLimits(5, 1_000_000, 0.0)

    def shown_after(step: UploadStep) -> str:
        return "".join(documents.dialog((), progress.after(step), limits))

    read = shown_after(UploadStep("a.csv", "reading", 0, 2, share=0.5))
    assert "reading … 50% done" in read
    assert "--share:0.125" in read
    indexed = shown_after(UploadStep("a.csv", "indexing", 0, 2, share=0.5))
    assert "indexing … 50% done" in indexed
    assert "--share:0.375" in indexed


async def test_a_file_is_cancelled_in_the_middle_of_its_reading(handlers: DocumentHandlers, uploads: Path) -> None:
    state, views = UploadState(), []
    text = b"<p>" + b"<b>fog</b> " * 300_000  # takes a second at least

    async def soon() -> None:
        await asyncio.sleep(0.05)
        await handlers.cancel(state)

    halting = None
    async for update in handlers.add(event(files=[sent(uploads, "long.html", text)]), state, MAYA, Tab()):
        views.append("".join(update.dialog))
        halting = halting or asyncio.create_task(soon())
    assert "1 cancelled" in views[-1]
    assert "0 yours" in views[-1]
    assert left_in(uploads) == []


async def test_closing_the_page_in_the_middle_leaves_no_upload_behind(
    handlers: DocumentHandlers, uploads: Path
) -> None:
    state = UploadState()
    async with aclosing(handlers.add(event(files=[sent(uploads, "a.md", TEXT)]), state, MAYA, Tab())) as views:
        await anext(views)
        await anext(views)
    assert left_in(uploads) == []
    assert not state.progress.is_running


async def test_what_stands_around_a_passage_says_nothing_twice(
    handlers: DocumentHandlers, uploads: Path, library: Library
) -> None:
    text = " ".join(f"Sentence number {n} of the long chapter about fog." for n in range(120))
    await brought(handlers, UploadState(), sent(uploads, "fog.txt", text.encode()))
    (entry,) = await library.documents(MAYA)
    wanted = event(document=entry.id, page="1", start="2000", end="2900", key="place")
    key, html = await handlers.around(wanted, MAYA)
    before, after = html.split("<h4>After</h4>")
    assert key == "place"
    assert text[1900:1999].split(" ", 1)[1].rsplit(" ", 1)[0] in before
    assert text[2901:3000].split(" ", 1)[1].rsplit(" ", 1)[0] in after
    assert len(set(before.split("Sentence")[1:])) == len(before.split("Sentence")[1:])


def test_an_opened_zip_becomes_the_files_in_it() -> None:
    bringing = UploadProgress((Row("a.zip"), Row("b.txt")), is_running=True)
    bringing = bringing.after(UploadStep("a.zip", "reading", 0, 2))
    bringing = bringing.after(UploadStep("one.txt", "reading", 0, 3))
    assert [row.name for row in bringing.rows] == ["one.txt", "", "b.txt"]
    bringing = bringing.after(UploadStep("one.txt", "failed", 1, 3, code="empty"))
    bringing = bringing.after(UploadStep("two.txt", "reading", 1, 3))
    assert [row.name for row in bringing.rows] == ["one.txt", "two.txt", "b.txt"]
    assert [row.step for row in bringing.over().rows] == ["failed", "cancelled", "cancelled"]


async def test_a_zip_is_taken_file_by_file(handlers: DocumentHandlers, uploads: Path) -> None:
    views = await brought(handlers, UploadState(), sent(uploads, "all.zip", zipped({"a.md": TEXT, "b/none.txt": ""})))
    assert "1 added, 1 could not be read" in views[-1]


def test_no_name_or_text_of_others_becomes_markup() -> None:
    entry = IndexedDocument("id", "hash", HOSTILE, HOSTILE, "en", 2, 1, HOSTILE, None, "", "", 0.0)
    row = Row(HOSTILE, "failed", HOSTILE)
    why = Message("x", {STORED_TEXT: HOSTILE})
    passage = Passage(
        1,
        HOSTILE,
        HOSTILE,
        HOSTILE,
        HOSTILE,
        1.0,
        ((0, 9),),
        HOSTILE,
        0,
        9,
        1,
        2,
        Scores(1.0),
        why,
    )
    near = sources.neighbours([replace(passage, end=len(HOSTILE))], 4, 9)
    found = PassagesFound(query=HOSTILE, passages=(passage,), rejected=(passage,), quality="none", mode="keyword")
    started = TurnStarted(turn_id="t", conversation_id="c", question="", model="", program="", language="en")
    html = "".join(
        [
            *documents.dialog(
                [entry, replace(entry, owner=MAYA)], UploadProgress((row,)), UploadLimits(1, 1, 60.0), 0, HOSTILE
            ),
            *document_page.dialog(DocumentPage(HOSTILE, 1, 0, 9), entry, HOSTILE),
            *sources.render(view_of([started, found]), RenderCache()),
            near,
        ]
    )
    assert "<script" not in html
    assert 'onerror="' not in html
    assert "<img src=x" not in html


def test_a_card_tells_page_stages_mode_and_why_others_fell_short() -> None:
    scores = Scores(keyword=3.5, vector=0.71, fused=0.25, reranked=0.9)
    chosen = Passage(1, "a.pdf", "A", "Rules", "Fog horns.", 0.9, (), "d", 10, 20, 3, 4, scores)
    other = Passage(2, "b.md", "B", "", "Fog.", 0.4, reason=Message("not_chosen", {"place": 2, "wanted": 1}))
    found = PassagesFound(query="fog", passages=(chosen,), rejected=(other,), quality="weak", mode="hybrid")
    html = "".join(sources.render(view_of([found]), RenderCache()))
    for told in (
        "p. 3–4",
        "Rules",
        "3.50 by words",
        "0.71 by",
        "0.25 by",
        "0.90 by",
        "hybrid",
        "0 of 1 word found",
        "1 of 2",
    ):
        assert told in html
    assert "Place 2, and 1 were wanted." in html
    assert 'data-act="show-page"' in html


def test_a_document_says_what_of_it_could_not_be_read() -> None:
    entry = IndexedDocument("id", "hash", "a.pptx", "A", "en", 2, 1, "", None, "", "", 0.0, "picture 2, chart 1")
    assert extent(entry) == "2 pages · 1 passage · not read: 2 pictures, 1 chart"
