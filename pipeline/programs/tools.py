"""The tools that an agent's model may call, and `ToolCalls`, which runs them and emits each call with its result.

To add one: write its function and add its entry to TOOLS. A function takes the run's `ToolContext` and the arguments by
name, and returns what the model sees; it raises ToolFault with a constant text where it cannot.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import dspy

from pipeline.errors import GlassboxError
from pipeline.events import Arguments, Scalar, StepChanged, ToolCalled, ToolReturned, tool_step
from pipeline.own_faults import own_fault
from pipeline.passages import Passage, Query
from pipeline.programs.calculation import CalculationFault
from pipeline.programs.calculation import calculate as calculated
from pipeline.programs.call_limits import NO_DEADLINE, Deadline
from pipeline.programs.search_step import SearchStep
from pipeline.programs.tool_choices import ARGUMENT_KEYS, ToolChoice
from pipeline.prompt_passages import neutral, numbered
from pipeline.replies.dspy_internals import emit
from pipeline.replies.text import whole_text
from pipeline.retrieval import DocumentReader, Scope, documents_in

MOST_AROUND = 3  # passages on each side of one that is opened
PASSAGE_CHARS = 4_000  # more than a passage has: how far to read on each side for one neighbour
QUERY_CHARS = 300
RESULT_CHARS = 40_000  # of a tool's result
SHOWN_CHARS, SHOWN_ITEMS, SHOWN_ARGUMENTS = 300, 10, 10  # of the arguments of an event
MOST_NUMBER = 2**53  # a larger one is shown as text: not every client could read it

NOTHING_FOUND = "No passage was found. Search with other words, or finish."
SEARCH_FAILED = "The documents cannot be searched now. Finish with what was found."
NO_PASSAGE = "There is no such passage. Give the number of a passage that was found."
NO_NEIGHBOURS = "This passage cannot be opened. Go on with what was found."
TOOL_FAILED = "The tool failed. Go on without it."
TOO_SLOW = "The tool took too long. Go on without it."
UNKNOWN_TOOL = "There is no tool of that name. The tools are: {}."
WRONG_ARGUMENTS = "These arguments cannot be used. Give a JSON object like {}."


class ToolFault(Exception):
    """A call of a tool that failed; its only argument says so to the model, in a constant text."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What the tools of one run share: its searches, the documents, and the scope of who asks."""

    searches: SearchStep
    reader: DocumentReader | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a tool. `example` shows the model what to give; `aliases` are other names that models use."""

    name: str
    meaning: str
    example: str | int
    kind: Literal["text", "integer"] = "text"
    is_required: bool = True
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool. `name` is what the model calls it by (letters, digits and _), `description` tells the model its use."""

    name: str
    description: str
    run: Callable[..., Awaitable[str]]
    parameters: tuple[Parameter, ...] = ()

    def bound(self, choice: ToolChoice) -> dict[str, str | int]:
        """Return the arguments of a call by name. Raises ToolFault for wrong ones."""
        names = {name: each for each in self.parameters for name in (each.name, *each.aliases)}
        named = {name: value for name, value in self._unwrapped(choice.named).items() if value is not None}
        given = {names[name].name if name in names else name: value for name, value in named.items()}
        free = [each.name for each in self.parameters if each.name not in given]
        given |= dict(zip(free, self._without_name(choice.positional), strict=False))
        parameters = {each.name: each for each in self.parameters}
        has_all = all(each.name in given for each in self.parameters if each.is_required)
        if not has_all or given.keys() - parameters.keys() or len(choice.positional) > len(free):
            raise self._wrong()
        return {name: self._value(parameters[name], value) for name, value in given.items()}

    def _unwrapped(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take the arguments out of a key around all of them, as in `{"arguments": {"query": "tea"}}`."""
        inside = next(iter(named.values())) if len(named) == 1 else None
        is_wrapped = isinstance(inside, dict) and {*named} <= {*ARGUMENT_KEYS, self.name}
        return {str(name): value for name, value in inside.items()} if is_wrapped and inside else named

    def _without_name(self, positional: Sequence[Any]) -> Sequence[Any]:
        """Remove the name before a single text, as in `query: green tea`."""
        if len(positional) == 1 and isinstance(positional[0], str) and self.parameters:
            return [re.sub(rf"\A{re.escape(self.parameters[0].name)}\s*[:=]\s*", "", positional[0])]
        return positional

    def _value(self, parameter: Parameter, value: Any) -> str | int:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        text = str(value).strip().strip("\"'") if is_number or isinstance(value, str) else ""
        if parameter.kind == "text" and text:
            return text
        if parameter.kind == "integer" and re.fullmatch(r"-?\d{1,9}(?:\.0)?", text):
            return int(float(text))
        raise self._wrong()

    def _wrong(self) -> ToolFault:
        example = {each.name: each.example for each in self.parameters}
        return ToolFault(WRONG_ARGUMENTS.format(json.dumps(example)))

    @property
    def for_dspy(self) -> dspy.Tool:
        """The tool as DSPy describes it in a prompt."""
        types = {"text": "string", "integer": "integer"}
        arguments = {each.name: {"type": types[each.kind], "description": each.meaning} for each in self.parameters}
        return dspy.Tool(_uncalled, name=self.name, desc=self.description, args=arguments)


def _uncalled(**arguments: Any) -> str:
    raise NotImplementedError("`ToolCalls` runs the tools, which need the context of their run.")


async def search_documents(context: ToolContext, query: str) -> str:
    """Search the documents; the passages get the next numbers of the turn."""
    passages = await context.searches.find(Query(query[:QUERY_CHARS]), step=None)
    return numbered(passages) or NOTHING_FOUND


async def open_passage(context: ToolContext, number: str, around: int = 1) -> str:
    """Return a passage and its neighbours in the document; those that are new get the next numbers of the turn.

    `number` is that of a passage of this turn, or the id of a document, with ":" and a place in it.
    """
    if context.reader is None:
        raise ToolFault(NO_NEIGHBOURS)
    document_id, start, end = _place(number, context.searches.passages)
    around = min(max(around, 0), MOST_AROUND)
    if not any(each.id == document_id for each in await documents_in(context.scope, context.reader)):
        raise ToolFault(NO_PASSAGE)
    reach = PASSAGE_CHARS * around
    near = await context.reader.read(document_id, context.scope.visitor, max(0, start - reach), end + reach)
    near = tuple(each for each in near if _has_pages(each, context.scope.pages))
    meant = [at for at, each in enumerate(near) if (each.start or 0) < end and (each.end or 0) > start]
    if not meant:
        raise ToolFault(NO_PASSAGE)
    opened = near[max(0, meant[0] - around) : meant[-1] + around + 1]
    return numbered(await context.searches.add(near[meant[0]].title, opened))


async def calculate(context: ToolContext, expression: str) -> str:
    """Calculate an expression by parsing it."""
    try:
        return calculated(expression)
    except CalculationFault as fault:
        raise ToolFault(*fault.args) from None


def _place(number: str, passages: Sequence[Passage]) -> tuple[str, int, int]:
    """Return the document and the span that a number or an id means. Raises ToolFault."""
    if match := re.fullmatch(r"\[?(\d{1,9})\]?(?:\.0)?", number):
        passage = next((each for each in passages if each.number == int(match[1])), None)
        if passage is None:
            raise ToolFault(NO_PASSAGE)
        if passage.document_id is None or passage.start is None or passage.end is None:
            raise ToolFault(NO_NEIGHBOURS)
        return passage.document_id, passage.start, max(passage.end, passage.start + 1)
    document_id, _, start = number.partition(":")
    at = int(start) if re.fullmatch(r"\d{1,9}", start) else 0
    return document_id.strip(), at, at + 1


def _has_pages(passage: Passage, pages: tuple[int, int] | None) -> bool:
    if pages is None:
        return True
    first, last = passage.first_page, passage.last_page
    return first is not None and last is not None and first <= pages[1] and last >= pages[0]


Tools = Mapping[str, Tool]

TOOLS: Tools = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            Tool(
                "search_documents",
                "Searches the documents for more passages and returns them with the numbers by which to cite them.",
                search_documents,
                (Parameter("query", "the words to search for", "the words to search for"),),
            ),
            Tool(
                "open_passage",
                "Returns a passage that was found, with the passages before and after it in its document.",
                open_passage,
                (
                    Parameter("number", "the number of the passage", 1, aliases=("id", "passage", "passage_number")),
                    Parameter(
                        "around", "how many passages before and after it, 0 to 3", 1, "integer", is_required=False
                    ),
                ),
            ),
            Tool(
                "calculate",
                "Calculates an arithmetic expression, like 12.5 * 4 or round(200 * 1.19, 2).",
                calculate,
                (Parameter("expression", "numbers with + - * / // % ** and parentheses", "2 * 18"),),
            ),
        )
    }
)


class ToolCalls:
    """Runs the tools that the model of one run chooses. Each call is emitted with its step and its result."""

    def __init__(self, tools: Tools, context: ToolContext) -> None:
        self._tools, self._context = tools, context

    async def call(self, choice: ToolChoice, deadline: Deadline = NO_DEADLINE) -> str:
        """Run one tool until the deadline at most, and return what the model sees, also of a call that fails."""
        call, tool = secrets.token_urlsafe(6), self._tools.get(choice.tool)
        bound = self._bound(tool, choice)
        arguments = {**(_unnamed(choice) if isinstance(bound, ToolFault) else bound), **choice.named}
        await emit(ToolCalled(call=call, tool=whole_text(choice.tool), arguments=_shown(arguments)))
        began = time.monotonic()
        if tool:
            await emit(StepChanged(step=tool_step(tool.name), state="began"))
        result = bound if isinstance(bound, ToolFault) or tool is None else await self._run(tool, bound, deadline)
        took_s = time.monotonic() - began
        if tool:
            await emit(StepChanged(step=tool_step(tool.name), state="ended", took_s=took_s))
        failed = isinstance(result, ToolFault)
        text = neutral(whole_text(str(result))[:RESULT_CHARS])
        await emit(ToolReturned(call=call, text=text, took_s=took_s, failed=failed))
        return text

    def _bound(self, tool: Tool | None, choice: ToolChoice) -> dict[str, str | int] | ToolFault:
        if tool is None:
            return ToolFault(UNKNOWN_TOOL.format(", ".join(self._tools)))
        try:
            return tool.bound(choice)
        except ToolFault as fault:
            return fault

    async def _run(self, tool: Tool, arguments: Mapping[str, Any], deadline: Deadline) -> str | ToolFault:
        """Run a tool and return its result or its fault. Cancellation goes through."""
        try:
            async with deadline.limit():
                return str(await tool.run(self._context, **arguments))
        except ToolFault as fault:
            return fault
        except TimeoutError:
            return ToolFault(TOO_SLOW)
        except GlassboxError:
            return ToolFault(SEARCH_FAILED)
        except Exception as error:  # noqa: BLE001  a tool's bug must not end the turn, nor reach the model
            own_fault(error, "tool")
            return ToolFault(TOOL_FAILED)


def _unnamed(choice: ToolChoice) -> dict[str, Any]:
    return {f"argument_{at}": value for at, value in enumerate(choice.positional, 1)}


def _shown(arguments: Mapping[str, Any]) -> Arguments:
    """Return arguments as a flat object of scalars and short lists, with long ones cut."""
    some = list(arguments.items())[:SHOWN_ARGUMENTS]
    return {_cut(str(name)): _flat(value) for name, value in some}


def _flat(value: Any) -> Scalar | tuple[Scalar, ...]:
    if isinstance(value, list | tuple):
        return tuple(_scalar(each) for each in value[:SHOWN_ITEMS])
    return _scalar(value)


def _scalar(value: Any) -> Scalar:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < MOST_NUMBER:
        return value
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _cut(text: str) -> str:
    text = whole_text(text)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
