"""Asks servers of OpenAI's protocol for the window of a model: by their list of models, else by llama.cpp's `/props`.

Servers that say nothing leave it unknown. Nobody waits for this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

TIMEOUT_S = 1.0
FIELDS = ("max_model_len", "context_length", "loaded_context_length", "max_context_length")


async def window_of(bases: Iterable[str], model: str, key: str | None) -> int | None:
    """Return the tokens of a model's window as its server says; `bases` are addresses at which it may be.

    Raises httpx.HTTPError where the server does not answer in time.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    for base in bases:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, headers=headers, verify=base.startswith("https")) as client:
            if tokens := listed_window(await _json(client, f"{base}/models"), model):
                return tokens
            if tokens := served_window(await _json(client, f"{base.removesuffix('/v1')}/props")):
                return tokens
    return None


def listed_window(body: Any, model: str) -> int | None:
    """Read the window of a model from a list of models."""
    listed = body.get("data") if isinstance(body, Mapping) else None
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, Mapping) and each.get("id") == model:
            meta = each.get("meta")
            used = _tokens(meta.get("n_ctx")) if isinstance(meta, Mapping) else None
            return used or next((tokens for name in FIELDS if (tokens := _tokens(each.get(name)))), None)
    return None


def served_window(body: Any) -> int | None:
    """Read the window of the one model of llama.cpp's server."""
    settings = body.get("default_generation_settings") if isinstance(body, Mapping) else None
    return _tokens(settings.get("n_ctx")) if isinstance(settings, Mapping) else None


async def _json(client: httpx.AsyncClient, address: str) -> Any:
    answer = await client.get(address)
    try:
        return answer.json() if answer.is_success else None
    except ValueError:
        return None


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
