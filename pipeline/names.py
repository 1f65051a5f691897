"""Names as people are shown them: of files, documents, headings, conversations and models. Pure.

A name stands in the page's own lines and in a prompt, so nothing in it may hide, turn its direction round, or be longer
than a person reads. Directions are turned by format characters (Unicode TR 36, 2.3): `exe.fdp` reads as a PDF with one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

NAME_CHARS = 200
PATH_JOIN = " › "
_CUT = "…"

# Control characters, halves of surrogate pairs, signs without width but for the two that join letters (ZWJ, ZWNJ),
# marks, embeddings, overrides and isolates of direction, and the tags that spell ASCII without being seen.
_UNSHOWN = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


def shown_name(text: str, most: int = NAME_CHARS) -> str:
    """`text` on one line, without what is not seen, its end cut beyond `most` characters."""
    # What is far beyond the cut is not looked at: a title may be megabytes long.
    line = " ".join(_UNSHOWN.sub("", text[: 20 * most]).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + _CUT


def shown_file(name: str, most: int = NAME_CHARS) -> str:
    """A file's name or path, its beginning cut: the ending says what it is."""
    line = " ".join(_UNSHOWN.sub("", name[-20 * most :]).split())
    return line if len(line) <= most else _CUT + line[1 - most :].lstrip()


def shown_path(names: Sequence[str], most: int = NAME_CHARS) -> str:
    """The names of a path, outermost first; of a long one the innermost that fit, which say most."""
    path = PATH_JOIN.join(names)
    first = 0
    while len(path) > most and first < len(names) - 1:
        first += 1
        path = PATH_JOIN.join([_CUT, *names[first:]])
    return path if len(path) <= most else shown_name(names[-1], most)
