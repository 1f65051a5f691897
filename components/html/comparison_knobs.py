"""The settings of one column, before it is asked: a form made from the declaration of the options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from components.html.html_elements import NOTHING, attribute, joined
from components.option_controls import Offer
from components.preferences import slider_range
from i18n import text
from pipeline.comparison import Column
from pipeline.options import Checkbox, Choice, Dropdown, Option, Slider, TextBox, options_of

# The options that are of no use here: a comparison has no earlier turns, and replays no stored answer.
LEFT_OUT = ("history_turns", "uses_cache")

_FORM = Markup(
    '<fieldset class="knobs"><legend class="sr">{}</legend>{}<details><summary>{}</summary>{}</details></fieldset>'
)
_FIELD = Markup('<label class="{}"><span>{}</span>{}</label>')
_OPTION = Markup('<option value="{}"{}>{}</option>')
_SELECT = Markup('<select data-knob="{}" aria-label="{}"{}>{}</select>')
FIRST = ("program", "passages_wanted", "temperature")  # are seen at once, behind the model


def form(column: Column, letter: str, models: Sequence[str], offer: Offer, knob_title: Any) -> Markup:
    """Return the form; each field says which knob it is in `data-knob`. What the model does not use is disabled."""
    options = [each for each in options_of(type(column.options)) if each.control and each.name not in LEFT_OUT]
    shown = [each for each in options if each.name not in offer.hidden]
    first = [each for name in FIRST for each in shown if each.name == name]
    model = _select("model", knob_title("model"), letter, [(each, each) for each in models], column.model)
    streams = _check("streams", knob_title("streams"), letter, is_on=column.streams)
    fields = {each.name: _field(each, column, letter, offer, knob_title(each.name)) for each in shown}
    rest = joined(html for name, html in fields.items() if name not in FIRST)
    more = Markup('{}<span class="sr"> {}</span>').format(text("compare.more_settings"), letter)
    seen = joined([model, *(fields[each.name] for each in first), streams])
    return _FORM.format(text("compare.settings", letter=letter), seen, more, rest)


def _field(option: Option, column: Column, letter: str, offer: Offer, name: str) -> Markup:
    value = getattr(column.options, option.name)
    match option.control:
        case Slider() as slider:
            return _number(option, slider, value, name, letter)
        case Checkbox():
            return _check(option.name, name, letter, is_on=bool(value))
        case Choice() | Dropdown():
            chosen = offer.shown(option, value)
            labels = offer.labels(option)
            return _select(option.name, name, letter, labels, chosen) if len(labels) > 1 else NOTHING
        case TextBox():
            written = offer.shown(option, value)
            area = Markup('<textarea data-knob="{}" rows="4" aria-label="{}">{}</textarea>').format(
                option.name, _label(name, letter), written
            )
            return _FIELD.format("text", name, area)
        case None:
            return NOTHING


def _number(option: Option, slider: Slider, value: Any, name: str, letter: str) -> Markup:
    least, most = slider_range(option, slider)
    unset = text("compare.usual") if slider.rests_at is not None else ""
    field = Markup(
        '<input type="number" inputmode="decimal" data-knob="{}" aria-label="{}" min="{:g}" max="{:g}" step="{:g}" '
        'value="{}"{}>'
    ).format(
        option.name,
        _label(name, letter),
        least,
        most,
        slider.step,
        "" if value is None else f"{value:g}",
        attribute("placeholder", unset),
    )
    return _FIELD.format("number-field", name, field)


def _check(knob: str, name: str, letter: str, *, is_on: bool) -> Markup:
    field = Markup('<input type="checkbox" data-knob="{}" aria-label="{}"{}>').format(
        knob, _label(name, letter), Markup(" checked") if is_on else NOTHING
    )
    return _FIELD.format("check", name, field)


def _select(knob: str, name: str, letter: str, labels: Sequence[tuple[str, str]], chosen: Any) -> Markup:
    rows = joined(
        _OPTION.format(value, Markup(" selected") if value == chosen else NOTHING, label) for label, value in labels
    )
    return _FIELD.format("", name, _SELECT.format(knob, _label(name, letter), NOTHING, rows))


def _label(name: str, letter: str) -> str:
    return f"{name} {letter}"
