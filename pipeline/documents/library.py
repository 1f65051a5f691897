"""The library: uploaded and shared documents. All access to ingest and index goes through it.

Every method takes the visitor, who sees the shared documents and their own; other documents raise NotFound. The file
of a private document lies below `uploads/`, in a folder named by a hash of its owner. It is indexed first and stored
second, so that a process killed in between leaves a document without a picture, never a file without an owner.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
import shutil
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar

from pipeline.clients import Client, ClientLocks, Rates
from pipeline.display_names import shown_file, shown_name
from pipeline.documents.quota import Quota
from pipeline.documents.signed_keys import SignedKeys, Span
from pipeline.documents.web_pages import WebPages
from pipeline.errors import Busy, GlassboxError, IngestFault, NotFound, Refused, SearchFault
from pipeline.ingest import ChunkSize, Document, ReadingLimits
from pipeline.ingest.files import opened_zip, read_file
from pipeline.ingest.kinds import is_zip
from pipeline.ingest.pictures import page_jpeg
from pipeline.keyed_hashes import Secret
from pipeline.options import checked
from pipeline.own_faults import own_fault
from pipeline.passages import ListedDocument, Passage, Query, SearchMode
from pipeline.retrieval import (
    Index,
    IndexedDocument,
    ProgressCallback,
    ScopeOf,
    SearchOptions,
    SearchResult,
    documents_in,
    unfenced,
)
from pipeline.retrieval.folders import upload_collection
from pipeline.settings import Settings
from pipeline.turn import DEFAULTS, AskOptions, is_visitor, visitor_or_none

log = logging.getLogger(__name__)

SHARED_ORIGIN = "ingest"  # origin of documents that `share` added; nothing else updates them
UNNAMED = "unnamed"
LINKS_FOR_ONE = 10  # passages that may be opened by links for each picture of a page
REMEMBERED = 64  # documents whose page starts are cached
LONGEST_SWEEP_S = 3600.0
SHARED_LIMITS = replace(ReadingLimits(), wall_s=600.0, cpu_s=600)  # of a file that the operator adds
LEFT_OVER_S = 3600.0  # a file whose document expired this long ago is left over from a killed process
EMBED_EVERY_S = 60.0
PROGRESS_S = 0.3  # between two steps of one file
MOST_WAITING = 8  # files or pictures of one client that may wait for the one being read

_FILE_NAME_BYTES = 200
_NAME_LOOKED_AT = 4_000  # only this many characters at the end of an upload's file name are used

File = Path | bytes
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file: the name that its owner gave it, and its content or path."""

    name: str
    file: File
    is_counted: bool = False  # whether the quota has counted it since it arrived


