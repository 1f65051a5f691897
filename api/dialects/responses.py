"""OpenAI's Responses API: a turn as its events with `event:` lines and numbers, or as one object.

The first event after a search names the passages that it found under `event`, as Open WebUI reads them: in the order of
their numbers and before any text, since it takes `[n]` for the n-th source that arrived.

The object of a response is made from the events of its turn alone, so the last event of a stream, the answer without
streaming and a later request for the same response hold the same. What a turn does not store (`metadata`) is there only
in the answer to the request that sent it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import Any

from api.dialects import Encoder, Problem
from api.dialects.cited import Link, cited_in, title_of, verdict_json
from api.dialects.event_stream import EventStream
from api.dialects.frames import frame
from api.dialects.openai_errors import Error, error_of, status_of
from api.dialects.openai_texts import ANSWER, source_event, warnings_of
from api.dialects.response_items import COMPLETED, IN_PROGRESS, INCOMPLETE, MESSAGE, TEXT_DELTA, OutputItems
from i18n.messages import ending_text
from pipeline.events import (
    Ending,
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    SentenceChecked,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
    passages_after,
)
from pipeline.passages import Passage
from pipeline.recording import language_of_turn
from pipeline.turn import DEFAULTS, Turn
from pipeline.turns.sentence_checks import checks_of

Json = dict[str, Any]

QUESTION = "input"  # the key of a request that holds the question
RESPONSE = "resp_"  # with the id of its turn, the id of a response
CANCELLED, FAILED = "cancelled", "failed"

# The reason why a turn's answer is incomplete; OpenAI knows these two.
REASONS: Mapping[str, str] = MappingProxyType({"length": "max_output_tokens", "content_filter": "content_filter"})
# Our code of a failure → OpenAI's, of which there are few; the others are its server's error.
CODES: Mapping[str, str] = MappingProxyType(
    {
        "rate_limit": "rate_limit_exceeded",
        "over_budget": "rate_limit_exceeded",
        "content_filter": "invalid_prompt",
        "context_window_exceeded": "invalid_prompt",
        "prompt_too_long": "invalid_prompt",
    }
)


def response_id(turn_id: str) -> str:
    """Return the id of a turn's response."""
    return RESPONSE + turn_id


def turn_id_of(response_id: str) -> str:
    """Return the id of a response's turn; "" for what is no id of a response."""
    return response_id.removeprefix(RESPONSE) if response_id.startswith(RESPONSE) else ""


def turn_id_of_item(item_id: str) -> str:
    """Return the id of the turn whose message has this id; "" for what is no id of a message."""
    return item_id.removeprefix(MESSAGE).rpartition("_")[0] if item_id.startswith(MESSAGE) else ""


@dataclass(frozen=True, slots=True)
class Responses(EventStream):
    """The dialect of one request: how a passage is linked, what is echoed, and the number of the last event sent."""

    link: Link
    metadata: Mapping[str, str] = field(default_factory=dict)
    after: int = -1
    numbers: Iterator[int] = field(default_factory=count)  # of the events of its one stream

    def encoder(self, turn: Turn) -> Encoder:
        """Return a writer of events."""
        return _Writer(self, turn, self.numbers).read

    def broken(self, problem: Problem) -> bytes:
        """Return an error, after which the stream ends. Clients read it in either of two forms."""
        error = _error_of(problem)
        flat = {name: error[name] for name in ("code", "message", "param")}
        return frame({"type": "error", **flat, "sequence_number": next(self.numbers), "error": error}, event="error")

    def whole(self, turn: Turn) -> bytes:
        """Return the response object of a turn, running or ended."""
        writer = _Writer(self, turn, count())
        writer.read(turn.record)
        return json.dumps(writer.response()).encode()

    def status(self, problem: Problem) -> int:
        """Return the HTTP status of an error."""
        return status_of(problem)

    def error(self, problem: Problem) -> bytes:
        """Return the body of an error."""
        return json.dumps({"error": _error_of(problem)}).encode()


