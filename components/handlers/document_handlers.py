"""Handles what a visitor does with documents: upload, cancel, list, remove, open a page, read around a passage.

Files come through Gradio's own upload, which checks nothing but their size: here a path counts only below its folder,
and an uploaded file is deleted from there once it is indexed, failed or cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.utils import get_upload_folder

from components.dialogs import document_page, documents, whole_document
from components.dialogs.document_page import DocumentPage
from components.dialogs.documents import Row, UploadProgress, UploadState
from components.handlers import browser_values
from components.handlers.page_state import Tab
from components.html.html_elements import Elements
from components.panes import sources
from i18n.messages import error_text, file_text
from pipeline.display_names import shown_name
from pipeline.documents.library import Library, Upload, UploadStep, plain_name
from pipeline.documents.web_addresses import MOST_CHARS
from pipeline.errors import FILE_CODES, Busy, GlassboxError, NotFound, Refused
from pipeline.retrieval import IndexedDocument
from pipeline.turn import is_visitor, visitor_or_none

WHOLE_CHARS = 200_000  # of a document, before and after the passage that it is opened at
MOST_MARKED = 100  # passages of one document
AROUND_CHARS = 1_200  # of the text before a passage, and after it


@dataclass(frozen=True, slots=True)
class DocumentsUpdate:
    """The sidebar's button to the dialog, and the dialog."""

    opener: Elements
    dialog: Elements


class DocumentHandlers:
    """The handlers of the page's events about documents."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def show(self, upload: UploadState, visitor: str, tab: Tab) -> DocumentsUpdate:
        """Return the documents as they are."""
        return await self._shown(upload, visitor, tab)

    async def add(
        self, event: gr.EventData, upload: UploadState, visitor: str, tab: Tab
    ) -> AsyncGenerator[DocumentsUpdate, None]:
        """Index the uploaded files, and yield how far each is."""
        given = browser_values.objects(event, "files")
        paths = [_uploaded(each) for each in given]
        try:
            if is_visitor(visitor) and not upload.progress.is_running:
                async with aclosing(self._add(given, paths, upload, visitor, tab)) as steps:
                    async for shown in steps:
                        yield shown
        finally:
            for path in paths:
                _discard(path)

    async def _add(
        self,
        given: Sequence[Mapping[str, Any]],
        paths: Sequence[Path | None],
        upload: UploadState,
        visitor: str,
        tab: Tab,
    ) -> AsyncGenerator[DocumentsUpdate, None]:
        names = [plain_name(str(each.get("name", ""))) for each in given]
        missing = [_missing(name, each) for name, each, path in zip(names, given, paths, strict=True) if path is None]
        uploads = [Upload(name, path, is_counted=True) for name, path in zip(names, paths, strict=True) if path]
        rows, steps = [Row(each.name) for each in uploads], self._library.take(uploads, visitor, _address())
        async with aclosing(self._taken(rows, missing, steps, upload, visitor, tab)) as views:
            async for view in views:
                yield view

    async def add_address(
        self, event: gr.EventData, upload: UploadState, visitor: str, tab: Tab
    ) -> AsyncGenerator[DocumentsUpdate, None]:
        """Index the document of a web address, and yield how far it is."""
        address = browser_values.text(browser_values.value(event, "address"), MOST_CHARS)
        if not is_visitor(visitor) or upload.progress.is_running or not address:
            return
        steps = self._library.take_address(address, visitor, _address())
        async with aclosing(self._taken([Row(shown_name(address))], (), steps, upload, visitor, tab)) as views:
            async for view in views:
                yield view

    async def _taken(
        self,
        rows: Sequence[Row],
        missing: Sequence[Row],
        taking: AsyncGenerator[UploadStep, None],
        upload: UploadState,
        visitor: str,
        tab: Tab,
    ) -> AsyncGenerator[DocumentsUpdate, None]:
        """Yield the dialog at each step of files that are added."""
        entries = list(await self._entries(visitor))
        progress = UploadProgress(tuple(rows), is_running=True)
        upload.progress = _with(progress, missing)
        yield self._drawn(entries, upload, tab)
        refusal, upload.cancelled = "", asyncio.Event()
        try:
            async with aclosing(_until(upload.cancelled, taking)) as steps:
                async for step in steps:
                    progress = progress.after(step)
                    upload.progress = _with(progress, missing)
                    if step.entry and step.entry.id not in {entry.id for entry in entries}:
                        entries.append(step.entry)
                    yield self._drawn(entries, upload, tab)
        except (Busy, Refused) as error:
            refusal = "" if missing else error_text(error)  # where nothing arrived, each file has its own reason
        finally:
            upload.progress = upload.progress.over()
        yield await self._shown(upload, visitor, tab, refusal)

    async def cancel(self, upload: UploadState) -> None:  # async for the event's sake: Gradio runs others in a thread
        """End the upload, in the middle of a file if need be; finished files stay, and `add` shows them."""
        if upload.cancelled:
            upload.cancelled.set()

    async def close_upload(self, upload: UploadState, visitor: str, tab: Tab) -> DocumentsUpdate:
        """Forget the files of an upload that has ended."""
        if not upload.progress.is_running:
            upload.progress = UploadProgress()
        return await self._shown(upload, visitor, tab)

    async def remove(self, event: gr.EventData, upload: UploadState, visitor: str, tab: Tab) -> DocumentsUpdate:
        """Remove one of the visitor's own documents."""
        try:
            await self._library.remove(browser_values.name(event, "document"), visitor)
        except GlassboxError as error:
            return await self._shown(upload, visitor, tab, error_text(error))
        return await self._shown(upload, visitor, tab)

    async def remove_all(self, upload: UploadState, visitor: str, tab: Tab) -> DocumentsUpdate:
        """Remove all documents of the visitor."""
        try:
            await self._library.remove_all(visitor)
        except GlassboxError as error:
            return await self._shown(upload, visitor, tab, error_text(error))
        return await self._shown(upload, visitor, tab)

    async def show_page(self, event: gr.EventData, visitor: str) -> Elements:
        """Return a page of a document, with addresses that open its picture and the file."""
        wanted = _wanted_page(event)
        profile = wanted.profile if wanted else ""
        entries = await self._entries(visitor, profile or None)
        entry = next((each for each in entries if wanted and each.id == wanted.document_id), None)
        if entry is None or wanted is None:
            return document_page.gone()
        wanted = wanted.at(min(max(1, wanted.page), entry.pages or 1))
        return document_page.dialog(wanted, entry, self._library.signed(entry.id))

    async def around(self, event: gr.EventData, visitor: str) -> list[str]:
        """Return the text before and after a passage: the key of its place on the page, then the HTML."""
        wanted = _wanted_page(event)
        if wanted is None:
            return []
        try:
            near = await self._library.around(
                wanted.document_id,
                visitor,
                wanted.start - AROUND_CHARS,
                wanted.end + AROUND_CHARS,
                wanted.profile or None,
            )
        except GlassboxError as error:
            return [browser_values.name(event, "key"), sources.no_neighbours(error_text(error))]
        return [browser_values.name(event, "key"), sources.neighbours(near, wanted.start, wanted.end)]

    async def whole(self, event: gr.EventData, visitor: str) -> Elements:
        """Return the whole document of a passage, of a long one the part around it, with the page's passages marked."""
        wanted = _wanted_page(event)
        try:
            if wanted is None:
                raise NotFound("document")
            profile = wanted.profile or None
            seen = await self._library.documents(visitor_or_none(visitor), profile)
            entry = next((each for each in seen if each.id == wanted.document_id), None)
            if entry is None:
                raise NotFound("document")
            begin, end = wanted.start - WHOLE_CHARS, wanted.end + WHOLE_CHARS
            passages = await self._library.around(entry.id, visitor, begin, end, profile)
        except GlassboxError as error:
            return whole_document.gone(error_text(error))
        return whole_document.dialog(entry, passages, _numbers(event), wanted.start)

    async def _shown(self, upload: UploadState, visitor: str, tab: Tab, refusal: str = "") -> DocumentsUpdate:
        return self._drawn(await self._entries(visitor), upload, tab, refusal)

    def _drawn(
        self, entries: Sequence[IndexedDocument], upload: UploadState, tab: Tab, refusal: str = ""
    ) -> DocumentsUpdate:
        dialog = documents.dialog(entries, upload.progress, self._library.bounds, tab.minutes_west, refusal)
        return DocumentsUpdate(documents.opener(entries, upload.progress), dialog)

    async def _entries(self, visitor: str, profile: str | None = None) -> Sequence[IndexedDocument]:
        try:
            return await self._library.documents(visitor_or_none(visitor), profile)
        except GlassboxError:
            return ()


