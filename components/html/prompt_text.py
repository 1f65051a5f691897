"""Prompts as HTML: their text as it was sent, with DSPy's markers tinted and numbered passages folded. Pure.

Every character is shown: what a browser would hide or obey, such as a NUL or a sign that turns the direction of
writing, is shown as its code point.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from components.html.html_elements import NOTHING, joined
from components.html.markdown import plain
from i18n import text as text_of
from pipeline.metrics import estimated_tokens
from pipeline.prompt_passages import neutral, numbered_spans
from pipeline.prompt_sections import MARKER, sections

WHOLE_CHARS, SHOWN_CHARS = 6_000, 2_000  # of a longer text the rest is folded

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def passages_chars(content: str) -> int:
    """The characters of the sections that hold passages."""
    return sum(each.end - each.start for each in sections(content) if each.holds_passages)


def content_html(content: str, own_instructions: str = "") -> Markup:
    """Return a message; `own_instructions` are marked where they stand in it."""
    parts = []
    for each in sections(content):
        piece = content[each.start : each.end]
        marker = MARKER.match(piece)
        if each.holds_passages and marker:
            parts += [_pre(marker[0]), *_passages(piece[marker.end() :])]
        else:
            parts.append(_folded(piece, own_instructions))
    return joined(parts)


def written(content: str) -> Markup:
    """Return text with its markers tinted, and every sign visible."""
    return joined(_signs(content))


def _signs(content: str) -> Iterator[Markup]:
    at = 0
    for found in re.finditer(f"{MARKER.pattern}|{_UNSEEN.pattern}", content):
        yield escape(content[at : found.start()])
        if found[0].startswith("[["):
            yield Markup('<b class="marker">{}</b>').format(found[0])
        else:
            yield Markup('<i class="unseen-sign">U+{:04X}</i>').format(ord(found[0]))
        at = found.end()
    yield escape(content[at:])


def _pre(content: str, own_instructions: str = "") -> Markup:
    span = _own_span(content, own_instructions)
    if span is None:
        return Markup('<pre dir="auto">{}</pre>').format(written(content)) if content.strip() else NOTHING
    start, end = span
    return Markup('<pre dir="auto">{}<mark class="own">{}</mark>{}</pre>').format(
        *map(written, (content[:start], content[start:end], content[end:]))
    )


def _own_span(content: str, own_instructions: str) -> tuple[int, int] | None:
    """Where the instructions stand; DSPy indents their lines."""
    lines = [line.strip() for line in neutral(own_instructions).strip().splitlines()]
    found = re.search(r"\s*\n\s*".join(map(re.escape, lines)), content) if any(lines) else None
    return found.span() if found else None


def _folded(content: str, own_instructions: str) -> Markup:
    """Return a text, of a long one only its beginning until it is unfolded."""
    if len(content) <= WHOLE_CHARS:
        return _pre(content.strip("\n"), own_instructions)
    beginning, rest = content[:SHOWN_CHARS], content[SHOWN_CHARS:]
    return _pre(beginning, own_instructions) + Markup('<details class="rest"><summary>{}</summary>{}</details>').format(
        text_of("inspector.rest", chars=len(rest)), _pre(rest, own_instructions)
    )


def _passages(content: str) -> Iterator[Markup]:
    """Yield the passages, each folded under its number and heading, and what stands between them."""
    at = 0
    for passage in numbered_spans(content):
        yield _pre(content[at : passage.start].strip("\n"))
        at = passage.end
        yield Markup(
            '<details class="passage"><summary><span class="number">{}</span>{}<em>{}</em></summary>{}</details>'
        ).format(
            passage.number,
            plain(passage.heading),
            text_of("inspector.about_tokens", tokens=estimated_tokens(content[passage.start : passage.end])),
            _pre(content[passage.text_start : passage.end].strip("\n")),
        )
    yield _pre(content[at:].strip("\n"))
