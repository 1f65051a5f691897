"""The dialect of `/api/question/stream`: thinking, batches of tokens, progress after every tenth, done. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from api.dialects import Encoder, Problem
from api.dialects.answers import finished, reasoning_of, sources_json
from api.dialects.appended_text import AnnouncedText
from api.dialects.cited import Link
from api.dialects.event_stream import EventStream
from api.dialects.frames import frame
from i18n import text
from i18n.messages import ending_text, recovery_text, step_status, warning_text
from pipeline.events import (
    Ending,
    Estimated,
    Event,
    FieldDelta,
    FieldReset,
    Recovered,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
)
from pipeline.metrics import estimated_tokens
from pipeline.recording import language_of_turn
from pipeline.turn import Turn

Json = dict[str, Any]
Name = Literal["thinking", "progress", "done", "error"]

ANSWER = "answer"
UPDATES_A_PROGRESS = 10
TOKEN_CHARS = 24  # a longer piece is no token of a model: it came whole, and its tokens are estimated
USUAL_TOKENS = 200  # of an answer whose length nobody can estimate yet: half of them are half of the progress
TREND_SHARE = 0.1  # a pace that changed by less is stable
TOKENS, PROGRESS, NAMED, ENDING = range(4)  # the order of what one event may lead to

_PLACE = re.compile(r"([0-9]{1,9})\.([0-3])\.([0-9]{1,9})\.([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client is in a stream: the event of the turn, which part of what it led to, and the counts until then.

    How tokens were gathered differs each time, so the counts are part of an event's id.
    """

    seq: int = -1
    part: int = 0
    updates: int = 0
    percent: int = 0

    @staticmethod
    def of(last_event_id: str) -> Place:
        """Return the place that an id names; the beginning for one that is none of ours."""
        found = _PLACE.fullmatch(last_event_id.partition(".")[2])
        if not found:
            return Place()
        seq, part, updates, percent = map(int, found.groups())
        return Place(seq, part, updates, min(percent, 99))


@dataclass(frozen=True, slots=True)
class QuestionStream(EventStream):
    """Server-sent events, of which the tokens have no name. `received` is what the client has got already.

    `link` gives the addresses of sources.
    """

    received: Place = Place()
    link: Link | None = None

    gather_s = 0.02  # a client that draws each update draws 50 a second

    def encoder(self, turn: Turn) -> Encoder:
        """Write the events of one turn: the tokens of one write are one batch."""
        return _Writer(turn, self.received, self.link).encode

    def broken(self, problem: Problem) -> bytes:
        """An error, which ends the stream. It has no id: who comes back goes on behind the last event it did get."""
        return frame({"message": problem.text, "recoverable": False}, event="error")

    def whole(self, turn: Turn) -> bytes:
        """The answer with the keys of `done`."""
        ending = finished(turn)
        answer = ending.fields.get(ANSWER, "")
        return json.dumps(
            {"content": answer, "total_tokens": tokens_of(answer), **_facts(turn, ending, self.link)}
        ).encode()


