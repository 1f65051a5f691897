"""What a browser may send instead of what our page sends, and a conversation that belongs to nobody."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from components import page, told
from components.documents import Desk
from components.intents import READ_ONLY, Intents, Tab
from components.shelf import Shelf
from pipeline.conversation import TurnRequest
from pipeline.library import Library
from pipeline.settings import BUILTIN_MODEL
from pipeline.turns import Pipeline
from tests.components.test_page import (  # noqa: F401  (fixtures)
    BAR,
    CONVERSATIONS,
    KNOBS,
    MAYA,
    NOTICE,
    QUESTION,
    THREAD,
    asked,
    intents,
    library,
    pipeline,
    search,
)

JUNK: list[Any] = [None, 7, -1.5, True, ["x"], {"a": 1}, "\0", "\ud800", "x" * 1_000_000]
JUNK_IDS = [repr(each)[:12] for each in JUNK]


def event(data: Any) -> gr.EventData:
    return gr.EventData(None, data)


@pytest.mark.parametrize("junk", JUNK, ids=JUNK_IDS)
async def test_a_visitor_that_is_none_reaches_no_store_and_raises_no_alarm(
    intents: Intents,  # noqa: F811
    pipeline: Pipeline,  # noqa: F811
    library: Library,  # noqa: F811
    junk: Any,
) -> None:
    tab, shelf = Tab(), Shelf(library)
    await asked(intents, mine := Tab())
    (turn,) = await pipeline.turns(mine.conversation_id or "", MAYA)
    token, *_ = await intents.load(tab, junk, junk, junk, junk)
    assert len(token) >= 16
    for out in (
        await intents.open(event({"conversation": turn.conversation_id}), tab, junk, junk),
        await intents.new(tab, junk, junk),
        await intents.delete(event({"conversation": turn.conversation_id}), tab, junk, junk),
        await intents.settle(tab, junk, junk),
    ):
        assert QUESTION not in "".join(out[CONVERSATIONS] if isinstance(out[CONVERSATIONS], list) else [])
    assert "no such conversation" in (await intents.rate(event({"turn": turn.id, "rating": "like"}), junk))[0]
    await intents.refresh(Tab(), junk, junk)
    await shelf.show(Desk(), junk)
    await shelf.remove_all(Desk(), junk)
    shared = (await library.documents(None))[0]
    await shelf.remove(event({"document": shared.id}), Desk(), junk)
    assert shared in await library.documents(None)
    assert pipeline.trouble is None
    assert [each.id for each in await pipeline.turns(mine.conversation_id or "", MAYA)] == [turn.id]


@pytest.mark.parametrize("junk", JUNK, ids=JUNK_IDS)
async def test_an_event_that_holds_anything_else_is_refused_or_does_nothing(
    intents: Intents,  # noqa: F811
    pipeline: Pipeline,  # noqa: F811
    library: Library,  # noqa: F811
    junk: Any,
) -> None:
    tab, shelf = Tab(), Shelf(library)
    names = ("turn", "rating", "conversation", "label", "document", "page", "start", "end", "key", "files")
    for data in (junk, {}, dict.fromkeys(names, junk)):
        given = event(data)
        await intents.edit(given, tab, MAYA)
        await intents.retry(given, tab, MAYA, junk, junk)
        await intents.go_on(given, tab, MAYA, junk, junk)
        await intents.open(given, tab, MAYA, junk)
        await intents.delete(given, tab, MAYA, junk)
        await intents.rate(given, MAYA)
        await intents.look(given, tab, MAYA)
        await shelf.look(given, MAYA)
        await shelf.around(given, MAYA)
        await shelf.remove(given, Desk(), MAYA)
        assert [shown async for shown in shelf.bring(given, Desk(), MAYA)]
        if not isinstance(junk, str) or junk in ("", "\0"):
            await intents.example(event({"question": junk}), Tab(), MAYA, junk, junk)
    intents.add_model(junk, tab)
    intents.choose(junk, tab)
    await intents.settle(tab, MAYA, junk)
    await intents.ask(junk if not isinstance(junk, str) else "", tab, MAYA, junk, junk)
    assert pipeline.trouble is None


@pytest.mark.parametrize(
    ("value", "minutes"),
    [("-120", -120), (60, 60), (60.0, 60), ("60", 60), ("1e9", 0), ("-", 0), ("", 0), (None, 0), ([], 0), (1e300, 0)],
)
def test_the_clock_of_a_browser_is_one(value: Any, minutes: int) -> None:
    assert told.minutes(value) == minutes
    assert told.minutes(float("nan")) == 0


def test_what_the_browser_kept_is_read_before_any_function_gets_it() -> None:
    kept = told.Kept(told.text, "key", "secret")
    assert kept.preprocess(["x"]) == ""
    assert kept.preprocess("builtin") == "builtin"
    assert kept.get_block_name() == "browserstate"


async def nobodys(pipeline: Pipeline) -> str:  # noqa: F811
    running = await pipeline.start(TurnRequest("How long do roasted beans stay fresh?"))
    assert running.task
    await running.task
    return running.conversation_id


async def test_a_conversation_that_belongs_to_nobody_is_shown_and_says_that_it_is_only_read(
    intents: Intents,  # noqa: F811
    pipeline: Pipeline,  # noqa: F811
) -> None:
    conversation_id = await nobodys(pipeline)
    _, *shown = await intents.load(Tab(), MAYA, BUILTIN_MODEL, conversation_id, 0)
    assert READ_ONLY in shown[THREAD][0]
    assert "roasted beans" in shown[THREAD][1]
    assert conversation_id in shown[BAR][0]


async def test_asking_beside_it_begins_a_conversation_of_ones_own(
    intents: Intents,  # noqa: F811
    pipeline: Pipeline,  # noqa: F811
) -> None:
    conversation_id = await nobodys(pipeline)
    await intents.load(tab := Tab(), MAYA, BUILTIN_MODEL, conversation_id, 0)
    begun, _, settled = await asked(intents, tab)
    assert tab.conversation_id != conversation_id
    assert "roasted beans" not in "".join(begun[THREAD])
    assert READ_ONLY not in "".join(settled[THREAD])
    assert (await pipeline.conversation(tab.conversation_id or "", MAYA)).owner == MAYA
    assert len(await pipeline.turns(conversation_id, None)) == 1
    await asked(intents, tab, "And how hot should it be?")
    assert len(await pipeline.turns(tab.conversation_id or "", MAYA)) == 2


async def test_nothing_of_it_is_changed_from_the_page(intents: Intents, pipeline: Pipeline) -> None:  # noqa: F811
    conversation_id = await nobodys(pipeline)
    (turn,) = await pipeline.turns(conversation_id, None)
    await intents.load(tab := Tab(), MAYA, BUILTIN_MODEL, conversation_id, 0)
    its: Any = SimpleNamespace(turn=turn.id, conversation=conversation_id, rating="like")
    assert READ_ONLY in (await intents.edit(its, tab, MAYA))[1][0]
    assert READ_ONLY in (await intents.retry(its, tab, MAYA, *KNOBS))[NOTICE][0]
    assert READ_ONLY in (await intents.go_on(its, tab, MAYA, *KNOBS))[NOTICE][0]
    assert READ_ONLY in (await intents.delete(its, tab, MAYA, BUILTIN_MODEL))[NOTICE][0]
    assert READ_ONLY in (await intents.rate(its, MAYA))[0]
    assert await pipeline.turns(conversation_id, None) == (turn,)


@pytest.mark.parametrize("junk", [None, 5, [1], {"a": 1}, "x"], ids=repr)
async def test_every_listener_of_the_page_takes_any_value(
    pipeline: Pipeline,  # noqa: F811
    library: Library,  # noqa: F811
    junk: Any,
) -> None:
    demo = page.build(pipeline, library, on_space=False, typed_models=True)
    listeners = [each for each in demo.fns.values() if each.fn is not None]
    assert len(listeners) > 20
    for listener in listeners:
        given = [None if isinstance(each, gr.State) else junk for each in listener.inputs]
        await demo.process_api(listener, given, state=SessionState(demo), event_data=event(junk))
    assert pipeline.trouble is None
    await pipeline.close()
