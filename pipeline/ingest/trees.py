"""Writes trees of values (JSON, YAML, data in XML) as text: `path: value` lines, and tables of like objects.

A container of many values becomes a section under its name, so that a passage says where its values stand. Scalars are
written as the file spells them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeGuard

import yaml

from pipeline.errors import IngestFault
from pipeline.ingest.blocks import ExtractBuilder, one_line
from pipeline.ingest.chunks import Extract

SECTION_VALUES = 12  # a container of more values is a section of its own
DEEPEST_SECTION = 5
MOST_VALUES = 5_000_000
VALUES_PER_CHAR = 10  # aliases of YAML may repeat a part without end
TABLE_COLUMNS = 60
CELL_CHARS = 300  # a longer cell makes objects be written one by one
LINE_CHARS = 400  # a longer list of scalars gets a line for each
_FILLED = 0.6  # least share of filled cells of a table
_NUMBER = re.compile(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?|true|false|null|")
_DEEP = re.compile(r"(?:[\[{]\s*){200}")  # libyaml takes quadratic time on these
_NAMES = ("name", "title", "label", "id", "key", "code")


def json_extract(text: str) -> Extract:
    """Read one JSON value, or one on each line. Raises IngestFault."""
    return tree_extract(_json(text))


def yaml_extract(text: str, name: str) -> Extract:
    """Read the documents of a YAML file; a template, which is no YAML yet, is read as it stands."""
    if _DEEP.search(text):
        raise IngestFault("too_complex")
    try:
        documents = [each for each in yaml.load_all(text, _Loader) if each not in (None, "")]
    except yaml.YAMLError:
        from pipeline.ingest.source_code import code_extract

        return code_extract(text, name)
    most = min(MOST_VALUES, 1_000 + VALUES_PER_CHAR * len(text))
    return tree_extract(documents[0] if len(documents) == 1 else documents, most)


def tree_extract(value: object, most: int = MOST_VALUES) -> Extract:
    """Write a tree of mappings, sequences and scalars. Raises IngestFault for more than `most` values."""
    writer = TreeWriter(ExtractBuilder(), most)
    writer.write(value)
    return writer.blocks.extract("")


class _Loader(yaml.CBaseLoader if hasattr(yaml, "CBaseLoader") else yaml.BaseLoader):  # type: ignore[misc]
    """Reads every scalar as it is spelled, and no tag."""


def _json(text: str) -> object:
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except json.JSONDecodeError as whole:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            return [json.loads(line, parse_float=str, parse_int=str) for line in lines]
        except json.JSONDecodeError:
            raise IngestFault("broken") from whole


class TreeWriter:
    """Writes values into blocks. Raises IngestFault for more than `most` of them."""

    def __init__(self, blocks: ExtractBuilder, most: int = MOST_VALUES) -> None:
        self.blocks, self._most = blocks, most
        self._level = 0  # of the section being written
        self._values = 0

    def write(self, value: object, path: str = "") -> None:
        """Write a value below the current section; `path` leads to it from there."""
        self._values += 1
        if self._values > self._most:
            raise IngestFault("too_complex")
        if isinstance(value, Mapping):
            self._mapping(value, path)
        elif _is_list(value):
            self._list(value, path)
        elif (text := scalar_text(value)) or path:
            self._line(f"{path}: {text}" if path else text)

    def _mapping(self, mapping: Mapping[Any, object], path: str) -> None:
        for key, value in mapping.items():
            self._named(scalar_text(key), value, path)

    def _named(self, name: str, value: object, path: str) -> None:
        if _is_large(value) and self._level < DEEPEST_SECTION:
            self._level += 1
            self.blocks.heading(self._level, f"{path}.{name}" if path else name)
            self.write(value)
            self._level -= 1
        else:
            self.write(value, f"{path}.{name}" if path else name)

    def _list(self, values: Sequence[object], path: str) -> None:
        if all(not _is_container(each) for each in values):
            self._scalars(values, path)
        elif (rows := _rows(values)) is not None:
            self._values += sum(map(len, rows))
            if path:
                self.blocks.add(f"{path}:")
            self.blocks.table(rows)
        else:
            for number, each in enumerate(values, 1):
                label = _label(each)
                if label and _is_large(each):
                    self._named(label, each, path)
                else:
                    self.blocks.separate()
                    self.write(each, f"{path}[{number}]" if path or not isinstance(each, Mapping) else "")

    def _scalars(self, values: Sequence[object], path: str) -> None:
        texts = list(map(scalar_text, values))
        line = ", ".join(texts)
        if len(line) <= LINE_CHARS:
            self._line(f"{path}: {line}" if path else line)
            return
        if path:
            self.blocks.add(f"{path}:")
        for text in texts:
            self.blocks.add(f"- {text}", tight=True)

    def _line(self, line: str) -> None:
        self.blocks.add(line, tight="\n" not in line)


def scalar_text(value: object) -> str:
    """Write a scalar as JSON and YAML spell it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_container(value: object) -> bool:
    return isinstance(value, Mapping) or _is_list(value)


