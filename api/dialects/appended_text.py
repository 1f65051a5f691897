"""The text of one field for clients that can only append. Pure."""

from __future__ import annotations

from pipeline.events import FieldDelta, FieldReset

BREAK = "\n\n"  # between text that was withdrawn and the text in its place


class AppendedText:
    """What a client is sent of one field, so that the pieces add up to its text.

    What was sent cannot be taken back. After a reset nothing is sent until the new text has passed what was sent, which
    it usually begins with; then it goes on behind it. Where it differs, nothing is sent before the ending, and then the
    whole new text behind an empty line.
    """

    def __init__(self, field: str = "answer") -> None:
        self._field = field
        self._sent: list[str] = []
        self._new: str | None = None  # the text since the last reset, while it is behind what was sent

    def add(self, event: FieldDelta | FieldReset) -> str:
        """Return what is to be sent now, "" for nothing."""
        if event.field != self._field:
            return ""
        if isinstance(event, FieldReset):
            self._new = "" if self._sent else None
            return ""
        if self._new is None:
            self._sent.append(event.text)
            return event.text
        self._new += event.text
        sent = self._text
        if not self._new.startswith(sent):
            return ""
        missing, self._new = self._new[len(sent) :], None
        return self._send(missing)

    def end(self, text: str) -> str:
        """Return what is still to be sent of the field's text at the ending, which is `text`."""
        sent = self._text
        if text.startswith(sent):
            return self._send(text[len(sent) :])
        return self._send(BREAK + text) if text else ""

    @property
    def _text(self) -> str:
        self._sent = ["".join(self._sent)]
        return self._sent[0]

    def _send(self, text: str) -> str:
        self._sent.append(text)
        return text