class _Writer:
    """The batches and named events of one stream."""

    def __init__(self, turn: Turn, received: Place, link: Link | None) -> None:
        self._turn, self._received, self._link = turn, received, link
        self._language = language_of_turn(turn.record)
        self._answer = AnnouncedText(ANSWER, self._language)
        self._pending: list[str] = []
        self._seq = 0  # of the last event whose text is pending
        self._tokens = 0  # of all batches, also of those that the client has got before
        self._updates, self._percent = received.updates, received.percent
        self._first_s: float | None = None
        self._last_s = 0.0
        self._estimate: Estimated | None = None
        self._pace_before: float | None = None

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return what one write says of these events."""
        written = [part for event in events for part in self._said(event)]
        return b"".join([*written, *self._batch()])

    def _said(self, event: Event) -> Iterator[bytes]:
        match event:
            case FieldDelta() | FieldReset():
                self._take(event, self._answer.add(event))
            case TurnStarted():
                yield from self._thinking(event, text("status.answering", self._language))
            case StepChanged():
                if event.state == "began":
                    yield from self._thinking(event, step_status(event, self._language))
            case Recovered():
                yield from self._thinking(event, recovery_text(event, self._language))
            case Warned():
                yield from self._thinking(event, warning_text(event, self._language))
            case Estimated():
                self._pace_before = self._estimate.tokens_per_s if self._estimate else None
                self._estimate = event
            case TurnFinished():
                yield from self._end(event, event.fields.get(ANSWER, ""))
                facts = _facts(self._turn, event, self._link)
                yield from self._named(event, ENDING, "done", {"total_tokens": self._tokens, **facts})
            case TurnFailed() | TurnStopped():
                yield from self._end(event, event.partial.get(ANSWER, ""))
                recoverable = isinstance(event, TurnFailed) and event.retryable
                error = {"message": ending_text(event, self._language), "recoverable": recoverable}
                yield from self._named(event, ENDING, "error", error)
            case _:  # says nothing to these clients
                pass
        if event.seq == self._received.seq and self._received.part == TOKENS and not isinstance(event, Ending):
            yield from self._progress()  # the connection broke between a batch and its progress

    def _take(self, event: FieldDelta | FieldReset, said: str) -> None:
        """Keep text for the next batch, and count it where the client has got it before."""
        if not said:
            return
        self._first_s = event.at_s if self._first_s is None else self._first_s
        self._last_s = event.at_s
        if event.seq <= self._received.seq:
            self._tokens += tokens_of(said)
        else:
            self._pending.append(said)
            self._seq = event.seq

    def _batch(self) -> Iterator[bytes]:
        """Return the pending text as one batch, which is an update."""
        if self._pending:
            self._updates += 1
            yield self._flushed(self._seq)
            yield from self._progress()

    def _flushed(self, seq: int) -> bytes:
        size = sum(map(tokens_of, self._pending))
        content = "".join(self._pending)
        self._pending.clear()
        self._tokens += size
        return frame({"content": content, "batch_size": size}, id=self._id(seq, TOKENS))

    def _end(self, event: Ending, answer: str) -> Iterator[bytes]:
        """Return the last batch, which is no update, with what is still missing of the answer."""
        missing = self._answer.end(answer)
        if (event.seq, TOKENS) <= (self._received.seq, self._received.part):
            self._tokens += tokens_of(missing) if missing else 0
            return
        if missing:
            self._pending.append(missing)
        if self._pending:
            yield self._flushed(event.seq)

    def _progress(self) -> Iterator[bytes]:
        if not self._updates or self._updates % UPDATES_A_PROGRESS:
            return
        estimate = self._estimate
        expected = estimate.expected_tokens if estimate else None
        share = self._tokens / max(expected, 1) if expected else self._tokens / (self._tokens + USUAL_TOKENS)
        self._percent = max(self._percent, min(max(round(100 * share), 1), 99))
        pace = estimate.tokens_per_s if estimate else None
        progress = {
            "percentageComplete": self._percent,
            "tokensPerSecond": self._measured_pace() if pace is None else pace,
            "update_count": self._updates,
            "confidence": estimate.confidence if estimate else 0.0,
            "trend": _trend(self._pace_before, pace),
            "eta_s": estimate.eta_s if estimate else None,
        }
        seq = self._seq if self._seq > self._received.seq else self._received.seq
        yield frame(progress, event="progress", id=self._id(seq, PROGRESS))

    def _measured_pace(self) -> float:
        took_s = self._last_s - self._first_s if self._first_s is not None else 0.0
        return round(self._tokens / took_s, 1) if took_s > 0 else 0.0

    def _thinking(self, event: Event, message: str) -> Iterator[bytes]:
        yield from self._named(event, NAMED, "thinking", {"message": message})

    def _named(self, event: Event, part: int, name: Name, data: Json) -> Iterator[bytes]:
        """Return a named event behind the text before it, unless the client has got it."""
        yield from self._batch()
        if (event.seq, part) > (self._received.seq, self._received.part):
            yield frame(data, event=name, id=self._id(event.seq, part))

    def _id(self, seq: int, part: int) -> str:
        return f"{self._turn.id}.{seq}.{part}.{self._updates}.{self._percent}"


def tokens_of(said: str) -> int:
    """Return the tokens of a piece of text: models stream one at a time."""
    return 1 if len(said) <= TOKEN_CHARS else estimated_tokens(said)


def _trend(before: float | None, now: float | None) -> str:
    if not before or not now or abs(now - before) <= TREND_SHARE * before:
        return "stable"
    return "rising" if now > before else "falling"


def _facts(turn: Turn, ending: TurnFinished, link: Link | None) -> Json:
    """Return what a client gets beside the tokens."""
    return {
        "turn_id": turn.id,
        "rationale": reasoning_of(ending),
        "sources": sources_json(ending.passages, link),
        "model": ending.model,
    }
