"""Texts of which pieces are sent that cannot be taken back. Pure.

After a reset nothing is sent while the new text is the beginning of what was sent. If it goes on alike, it goes on
behind it. Else it begins anew, at once: for people behind a notice that withdraws the text above.
"""

from __future__ import annotations

from typing import NamedTuple

from i18n import text
from pipeline.events import FieldDelta, FieldReset

BREAK = "\n\n"


class Sent(NamedTuple):
    """What is to be sent; where it `begins_anew`, all that was sent before of the text is withdrawn."""

    text: str = ""
    begins_anew: bool = False


class AppendedText:
    """One text."""

    def __init__(self) -> None:
        self._pieces: list[str] = []  # of the present text, as sent
        self._before = ""  # the pieces, joined at the reset
        self._again: int | None = None  # characters said again since a reset; None without one

    @property
    def said(self) -> str:
        """The text as it was said, so far."""
        return "".join(self._pieces) if self._again is None else self._before[: self._again]

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


class AnnouncedText:
    """One field's text for readers of one stream, with a notice before a text that took the place of another one."""

    def __init__(self, field: str, language: str) -> None:
        self._field, self._language = field, language
        self._text, self._sent = AppendedText(), list[str]()

    @property
    def sent(self) -> str:
        """All that was sent."""
        return "".join(self._sent)

    def add(self, event: FieldDelta | FieldReset) -> str:
        """Return what is to be sent now, "" for nothing, as for an event of another field."""
        if event.field != self._field:
            return ""
        if isinstance(event, FieldDelta):
            return self._written(self._text.add(event.text))
        self._text.reset()
        return ""

    def end(self, whole: str) -> str:
        """Return what is to be sent at the end of the text, which is `whole`, also where some of it was not said."""
        said = self._text.said
        if not whole.startswith(said):
            self._text.reset()
            said = ""
        more = self._written(self._text.add(whole[len(said) :])) if len(whole) > len(said) else ""
        return more + self._written(self._text.rest())

    def _written(self, sent: Sent) -> str:
        is_announced = sent.begins_anew and sent.text
        written = f"{BREAK}{text('answer.withdrawn', self._language)}{BREAK}{sent.text}" if is_announced else sent.text
        self._sent.append(written)
        return written
