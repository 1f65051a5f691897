"""A web for tests: names resolve to what a test says, and connections to any machine reach a server of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpcore

from pipeline.documents.web_pages import WebPages

PUBLIC = "93.184.215.14"
Answer = tuple[int, Mapping[str, str], bytes]


class Network(httpcore.AsyncNetworkBackend):
    """Connects every machine to one local server, and remembers the machines."""

    def __init__(self, port: int) -> None:
        self.machines: list[tuple[str, int]] = []
        self._port, self._local = port, httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.machines.append((host, port))
        return await self._local.connect_tcp("127.0.0.1", self._port)


@asynccontextmanager
async def web(
    answers: Mapping[str, Answer], names: Mapping[str, Sequence[str]] | None = None
) -> AsyncIterator[tuple[WebPages, Network]]:
    """What answers at each path, and the machines of each host; others have the public one."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, headers, body = answers[head.split(" ")[1]]
        said = {"Content-Length": str(len(body)), "Connection": "close", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async def resolve(host: str, port: int) -> Sequence[str]:
        return (names or {}).get(host, (PUBLIC,))

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        network = Network(server.sockets[0].getsockname()[1])
        yield WebPages(resolve, network), network
