"""Reads which tool a model has chosen, in whatever form it wrote that. Pure.

Asked for three fields, models also write `Action: search_documents[green tea]`, `search_documents(query="green tea")`,
`{"name": "search_documents", "arguments": {"query": "green tea"}}` or a single argument without its name. Each is read
where it can mean only one thing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

FINISH = "finish"  # the name under which DSPy's agent ends its work
THOUGHT, NAME, ARGUMENTS = "next_thought", "next_tool_name", "next_tool_args"  # the fields of DSPy's agent

_FINISHES = frozenset({FINISH, "finished", "final_answer", "answer", "done", "complete", "completed", "stop", "none"})
_NAME_KEYS = (NAME, "tool_name", "tool", "name", "action", "function", "function_name")
ARGUMENT_KEYS = (ARGUMENTS, "tool_args", "arguments", "args", "parameters", "action_input", "tool_input", "input")
_THOUGHT_KEYS = (THOUGHT, "thought", "thoughts", "reasoning")
_JSON = re.compile(r"\s*(?:`{3,}\w*\s*|<\w+>\s*)?[\[{]")
_GOES_ON = re.compile(r"(?is)\n\W{0,10}(?:observation|thought)\b.*")  # a model that writes the tool's result itself
_FENCE = re.compile(r"\A\s*(`{3,})\w*\n?(.*?)\n?\s*\1\s*\Z", re.DOTALL)
_CALLED = re.compile(r"\W*+(?:functions?\.)?(\w++(?:[ -]\w++)*+)[`\"'*]*+\s*+(?:\((.*)\)|\[(.*)\]|:(.*))?", re.DOTALL)
_BALANCED = r"([^()]*+(?:\([^()]*+\)[^()]*+)*+)"
_DECORATION = r"[^\w\n]{0,10}+"  # of Markdown, around a label
_ACTION = rf"{_DECORATION}(?:next[ _])?(?:action|tool)"
_END = rf"(?=\n{_DECORATION}(?:observation|thought)[*_` ]*:|\Z)"
_INPUT = rf"(?:\n+{_ACTION}[ _](?:input|arg\w*)[*_` ]*:[ \t]*(.*?){_END})?"
_FINAL = re.compile(rf"(?im)^{_DECORATION}final answer[*_` ]*:")
_LABEL_BEFORE = re.compile(r"(?i)\A\W*+(?:next[ _])?thoughts?\W*:\W*")
_LABEL_BEHIND = re.compile(r"(?i)(?:next[ _])?(?:action|tool)(?: \d+)?\s*+:?\s*+\Z")
_VALUE = r"""(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|-?\d++(?:\.\d++)?|(?i:true|false|null|none)\b)"""
_ELEMENT = rf"(?:[\"']?([^\W\d]\w*+)[\"']?\s*[=:]\s*)?({_VALUE})"
LONGEST_NAME_CHARS, READ_CHARS = 64, 8_000


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What a model chose. `tool` is one of those it had, FINISH, or a name that none has.

    `positional` are arguments without a name. `thought` is there where the reply has no field for it.
    """

    tool: str
    named: Mapping[str, Any] = field(default_factory=dict)
    positional: tuple[Any, ...] = ()
    thought: str = ""


def choice_of(reply: str, fields: Mapping[str, str], tools: Collection[str]) -> ToolChoice | None:
    """Return the choice in a reply, None where it holds none. `fields` are those that the reply was read into.

    `tools` are the names of the tools that there are. A reply without headers stands in its last field.
    """
    if _JSON.match(reply) and (choice := _in_json(reply[:READ_CHARS], tools)):  # `fields` hold only its texts
        return choice
    if re.search(r"\w", name := fields.get(NAME, "").strip()):  # small models echo signs of the form as a name
        return _named(name, _GOES_ON.sub("", fields.get(ARGUMENTS, "")), tools)
    text = "\n".join(fields[each] for each in (THOUGHT, ARGUMENTS) if fields.get(each))[:READ_CHARS]
    return _in_json(text, tools) or _in_prose(text, tools)


def _named(name: str, arguments: str, tools: Collection[str]) -> ToolChoice:
    """Return the choice of a tool by a name of its own; `search_documents[green tea]` holds its argument too."""
    tool, inside = _known(name, tools), ""
    if tool is None and (match := _CALLED.match(name)):
        tool, inside = _known(match[1], tools), next((part for part in match.groups()[1:] if part), "")
    if tool is None:
        mentioned = [each for each in tools if re.search(rf"\b{re.escape(each)}\b", name)]
        tool = mentioned[0] if len(mentioned) == 1 else None
    if tool is None:
        return ToolChoice(" ".join(name.split())[:LONGEST_NAME_CHARS], *_arguments(arguments))
    named, positional = _arguments(arguments)
    return ToolChoice(tool, named, positional) if named or positional else ToolChoice(tool, *_arguments(inside))


