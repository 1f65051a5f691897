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
    chat = ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library)
    handlers = SideBySideHandlers(chat, parts.about)
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


async def test_what_is_said_and_asked_is_only_for_who_may_read_the_turn(parts: Parts) -> None:
    chat = ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library)
    handlers = SideBySideHandlers(chat, parts.about)
    turn = await parts.pipeline.start(TurnRequest("How is espresso made?", visitor=MAYA, model="checked"))
    async for _ in parts.pipeline.follow(turn.id):
        pass

    def event(**given: Any) -> Any:
        return SimpleNamespace(**{"number": "7", "turn": turn.id, "check": "answer-3", **given})

    assert await handlers.report(event(is_wrong=True), Tab(), NOAH) == ["7", ""]
    assert 'aria-pressed="true"' in (await handlers.report(event(is_wrong=True), Tab(), MAYA))[1]
    assert 'aria-pressed="true"' in (await handlers.compare(event(), Tab(), MAYA))[1]
    assert "aria-pressed" not in (await handlers.compare(event(), Tab(is_read_only=True), MAYA))[1]
    assert await parts.verdict_reports.of_turn(MAYA, turn.id) == {("answer", 3)}
    assert 'aria-pressed="false"' in (await handlers.report(event(is_wrong=False), Tab(), MAYA))[1]
    asked = handlers.ask_what_it_stands_on(event(), Tab(), NOAH, "checked", {})
    assert [each async for each in asked] == [["7", ""]]
    of_all = event(turns=[turn.id, "gone", 3])
    assert await handlers.second_checks(of_all, Tab(), NOAH, "checked", {}) == []
    name, offered = await handlers.second_checks(of_all, Tab(), MAYA, "checked", {})
    assert name == turn.id
    assert "1 call of checked" in offered
    assert "<button" not in (await handlers.second_checks(of_all, Tab(), MAYA, "builtin/extractive", {}))[1]
