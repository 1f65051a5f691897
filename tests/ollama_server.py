"""An Ollama server as its documentation describes its HTTP API, over real sockets, that misbehaves on demand.

`models` are what it has, by name. A reply depends on the name: `thinks`, `cuts` (counts as many tokens as its window),
`forgets` (counts no tokens, as older versions with a cached prompt), `breaks` (an error in the middle), `stops` (the
stream ends early), `huge` (needs more memory), `roomy` (does so for a window over 8,192), `long` (ends by length),
`torn` (lines that end within a character and hold U+2028), `mute` (says nothing of itself). Any other says REPLY.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.scripted import reply

REPLY = reply("The passage says it.", "Water of 80 °C [1].")
THOUGHT = "First I look at the passage."


@dataclass
class OllamaServer:
    """What the server has and was asked; `chats` are the bodies of `/api/chat`, `paths` all requests in order."""

    models: dict[str, dict[str, Any]]
    is_slow: bool = False
    chats: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    address: str = ""


def model(capabilities: tuple[str, ...] = ("completion",), window: int = 40_960, **more: Any) -> dict[str, Any]:
    """What `/api/show` says of a model."""
    info = {"general.architecture": "qwen3", "qwen3.context_length": window, "qwen3.embedding_length": 4096}
    return {"details": {"family": "qwen3"}, "model_info": info, "capabilities": list(capabilities), **more}


@contextmanager
def ollama(**models: dict[str, Any]) -> Iterator[OllamaServer]:
    """Serve until the context ends; an underscore in a name is written as a colon."""
    state = OllamaServer({name.replace("_", ":"): shown for name, shown in models.items()})
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.paths.append(self.path)
            if state.is_slow:
                released.wait(5)
                return
            listed = [
                {"name": name, "model": name, "size": 5_225_388_164, "digest": f"sha-{name}", "details": {}}
                for name in state.models
            ]
            self._answer(200, {"models": listed})

        def do_POST(self) -> None:
            state.paths.append(self.path)
            state.headers.append(self.headers.get("authorization", ""))
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            shown = state.models.get(body["model"])
            if shown is None:
                self._answer(404, {"error": f"model '{body['model']}' not found"})
            elif self.path == "/api/show":
                self._answer(200, shown if body["model"] != "mute" else "<html>")
            elif self.path == "/api/chat":
                state.chats.append(body)
                self._chat(body)
            else:
                self._answer(404, {})

        def _chat(self, body: dict[str, Any]) -> None:
            name = body["model"].partition(":")[0]
            if name == "huge" or (name == "roomy" and body["options"]["num_ctx"] > 8192):
                error = "model requires more system memory (12.3 GiB) than is available (5.1 GiB)"
                self._answer(500, {"error": error})
                return
            if not body["stream"]:
                said = {"role": "assistant", "content": REPLY}
                self._answer(200, {"message": said, **_last(name, body)})
                return
            self.send_response(200)
            self.send_header("content-type", "application/x-ndjson")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for line in _lines(name, body):
                said = {"model": body["model"], "created_at": "2026-11-28T00:00:00Z", **line}
                data = json.dumps(said, ensure_ascii=name != "torn").encode() + b"\n"
                for part in data.partition("°".encode()[:1]) if name == "torn" else (data,):
                    if part:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")

        def _answer(self, status: int, body: dict[str, Any] | str) -> None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="ollama")
    thread.start()
    try:
        yield state
    finally:
        released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _lines(name: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if name == "thinks":
        for word in THOUGHT.split(" "):
            yield {"message": {"role": "assistant", "content": "", "thinking": f"{word} "}, "done": False}
    if name == "torn":
        yield {"message": {"role": "assistant", "content": "", "thinking": "one\u2028two\x85three"}, "done": False}
    for at in range(0, len(REPLY), 12):
        if name in ("breaks", "stops") and at > 24:
            if name == "breaks":
                yield {"error": "an error was encountered while running the model: unexpected EOF"}
            return
        yield {"message": {"role": "assistant", "content": REPLY[at : at + 12]}, "done": False}
    yield {"message": {"role": "assistant", "content": ""}, **_last(name, body)}


def _last(name: str, body: dict[str, Any]) -> dict[str, Any]:
    sent = sum(len(each["content"]) for each in body["messages"]) // 4
    counted = {"cuts": {"prompt_eval_count": body["options"]["num_ctx"]}, "forgets": {}}
    reason = "length" if name == "long" else "stop"
    return {"done": True, "done_reason": reason, "eval_count": 20, **counted.get(name, {"prompt_eval_count": sent})}
