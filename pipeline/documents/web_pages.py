"""Reads a document from a public web address.

Each connection, also that of a redirect, goes to an IP address that was checked: the name is resolved once, every
address that it has must be public, and the connection is made to one of them (`_Pinned`), while the certificate is
checked for the name. Size, time and redirects are limited. Nothing of an address reaches a log.
"""

from __future__ import annotations

import asyncio
import codecs
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore

from pipeline.documents.web_addresses import checked, is_public
from pipeline.errors import IngestFault
from pipeline.ingest.kinds import KINDS

MOST_REDIRECTS = 5
MOST_S = 60.0
CONNECT_S = 10.0
ENDINGS = {
    "text/html": ".html",
    "application/xhtml+xml": ".xhtml",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/xml": ".xml",
    "application/xml": ".xml",
    "application/rss+xml": ".rss",
    "application/atom+xml": ".atom",
    "application/json": ".json",
    "application/ld+json": ".json",
    "application/yaml": ".yaml",
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
    "application/epub+zip": ".epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "message/rfc822": ".eml",
}
_UNSPECIFIC = ("text/plain", "application/octet-stream", "binary/octet-stream", "")  # the ending of the path says more
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS: dict[bytes | str, bytes | str] = {
    "User-Agent": "Glassbox",
    "Accept": "text/html,application/pdf,text/*;q=0.9,*/*;q=0.5",
    "Accept-Encoding": "gzip",
}
_GZIP = 16 + zlib.MAX_WBITS
_CHUNK = 1 << 20

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolved(host: str, port: int) -> Sequence[str]:
    """Return the IP addresses of a host. Raises OSError. A `Resolve`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(place[0]) for *_, place in found))


class WebPages:
    """Reads documents. `resolve` and `network` are the border to the network: tests stand others there."""

    def __init__(self, resolve: Resolve = resolved, network: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._backend = _Pinned(resolve, network or httpcore.AnyIOBackend())

    async def read(self, address: str, most_bytes: int) -> tuple[str, bytes]:
        """Return a name, whose ending is that of a kind of file, and the content. Raises IngestFault."""
        try:
            async with asyncio.timeout(MOST_S), httpcore.AsyncConnectionPool(network_backend=self._backend) as pool:
                return await self._read(pool, checked(address), most_bytes)
        except (TimeoutError, OSError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
            raise IngestFault("web_unreachable") from None  # the exception names the address

    async def _read(self, pool: httpcore.AsyncConnectionPool, address: str, most_bytes: int) -> tuple[str, bytes]:
        for _ in range(MOST_REDIRECTS + 1):
            async with pool.stream("GET", address, headers=_HEADERS, extensions=_TIMEOUTS) as answer:
                headers = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
                if answer.status in _REDIRECTS and "location" in headers:
                    address = checked(headers["location"], address)
                    continue
                if answer.status != 200:
                    raise IngestFault("web_unreachable")
                media_type, _, parameters = headers.get("content-type", "").lower().partition(";")
                name = name_of(address, media_type.strip())
                content = await _content(answer.aiter_stream(), headers, most_bytes)
                return name, _as_utf_8(content, parameters) if media_type.startswith("text/") else content
        raise IngestFault("web_unreachable")


_TIMEOUTS: dict[str, Any] = {"timeout": {"connect": CONNECT_S, "read": CONNECT_S, "write": CONNECT_S}}


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to public machines only: to an IP address that was checked, not to the name again."""

    def __init__(self, resolve: Resolve, network: httpcore.AsyncNetworkBackend) -> None:
        self._resolve, self._network = resolve, network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the interface's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See `AsyncNetworkBackend`. Raises IngestFault for a machine that is not public."""
        machines = await self._resolve(host, port)
        if not machines or not all(map(is_public, machines)):
            raise IngestFault("web_address")
        for machine in machines[:-1]:
            try:
                return await self._network.connect_tcp(machine, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(machines[-1], port, timeout)

    async def sleep(self, seconds: float) -> None:
        """See `AsyncNetworkBackend`."""
        await self._network.sleep(seconds)


def name_of(address: str, media_type: str) -> str:
    """Return the host and path of an address, with the ending of its kind. Raises IngestFault for no kind of ours."""
    parts = urlsplit(address)
    path = PurePosixPath(unquote(parts.path).rstrip("/") or "/")
    known = path.suffix.lower() in KINDS
    ending = path.suffix if media_type in _UNSPECIFIC and known else ENDINGS.get(media_type)
    if ending is None and media_type.startswith("image/") and known and KINDS[path.suffix.lower()] == "image":
        ending = path.suffix
    if ending is None:
        raise IngestFault("web_type")
    name = f"{parts.hostname}{path}".rstrip("/")
    same = known and KINDS[path.suffix.lower()] == KINDS[ending.lower()]
    return name if same else f"{name}{ending}"


async def _content(stream: AsyncIterator[bytes], headers: dict[str, str], most_bytes: int) -> bytes:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise IngestFault("web_unreachable")
    if headers.get("content-length", "").isdecimal() and int(headers["content-length"]) > most_bytes:
        raise IngestFault("too_large")
    packed = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    content = bytearray()
    async for received in stream:
        waiting = received
        while waiting:
            try:
                content += packed.decompress(waiting, _CHUNK) if packed else waiting
            except zlib.error:
                raise IngestFault("web_unreachable") from None
            waiting = packed.unconsumed_tail if packed else b""
            if len(content) > most_bytes:
                raise IngestFault("too_large")
    return bytes(content)


def _as_utf_8(content: bytes, parameters: str) -> bytes:
    """Return a text in UTF-8 with its mark where the server says another encoding, which counts before all others."""
    said = [
        part.partition("=")[2].strip(" \"'") for part in parameters.split(";") if part.strip().startswith("charset")
    ]
    try:
        encoding = codecs.lookup(said[0]).name if said else "utf-8"
        if encoding == "utf-8" or content.startswith(codecs.BOM_UTF8):
            return content
        return codecs.BOM_UTF8 + content.decode(encoding, "replace").encode("utf-8", "replace")
    except (LookupError, UnicodeError):
        return content
