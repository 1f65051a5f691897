"""A sentence beside its passage, over a real pipeline and a local provider; the browser is faked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.handlers.chat_handlers import ChatHandlers
from components.handlers.page_state import Tab
from components.handlers.side_by_side_handlers import SideBySideHandlers
from pipeline.models.catalogue import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import ModelEntry, Settings
from pipeline.turn import TurnRequest
from server import Parts, build
from tests.provider import Provider

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"


@pytest.fixture
async def parts(tmp_path: Path, search: EdgeIndex, provider: Provider) -> AsyncIterator[Parts]:
    model = ModelEntry(label="checked", model="hosted_vllm/checked", api_base=provider.base)
    values = Settings(data_dir=tmp_path, models=(model,))
    built = build(values, index=search, models=Models(values, pace_s=0.0))
    yield built
    await built.pipeline.close()
    built.store.close()


async def test_the_owner_sees_the_sentence_beside_any_passage_and_nobody_else_sees_it(parts: Parts) -> None:
    handlers = SideBySideHandlers(ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library))
    turn = await parts.pipeline.start(TurnRequest("How is espresso made?", visitor=MAYA, model="checked"))
    async for _ in parts.pipeline.follow(turn.id):
        pass

    async def compare(visitor: str = MAYA, **given: Any) -> list[str]:
        event = SimpleNamespace(**{"number": "7", "turn": turn.id, "check": "answer-3", **given})
        return await handlers.compare(event, Tab(), visitor)

    number, card = await compare()
    assert number == "7"
    assert "“25” stands in [2], the answer says “55”." in card
    assert '<span class="number">1</span>' in (await compare(passage="1"))[1]
    for given in ({"check": "answer-99"}, {"check": None}, {"turn": "gone"}, {"turn": ["x"]}):
        assert await compare(**given) == ["7", ""]
    for visitor in (NOAH, ""):
        assert await compare(visitor) == ["7", ""]
