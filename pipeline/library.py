"""The library: documents that people bring, and those that everybody may see. The one door to ingest and index.

Every method takes the visitor, who sees the shared documents and their own; for anybody else's there is only NotFound.
A private document's file lies below `uploads/`, in a folder named by a hash of its owner. It is indexed first and kept
second: a process that is killed in between leaves a document without a picture, never a file that nobody owns.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import re
import secrets
import shutil
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar

from pipeline.bugs import own_fault
from pipeline.conversation import Passage, Query, is_visitor
from pipeline.errors import Busy, GlassboxError, IngestFault, NotFound, Refused, SearchFault
from pipeline.ingest import ChunkSize, Document, Limits
from pipeline.ingest.files import opened_zip, read_file
from pipeline.ingest.kinds import is_zip
from pipeline.ingest.pictures import page_jpeg
from pipeline.limits import Client, Places, Rates
from pipeline.names import shown_file
from pipeline.quota import Quota
from pipeline.retrieval import Entry, Found, Index, Mode, Options, Scope
from pipeline.settings import Settings

log = logging.getLogger(__name__)

PRIVATE = "private"  # the collection of what visitors bring
SHARED_ORIGIN = "ingest"  # who keeps what `share` added up to date: nobody but `share`
SIGNED_S = 3600.0  # how long a signed address opens
REMEMBERED = 64  # documents whose page starts are kept
LONGEST_SWEEP_S = 3600.0
LEFT_OVER_S = 3600.0  # how much older than its time a file is that nobody will remove any more
EMBED_EVERY_S = 60.0
MOST_PASSAGES = 50
MOST_WAITING = 8  # files or pictures of one client, behind the one that is being read

NO_DOCUMENT = "There is no such document or page. Look it up in the list of documents."
_FILE_NAME_BYTES = 200
_NAME_LOOKED_AT = 4_000  # characters at the end of what a file is said to be called

File = Path | bytes
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: the name it had with its owner, and its content or where that lies."""

    name: str
    file: File
    is_counted: bool = False  # to the quota, since it came


