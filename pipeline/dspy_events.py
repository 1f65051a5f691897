"""`dspy.streamify` in, our events out.

Invariant: whatever the model does with the format, no text of its answer is lost and deltas are all there is. A
streamify generator that is left early throws CancelledError into the task that used it, so one is only ever
ended by cancelling the task that iterates it: `Reply.read` runs in a task of its own and never raises out of its loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from types import MappingProxyType
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from pipeline.errors import GlassboxError, ModelFault
from pipeline.events import Event, FieldDelta, FieldReset, Finish, PassagesFound, StepChanged, Usage, Warned
from pipeline.faults import fault_of
from pipeline.metrics import estimated_tokens
from pipeline.models import Exchange, exchanges, unstreamed
from pipeline.notices import warned
from pipeline.replies.names import Fields
from pipeline.replies.prompts import DspyAdapter, fields_of_signature
from pipeline.replies.reading import Change, ReplyReader

Say = Callable[[Event], None]

SAME_CHUNK_LIMIT = 100  # a model that says the same chunk so often running says nothing else any more
REPLAY_PIECE_CHARS, REPLAY_PAUSE_S, REPLAY_S = 50, 0.1, 2.0  # a whole reply is said in pieces, within about two seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and characters that one reply may take; 0 seconds means no limit.

    `piece_chars` is the most that one delta of a replayed whole reply holds.
    """

    first_token_s: float
    idle_s: float
    answer_chars: int
    piece_chars: int = 1024


