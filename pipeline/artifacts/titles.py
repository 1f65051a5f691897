"""Titles of artifacts: one short line of plain text each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from pipeline.markdown.blocks import plain_text

TITLE_CHARS = 80
SEARCHED_LINES = 40  # of code, for the first thing that it defines

_FILE = r"[\w./\\@+-]*\w\.\w{1,10}"
_NAMED_IN_INFO = re.compile(rf"""(?:\b(?:title|file|filename|name)\s*=\s*|:)["']?({_FILE})["']?""")
_FILE_COMMENT = re.compile(
    rf"\s*(?:#|//|--|;|%|/\*+|<!--|rem\b|\"\"\")\s*(?:file(?:name)?\s*:\s*)?({_FILE})\s*(?:\*+/|-->|\"\"\")?\s*",
    re.IGNORECASE,
)
_DEFINITION = re.compile(
    r"\s*(?:(?:export|default|public|private|static|abstract|final|async|pub|create|or|replace|temp|temporary)\s+)*"
    r"(?:def|class|function|func|fn|interface|struct|enum|trait|type|table|view|procedure|module)\s+"
    r"(?:if\s+not\s+exists\s+)?[\"`\[]?([A-Za-z_][\w.]*)",
    re.IGNORECASE,
)
_SPACING = re.compile(r"(?<!\\)\\(?:[,;:!> ]|q?quad\b)")
_CAPTION = re.compile(
    r"(?:\*\*|__)(?P<bold>[^\n]+?)(?:\*\*|__):?|(?P<named>(?:table|tabelle)\s+\d+\s*[:.–-]\s*\S.*)", re.I
)


def shortened(text: str) -> str:
    """Return the text as one line of at most TITLE_CHARS."""
    line = " ".join(text.split())
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1].rstrip() + "…"


def heading_title(inline: str) -> str:
    """The text of a heading."""
    return shortened(plain_text(inline))


def code_title(info: str, code: str, heading: str) -> str:
    """Return the file that the code names, else what it defines first, else the heading above, else its first line."""
    lines = [line for line in code.splitlines() if line.strip()][:SEARCHED_LINES]
    named = _NAMED_IN_INFO.search(info) or (_FILE_COMMENT.fullmatch(lines[0]) if lines else None)
    if named:
        return shortened(re.split(r"[/\\]", named[1])[-1])
    defined = next((match for match in map(_DEFINITION.match, lines) if match), None)
    return shortened(defined[1] if defined else heading or (lines[0] if lines else ""))


def formula_title(tex: str) -> str:
    """The TeX itself, without the commands that only set its spaces."""
    return shortened(_SPACING.sub(" ", tex))


def table_title(tokens: Sequence[Token], at: int, before: str) -> str:
    """Return the caption of the table that opens at a place, else the names of its columns.

    A caption is a paragraph directly before the table; `before` is the paragraph before the first token, or "".
    """
    if at >= 2 and tokens[at - 1].type == "paragraph_close":
        before = tokens[at - 2].content
    caption = _CAPTION.fullmatch(before.strip()) if at == 0 or tokens[at - 1].type == "paragraph_close" else None
    if caption:
        return shortened(plain_text(caption["bold"] or caption["named"]).rstrip(":"))
    names = []
    for token in tokens[at:]:
        if token.type == "thead_close":
            break
        if token.type == "inline":
            names.append(plain_text(token.content))
    return shortened(", ".join(name for name in names if name.strip()))
