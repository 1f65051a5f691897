"""Titles and descriptions of programs and of their fields: the registry's own, else those of the catalogue."""

from __future__ import annotations

from i18n import ENGLISH, has, text
from pipeline.programs.registry import OutputField, Programs, ProgramSpec


def program_title(spec: ProgramSpec, language: str = ENGLISH) -> str:
    """Return the title of a program; its name where nothing else is known."""
    return spec.title or _text(f"program.{spec.name.lower()}.title", language) or spec.name


def program_description(spec: ProgramSpec, language: str = ENGLISH) -> str:
    """Return what a program does, "" where that is not known."""
    return spec.description or _text(f"program.{spec.name.lower()}.description", language)


def field_title(field: OutputField, language: str = ENGLISH) -> str:
    """Return the title of a field; one made of its name where nothing else is known."""
    return field.title or _text(f"field.{field.name}.title", language) or field.name.replace("_", " ").capitalize()


def title_of(program: str, field: str, programs: Programs, language: str = ENGLISH) -> str:
    """Return the title of a program's field, also of one that the program does not have any more."""
    fields = programs[program].fields if program in programs else ()
    return field_title(next((each for each in fields if each.name == field), OutputField(field)), language)


def _text(key: str, language: str) -> str:
    return text(key, language) if has(key) else ""
