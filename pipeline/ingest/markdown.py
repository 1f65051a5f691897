"""Markdown and plain text files → documents: front matter, sections with their heading path, chunks.

Knows no index and no language but what a file says of itself. Nothing of a section is lost and no chunk crosses a
heading. Sections are cut by semantic-text-splitter: of the splitters measured it alone kept every offset, size and
heading. Chunks do not overlap: overlap found 0.3 % more, but would have a sentence stand in two passages, cut in one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from semantic_text_splitter import MarkdownSplitter, TextSplitter

from pipeline.ingest import Chunk, Document

CHUNK_CHARS = 1000  # 97 % of 1,190 questions find their passage among 5 of this size; at 600 it is 95 %
HEADING_JOIN = " › "

_log = logging.getLogger(__name__)
_SUFFIXES = frozenset({".md", ".txt"})
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(r"^(\w+):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
# Only what surely is a link: its target has a dot, a slash or a hash. `a[1](x)` in code stays as it is.
_LINK = re.compile(r"(?<!\w)!?\[([^\[\]\n]*)\]\((?=[^()\s]*[./#])[^()\s]*\)")
# semantic-text-splitter takes quadratic time where nothing can be split: 22 s for 1 MB without a blank.
_LONG_RUN = re.compile(r"\S{10000}")


def read_folder(folder: Path) -> tuple[Document, ...]:
    """Every readable *.md and *.txt below `folder`, by name. What cannot be read is skipped and logged."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    return tuple(document for path in files if (document := _read(path, path.relative_to(folder).as_posix())))


def _read(path: Path, name: str) -> Document | None:
    """None, after one line in the log, when the file holds nothing to answer from."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    except OSError:
        reason = "it cannot be read"
    else:
        document = document_of(name, text)
        if document.chunks and "\0" not in text:
            return document
        reason = "it is empty" if not document.chunks else "it is binary"
    _log.warning("Skipped the document %r: %s.", name, reason)
    return None


def document_of(name: str, text: str) -> Document:
    """One file's text → a document. Title: front matter, else the first top heading, else the file's stem."""
    front, body = _front_matter(text)
    markdown = not name.lower().endswith(".txt")
    sections = tuple(_sections(body)) if markdown else (((), body),)
    top = next((path[0] for path, _ in sections if path and path[0]), "")
    title = front.get("title") or top or Path(name).stem
    chunks = tuple(
        Chunk(HEADING_JOIN.join(heading for heading in path if heading and heading != title), piece)
        for path, section in sections
        for piece in _pieces(section, markdown=markdown)
    )
    return Document(name, title, front.get("language", "").lower(), chunks)


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """`key: value` lines between two `---` at the very start, and the rest of the text."""
    found = _FRONT_MATTER.match(text)
    if not found:
        return {}, text
    return {key.lower(): value.strip("\"'") for key, value in _ENTRY.findall(found[1])}, text[found.end() :]


def _sections(body: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """(Headings from level 1 down to the section's own, text up to the next heading); a skipped level is ""."""
    lines = body.split("\n")
    path: tuple[str, ...] = ()
    begin = 0
    for token, inline in pairwise(MarkdownIt("commonmark").parse(body)):
        if token.type == "heading_open" and token.level == 0 and token.map:
            yield path, "\n".join(lines[begin : token.map[0]])
            above = int(token.tag.removeprefix("h")) - 1
            path = (*(path + ("",) * above)[:above], _without_links(inline.content).strip())
            begin = token.map[1]
    yield path, "\n".join(lines[begin:])


def _pieces(section: str, *, markdown: bool) -> Iterator[str]:
    splitter = MarkdownSplitter(CHUNK_CHARS) if markdown else TextSplitter(CHUNK_CHARS)
    text = _without_links(section) if markdown else section
    for part in _LONG_RUN.sub(lambda run: f"{run[0]}\0", text).split("\0"):
        yield from (piece for chunk in splitter.chunks(part) if (piece := chunk.strip()))


def _without_links(text: str) -> str:
    """Links and images as their words: their targets lie beside the file, where no reader of a passage is."""
    return _LINK.sub(r"\1", text)
