"""A proxy between a client and the application that keeps every request and the bytes of its answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

import httpx

OF_REQUESTS = ("accept", "authorization", "content-type", "idempotency-key", "last-event-id", "x-visitor")


@dataclass(frozen=True)
class Exchange:
    """A request with its answer."""

    method: str
    path: str
    headers: MappingProxyType[str, str]
    body: bytes
    answer: httpx.Response


class Recorder:
    """Listens at `base_url` and sends everything on to `target`, while it is entered."""

    def __init__(self, target: str) -> None:
        self.exchanges: list[Exchange] = []
        recorder, http = self, httpx.Client(base_url=target, timeout=60)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                # As it is said, not compressed.
                sent = {**headers, "accept-encoding": "identity"}
                sent.pop("connection", None)
                with http.stream(self.command, self.path, headers=sent, content=body) as answer:
                    self.send_response(answer.status_code)
                    for name, value in answer.headers.items():
                        if name not in ("connection", "transfer-encoding"):
                            self.send_header(name, value)
                    self.end_headers()
                    said = b""
                    for piece in answer.iter_raw():
                        said += piece
                        self.wfile.write(piece)
                whole = httpx.Response(answer.status_code, headers=answer.headers, content=said)
                kept = MappingProxyType({name: headers[name] for name in OF_REQUESTS if name in headers})
                recorder.exchanges.append(Exchange(self.command, self.path, kept, body, whole))

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._http, self._server = http, ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._http.close()