@dataclass(frozen=True, slots=True)
class Taken:
    """How far one file is. `done` of `files` are over; `text` is for people, and empty unless it failed."""

    name: str
    step: Literal["reading", "indexing", "done", "failed"]
    done: int
    files: int
    entry: Entry | None = None
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be brought at once, and how long it is kept (0: until it is removed)."""

    files: int
    size_bytes: int
    kept_s: float


class Library:
    """Documents over one index. `sweep` and `embed` run beside it, as long as it is open."""

    def __init__(self, index: Index, settings: Settings, waiting: Path | None = None) -> None:
        """`waiting` is where the page's uploads lie until they are taken."""
        self._index, self._settings = index, settings
        self.waiting = waiting or settings.data_dir / "gradio"
        self._size = ChunkSize(settings.chunk_chars, settings.chunk_overlap_chars)
        self._folder = settings.data_dir / "uploads"
        self._limits = replace(Limits(), size_bytes=settings.upload_bytes, pages=settings.upload_page_limit)
        self.quota = Quota(self._folder, self.waiting, settings.upload_quota_bytes, settings.upload_quota_visitor_bytes)
        self._files = Rates(settings, times=settings.upload_files_at_once)  # the page sends them one by one
        self._searches, self._uploads, self._pictures = Rates(settings), Rates(settings), Rates(settings)
        self._reading, self._drawing = Places(MOST_WAITING), Places(MOST_WAITING)
        self._secret = secrets.token_bytes(32)  # signed addresses end with the process
        self._page_starts: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def bounds(self) -> Bounds:
        """What people are told before they bring anything."""
        settings = self._settings
        return Bounds(settings.upload_files_at_once, settings.upload_bytes, settings.upload_kept_s)

    @property
    def upload_limit_bytes(self) -> int:
        """Most bytes of one request that brings files."""
        return self._settings.upload_bytes * min(self._settings.upload_files_at_once, 5) + 1_000_000

    async def count_file(self, client: Client) -> None:
        """Count a file that the page sends on its way to be taken. Raises Busy."""
        await self._files.count(client)

    # Taking in

    async def take(
        self, uploads: Sequence[Upload], owner: str, address: str | None = None
    ) -> AsyncGenerator[Taken, None]:
        """Read, cut and index files one by one, and say so; closing the generator cancels what is not done yet.

        A file that cannot be read is named with its reason, and the rest goes on. Raises Refused and Busy before
        anything is read.
        """
        client = Client(owner, address)
        if not uploads:
            raise Refused("no_files")
        if len(uploads) > self._settings.upload_files_at_once:
            raise Refused("many_files")
        await self._uploads.count(client)
        done, files = 0, len(uploads)
        for upload in uploads:
            try:
                if not is_zip(upload.name):
                    async with aclosing(self._one(upload, client, done, files)) as steps:
                        async for step in steps:
                            yield step
                    done += 1
                    continue
                yield Taken(plain_name(upload.name), "reading", done, files)
                async with self._reading.taken(client):
                    limits = replace(self._limits, members=self._settings.upload_zip_files)
                    archive = await opened_zip(upload.file, limits)
            except Exception as error:  # noqa: BLE001  one file must not keep the others from being taken
                fault = _file_fault(error)
                done += 1
                yield Taken(plain_name(upload.name), "failed", done, files, code=fault.code, text=fault.text)
                continue
            try:
                files += len(archive.names) - 1
                for place, name in enumerate(archive.names):
                    try:
                        inside = Upload(name, await archive.read(place))
                    except Exception as error:  # noqa: BLE001  see above
                        fault = _file_fault(error)
                        done += 1
                        yield Taken(plain_name(name), "failed", done, files, code=fault.code, text=fault.text)
                        continue
                    async with aclosing(self._one(inside, client, done, files)) as steps:
                        async for step in steps:
                            yield step
                    done += 1
            finally:
                archive.close()

    async def _one(self, upload: Upload, client: Client, done: int, files: int) -> AsyncGenerator[Taken, None]:
        name, owner, address = plain_name(upload.name), client.visitor or "", client.address or ""
        try:
            yield Taken(name, "reading", done, files)
            size_bytes, folder = await _size_bytes(upload.file), self._owner_folder(_hash(owner))
            async with self.quota.taking(size_bytes, folder, address, is_counted=upload.is_counted):
                async with self._reading.taken(client):
                    document = await read_file(upload.file, name, self._limits, self._size)
                yield Taken(name, "indexing", done, files)
                began = time.time()
                adding = self._keep_task(self._add(upload.file, document, owner))
                try:
                    entry = await asyncio.shield(adding)  # what has begun is done whole, and then undone
                except asyncio.CancelledError:
                    self._keep_task(self._undo(adding, owner, began))
                    raise
            self.quota.brought(address, self._file(entry).parent, size_bytes)
        except Exception as error:  # noqa: BLE001  see above
            fault = _file_fault(error)
            yield Taken(name, "failed", done + 1, files, code=fault.code, text=fault.text)
        else:
            yield Taken(name, "done", done + 1, files, entry=entry)

    def _keep_task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run it to its end, whoever leaves."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _undo(self, adding: asyncio.Task[Entry], owner: str, began: float) -> None:
        """Take back what was being added when its upload was cancelled, unless it was there before."""
        with contextlib.suppress(GlassboxError, OSError):
            entry = await adding
            if entry.added_at >= began:
                await self.remove(entry.id, owner)

    async def _add(self, file: File, document: Document, owner: str) -> Entry:
        (entry,) = await self._index.add([document], PRIVATE, owner, recipe=self._size.recipe)
        await asyncio.to_thread(self._keep, file, entry)
        self._remember(entry.id, document)
        return entry

    async def share(self, file: Path, name: str, collection: str) -> Entry:
        """Add a file for everybody, in place of one of that name that says something else.

        Raises IngestFault, SearchFault and OSError.
        """
        document = await read_file(file, name, replace(Limits(), wall_s=600.0, cpu_s=600), self._size)
        (entry,) = await self._index.add([document], collection, None, origin=SHARED_ORIGIN, recipe=self._size.recipe)
        await asyncio.to_thread(self._keep, file, entry)
        for other in await self._index.documents(None):
            is_older = (other.collection, other.name, other.origin) == (collection, name, SHARED_ORIGIN)
            if is_older and other.id != entry.id:
                await self._index.remove(other.id, None)
                await asyncio.to_thread(shutil.rmtree, self._file(other).parent, ignore_errors=True)
        return entry

    # What there is

    async def documents(self, visitor: str | None) -> tuple[Entry, ...]:
        """The shared documents and the visitor's own."""
        return await self._index.documents(_named(visitor))

    async def search(
        self,
        query: str,
        visitor: str | None,
        passages_wanted: int = 4,
        mode: Mode | None = None,
        collection: str | None = None,
        address: str | None = None,
    ) -> Found:
        """Passages without an answer. Raises Refused, Busy and SearchFault."""
        if not query.strip():
            raise Refused("blank_question")
        if len(query) > self._settings.question_limit_chars:
            raise Refused("long_question", self._settings.question_limit_chars)
        if not 1 <= passages_wanted <= MOST_PASSAGES:
            raise Refused("invalid_request")
        await self._searches.count(Client(visitor, address))
        scope = Scope(_named(visitor), (collection,) if collection else ())
        return await self._index(Query(query.strip()), scope, Options(passages_wanted, mode))

    async def around(self, document_id: str, visitor: str | None, start: int, end: int) -> tuple[Passage, ...]:
        """The passages of a document that overlap [start, end) of its text, in its order."""
        return await self._index.read(document_id, _named(visitor), max(0, start), end)

    async def remove(self, document_id: str, owner: str) -> None:
        """Remove one of the visitor's own documents everywhere. Raises NotFound."""
        if not is_visitor(owner):
            raise NotFound(NO_DOCUMENT)  # to the index, nobody's documents are everybody's
        if not any(each.id == document_id and each.owner == owner for each in await self._index.documents(owner)):
            raise NotFound(NO_DOCUMENT)
        # The file first: killed in between, there is a document to remove once more, and no file that nobody owns.
        await asyncio.to_thread(self._forget, document_id, owner)
        await self._index.remove(document_id, owner)

    async def remove_all(self, owner: str) -> int:
        """Remove everything that the visitor brought → how many documents. Raises Refused without a visitor."""
        if not is_visitor(owner):
            raise Refused("no_visitor")  # to the index, nobody's documents are everybody's
        await asyncio.to_thread(shutil.rmtree, self._owner_folder(_hash(owner)), ignore_errors=True)
        return await self._index.remove_collection(PRIVATE, owner)

    # The documents themselves

    async def picture(
        self,
        document_id: str,
        page: int,
        visitor: str | None,
        key: str = "",
        start: int = 0,
        end: int = 0,
        address: str | None = None,
    ) -> bytes:
        """A page (from 1) as JPEG, what of `text[start:end]` stands on it marked. Raises NotFound and Busy."""
        file = await self.original(document_id, visitor, key)
        client = Client(file.parent.parent.name if key else visitor, address)  # a key opens for its owner
        await self._pictures.count(client)
        try:
            async with self._drawing.taken(client):
                starts = await self._starts(document_id, file)
                if not 1 <= page <= len(starts):
                    raise NotFound(NO_DOCUMENT)
                return await page_jpeg(file, page, starts[page - 1], start, end)
        except (IngestFault, OSError) as fault:
            raise NotFound(NO_DOCUMENT) from fault

    async def original(self, document_id: str, visitor: str | None, key: str = "") -> Path:
        """The file of a document, for its owner or for who has a key to it. Raises NotFound."""
        if key:
            file = await asyncio.to_thread(self._opened, document_id, key)
        else:
            seen = await self._index.documents(_named(visitor))
            entry = next((each for each in seen if each.id == document_id), None)
            file = self._file(entry) if entry else None
        if file is None or not await asyncio.to_thread(file.is_file):
            raise NotFound(NO_DOCUMENT)
        return file

    def signed(self, document_id: str, owner: str) -> str:
        """A key with which an image or a link, which cannot say who asks, opens that owner's document for an hour."""
        expires_at = int(time.time() + SIGNED_S)
        return f"{expires_at}.{self._signature(_hash(owner), document_id, expires_at)}"

    async def embed(self) -> None:
        """Give vectors to what has none, at the start and after a model was away; ends by cancellation."""
        while True:
            try:
                await self._index.embed()
            except SearchFault:
                log.warning("the documents could not be embedded")
            except Exception as error:  # noqa: BLE001  the next round may do better
                own_fault(error, "task")
            await asyncio.sleep(EMBED_EVERY_S)

    async def sweep(self) -> None:
        """Remove what is older than its time allows, again and again; ends by cancellation."""
        kept_s = self._settings.upload_kept_s
        while kept_s:
            try:
                for entry in await self._index.expire(time.time() - kept_s):
                    await asyncio.to_thread(self._forget, entry.id, entry.owner or "")
                await asyncio.to_thread(self._forget_older, time.time() - kept_s - LEFT_OVER_S)
            except GlassboxError as fault:
                log.warning("old documents could not be removed (%s)", fault.code)
            except OSError as fault:
                log.warning("old documents could not be removed (%s)", type(fault).__name__)
            except Exception as error:  # noqa: BLE001  the next round may do better
                own_fault(error, "task")
            await asyncio.sleep(min(LONGEST_SWEEP_S, max(kept_s / 4, 1.0)))

    # What is behind them

    def _keep(self, file: File, entry: Entry) -> None:
        target = self._file(entry)
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name(f".{secrets.token_hex(4)}")  # the same file may be brought twice at once
        if isinstance(file, bytes):
            half.write_bytes(file)
        else:
            shutil.copyfile(file, half)
        half.replace(target)

    def _forget(self, document_id: str, owner: str) -> None:
        self._page_starts.pop(document_id, None)
        shutil.rmtree(self._owner_folder(_hash(owner)) / document_id, ignore_errors=True)

    def _forget_older(self, before: float) -> None:
        """What a killed process left: files whose documents have been removed long since."""
        for folder in self._folder.glob("*/*"):
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)

    def _file(self, entry: Entry) -> Path:
        if entry.origin == SHARED_ORIGIN:
            return self._settings.data_dir / "shared" / entry.id / _file_name(entry.name)
        if entry.owner is None:
            return self._settings.documents_dir / entry.name
        return self._owner_folder(_hash(entry.owner)) / entry.id / _file_name(entry.name)

    def _owner_folder(self, owner_hash: str) -> Path:
        return self._folder / owner_hash

    def _opened(self, document_id: str, key: str) -> Path | None:
        expires, _, signature = key.partition(".")
        if not (_ID.fullmatch(document_id) and expires.isdecimal() and time.time() < int(expires[:15])):
            return None
        for file in self._folder.glob(f"*/{document_id}/[!.]*"):
            expected = self._signature(file.parent.parent.name, document_id, int(expires[:15]))
            if hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
                return file
        return None

    def _signature(self, owner_hash: str, document_id: str, expires_at: int) -> str:
        message = f"{owner_hash} {document_id} {expires_at}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    async def _starts(self, document_id: str, file: Path) -> tuple[int, ...]:
        """Where each page begins in the document's text; read again when it is not remembered."""
        if document_id not in self._page_starts:
            self._remember(document_id, await read_file(file, file.name, self._limits, self._size))
        return self._page_starts[document_id]

    def _remember(self, document_id: str, document: Document) -> None:
        self._page_starts[document_id] = document.page_starts
        self._page_starts.move_to_end(document_id)
        if len(self._page_starts) > REMEMBERED:
            self._page_starts.popitem(last=False)


