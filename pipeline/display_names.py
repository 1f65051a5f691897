"""Makes names safe to show: of files, documents, headings, conversations and models. Pure.

A name appears in the page's own lines and in prompts, so it must not hide characters, change the text direction, or be
too long. Format characters change the direction (Unicode TR 36, 2.3): with one, `exe.fdp` reads as a PDF.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

NAME_CHARS = 200
PATH_JOIN = " › "
_CUT = "…"

# Control characters, halves of surrogate pairs, zero-width characters except the two that join letters (ZWJ, ZWNJ),
# marks, embeddings, overrides and isolates of direction, and the invisible tags that spell ASCII.
_UNSHOWN = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


def shown_name(text: str, most: int = NAME_CHARS) -> str:
    """Return `text` on one line without invisible characters, its end cut beyond `most` characters."""
    # Text far beyond the cut is ignored, since a title may be megabytes long.
    line = " ".join(_UNSHOWN.sub("", text[: 20 * most]).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + _CUT


def shown_file(name: str, most: int = NAME_CHARS) -> str:
    """Return a file's name or path, shortened at its beginning, since the ending shows its kind."""
    line = " ".join(_UNSHOWN.sub("", name[-20 * most :]).split())
    return line if len(line) <= most else _CUT + line[1 - most :].lstrip()


def shown_path(names: Sequence[str], most: int = NAME_CHARS) -> str:
    """Join the names of a path, outermost first; of a long path only the innermost names that fit."""
    path = PATH_JOIN.join(names)
    first = 0
    while len(path) > most and first < len(names) - 1:
        first += 1
        path = PATH_JOIN.join([_CUT, *names[first:]])
    return path if len(path) <= most else shown_name(names[-1], most)
