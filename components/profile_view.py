"""What a profile changes in the view of a turn: the fields that are shown, their titles, and the names of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from components.view import View
from pipeline.programs.profiles import Profile
from pipeline.programs.registry import OutputField, Programs, ProgramSpec


def in_profile(view: View, profile: Profile) -> View:
    """Return the view of a turn that has not said anything yet, as its profile shows it."""
    steps = tuple(replace(each, status=profile.status(each.name)) for each in view.steps)
    if profile.fields is None:
        return replace(view, steps=steps)
    shown = profile.fields
    programs: Programs = {name: _titled(spec, shown) for name, spec in view.programs.items()}
    spec = view.programs.get(str(profile.options.get("program") or next(iter(view.programs), "")))
    hidden = {each.name for each in spec.fields if each.name not in shown} if spec else set()
    if "reasoning" in hidden:
        hidden.add("thinking")
    return replace(view, steps=steps, programs=programs, hidden=frozenset(hidden))


def _titled(spec: ProgramSpec, titles: Mapping[str, str]) -> ProgramSpec:
    def titled(field: OutputField) -> OutputField:
        return replace(field, title=titles.get(field.name) or field.title)

    return replace(spec, fields=tuple(map(titled, spec.fields)))