@dataclass(frozen=True, slots=True)
class UploadStep:
    """Progress of one file. `done` of `files` are finished; `code` is that of an IngestFault, "" unless it failed.

    `share` is how much of it has been read, or indexed, from 0 to 1. `entry` has another name where the same content
    was there already under that one.
    """

    name: str
    step: Literal["reading", "indexing", "done", "failed"]
    done: int
    files: int
    entry: IndexedDocument | None = None
    code: str = ""
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Limits of one upload, and how long documents are stored (0: until they are removed).

    `web`: whether a document may be read from a web address.
    """

    files: int
    size_bytes: int
    kept_s: float
    web: bool = False


class _Share:
    """How much of one step of a file is done. It is told from any thread, and asked once in `PROGRESS_S`."""

    def __init__(self) -> None:
        self._done = 0.0

    def read(self, share: float) -> None:
        """Hear from the reader."""
        self._done = share

    def indexed(self, done: int, of: int) -> None:
        """Hear from the index. A `ProgressCallback`."""
        self._done = done / (of or 1)

    async def grown(self, work: asyncio.Future[Any]) -> AsyncGenerator[float, None]:
        """Yield the share each time that it has grown, until the work has ended."""
        said = 0.0
        while not (await asyncio.wait((work,), timeout=PROGRESS_S))[0]:
            if self._done > said:
                yield (said := self._done)


class Library:
    """The documents of one index. `sweep` and `embed` run as background tasks while it is open."""

    def __init__(
        self,
        index: Index,
        settings: Settings,
        waiting: Path | None = None,
        scope_of: ScopeOf = unfenced,
        secret: Secret | None = None,
        web_pages: WebPages | None = None,
    ) -> None:
        """`waiting` is the folder of the page's uploads that have not been added yet.

        `scope_of` says what a visitor may see, without a profile or through one. `secret` signs links; None is the one
        of DATA_DIR.
        """
        self._index, self._settings, self._scope_of = index, settings, scope_of
        self._web_pages = web_pages or WebPages()
        self.waiting = waiting or settings.data_dir / "gradio"
        self._size = ChunkSize(settings.chunk_chars, settings.chunk_overlap_chars)
        self._folder = settings.data_dir / "uploads"
        self._limits = replace(ReadingLimits(), size_bytes=settings.upload_bytes, pages=settings.upload_page_limit)
        self.quota = Quota(self._folder, self.waiting, settings.upload_quota_bytes, settings.upload_quota_visitor_bytes)
        self._files = Rates(settings, times=settings.upload_files_at_once)  # the page sends one file per request
        self._searches, self._uploads, self._pictures = Rates(settings), Rates(settings), Rates(settings)
        self._reading, self._drawing = ClientLocks(MOST_WAITING), ClientLocks(MOST_WAITING)
        self._links = Rates(settings, times=LINKS_FOR_ONE)
        self._keys = SignedKeys(secret or Secret.of(settings.data_dir))
        self._page_starts: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def bounds(self) -> UploadLimits:
        """The limits that people read before they upload anything."""
        settings = self._settings
        return UploadLimits(
            settings.upload_files_at_once, settings.upload_bytes, settings.upload_kept_s, settings.reads_web_addresses
        )

    @property
    def upload_limit_bytes(self) -> int:
        """The most bytes of one request that uploads files."""
        return self._settings.upload_bytes * min(self._settings.upload_files_at_once, 5) + 1_000_000

    async def count_file(self, client: Client) -> None:
        """Count a file that the page uploads. Raises Busy."""
        await self._files.count(client)

    # Adding documents

    async def take(
        self, uploads: Sequence[Upload], owner: str, address: str | None = None
    ) -> AsyncGenerator[UploadStep, None]:
        """Read, cut and index files one by one and report progress; closing the generator cancels the rest.

        A file that cannot be read is reported with its reason, and the rest goes on. Raises Refused and Busy before
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
                yield UploadStep(plain_name(upload.name), "reading", done, files)
                async with self._reading.held(client):
                    limits = replace(self._limits, members=self._settings.upload_zip_files)
                    archive = await opened_zip(upload.file, limits)
            except Exception as error:  # noqa: BLE001  a failing file must not stop the others
                fault = _file_fault(error)
                done += 1
                yield UploadStep(plain_name(upload.name), "failed", done, files, code=fault.code)
                continue
            try:
                files += len(archive.names) - 1
                for place, name in enumerate(archive.names):
                    try:
                        inside = Upload(name, await archive.read(place))
                    except Exception as error:  # noqa: BLE001  see above
                        fault = _file_fault(error)
                        done += 1
                        yield UploadStep(plain_name(name), "failed", done, files, code=fault.code)
                        continue
                    async with aclosing(self._one(inside, client, done, files)) as steps:
                        async for step in steps:
                            yield step
                    done += 1
            finally:
                archive.close()

    async def take_address(
        self, address: str, owner: str, client_address: str | None = None
    ) -> AsyncGenerator[UploadStep, None]:
        """Read a document from a public web address, and report progress like `take`. Raises Busy."""
        client, name = Client(owner, client_address), shown_name(address) or UNNAMED
        await self._uploads.count(client)
        yield UploadStep(name, "reading", 0, 1)
        try:
            if not self.bounds.web:
                raise IngestFault("web_off")
            async with self._reading.held(client):
                read_name, content = await self._web_pages.read(address, self._settings.upload_bytes)
        except Exception as error:  # noqa: BLE001  a server may answer anything
            yield UploadStep(name, "failed", 1, 1, code=_file_fault(error).code)
            return
        async with aclosing(self._one(Upload(read_name, content), client, 0, 1)) as steps:
            async for step in steps:
                yield step

    async def _one(self, upload: Upload, client: Client, done: int, files: int) -> AsyncGenerator[UploadStep, None]:
        name, owner, address = plain_name(upload.name), client.visitor or "", client.address or ""
        try:
            yield UploadStep(name, "reading", done, files)
            size_bytes, folder = await _size_bytes(upload.file), self._owner_folder(_hash(owner))
            async with self.quota.taking(size_bytes, folder, address, is_counted=upload.is_counted):
                share = _Share()
                async with self._reading.held(client):
                    reading = asyncio.ensure_future(read_file(upload.file, name, self._limits, self._size, share.read))
                    try:
                        async for read in share.grown(reading):
                            yield UploadStep(name, "reading", done, files, share=read)
                        document = await reading
                    finally:
                        reading.cancel()
                        await asyncio.wait((reading,))
                yield UploadStep(name, "indexing", done, files)
                began, share = time.time(), _Share()
                adding = self._keep_task(self._add(upload.file, document, owner, share.indexed))
                try:
                    async for indexed in share.grown(adding):
                        yield UploadStep(name, "indexing", done, files, share=indexed)
                    entry = await asyncio.shield(adding)
                except (asyncio.CancelledError, GeneratorExit):  # indexing is completed and then undone
                    self._keep_task(self._undo(adding, owner, began))
                    raise
            self.quota.brought(address, self._file(entry).parent, size_bytes)
        except Exception as error:  # noqa: BLE001  see above
            fault = _file_fault(error)
            yield UploadStep(name, "failed", done + 1, files, code=fault.code)
        else:
            yield UploadStep(name, "done", done + 1, files, entry=entry)

    def _keep_task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that runs to its end even when its reader leaves."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _undo(self, adding: asyncio.Task[IndexedDocument], owner: str, began: float) -> None:
        """Remove a document whose upload was cancelled while it was added, unless it existed before."""
        with contextlib.suppress(GlassboxError, OSError):
            entry = await adding
            if entry.added_at >= began:
                await self.remove(entry.id, owner)

    async def _add(self, file: File, document: Document, owner: str, indexed: ProgressCallback) -> IndexedDocument:
        seen = await self._index.documents(owner)
        known = next((each for each in seen if each.owner == owner and each.hash == document.id), None)
        if known:  # the same content keeps the name and the folder under which it came first
            document = replace(document, name=known.name, title=known.title)
        collection = known.collection if known else upload_collection(document.name)
        (entry,) = await self._index.add([document], collection, owner, recipe=self._size.recipe, progress=indexed)
        await asyncio.to_thread(self._keep, file, entry)
        self._remember(entry.id, document)
        return entry

    async def share(self, file: Path, name: str, collection: str) -> IndexedDocument:
        """Add a shared file, replacing one of the same name with other content.

        Raises IngestFault, SearchFault and OSError.
        """
        document = await read_file(file, name, SHARED_LIMITS, self._size)
        (entry,) = await self._index.add([document], collection, None, origin=SHARED_ORIGIN, recipe=self._size.recipe)
        await asyncio.to_thread(self._keep, file, entry)
        for other in await self._index.documents(None):
            is_older = (other.collection, other.name, other.origin) == (collection, name, SHARED_ORIGIN)
            if is_older and other.id != entry.id:
                await self._index.remove(other.id, None)
                await asyncio.to_thread(shutil.rmtree, self._file(other).parent, ignore_errors=True)
        return entry

    # Listing and searching

    @property
    def search_modes(self) -> tuple[SearchMode, ...]:
        """The search modes that are available now, the best last."""
        return self._index.modes

    @property
    def can_rerank(self) -> bool:
        """Whether the index has a reranker."""
        return self._index.reranks

    def shared(self, profile: str | None = None) -> tuple[ListedDocument, ...]:
        """The shared documents that everybody may see, or those of a profile. Raises Refused for an unknown one."""
        scope = self._scope_of(None, AskOptions(profile=profile))
        return tuple(each for each in self._index.titles if scope.holds("", each.collection))

    async def own(self, visitor: str | None, profile: str | None = None) -> tuple[ListedDocument, ...]:
        """Return the visitor's own documents, newest first. Raises SearchFault, and Refused for an unknown profile."""
        seen = await self.documents(visitor, profile)
        mine = [entry for entry in reversed(seen) if entry.owner is not None]
        return tuple(ListedDocument(entry.title, entry.passages, entry.language) for entry in mine)

    async def documents(self, visitor: str | None, profile: str | None = None) -> tuple[IndexedDocument, ...]:
        """Return the shared documents and the visitor's own; through a profile those inside its fence.

        Raises Refused for an unknown profile.
        """
        scope = self._scope_of(visitor_or_none(visitor), AskOptions(profile=profile))
        return await documents_in(scope, self._index)

    async def search(
        self,
        query: str,
        visitor: str | None,
        options: AskOptions = DEFAULTS,
        address: str | None = None,
    ) -> SearchResult:
        """Search for passages without answering. Raises Refused, Busy and SearchFault."""
        if not query.strip():
            raise Refused("blank_question")
        if len(query) > self._settings.question_limit_chars:
            raise Refused("long_question", self._settings.question_limit_chars)
        options = checked(options)
        await self._searches.count(Client(visitor, address))
        scope = self._scope_of(visitor_or_none(visitor), options)
        return await self._index(Query(query.strip()), scope, SearchOptions.of(options))

    async def around(
        self, document_id: str, visitor: str | None, start: int, end: int, profile: str | None = None
    ) -> tuple[Passage, ...]:
        """Return the passages that overlap [start, end) of a document's text, in order.

        Raises NotFound for a document that the visitor may not see, and Refused for an unknown profile.
        """
        if not any(each.id == document_id for each in await self.documents(visitor, profile)):
            raise NotFound("document")
        return await self._index.read(document_id, visitor_or_none(visitor), max(0, start), end)

    async def remove(self, document_id: str, owner: str) -> None:
        """Remove one of the visitor's own documents everywhere. Raises NotFound."""
        if not is_visitor(owner):
            raise NotFound("document")  # to the index, nobody's documents are everybody's
        if not any(each.id == document_id and each.owner == owner for each in await self._index.documents(owner)):
            raise NotFound("document")
        # The file goes first, so that a process killed in between never leaves a file without an owner.
        await asyncio.to_thread(self._forget, document_id, owner)
        await self._index.remove(document_id, owner)

    async def remove_all(self, owner: str) -> int:
        """Remove all documents of the visitor and return their number. Raises Refused without a visitor."""
        if not is_visitor(owner):
            raise Refused("no_visitor")  # to the index, nobody's documents are everybody's
        await asyncio.to_thread(shutil.rmtree, self._owner_folder(_hash(owner)), ignore_errors=True)
        return await self._index.remove_all(owner)

    async def adopt(self, visitor: str, user: str) -> int:
        """Give a visitor's documents to another visitor and return how many there were. Raises SearchFault."""
        await asyncio.to_thread(self._move, self._owner_folder(_hash(visitor)), self._owner_folder(_hash(user)))
        return await self._index.adopt(visitor, user)

    # Files and pictures

    async def picture(
        self,
        document_id: str,
        page: int,
        visitor: str | None,
        key: str = "",
        start: int = 0,
        end: int = 0,
        address: str | None = None,
        profile: str | None = None,
    ) -> bytes:
        """Render a page (from 1) as JPEG with `text[start:end]` highlighted. Raises NotFound, Busy and Refused."""
        entry = await self._opened(document_id, visitor, key, profile)
        who = entry.owner if key else visitor  # a key acts for the owner
        return await self._drawn(entry, page, start, end, Client(who, address))

    async def original(self, document_id: str, visitor: str | None, key: str = "", profile: str | None = None) -> Path:
        """Return the file of a document that the visitor may see, or of a key. Raises NotFound and Refused."""
        return await self._kept(await self._opened(document_id, visitor, key, profile))

    def signed(self, document_id: str) -> str:
        """Sign a key that opens a document for an hour, for images and links, which send no headers of ours."""
        return self._keys.of_document(document_id)

    # Cited passages

    def passage_key(self, passage: Passage, now_s: float) -> str | None:
        """Sign a key that opens a passage for thirty days; None for one without a place in a document of an index."""
        if passage.document_id is None or passage.start is None or passage.end is None:
            return None
        return self._keys.of_passage(Span(passage.document_id, passage.start, passage.end), now_s)

    async def cited(self, key: str, address: str | None = None) -> tuple[IndexedDocument, Passage]:
        """Return the document and the passage that a key opens. Raises NotFound, Busy and SearchFault."""
        await self._links.count(Client(address=address))
        return await self._cited(key)

    async def cited_picture(self, key: str, page: int, address: str | None = None) -> bytes:
        """Render one of the pages that the passage of a key lies on as JPEG, with the passage marked.

        Raises NotFound, Busy and SearchFault.
        """
        entry, passage = await self._cited(key)
        if page not in passage.pages:
            raise NotFound("passage")
        return await self._drawn(entry, page, passage.start or 0, passage.end or 0, Client(address=address))

    async def _cited(self, key: str) -> tuple[IndexedDocument, Passage]:
        opened = self._keys.passage(key, time.time())
        entry = await self._index.find(opened.span.document_id) if opened else None
        # A document that was removed and brought again has the same id, and its old links stay dead.
        if opened is None or entry is None or entry.added_at > opened.made_before_s:
            raise NotFound("passage")
        span = opened.span
        there = await self._index.read(entry.id, entry.owner, span.start, span.end)
        found = next((each for each in there if (each.start, each.end) == (span.start, span.end)), None)
        if found is None:
            raise NotFound("passage")
        return entry, found

    async def _opened(self, document_id: str, visitor: str | None, key: str, profile: str | None) -> IndexedDocument:
        if key:
            entry = await self._index.find(document_id) if self._keys.opens_document(key, document_id) else None
        else:
            seen = await self.documents(visitor, profile)
            entry = next((each for each in seen if each.id == document_id), None)
        if entry is None:
            raise NotFound("document")
        return entry

    async def _kept(self, entry: IndexedDocument) -> Path:
        file = self._file(entry)
        if not await asyncio.to_thread(file.is_file):
            raise NotFound("document")
        return file

    async def _drawn(self, entry: IndexedDocument, page: int, start: int, end: int, client: Client) -> bytes:
        file = await self._kept(entry)
        await self._pictures.count(client)
        try:
            async with self._drawing.held(client):
                starts = await self._starts(entry.id, file)
                if not 1 <= page <= len(starts):
                    raise NotFound("document")
                return await page_jpeg(file, page, starts[page - 1], start, end)
        except (IngestFault, OSError) as fault:
            raise NotFound("document") from fault

    async def embed(self) -> None:
        """Add missing vectors regularly, as after a start or an outage of the model; ends by cancellation."""
        while True:
            try:
                await self._index.embed()
            except SearchFault:
                log.warning("the documents could not be embedded")
            except Exception as error:  # noqa: BLE001  the next round may do better
                own_fault(error, "task")
            await asyncio.sleep(EMBED_EVERY_S)

    async def reread(self) -> None:
        """Read the files again whose passages an older reader made, one by one; the old ones answer until then.

        A file that cannot be read any more keeps them. Those of DOCUMENTS_DIR are read again at each start anyway.
        """
        try:
            outdated = await self._index.outdated(self._size.recipe)
        except SearchFault as fault:
            log.warning("documents of an older reader could not be listed (%s)", fault.code)
            return
        for entry in outdated:
            if entry.recipe and entry.origin in ("", SHARED_ORIGIN):
                try:
                    await self._reread(entry)
                except (GlassboxError, OSError):
                    log.warning("a document could not be read again; what was read of it before is kept")
                except Exception as error:  # noqa: BLE001  a failing file must not stop the others
                    own_fault(error, "document")

    async def _reread(self, entry: IndexedDocument) -> None:
        file = self._file(entry)
        if not await asyncio.to_thread(file.is_file):  # another process may have it
            return
        limits = self._limits if entry.owner else SHARED_LIMITS
        document = await read_file(file, entry.name, limits, self._size)
        if await self._index.find(entry.id) != entry:  # removed or brought anew meanwhile
            return
        await self._index.add(
            [document],
            entry.collection,
            entry.owner,
            origin=entry.origin,
            recipe=self._size.recipe,
            embed=False,
            added_at=entry.added_at,
        )
        self._remember(entry.id, document)
        if not await asyncio.to_thread(file.is_file):
            await self._index.remove(entry.id, entry.owner)

    async def sweep(self) -> None:
        """Remove expired documents regularly; ends by cancellation."""
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

    # Stored files

    def _keep(self, file: File, entry: IndexedDocument) -> None:
        target = self._file(entry)
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name(f".{secrets.token_hex(4)}")  # the same file may be uploaded twice at once
        if isinstance(file, bytes):
            half.write_bytes(file)
        else:
            shutil.copyfile(file, half)
        half.replace(target)

    def _move(self, folder: Path, target: Path) -> None:
        """Move the files of documents; one that is there already stays."""
        for each in folder.glob("*"):
            target.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):  # another sign-in of this visitor moved it first
                each.rename(target / each.name)
        with contextlib.suppress(OSError):
            folder.rmdir()

    def _forget(self, document_id: str, owner: str) -> None:
        self._page_starts.pop(document_id, None)
        shutil.rmtree(self._owner_folder(_hash(owner)) / document_id, ignore_errors=True)

    def _forget_older(self, before: float) -> None:
        """Remove files that a killed process left, whose documents have expired long ago."""
        for folder in self._folder.glob("*/*"):
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)

    def _file(self, entry: IndexedDocument) -> Path:
        if entry.origin == SHARED_ORIGIN:
            return self._settings.data_dir / "shared" / entry.id / _file_name(entry.name)
        if entry.owner is None:
            return self._settings.documents_dir / entry.name
        return self._owner_folder(_hash(entry.owner)) / entry.id / _file_name(entry.name)

    def _owner_folder(self, owner_hash: str) -> Path:
        return self._folder / owner_hash

    async def _starts(self, document_id: str, file: Path) -> tuple[int, ...]:
        """Return where each page begins in the document's text; the file is read again if that is not cached."""
        if document_id not in self._page_starts:
            self._remember(document_id, await read_file(file, file.name, self._limits, self._size))
        return self._page_starts[document_id]

    def _remember(self, document_id: str, document: Document) -> None:
        self._page_starts[document_id] = document.page_starts
        self._page_starts.move_to_end(document_id)
        if len(self._page_starts) > REMEMBERED:
            self._page_starts.popitem(last=False)


