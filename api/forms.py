"""Receives multipart forms with files, limits their size, number and concurrency, and counts them to the quota.

Received files lie below `Library.waiting`, each in its own folder, until they are added or discarded.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser

from api.clients import address_of
from pipeline.clients import RETRY_S
from pipeline.documents.library import Library, Upload
from pipeline.documents.quota import IncomingUpload
from pipeline.errors import Busy, GlassboxError, Refused

AT_ONCE = 8  # upload requests of one address
CHECK_EVERY_BYTES = 1_000_000


class Forms:
    """Receives the upload requests of all routes."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._under_way: Counter[str] = Counter()

    async def received(self, request: Request, field: str) -> list[Upload]:
        """Receive and store the files of a field. Raises Refused, IngestFault and Busy."""
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise Refused("no_files")
        address = address_of(request)
        uploads: list[Upload] = []
        with self._one_more(address), self._library.quota.coming(address) as coming:
            form = await self._parsed(request, coming, address)
            try:
                for each in form.getlist(field):
                    if not isinstance(each, str):
                        path = self._library.waiting / secrets.token_hex(16) / "file"
                        uploads.append(Upload(each.filename or "", path, is_counted=True))
                        await asyncio.to_thread(_keep, each.file, path)
                        self._library.quota.brought(address, path, each.size or 0)
            except BaseException:
                discard(uploads)
                raise
            finally:
                await form.close()
        return uploads

    @contextmanager
    def _one_more(self, address: str) -> Generator[None, None, None]:
        if self._under_way[address] >= AT_ONCE:
            raise Busy("uploads", RETRY_S)
        self._under_way[address] += 1
        try:
            yield
        finally:
            self._under_way[address] -= 1
            if not self._under_way[address]:
                del self._under_way[address]

    async def _parsed(self, request: Request, coming: IncomingUpload, address: str) -> FormData:
        quota, limit_bytes = self._library.quota, self._library.upload_limit_bytes
        refused: list[GlassboxError] = []

        async def counted() -> AsyncGenerator[bytes, None]:
            checked_bytes = 0
            try:
                await quota.check(address)
                async for chunk in request.stream():
                    coming.add(len(chunk))
                    if coming.size_bytes > limit_bytes:
                        raise Refused("too_large")
                    if coming.size_bytes - checked_bytes > CHECK_EVERY_BYTES:
                        checked_bytes = coming.size_bytes
                        await quota.check(address)
                    yield chunk
                await quota.check(address)
            except GlassboxError as fault:
                refused.append(fault)
                raise MultiPartException("") from fault  # on this exception the parser closes its files

        try:
            return await MultiPartParser(request.headers, counted(), max_files=self._library.bounds.files).parse()
        except (MultiPartException, KeyError, UnicodeDecodeError) as error:
            if refused:
                raise refused[0] from error
            is_many = isinstance(error, MultiPartException) and error.message.startswith("Too many files")
            raise Refused("many_files" if is_many else "no_files") from error


def discard(uploads: Iterable[Upload]) -> None:
    """Remove waiting files that will not be added."""
    for each in uploads:
        if isinstance(each.file, Path):
            shutil.rmtree(each.file.parent, ignore_errors=True)


def _keep(source: BinaryIO, path: Path) -> None:
    path.parent.mkdir(parents=True)
    with path.open("wb") as kept:
        shutil.copyfileobj(source, kept)
