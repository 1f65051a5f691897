"""ReAct through the stream that answers a turn: tools, their events, limits, and replies in any form."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import dspy
import pytest

from pipeline.errors import ModelFault, SearchFault
from pipeline.events import Event, PassagesFound, Warned
from pipeline.models.prompt_limit import PromptLimit
from pipeline.passages import Passage, Query, union
from pipeline.programs.call_limits import CallLimits
from pipeline.programs.react import ReActWithTools
from pipeline.programs.search_step import SearchStep
from pipeline.programs.tool_choices import ToolChoice
from pipeline.programs.tools import SEARCH_FAILED, WRONG_ARGUMENTS, Tool, ToolCalls, ToolContext
from pipeline.recording import fields_of
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOptions, ReplyOutcome, answer
from pipeline.retrieval import DEFAULT_OPTIONS, SHARED, Scope, SearchOptions, SearchResult
from pipeline.turn import Turn
from tests.provider import marked
from tests.scripted import cut, find_tea, prompts_of, reply, scripted_lm

LIMITS = ReplyLimits(first_token_s=5, idle_s=5, answer_chars=32_000)
DEFAULTS = ReplyOptions()


async def run(
    program: ReActWithTools,
    *scripts: Any,
    options: ReplyOptions = DEFAULTS,
    limits: ReplyLimits = LIMITS,
    **inputs: Any,
) -> tuple[list[Event], ReplyOutcome, list[str]]:
    """The events, how it ended, and the text of every prompt."""
    events: list[Event] = []
    lm, engine = scripted_lm(scripts[0], later=scripts[1:])
    outcome = await answer(program, {"question": "How hot?", **inputs}, lm, limits, events.append, options)
    return events, outcome, prompts_of(engine)


def of_kind(events: Sequence[Event], *kinds: str) -> list[Any]:
    return [event for event in events if event.kind in kinds]


def codes(events: Sequence[Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, Warned)]


def step(thought: str, tool: str, **arguments: Any) -> str:
    return marked(next_thought=thought, next_tool_name=tool, next_tool_args=json.dumps(arguments))


REACTS = (
    cut(step("Look it up.", "search_documents", query="green tea"), 4),
    cut(step("Enough.", "finish"), 4),
    cut(reply("Passage 1 says it.", "80 °C [1]."), 4),
)


async def test_react_searches_reasons_and_answers() -> None:
    events, outcome, _ = await run(ReActWithTools(find_tea), *REACTS)
    fields = fields_of(events)
    assert fields["answer"] == "80 °C [1]."
    assert fields["reasoning"] == "Look it up.\n\nEnough.\n\nPassage 1 says it."
    found = [event for event in events if isinstance(event, PassagesFound)]
    assert [(event.query, [each.number for each in event.passages]) for event in found] == [
        ("How hot?", [1]),
        ("green tea", [1]),
    ]
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens) == (21, 15)


async def test_react_understands_json_with_values_that_are_objects() -> None:
    first = {"next_thought": "Look.", "next_tool_name": "search_documents", "next_tool_args": {"query": "green tea"}}
    events, *_ = await run(ReActWithTools(find_tea), [json.dumps(first)], *REACTS[1:])
    assert [event.query for event in events if isinstance(event, PassagesFound)] == ["How hot?", "green tea"]
    assert fields_of(events)["answer"] == "80 °C [1]."


async def test_numbers_go_on_over_the_searches_of_a_turn_and_a_passage_keeps_its_own() -> None:
    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        names = {"How hot?": ("a", "b"), "second": ("c", "a", "d")}[query.question]
        passages = tuple(
            Passage(at, f"{name}.md", name, "", name, 1.0, document_id=name, start=0)
            for at, name in enumerate(names, 1)
        )
        return SearchResult(query, passages, (), "good", "keyword", 0.0)

    first = [step("One.", "search_documents", query="second")]
    events, *_ = await run(ReActWithTools(search), first, *REACTS[1:])
    found = [event.passages for event in events if isinstance(event, PassagesFound)]
    assert [[(each.number, each.title) for each in passages] for passages in found] == [
        [(1, "a"), (2, "b")],
        [(3, "c"), (1, "a"), (4, "d")],
    ]
    assert [each.title for each in union(*found)] == ["a", "b", "c", "d"]


async def test_a_search_that_fails_inside_a_tool_is_a_failed_call_and_the_model_answers_from_what_there_is() -> None:
    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        if query.question == "green tea":
            raise SearchFault
        return await find_tea(query, scope, options)

    events, *_ = await run(ReActWithTools(search), *REACTS)
    assert [(each.failed, each.text) for each in of_kind(events, "tool_returned")] == [(True, SEARCH_FAILED)]
    assert fields_of(events)["answer"] == "80 °C [1]."


async def test_a_first_search_that_fails_ends_the_turn() -> None:
    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        raise SearchFault

    with pytest.raises(SearchFault):
        await run(ReActWithTools(search), *REACTS)


async def test_each_call_is_a_step_between_the_choice_and_the_result_that_the_model_sees() -> None:
    scripts = [step("Double it.", "calculate", expression="2 * 18")], *REACTS
    events, _, prompts = await run(ReActWithTools(find_tea), *scripts)
    said = [
        (event.kind, getattr(event, "step", None) or getattr(event, "tool", None), getattr(event, "state", None))
        for event in events
        if event.kind not in ("field_delta", "passages_found")
    ]
    assert said == [
        ("step_changed", "retrieve", "began"),
        ("step_changed", "retrieve", "ended"),
        ("step_changed", "reason", "began"),
        ("tool_called", "calculate", None),
        ("step_changed", "tool:calculate", "began"),
        ("step_changed", "tool:calculate", "ended"),
        ("tool_returned", None, None),
        ("tool_called", "search_documents", None),
        ("step_changed", "tool:search_documents", "began"),
        ("step_changed", "tool:search_documents", "ended"),
        ("tool_returned", None, None),
        ("step_changed", "reason", "ended"),
        ("step_changed", "answer", "began"),
        ("step_changed", "answer", "ended"),
    ]
    called, returned = of_kind(events, "tool_called"), of_kind(events, "tool_returned")
    assert [each.call for each in called] == [each.call for each in returned]
    assert len({each.call for each in called}) == 2
    assert [each.arguments for each in called] == [{"expression": "2 * 18"}, {"query": "green tea"}]
    assert [(each.text, each.failed) for each in returned] == [
        ("36", False),
        ("[1] Tea › Brewing\nGreen tea wants water of 80 °C.", False),
    ]
    assert "[[ ## observation_0 ## ]]\n36" in prompts[1]
    assert returned[1].text in prompts[2].partition("observation_1")[2]


@pytest.mark.parametrize("arguments", [{"q": "green tea"}, {"query": ""}, {"query": ["a", "b"]}, {}])
async def test_wrong_arguments_of_a_tool_are_told_to_the_model_without_a_traceback(arguments: dict[str, Any]) -> None:
    events, _, prompts = await run(
        ReActWithTools(find_tea), [step("Look.", "search_documents", **arguments)], *REACTS[1:]
    )
    (returned,) = of_kind(events, "tool_returned")
    assert returned.failed
    assert returned.text == WRONG_ARGUMENTS.format('{"query": "the words to search for"}')
    assert returned.text in prompts[1]
    assert "Traceback" not in prompts[1]
    assert ".py" not in prompts[1]
    assert [event.query for event in events if isinstance(event, PassagesFound)] == ["How hot?"]


async def test_a_tool_that_there_is_not_is_a_failed_call_without_a_step() -> None:
    events, _, prompts = await run(ReActWithTools(find_tea), [step("Hm.", "telephone", number="1")], *REACTS[1:])
    (called,), (returned,) = of_kind(events, "tool_called"), of_kind(events, "tool_returned")
    assert (called.tool, called.arguments, called.call) == ("telephone", {"number": "1"}, returned.call)
    assert (returned.failed, returned.text) == (
        True,
        "There is no tool of that name. The tools are: search_documents, open_passage, calculate.",
    )
    assert returned.text in prompts[1]
    assert not [each for each in of_kind(events, "step_changed") if each.step.startswith("tool:")]
    assert fields_of(events)["answer"] == "80 °C [1]."


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Every line of ours, with the text of its exception."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    listener = Listener()
    logging.getLogger("pipeline").addHandler(listener)
    yield lines
    logging.getLogger("pipeline").removeHandler(listener)


SECRET = "sk-0123456789 in /srv/secret.py"


async def test_a_tool_that_raises_is_a_failed_call_with_a_constant_text(logged: list[str]) -> None:
    async def broken(context: ToolContext) -> str:
        raise ValueError(SECRET)

    tools = MappingProxyType({"broken": Tool("broken", "Breaks.", broken)})
    events, _, prompts = await run(
        ReActWithTools(find_tea, tools=tools), [step("Try.", "broken")], [step("Enough.", "finish")], REACTS[2]
    )
    (returned,) = of_kind(events, "tool_returned")
    assert (returned.failed, returned.text) == (True, "The tool failed. Go on without it.")
    assert SECRET not in "".join(prompts) + repr(events) + "".join(logged)
    assert any("ValueError" in line for line in logged)
    assert fields_of(events)["answer"] == "80 °C [1]."


async def test_a_tool_that_takes_too_long_is_a_failed_call() -> None:
    async def slow(context: ToolContext) -> str:
        await asyncio.Event().wait()
        return ""

    tools = MappingProxyType({"slow": Tool("slow", "Waits.", slow)})
    events: list[Event] = []

    class Calling(dspy.Module):
        async def aforward(self, **inputs: Any) -> dspy.Prediction:
            calls = ToolCalls(tools, ToolContext(SearchStep(find_tea), None, SHARED))
            return dspy.Prediction(answer=await calls.call(ToolChoice("slow"), CallLimits(1, 0.1).deadline()))

    lm, _ = scripted_lm([""])
    await answer(Calling(), {}, lm, LIMITS, events.append)
    (returned,) = of_kind(events, "tool_returned")
    assert (returned.failed, returned.text) == (True, "The tool took too long. Go on without it.")


async def test_a_choice_that_takes_too_long_is_cut_and_the_model_answers() -> None:
    hangs = ["[[ ## next_thought ## ]]\nI think and", 600.0]
    limits = replace(LIMITS, first_token_s=0, idle_s=0)
    events, outcome, _ = await run(
        ReActWithTools(find_tea), hangs, REACTS[2], call_limits=CallLimits(6, 0.5), limits=limits
    )
    assert codes(events) == ["time_limit"]
    fields = fields_of(events)
    assert fields["answer"] == "80 °C [1]."
    assert fields["reasoning"] in ("I think and\n\nPassage 1 says it.", "Passage 1 says it.")
    assert not outcome.usage.exact


async def test_at_the_limit_of_steps_the_model_answers_and_a_warning_says_so() -> None:
    again = [step("Again.", "calculate", expression="1 + 1")]
    events, *_ = await run(ReActWithTools(find_tea), again, again, REACTS[2], call_limits=CallLimits(2))
    assert len(of_kind(events, "tool_called")) == 2
    assert [(each.code, each.values) for each in of_kind(events, "warned")] == [("step_limit", {"most": 2})]
    assert fields_of(events) == {"reasoning": "Again.\n\nAgain.\n\nPassage 1 says it.", "answer": "80 °C [1]."}


async def test_long_and_nested_arguments_are_shown_cut_and_flat() -> None:
    given = {"query": "x" * 900, "nested": {"a": [1]}, "list": [*range(30)], "big": 10**30, "none": None}
    first = step("Hm.", "search_documents", **given)
    events, *_ = await run(ReActWithTools(find_tea), cut(first, 9), *REACTS[1:])
    (called,) = of_kind(events, "tool_called")
    assert called.arguments == {
        "query": "x" * 300 + "…",
        "nested": '{"a": [1]}',
        "list": tuple(range(10)),
        "big": "1" + "0" * 30,
        "none": None,
    }


@pytest.mark.parametrize(
    ("text", "thought"),
    [
        ("I look it up.\nAction: search_documents[green tea]\nObservation: 70 °C", "I look it up."),
        ("Thought: I look it up.\nAction: search_documents\nAction Input: green tea", "I look it up."),
        ("[[ ## next_thought ## ]]\nI look it up.\nAction: search_documents[green tea]", "I look it up."),
        ("[[ ## next_thought ## ]]\nUp.\n\n**Action:** search_documents\n**Action Input:** green tea", "Up."),
        ('```json\n{"thought": "Up.", "tool": "search_documents", "args": {"query": "green tea"}}\n```', "Up."),
        ('<tool_call>{"name": "search_documents", "arguments": {"query": "green tea"}}</tool_call>', ""),
        (marked(next_thought="Up.", next_tool_name="search_documents", next_tool_args="green tea"), "Up."),
        (marked(next_thought="Up.", next_tool_name='search_documents(query="green tea")'), "Up."),
        (
            json.dumps({"next_thought": "Up.", "next_tool_name": "search_documents", "next_tool_args": "green tea"}),
            "Up.",
        ),
    ],
)
@pytest.mark.parametrize("size", [3, 400])
async def test_a_choice_is_read_in_whatever_form_a_model_writes_it(text: str, thought: str, size: int) -> None:
    events, *_ = await run(ReActWithTools(find_tea), cut(text, size), *REACTS[1:])
    assert [(each.tool, each.arguments) for each in of_kind(events, "tool_called")] == [
        ("search_documents", {"query": "green tea"})
    ]
    fields = fields_of(events)
    assert fields["answer"] == "80 °C [1]."
    assert fields["reasoning"] == "\n\n".join([*filter(None, [thought]), "Enough.", "Passage 1 says it."])


@pytest.mark.parametrize(
    "text",
    [
        "I cannot use tools.",
        "Final Answer: 85 °C",
        marked(next_thought="Hm.", next_tool_name="finish"),
        marked(next_thought="Hm.", next_tool_name="Finish[85 °C]"),
        '{"next_tool_name": "finish", "next_tool_args": {"answer": "85 °C"}}',
        "{",
        "[" * 50,
    ],
)
async def test_a_model_that_chooses_no_tool_answers_from_what_was_found(text: str) -> None:
    events, *_ = await run(ReActWithTools(find_tea), [text], REACTS[2])
    assert fields_of(events)["answer"] == "80 °C [1]."
    assert "85" not in fields_of(events)["reasoning"]
    assert codes(events) == []


async def test_without_steps_the_prompt_of_the_answer_has_no_field_for_them() -> None:
    _, _, prompts = await run(ReActWithTools(find_tea), [step("Clear.", "finish")], REACTS[2])
    assert ["trajectory" in prompt for prompt in prompts] == [True, False]
    _, _, prompts = await run(ReActWithTools(find_tea), *REACTS)
    assert ["trajectory" in prompt for prompt in prompts] == [True, True, True]


async def test_both_prompts_have_the_history_and_the_instructions_of_the_turn() -> None:
    earlier = Turn("t", "c", "What is matcha?", "fast", "finished", fields={"answer": "Ground tea [1]."})
    _, _, prompts = await run(ReActWithTools(find_tea), *REACTS, history=[earlier], instructions="Answer in rhymes.")
    for prompt in prompts:
        assert "Answer in rhymes." in prompt
        assert "Answer the question from the numbered passages alone" not in prompt
        assert "What is matcha?\nGround tea [1]." in prompt
    assert "(2) open_passage, whose description is" in prompts[0]
    assert "next_tool_name" not in prompts[2]


async def test_no_prompt_is_longer_than_its_limit_and_a_warning_says_what_happened() -> None:
    turns = [Turn(f"t{at}", "c", f"Question {at}?", "m", "finished", fields={"answer": "y" * 400}) for at in range(9)]
    scripts = [[step("Look.", "search_documents", query=query)] for query in ("one", "two", "three")]
    events, _, prompts = await run(
        ReActWithTools(find_much), *scripts, *REACTS[1:], history=turns, prompt_limit_chars=7_000
    )
    assert len(prompts) == 5
    assert max(map(len, prompts)) <= 7_000 + len("\n") * 9
    assert codes(events) == ["prompt_limit"]
    assert f"three: {LONG_PASSAGE.strip()}" in prompts[-1]


async def test_passages_of_an_earlier_attempt_replace_the_first_search_and_keep_their_numbers() -> None:
    found = Passage(4, "tea.md", "Tea", "Old", "Tea is old.", 1.0)
    events, *_ = await run(ReActWithTools(find_tea), *REACTS, found=[found])
    (event,) = of_kind(events, "passages_found")
    assert (event.query, [each.number for each in event.passages]) == ("green tea", [5])


async def test_a_stop_in_the_middle_of_a_tool_ends_it() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def slow(context: ToolContext) -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    tools = MappingProxyType({"slow": Tool("slow", "Waits.", slow)})
    events: list[Event] = []
    lm, _ = scripted_lm([step("Try.", "slow")])
    program = ReActWithTools(find_tea, tools=tools)
    task = asyncio.create_task(answer(program, {"question": "How hot?"}, lm, LIMITS, events.append))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert [each.tool for each in of_kind(events, "tool_called")] == ["slow"]
    assert of_kind(events, "tool_returned") == []


LONG_PASSAGE = "Green tea wants water of 80 °C. " * 40


async def find_much(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
    """A search that finds another long passage for every query."""
    text = f"{query.question}: {LONG_PASSAGE}"
    passage = Passage(1, "tea.md", "Tea", "", text, 1.0, document_id=query.question, start=0)
    return SearchResult(query, (passage,), (), "good", "keyword", 0.0)


async def test_react_forgets_its_oldest_searches_where_the_prompt_becomes_too_long() -> None:
    queries = ("one", "two", "three", "four")
    scripts = [[step("Look.", "search_documents", query=query)] for query in queries]
    lm, engine = scripted_lm(scripts[0], later=[*scripts[1:], *REACTS[1:]])
    events: list[Event] = []
    limits = replace(LIMITS, prompt=PromptLimit(chars=7_000))
    await answer(ReActWithTools(find_much), {"question": "How hot?"}, lm, limits, events.append)
    assert fields_of(events)["answer"] == "80 °C [1]."
    prompts = ["".join(message.text or "" for message in each.messages) for each in engine.requests]
    assert len(prompts) == 6  # none was made twice
    assert all(len(prompt) <= 7_000 for prompt in prompts)
    assert f"one: {LONG_PASSAGE.strip()}" not in prompts[-1]
    assert f"four: {LONG_PASSAGE.strip()}" in prompts[-1]


async def test_react_raises_the_fault_where_not_even_the_answer_has_room() -> None:
    limits = replace(LIMITS, prompt=PromptLimit(chars=500))
    with pytest.raises(ModelFault, match="prompt_too_long"):
        await run(ReActWithTools(find_much), *REACTS, limits=limits)


async def test_a_model_is_not_blamed_for_the_time_between_its_calls() -> None:
    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        await asyncio.sleep(2.5)
        return await find_tea(query, scope, options)

    limits = ReplyLimits(2, 2, 32_000)
    events, *_ = await run(ReActWithTools(search), *REACTS, limits=limits)
    assert fields_of(events)["answer"] == "80 °C [1]."
