"""What an artifact holds, and the file that it is downloaded as: never a type that a browser runs.

A table is also a CSV file (RFC 4180) for spreadsheets: UTF-8 with a byte order mark, without which Excel reads another
encoding. A cell that a spreadsheet would take for a formula gets an apostrophe in front: it begins with = + - @ or
their full-width forms, also behind blanks, or with a tab or a line end. This holds for numbers below zero too: what a
spreadsheet takes for a number differs from one to the next. The same holds behind a semicolon or a tab within a cell:
spreadsheets in German, among others, begin a new cell there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from pipeline.citations.formulas import formula_at
from pipeline.errors import NotFound
from pipeline.events import ArtifactFound, Event, FieldReset
from pipeline.markdown.blocks import clean, plain_text, prefix_chars, structure

NAME_CHARS = 80
BYTE_ORDER_MARK = "\ufeff"
PLAIN, MARKDOWN, CSV = "text/plain; charset=utf-8", "text/markdown; charset=utf-8", "text/csv; charset=utf-8"

# Language behind a fence → the ending of its files, where it is not the language itself.
ENDINGS = MappingProxyType(
    {
        **{"python": "py", "python3": "py", "javascript": "js", "typescript": "ts", "bash": "sh", "shell": "sh"},
        **{"zsh": "sh", "console": "sh", "c++": "cpp", "csharp": "cs", "c#": "cs", "ruby": "rb", "rust": "rs"},
        **{"kotlin": "kt", "golang": "go", "yaml": "yml", "markdown": "md", "latex": "tex", "tex": "tex"},
        **{"powershell": "ps1", "haskell": "hs", "perl": "pl", "dockerfile": "dockerfile", "text": "txt"},
        **{"plaintext": "txt", "mermaid": "mmd", "patch": "diff", "objective-c": "m", "matlab": "m", "r": "R"},
    }
)

_ENDING = re.compile(r"[a-z0-9]{1,10}")
_HAS_ENDING = re.compile(r"[^\s.]+\.[A-Za-z0-9]{1,10}")
_UNSAFE = re.compile(r"[^\w .,()+–-]")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)  # names of devices on Windows
_SIGN = r"(?:[^\S\t]|[\u200b-\u200f\ufeff])*+[=+\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"\A(?={_SIGN}|[\t\r\n])|(?<=[;\t])(?={_SIGN})")


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """A file to download; its name is safe on every system."""

    name: str
    media_type: str
    text: str


def artifacts_of(events: Iterable[Event]) -> tuple[ArtifactFound, ...]:
    """Return the artifacts of a turn's events, without those of a text that was withdrawn."""
    artifacts: list[ArtifactFound] = []
    for event in events:
        if isinstance(event, ArtifactFound):
            artifacts.append(event)
        elif isinstance(event, FieldReset):
            artifacts = [each for each in artifacts if each.field != event.field]
    return tuple(artifacts)


def artifact_of(events: Iterable[Event], index: str) -> ArtifactFound:
    """Return the artifact with this index, as it is written in an address. Raises NotFound."""
    for artifact in artifacts_of(events):
        if str(artifact.index) == index:
            return artifact
    raise NotFound("artifact")


def file_of(artifact: ArtifactFound, text: str) -> ArtifactFile:
    """Return the artifact of a field's text as a file."""
    media_type = MARKDOWN if artifact.type in ("document", "table") else PLAIN
    return ArtifactFile(_file_name(artifact, _ending(artifact)), media_type, content_of(artifact, text))


def csv_file_of(artifact: ArtifactFound, text: str) -> ArtifactFile:
    """Return a table of a field's text as a CSV file."""
    return ArtifactFile(_file_name(artifact, "csv"), CSV, BYTE_ORDER_MARK + csv_of(artifact, text))


def document_file(title: str, text: str, sources_title: str, sources: Sequence[str]) -> ArtifactFile:
    """Return a text as a document of its own: under its title, with its sources."""
    heading = f"# {' '.join(title.split())}"
    listed = "\n".join(f"- {source}" for source in sources)
    parts = [heading, text.strip("\r\n"), *([f"## {sources_title}", listed] if listed else [])]
    return ArtifactFile(safe_name(title, "md", "document"), MARKDOWN, "\n\n".join(parts) + "\n")


def content_of(artifact: ArtifactFound, text: str) -> str:
    """Return what the artifact of a field's text holds: code without its fence, TeX without its delimiters."""
    source = _source(artifact, text)
    if artifact.type == "table":
        return source + "\n"
    if artifact.type == "formula" and (formula := formula_at(source, 0)):
        return formula.tex
    fence = next((token for token in structure(source) if token.level == 0), None)
    is_fenced = fence is not None and fence.type == "fence" and fence.meta["start"] == 0
    if fence is None or not is_fenced or (artifact.type == "document" and source[0] not in "`~"):
        return source
    return fence.content


def csv_of(artifact: ArtifactFound, text: str) -> str:
    """Return the cells of a table, as plain text, in CSV."""
    rows: list[list[str]] = []
    for token in structure(_source(artifact, text) + "\n"):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(plain_text(token.content).strip(" "))
    return csv_of_rows(rows)


def csv_of_rows(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells in CSV, without a byte order mark; no cell is a formula of a spreadsheet."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([_escaped(row) for row in rows])
    return written.getvalue()


def safe_name(title: str, ending: str, fallback: str) -> str:
    """Return a file name of a title that is safe on every system, with this ending."""
    stem = _UNSAFE.sub(" ", title.removesuffix("…"))
    stem = " ".join(stem.split())[:NAME_CHARS].strip(" .")
    if not stem or _RESERVED.match(stem):
        stem = f"{fallback} {stem}".strip()
    return stem if stem.lower().endswith(f".{ending.lower()}") else f"{stem}.{ending}"


def _escaped(row: Sequence[str]) -> list[str]:
    return [_FORMULA.sub("'", cell) for cell in row]


def _source(artifact: ArtifactFound, text: str) -> str:
    """Return the Markdown of an artifact without what the lists and quotes around it put before its lines."""
    before = text[: artifact.start].replace("\r", "\n").rpartition("\n")[2]
    first, *others = clean(text[artifact.start : artifact.end]).split("\n")
    return "\n".join([first, *(_inside(line, before) for line in others)])


def _inside(line: str, before: str) -> str:
    """Return a further line without the prefix of the first one, `before`: no more characters and no more quotes."""
    quotes = before.count(">")
    beyond = next(islice((place for place, char in enumerate(line) if char == ">"), quotes, None), len(line))
    return line[prefix_chars(line[: min(len(before), beyond)]) :]


def _file_name(artifact: ArtifactFound, ending: str) -> str:
    is_named = artifact.type == "code" and _HAS_ENDING.fullmatch(artifact.title)
    if is_named:
        ending = artifact.title.rpartition(".")[2]
    title = f"formula {artifact.index + 1}" if artifact.type == "formula" else artifact.title
    return safe_name(title, ending, artifact.type)


def _ending(artifact: ArtifactFound) -> str:
    match artifact.type:
        case "document" | "table":
            return "md"
        case "formula":
            return "tex"
        case "code":
            ending = ENDINGS.get(artifact.language, artifact.language)
            return ending if _ENDING.fullmatch(ending.lower()) else "txt"