_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def plain_name(name: str) -> str:
    """The name as it is shown: no sign that is not seen, no folders of the one who sent it, never empty."""
    parts = [shown_file(part) for part in name[-_NAME_LOOKED_AT:].replace("\\", "/").split("/")]
    return shown_file("/".join(part for part in parts if part not in ("", ".", ".."))) or "unnamed"


def _named(visitor: str | None) -> str | None:
    """Who looks: nobody, where that is no visitor's token."""
    return visitor if is_visitor(visitor) else None


def _file_name(name: str) -> str:
    """The last part of a document's name, short enough for every file system, with its ending."""
    path = PurePosixPath(name)
    stem = path.stem.encode()[: _FILE_NAME_BYTES - len(path.suffix.encode())].decode(errors="ignore")
    return stem + path.suffix


def _file_fault(error: Exception) -> IngestFault:
    """What people read of whatever kept a file from being taken in."""
    if isinstance(error, IngestFault):
        return error
    if isinstance(error, OSError) or (isinstance(error, SearchFault) and error.code == SearchFault().code):
        log.warning("a document could not be kept (%s)", type(error).__name__)
        return IngestFault("not_kept")
    if isinstance(error, Busy):
        return IngestFault("busy")
    if not isinstance(error, GlassboxError):
        own_fault(error, "document")
    return IngestFault("internal")


def _hash(owner: str) -> str:
    """A visitor's token opens what is theirs, so no folder is named by it."""
    return hashlib.sha256(owner.encode()).hexdigest()[:32]


async def _size_bytes(file: File) -> int:
    return len(file) if isinstance(file, bytes) else (await asyncio.to_thread(file.stat)).st_size