class _Writer:
    """The events of one response, and its object as it stands."""

    def __init__(self, dialect: Responses, turn: Turn, numbers: Iterator[int]) -> None:
        self._dialect, self._turn, self._numbers = dialect, turn, numbers
        self._language = language_of_turn(turn.record)
        self._written: list[bytes] = []
        self._place: Json = {}  # of the last piece of a text
        self._before_piece = b""  # what the frame of a piece begins with there
        self._passages: tuple[Passage, ...] = ()
        self._unnamed: list[tuple[Passage, str]] = []  # passages with their links, for the next event
        self._warned: list[Warned] = []
        self._checked: list[Event] = []  # the verdicts, and what withdraws them
        self._model = turn.model
        self._ending: Ending | None = None
        self._items = OutputItems(turn.id, self, self._annotations, self._language)

    def read(self, events: Sequence[Event]) -> bytes:
        """Return what is written of some events of the turn, which come in their order."""
        for event in events:
            self._read(event)
        written, self._written = self._written, []
        return b"".join(written)

    def event(self, type: str, keys: Json) -> None:
        """Write an event of the response."""
        number, type = next(self._numbers), f"response.{type}"
        if number > self._dialect.after:
            sources = source_event(self._unnamed) if self._unnamed else {}
            self._written.append(frame({"type": type, "sequence_number": number, **keys, **sources}, event=type))
        self._unnamed = []

    def delta(self, type: str, place: Json, piece: str) -> None:
        """Write a piece of a text. Each token makes one, so what the pieces of a place share is written once."""
        if place is not self._place:
            name, self._place = f"response.{type}", place
            more: Json = {"logprobs": []} if type == TEXT_DELTA else {}
            self._before_piece = frame({"type": name, **place, **more}, event=name).removesuffix(b"}\n\n")
        number = next(self._numbers)
        if number > self._dialect.after:
            said = json.dumps(piece).encode()
            self._written.append(b'%s, "delta": %s, "sequence_number": %d}\n\n' % (self._before_piece, said, number))

    def response(self) -> Json:
        """Return the object as it stands."""
        turn, ending, asked = self._turn, self._ending, self._turn.asked or DEFAULTS
        profile = f"@{asked.profile}" if asked.profile else ""
        return {
            "id": response_id(turn.id),
            "object": "response",
            "created_at": int(turn.asked_at),
            "status": _status(ending),
            "completed_at": int(turn.asked_at + ending.at_s) if _status(ending) == COMPLETED and ending else None,
            "background": False,
            "error": _error(ending, self._language),
            "incomplete_details": _incomplete_details(ending),
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_tokens,
            "max_tool_calls": None,
            "metadata": dict(self._dialect.metadata),
            "model": self._model + profile,
            "output": self._items.json(),
            "parallel_tool_calls": True,
            "previous_response_id": response_id(turn.parent_id) if turn.parent_id else None,
            "conversation": {"id": turn.conversation_id},
            "reasoning": {"effort": None, "summary": None},
            "store": True,
            "temperature": asked.temperature,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": None,
            "top_logprobs": 0,
            "truncation": "disabled",
            "usage": _usage(ending, self._items.reasoning_share()),
            "user": None,
            **(self._sources() if ending else {}),
            **warnings_of(self._warned if ending else (), self._language),
        }

    def _read(self, event: Event) -> None:
        match event:
            case FieldDelta():
                self._items.add(event.field, event.text)
            case FieldReset():
                self._checked.append(event)
                self._items.reset(event.field)
            case PassagesFound():
                self._found(event)
            case Recovered():
                self._model = event.to_model
            case TurnStarted():
                self.event("created", {"response": self.response()})
                self.event("in_progress", {"response": self.response()})
            case TurnFinished() | TurnFailed() | TurnStopped():
                self._end(event)
            case Warned():
                self._warned.append(event)
            case SentenceChecked():
                self._checked.append(event)
            case _:
                pass  # there is no event for it

    def _found(self, event: PassagesFound) -> None:
        known = {each.number for each in self._passages}
        self._passages = passages_after(self._passages, event)
        self._unnamed += [(each, self._dialect.link(each)) for each in self._passages if each.number not in known]

    def _end(self, ending: Ending) -> None:
        if isinstance(ending, TurnFinished):
            self._passages, self._model = ending.passages, ending.model
        status = COMPLETED if _status(ending) == COMPLETED else INCOMPLETE
        self._items.end(status, needs_message=isinstance(ending, TurnFinished))
        self._ending = ending
        status = _status(ending)
        self.event(FAILED if status == CANCELLED else status, {"response": self.response()})

    def _sources(self) -> Json:
        link = self._dialect.link
        results = [{"title": title_of(each), "url": link(each), "snippet": each.text} for each in self._passages]
        return {"search_results": results, "citations": [each["url"] for each in results]}

    def _annotations(self, text: str) -> list[Json]:
        """Return what the answer cites; a withdrawn text is not asked for, so its verdicts are those that stand."""
        checks = [each for each in checks_of(self._checked) if each.field == ANSWER]
        return [
            {
                "type": "url_citation",
                "start_index": each.start,
                "end_index": each.end,
                "url": self._dialect.link(each.passage),
                "title": title_of(each.passage),
                **verdict_json(each),
            }
            for each in cited_in(text, self._passages, checks)
        ]


def _error_of(problem: Problem) -> Error:
    error = error_of(problem, QUESTION)
    return {**error, "param": "text"} if problem.code == "answer_format" else error


def _status(ending: Ending | None) -> str:
    match ending:
        case None:
            return IN_PROGRESS
        case TurnFinished():
            return INCOMPLETE if ending.finish in REASONS else COMPLETED
        case TurnFailed():
            return FAILED
        case TurnStopped():
            return CANCELLED


def _error(ending: Ending | None, language: str) -> Json | None:
    if not isinstance(ending, TurnFailed | TurnStopped):
        return None
    code = ending.code if isinstance(ending, TurnFailed) else ""
    return {"code": CODES.get(code, "server_error"), "message": ending_text(ending, language)}


def _incomplete_details(ending: Ending | None) -> Json | None:
    reason = REASONS.get(ending.finish) if isinstance(ending, TurnFinished) else None
    return {"reason": reason} if reason else None


def _usage(ending: Ending | None, reasoning_share: float) -> Json | None:
    """Return the tokens of a finished turn; how many of them were reasoning is estimated by its share of the text."""
    if not isinstance(ending, TurnFinished):
        return None
    usage = ending.usage
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": round(usage.completion_tokens * reasoning_share)},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
