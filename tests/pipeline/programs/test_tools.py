"""The tools of an agent: arguments as models give them, and passages that the asker may see, never others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n.event_json import event_json
from pipeline.events import Event, PassagesFound, ToolCalled
from pipeline.passages import Query
from pipeline.programs import tools
from pipeline.programs.react import ReActWithTools
from pipeline.programs.search_step import SearchStep
from pipeline.programs.tool_choices import ARGUMENTS, FINISH, NAME, THOUGHT, ToolChoice, choice_of
from pipeline.programs.tools import TOOLS, ToolCalls, ToolContext, ToolFault, open_passage
from pipeline.replies.dspy_stream import ReplyLimits, answer
from pipeline.retrieval import SHARED, Scope, SearchOptions
from pipeline.retrieval.edge import EdgeIndex
from tests.indexed import letter, word
from tests.scripted import find_tea, reply, scripted_lm

MAYA, NOAH = "m" * 32, "n" * 32
OPEN = TOOLS["open_passage"]


@pytest.mark.parametrize(
    ("tool", "named", "positional", "bound"),
    [
        ("search_documents", {"query": " tea "}, (), {"query": "tea"}),
        ("search_documents", {}, ("tea",), {"query": "tea"}),
        ("search_documents", {}, ("query: tea",), {"query": "tea"}),
        ("search_documents", {"query": 7}, (), {"query": "7"}),
        ("open_passage", {"number": 3, "around": "2"}, (), {"number": "3", "around": 2}),
        ("open_passage", {"id": "9f2c"}, (), {"number": "9f2c"}),
        ("calculate", {"arguments": {"expression": "1 + 1"}}, (), {"expression": "1 + 1"}),
        ("calculate", {"calculate": {"expression": "1 + 1"}}, (), {"expression": "1 + 1"}),
        ("open_passage", {}, (3, 1), {"number": "3", "around": 1}),
        ("open_passage", {"around": None}, (3,), {"number": "3"}),
        ("calculate", {"expression": "2 * 18"}, (), {"expression": "2 * 18"}),
        ("calculate", {"expression": 36.5}, (), {"expression": "36.5"}),
    ],
)
def test_arguments_are_bound_where_they_mean_one_thing(
    tool: str, named: dict[str, Any], positional: tuple[Any, ...], bound: dict[str, Any]
) -> None:
    assert TOOLS[tool].bound(ToolChoice(tool, named, positional)) == bound


@pytest.mark.parametrize(
    ("tool", "named", "positional"),
    [
        ("search_documents", {}, ()),
        ("search_documents", {"query": ""}, ()),
        ("search_documents", {"query": None}, ()),
        ("search_documents", {"query": "a", "k": 3}, ()),
        ("search_documents", {"query": ["a"]}, ()),
        ("search_documents", {"query": True}, ()),
        ("search_documents", {}, ("a", "b")),
        ("open_passage", {"number": 1, "around": "many"}, ()),
        ("open_passage", {"around": 1}, ()),
    ],
)
def test_other_arguments_are_refused(tool: str, named: dict[str, Any], positional: tuple[Any, ...]) -> None:
    with pytest.raises(ToolFault, match="Give a JSON object like"):
        TOOLS[tool].bound(ToolChoice(tool, named, positional))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([*TOOLS]), st.dictionaries(st.text(max_size=9), JSON, max_size=3), st.lists(JSON, max_size=3))
def test_any_arguments_are_bound_or_refused(tool: str, named: dict[str, Any], positional: list[Any]) -> None:
    try:
        bound = TOOLS[tool].bound(ToolChoice(tool, named, tuple(positional)))
    except ToolFault:
        return
    assert all(isinstance(value, str | int) for value in bound.values())


@given(st.dictionaries(st.text(max_size=9), JSON, max_size=12), st.lists(JSON, max_size=3))
def test_any_arguments_are_shown_as_a_flat_object(named: dict[str, Any], positional: list[Any]) -> None:
    """Also those of a tool that there is not."""
    events: list[Event] = []
    choice = ToolChoice("other", named, tuple(positional))

    class Calling(dspy.Module):
        async def aforward(self, **inputs: Any) -> dspy.Prediction:
            await ToolCalls(TOOLS, ToolContext(SearchStep(find_tea), None, SHARED)).call(choice)
            return dspy.Prediction(answer="a")

    lm, _ = scripted_lm([""])
    asyncio.run(answer(Calling(), {}, lm, ReplyLimits(5, 5, 99), events.append))
    called = json.loads(event_json(next(event for event in events if isinstance(event, ToolCalled))))
    assert len(called["arguments"]) <= 10
    for value in called["arguments"].values():
        for each in value if isinstance(value, list) else [value]:
            assert each is None or isinstance(each, str | int | float)
            assert len(str(each)) <= 301


LIKE_A_CHOICE = st.lists(
    st.sampled_from(
        [
            *(
                "Action:",
                "Thought: ",
                "Observation:",
                "search_documents",
                "calculate",
                "finish",
                "query",
                "tea",
                "1 + 1",
            ),
            *("(", ")", "[", "]", "{", "}", '"', "'", ",", ":", "=", "\\", "\n"),
            *("```json\n", '"name"', '"arguments"', "<tool_call>"),
        ]
    )
    | st.text(max_size=4),
    max_size=20,
).map("".join)


@pytest.mark.parametrize("name", ["[", "[[", "```", "**[**", "…"])
def test_signs_without_a_letter_name_no_tool(name: str) -> None:
    assert choice_of(name, {NAME: name, ARGUMENTS: "[**[## next"}, TOOLS.keys()) is None


@given(LIKE_A_CHOICE, LIKE_A_CHOICE, st.booleans())
def test_any_reply_is_a_choice_or_none(first: str, second: str, has_name: bool) -> None:
    fields = {NAME: first, ARGUMENTS: second} if has_name else {THOUGHT: first, ARGUMENTS: second}
    choice = choice_of(f"{first}\n{second}", fields, TOOLS.keys())
    if choice is not None:
        assert choice.tool == FINISH or choice.tool in TOOLS or len(choice.tool) <= 64


# Opening passages


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EdgeIndex]:
    """A shared document (1), and one of Noah's (2) with five passages each."""
    made = EdgeIndex(tmp_path)
    asyncio.run(made.add([letter(1, passages=5)], "docs", None))
    asyncio.run(made.add([letter(2, passages=5)], "private", NOAH))
    yield made
    made.close()


