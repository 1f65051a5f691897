"""The page of optimisations: a program that is used is what the chat asks with, and undone it is no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.handlers.chat_handlers import ChatHandlers
from components.handlers.optimise_handlers import OptimiseHandlers
from components.preferences import preferences_of
from pipeline.experiments.questions import written_lines
from pipeline.optimisation.values import Optimisation, Plan
from pipeline.retrieval.edge import EdgeIndex
from pipeline.turn import TurnRequest
from server import Parts
from tests.optimising import QUESTIONS, made_of, settings_of
from tests.provider import Provider

MAYA, NOAH = "m" * 32, "n" * 32


def event(**data: Any) -> Any:
    return SimpleNamespace(**data)


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider, search: EdgeIndex) -> AsyncIterator[Parts]:
    made = made_of(settings_of(tmp_path, provider), search)
    yield made
    await made.end_turns()
    made.store.close()


def handlers(parts: Parts) -> OptimiseHandlers:
    return OptimiseHandlers(parts.optimisations, parts.question_sets, parts.conversations, parts.models, parts.programs)


async def found_in(parts: Parts) -> Optimisation:
    """What an optimisation with an uploaded set of Maya's has found."""
    own = await parts.question_sets.add(MAYA, "Pressures", written_lines(QUESTIONS))
    questions = await parts.optimisations.questions(MAYA, own.name)
    assert questions == QUESTIONS
    plan = Plan(program="", model="", optimizer="labelled", source=own.name, calls=100)
    started = await parts.optimisations.start(TurnRequest("", visitor=MAYA, model="learns"), plan, questions)
    async with aclosing(parts.optimisations.states(MAYA, started.id)) as states:
        async for state in states:
            if state and state.is_over:
                return state
    raise AssertionError("it did not end")


async def test_a_used_program_is_what_the_chat_asks_with_until_it_is_undone(parts: Parts) -> None:
    found, page = await found_in(parts), handlers(parts)
    chat: Any = ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library)
    used = await page.use(event(id=found.id), MAYA, {"passages_wanted": 2})
    assert used.stored
    name, before = used.stored["program"], (await parts.optimisations.get(MAYA, found.id)).plan.program
    assert used.stored == {"passages_wanted": 2, "program": name}
    shown = await chat.restore(used.stored, MAYA)
    title = (await parts.store.saved_programs(MAYA))[0].title
    assert (shown.preferences["program"], shown.offered["program"]["choices"][-1]) == (name, (title, name))
    assert (await chat.choices.usable_options(preferences_of(used.stored), MAYA)).program == name
    # Nobody else can choose it.
    assert (await chat.restore(used.stored, NOAH)).preferences["program"] == before
    assert (await chat.choices.usable_options(preferences_of(used.stored), NOAH)).program is None
    undone = await page.undo(event(id=found.id), MAYA, used.stored)
    assert undone.stored == {"passages_wanted": 2, "program": before}
    assert (await chat.restore(used.stored, MAYA)).preferences["program"] == before


async def test_the_form_offers_the_visitors_own_question_sets(parts: Parts) -> None:
    await parts.question_sets.add(MAYA, "Pressures <b>", written_lines(QUESTIONS))
    page = handlers(parts)
    assert "Pressures &lt;b&gt;</option>" in "".join((await page.new(MAYA)).run or [])
    assert "Pressures" not in "".join((await page.new(NOAH)).run or [])


@pytest.mark.parametrize("junk", [None, 7, [], {}, "x" * 5000])
async def test_an_event_that_holds_anything_else_is_refused_in_words(parts: Parts, junk: Any) -> None:
    page, given = handlers(parts), event(id=junk, program=junk, questions=junk, optimizer=junk, calls=junk, model=junk)
    assert (await page.use(given, MAYA, junk)).note
    assert (await page.undo(given, MAYA, junk)).note
    assert (await page.estimate(given, MAYA)).note
