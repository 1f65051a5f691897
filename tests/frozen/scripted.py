"""The local provider, with what it does for the frozen scenes alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tests.provider import (
    BEHAVIOURS,
    MOODS,
    Cut,
    Provider,
    Script,
    Wish,
    begun,
    pieces_of,
    reply,
    whole,
)

READ_S = 1.0  # what came before a break is read first, also on a loaded machine


def as_json(wish: Wish) -> Script:
    """The fields as one JSON object instead of the form that was asked for."""
    _, reasoning, answer, *_ = reply(wish.tokens).replace("\n", "").split(" ## ]]")[0:4]
    said = {"reasoning": reasoning.partition("[[")[0].strip(), "answer": answer.partition("[[")[0].strip()}
    yield from whole(pieces_of(json.dumps(said)))


def breaking(wish: Wish) -> Script:
    """Cut off after what came has surely been read."""
    yield from begun(wish)
    yield READ_S
    raise Cut


@contextmanager
def scripted() -> Iterator[Provider]:
    """A running provider. `busy-once` refuses the first request of its model and answers the others."""
    asked: Counter[str] = Counter()

    def busy_once(body: Mapping[str, Any]) -> str:
        asked[body["model"]] += 1
        return "status-503" if asked[body["model"]] == 1 else "ok"

    behaviours = {"json": as_json, "breaking": breaking}
    with patch.dict(BEHAVIOURS, behaviours), patch.dict(MOODS, {"busy-once": busy_once}), Provider() as provider:
        yield provider


def models(provider: Provider, names: tuple[str, ...]) -> str:
    """The setting MODELS."""
    return json.dumps([{"label": name, "model": f"hosted_vllm/{name}", "api_base": provider.base} for name in names])
