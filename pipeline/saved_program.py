"""A visitor's saved program, as it is stored."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

_BYTES = 8  # of the random part of a name


@dataclass(frozen=True, slots=True)
class SavedProgram:
    """The state of a program, as DSPy saves it (JSON), under a name that is unique among all visitors.

    `program` is the one whose state this is, `created_at` in seconds since the epoch.
    """

    name: str
    title: str
    program: str
    state: bytes
    created_at: float = 0.0


def new_name() -> str:
    """Return a name that nobody can guess."""
    return f"saved-{secrets.token_hex(_BYTES)}"
