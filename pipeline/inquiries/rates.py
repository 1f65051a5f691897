"""How often models were wrong in the second check, as `python -m bench.second_stage` has measured and stored it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

FILE = "second_check_rates.json"  # in DATA_DIR


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Of `errors` planted ones the model called `passed` supported; of `right` sentences it `doubted` some.

    `silent` is how many of all got no verdict that could be used, `measured_on` a date like 2026-11-29.
    """

    errors: int
    passed: int
    right: int
    doubted: int
    silent: int
    measured_on: str


_all: TypeAdapter[dict[str, ErrorRates]] = TypeAdapter(dict[str, ErrorRates])  # by LiteLLM's name of the model


def rates_in(data_dir: Path) -> dict[str, ErrorRates]:
    """Return the rates that are stored, by LiteLLM's name of the model; none where the file cannot be read."""
    try:
        return _all.validate_json((data_dir / FILE).read_bytes())
    except (OSError, ValidationError):
        return {}


def save_rates(data_dir: Path, model: str, rates: ErrorRates) -> None:
    """Store the rates of a model in the place of earlier ones. Raises OSError."""
    file = data_dir / FILE
    unfinished = file.with_suffix(".new")
    data_dir.mkdir(parents=True, exist_ok=True)
    unfinished.write_bytes(_all.dump_json({**rates_in(data_dir), model: rates}, indent=1))
    unfinished.replace(file)
