"""Reads and checks the preferences of the sidebar that a visitor's browser stores."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isnan
from types import MappingProxyType
from typing import Any, TypeGuard

from pydantic import ValidationError

from pipeline.options import Dropdown, Option, Slider, TextBox, options_of
from pipeline.turn import DEFAULTS, MOST_PASSAGES, AskOptions

PROFILE = "profile"  # the option that its own picker chooses
OLD_NAMES = MappingProxyType({"passages_wanted": "passages"})  # option → the name under which browsers stored it


@dataclass(frozen=True, slots=True)
class Preferences:
    """The chosen options, and whether an answer is shown while it comes (`streams`).

    `given` names the options that were chosen, also where the choice is the default: a profile sets only the others.
    """

    options: AskOptions = DEFAULTS
    streams: bool = True
    given: frozenset[str] = frozenset()

    def widened(self) -> Preferences:
        """Return these preferences with as many passages as a turn may answer from."""
        options = replace(self.options, passages_wanted=MOST_PASSAGES)
        return replace(self, options=options, given=self.given | {"passages_wanted"})


def preferences_of(stored: object, kind: type[AskOptions] = AskOptions) -> Preferences:
    """Return the stored preferences; an option that is missing, or cannot be chosen, has its default."""
    values: Mapping[Any, Any] = stored if isinstance(stored, Mapping) else {}
    chosen: dict[str, Any] = {}
    for option in options_of(kind):
        name = option.name if option.name in values else OLD_NAMES.get(option.name)
        if (option.control or option.name == PROFILE) and name in values:
            with suppress(ValidationError):
                chosen[option.name] = checked_value(option, values[name])
    return Preferences(kind(**chosen), streams=values.get("streams") is not False, given=frozenset(chosen))


def slider_range(option: Option, slider: Slider) -> tuple[float, float]:
    """Between which numbers an option's slider moves."""
    least = option.least if slider.least is None else slider.least
    most = option.most if slider.most is None else slider.most
    if least is None or most is None:
        raise ValueError(f"The option {option.name} has a slider and no range: give it ge and le, or its slider both.")
    return least, most


def usable(option: Option, value: object) -> Any:
    """Return the value as the control shows it, or the default for what it cannot show."""
    try:
        return checked_value(option, value)
    except ValidationError:
        return option.default


def checked_value(option: Option, value: object) -> Any:
    """Return the value as the control shows it. Raises ValidationError for what it cannot show.

    A number that is typed beside a slider is moved to the nearest one that the slider can show: Gradio shows that, and
    reports the typed one.
    """
    if isinstance(option.control, Slider) and _is_number(value):
        value = _nearest(option, option.control, value)
    if isinstance(option.control, Dropdown) and option.is_sequence and isinstance(value, str):
        value = (value,) if value else ()
    checked = option.checked(value)
    return option.default if isinstance(option.control, TextBox) and not checked else checked


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value)


def _nearest(option: Option, slider: Slider, value: float) -> float:
    least, most = slider_range(option, slider)
    moved = min(max(value, least), most)
    return moved if _takes(option, moved) else round(moved)


def _takes(option: Option, value: float) -> bool:
    try:
        option.checked(value)
    except ValidationError:
        return False
    return True
