"""What the drawer shows of a turn, and to whom, over a real pipeline and a local provider; the browser is faked."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.dialogs import inspector
from components.dialogs.inspector import EVENTS_SHOWN, Inspected
from components.handlers.chat_handlers import ChatHandlers
from components.handlers.inspector_handlers import InspectorHandlers
from components.handlers.page_state import Tab
from i18n import text
from pipeline.events import FieldDelta, PassagesFound, Warned
from pipeline.exchanges import PromptExchange
from pipeline.messages import Message
from pipeline.models.catalogue import Models
from pipeline.models.model_cards import endpoint_of
from pipeline.passages import Passage
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import AskOptions, Turn, TurnRequest
from server import Parts, build
from tests.provider import Provider

QUESTION = "Why does water temperature change the taste of coffee?"
MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
KEY = "sk-inspected-0123456789"


@pytest.fixture
async def parts(
    tmp_path: Path, search: EdgeIndex, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Parts]:
    monkeypatch.setenv("OWN_KEY", KEY)
    names = ("ok", "status-401", "cut-after-20-gap-5")
    models = tuple(
        ModelEntry(label=name, model=f"hosted_vllm/{name}", api_base=provider.base, api_key_env="OWN_KEY")
        for name in names
    )
    values = Settings(data_dir=tmp_path, models=models, fallbacks=("ok",))
    built = build(values, index=search, models=Models(values, pace_s=0.0))
    yield built
    await built.pipeline.close()
    built.store.close()


def drawer(parts: Parts, retention_d: float = 30) -> InspectorHandlers:
    chat = ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library)
    return InspectorHandlers(parts.pipeline, parts.conversations, parts.models, chat, retention_d)


def event(**given: Any) -> Any:
    return SimpleNamespace(number="1", **given)


async def asked(parts: Parts, model: str, **options: Any) -> str:
    turn = await parts.pipeline.start(TurnRequest(QUESTION, AskOptions(**options), MAYA, model=model))
    async for _ in parts.pipeline.follow(turn.id):
        pass
    return turn.id


async def test_the_owner_sees_every_call_and_nobody_else_sees_any(parts: Parts) -> None:
    turn_id = await asked(parts, "status-401", instructions="Answer in one word.", temperature=0.5)
    shown = "".join(await drawer(parts).show(event(turn=turn_id), Tab(), MAYA))
    assert "Why does water temperature" in shown
    assert '<mark class="own">Answer in one word.</mark>' in shown
    assert re.findall(r'data-view="(\w+)"', shown)[:5] == ["2", "1", "2", "events", "model"]
    failed = "".join(await drawer(parts).show(event(turn=turn_id, view="1"), Tab(), MAYA))
    assert text("model.auth") in failed
    for page in (shown, failed):
        assert KEY not in page
    for visitor in (NOAH, ""):
        hidden = "".join(await drawer(parts).show(event(turn=turn_id), Tab(), visitor))
        assert text("inspector.missing") in hidden
        assert QUESTION not in hidden
        assert await drawer(parts).copy(event(turn=turn_id, view="1", form="curl"), Tab(), visitor) == []
        assert await drawer(parts).copy(event(turn=turn_id, view="1", form="events"), Tab(), visitor) == []


async def test_copies_hold_a_variable_in_the_place_of_the_key(parts: Parts, provider: Provider) -> None:
    turn_id = await asked(parts, "ok", temperature=0.5)
    handlers = drawer(parts)

    async def copied(form: str) -> str:
        number, copy = await handlers.copy(event(turn=turn_id, view="1", form=form), Tab(), MAYA)
        assert number == "1"
        assert KEY not in copy
        return copy

    assert f"curl -sS {provider.base}/chat/completions" in await copied("curl")
    assert '"Authorization: Bearer $OWN_KEY"' in await copied("curl")
    assert "os.environ['OWN_KEY']" in await copied("python")
    assert "Response:" in await copied("dspy")
    assert await copied("message-0") == (await parts.pipeline.exchanges(turn_id, MAYA))[0].messages[0].content
    events = [json.loads(line) for line in (await copied("events")).splitlines()]
    assert [events[0]["kind"], events[-1]["kind"]] == ["turn_started", "turn_finished"]
    for form in ("message-9", "message-x", "message-", "zip"):
        assert await handlers.copy(event(turn=turn_id, view="1", form=form), Tab(), MAYA) == []
    hidden = endpoint_of(parts.models, "ok", shows_address=False)
    assert hidden
    assert hidden.base_url is None
    own = endpoint_of(parts.models, "ok", shows_address=True, has_own_key=True)
    assert own
    assert own.key_variable == "MODEL_API_KEY"


async def test_a_reply_that_broke_off_is_shown_as_far_as_it_came(parts: Parts) -> None:
    turn_id = await asked(parts, "cut-after-20-gap-5")
    exchanges = await parts.pipeline.exchanges(turn_id, MAYA)
    shown = "".join(await drawer(parts).show(event(turn=turn_id, view="1"), Tab(), MAYA))
    assert exchanges[0].reply
    assert text("inspector.broken_off") in shown
    assert "≈ " in shown[shown.index('class="figures"') :]


async def test_the_built_in_model_is_shown_too_and_has_no_request_over_http(parts: Parts) -> None:
    turn_id = await asked(parts, BUILTIN_MODEL)
    shown = "".join(await drawer(parts).show(event(turn=turn_id), Tab(), MAYA))
    assert text("inspector.in_process") in shown
    assert text("inspector.free") in shown
    assert await drawer(parts).copy(event(turn=turn_id, view="1", form="curl"), Tab(), MAYA) == []
    assert await drawer(parts).copy(event(turn=turn_id, view="1", form="dspy"), Tab(), MAYA)
    card = "".join(await drawer(parts).show(event(turn=turn_id, view="model"), Tab(), MAYA))
    assert text("inspector.engine_builtin") in card


async def test_what_will_be_sent_is_shown_for_the_typed_question_and_can_be_copied(
    parts: Parts, provider: Provider
) -> None:
    handlers, tab, before = drawer(parts), Tab(), len(provider.requests)
    blank = "".join(await handlers.preview(event(), "  ", tab, MAYA, "ok", {}))
    assert text("preview.blank") in blank
    shown = "".join(await handlers.preview(event(), QUESTION, tab, MAYA, "ok", {"rewrites": True}))
    assert QUESTION in shown
    assert text("preview.rewrites") in shown
    assert len(provider.requests) == before
    _, copy = await handlers.copy(event(form="python"), tab, MAYA)
    assert QUESTION in copy
    assert KEY not in copy
    assert await handlers.copy(event(form="python"), Tab(), MAYA) == []


TURN = Turn("t", "c", QUESTION, "ok", "finished", asked_at=1_000.0)


@pytest.mark.parametrize(
    ("inspected", "why"),
    [
        (Inspected(turn=TURN, retention_d=0), "none_kept"),
        (Inspected(turn=TURN, now_s=1_000.0 + 31 * 86_400), "removed"),
        (Inspected(turn=replace(TURN, state="running"), now_s=1_001.0), "none_yet"),
        (Inspected(turn=TURN, now_s=1_001.0), "none_asked"),
    ],
)
def test_a_turn_without_prompts_says_why_there_are_none(inspected: Inspected, why: str) -> None:
    shown = "".join(inspector.dialog(inspected, inspector.shown_view(inspected, "")))
    assert text(f"inspector.{why}", days="30") in shown


def test_what_was_cut_is_counted_and_named() -> None:
    passage = Passage(4, "roast.md", "Roasting", "Light", "Text.", 1.0, reason=Message("no_room"))
    events = (
        PassagesFound(query="q", passages=(), rejected=(passage, replace(passage, number=5, reason=None))),
        Warned(code="prompt_limit", values={"turns": 2, "passages": 1}),
    )
    exchange = PromptExchange(model="m", parameters={}, messages=(), label="ok")
    inspected = Inspected(turn=TURN, exchanges=(exchange,), events=events)
    shown = "".join(inspector.dialog(inspected, "1"))
    assert "2 earlier turns, 1 passage" in shown
    assert "[4] Roasting › Light" in shown
    assert "[5]" not in shown


def test_many_events_are_shown_a_page_at_a_time() -> None:
    events = tuple(FieldDelta(seq=seq, at_s=seq / 100, field="answer", text="<b>word") for seq in range(2_500))
    inspected = Inspected(turn=TURN, events=events, now_s=time.time())
    for first in (0, 1_234, 10**9, -5):
        shown = "".join(inspector.dialog(inspected, "events", first))
        numbers = [int(number) for number in re.findall(r"<summary><b>(\d+)</b>", shown)]
        at = min(max(first, 0), 2_499) // EVENTS_SHOWN * EVENTS_SHOWN
        assert numbers == list(range(at, at + EVENTS_SHOWN))
        assert "<b>word" not in shown
