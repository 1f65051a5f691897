"""Text as every database and encoding takes it."""

from __future__ import annotations

import re

# Halves of a character that a cut left behind (no encoding), and NUL (Postgres).
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Replace each character that cannot be stored by the replacement character."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def is_storable(text: str) -> bool:
    """Return whether the text can be stored as it is."""
    return not _UNSTORABLE.search(text)
