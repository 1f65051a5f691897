"""What both of OpenAI's protocols write: texts that cannot be taken back, headings of fields, warnings, what Open WebUI
reads beside OpenAI's keys. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from api.dialects.cited import title_of
from i18n import has, text
from i18n.messages import warning_text
from pipeline.events import Event, Warned
from pipeline.passages import Passage

ANSWER = "answer"
PLAIN_REASONING = ("reasoning", "thinking")  # every other field but the answer stands under its title
BREAK = "\n\n"


class Sent(NamedTuple):
    """What is to be sent; where it `begins_anew`, all that was sent before of the text is withdrawn."""

    text: str = ""
    begins_anew: bool = False


class SentText:
    """A text of which pieces are sent that cannot be taken back.

    After a reset nothing is sent while the new text is the beginning of what was sent. If it goes on alike, so does
    the text; else it begins anew.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []  # of the present text, as sent
        self._before = ""  # the pieces, joined at the reset
        self._again: int | None = None  # characters said again since a reset; None without one

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was reset, and nothing was said since."""
        return self._again == 0

    def add(self, piece: str) -> Sent:
        """Return what is to be sent for one more piece."""
        if self._again is None:
            self._pieces.append(piece)
            return Sent(piece)
        if self._before.startswith(piece, self._again):
            self._again += len(piece)
            return Sent()
        return self._said_again(self._before[: self._again] + piece)

    def reset(self) -> None:
        """Withdraw the text: the next piece begins another one."""
        if self._pieces:
            self._pieces = ["".join(self._pieces)]
            self._before, self._again = self._pieces[0], 0

    def rest(self) -> Sent:
        """Return what is to be sent at the end."""
        if self._again is None or self._again == len(self._before):
            return Sent()
        return self._said_again(self._before[: self._again])

    def _said_again(self, again: str) -> Sent:
        self._again = None
        if again.startswith(self._before):
            more = again[len(self._before) :]
            self._pieces.append(more)
            return Sent(more)
        self._pieces = [again] if again else []
        return Sent(again, begins_anew=True)


def heading(field: str, language: str) -> str:
    """Return what a field stands under; "" for reasoning."""
    if field in PLAIN_REASONING:
        return ""
    key = f"field.{field}.title"
    title = text(key, language) if has(key) else field.replace("_", " ")
    return f"**{title}**{BREAK}"


def warnings_of(events: Iterable[Event], language: str) -> dict[str, Any]:
    """Return what a reader should know about the answer; no key without any."""
    warned = [{"code": e.code, "text": warning_text(e, language)} for e in events if isinstance(e, Warned)]
    return {"warnings": warned} if warned else {}


def source_event(sources: Sequence[tuple[Passage, str]]) -> dict[str, Any]:
    """Return passages, each with its link, as Open WebUI shows them: `[n]` is the n-th of all that arrive."""
    texts = [passage.text for passage, _ in sources]
    metadata = [{"source": url, "name": title_of(passage), "external": True} for passage, url in sources]
    source = {"name": metadata[0]["name"], "url": metadata[0]["source"]}
    return {"event": {"type": "source", "data": {"source": source, "document": texts, "metadata": metadata}}}
