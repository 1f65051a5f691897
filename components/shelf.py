"""What a visitor can want of documents: bring files, cancel, list, remove, look at a page, read around a passage.

Files come through Gradio's own upload, which checks nothing but their size: here a path is believed only below its
folder, and what was uploaded is gone from there when it is taken, failed or cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.utils import get_upload_folder

from components import documents, leaf, sources, told
from components.documents import Bringing, Desk, Row
from components.leaf import Leaf
from components.parts import Parts
from pipeline.conversation import is_visitor
from pipeline.errors import FILE_FAULTS, Busy, GlassboxError, Refused
from pipeline.library import Library, Taken, Upload, plain_name
from pipeline.retrieval import Entry

AROUND_CHARS = 1_200  # of the text before a passage, and after it

Shown = tuple[Parts, Parts]  # the sidebar's opener, the dialog


class Shelf:
    """The page's side of every intent about documents, over one library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def show(self, desk: Desk, visitor: str) -> Shown:
        """What there is."""
        return await self._shown(desk, visitor)

    async def bring(self, event: gr.EventData, desk: Desk, visitor: str) -> AsyncGenerator[Shown, None]:
        """Take the uploaded files in, and say how far each is."""
        given = told.objects(event, "files")
        paths = [_uploaded(each) for each in given]
        try:
            if is_visitor(visitor) and not desk.bringing.is_running:
                async with aclosing(self._bring(given, paths, desk, visitor)) as steps:
                    async for shown in steps:
                        yield shown
        finally:
            for path in paths:
                _discard(path)

    async def _bring(
        self, given: Sequence[Mapping[str, Any]], paths: Sequence[Path | None], desk: Desk, visitor: str
    ) -> AsyncGenerator[Shown, None]:
        entries = list(await self._entries(visitor))
        names = [plain_name(str(each.get("name", ""))) for each in given]
        missing = [_missing(name, each) for name, each, path in zip(names, given, paths, strict=True) if path is None]
        uploads = [Upload(name, path, is_counted=True) for name, path in zip(names, paths, strict=True) if path]
        coming = Bringing(tuple(Row(upload.name) for upload in uploads), is_running=True)
        desk.bringing = _with(coming, missing)
        yield self._drawn(entries, desk)
        said, desk.halted = "", asyncio.Event()
        try:
            async with aclosing(_until(desk.halted, self._library.take(uploads, visitor, _address()))) as steps:
                async for step in steps:
                    coming = coming.after(step)
                    desk.bringing = _with(coming, missing)
                    if step.entry and step.entry.id not in {entry.id for entry in entries}:
                        entries.append(step.entry)
                    yield self._drawn(entries, desk)
        except (Busy, Refused) as error:
            said = "" if missing else error.text  # where nothing arrived, each file has its own reason
        finally:
            desk.bringing = desk.bringing.over()
        yield await self._shown(desk, visitor, said)

    async def halt(self, desk: Desk) -> None:  # async for the event's sake: Gradio runs others in a thread
        """End the taking, in mid-file if need be; what is done stays, and `bring` shows it."""
        if desk.halted:
            desk.halted.set()

    async def tidy(self, desk: Desk, visitor: str) -> Shown:
        """What became of the files was read."""
        if not desk.bringing.is_running:
            desk.bringing = Bringing()
        return await self._shown(desk, visitor)

    async def remove(self, event: gr.EventData, desk: Desk, visitor: str) -> Shown:
        """One of the visitor's own documents."""
        try:
            await self._library.remove(told.name(event, "document"), visitor)
        except GlassboxError as error:
            return await self._shown(desk, visitor, error.text)
        return await self._shown(desk, visitor)

    async def remove_all(self, desk: Desk, visitor: str) -> Shown:
        """Everything that the visitor brought."""
        try:
            await self._library.remove_all(visitor)
        except GlassboxError as error:
            return await self._shown(desk, visitor, error.text)
        return await self._shown(desk, visitor)

    async def look(self, event: gr.EventData, visitor: str) -> Parts:
        """A page of a document, with addresses that its picture and its link can open."""
        wanted = _leaf(event)
        entry = next((each for each in await self._entries(visitor) if wanted and each.id == wanted.document_id), None)
        if entry is None or wanted is None:
            return leaf.gone()
        wanted = wanted.at(min(max(1, wanted.page), entry.pages or 1))
        return leaf.dialog(wanted, entry, self._library.signed(entry.id, entry.owner) if entry.owner else "")

    async def around(self, event: gr.EventData, visitor: str) -> Parts:
        """What stands before and after a passage → the key of its place on the page, then the text."""
        wanted = _leaf(event)
        if wanted is None:
            return []
        try:
            near = await self._library.around(
                wanted.document_id, visitor, wanted.start - AROUND_CHARS, wanted.end + AROUND_CHARS
            )
        except GlassboxError as error:
            return [told.name(event, "key"), sources.no_neighbours(error.text)]
        return [told.name(event, "key"), sources.neighbours(near, wanted.start, wanted.end)]

    async def _shown(self, desk: Desk, visitor: str, said: str = "") -> Shown:
        return self._drawn(await self._entries(visitor), desk, said)

    def _drawn(self, entries: Sequence[Entry], desk: Desk, said: str = "") -> Shown:
        drawn = documents.dialog(entries, desk.bringing, self._library.bounds, said)
        return documents.opener(entries, desk.bringing), drawn

    async def _entries(self, visitor: str) -> Sequence[Entry]:
        try:
            return await self._library.documents(visitor if is_visitor(visitor) else None)
        except GlassboxError:
            return ()


async def _until(halted: asyncio.Event, steps: AsyncGenerator[Taken, None]) -> AsyncGenerator[Taken, None]:
    """The steps until they end or are halted; the one under way is then ended before this returns."""
    halt = asyncio.ensure_future(halted.wait())
    async with aclosing(steps):
        try:
            while not halted.is_set():
                step = asyncio.ensure_future(anext(steps, None))
                try:
                    await asyncio.wait((step, halt), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not step.done():
                        step.cancel()
                        await asyncio.wait((step,))
                if step.cancelled() or (taken := step.result()) is None:
                    break
                yield taken
        finally:
            halt.cancel()


def _address() -> str | None:
    """Where the browser is. Gradio keeps the request beside the call; without a server there is none."""
    request = LocalContext.request.get(None)
    return request.client.host if request and request.client else None


def _uploaded(given: Mapping[str, Any]) -> Path | None:
    """The file that the page says it has sent; anything else on this machine is none of the page's business."""
    folder, said = Path(get_upload_folder()).resolve(), str(given.get("path") or "")
    try:
        path = Path(said).resolve() if said else folder
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (OSError, ValueError):
        return None


def _missing(name: str, given: Mapping[str, Any]) -> Row:
    code = str(given.get("code"))
    return Row(name, "failed", FILE_FAULTS.get(code, FILE_FAULTS["not_kept"]))


def _with(coming: Bringing, missing: Sequence[Row]) -> Bringing:
    """With the files that never arrived, in front."""
    return Bringing((*missing, *coming.rows), coming.is_running)


def _discard(path: Path | None) -> None:
    if path:
        with suppress(OSError):
            path.unlink()
            path.parent.rmdir()


def _leaf(event: gr.EventData) -> Leaf | None:
    page, start, end = (told.whole(told.said(event, of)) for of in ("page", "start", "end"))
    if page is None or start is None or end is None:
        return None
    return Leaf(told.name(event, "document"), page, start, end)