async def _until(cancelled: asyncio.Event, steps: AsyncGenerator[UploadStep, None]) -> AsyncGenerator[UploadStep, None]:
    """Yield the steps until they end or are cancelled; the running step has then ended before this returns."""
    cancel = asyncio.ensure_future(cancelled.wait())
    async with aclosing(steps):
        try:
            while not cancelled.is_set():
                step = asyncio.ensure_future(anext(steps, None))
                try:
                    await asyncio.wait((step, cancel), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not step.done():
                        step.cancel()
                        await asyncio.wait((step,))
                if step.cancelled() or (taken := step.result()) is None:
                    break
                yield taken
        finally:
            cancel.cancel()


def _address() -> str | None:
    """Return where the browser is. Gradio keeps the request beside the call; without a server there is none."""
    request = LocalContext.request.get(None)
    return request.client.host if request and request.client else None


def _uploaded(given: Mapping[str, Any]) -> Path | None:
    """Return the file that the page says it has sent, None for any path outside Gradio's upload folder."""
    folder, said = Path(get_upload_folder()).resolve(), str(given.get("path") or "")
    try:
        path = Path(said).resolve() if said else folder
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (OSError, ValueError):
        return None


def _missing(name: str, given: Mapping[str, Any]) -> Row:
    code = str(given.get("code"))
    return Row(name, "failed", file_text(code if code in FILE_CODES else "not_kept"))


def _with(progress: UploadProgress, missing: Sequence[Row]) -> UploadProgress:
    """Put the files that never arrived in front."""
    return UploadProgress((*missing, *progress.rows), progress.is_running)


def _discard(path: Path | None) -> None:
    if path:
        with suppress(OSError):
            path.unlink()
            path.parent.rmdir()


def _numbers(event: gr.EventData) -> dict[tuple[int, int], int]:
    """Return the spans of the passages that the page shows of a document, each with its number."""
    found: dict[tuple[int, int], int] = {}
    for each in browser_values.objects(event, "marks")[:MOST_MARKED]:
        number, start, end = (browser_values.whole(each.get(of)) for of in ("number", "start", "end"))
        if number is not None and start is not None and end is not None:
            found[start, end] = number
    return found


def _wanted_page(event: gr.EventData) -> DocumentPage | None:
    page, start, end = (browser_values.whole(browser_values.value(event, of)) for of in ("page", "start", "end"))
    if page is None or start is None or end is None:
        return None
    return DocumentPage(browser_values.name(event, "document"), page, start, end, browser_values.name(event, "profile"))
