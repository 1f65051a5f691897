"""Evaluations over the local provider: limits, stopping, restarts, what is stored, and question sets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.errors import Busy, NotFound, Refused
from pipeline.experiments.evaluation import Evaluation, Row, differences, stored, summary
from pipeline.experiments.evaluations import Progress
from pipeline.experiments.question_sets import BUNDLED, CONVERSATION, RATINGS
from pipeline.experiments.questions import Question
from pipeline.feedback import Feedback
from pipeline.models.catalogue import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import AskOptions, TurnRequest
from server import Parts, build
from tests.provider import Provider

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
QUESTIONS = (
    Question("What brewing temperature is recommended for filter coffee?", "between 90 and 96 °C"),
    Question("At what temperature does water boil in La Paz?", "88 °C", documents=("water-and-temperature.md",)),
    Question("How many strings does a cello have?", unanswerable=True),
)
BUILTIN = TurnRequest("", visitor=MAYA, model=BUILTIN_MODEL)
Make = Callable[..., Parts]


@pytest.fixture
async def make(tmp_path: Path, search: EdgeIndex, provider: Provider) -> AsyncIterator[Make]:
    """A function that builds the parts with a model for each behaviour of the local provider."""
    built: list[Parts] = []

    def make(*behaviours: str, **settings: Any) -> Parts:
        models = tuple(
            ModelEntry(label=name, model=f"hosted_vllm/{name}", api_base=provider.base) for name in behaviours
        )
        values = Settings(**{"models": models, "data_dir": tmp_path, **settings})
        parts = build(values, index=search, models=Models(values, pace_s=0.0))
        built.append(parts)
        return parts

    yield make
    for parts in built:
        await parts.end_turns()
        parts.store.close()


async def over(parts: Parts, evaluation: Evaluation, visitor: str = MAYA) -> Progress:
    """The evaluation when nothing of it is asked any more."""
    last: Progress | None = None
    async with asyncio.timeout(60):
        async for state in parts.evaluations.states(evaluation.id, visitor):
            last = state or last
    assert last is not None
    return last


async def rows(parts: Parts, evaluation: Evaluation, count: int) -> Progress:
    """The evaluation when so many rows are there."""
    async with asyncio.timeout(60):
        async for state in parts.evaluations.states(evaluation.id, MAYA):
            if state and len(state.rows) >= count:
                return state
    raise AssertionError


async def test_each_question_is_asked_scored_and_stored(make: Make) -> None:
    parts = make()
    done = await over(parts, await parts.evaluations.start(QUESTIONS, BUILTIN, title="Three"))
    assert done.evaluation.state == "finished"
    by_index = {row.index: row for row in done.rows}
    assert sorted(by_index) == [0, 1, 2]
    assert (by_index[1].scores["gold"], by_index[1].scores["passage_found"], by_index[1].scores["cited"]) == (1, 1, 1)
    assert (by_index[2].scores["gold"], by_index[2].scores["refused_rightly"]) == (None, 1)
    means = summary(done.rows)
    assert (means["gold"].n, means["refused_rightly"].n, means["tokens"].n) == (2, 1, 3)
    turn = await parts.pipeline.turn(by_index[1].turn_id, MAYA)
    assert turn.conversation_id == done.evaluation.conversation_id
    assert await parts.conversations.list(MAYA) == ()
    assert (await parts.conversations.find(turn.conversation_id, MAYA)).kind == "evaluation"
    assert [(each.title, count) for each, count in await parts.evaluations.list(MAYA)] == [("Three", 3)]


async def test_it_belongs_to_its_visitor(make: Make) -> None:
    parts = make()
    begun = await parts.evaluations.start(QUESTIONS, BUILTIN)
    for asks in (parts.evaluations.find, parts.evaluations.stop):
        with pytest.raises(NotFound):
            await asks(begun.id, NOAH)
    await over(parts, begun)
    with pytest.raises(NotFound):
        await parts.evaluations.find(begun.id, NOAH)
    assert await parts.evaluations.list(NOAH) == ()


async def test_what_cannot_be_asked_is_refused_before_anything_is_stored(make: Make) -> None:
    parts = make("endless")
    with pytest.raises(Refused, match="unknown_model"):
        await parts.evaluations.start(QUESTIONS, replace(BUILTIN, model="gone"))
    with pytest.raises(Refused, match="unknown_program"):
        await parts.evaluations.start(QUESTIONS, replace(BUILTIN, options=AskOptions(program="Nonsense")))
    with pytest.raises(Refused, match="no_questions"):
        await parts.evaluations.start((), BUILTIN)
    assert await parts.evaluations.list(MAYA) == ()
    await parts.evaluations.start(QUESTIONS, replace(BUILTIN, model="endless"))
    with pytest.raises(Busy, match="evaluation"):
        await parts.evaluations.start(QUESTIONS, BUILTIN)


async def test_a_failing_model_makes_rows_that_say_so(make: Make) -> None:
    parts = make("endless", turn_timeout_s=1, fallbacks=())
    done = await over(parts, await parts.evaluations.start(QUESTIONS, replace(BUILTIN, model="endless")))
    assert done.evaluation.state == "finished"
    assert {row.fault for row in done.rows} == {"model.turn_timeout"}
    assert all(row.misses for row in done.rows)


async def test_one_place_is_enough_and_people_keep_theirs(make: Make) -> None:
    parts = make("endless", max_turns=1)
    turn = await parts.pipeline.start(TurnRequest("How hot?", visitor=NOAH, model="endless"))
    begun = await parts.evaluations.start(QUESTIONS, BUILTIN)
    await asyncio.sleep(0)
    assert (await parts.evaluations.find(begun.id, MAYA)).rows == ()
    await parts.pipeline.stop(turn.id)
    assert len((await over(parts, begun)).rows) == 3


async def test_a_visitor_of_one_turn_can_evaluate(make: Make) -> None:
    parts = make(max_turns_per_visitor=1)
    assert len((await over(parts, await parts.evaluations.start(QUESTIONS, BUILTIN))).rows) == 3


async def test_a_rate_is_waited_for(make: Make) -> None:
    parts = make(rate_limit="2/second")
    assert len((await over(parts, await parts.evaluations.start(QUESTIONS * 2, BUILTIN))).rows) == 6


async def test_stopping_keeps_the_rows_and_asks_nothing_more(make: Make, provider: Provider) -> None:
    parts = make("endless")
    begun = await parts.evaluations.start(QUESTIONS, replace(BUILTIN, model="endless"))
    async with asyncio.timeout(30):
        async for state in parts.evaluations.states(begun.id, MAYA):
            if state and state.evaluation.state == "running":
                break
    stopped = await parts.evaluations.stop(begun.id, MAYA)
    assert stopped.state == "stopped"
    assert (await parts.evaluations.find(begun.id, MAYA)).rows == ()
    with pytest.raises(Refused, match="not_interrupted"):
        await parts.evaluations.resume(begun.id, BUILTIN)


async def test_a_restart_interrupts_and_resuming_asks_only_the_rest(make: Make) -> None:
    before = make(max_turns=1)
    many = QUESTIONS * 10
    begun = await before.evaluations.start(many, BUILTIN)
    await rows(before, begun, 1)
    await before.end_turns()
    after = make()
    found = await after.evaluations.find(begun.id, MAYA)
    assert found.evaluation.state == "interrupted"
    assert 0 < len(found.rows) < len(many)
    await after.evaluations.resume(begun.id, BUILTIN)
    done = await over(after, begun)
    assert done.evaluation.state == "finished"
    assert done.rows[: len(found.rows)] == found.rows
    assert sorted(row.index for row in done.rows) == list(range(len(many)))


async def test_one_that_a_killed_process_left_running_is_interrupted(make: Make) -> None:
    parts = make()
    done = await over(parts, await parts.evaluations.start(QUESTIONS, BUILTIN))
    await parts.history.save_evaluation(stored(replace(done.evaluation, state="running")))
    assert (await parts.evaluations.find(done.evaluation.id, MAYA)).evaluation.state == "interrupted"


async def test_an_own_key_is_not_stored_and_asked_for_again(make: Make, tmp_path: Path) -> None:
    parts = make()
    done = await over(parts, await parts.evaluations.start(QUESTIONS, BUILTIN))
    await parts.history.save_evaluation(stored(replace(done.evaluation, state="running", own_key=True)))
    with pytest.raises(Refused, match="needs_key"):
        await parts.evaluations.resume(done.evaluation.id, BUILTIN)
    await parts.evaluations.resume(done.evaluation.id, replace(BUILTIN, model_key=SecretStr("key-of-maya")))
    await over(parts, done.evaluation)
    written = await asyncio.to_thread(lambda: [file.read_bytes() for file in tmp_path.glob("glassbox.db*")])
    assert written
    assert not any(b"key-of-maya" in each for each in written)


def row(index: int, gold: float | None) -> Row:
    return Row(index=index, turn_id="t", state="finished", answer="", scores={"gold": gold})


def test_two_evaluations_are_compared_over_the_questions_that_both_have() -> None:
    evaluation = Evaluation(
        id="e", conversation_id="c", title="", set_name=None, questions=QUESTIONS * 4, model=BUILTIN_MODEL
    )
    other = replace(evaluation, questions=tuple(Question(str(each)) for each in range(12)))
    questions = replace(evaluation, questions=other.questions)
    before, after = [row(each, 0.0) for each in range(12)], [row(each, 1.0) for each in (11, 3, 4, 5, 6, 7, 8, 9)]
    found = differences(questions, before, questions, after)["gold"]
    assert (found.interval.mean, found.interval.n, found.interval.leaves_out_zero) == (1.0, 8, True)
    assert differences(evaluation, before, questions, after) == {}


async def test_sets_are_bundled_uploaded_rated_and_conversations(make: Make) -> None:
    parts = make()
    sets = parts.question_sets
    assert [each.name for each in await sets.list(None)] == [BUNDLED]
    added = await sets.add(MAYA, "Mine", "question;answer\nHow hot?;93 °C\n")
    turn = await parts.pipeline.start(replace(BUILTIN, question=QUESTIONS[1].question))
    await parts.pipeline.wait_for_ending(turn.id, 30)
    await parts.history.rate(turn.id, MAYA, -1, Feedback(corrected="At 88 °C."))
    assert [each.name for each in await sets.list(MAYA)] == [BUNDLED, RATINGS, added.name]
    assert [each.name for each in await sets.list(NOAH)] == [BUNDLED]
    [rated] = (await sets.named(RATINGS, MAYA)).questions
    assert (rated.question, rated.answer) == (QUESTIONS[1].question, "At 88 °C.")
    talk = await sets.named(f"{CONVERSATION}{turn.conversation_id}", MAYA)
    assert [each.question for each in talk.questions] == [QUESTIONS[1].question]
    with pytest.raises(NotFound):
        await sets.named(added.name, NOAH)
    with pytest.raises(NotFound):
        await sets.remove(NOAH, added.name)
    await sets.remove(MAYA, added.name)
    with pytest.raises(NotFound):
        await sets.named(added.name, MAYA)
