"""Makes texts of evaluations."""

from __future__ import annotations

from i18n import ENGLISH, text


def set_title(title: str, name: str | None, language: str = ENGLISH) -> str:
    """Return what a question set is called: its own title, else what it is."""
    if title:
        return title
    return text(f"evaluate.set_{name}" if name in ("bundled", "ratings") else "evaluate.set_request", language)
