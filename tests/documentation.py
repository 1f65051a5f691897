"""Writes the parts of docs/ that are made from the code: `python -m tests.documentation`. A test compares them."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from pipeline.events import Event, EventBase
from pipeline.ingest.kinds import KINDS, ZIP, Kind
from pipeline.options import Option, options_of
from pipeline.programs.profile_files import KEYS as PROFILE_KEYS
from pipeline.programs.profile_files import OPTIONS as PROFILE_OPTIONS
from pipeline.settings import ROOT, Settings
from pipeline.turn import AskOptions
from tests.clients import documented

# What files without a comment of their own are. A pattern stands for many files of one kind.
PLAIN = MappingProxyType(
    {
        ".ci/run": "What a server that checks changes runs.",
        ".gitignore": "What git leaves out.",
        "CHANGELOG.md": "What changed.",
        "CONTRIBUTING.md": "How to change Glassbox.",
        "LICENSE": "Apache 2.0.",
        "README.md": "How to use Glassbox.",
        "pyproject.toml": "Settings of the tools that check the code.",
        "requirements.in": "What Glassbox needs, as asked for by hand.",
        "requirements-meaning.txt": "An extra: the embedding model that searches by meaning, as a package.",
        "requirements-tracing.txt": "An extra: the client of MLflow, which every turn is traced with.",
        "requirements.txt": "What Glassbox needs, as pinned: every package in one exact version.",
        "tests/requirements.txt": "What the checks need besides.",
        "docs/*.md": "The parts of the documentation.",
        "docs/page.png": "The picture of the README.",
        "samples/*.md": "The documents of the coffee handbook.",
        "samples/profiles/*.yaml": "Two profiles: a support bot and a compliance desk.",
        "samples/questions.jsonl": "Questions about the handbook with their answers.",
        "tests/clients/recorded/*.json": "What each client sent, was answered and made of it.",
        "tests/clients/snippets/*": "A script for each client, which docs/clients.md shows.",
        "tests/frozen/*/*": "What was recorded: streams, pages and databases.",
    }
)
COMMENTS = MappingProxyType(
    {
        ".js": r"(?m)\A(?://.*\n)+",
        ".mjs": r"(?m)\A(?://.*\n)+",
        ".css": r"(?s)\A/\*.*?\*/",
        ".toml": r"(?m)\A(?:#.*\n)+",
        "": r"(?m)\A#!.*\n(?:#.*\n)+",
    }
)
PART = re.compile(r"(?s)<!-- made: (\w+) -->\n.*?<!-- end -->")


def settings_table() -> str:
    """Every setting in its order: name, default, meaning."""
    rows = [(_named(name, field), _default(field), _meaning(field)) for name, field in Settings.model_fields.items()]
    return table(("name", "default", "meaning"), rows)


# The API writes a sentence where an event holds a code with its values, or a place in the line.
AS_WRITTEN, UNWRITTEN = {"values": "text"}, ("place",)


def formats_table() -> str:
    """Every kind of file with the endings of its name."""
    rows = [
        (kind, ", ".join(f"`{ending}`" for ending, its_kind in KINDS.items() if its_kind == kind))
        for kind in get_args(Kind)
    ]
    return table(("kind", "endings"), (*rows, ("zip of those", f"`{ZIP}`")))


def events_table() -> str:
    """Every event kind in its order with its own keys."""
    rows = []
    for each in get_args(Event):
        names = [field.name for field in fields(each) if field.name not in ("kind", *_names(EventBase))]
        keys = [AS_WRITTEN.get(name, name) for name in names if name not in UNWRITTEN]
        kind = next(field.default for field in fields(each) if field.name == "kind")
        rows.append((f"`{kind}`", ", ".join(f"`{key}`" for key in keys), first_sentence(each.__doc__ or "")))
    return table(("kind", "keys", "meaning"), rows)


def options_table(kind: type[AskOptions] = AskOptions) -> str:
    """Every option of a turn in its order: name, allowed values, default, meaning."""
    declared = options_of(kind)
    rows = [(f"`{each.name}`", _values(each), f"`{json.dumps(each.default)}`", each.meaning) for each in declared]
    return table(("key", "values", "default", "meaning"), rows)


def profiles_table() -> str:
    """Every key of a profile: what it takes."""
    rows = [(f"`{name}`", meaning) for name, meaning in PROFILE_KEYS.items()]
    rows += [(f"`{each.name}`", f"{_values(each)}: {each.meaning}") for each in PROFILE_OPTIONS.values()]
    return table(("key", "what it takes"), rows)


def clients_table() -> str:
    """Every client that is tried: its version, what arrived, and what it raises."""
    arrived = ("text", "reasoning", "sources", "tokens")
    raised = ("blank question", "wrong token", "broken stream")
    return table(("client", "version", *arrived, *raised), documented.rows())


def files_list() -> str:
    """Every file of the tree, a table for each folder."""
    described: dict[str, str] = {}
    for name in tree():
        pattern = next((each for each in PLAIN if Path(name).match(each) and _is_as_deep(name, each)), name)
        described[pattern] = PLAIN.get(pattern) or sentence_of(name)
    parts = []
    for folder, names in groupby(sorted(described, key=_by_folder), lambda name: Path(name).parent.as_posix()):
        rows = [(f"`{name}`", described[name]) for name in names]
        parts.append(f"### {'The root' if folder == '.' else folder}\n\n{table(('file', 'what it is'), rows)}")
    return "\n\n".join(parts)


def tree() -> list[str]:
    """The files of the repository, as paths from its root."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        return sorted({name for name in names if (ROOT / name).is_file()})
    found = (
        path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".pyi")
    )
    hidden = (path for path in found if not any(part.startswith(".") for part in path.parts) or path.parts[0] == ".ci")
    return sorted(path.as_posix() for path in hidden if path.parts[0] != "data")