def _is_large(value: object) -> bool:
    """Whether a container holds more than SECTION_VALUES values; stops counting there."""
    ahead, count = [value], 0
    while ahead and count <= SECTION_VALUES:
        each = ahead.pop()
        if isinstance(each, Mapping):
            ahead.extend(list(each.values())[: SECTION_VALUES + 1])
        elif _is_list(each):
            ahead.extend(each[: SECTION_VALUES + 1])
        else:
            count += 1
    return count > SECTION_VALUES and _is_container(value)


def _label(value: object) -> str:
    """Return what an object is called, "" where no key says so."""
    if not isinstance(value, Mapping):
        return ""
    keys = {str(key).lower(): key for key in value}
    named = (value[keys[name]] for name in _NAMES if name in keys)
    return next((one_line(scalar_text(each))[:80] for each in named if each and not _is_container(each)), "")


def _rows(values: Sequence[object]) -> list[list[str]] | None:
    """Return like objects as the rows of a table below their keys, and rows of scalars as they are; else None."""
    if len(values) < 2:
        return None
    if all(_is_list(each) and not any(map(_is_container, each)) for each in values):
        return _matrix(values)
    flat: list[dict[str, str]] = []
    for each in values:
        if not isinstance(each, Mapping):
            return None
        cells = dict(islice(_cells(each, ""), TABLE_COLUMNS + 1))
        if len(cells) > TABLE_COLUMNS or any(value is None or len(value) > CELL_CHARS for value in cells.values()):
            return None
        flat.append({key: value or "" for key, value in cells.items()})
    columns = list(Counter(key for cells in flat for key in cells))
    filled = sum(map(len, flat))
    if not columns or len(columns) > TABLE_COLUMNS or filled < _FILLED * len(columns) * len(flat):
        return None
    return [columns, *([cells.get(column, "") for column in columns] for cells in flat)]


def _matrix(values: Sequence[Any]) -> list[list[str]] | None:
    rows = [list(map(scalar_text, row)) for row in values]
    width = max(map(len, rows))
    if any(len(row) != width for row in rows) or width > TABLE_COLUMNS or width < 2:
        return None
    is_headed = not any(map(_NUMBER.fullmatch, rows[0]))
    return rows if is_headed else [list(map(str, range(1, width + 1))), *rows]


def _cells(mapping: Mapping[Any, object], path: str) -> Iterator[tuple[str, str | None]]:
    """Iterate over the paths and texts of an object's scalars; None stands for what no cell can hold."""
    for key, value in mapping.items():
        name = f"{path}.{scalar_text(key)}" if path else scalar_text(key)
        if isinstance(value, Mapping):
            yield from _cells(value, name)
        elif not _is_list(value):
            yield name, scalar_text(value)
        elif any(map(_is_container, value)):
            yield name, None
        else:
            yield name, ", ".join(map(scalar_text, value))
