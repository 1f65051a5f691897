"""What a browser may send instead of what our page sends, and a conversation that belongs to nobody."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from components.dialogs.documents import UploadState
from components.handlers import browser_values
from components.handlers.chat_handlers import READ_ONLY
from components.handlers.document_handlers import DocumentHandlers
from components.handlers.page_state import Tab
from pipeline.settings import BUILTIN_MODEL
from pipeline.turn import TurnRequest
from server import Parts
from tests.components.pages.test_chat_page import (  # noqa: F401  (fixtures)
    KNOBS,
    MAYA,
    QUESTION,
    asked,
    intents,
    page_of,
    parts,
)

JUNK: list[Any] = [None, 7, -1.5, True, ["x"], {"a": 1}, "\0", "\ud800", "x" * 1_000_000]
JUNK_IDS = [repr(each)[:12] for each in JUNK]


def event(data: Any) -> gr.EventData:
    return gr.EventData(None, data)


@pytest.mark.parametrize("junk", JUNK, ids=JUNK_IDS)
async def test_a_visitor_that_is_none_reaches_no_store_and_raises_no_alarm(
    intents: Any,  # noqa: F811
    parts: Parts,  # noqa: F811
    junk: Any,
) -> None:
    tab, documents = Tab(), DocumentHandlers(parts.library)
    await asked(intents, mine := Tab())
    (turn,) = await parts.conversations.turns(mine.conversation_id or "", MAYA)
    shown = await intents.load(tab, junk, junk, junk, junk)
    assert len(shown.visitor or "") >= 16
    for out in (
        await intents.open(event({"conversation": turn.conversation_id}), tab, junk, junk),
        await intents.new(tab, junk, junk),
        await intents.delete(event({"conversation": turn.conversation_id}), tab, junk, junk),
        await intents.settle(tab, junk, junk),
    ):
        assert QUESTION not in "".join(out.conversations or [])
    assert "no such conversation" in (await intents.rate(event({"turn": turn.id, "rating": "like"}), junk)).notice[0]
    await intents.documents_changed(Tab(), junk, junk)
    await documents.show(UploadState(), junk, Tab())
    await documents.remove_all(UploadState(), junk, Tab())
    shared = (await parts.library.documents(None))[0]
    await documents.remove(event({"document": shared.id}), UploadState(), junk, Tab())
    assert shared in await parts.library.documents(None)
    assert parts.conversations.trouble is None
    assert [each.id for each in await parts.conversations.turns(mine.conversation_id or "", MAYA)] == [turn.id]


@pytest.mark.parametrize("junk", JUNK, ids=JUNK_IDS)
async def test_an_event_that_holds_anything_else_is_refused_or_does_nothing(
    intents: Any,  # noqa: F811
    parts: Parts,  # noqa: F811
    junk: Any,
) -> None:
    tab, documents = Tab(), DocumentHandlers(parts.library)
    names = ("turn", "version", "rating", "conversation", "label", "document", "page", "start", "end", "key", "files")
    for data in (junk, {}, dict.fromkeys(names, junk)):
        given = event(data)
        await intents.edit(given, tab, MAYA)
        await intents.retry(given, tab, MAYA, junk, junk)
        await intents.go_on(given, tab, MAYA, junk, junk)
        await intents.show_version(given, tab, MAYA, junk)
        await intents.open(given, tab, MAYA, junk)
        await intents.delete(given, tab, MAYA, junk)
        await intents.rate(given, MAYA)
        await intents.show_earlier(given, tab, MAYA)
        await documents.show_page(given, MAYA)
        await documents.around(given, MAYA)
        await documents.remove(given, UploadState(), MAYA, Tab())
        assert [shown async for shown in documents.add(given, UploadState(), MAYA, Tab())]
        if not isinstance(junk, str) or junk in ("", "\0"):
            await intents.example(event({"question": junk}), Tab(), MAYA, junk, junk)
    intents.add_model(junk, tab, MAYA)
    intents.choose(junk, tab, MAYA)
    await intents.settle(tab, MAYA, junk)
    await intents.ask(junk if not isinstance(junk, str) else "", tab, MAYA, junk, junk)
    assert parts.conversations.trouble is None


@pytest.mark.parametrize(
    ("value", "minutes"),
    [("-120", -120), (60, 60), (60.0, 60), ("60", 60), ("1e9", 0), ("-", 0), ("", 0), (None, 0), ([], 0), (1e300, 0)],
)
def test_the_clock_of_a_browser_is_one(value: Any, minutes: int) -> None:
    assert browser_values.minutes(value) == minutes
    assert browser_values.minutes(float("nan")) == 0


def test_what_the_browser_kept_is_read_before_any_function_gets_it() -> None:
    kept = browser_values.BrowserValue(browser_values.text, "key", "secret")
    assert kept.preprocess(["x"]) == ""
    assert kept.preprocess("builtin") == "builtin"
    assert kept.get_block_name() == "browserstate"


async def nobodys(parts: Parts) -> str:  # noqa: F811
    running = await parts.pipeline.start(TurnRequest("How long do roasted beans stay fresh?"))
    assert running.task
    await running.task
    return running.conversation_id


async def test_a_conversation_that_belongs_to_nobody_is_shown_and_says_that_it_is_only_read(
    intents: Any,  # noqa: F811
    parts: Parts,  # noqa: F811
) -> None:
    conversation_id = await nobodys(parts)
    shown = await intents.load(Tab(), MAYA, BUILTIN_MODEL, conversation_id, 0)
    assert READ_ONLY in shown.thread[0]
    assert "roasted beans" in shown.thread[1]
    assert conversation_id in shown.bar[0]


async def test_asking_beside_it_begins_a_conversation_of_ones_own(
    intents: Any,  # noqa: F811
    parts: Parts,  # noqa: F811
) -> None:
    conversation_id = await nobodys(parts)
    await intents.load(tab := Tab(), MAYA, BUILTIN_MODEL, conversation_id, 0)
    begun, _, settled = await asked(intents, tab)
    assert tab.conversation_id != conversation_id
    assert "roasted beans" not in "".join(begun.thread)
    assert READ_ONLY not in "".join(settled.thread)
    assert (await parts.conversations.find(tab.conversation_id or "", MAYA)).owner == MAYA
    assert len(await parts.conversations.turns(conversation_id, None)) == 1
    await asked(intents, tab, "And how hot should it be?")
    assert len(await parts.conversations.turns(tab.conversation_id or "", MAYA)) == 2


async def test_nothing_of_it_is_changed_from_the_page(intents: Any, parts: Parts) -> None:  # noqa: F811
    conversation_id = await nobodys(parts)
    (turn,) = await parts.conversations.turns(conversation_id, None)
    await intents.load(tab := Tab(), MAYA, BUILTIN_MODEL, conversation_id, 0)
    its: Any = SimpleNamespace(turn=turn.id, version=turn.id, conversation=conversation_id, rating="like")
    assert READ_ONLY in (await intents.edit(its, tab, MAYA)).notice[0]
    assert READ_ONLY in (await intents.retry(its, tab, MAYA, *KNOBS)).notice[0]
    assert READ_ONLY in (await intents.go_on(its, tab, MAYA, *KNOBS)).notice[0]
    assert READ_ONLY in (await intents.delete(its, tab, MAYA, BUILTIN_MODEL)).notice[0]
    assert READ_ONLY in (await intents.show_version(its, tab, MAYA, BUILTIN_MODEL)).notice[0]
    assert READ_ONLY in (await intents.rate(its, MAYA)).notice[0]
    assert await parts.conversations.turns(conversation_id, None) == (turn,)


@pytest.mark.parametrize("junk", [None, 5, [1], {"a": 1}, "x"], ids=repr)
async def test_every_listener_of_the_page_takes_any_value(
    parts: Parts,  # noqa: F811
    junk: Any,
) -> None:
    demo = page_of(parts)
    listeners = [each for each in demo.fns.values() if each.fn is not None]
    assert len(listeners) > 20
    for listener in listeners:
        given = [None if isinstance(each, gr.State) else junk for each in listener.inputs]
        await demo.process_api(listener, given, state=SessionState(demo), event_data=event(junk))
    assert parts.conversations.trouble is None
    await parts.pipeline.close()
