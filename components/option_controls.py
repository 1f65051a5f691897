"""The sidebar's controls for the options of a turn, made from their declaration in `pipeline.turn.AskOptions`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr

from components.preferences import slider_range
from i18n import has, text
from pipeline.options import Checkbox, Choice, Dropdown, Group, Option, Slider, TextBox, options_of
from pipeline.turn import AskOptions


@dataclass(frozen=True, slots=True)
class Offer:
    """The choices on offer at present, by the names of options.

    `choices` are the values of a choice, the best one last, and of a dropdown, the default first. `titles` are their
    titles where the catalogue has none, and `descriptions` say what each is. `hidden` options cannot be used; `texts`
    are the contents of text boxes whose option is not set.
    """

    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    descriptions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hidden: Collection[str] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    def usable(self, options: AskOptions) -> AskOptions:
        """The options without those that cannot be chosen here."""
        unusable = {
            each.name: each.default
            for each in options_of(type(options))
            if each.name in self.hidden or not self._has(each, getattr(options, each.name))
        }
        return replace(options, **unusable)

    def shown(self, option: Option, value: Any) -> Any:
        """Return the value that a control shows for an option's value, also for one that is not set."""
        match option.control:
            case Choice():
                choices = self._choices(option)
                return value if value in choices else choices[-1]
            case Dropdown():
                choices, chosen = self._choices(option), _chosen(option, value)
                return chosen if chosen in choices else next(iter(choices), None)
            case Slider() if value is None:
                return option.control.rests_at
            case TextBox() if value is None:
                return self.texts.get(option.name, "")
            case _:
                return value

    def control(self, option: Option, language: str = "en") -> gr.components.Component:
        """The component that chooses an option. Raises ValueError for one that is not shown."""
        label, value = title(option.name, language), self.shown(option, option.default)
        info = f"option.{option.name}.info"
        common: dict[str, Any] = {"label": label, "interactive": True, "visible": option.name not in self.hidden}
        common |= {"info": text(info, language)} if has(info) else {}
        match option.control:
            case Slider(element_id=element_id, step=step) as slider:
                least, most = slider_range(option, slider)
                return gr.Slider(least, most, value, step=step, buttons=[], elem_id=element_id, **common)
            case Checkbox(element_id=element_id):
                return gr.Checkbox(value, elem_id=element_id, **common)
            case Choice(element_id=element_id):
                choices = self._choices(option)
                labels = self.labels(option, language)
                common["visible"] = common["visible"] and len(choices) > 1
                return gr.Radio(labels, value=value, elem_id=element_id, **common)
            case Dropdown(element_id=element_id):
                labels = self.labels(option, language)
                return gr.Dropdown(labels, value=value, filterable=False, elem_id=element_id, **common)
            case TextBox(element_id=element_id):
                return gr.Textbox(value, lines=6, max_lines=14, show_label=False, elem_id=element_id, **common)
            case None:
                raise ValueError(f"The option {option.name} has no control.")

    def abouts(self, option: Option, language: str = "en") -> Mapping[str, str]:
        """Return what the choices of an option are, by the titles of the choices."""
        descriptions = self.descriptions.get(option.name, {})
        return {label: descriptions[value] for label, value in self.labels(option, language) if value in descriptions}

    def _choices(self, option: Option) -> Sequence[str]:
        return self.choices.get(option.name, option.values)

    def labels(self, option: Option, language: str = "en") -> list[tuple[str, str]]:
        """Return the choices of an option with the title of each."""
        titles = self.titles.get(option.name, {})
        return [(titles.get(each) or _label(option.name, each, language), each) for each in self._choices(option)]

    def _has(self, option: Option, value: Any) -> bool:
        chosen = _chosen(option, value)
        return not isinstance(option.control, Choice | Dropdown) or not chosen or chosen in self._choices(option)


def _chosen(option: Option, value: Any) -> Any:
    """Return the choice that is an option's value: of a sequence its only item, "" for none."""
    if not isinstance(option.control, Dropdown) or not option.is_sequence:
        return value
    return value[0] if len(value) == 1 else ""


def options_in(group: Group, kind: type[AskOptions] = AskOptions) -> list[Option]:
    """The options whose controls stand in one part of the sidebar."""
    return [each for each in options_of(kind) if each.control and each.control.group == group]


def title(name: str, language: str = "en") -> str:
    """Return the title of an option; made of its name where the catalogue has no text."""
    key = f"option.{name}.title"
    return text(key, language) if has(key) else name.replace("_", " ").capitalize()


def _label(name: str, value: str, language: str) -> str:
    key = f"option.{name}.{value}"
    return text(key, language) if has(key) else value