def _known(name: str, tools: Collection[str]) -> str | None:
    plain = re.sub(r"[\W_]+", "_", name.strip().removeprefix("functions.")).strip("_").casefold()
    if plain in _FINISHES:
        return FINISH
    return next((tool for tool in tools if tool.casefold() == plain), None)


def _in_json(text: str, tools: Collection[str]) -> ToolChoice | None:
    """Return the choice in the first JSON object that names a tool."""
    for start, found in _objects(text):
        for each in _nested(found):
            if choice := _of_object(each, tools):
                thought = next((str(each[key]) for key in _THOUGHT_KEYS if each.get(key)), "") or _before(text, start)
                return ToolChoice(choice.tool, choice.named, choice.positional, thought)
    return None


def _of_object(found: Mapping[str, Any], tools: Collection[str]) -> ToolChoice | None:
    if len(found) == 1:
        ((key, value),) = found.items()
        if key in tools:
            return ToolChoice(key, *_as_arguments(value))
    name = next((found[key] for key in _NAME_KEYS if isinstance(found.get(key), str)), None)
    tool = _known(name, tools) if name else None
    given = next((found[key] for key in ARGUMENT_KEYS if key in found), None)
    if tool is None and (name is None or given is None):
        return None
    return ToolChoice(tool or str(name)[:LONGEST_NAME_CHARS], *_as_arguments(given))


def _objects(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the outermost JSON objects of a text with their places."""
    decoder, at = json.JSONDecoder(strict=False), 0
    while (at := text.find("{", at)) >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            yield at, found
            at = end


def _nested(found: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield an object and those in it, the outer first: a call may stand in `tool_calls` or `function`."""
    if isinstance(found, dict):
        yield found
    if depth < 4:
        inside = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
        for each in inside:
            yield from _nested(each, depth + 1)


def _in_prose(text: str, tools: Collection[str]) -> ToolChoice | None:
    """Return the first call in a text, as `name(…)`, `name[…]`, or `Action: name` with its input in the next line."""
    names = "|".join(re.escape(each) for each in sorted({*tools, FINISH}, key=len, reverse=True))
    called = re.search(rf"\b({names})(?:\({_BALANCED}\)|\[([^\[\]]++)\])", text, re.IGNORECASE)
    labelled = re.search(
        rf"^{_ACTION}(?:[ _]name)?[*_` ]*:{_DECORATION}({names})\b[^\n]*{_INPUT}",
        text,
        re.IGNORECASE | re.MULTILINE | re.DOTALL,
    )
    final = _FINAL.search(text)
    starts = [match.start() for match in (called, labelled, final) if match]
    if not starts:
        return None
    thought = _before(text, min(starts))
    if final and final.start() == min(starts):
        return ToolChoice(FINISH, thought=thought)
    match = called if called and (labelled is None or called.start() < labelled.end()) else labelled
    assert match is not None
    inside = next((part for part in match.groups()[1:] if part), "")
    return ToolChoice(_known(match[1], tools) or FINISH, *_arguments(inside), thought=thought)


def _before(text: str, end: int) -> str:
    """Return the thought that stands before a call, without its label and that of the call."""
    thought = re.sub(r"(?:```\w*|<\w+>)\s*\Z", "", text[:end].strip())
    return _LABEL_BEHIND.sub("", _LABEL_BEFORE.sub("", thought)).strip()


# Arguments


def _arguments(text: str) -> tuple[Mapping[str, Any], tuple[Any, ...]]:
    """Return the named and the other arguments that a text holds: as JSON, as Python writes a call, or plain."""
    text = text.strip()
    if match := _FENCE.match(text):
        text = match[2].strip()
    if not text:
        return {}, ()
    with suppress(ValueError, RecursionError):
        return _as_arguments(json.loads(text, strict=False))
    return _as_call(text) or ({}, (text.strip("`\"'"),))


def _as_arguments(value: Any) -> tuple[Mapping[str, Any], tuple[Any, ...]]:
    if isinstance(value, str):
        return _arguments(value) if value.lstrip()[:1] in ("{", "[") else ({}, (value,))
    if isinstance(value, dict):
        return {str(key): each for key, each in value.items()}, ()
    return {}, tuple(value) if isinstance(value, list) else () if value is None else (value,)


def _as_call(text: str) -> tuple[Mapping[str, Any], tuple[Any, ...]] | None:
    """Return the arguments that a text holds as a call writes them, or an object in single quotes."""
    inside = text[1:-1].strip() if text[0] + text[-1] == "{}" else text
    if not re.fullmatch(rf"{_ELEMENT}(?:\s*,\s*{_ELEMENT})*,?", inside):
        return None
    found = [(match[1], _literal(match[2])) for match in re.finditer(_ELEMENT, inside)]
    return {name: value for name, value in found if name}, tuple(value for name, value in found if not name)


def _literal(text: str) -> Any:
    if text[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    with suppress(ValueError):
        return json.loads(text)
    return {"True": True, "False": False}.get(text)