def sentence_of(name: str) -> str:
    """The first sentence that a file says of itself; for a test without one, which file it tests."""
    text = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".py"):
        said = ast.get_docstring(ast.parse(text)) or ""
    else:
        found = re.match(COMMENTS.get(Path(name).suffix, r"(?!)"), text)
        said = re.sub(r"(?m)^#!.*$|^(//|#|/\*) ?| *\*/", "", found[0]) if found else ""
    if not said and (tested := re.fullmatch(r"tests/(.*/)test_(\w+\.py)", name)):
        file = f"{tested[1]}{tested[2]}"
        said = f"Tests of `{file if (ROOT / file).exists() else tested[1]}`."
    return first_sentence(said)


def first_sentence(text: str) -> str:
    """Up to the first full stop or colon before an empty line, on one line, safe in a table."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    return re.split(r"(?<=[.?!])\s+(?=[A-Z`])", paragraph)[0].replace("|", "\\|")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    titles = tuple(head)
    lines = (f"| {' | '.join(cells)} |" for cells in (titles, *rows))
    first, *rest = lines
    return "\n".join((first, "|" + "---|" * len(titles), *rest))


PARTS: MappingProxyType[str, Callable[[], str]] = MappingProxyType(
    {
        "settings": settings_table,
        "options": options_table,
        "profiles": profiles_table,
        "events": events_table,
        "formats": formats_table,
        "clients": clients_table,
        "snippets": documented.snippets,
        "files": files_list,
    }
)


def made(text: str) -> str:
    """A document with its made parts as they are to be now."""
    return PART.sub(lambda found: f"<!-- made: {found[1]} -->\n\n{PARTS[found[1]]()}\n\n<!-- end -->", text)


def documents() -> Iterator[Path]:
    """Every document for people, the README first."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").glob("*.md"))
    yield from (ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md"))


def _named(name: str, field: FieldInfo) -> str:
    aliases = field.validation_alias
    names = aliases.choices if isinstance(aliases, AliasChoices) else [name.upper()]
    return ", ".join(f"`{each}`" for each in names)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value in (None, "", ()):
        return "–"
    return f"`{value.relative_to(ROOT) if isinstance(value, Path) and value.is_relative_to(ROOT) else value}`"


def _values(option: Option) -> str:
    if option.values:
        return ", ".join(f"`{each}`" for each in option.values)
    if option.least is not None:
        return f"{option.least:,} to {option.most:,}"
    if option.is_sequence:
        return f"a list of at most {option.most_items:,} texts"
    if isinstance(option.default, bool):
        return "`true`, `false`"
    return f"a text of at most {option.most_items:,} characters" if option.most_items else "a text"


def _meaning(field: FieldInfo) -> str:
    known = "|".join(name.upper() for name in sorted(Settings.model_fields, key=len, reverse=True))
    return re.sub(rf"\b({known}|X-Forwarded-For)\b", r"`\1`", field.description or "").replace("|", "\\|")


def _names(of: type) -> list[str]:
    return [field.name for field in fields(of)]


def _is_as_deep(name: str, pattern: str) -> bool:
    return name.count("/") == pattern.count("/")


def _by_folder(name: str) -> tuple[str, str]:
    return Path(name).parent.as_posix(), name


if __name__ == "__main__":
    for document in documents():
        if document.exists():
            document.write_text(made(document.read_text(encoding="utf-8")), encoding="utf-8")
