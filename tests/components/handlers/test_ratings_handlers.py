"""The page of ratings: what is changed and used, and events that hold anything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.handlers.ratings_handlers import RatingsHandlers
from pipeline.experiments.prompt_results import PromptResults
from pipeline.feedback import COMMENT_CHARS
from pipeline.turn import AskOptions, TurnRequest
from server import Parts
from tests.in_process import events_of, tea_parts
from tests.provider import Provider

MAYA, NOAH = "m" * 32, "n" * 32
OWN = "Answer in one <b>sentence</b>."


def event(**data: Any) -> Any:
    return SimpleNamespace(**data)


@pytest.fixture
async def parts(tmp_path: Path, provider: Provider) -> AsyncIterator[Parts]:
    async with tea_parts(tmp_path, provider) as parts:
        yield parts


async def rated(parts: Parts) -> str:
    """One liked turn of Maya's, with instructions of her own."""
    events = await events_of(parts.pipeline, TurnRequest("How hot?", AskOptions(instructions=OWN), MAYA))
    turn_id = str(getattr(events[0], "turn_id", ""))
    await parts.conversations.rate(turn_id, MAYA, 1)
    return turn_id


def handlers(parts: Parts) -> RatingsHandlers:
    return RatingsHandlers(parts.conversations, PromptResults(parts.history))


async def test_instructions_that_were_used_become_those_of_the_chat(parts: Parts) -> None:
    await rated(parts)
    page = handlers(parts)
    shown = await page.load(MAYA)
    assert "Answer in one &lt;b&gt;sentence&lt;/b&gt;." in "".join(shown.prompts or [])
    [prompt] = await parts.store.prompts(MAYA)
    used = await page.use(event(hash=prompt.hash), MAYA, {"temperature": 0.5, "instructions": "older"})
    assert used.stored == {"temperature": 0.5, "instructions": OWN}
    assert (await page.use(event(hash=prompt.hash), NOAH, {})).stored is None
    assert (await page.load(NOAH)).prompts == []


async def test_a_change_keeps_the_thumb_and_one_that_is_too_long_changes_nothing(parts: Parts) -> None:
    turn_id, page = await rated(parts), handlers(parts)
    await page.save(event(turn=turn_id, comment="Short.", corrected="", tags=" tea,, hot ,tea"), MAYA)
    [turn] = await parts.conversations.rated(MAYA)
    assert (turn.rating, turn.feedback.comment, turn.feedback.tags) == (1, "Short.", ("tea", "hot"))
    refused = await page.save(event(turn=turn_id, comment="x" * (COMMENT_CHARS + 1)), MAYA)
    assert "comment" in "".join(refused.notice or [])
    assert "no such turn" in "".join((await page.save(event(turn=turn_id), NOAH)).notice or []).lower()
    assert (await parts.conversations.rated(MAYA))[0].feedback.comment == "Short."


@pytest.mark.parametrize("junk", [None, 7, [], {}, "x" * 5000])
async def test_an_event_that_holds_anything_else_changes_nothing(parts: Parts, junk: Any) -> None:
    await rated(parts)
    page, given = handlers(parts), event(turn=junk, hash=junk, comment=junk, tags=junk, rating=junk)
    await page.save(given, MAYA)
    await page.use(given, MAYA, junk)
    await page.load(junk)
    [turn] = await parts.conversations.rated(MAYA)
    assert (turn.rating, turn.feedback.comment) == (1, "")
