"""The one file that knows DSPy's internals (`send_stream`, `streamify`, status messages, ReAct's calls), as of 3.4.1.

`program_stream` runs a program and yields what it streams: our own events, and for each call of a model a CallStarted,
the ReplyChunks of its reply and a CallEnded. DSPy marks a chunk with its predictor alone, which two calls of one
predictor share; `model_call` marks it with the call instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from typing import Any

import dspy
from dspy.streaming.messages import StatusMessageProvider
from dspy.utils.exceptions import AdapterParseError as AdapterParseError
from dspy.utils.inspect_history import pretty_print_history

from pipeline.events import Event
from pipeline.exchanges import PromptExchange
from pipeline.models.lm import HistoryEntry, asked_fields, exchanges, note_arrived


@dataclass(eq=False, slots=True)
class ModelCall:
    """One call of a model by a predictor. `exchanges` are those that it completed, with usage and cost."""

    signature: type[dspy.Signature]
    exchanges: list[HistoryEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A model is being asked."""

    call: ModelCall


@dataclass(frozen=True, slots=True)
class ReplyChunk:
    """A piece of a call's reply; `finish` is the provider's reason, in the last one."""

    call: ModelCall
    thinking: str
    text: str
    finish: str | None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call has returned or raised. `is_complete`: its reply is whole, also where it cannot be parsed."""

    call: ModelCall
    is_complete: bool


@dataclass(frozen=True, eq=False, slots=True)
class Said:
    """Text that a program itself adds to a field, as a part like that of a call."""

    field: str
    text: str


async def say(field: str, text: str) -> None:
    """Add text to a field of the turn; without a stream nothing happens."""
    if stream := dspy.settings.send_stream:
        await stream.send(Said(field, text))


async def emit(event: Event) -> None:
    """Hand an event to whoever streams the program that runs; without a stream nothing happens."""
    if stream := dspy.settings.send_stream:
        await stream.send(event)


def is_streamed() -> bool:
    """Whether calls of a model are part of a program's stream now."""
    return dspy.settings.send_stream is not None


@contextmanager
def unstreamed() -> Iterator[None]:
    """Run calls of a model whose text is not shown."""
    with dspy.context(send_stream=None):
        yield


@asynccontextmanager
async def model_call(signature: type[dspy.Signature], *, in_chunks: bool) -> AsyncGenerator[None, None]:
    """Announce one call of a model on the program's stream, if it has one, and mark the chunks of its reply.

    Without `in_chunks` the reply is asked for in one piece, and stands in the call's exchanges when it has ended.
    """
    stream, fields = dspy.settings.send_stream, asked_fields.set(tuple(signature.output_fields))
    try:
        if stream is None:
            yield
        else:
            async with _streamed_call(ModelCall(signature), stream, in_chunks=in_chunks):
                yield
    finally:
        asked_fields.reset(fields)


@asynccontextmanager
async def _streamed_call(call: ModelCall, stream: Any, *, in_chunks: bool) -> AsyncGenerator[None, None]:
    outer = exchanges.get()
    await stream.send(CallStarted(call))
    token = exchanges.set(call.exchanges)
    try:
        with dspy.context(send_stream=_CallStream(call, stream) if in_chunks else None):
            yield
    except (Exception, asyncio.CancelledError) as error:  # a program may cut a call that takes too long
        await stream.send(CallEnded(call, is_complete=isinstance(error, AdapterParseError)))
        raise
    finally:
        exchanges.reset(token)
        if outer is not None:
            outer.extend(call.exchanges)
    await stream.send(CallEnded(call, is_complete=True))


async def program_stream(program: dspy.Module, inputs: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
    """Run an async program and yield all that it streams, last its dspy.Prediction. Raises what the program raised.

    DSPy drops up to 16 chunks that still wait when the program raises. The exception is therefore kept from DSPy, and
    raised here after the last chunk. The generator must be ended by cancelling the task that iterates it: one that is
    closed early throws CancelledError into the task that used it.
    """
    run = _Run(program)
    stream = dspy.streamify(run, status_message_provider=_NoStatusMessages(), is_async_program=True)
    async for item in stream(**inputs):
        yield item
    if run.error:
        raise run.error


def history_text(exchange: PromptExchange) -> str:
    """Write an exchange as `dspy.inspect_history` does into a file."""
    written = StringIO()
    entry = {
        "messages": [{"role": each.role, "content": each.content} for each in exchange.messages],
        "outputs": [exchange.reply or ""],
        "timestamp": datetime.fromtimestamp(exchange.asked_at).isoformat(),
    }
    pretty_print_history([entry], file=written)
    return written.getvalue()


class Agent(dspy.ReAct):
    """`dspy.ReAct` for programs with a loop of their own: `react` chooses the next tool, `extract` answers."""

    def trajectory_text(self, trajectory: Mapping[str, Any]) -> str:
        """Return the steps so far as both prompts hold them."""
        return str(self._format_trajectory(dict(trajectory)))


class _Run:
    """A program as `streamify` calls it; ends with a Prediction whatever happens, else the stream would never end."""

    def __init__(self, program: dspy.Module) -> None:
        self._program = program
        self.error: Exception | None = None

    async def acall(self, **inputs: Any) -> dspy.Prediction:
        """Run the program and keep its exception."""
        try:
            prediction = await self._program.acall(**inputs)
        except Exception as error:  # noqa: BLE001  `program_stream` raises it
            self.error = error
            return dspy.Prediction()
        return prediction if isinstance(prediction, dspy.Prediction) else dspy.Prediction()


class _CallStream:
    """The program's stream as one call sees it: chunks are read, noted with the exchange and marked with the call."""

    __slots__ = ("_call", "_stream")

    def __init__(self, call: ModelCall, stream: Any) -> None:
        self._call, self._stream = call, stream

    def send(self, chunk: Any) -> Awaitable[None]:
        """Read, note and send a chunk."""
        read = _read(self._call, chunk)
        if read.text or read.thinking:
            note_arrived(read.thinking, read.text)
        sent: Awaitable[None] = self._stream.send(read)
        return sent


def _read(call: ModelCall, chunk: Any) -> ReplyChunk:
    if not chunk.choices:
        return ReplyChunk(call, "", "", None)
    choice = chunk.choices[0]
    delta = choice.delta
    thinking = getattr(delta, "reasoning_content", None) or ""
    return ReplyChunk(call, thinking, delta.content or "", choice.finish_reason)


class _NoStatusMessages(StatusMessageProvider):
    """No messages about tools: DSPy sends them through a thread, which can block the event loop for ever."""

    def tool_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> None:
        """Say nothing."""

    def tool_end_status_message(self, outputs: Any) -> None:
        """Say nothing."""
