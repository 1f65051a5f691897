"""Windows and prices of hosted models, from the table in LiteLLM's package. Imports no LiteLLM and asks no network.

LiteLLM leaves models of OpenRouter out of newer tables; DSPy carries an older table, which has them and is read second.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

PER_TOKENS = 1_000_000
_TABLES = (
    ("litellm", "model_prices_and_context_window_backup.json"),
    ("dspy", "clients/model_metadata/snapshot.json.gz"),
)
_KEPT = re.compile(
    r"litellm_provider|deprecation_date|max_input_tokens|max_tokens|off_peak_pricing"
    r"|(input_cost_per_token|output_cost_per_token|output_cost_per_reasoning_token"
    r"|cache_read_input_token_cost|cache_creation_input_token_cost)(_above_\d+k_tokens)?"
)
_NOTHING: Mapping[str, Any] = MappingProxyType({})

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in USD for a million tokens."""

    prompt: float
    completion: float


def prices_of(model: str) -> Prices | None:
    """Return the prices of a LiteLLM name like `openai/gpt-5-mini`; None where they are unknown."""
    row = row_of(model)
    prompt, completion = row.get("input_cost_per_token"), row.get("output_cost_per_token")
    if not isinstance(prompt, int | float) or not isinstance(completion, int | float) or not (prompt or completion):
        return None
    return Prices(round(prompt * PER_TOKENS, 6), round(completion * PER_TOKENS, 6))


def context_tokens_of(model: str) -> int | None:
    """Return the tokens that a prompt for a LiteLLM name may have; None where that is unknown."""
    row = row_of(model)
    tokens = row.get("max_input_tokens") or row.get("max_tokens")
    return int(tokens) if isinstance(tokens, int | float) and tokens > 0 else None


def row_of(model: str) -> Row:
    """Return the row of a LiteLLM name, an empty one where the table has none.

    A name without its provider counts only where the row belongs to that provider.
    """
    provider, _, name = model.partition("/")
    for table in (_table(*each) for each in _TABLES):
        if model in table:
            return table[model]
        if str(table.get(name, _NOTHING).get("litellm_provider")) == provider:
            return table[name]
    return _NOTHING


@cache
def _table(package: str, file: str) -> Mapping[str, Row]:
    """Read a table; an empty one where the package has none or another form of it. Takes about 50 ms."""
    found = importlib.util.find_spec(package)
    folders = (found.submodule_search_locations if found else None) or [""]
    path = Path(folders[0]) / file
    try:
        content = path.read_bytes()
        rows = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
        return {name: _kept(row) for name, row in rows.items() if isinstance(row, dict)}
    except (OSError, ValueError, AttributeError):
        return _NOTHING


def _kept(row: Mapping[str, Any]) -> Row:
    return {key: value for key, value in row.items() if _KEPT.fullmatch(key)}
