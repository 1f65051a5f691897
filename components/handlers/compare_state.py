"""The state of one open page of comparisons, what changes on it, and the columns that its presets make, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from components.html.comparison_page import PRESETS
from components.html.html_elements import Elements
from i18n import text
from pipeline.comparison import MOST_COLUMNS, Column, Comparison
from pipeline.options import options_of
from pipeline.programs.registry import Programs
from pipeline.settings import BUILTIN_MODEL

PASSAGES = (2, 4, 8)
SHOWN_BY_PRESET = 3  # columns


@dataclass(slots=True)
class CompareTab:
    """The state of one open page. It lives as long as the page and is never shared.

    `columns` are those of the next comparison; a `comparison` that is shown has its own. `at` is its round.
    """

    columns: tuple[Column, ...] = ()
    base: Column | None = None  # what the chat would ask with
    preset: str = ""
    is_blind: bool = False
    comparison: Comparison | None = None
    at: int = 0
    question: str = ""
    refusal: str = ""
    sets: tuple[tuple[str, str], ...] = ()  # of questions: the name and the title of each
    shows: int = 0  # counts up whenever the page shows something else; earlier followers end then


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareUpdate:
    """The changes of the page; None, or a column that is missing, changes nothing. `columns` go by their places."""

    bar: Elements | None = None
    actions: Elements | None = None
    columns: Mapping[int, Elements] = field(default_factory=dict)
    foot: Elements | None = None
    table: Elements | None = None
    question: str | None = None
    model: str | None = None  # that the browser remembers
    stored: Mapping[str, Any] | None = None  # the preferences that the browser remembers


def preset_columns(preset: str, base: Column, models: Sequence[str], programs: Programs) -> tuple[Column, ...]:
    """Return the columns of a preset, which differ from the base in one thing; fewer than two where there is none."""
    options = base.options
    match preset:
        case "model":
            labels = list(dict.fromkeys([base.model, *models]))[:SHOWN_BY_PRESET]
            return tuple(replace(base, model=each) for each in labels)
        case "passages":
            return tuple(replace(base, options=replace(options, passages_wanted=each)) for each in PASSAGES)
        case "program":
            names = [name for name, spec in programs.items() if not spec.needs_document and _runs(base.model, spec)]
            default = next(iter(programs))
            ordered = dict.fromkeys([options.program or default, *names])
            return tuple(
                replace(base, options=replace(options, program=None if each == default else each))
                for each in list(ordered)[:SHOWN_BY_PRESET]
            )
        case "instructions":
            # The built-in model takes none: a language model is asked in its place.
            label = next((each for each in (base.model, *models) if each != BUILTIN_MODEL), None)
            texts = (None, options.instructions or text("compare.brief_instructions")) if label else ()
            return tuple(
                replace(base, model=label or base.model, options=replace(options, instructions=each)) for each in texts
            )
        case "stream":
            return replace(base, streams=True), replace(base, streams=False)
        case _:
            return ()


def presets_offered(base: Column, models: Sequence[str], programs: Programs) -> dict[str, str]:
    """Map each preset to why it cannot be chosen, "" for one that can."""
    return {
        each: "" if len(preset_columns(each, base, models, programs)) > 1 else text(f"compare.no_{each}")
        for each in PRESETS
    }


def added(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns with one more, like the last, if there is room."""
    return (*columns, columns[-1])[:MOST_COLUMNS]


def preferences_with(stored: Mapping[str, Any], column: Column) -> dict[str, Any]:
    """Return the preferences of a browser with what a column was asked with; the cache of answers is no part of it."""
    chosen = {
        each.name: getattr(column.options, each.name)
        for each in options_of(type(column.options))
        if each.control and each.name not in ("history_turns", "uses_cache")
    }
    kept = {name: value for name, value in stored.items() if name not in chosen}
    written = {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}
    return {**kept, **{k: v for k, v in written.items() if v is not None}, "streams": column.streams}


def _runs(model: str, spec: Any) -> bool:
    """Whether a model runs a program itself, and is not asked by another one."""
    return model != BUILTIN_MODEL or bool(spec.builtin.runs)
