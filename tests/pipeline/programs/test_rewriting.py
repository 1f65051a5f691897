"""Before the search: the model says what to search for, and whatever it says, there is a search and an answer."""

from __future__ import annotations

import asyncio
from typing import Any

import dspy
import pytest
from dspy.lm15 import Request, Response
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import Event, PassagesFound, StepChanged
from pipeline.models.lm import RecordedLM
from pipeline.passages import Passage, Query
from pipeline.programs.chain_of_thought import Rag
from pipeline.programs.rewriting import REST_S, Rewrite
from pipeline.recording import fields_of
from pipeline.replies.dspy_stream import ReplyLimits, answer
from pipeline.retrieval import DEFAULT_OPTIONS, Scope, SearchOptions, SearchResult
from pipeline.retrieval.fusion import fuse
from pipeline.turn import Turn
from tests.scripted import AsyncScriptedEngine, ScriptedEngine, reply, scripted_lm

LIMITS = ReplyLimits(first_token_s=5, idle_s=5, answer_chars=32_000)
EARLIER = Turn("t", "c", "What is matcha?", "fast", "finished", fields={"reasoning": "r", "answer": "Ground tea [1]."})


def passage(name: str, score: float = 1.0) -> Passage:
    return Passage(0, f"{name}.md", name, "", f"Text of {name}.", score, document_id=name, start=0, end=9)


def found(*names: str, wanted: int = 2) -> SearchResult:
    passages = tuple(passage(name) for name in names)
    return SearchResult(Query("q"), passages[:wanted], passages[wanted:], "good", "keyword", 0.5)


async def run(whole: str, **inputs: Any) -> tuple[list[Event], list[str]]:
    """The events of a turn whose model rewrites to `whole`, and what was searched."""
    searched: list[str] = []

    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        searched.append(query.question)
        return found(query.question)

    events: list[Event] = []
    lm, _ = scripted_lm([reply("r", "a [1].")], whole=whole)
    given = {"question": "How is it whisked?", "history": [EARLIER], "rewrites": True, **inputs}
    await answer(Rag(search), given, lm, LIMITS, events.append)
    return events, searched


def queries(text: str) -> str:
    return f"[[ ## queries ## ]]\n{text}\n\n[[ ## completed ## ]]\n"


async def test_the_models_queries_are_searched_shown_and_timed() -> None:
    events, searched = await run(queries('["whisking matcha", "matcha whisk bamboo"]'))
    assert searched == ["whisking matcha", "matcha whisk bamboo"]
    (began, ended) = [event for event in events if isinstance(event, StepChanged) and event.step == "rewrite"]
    assert (began.state, ended.state, ended.text) == ("began", "ended", "whisking matcha · matcha whisk bamboo")
    (passages,) = [event for event in events if isinstance(event, PassagesFound)]
    assert [each.title for each in passages.passages] == ["whisking matcha", "matcha whisk bamboo"]
    assert fields_of(events) == {"reasoning": "r", "answer": "a [1]."}


@pytest.mark.parametrize("whole", ["", "no format at all", queries("[]"), queries('["", "  "]')])
async def test_a_model_that_gives_no_queries_costs_nothing_but_time(whole: str) -> None:
    events, searched = await run(whole)
    assert searched == ["How is it whisked?"]
    assert [event.state for event in events if isinstance(event, StepChanged) and event.step == "rewrite"] == [
        "began",
        "skipped",
    ]
    assert fields_of(events)["answer"] == "a [1]."


async def test_too_many_and_too_long_queries_are_cut() -> None:
    _, searched = await run(queries(str(["x" * 900, "b", "c", "d"]).replace("'", '"')))
    assert [len(each) for each in searched] == [300, 1, 1]


async def test_the_answers_tokens_are_its_own() -> None:
    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        return found(query.question)

    lm, engine = scripted_lm([reply("r", "a [1].")], whole=queries('["whisking"]'))
    inputs = {"question": "How is it whisked?", "history": [EARLIER], "rewrites": True}
    outcome = await answer(Rag(search), inputs, lm, LIMITS, lambda event: None)
    assert len(engine.requests) == 2
    assert (outcome.usage.completion_tokens, outcome.usage.exact) == (5, True)


async def test_without_the_switch_nothing_is_rewritten() -> None:
    events, _ = await run(queries('["other"]'), rewrites=False)
    assert not any(isinstance(event, StepChanged) and event.step == "rewrite" for event in events)


def test_what_several_searches_rank_high_comes_first() -> None:
    both = fuse([found("a", "b", "c"), found("d", "b", "a")], 2)
    assert [each.title for each in both.passages] == ["a", "b"]
    assert [each.number for each in (*both.passages, *both.rejected)] == [1, 2, 3, 4]
    assert all(each.reason for each in both.rejected)
    assert both.took_s == 1.0


@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6), min_size=1, max_size=3), st.integers(1, 5)
)
def test_a_fusion_loses_nothing_and_names_nothing_twice(names: list[list[str]], wanted: int) -> None:
    together = fuse([found(*each, wanted=wanted) for each in names], wanted)
    titles = [each.title for each in (*together.passages, *together.rejected)]
    assert sorted(titles) == sorted(set().union(*names))
    assert len(together.passages) <= wanted


class StuckEngine(AsyncScriptedEngine):
    """Streams like its twin, and never answers a request that is not streamed."""

    async def complete(self, request: Request) -> Response:
        self.twin.requests.append(request)
        return await asyncio.Future()


async def test_a_model_that_is_slow_costs_two_seconds_once_and_then_rests() -> None:
    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        return found(query.question)

    engine, program = ScriptedEngine([reply("r", "a [1].")]), Rag(search)
    lm = RecordedLM("scripted", engine=engine, async_engine=StuckEngine(engine), cache=False, num_retries=0)
    took_s = []
    for _ in range(3):
        events: list[Event] = []
        given = {"question": "How is it whisked?", "history": [EARLIER], "rewrites": True}
        await answer(program, given, lm, LIMITS, events.append)
        took_s += [each.took_s or 0 for each in events if isinstance(each, StepChanged) and each.state == "skipped"]
        assert fields_of(events)["answer"] == "a [1]."
    assert len(engine.requests) == 4  # three answers, and one request for queries
    assert 1.9 < took_s[0] < 2.9
    assert max(took_s[1:]) < 0.5


async def test_a_model_that_gave_no_queries_is_asked_again_after_its_rest() -> None:
    engine, now_s = ScriptedEngine([], whole=queries("[]")), [0.0]
    lm = RecordedLM("scripted", engine=engine, async_engine=AsyncScriptedEngine(engine), cache=False, num_retries=0)
    rewrite, asked = Rewrite(lambda: now_s[0]), []
    with dspy.context(lm=lm):
        for now_s[0] in (0.0, REST_S - 1, REST_S, REST_S + 1):
            assert await rewrite.acall(question="How?", history=dspy.History(messages=[])) == ()
            asked.append(len(engine.requests))
    assert asked == [1, 1, 2, 2]
