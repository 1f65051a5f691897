"""The built-in model: a DSPy engine that answers with quoted sentences of the passages in its prompt.

The answer consists of quotes, each with its [n], after at most one constant sentence. The reasoning says which words
were compared and with what result, and claims nothing else. It needs no key, no network and about 5 ms. It knows no
search and no turn: it reads ChatAdapter's prompt only.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dspy.lm15 import (
    Message,
    Request,
    Response,
    StreamDeltaEvent,
    StreamEndEvent,
    StreamStartEvent,
    TextDelta,
    TextPart,
    Usage,
)

from pipeline.field_names import COMPLETED
from pipeline.models.builtin.key_figures import key_figures
from pipeline.models.builtin.overview_answer import overview_of
from pipeline.models.builtin.overview_question import OverviewQuestion, overview_question_of
from pipeline.models.builtin.quoted_answer import quoted_answer
from pipeline.prompt_passages import PromptPassage, neutral, read_numbered
from pipeline.prompt_sections import ASKS_FOR_OUTPUT
from pipeline.retrieval.terms import language_of

PACE_S = 0.012  # pause between two words, so that a person sees the text being written

_FIELD = re.compile(r"^\[\[ ## (\w+) ## \]\][ \t]*$", re.MULTILINE)
_OUTPUT = re.compile(r"\[\[ ## (\w+) ## \]\]")
DEFAULT_OUTPUTS = ("reasoning", "answer")
SECTIONS_MOST = 12  # that a summary quotes
# A field's marker is one piece, since nobody sees it being written.
_PIECE = re.compile(r"\s*\[\[ ## \w+ ## \]\]\n?|\s*\S+|\s+$")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The parts of a prompt.

    `previous` is the question and answer of the previous turn; `outputs` are the names of the fields asked for.
    """

    question: str
    passages: tuple[PromptPassage, ...]
    previous: tuple[str, str] | None
    outputs: tuple[str, ...] = DEFAULT_OUTPUTS


class ExtractiveEngine:
    """The synchronous engine, without pauses."""

    def complete(self, request: Request) -> Response:
        """Return the complete reply."""
        text = reply(request)
        parts = Message.assistant([TextPart(text)])
        return Response(id=None, model=request.model, message=parts, finish_reason="stop", usage=_usage(request, text))

    def stream(self, request: Request) -> Iterator[Any]:
        """Stream the reply word by word."""
        text = reply(request)
        yield StreamStartEvent(model=request.model)
        for piece in _PIECE.findall(text):
            yield StreamDeltaEvent(TextDelta(text=piece))
        yield StreamEndEvent(finish_reason="stop", usage=_usage(request, text))

    def close(self) -> None:
        """Nothing is open."""

    def dump_state(self) -> dict[str, Any]:
        """Return the state that DSPy stores of this engine in a saved program."""
        return {}

    @classmethod
    def load_state(cls, state: dict[str, Any]) -> ExtractiveEngine:
        """The reverse of `dump_state`."""
        return cls(**state)


class AsyncExtractiveEngine:
    """The asynchronous engine: pauses `pace_s` after every word, where a stream can be cancelled."""

    def __init__(self, pace_s: float = PACE_S) -> None:
        self._pace_s = pace_s

    async def complete(self, request: Request) -> Response:
        """Return the complete reply at once."""
        return ExtractiveEngine().complete(request)

    async def stream(self, request: Request) -> AsyncIterator[Any]:
        """Stream the reply word by word with pauses."""
        for event in ExtractiveEngine().stream(request):
            yield event
            await asyncio.sleep(self._pace_s if isinstance(event, StreamDeltaEvent) else 0)

    async def aclose(self) -> None:
        """Nothing is open."""

    def dump_state(self) -> dict[str, Any]:
        """Return the state that DSPy stores of this engine in a saved program."""
        return {"pace_s": self._pace_s}

    @classmethod
    def load_state(cls, state: dict[str, Any]) -> AsyncExtractiveEngine:
        """The reverse of `dump_state`."""
        return cls(**state)


def reply(request: Request) -> str:
    """Return the model's reply to a request, in ChatAdapter's format."""
    prompt = read_prompt([(message.role, message.text or "") for message in request.messages])
    reasoning, answer = _whole_answer(prompt) or quoted_answer(prompt.question, prompt.previous, prompt.passages)
    made = {"reasoning": reasoning, "analysis": reasoning, "answer": answer}
    if "summary" in prompt.outputs:
        made |= _document_fields(prompt)
    fields = {name: made[name] for name in prompt.outputs if made.get(name)}
    written = "\n\n".join(f"[[ ## {name} ## ]]\n{neutral(text)}" for name, text in fields.items())
    return f"{written}\n\n[[ ## completed ## ]]\n"


def _document_fields(prompt: Prompt) -> dict[str, str]:
    """Return the beginnings of a document and of its sections, and the quantities that stand in it."""
    language = language_of(prompt.question)
    summary = overview_of(OverviewQuestion("summary"), _beginnings(prompt.passages), language)
    return {"summary": summary[1] if summary else "", "key_figures": key_figures(prompt.passages, language)}


def _beginnings(passages: Sequence[PromptPassage]) -> Sequence[PromptPassage]:
    """Return the first passage of each section, at most SECTIONS_MOST."""
    firsts: dict[str, PromptPassage] = {}
    for each in passages:
        firsts.setdefault(" › ".join(each.heading.split(" › ")[:2]), each)
    return tuple(firsts.values())[:SECTIONS_MOST]


def _whole_answer(prompt: Prompt) -> tuple[str, str] | None:
    """Return reasoning and answer to a question about documents as a whole; None for any other."""
    whole = overview_question_of(prompt.question, prompt.previous[0] if prompt.previous else None)
    return overview_of(whole, prompt.passages, language_of(prompt.question)) if whole else None


def read_prompt(messages: Sequence[tuple[str, str]]) -> Prompt:
    """Read the question, its passages and the previous turn from ChatAdapter's messages as (role, text)."""
    last = messages[-1][1] if messages else ""
    fields, outputs = _fields(last), _OUTPUT.findall(last.rpartition(ASKS_FOR_OUTPUT)[2])
    passages = read_numbered(fields.get("passages", ""))
    asked = tuple(name for name in outputs if name != COMPLETED) if ASKS_FOR_OUTPUT in last else ()
    return Prompt(fields.get("question", ""), passages, _previous(messages[:-1]), asked or DEFAULT_OUTPUTS)


def _previous(messages: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """Return the previous question and answer. An optimiser's demonstrations differ from them by their passages."""
    if [role for role, _ in messages[-2:]] != ["user", "assistant"]:
        return None
    asked, answered = (_fields(text) for _, text in messages[-2:])
    return None if "passages" in asked else (asked.get("question", ""), answered.get("answer", ""))


def _fields(message: str) -> dict[str, str]:
    """Read the fields of a message. The first of equal names counts, since passages come before the person's text."""
    body = message.rpartition(ASKS_FOR_OUTPUT)[0] or message
    parts = _FIELD.split(body)
    fields: dict[str, str] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        fields.setdefault(name, text.strip())
    return fields


def _usage(request: Request, text: str) -> Usage:
    """Count words as tokens, since the model has no tokens."""
    asked = sum(len((message.text or "").split()) for message in request.messages)
    return Usage(input_tokens=asked, output_tokens=len(text.split()))
