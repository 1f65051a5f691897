"""MultiHop: each hop is seen, it ends when nothing is missing, and no reply of a model breaks it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import SearchFault
from pipeline.events import Event, PassagesFound
from pipeline.passages import Passage, Query, union
from pipeline.programs.call_limits import CallLimits
from pipeline.programs.multi_hop import MultiHop
from pipeline.programs.search_step import SearchStep
from pipeline.recording import fields_of
from pipeline.replies.dspy_stream import ReplyLimits, ReplyOutcome, answer
from pipeline.retrieval import DEFAULT_OPTIONS, Scope, SearchOptions, SearchResult
from pipeline.turn import Turn
from tests.provider import marked
from tests.scripted import cut, prompts_of, reply, scripted_lm

LIMITS = ReplyLimits(first_token_s=5, idle_s=5, answer_chars=32_000)
ANSWER = [reply("Both say it.", "80 °C [1][2].")]
LONG = "Water of 80 °C. " * 60


async def find(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
    """A search that finds another passage for every query."""
    if query.question == "broken":
        raise SearchFault
    passage = Passage(1, "tea.md", query.question, "", LONG, 1.0, document_id=query.question, start=0, end=9)
    return SearchResult(query, (passage,), (), "good", "keyword", 0.0)


def hop(missing: str, query: str) -> list[str]:
    return cut(marked(missing=missing, query=query), 5)


async def run(*scripts: Sequence[Any], **inputs: Any) -> tuple[list[Event], ReplyOutcome, list[str]]:
    """The events, how it ended, and every prompt."""
    events: list[Event] = []
    lm, engine = scripted_lm(scripts[0], later=scripts[1:])
    outcome = await answer(MultiHop(find), {"question": "How hot?", **inputs}, lm, LIMITS, events.append)
    return events, outcome, prompts_of(engine)


def steps(events: Sequence[Event]) -> list[tuple[str, str, str]]:
    return [(each.step, each.state, each.text) for each in events if each.kind == "step_changed"]


def codes(events: Sequence[Event]) -> list[str]:
    return [event.code for event in events if event.kind == "warned"]


def found(events: Sequence[Event]) -> list[tuple[str, list[int]]]:
    searches = [event for event in events if isinstance(event, PassagesFound)]
    return [(event.query, [each.number for each in event.passages]) for event in searches]


async def test_each_hop_is_a_step_with_its_query_and_what_is_missing_is_reasoning() -> None:
    events, outcome, prompts = await run(hop("The time is missing.", "brewing time"), hop("Nothing.", "none"), ANSWER)
    assert steps(events) == [
        ("retrieve", "began", ""),
        ("retrieve", "ended", ""),
        ("reason", "began", ""),
        ("search:2", "began", "brewing time"),
        ("search:2", "ended", ""),
        ("reason", "ended", ""),
        ("answer", "began", ""),
        ("answer", "ended", ""),
    ]
    assert found(events) == [("How hot?", [1]), ("brewing time", [2])]
    assert fields_of(events) == {
        "reasoning": "The time is missing.\n\nNothing.\n\nBoth say it.",
        "answer": "80 °C [1][2].",
    }
    assert (outcome.usage.prompt_tokens, outcome.usage.completion_tokens) == (21, 15)
    assert ["[2] brewing time" in prompt for prompt in prompts] == [False, True, True]
    assert codes(events) == []


async def test_there_are_three_hops_at_most() -> None:
    events, _, prompts = await run(hop("One.", "one"), hop("Two.", "two"), ANSWER)
    assert found(events) == [("How hot?", [1]), ("one", [2]), ("two", [3])]
    assert ("search:3", "began", "two") in steps(events)
    assert len(prompts) == 3
    assert fields_of(events)["answer"] == "80 °C [1][2]."


@pytest.mark.parametrize("query", ["none", "None.", "", "n/a", "Nothing is missing.", "no further query needed"])
async def test_without_a_query_the_model_answers(query: str) -> None:
    events, *_ = await run(hop("All is there.", query), ANSWER)
    assert found(events) == [("How hot?", [1])]
    assert fields_of(events)["answer"] == "80 °C [1][2]."


async def test_a_query_that_begins_like_none_is_searched() -> None:
    events, *_ = await run(hop("That.", "no tillage"), hop("All.", "none"), ANSWER)
    assert found(events)[1:] == [("no tillage", [2])]


async def test_a_query_that_was_searched_before_ends_the_hops() -> None:
    events, *_ = await run(hop("Hm.", "“how HOT?”"), ANSWER)
    assert found(events) == [("How hot?", [1])]


@pytest.mark.parametrize("text", ["The water is 80 °C [1].", "", "{", "[[ ## query ## ]]", '{"query": 7}', "x" * 9_000])
async def test_a_hop_without_the_format_leads_to_the_answer(text: str) -> None:
    events, *_ = await run([text, "\n"], ANSWER)
    assert found(events) == [("How hot?", [1])]
    assert fields_of(events)["answer"] == "80 °C [1][2]."
    assert codes(events) == []


async def test_a_later_search_that_fails_is_told_and_the_answer_comes_from_what_there_is() -> None:
    events, *_ = await run(hop("That.", "broken"), ANSWER)
    assert ("search:2", "skipped", "broken") in steps(events)
    assert codes(events) == ["search_again"]
    assert fields_of(events)["answer"] == "80 °C [1][2]."


async def test_when_the_time_is_over_the_model_answers_and_a_warning_says_so() -> None:
    events, *_ = await run(ANSWER, call_limits=CallLimits(6, 1e-9))
    assert found(events) == [("How hot?", [1])]
    assert codes(events) == ["time_limit"]


async def test_an_earlier_attempts_passages_replace_the_first_search_and_keep_their_numbers() -> None:
    passages = [Passage(number, "a.md", f"Title {number}", "", "x", 1.0) for number in (1, 2)]
    events, _, prompts = await run(hop("That.", "brewing time"), hop("Nothing.", "none"), ANSWER, found=passages)
    assert found(events) == [("brewing time", [3])]
    assert all("[2] Title 2" in prompt for prompt in prompts)
    events, _, prompts = await run(hop("Nothing.", "none"), ANSWER, found=passages)
    assert found(events) == []
    assert len(prompts) == 2


async def test_history_and_instructions_reach_the_model_and_no_prompt_is_longer_than_its_limit() -> None:
    turns = [Turn(f"t{at}", "c", f"Question {at}?", "m", "finished", fields={"answer": "y" * 300}) for at in range(3)]
    scripts = hop("One.", "one"), hop("Two.", "two"), ANSWER
    for limit in (120_000, 5_300):
        events, _, prompts = await run(
            *scripts, history=turns, instructions="Answer in rhymes.", prompt_limit_chars=limit
        )
        assert len(prompts) == 3
        assert all(len(prompt) <= limit + 10 for prompt in prompts)
        assert "Question 2?" in prompts[0]
        assert "Answer in rhymes." in prompts[2]
        assert codes(events) == (["prompt_limit"] if limit < 120_000 else [])


# Numbers over several searches

DOCUMENTS = st.sampled_from("abcdef")


@settings(deadline=None)
@given(st.lists(st.lists(DOCUMENTS, unique=True, max_size=4), min_size=1, max_size=5))
def test_numbers_go_on_over_searches_and_a_passage_keeps_its_own(searches: list[list[str]]) -> None:
    results = iter(searches)

    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        names = next(results)
        passages = tuple(Passage(at, name, name, "", name, 1.0, document_id=name) for at, name in enumerate(names, 1))
        return SearchResult(query, passages, (), "good", "keyword", 0.0)

    async def all_of_them() -> tuple[list[tuple[Passage, ...]], SearchStep]:
        step = SearchStep(search)
        return [await step.find(Query("q")) for _ in searches], step

    passages, step = asyncio.run(all_of_them())
    numbers: dict[str, int] = {}
    for names, some in zip(searches, passages, strict=True):
        assert [each.document for each in some] == names
        for each in some:
            assert numbers.setdefault(each.document, each.number) == each.number
    assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))
    assert list(numbers) == list(dict.fromkeys(itertools.chain(*searches)))
    assert step.passages == union(*passages)
