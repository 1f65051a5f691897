"""OpenAI's chat completions: an answer as chunks or as one object, with its reasoning, sources and citations.

What clients read differs, so sources are named three times: `search_results` and `citations`, `event` chunks, and
`annotations` of the finished text. All name them in the order of the passages' numbers, since clients take `[n]` for
the n-th source that arrived; a later search adds its passages before any text that can cite them.

`content` is the field `answer`, byte for byte; every other field is reasoning. A chunk cannot be taken back. Where a
reset withdraws text that was sent, the new text goes on behind it if it begins alike, else behind a notice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from api.dialects import Encoder, Problem
from api.dialects.appended_text import BREAK, AnnouncedText
from api.dialects.cited import Link, cited_in, title_of, verdict_json
from api.dialects.event_stream import EventStream
from api.dialects.frames import frame
from api.dialects.openai_errors import error_body, error_of, status_of
from api.dialects.openai_texts import ANSWER, heading, source_event, status_event, warnings_of
from i18n.messages import ending_text
from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    SentenceChecked,
    TurnFailed,
    TurnFinished,
    TurnStopped,
    Warned,
)
from pipeline.passages import Passage, union
from pipeline.recording import answered_by, language_of_turn
from pipeline.turn import Turn
from pipeline.turns.sentence_checks import checks_of

Json = dict[str, Any]

TEXT = {"\0": "\0"}  # stands where a chunk holds a piece of text
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class ChatCompletions(EventStream):
    """The dialect of one request: how it calls the model, and whether it asks for the usage of a stream."""

    link: Link
    model: str
    with_usage: bool = False

    def encoder(self, turn: Turn) -> Encoder:
        """Return a writer of chunks."""
        return _Chunks(self, turn).encode

    def whole(self, turn: Turn) -> bytes:
        """Return the object of a finished turn."""
        ending = turn.record[-1]
        assert isinstance(ending, TurnFinished)
        language, content = language_of_turn(turn.record), ending.fields.get(ANSWER, "")
        found = union(*(event.passages for event in turn.record if isinstance(event, PassagesFound)))
        sources = [_Source(each, self.link(each)) for each in found]  # also the withdrawn ones: [n] is a place
        message = {
            "role": "assistant",
            "content": content,
            "reasoning_content": _reasoning(turn.fields, language),
            "refusal": None,
            "annotations": _annotations(content, sources, turn.record, len(content)),
        }
        return json.dumps(
            {
                **self.head(turn, answered_by(turn.record)),
                "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": ending.finish}],
                "usage": _usage(ending),
                **_lists(sources),
                **warnings_of(turn.record, language),
            }
        ).encode()

    def broken(self, problem: Problem) -> bytes:
        """Return an error, after which a stream ends without a reason to finish."""
        return frame({"error": error_of(problem)})

    def status(self, problem: Problem) -> int:
        """Return the HTTP status of an error."""
        return status_of(problem)

    def error(self, problem: Problem) -> bytes:
        """Return the body of an error."""
        return error_body(problem)

    def head(self, turn: Turn, answered_by: str) -> Json:
        """Return what every object about a turn begins with; `model` is another one where a fallback led to it."""
        model = self.model if answered_by == turn.model else answered_by
        return {"id": f"chatcmpl-{turn.id}", "created": int(turn.asked_at), "model": model}


class _Source(NamedTuple):
    """A passage with its link, which is made once: all places of an answer name the same address."""

    passage: Passage
    url: str


def _lists(sources: Sequence[_Source]) -> Json:
    return {
        "search_results": [
            {"title": title_of(each.passage), "url": each.url, "snippet": each.passage.text} for each in sources
        ],
        "citations": [each.url for each in sources],
    }


def _annotations(content: str, sources: Sequence[_Source], events: Iterable[Event], answer_chars: int) -> list[Json]:
    """Return what a content cites, with the verdicts of the answer that it ends with."""
    checks = [each for each in checks_of(events) if each.field == ANSWER]
    urls = {each.passage.number: each.url for each in sources}
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": each.start,
                "end_index": each.end,
                "url": urls[each.passage.number],
                "title": title_of(each.passage),
                **verdict_json(each),
            },
        }
        for each in cited_in(content, [source.passage for source in sources], checks, begin=len(content) - answer_chars)
    ]


class _Chunks:
    """Writes the chunks of one stream."""

    def __init__(self, dialect: ChatCompletions, turn: Turn) -> None:
        self._dialect, self._turn, self._language = dialect, turn, language_of_turn(turn.record)
        self._begin(turn.model)
        self._has_begun = False
        self._sources: Mapping[int, _Source] = {}  # by number, in order
        self._repeated: Json | None = None  # the lists that the next piece of content repeats
        self._content = AnnouncedText(ANSWER, self._language)
        self._reasoning = _Reasoning(self._language)
        self._notices: list[Warned] = []
        self._checked: list[Event] = []  # the verdicts, and what withdraws them

    def _begin(self, model: str) -> None:
        """Prepare what the chunks of a model's answer share: each token makes one, with its text in the middle."""
        usage = {"usage": None} if self._dialect.with_usage else {}
        self._head = {**self._dialect.head(self._turn, model), "object": "chat.completion.chunk", **usage}
        self._before, self._after = frame(self._chunk(TEXT)).split(json.dumps(TEXT).encode())

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the chunks of some events."""
        return b"".join([self._first(), *(self._said(event) for event in events)])

    def _first(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        return frame(self._chunk({"role": "assistant", "content": ""}))

    def _said(self, event: Event) -> bytes:
        match event:
            case FieldDelta(field="answer") | FieldReset(field="answer"):
                if isinstance(event, FieldReset):
                    self._checked.append(event)
                return self._piece("content", self._content.add(event))
            case FieldDelta():
                return self._piece("reasoning_content", self._reasoning.add(event.field, event.text))
            case FieldReset():
                self._reasoning.reset()
            case PassagesFound():
                return self._found(event)
            case SentenceChecked():
                self._checked.append(event)
            case Warned():
                self._notices.append(event)
            case TurnFinished():
                return self._finished(event)
            case TurnFailed() | TurnStopped():
                code = event.code if isinstance(event, TurnFailed) else "stopped"
                return self._rest(event.partial) + self._dialect.broken(
                    Problem(502, code, ending_text(event, self._language))
                )
            case Recovered():
                self._begin(event.to_model)
                return frame({**self._chunk({}), **status_event(event, self._language)})
            case _:  # says nothing to these clients
                pass
        return b""

    def _piece(self, key: str, said: str) -> bytes:
        if not said:
            return b""
        if key == "content" and self._repeated:
            sources, self._repeated = self._repeated, None
            return frame({**self._chunk({key: said}), **sources})
        return b'%s{"%s": %s}%s' % (self._before, key.encode(), json.dumps(said).encode(), self._after)

    def _found(self, event: PassagesFound) -> bytes:
        """Name the passages that were not known before; one that took another's number replaces it in the lists."""
        before = self._sources
        changed = [each for each in event.passages if _place(each) != _place_in(before, each.number)]
        if not changed:
            return b""
        named = {each.number: _Source(each, self._dialect.link(each)) for each in changed}
        self._sources = dict(sorted({**before, **named}.items()))
        lists = _lists([*self._sources.values()])
        self._repeated = {"search_results": lists["search_results"]}
        new = [source_event([each]) for number, each in sorted(named.items()) if number not in before]
        return b"".join(frame({**self._chunk({}), **each}) for each in (lists, *new))

    def _finished(self, event: TurnFinished) -> bytes:
        rest = self._rest(event.fields)
        answer = event.fields.get(ANSWER, "")
        annotations = _annotations(self._content.sent, [*self._sources.values()], self._checked, len(answer))
        chunks = [self._chunk({"annotations": annotations})] if annotations else []
        chunks.append({**self._chunk({}, event.finish), **warnings_of(self._notices, self._language)})
        if self._dialect.with_usage:
            chunks.append({**self._head, "choices": [], "usage": _usage(event)})
        return b"".join([rest, *map(frame, chunks), DONE])

    def _rest(self, fields: Mapping[str, str]) -> bytes:
        return self._piece("content", self._content.end(fields.get(ANSWER, "")))

    def _chunk(self, delta: Json, finish: str | None = None) -> Json:
        return {**self._head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


class _Reasoning:
    """Joins the fields that are not the answer into one text, in the order in which they come."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._field = ""  # the one that was said last, "" before the first and after a reset
        self._is_empty = True

    def add(self, field: str, said: str) -> str:
        """Return what is to be sent for one more piece of a field."""
        if not said or field == self._field:
            return said
        title = heading(field, self._language)
        head = title if self._is_empty else BREAK + title
        self._field, self._is_empty = field, False
        return head + said

    def reset(self) -> None:
        """What comes next is said anew."""
        self._field = ""


def _place(passage: Passage) -> tuple[str, int | None, int | None]:
    return passage.document_id or passage.document, passage.start, passage.end


def _place_in(sources: Mapping[int, _Source], number: int) -> tuple[str, int | None, int | None] | None:
    return _place(sources[number].passage) if number in sources else None


def _reasoning(fields: Mapping[str, str], language: str) -> str:
    joined = _Reasoning(language)
    return "".join(joined.add(name, said) for name, said in fields.items() if name != ANSWER)


def _usage(event: TurnFinished) -> Json:
    usage = event.usage
    total = usage.prompt_tokens + usage.completion_tokens
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": total,
    }
