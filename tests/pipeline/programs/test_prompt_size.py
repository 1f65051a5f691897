"""No prompt is longer than its limit; what is left out for that is said."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import ModelFault
from pipeline.events import Event, PassagesFound, Warned
from pipeline.messages import Message
from pipeline.models.prompt_limit import PromptLimit
from pipeline.passages import Passage, Query
from pipeline.programs.chain_of_thought import Rag
from pipeline.replies.dspy_stream import ReplyLimits, answer
from pipeline.retrieval import DEFAULT_OPTIONS, Scope, SearchOptions, SearchResult
from pipeline.turn import Turn
from tests.programs import Drafted
from tests.scripted import find_tea, reply, scripted_lm

LIMITS = ReplyLimits(first_token_s=5, idle_s=5, answer_chars=32_000)
PASSAGE = Passage(1, "a.md", "Tea", "Brewing", "Green tea wants water of 80 °C. ", 1.0)


def passages(*sizes: int) -> tuple[Passage, ...]:
    return tuple(replace(PASSAGE, number=number, text="x" * size) for number, size in enumerate(sizes, 1))


def turn(number: int, size: int) -> Turn:
    fields = {"reasoning": "", "answer": "y" * size}
    return Turn(f"t{number}", "c", f"Question {number}?", "fast", "finished", fields=fields)


async def run(there_are: tuple[Passage, ...], limit: int, **inputs: Any) -> tuple[list[Event], list[str]]:
    """The events, and every prompt that was sent."""

    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        return SearchResult(query, there_are, (), "good", "keyword", 0.1)

    events: list[Event] = []
    lm, engine = scripted_lm([reply("r", "a [1].")], whole='[[ ## queries ## ]]\n["tea"]')
    given_inputs = {"question": "How hot?", "prompt_limit_chars": limit, **inputs}
    await answer(Rag(search), given_inputs, lm, LIMITS, events.append)
    return events, ["".join(message.text or "" for message in _messages(request)) for request in engine.requests]


def _messages(request: Any) -> list[Any]:
    system = getattr(request, "system", None)
    return [*([_Text(system)] if isinstance(system, str) else []), *request.messages]


class _Text:
    def __init__(self, text: str) -> None:
        self.text = text


def said(events: list[Event]) -> PassagesFound:
    return next(event for event in events if isinstance(event, PassagesFound))


def warnings(events: list[Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, Warned)]


async def test_passages_are_left_out_from_the_last_on_keep_their_numbers_and_say_why() -> None:
    events, (prompt,) = await run(passages(900, 900, 900, 900), 4_000)
    found = said(events)
    assert [each.number for each in found.passages] == [1, 2]
    assert [(each.number, each.reason) for each in found.rejected] == [(3, Message("no_room")), (4, Message("no_room"))]
    assert warnings(events) == ["prompt_limit"]
    assert "[2] Tea" in prompt
    assert "[3] Tea" not in prompt


async def test_what_fits_is_left_as_it_is() -> None:
    events, _ = await run(passages(900, 900, 900, 900), 120_000)
    assert len(said(events).passages) == 4
    assert warnings(events) == []


async def test_without_room_for_all_turns_the_oldest_go() -> None:
    history = [turn(number, 1_000) for number in range(1, 6)]
    events, (prompt,) = await run(passages(10), 5_000, history=history)
    assert "Question 5?" in prompt
    assert "Question 1?" not in prompt
    assert warnings(events)[-1] == "prompt_limit"
    assert len(prompt) <= 5_000


async def test_the_rewriting_of_a_question_keeps_to_the_limit_too() -> None:
    history = [turn(number, 1_000) for number in range(1, 6)]
    _, prompts = await run(passages(10), 4_000, history=history, rewrites=True)
    assert len(prompts) == 2
    assert all(len(prompt) <= 4_000 for prompt in prompts)


async def test_a_title_of_forty_kilobytes_is_as_long_as_a_person_reads() -> None:
    long = tuple(replace(each, title="T" * 40_000, section="S" * 40_000) for each in passages(*[900] * 20))
    _, (prompt,) = await run(long, 120_000)
    assert len(prompt) < 30_000


async def test_instructions_without_room_for_anything_are_refused_in_words() -> None:
    with pytest.raises(ModelFault) as caught:
        await run(passages(10), 2_000, instructions="z" * 3_000)
    assert caught.value.code == "prompt_too_long"


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(0, 1_500), max_size=8),
    st.lists(st.integers(0, 1_500), max_size=5),
    st.integers(3_500, 12_000),
    st.booleans(),
)
async def test_no_prompt_is_longer_than_its_limit(
    sizes: list[int], turns: list[int], limit: int, is_found_before: bool
) -> None:
    history = [turn(number, size) for number, size in enumerate(turns, 1)]
    found = passages(*sizes)
    inputs = {"found": found} if is_found_before else {"rewrites": True}
    events, prompts = await run(found, limit, history=history, **inputs)
    assert all(len(prompt) <= limit for prompt in prompts)
    if not is_found_before:
        kept = said(events).passages
        assert kept == found[: len(kept)]


async def test_a_program_that_does_not_look_after_its_prompt_is_not_let_through() -> None:
    lm, engine = scripted_lm([reply("r", "a")])
    limits = replace(LIMITS, prompt=PromptLimit(chars=20_000))
    for size, is_refused in ((100, False), (30_000, True)):
        program = Drafted(find_tea)
        with pytest.raises(ModelFault, match="context_window_exceeded") if is_refused else nullcontext():
            await answer(program, {"question": "x" * size}, lm, limits, lambda event: None)
        assert len(engine.requests) == 2