@dataclass(frozen=True, slots=True)
class Manner:
    """How a reply is asked for and shown.

    `streams_reasoning`: the reasoning is said while it arrives, else in one piece when it is complete.
    `adapter`: the words in which the fields are asked for.
    """

    is_streamed: bool = True
    streams_reasoning: bool = True
    adapter: type[DspyAdapter] = DspyAdapter


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reply ended that did end by itself."""

    finish: Finish
    usage: Usage
    cost: float | None


async def answer(
    program: dspy.Module, inputs: Mapping[str, Any], lm: dspy.LM, limits: Limits, say: Say, manner: Manner = Manner()
) -> Outcome:
    """Run a program, say its events, return how it ended. Raises GlassboxError; can be cancelled at any time."""
    reply = Reply(say, limits, manner, fields_of_reply(program))
    task = asyncio.create_task(reply.read(program, inputs, lm))
    watch = asyncio.create_task(reply.watch(task))
    try:
        await task
    except asyncio.CancelledError:
        if reply.fault is None:
            reply.flush(was_cut=True)
            raise  # the turn itself was stopped
    except GlassboxError:
        raise
    except AdapterParseError:
        await reply.replay()  # the reader has the rest, and `end` says what is missing
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        reply.fault = fault_of(error)
    finally:
        for each in (task, watch):
            each.cancel()
        await asyncio.wait({task, watch})
    return reply.end()


class Reply:
    """One reply while it arrives."""

    def __init__(self, say: Say, limits: Limits, manner: Manner, fields: Fields) -> None:
        self._tell, self._limits, self._manner = say, limits, manner
        self._reader, self._answer = ReplyReader(fields), fields.answer
        self._pieces: dict[str, int] = {}  # field → characters said since its last reset
        self._began: dict[str, float] = {}
        self._finish: Finish | None = None
        self._exchanges: list[Exchange] = []
        self._chars = 0
        self._last_chunk, self._same_chunks = "", 0
        self._held: dict[str, str] = {}  # reasoning that is said only when it is complete
        self._news_at = self._asked_at = monotonic()
        self._asked = False
        self.fault: GlassboxError | None = None
        self._task: asyncio.Task[None] | None = None

    async def read(self, program: dspy.Module, inputs: Mapping[str, Any], lm: dspy.LM) -> None:
        """Iterate the program's stream to its end. To be run in a task of its own."""
        self._task = asyncio.current_task()
        exchanges.set(self._exchanges)
        unstreamed.set(not self._manner.is_streamed)
        with dspy.context(lm=lm, adapter=self._manner.adapter(), trace=None):
            stream = dspy.streamify(program, is_async_program=True)
            async for item in stream(**inputs):
                if isinstance(item, PassagesFound | Warned):
                    self._tell(item)
                elif isinstance(item, StepChanged):
                    if item.step == "reason":
                        self._ask()
                    else:
                        self._tell(item)
                elif choices := getattr(item, "choices", None):
                    self._chunk(choices[0])
        await self.replay()

    async def watch(self, task: asyncio.Task[None]) -> None:
        """End the reading when the model keeps silent for too long."""
        while True:
            limit_s = self._limits.idle_s if self._chars else self._limits.first_token_s
            limit_s *= self._manner.is_streamed  # one piece takes as long as all of it: the connection's limit rules
            waited_s = monotonic() - self._news_at
            if self._asked and limit_s and waited_s >= limit_s:
                self.fault = ModelFault("idle_timeout" if self._chars else "first_token_timeout")
                task.cancel()
                return
            await asyncio.sleep(min(max(limit_s - waited_s, 0.01), 0.25) if limit_s else 0.25)

    async def replay(self) -> None:
        """A reply that came in one piece, said in paced ones; nothing when it was streamed."""
        if self._chars or not self._exchanges:
            return
        thought, text = _parts_of(self._exchanges[-1])
        chars = min(
            max(REPLAY_PIECE_CHARS, int(len(thought + text) * REPLAY_PAUSE_S / REPLAY_S)), self._limits.piece_chars
        )
        for whole, hear in ((thought, self._think), (text, self._hear)):
            for at in range(0, len(whole), chars):
                if self.fault:
                    return
                hear(whole[at : at + chars])
                await asyncio.sleep(REPLAY_PAUSE_S)
        if finish := _finish_of(self._exchanges[-1]):
            self._finish = finish

    def flush(self, *, was_cut: bool) -> None:
        """Say what was held back because more might have come; nothing when a fault came before the answer began.

        `was_cut`: the reply did not end by itself.
        """
        if self._pieces.get(self._answer) or not self.fault:
            self._show(self._reader.finish(was_cut=was_cut))
            self._release()
        for step in ("reason", "answer"):
            self._end_step(step)

    def end(self) -> Outcome:
        """Say what was held back → how it ended. Raises the fault if there was one, or the lack of an answer."""
        self.flush(was_cut=bool(self.fault) or self._finish in _LACKS)
        if self.fault:
            raise self.fault
        if not self._pieces.get(self._answer):
            raise ModelFault(_LACKS.get(self._finish or "stop", "empty"))
        finish = self._finish or "stop"
        odd = "reasoning_channel" if self._reader.is_rescued else "" if self._reader.keeps_format else "format"
        for code in (odd, "" if finish == "stop" else finish):
            if code:
                self._tell(warned(code))
        return Outcome(finish, *self._bill())

    def _ask(self) -> None:
        self._asked, self._news_at = True, monotonic()
        self._begin_step("reason")

    def _chunk(self, choice: Any) -> None:
        if self.fault:
            return
        delta = choice.delta
        if thought := getattr(delta, "reasoning_content", None):
            self._think(thought)
        if text := delta.content:
            self._hear(text)
        if finish := choice.finish_reason:
            self._finish = finish if finish in _LACKS else "stop"

    def _think(self, text: str) -> None:
        self._arrived(text)
        self._show(self._reader.thinking(text))

    def _hear(self, text: str) -> None:
        self._arrived(text)
        self._show(self._reader.content(text))

    def _arrived(self, text: str) -> None:
        self._chars += len(text)
        self._news_at = monotonic()
        self._same_chunks = self._same_chunks + 1 if text == self._last_chunk else 1
        self._last_chunk = text
        if self._chars > self._limits.answer_chars:
            self._give_up(ModelFault("answer_limit"))
        elif self._same_chunks >= SAME_CHUNK_LIMIT:
            self._give_up(ModelFault("repeats"))

    def _show(self, changes: list[Change]) -> None:
        for field, text in changes:
            if text is None:
                self._reset(field)
            else:
                self._delta(field, text)

    def _delta(self, field: str, text: str) -> None:
        if field != self._answer and not self._manner.streams_reasoning:
            self._held[field] = self._held.get(field, "") + text
            return
        self._release()
        if field == self._answer and "answer" not in self._began:
            self._end_step("reason")
            self._begin_step("answer")
        self._said(field, text)

    def _release(self) -> None:
        held, self._held = self._held, {}
        for field, text in held.items():
            self._said(field, text)

    def _said(self, field: str, text: str) -> None:
        self._pieces[field] = self._pieces.get(field, 0) + len(text)
        self._tell(FieldDelta(field=field, text=text))

    def _reset(self, field: str) -> None:
        if self._held.pop(field, None) is not None and not self._pieces.get(field):
            return  # nobody has seen it
        self._pieces[field] = 0
        self._tell(FieldReset(field=field))

    def _give_up(self, fault: GlassboxError) -> None:
        """End from inside the loop: an exception here would be thrown into this task again, a cancellation is not."""
        self.fault = fault
        if self._task:
            self._task.cancel()

    def _begin_step(self, step: Any) -> None:
        self._began[step] = monotonic()
        self._tell(StepChanged(step=step, state="began"))

    def _end_step(self, step: Any) -> None:
        if (began := self._began.get(step)) and began > 0:
            self._began[step] = -1.0
            self._tell(StepChanged(step=step, state="ended", took_s=monotonic() - began))

    def _bill(self) -> tuple[Usage, float | None]:
        """The tokens of the answer, and the cost of all that was asked for it, where each exchange has one."""
        usage = (self._exchanges[-1].get("usage") if self._exchanges else None) or {}
        prompt, completion = (int(usage.get(f"{part}_tokens") or 0) for part in ("prompt", "completion"))
        costs = [each.get("cost") for each in self._exchanges]
        cost = None if not costs or None in costs else sum(float(each or 0) for each in costs)
        if completion:
            return Usage(prompt, completion, exact=True), cost
        return Usage(prompt, estimated_tokens("x" * sum(self._pieces.values())), exact=False), cost


_LACKS: Mapping[str, str] = MappingProxyType({"content_filter": "content_filter", "length": "cut_short"})


def fields_of_reply(program: dspy.Module) -> Fields:
    """The fields of the reply that a program streams: those of its signature."""
    return fields_of_signature(program.signature)


def _parts_of(exchange: Exchange) -> tuple[str, str]:
    """What the model thought and said in an exchange, in the form in which it would have streamed."""
    output = (exchange.get("outputs") or [""])[0]
    if not isinstance(output, dict):
        return "", str(output or "")
    return str(output.get("reasoning_content") or ""), str(output.get("text") or "")


def _finish_of(exchange: Exchange) -> Finish | None:
    response = exchange.get("response")
    for said in response if isinstance(response, list | tuple) else [response]:
        finish = getattr(said, "finish_reason", None)
        choices = getattr(said, "choices", None)
        finish = finish or (getattr(choices[0], "finish_reason", None) if choices else None)
        if finish in _LACKS:
            return "length" if finish == "length" else "content_filter"
    return None