async def opened(index: EdgeIndex, number: str, around: int, scope: Scope, about: int = 1) -> tuple[str, list[int]]:
    """The text and the numbers of all passages, after a search that found the third of a document."""
    step = SearchStep(index, scope, SearchOptions(passages_wanted=1))
    await step.find(Query(f"{word(about)} part2"))
    found = step.passages
    text = await open_passage(ToolContext(step, index, scope), number, around)
    assert step.passages[: len(found)] == found  # with their scores
    return text, [each.number for each in step.passages]


def parts(text: str) -> list[str]:
    return [f"part{number}" for number in range(9) if f"part{number}" in text]


async def test_a_passage_is_opened_with_its_neighbours_which_get_the_next_numbers(index: EdgeIndex) -> None:
    text, numbers = await opened(index, "1", 1, Scope(MAYA))
    assert parts(text) == ["part1", "part2", "part3"]
    assert [line.split(" ")[0] for line in text.splitlines() if line.startswith("[")] == ["[2]", "[1]", "[3]"]
    assert numbers == [1, 2, 3]
    assert parts((await opened(index, "[1]", 0, Scope(None)))[0]) == ["part2"]
    assert parts((await opened(index, "1", 99, Scope(None)))[0]) == ["part0", "part1", "part2", "part3", "part4"]


async def test_a_document_is_opened_by_its_id_at_its_beginning_or_at_a_place(index: EdgeIndex) -> None:
    (entry,) = await index.documents(None)
    assert parts((await opened(index, entry.id, 1, Scope(None)))[0]) == ["part0", "part1"]
    assert parts((await opened(index, f"{entry.id}:200", 0, Scope(None)))[0]) == ["part2"]


async def test_no_passage_of_another_visitor_or_outside_of_the_scope_is_opened(index: EdgeIndex) -> None:
    shared, own = await index.documents(NOAH)
    assert parts((await opened(index, own.id, 0, Scope(NOAH)))[0]) == ["part0"]
    for scope, document in (
        (Scope(MAYA), own.id),
        (Scope(None), own.id),
        (Scope(NOAH, documents=(shared.id,)), own.id),
        (Scope(NOAH, collections=("docs",)), own.id),
        (Scope(NOAH, collections=("private",)), shared.id),
        (Scope(MAYA, hidden=("docs",)), shared.id),
        (Scope(MAYA), "no such id"),
        (Scope(MAYA), "9"),
    ):
        with pytest.raises(ToolFault, match=tools.NO_PASSAGE):
            await opened(index, document, 1, scope)


async def test_a_question_about_documents_as_a_whole_gets_their_beginnings(index: EdgeIndex) -> None:
    events: list[Event] = []
    finish = "[[ ## next_thought ## ]]\nClear.\n\n[[ ## next_tool_name ## ]]\nfinish\n\n[[ ## next_tool_args ## ]]\n{}"
    lm, _ = scripted_lm([finish], later=[[reply("r", "One [1].")]])
    program, inputs = ReActWithTools(index, index), {"question": "What are the documents about?", "scope": Scope(MAYA)}
    await answer(program, inputs, lm, ReplyLimits(5, 5, 999), events.append)
    (found,) = [event for event in events if isinstance(event, PassagesFound)]
    assert [parts(each.text) for each in found.passages] == [["part0"], ["part1"], ["part2"], ["part3"]]
    assert {each.score for each in found.passages} == {1.0}  # no search has ranked them
