"""Transcripts: what a client sent, what it was answered, and what of it arrived."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from typing import Any

import httpx

from tests.clients.clients import Client, command
from tests.clients.normal import LINK, Json, Names
from tests.clients.recorder import Exchange, Recorder
from tests.clients.scenes import DOCUMENTS, SCENES
from tests.frozen.normal import text_of


def transcript(client: Client, app_url: str) -> str:
    """Let a client play every scene → its file's text."""
    with ExitStack() as stack:
        recorders = {name: stack.enter_context(Recorder(app_url)) for name in SCENES}
        asked = {name: scene.called_at(recorders[name].base_url) for name, scene in SCENES.items()}
        plain = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        done = subprocess.run(
            command(client), input=json.dumps(asked), stdout=subprocess.PIPE, env=plain, text=True, check=True
        )
    came = json.loads(done.stdout)
    scenes = {name: _scene(came[name], recorders[name].exchanges, app_url) for name in SCENES}
    return text_of({"client": client.title, "packages": list(client.packages), "scenes": scenes})


def _scene(came: Json, exchanges: list[Exchange], app_url: str) -> Json:
    names = Names()
    told = [_exchange(each, names) for each in exchanges]
    if sources := came.get("returned", {}).get("sources"):
        assert all(_opens(each, app_url) for each in sources)
    return {"arrived": names.normal(came), "exchanges": told}


def _exchange(exchange: Exchange, names: Names) -> Json:
    request = {
        "method": exchange.method,
        "path": exchange.path,
        "headers": dict(exchange.headers),
        "body": names.normal(json.loads(exchange.body)) if exchange.body else None,
    }
    return {"request": request, "answer": names.answer(exchange.answer)}


def _opens(source: str, app_url: str) -> bool:
    """Whether the address of a source opens a passage of our documents."""
    found = LINK.fullmatch(source)
    page = httpx.get(f"{app_url}/passages/{found[1]}") if found else None
    last_lines = [text.strip().splitlines()[-1] for text in DOCUMENTS.values()]
    return page is not None and any(line in page.text for line in last_lines)


async def replayed(client: httpx.AsyncClient, exchange: Json) -> Any:
    """Send a recorded request again → its answer, as it is recorded."""
    request = exchange["request"]
    answer = await client.request(
        request["method"], request["path"], headers=request["headers"], content=json.dumps(request["body"])
    )
    return Names().answer(answer)
