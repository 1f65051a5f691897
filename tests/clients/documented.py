"""The parts of docs/clients.md that are made from the transcripts and the snippets."""

from __future__ import annotations

import json

from tests.clients.clients import Client, clients
from tests.clients.normal import Json

LANGUAGES = {".py": "python", ".mjs": "js"}


def rows() -> list[tuple[str, ...]]:
    """A row for each client: its versions, what arrived, and what it raises."""
    return [_row(client) for client in clients()]


def snippets() -> str:
    """The snippet of each client below its title."""
    return "\n\n".join(
        f"### {each.title}\n\n```{LANGUAGES[each.snippet.suffix]}\n{each.snippet.read_text('utf-8')}```"
        for each in clients()
    )


def _row(client: Client) -> tuple[str, ...]:
    scenes = json.loads(client.recorded.read_text("utf-8"))["scenes"]
    arrived = {name: scene["arrived"] for name, scene in scenes.items()}
    heard = [_heard(arrived, key) for key in ("text", "reasoning", "sources", "tokens")]
    raised = [arrived[name]["raised"] for name in ("blank question", "wrong token", "broken stream")]
    return (client.title, ", ".join(f"`{each}`" for each in client.packages), *heard, *raised)


def _heard(arrived: Json, key: str) -> str:
    whole, streamed = (bool(arrived[name]["returned"][key]) for name in ("whole", "streamed"))
    return {(True, True): "yes", (True, False): "whole only", (False, True): "streamed only", (False, False): "no"}[
        whole, streamed
    ]
