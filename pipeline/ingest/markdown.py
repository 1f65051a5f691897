"""Reads Markdown and plain text: front matter, headings, and links as their words.

It knows no index, and no language but the one that a file declares.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.ingest import ChunkSize, Document
from pipeline.ingest.blocks import CONTROL
from pipeline.ingest.chunks import Extract, Heading, Table, document_of

if TYPE_CHECKING:
    from markdown_it.token import Token

_log = logging.getLogger(__name__)
_SUFFIXES = frozenset({".md", ".txt"})
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(r"^(\w+):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
# Matches certain links only: the target has a dot, a slash or a hash. `a[1](x)` in code stays unchanged.
_LINK = re.compile(r"(?<!\w)!?\[([^\[\]\n]*)\]\((?=[^()\s]*[./#])[^()\s]*\)")
_LINE_END = re.compile(r"\r\n?")
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_DEFINITION = re.compile(r"[ >]*\[[^\]\n]+\]:")


def read_folder(folder: Path, size: ChunkSize = ChunkSize()) -> tuple[Document, ...]:  # noqa: B008 (a frozen value)
    """Read every *.md and *.txt below `folder`, by name. A file that cannot be read is skipped and logged."""
    read = (read_file(folder, path, size) for path in files_in(folder))
    return tuple(document for document in read if document)


def files_in(folder: Path) -> list[Path]:
    """Return every *.md and *.txt below `folder`, by name."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())


def read_file(folder: Path, path: Path, size: ChunkSize) -> Document | None:
    """Read a file; None, after one line in the log, when it holds no text."""
    name = path.relative_to(folder).as_posix()
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    except OSError:
        reason = "it cannot be read"
    else:
        extract = text_extract(text) if path.suffix.lower() == ".txt" else markdown_extract(text)
        document = document_of(extract, hashlib.sha256(content).hexdigest(), name, size)
        if document.chunks and "\0" not in text:
            return document
        reason = "it is empty" if not document.chunks else "it is binary"
    _log.warning("Skipped the document %r: %s.", name, reason)
    return None


def text_extract(text: str) -> Extract:
    """Read plain text: only front matter is interpreted."""
    front, body = _front_matter(text)
    return Extract(body, (), front.get("title", ""), front.get("language", ""), markdown=False)


def markdown_extract(text: str) -> Extract:
    """Read Markdown with its headings. Links and images are reduced to their words, since their targets are not shown.

    HTML in it is read like HTML: comments, hidden elements and link definitions are left out, since a browser does not
    show them.
    """
    from markdown_it import MarkdownIt  # the import takes half the time of reading a plain text, which does not need it

    front, body = _front_matter(text)
    lines = body.split("\n")
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    for first, last in (*_unseen_blocks(tokens), *_definitions(tokens, lines)):
        lines[first:last] = [""] * (last - first)
    for token in tokens:
        if token.map and (token.type == "html_block" or "<" in token.content) and any(lines[slice(*token.map)]):
            _show(token, lines)
    lines = [_without_links(line) for line in lines]
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    return Extract(
        "\n".join(lines),
        tuple(_headings(tokens, starts)),
        front.get("title", ""),
        front.get("language", ""),
        tables=tuple(_tables(tokens, lines, starts)),
    )


def _show(token: Token, lines: list[str]) -> None:
    """Replace the first line of a block with what a browser shows of the block."""
    assert token.map
    first, last = token.map
    if token.type == "html_block":
        from pipeline.ingest.html import html_extract

        lines[first:last] = [html_extract(f"<body>{token.content}").text, *[""] * (last - first - 1)]
        return
    from pipeline.ingest.html import hiding_tag

    block = "\n".join(lines[first:last])
    for child in token.children or ():
        begin = block.find(child.content) if child.type == "html_inline" else -1
        if begin < 0:
            continue
        end = begin + len(child.content)
        if tag := hiding_tag(child.content):
            closing = re.compile(rf"</{tag}\s*>", re.IGNORECASE).search(block, end)
            end = closing.end() if closing else len(block)
        elif not child.content.startswith("<!--"):
            continue
        block = block[:begin] + re.sub("[^\n]", "", block[begin:end]) + block[end:]
    lines[first:last] = block.split("\n")


def _unseen_blocks(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Return the lines between a hidden element and its end, where blank lines divide its content into blocks."""
    from pipeline.ingest.html import hiding_tag

    begin, wanted = 0, ""
    for token in tokens:
        if token.type != "html_block" or not token.map:
            continue
        if wanted:
            if f"</{wanted}" in token.content.lower():
                yield begin, token.map[0]
                wanted = ""
            continue
        for opening in _TAG.finditer(token.content):
            tag = hiding_tag(opening[0])
            if tag and f"</{tag}" not in token.content[opening.end() :].lower():
                begin, wanted = token.map[1], tag
    if wanted:
        yield begin, max((token.map[1] for token in tokens if token.map), default=begin)


def _definitions(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Return the lines that belong to no block and define links."""
    held = {line for token in tokens if token.map and token.nesting == 0 for line in range(*token.map)}
    begin: int | None = None
    for number in range(len(lines) + 1):
        is_free = number < len(lines) and number not in held and bool(lines[number].strip())
        if is_free and begin is None and _DEFINITION.match(lines[number]):
            begin = number
        elif not is_free and begin is not None:
            yield begin, number
            begin = None


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """Split `key: value` lines between two `---` at the very start from the rest of the text."""
    text = _LINE_END.sub("\n", text).translate(CONTROL)
    found = _FRONT_MATTER.match(text)
    if not found:
        return {}, text
    return {key.lower(): value.strip("\"'") for key, value in _ENTRY.findall(found[1])}, text[found.end() :]


def _headings(tokens: Sequence[Token], starts: Sequence[int]) -> Iterator[Heading]:
    """Return the headings of the tokens; line n of the text begins at `starts[n]`."""
    length = max(0, starts[-1] - 1)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            first, last = token.map
            title = _without_links(inline.content).strip()
            yield Heading(int(token.tag.removeprefix("h")), title, starts[first], min(starts[last], length))


def _tables(tokens: Sequence[Token], lines: Sequence[str], starts: Sequence[int]) -> Iterator[Table]:
    for token in tokens:
        if token.type == "table_open" and token.level == 0 and token.map:
            first, last = token.map
            while last > first + 2 and not lines[last - 1].strip():
                last -= 1
            yield Table(starts[first], min(starts[first + 2], starts[last] - 1), starts[last] - 1)


def _without_links(text: str) -> str:
    return _LINK.sub(lambda link: link[1], text)
