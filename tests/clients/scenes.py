"""What every client is asked, and the application that it asks: a provider that says known words, two documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.provider import Provider

TOKEN, WRONG_TOKEN = "token-of-the-host", "token-of-nobody"
# The endless one is ended at a limit of characters, always at the same one, and does not rest for it.
MODELS, LIMIT_CHARS = ("cites", "endless-gap-0"), 500
DOCUMENTS = {
    "brewing.md": "# Brewing\n\n## Water\n\n"
    "Water temperature changes the taste of coffee: hotter water dissolves more.\n",
    "storing.md": "# Storing\n\n## Beans\n\n"
    "Coffee beans keep their taste in a closed tin, away from light and water.\n",
}


@dataclass(frozen=True)
class Scene:
    """One call of a snippet's function."""

    function: str
    model: str = "cites"
    question: str = "Why does water temperature change the taste of coffee?"
    token: str = TOKEN

    def called_at(self, base_url: str) -> dict[str, Any]:
        """The function and its arguments, for the script that calls it."""
        return {"function": self.function, "arguments": [base_url, self.token, self.model, self.question]}


SCENES: Mapping[str, Scene] = MappingProxyType(
    {
        "whole": Scene("ask"),
        "streamed": Scene("stream"),
        "blank question": Scene("ask", question=" "),
        "blank question, streamed": Scene("stream", question=" "),
        "wrong token": Scene("ask", token=WRONG_TOKEN),
        "unknown model": Scene("ask", model="nobody"),
        "failed answer": Scene("ask", model="endless-gap-0"),
        "broken stream": Scene("stream", model="endless-gap-0"),
    }
)


def settings(folder: Path, provider: Provider) -> dict[str, Any]:
    """The application's settings; the documents are written into the folder."""
    documents = folder / "documents"
    documents.mkdir()
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text, "utf-8")
    entries = [{"label": wish, "model": f"hosted_vllm/{wish}", "api_base": provider.base} for wish in MODELS]
    return {
        "documents_dir": str(documents),
        "models": entries,
        "default_model": MODELS[0],
        "answer_limit_chars": LIMIT_CHARS,
        "api_token": TOKEN,
        "cache_answers": False,
        "ollama_base_url": "off",
    }
