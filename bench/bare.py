"""Servers without our code, for comparison: a FastAPI event stream and a Gradio generator.

    python -m bench.bare fastapi|gradio <api_base> [<port>]

Both read the provider's stream with httpx and pass on each token at once; both have their concurrency limits removed.
Without an api_base the Gradio server is the smallest possible page.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import httpx

from pipeline.settings import ROOT
from tests.served import free_port

MANY = 1000
START_S = 90


async def tokens(client: httpx.AsyncClient, base: str, model: str) -> AsyncGenerator[str, None]:
    """Stream the pieces of one reply."""
    request = {"model": model, "messages": [{"role": "user", "content": "?"}], "stream": True}
    async with client.stream("POST", f"{base}/chat/completions", json=request) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line[6:])["choices"]
                if choices and (text := choices[0]["delta"].get("content")):
                    yield text


def unlimited() -> httpx.AsyncClient:
    """Make a client without a connection limit."""
    return httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=MANY))


def serve_fastapi(base: str, port: int) -> None:
    """Serve `POST /stream?model=…`: one event per token."""
    import uvicorn
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    app, client = FastAPI(), unlimited()

    async def events(model: str) -> AsyncGenerator[str, None]:
        async for text in tokens(client, base, model):
            yield f"event: token\ndata: {json.dumps(text)}\n\n"
        yield "event: end\ndata: \n\n"

    @app.post("/stream")
    async def stream(model: str) -> StreamingResponse:
        return StreamingResponse(events(model), media_type="text/event-stream")

    uvicorn.run(app, port=port, log_level="warning")


def serve_gradio(base: str, port: int) -> None:
    """Serve a page with a textbox for the model's name and one that shows the growing reply."""
    import gradio as gr

    client = unlimited()

    async def grow(model: str) -> AsyncGenerator[str, None]:
        text = ""
        async for token in tokens(client, base, model):
            text += token
            yield text

    with gr.Blocks(analytics_enabled=False) as demo:
        asked, answer = gr.Textbox(), gr.Textbox()
        asked.submit(grow, asked, answer, concurrency_limit=None)
    demo.queue(default_concurrency_limit=None)
    demo.launch(server_port=port, ssr_mode=False, quiet=True, max_threads=MANY, run_history=False)


@contextmanager
def bare(kind: str, base: str = "") -> Iterator[tuple[str, int]]:
    """Run one of them as a process that is ready to answer; yield its address and pid."""
    port = free_port()
    command = [sys.executable, "-m", "bench.bare", kind, base, str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            await_page(f"http://127.0.0.1:{port}/", process)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()


def await_page(url: str, process: subprocess.Popen[bytes], step_s: float = 0.05) -> None:
    """Wait until an address answers."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(url, timeout=10)
        except httpx.TransportError:
            time.sleep(step_s)
        else:
            return
    raise RuntimeError(f"nothing answers at {url}")


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("kind", choices=("fastapi", "gradio"))
    reader.add_argument("base")
    reader.add_argument("port", type=int)
    asked = reader.parse_args()
    (serve_fastapi if asked.kind == "fastapi" else serve_gradio)(asked.base, asked.port)


if __name__ == "__main__":
    main()
