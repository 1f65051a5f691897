"""Runs a program and turns what it streams into our events.

Invariant: whatever a model does with the format, no text of its answer is lost, and a field's deltas since its last
reset add up to the field. Each call of a model has its own reader, with the fields of its signature; fields of several
calls are joined. A program's stream must only be ended by cancelling the task that iterates it, so `ReplyStream.read`
runs in a task of its own and never raises out of its loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from types import MappingProxyType
from typing import Any

import dspy

from pipeline.errors import GlassboxError, ModelFault
from pipeline.events import Event, FieldDelta, FieldReset, Finish, Step, StepChanged, Usage, Warned
from pipeline.metrics import tokens_of_chars
from pipeline.models.lm import HistoryEntry, prompt_limit, warnings
from pipeline.models.prompt_limit import PromptLimit
from pipeline.models.provider_faults import fault_of
from pipeline.replies.adapters import DspyAdapter, fields_of_signature, hidden_fields
from pipeline.replies.dspy_internals import (
    AdapterParseError,
    CallEnded,
    CallStarted,
    ModelCall,
    ReplyChunk,
    Said,
    program_stream,
)
from pipeline.replies.joined_fields import JoinedFields
from pipeline.replies.reading import Change, ReplyReader
from pipeline.replies.structured import THOUGHTS

Emit = Callable[[Event], None]

ANSWER, REASONING = "answer", "reasoning"  # the fields that every program has, or may have, under these names
SAME_CHUNK_LIMIT = 100  # a model that sends the same chunk so often in a row is stuck
REPLAY_PIECE_CHARS, REPLAY_PAUSE_S, REPLAY_S = 50, 0.1, 2.0  # a whole reply is shown in pieces, within about 2 seconds


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """Seconds and characters that a program's replies may take; 0 seconds means no limit.

    `first_token_s` and `idle_s` hold for each call of a model, `answer_chars` for all calls together. `piece_chars` is
    the most that one delta of a replayed whole reply holds, `prompt` the most that a prompt holds.
    """

    first_token_s: float
    idle_s: float
    answer_chars: int
    piece_chars: int = 1024
    prompt: PromptLimit = field(default_factory=PromptLimit)


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """How replies are asked for and shown.

    `streams_reasoning`: fields other than the answer are shown while they arrive, else in one piece when they are
    complete. `adapter`: how the fields are asked for. `fields`: the program's output fields; what a call says under
    other names is shown as reasoning. `parameters`: temperature and max_tokens of every call that is shown. `needed`
    is the field without which there is no answer. `is_watched`: whether somebody reads the text as it comes, so that a
    whole reply is shown in paced pieces.
    """

    is_streamed: bool = True
    streams_reasoning: bool = True
    adapter: Callable[..., DspyAdapter] = DspyAdapter
    fields: tuple[str, ...] = (REASONING, ANSWER)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    needed: str = ANSWER
    is_watched: bool = True


@dataclass(frozen=True, slots=True)
class ReplyOutcome:
    """The result of a program that was not broken off. Usage is that of all calls that were shown.

    `cached`: a stored answer was replayed, and no call was made.
    """

    finish: Finish
    usage: Usage
    cached: bool = False


async def answer(
    program: dspy.Module,
    inputs: Mapping[str, Any],
    lm: dspy.LM,
    limits: ReplyLimits,
    emit: Emit,
    options: ReplyOptions = ReplyOptions(),
) -> ReplyOutcome:
    """Run a program, emit its events, return how it ended. Raises GlassboxError; can be cancelled at any time."""
    reply = ReplyStream(emit, limits, options)
    task = asyncio.create_task(reply.read(program, inputs, lm))
    watch = asyncio.create_task(reply.watch(task))
    try:
        await task
    except asyncio.CancelledError:
        if reply.fault is None:
            reply.flush(is_cut=True)
            raise  # the turn itself was stopped
    except GlassboxError:
        raise
    except AdapterParseError:
        pass  # the reader has the text, and `end` tells what is missing
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        reply.fault = fault_of(error)
    finally:
        for each in (task, watch):
            each.cancel()
        await asyncio.wait({task, watch})
    return reply.end()


class _CallReply:
    """The reply of one call while it arrives."""

    def __init__(self, call: ModelCall) -> None:
        self.call, self.fields = call, fields_of_signature(call.signature)
        self.hidden = hidden_fields(call.signature)
        self.reader = ReplyReader(self.fields)
        self.finish: Finish | None = None
        self.is_open, self.is_read = True, False  # whether the model may still speak; whether the reader has finished
        self.news_at = monotonic()
        self.chars = 0
        self._last_chunk, self._same_chunks = "", 0

    def arrived(self, text: str) -> None:
        """Count a chunk."""
        self.chars += len(text)
        self.news_at = monotonic()
        self._same_chunks = self._same_chunks + 1 if text == self._last_chunk else 1
        self._last_chunk = text

    @property
    def repeats(self) -> bool:
        """Whether the same chunk comes again and again."""
        return self._same_chunks >= SAME_CHUNK_LIMIT

    @property
    def warning(self) -> str:
        """The code for a reply that did not keep to the format, "" for one that did.

        A reply of one field needs no header: its text is the answer.
        """
        keeps_format = self.reader.keeps_format or len(self.fields.outputs) == 1
        return "reasoning_channel" if self.reader.is_rescued else "" if keeps_format else "format"


class ReplyStream:
    """The text of a program's fields in one attempt, while it arrives."""

    def __init__(self, emit: Emit, limits: ReplyLimits, options: ReplyOptions) -> None:
        self._emit, self._limits, self._options = emit, limits, options
        self._replies: dict[ModelCall, _CallReply] = {}
        self._joined = JoinedFields()
        self._chars = 0  # that arrived, of all calls
        self._emitted: dict[str, int] = {}  # field → characters since its last reset
        self._withheld: dict[str, str] = {}  # fields that are shown only when they are complete
        self._began: dict[Step, float] = {}  # -1 once the step has ended
        self._warnings: list[str] = []  # about exchanges
        self._prediction: dspy.Prediction | None = None
        self._task: asyncio.Task[None] | None = None
        self.fault: GlassboxError | None = None

    async def read(self, program: dspy.Module, inputs: Mapping[str, Any], lm: dspy.LM) -> None:
        """Iterate the program's stream to its end. To be run in a task of its own."""
        self._task = asyncio.current_task()
        warnings.set(self._warnings)
        prompt_limit.set(self._limits.prompt)
        adapter = self._options.adapter(in_chunks=self._options.is_streamed, parameters=self._options.parameters)
        with dspy.context(lm=lm, adapter=adapter, trace=None):
            async for item in program_stream(program, inputs):
                if isinstance(item, ReplyChunk):
                    self._chunk(self._replies[item.call], item)
                elif isinstance(item, CallStarted):
                    self._start_call(item.call)
                elif isinstance(item, CallEnded):
                    await self._end_call(self._replies[item.call], is_complete=item.is_complete)
                elif isinstance(item, Said):
                    self._show(self._joined.add(item, item.field, item.field, item.text))
                    self._show(self._joined.end(item))
                elif isinstance(item, Event):
                    self._emit(item)
                elif isinstance(item, dspy.Prediction):
                    self._prediction = item

    async def watch(self, task: asyncio.Task[None]) -> None:
        """End the reading when a model that is being asked keeps silent for too long."""
        while True:
            left_s = min((self._left_s(each) for each in self._replies.values() if each.is_open), default=0.25)
            if left_s <= 0:
                task.cancel()
                return
            await asyncio.sleep(min(max(left_s, 0.01), 0.25))

    def flush(self, *, is_cut: bool) -> None:
        """Emit what was held back because more might have come; nothing when a fault came before the answer began.

        `is_cut`: the program did not end by itself.
        """
        if self._emitted.get(self._options.needed) or not self.fault:
            for reply in [each for each in self._replies.values() if is_cut and not each.is_read]:
                self._finish(reply, was_cut=True)
            self._release()
        for step in ("reason", "answer"):
            self._end_step(step)

    def end(self) -> ReplyOutcome:
        """Emit what is missing → how the program ended. Raises the fault if there was one, or the lack of an answer."""
        if not self.fault:
            self._take_prediction()
        self.flush(is_cut=bool(self.fault))
        if self.fault:
            raise self.fault
        reply = self._answering()
        finish = reply.finish if reply else None
        if not self._emitted.get(self._options.needed):
            raise ModelFault(_LACKS.get(finish or "stop", "empty"))
        about_reply = (reply.warning if reply else "", finish if finish in _LACKS else "")
        for code in (*dict.fromkeys(self._warnings), *about_reply):
            if code:
                self._emit(Warned(code=code))
        return ReplyOutcome(finish or "stop", self._usage())

    # Calls

    def _start_call(self, call: ModelCall) -> None:
        self._replies[call] = _CallReply(call)
        self._begin_step("reason")

    async def _end_call(self, reply: _CallReply, *, is_complete: bool) -> None:
        reply.is_open = False
        if is_complete:
            if not reply.chars and reply.call.exchanges:
                await self._replay(reply, reply.call.exchanges[-1])
            if not self.fault:
                self._finish(reply, was_cut=reply.finish in _LACKS)
        self._show(self._joined.end(reply.call))

    def _finish(self, reply: _CallReply, *, was_cut: bool) -> None:
        reply.is_read = True
        self._join(reply, reply.reader.finish(was_cut=was_cut))

    async def _replay(self, reply: _CallReply, exchange: HistoryEntry) -> None:
        """Show a reply that came in one piece in paced ones."""
        thought, text = _parts_of(exchange)
        chars = max(REPLAY_PIECE_CHARS, int(len(thought + text) * REPLAY_PAUSE_S / REPLAY_S))
        chars = min(chars, self._limits.piece_chars)
        for whole, read in ((thought, reply.reader.thinking), (text, reply.reader.content)):
            for at in range(0, len(whole), chars):
                if self.fault:
                    return
                self._read(reply, whole[at : at + chars], read)
                await asyncio.sleep(REPLAY_PAUSE_S if self._options.is_watched else 0)
        reply.finish = _finish_of(exchange) or reply.finish

    def _chunk(self, reply: _CallReply, chunk: ReplyChunk) -> None:
        if self.fault:
            return
        if chunk.thinking:
            self._read(reply, chunk.thinking, reply.reader.thinking)
        if chunk.text:
            self._read(reply, chunk.text, reply.reader.content)
        if chunk.finish:
            reply.finish = _FINISHES.get(chunk.finish, "stop")

    def _read(self, reply: _CallReply, text: str, read: Callable[[str], list[Change]]) -> None:
        self._chars += len(text)
        reply.arrived(text)
        self._join(reply, read(text))
        if self._chars > self._limits.answer_chars:
            self._give_up(ModelFault("answer_limit"))
        elif reply.repeats:
            self._give_up(ModelFault("repeats"))

    def _left_s(self, reply: _CallReply) -> float:
        """Seconds for which an open call may still keep silent; sets the fault where they are over."""
        limit_s = self._limits.idle_s if reply.chars else self._limits.first_token_s
        if not limit_s or not self._options.is_streamed:  # one piece takes as long as all of it: the connection's limit
            return 0.25
        left_s = limit_s - (monotonic() - reply.news_at)
        if left_s <= 0:
            self.fault = ModelFault("idle_timeout" if reply.chars else "first_token_timeout")
        return left_s

    def _give_up(self, fault: GlassboxError) -> None:
        """End from inside the loop: an exception here would be thrown into this task again, a cancellation is not."""
        self.fault = fault
        if self._task:
            self._task.cancel()

    def _answering(self) -> _CallReply | None:
        """The last call whose reply has an answer, else the last call."""
        replies = list(self._replies.values())
        candidates = [each for each in replies if ANSWER in each.fields.outputs] or replies
        return candidates[-1] if candidates else None

    # Fields

    def _join(self, reply: _CallReply, changes: Iterable[Change]) -> None:
        fields = self._options.fields
        for name, text in changes:
            if name in reply.hidden:
                continue
            shown_as = name if name in fields or name == THOUGHTS else REASONING
            self._show(self._joined.add(reply.call, name, shown_as, text))

    def _take_prediction(self) -> None:
        """Emit the fields that no call has streamed, and the answer where the program made it from several calls."""
        if self._prediction is None:
            return
        streamed = {name for reply in self._replies.values() for name in reply.fields.outputs}
        for name in self._options.fields:
            text = self._prediction.get(name)
            if not isinstance(text, str) or not text.strip():
                continue
            if name not in streamed:
                self._delta(name, text)
            elif name == ANSWER and self._joined.calls(name) > 1 and self._joined.text(name) != text.strip():
                self._show([(name, None), (name, text.strip())])

    def _show(self, changes: Iterable[Change]) -> None:
        for name, text in changes:
            if text is None:
                self._reset(name)
            else:
                self._delta(name, text)

    def _delta(self, field: str, text: str) -> None:
        if field != ANSWER and not self._options.streams_reasoning:
            self._withheld[field] = self._withheld.get(field, "") + text
            return
        if self._withheld:
            self._release()
        if field == ANSWER and "answer" not in self._began:
            self._begin_step("reason")
            self._end_step("reason")
            self._begin_step("answer")
        self._emit_delta(field, text)

    def _release(self) -> None:
        withheld, self._withheld = self._withheld, {}
        for name, text in withheld.items():
            self._emit_delta(name, text)

    def _emit_delta(self, field: str, text: str) -> None:
        self._emitted[field] = self._emitted.get(field, 0) + len(text)
        self._emit(FieldDelta(field=field, text=text))

    def _reset(self, field: str) -> None:
        if self._withheld.pop(field, None) is not None and not self._emitted.get(field):
            return  # nobody has seen it
        self._emitted[field] = 0
        self._emit(FieldReset(field=field))

    # Steps

    def _begin_step(self, step: Step) -> None:
        if step not in self._began:
            self._began[step] = monotonic()
            self._emit(StepChanged(step=step, state="began"))

    def _end_step(self, step: Step) -> None:
        if (began := self._began.get(step)) and began > 0:
            self._began[step] = -1.0
            self._emit(StepChanged(step=step, state="ended", took_s=monotonic() - began))

    def _usage(self) -> Usage:
        """The tokens of the calls that were shown; estimated where a provider counted none."""
        usages = [each.get("usage") or {} for reply in self._replies.values() for each in reply.call.exchanges]
        prompt, completion = (
            sum(int(usage.get(f"{part}_tokens") or 0) for usage in usages) for part in ("prompt", "completion")
        )
        is_counted = all(reply.call.exchanges for reply in self._replies.values())  # not of a call that was cut
        if usages and is_counted and all(usage.get("completion_tokens") for usage in usages):
            return Usage(prompt, completion, exact=True)
        return Usage(prompt, tokens_of_chars(sum(self._emitted.values())), exact=False)


_FINISHES: Mapping[str, Finish] = MappingProxyType({"content_filter": "content_filter", "length": "length"})
_LACKS: Mapping[str | None, str] = MappingProxyType({"content_filter": "content_filter", "length": "cut_short"})


def _parts_of(exchange: HistoryEntry) -> tuple[str, str]:
    """The thinking and the content of an exchange, as they would have been streamed."""
    output = (exchange.get("outputs") or [""])[0]
    if not isinstance(output, dict):
        return "", str(output or "")
    return str(output.get("reasoning_content") or ""), str(output.get("text") or "")


def _finish_of(exchange: HistoryEntry) -> Finish | None:
    """Return the reason for which the reply of an exchange was cut, None where it was not."""
    response = exchange.get("response")
    for part in response if isinstance(response, list | tuple) else [response]:
        finish = getattr(part, "finish_reason", None)
        choices = getattr(part, "choices", None)
        finish = finish or (getattr(choices[0], "finish_reason", None) if choices else None)
        if cut := _FINISHES.get(finish or ""):
            return cut
    return None
