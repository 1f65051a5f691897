"""The content of messages as OpenAI's clients send it: a text or a list of parts, instructions, and tasks. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from api.json_bodies import TOLERANT
from pipeline.errors import Refused
from pipeline.turn import INSTRUCTIONS_CHARS

# How the templates of Open WebUI begin, by which it asks a model for titles, tags, follow-up questions and searches,
# and what all of them hold.
TASK_BEGINNING, TASK_CHAT = "### Task:", "<chat_history>"
TEXT_PARTS = ("text", "input_text", "output_text")


class Part(BaseModel):
    """One part of a content."""

    model_config = TOLERANT

    type: str
    text: str | None = None


Content = str | list[Part] | None


def text_of(content: Content, *, is_question: bool = False) -> str:
    """Return the text of a content; its parts are joined by line breaks.

    Pictures, sounds and files of earlier messages are left out. Raises Refused where the question holds one: an answer
    that ignored it would mislead.
    """
    if content is None or isinstance(content, str):
        return content or ""
    if is_question and any(part.type not in TEXT_PARTS for part in content):
        raise Refused("not_text")
    return "\n".join(part.text for part in content if part.type in TEXT_PARTS and part.text)


def check_is_no_task(question: str) -> None:
    """Refuse work on a chat that a client asks for by itself: no document answers it. Raises Refused."""
    if question.startswith(TASK_BEGINNING) and TASK_CHAT in question:
        raise Refused("client_task")


def instructions_of(texts: Iterable[str]) -> str | None:
    """Return the instructions of several messages as one; None without any. Raises Refused."""
    joined = "\n\n".join(each for each in texts if each.strip())
    if len(joined) > INSTRUCTIONS_CHARS:
        raise Refused("long_instructions", INSTRUCTIONS_CHARS)
    return joined or None
