"""The options that a turn was asked with, as chips under its answer, made from their declaration."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from components.html.html_elements import NOTHING, joined
from components.html.markdown import plain
from components.option_controls import title
from components.view import View
from i18n import has, text
from pipeline.options import Option, TextBox, options_of
from pipeline.settings import BUILTIN_MODEL

ALWAYS = ("passages_wanted", "temperature")  # shown also where they are the default
NEVER = ("program",)  # the turn itself names the one that ran


def chips(view: View) -> Markup:
    """Return the chips of a turn: model, program, passages, temperature, and every option that is not the default."""
    labels = [view.model_asked or view.model, view.program]
    shown = _shown(view) if view.asked else []
    labels += [_label(option, value) for option, value in shown if not isinstance(option.control, TextBox)]
    items = joined(Markup("<li>{}</li>").format(plain(each)) for each in labels if each)
    opening = joined(_opening(option, value) for option, value in shown if isinstance(option.control, TextBox))
    return Markup('<ul class="chips" aria-label="{}">{}{}</ul>').format(text("turn.asked_with"), items, opening)


def _shown(view: View) -> list[tuple[Option, Any]]:
    """Return the options to show with their values: those that the model and the program of the turn used."""
    spec, is_builtin = view.programs.get(view.program), view.model_asked == BUILTIN_MODEL
    unused = (*NEVER, "passages_wanted") if spec and spec.needs_document else NEVER  # it reads the document as it fits
    options = [each for each in options_of(type(view.asked)) if not (is_builtin and each.use)]
    values = [(each, getattr(view.asked, each.name)) for each in options if each.name not in unused]
    return [(each, value) for each, value in values if value != each.default or each.name in ALWAYS]


def _label(option: Option, value: Any) -> str:
    chip = f"option.{option.name}.chip"
    if value is None:
        return text(f"{chip}.unset")
    if isinstance(value, tuple):
        return _counted(option, chip, len(value))
    if isinstance(value, str) and has(f"{chip}.{value}"):
        return text(f"{chip}.{value}")
    if isinstance(value, int) and not isinstance(value, bool):
        return _counted(option, chip, value)
    written = f"{value:g}" if isinstance(value, float) else str(value)
    return text(chip, value=written) if has(chip) else f"{title(option.name)}: {written}"


def _counted(option: Option, chip: str, count: int) -> str:
    known = has(chip) or has(f"{chip}.other")
    return text(chip, count=count) if known else f"{title(option.name)}: {count:,}"


def _opening(option: Option, value: Any) -> Markup:
    """Return a chip that opens, with the whole text."""
    if not value:
        return NOTHING
    chip = f"option.{option.name}.chip"
    summary = text(chip) if has(chip) else title(option.name)
    return Markup('<li class="own"><details><summary>{}</summary><p dir="auto">{}</p></details></li>').format(
        summary, value
    )