def plain_name(name: str) -> str:
    """Return the name to show: without invisible characters and the sender's folders, never empty."""
    parts = [shown_file(part) for part in name[-_NAME_LOOKED_AT:].replace("\\", "/").split("/")]
    return shown_file("/".join(part for part in parts if part not in ("", ".", ".."))) or UNNAMED


def _file_name(name: str) -> str:
    """Return the last part of a document's name with its ending, short enough for every file system."""
    path = PurePosixPath(name)
    stem = path.stem.encode()[: _FILE_NAME_BYTES - len(path.suffix.encode())].decode(errors="ignore")
    return stem + path.suffix


def _file_fault(error: Exception) -> IngestFault:
    """Return the fault that people read for any error while a file is added."""
    if isinstance(error, IngestFault):
        return error
    if isinstance(error, OSError) or (isinstance(error, SearchFault) and not error.is_own_fault):
        log.warning("a document could not be kept (%s)", type(error).__name__)
        return IngestFault("not_kept")
    if isinstance(error, Busy):
        return IngestFault("busy")
    if not isinstance(error, GlassboxError):
        own_fault(error, "document")
    return IngestFault("internal")


def _hash(owner: str) -> str:
    """Hash a visitor's token to name a folder, since the token itself gives access."""
    return hashlib.sha256(owner.encode()).hexdigest()[:32]


async def _size_bytes(file: File) -> int:
    return len(file) if isinstance(file, bytes) else (await asyncio.to_thread(file.stat)).st_size
