"""Makes a question and the turns before it out of the messages of a chat, as clients send them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from pipeline.turn import Said

Role = Literal["user", "assistant"]


class Message(NamedTuple):
    """One message of a chat."""

    role: Role
    text: str


def said_in(messages: Iterable[Message]) -> tuple[str, tuple[Said, ...]]:
    """Return the last message of the user as the question, and what was said before it as turns, oldest first.

    Messages of one side in a row are joined by an empty line. What the assistant says first, or after the question,
    answers nothing and is left out. Without a message of the user the question is "".
    """
    turns: list[Said] = []
    last: Role | None = None
    for role, text in messages:
        if role == "user" and last == "user":
            turns[-1] = Said(_joined(turns[-1].question, text))
        elif role == "user":
            turns.append(Said(text))
        elif turns:
            turns[-1] = Said(turns[-1].question, _joined(turns[-1].answer, text))
        last = role
    return (turns[-1].question, tuple(turns[:-1])) if turns else ("", ())


def _joined(before: str, text: str) -> str:
    return f"{before}\n\n{text}" if before and text else before or text
