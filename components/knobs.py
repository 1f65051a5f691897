"""The sidebar's knobs as one value, which the browser keeps for its visitor. What comes from there is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pipeline.conversation import AskOptions, SearchMode

USUAL = AskOptions()
MODES: tuple[SearchMode, ...] = get_args(SearchMode)
MOST_PASSAGES, MOST_HISTORY_TURNS = 12, 10
LEAST_CANDIDATES, MOST_CANDIDATES = 10, 200
LEAST_TOKENS, MOST_TOKENS, MOST_TEMPERATURE = 64, 8192, 2
INSTRUCTIONS_LIMIT_CHARS = 8_000


@dataclass(frozen=True, slots=True)
class Knobs:
    """How this visitor asks. None, and "" for the instructions: as it is by default. `streams`: text while it comes."""

    passages: int = USUAL.passages_wanted
    history_turns: int = USUAL.history_turns
    instructions: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    streams: bool = True
    mode: SearchMode | None = None
    candidates: int = USUAL.candidates
    reranks: bool = False
    rewrites: bool = False


def knobs_of(kept: object) -> Knobs:
    """What a browser kept, each knob by itself; one that is missing or out of its range stands as by default."""
    given: Mapping[Any, Any] = kept if isinstance(kept, Mapping) else {}
    told = given.get("instructions")
    mode = given.get("mode")
    tokens = _number(given.get("max_tokens"), LEAST_TOKENS, MOST_TOKENS)
    return Knobs(
        passages=_whole(_number(given.get("passages"), 1, MOST_PASSAGES), USUAL.passages_wanted),
        history_turns=_whole(_number(given.get("history_turns"), 0, MOST_HISTORY_TURNS), USUAL.history_turns),
        instructions=told if isinstance(told, str) and len(told) <= INSTRUCTIONS_LIMIT_CHARS else "",
        temperature=_number(given.get("temperature"), 0, MOST_TEMPERATURE),
        max_tokens=None if tokens is None else int(tokens),
        streams=given.get("streams") is not False,
        mode=next((each for each in MODES if each == mode), None),
        candidates=_whole(_number(given.get("candidates"), LEAST_CANDIDATES, MOST_CANDIDATES), USUAL.candidates),
        reranks=given.get("reranks") is True,
        rewrites=given.get("rewrites") is True,
    )


def _number(value: object, least: float, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if least <= value <= most else None  # false for NaN


def _whole(value: float | None, usual: int) -> int:
    return usual if value is None else int(value)
