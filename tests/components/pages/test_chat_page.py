"""What the page does with a visitor's intents, over a real pipeline with the built-in model; the browser is faked."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from components import sidebar
from components.handlers.chat_handlers import ChatHandlers
from components.handlers.page_state import PageUpdate, Tab
from components.html.render_cache import RenderCache
from components.pages import chat_page as page
from components.panes import PANES, chat
from components.panes.pane import EmptyPage
from components.view import view_of
from i18n import text
from pipeline.conversations.service import Conversations
from pipeline.events import Event, FieldDelta, PassagesFound, TurnStarted
from pipeline.models.catalogue import Models
from pipeline.models.spending import Rest
from pipeline.passages import ListedDocument, Passage
from pipeline.programs.chain_of_thought import DEFAULT_INSTRUCTIONS
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, Settings
from server import Parts, build

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
KNOBS: tuple[str, dict[str, Any]] = (BUILTIN_MODEL, {})
QUESTION = "Why does water temperature change the taste of coffee?"
IDS = {
    *("question", "chat", "reasoning", "sources", "sidebar", "new-chat", "conversations", "model", "passages"),
    *("history-turns", "temperature", "max-tokens", "instructions", "program"),
}
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">"\'${1}{{2}}'


@pytest.fixture
async def parts(tmp_path: Path, search: EdgeIndex) -> AsyncIterator[Parts]:
    values = Settings(data_dir=tmp_path)
    built = build(values, index=search, models=Models(values, pace_s=0.002))
    yield built
    await built.pipeline.close()
    built.store.close()


@pytest.fixture
def conversations(parts: Parts) -> Conversations:
    return parts.conversations


@pytest.fixture
def intents(parts: Parts) -> Any:
    return handlers_of(parts)


def handlers_of(parts: Parts) -> Any:
    """Any: what an update leaves as it is, is None, and what a test looks at is not."""
    return ChatHandlers(parts.pipeline, parts.conversations, parts.models, parts.library)


def page_of(parts: Parts, **settings: Any) -> gr.Blocks:
    values = parts.settings.model_copy(update=settings)
    return page.build(parts.pipeline, parts.conversations, parts.models, parts.library, values, parts.about)


def event(**given: str) -> Any:
    return SimpleNamespace(**given)


async def _all(following: AsyncIterator[Any]) -> list[Any]:
    return [panes async for panes in following]


def changed(update: PageUpdate) -> set[str]:
    """The names of what an update changes."""
    return {each.name for each in fields(PageUpdate) if getattr(update, each.name) not in (None, {})}


def untimed(html: str) -> str:
    """The ending is stored a moment before it is said."""
    return re.sub(r"[\d.]+ (tok/s|s)\b", r"\1", html)


async def asked(intents: Any, tab: Tab, question: str = QUESTION, visitor: str = MAYA) -> tuple[Any, list[Any], Any]:
    """What is shown at once, while following, and once settled."""
    begun = await intents.ask(question, tab, visitor, *KNOBS)
    followed = [panes async for panes in intents.follow(tab)]
    return begun, followed, await intents.settle(tab, visitor, BUILTIN_MODEL)


async def test_a_question_shows_at_once_then_grows_then_moves_into_the_thread(intents: Any) -> None:
    tab = Tab()
    begun, followed, settled = await asked(intents, tab)
    assert QUESTION in begun.bar[0]
    assert QUESTION in begun.conversations[0]
    assert 'data-state="running"' in begun.panes["chat"][0]
    assert all(isinstance(part, str) for each in followed for pane in each.panes.values() for part in pane)
    live, sources = followed[-1].panes["chat"], followed[-1].panes["sources"]
    assert 'data-state="finished"' in live[0]
    assert any('class="cite"' in part for part in live)
    assert any('class="source"' in part for part in sources)
    assert settled.panes["chat"] == []
    joined = str(live[0]).removesuffix("</article>") + "".join(live[1:]) + "</article>"
    assert untimed(settled.thread[0]) == untimed(joined)


async def test_the_views_that_were_sent_are_counted_and_are_far_fewer_than_the_tokens(
    intents: Any, conversations: Conversations
) -> None:
    _, followed, settled = await asked(intents, tab := Tab())
    (turn,) = await conversations.turns(tab.conversation_id or "", MAYA)
    assert turn.metrics
    assert turn.metrics.updates == len(followed)
    assert turn.metrics.updates <= 0.6 * (turn.metrics.tokens or 0)
    assert "quoted in" in settled.thread[0]
    assert f"shown in {len(followed)} updates" in settled.thread[0]


async def test_panes_that_did_not_change_come_as_the_same_object(intents: Any) -> None:
    _, followed, _ = await asked(intents, Tab())
    sources = [update.panes["sources"] for update in followed]
    assert sum(one is not other for one, other in pairwise(sources)) <= 2


async def test_a_history_that_cannot_be_saved_is_said_and_no_longer_said_when_it_can(
    tmp_path: Path, search: EdgeIndex
) -> None:
    folder = tmp_path / "not there yet"
    values = Settings(data_dir=tmp_path, database_url=f"sqlite:///{folder / 'glassbox.db'}")
    parts = build(values, index=search, models=Models(values, pace_s=0.002))
    intents, store, tab = handlers_of(parts), parts.store, Tab()
    begun, followed, settled = await asked(intents, tab)
    assert "cannot be saved" in begun.bar[1]
    assert "cannot be saved" in settled.bar[1]
    assert any('class="cite"' in part for part in followed[-1].panes["chat"])
    begun, _, settled = await asked(intents, tab, "And in which pot?")
    assert QUESTION in begun.thread[0]
    assert ["could not be saved" in each for each in settled.thread] == [True, True]
    folder.mkdir()
    store._opens_again_at = 0.0
    _, _, settled = await asked(intents, tab, "And how long?")
    assert len(settled.bar) == 1
    assert ["could not be saved" in each for each in settled.thread] == [False, False, False]
    assert len(await store.turns(tab.conversation_id or "", MAYA)) == 3
    await parts.pipeline.close()
    store.close()


async def test_a_refused_question_stays_in_the_composer_and_says_why(intents: Any) -> None:
    out = await intents.ask("x" * 9_000, Tab(), MAYA, *KNOBS)
    assert "too long: at most 8,000 characters" in out.notice[0]
    assert changed(out) == {"notice"}


async def test_a_blank_question_does_nothing(intents: Any) -> None:
    assert changed(await intents.ask(" \n", Tab(), MAYA, *KNOBS)) == set()


async def test_pressing_enter_twice_asks_once(intents: Any, conversations: Conversations) -> None:
    tab = Tab()
    await intents.ask(QUESTION, tab, MAYA, *KNOBS)
    assert changed(await intents.ask(QUESTION, tab, MAYA, *KNOBS)) == set()
    assert "still being written" in (await intents.ask("Another one?", tab, MAYA, *KNOBS)).notice[0]
    assert tab.conversation_id
    assert len(await conversations.turns(tab.conversation_id, MAYA)) == 1


async def test_retry_and_edit_replace_the_turn(intents: Any, conversations: Conversations) -> None:
    tab = Tab()
    await asked(intents, tab)
    await asked(intents, tab, "What is cold brew?")
    first = (await conversations.turns(tab.conversation_id or "", MAYA))[0]
    edited = await intents.edit(event(turn=first.id), tab, MAYA)
    assert edited.question == QUESTION
    assert "Cancel" in edited.notice[0]
    *_, settled = await asked(intents, tab, "How long do roasted beans stay fresh?")
    assert len(settled.thread) == 1
    again = (await conversations.turns(tab.conversation_id or "", MAYA))[0]
    begun = await intents.retry(event(turn=again.id), tab, MAYA, *KNOBS)
    assert begun.thread == []
    assert "roasted beans" in begun.panes["chat"][1]


async def test_leaving_the_editing_state_asks_a_new_question_again(intents: Any, conversations: Conversations) -> None:
    tab = Tab()
    await asked(intents, tab)
    await intents.edit(event(turn=(await conversations.turns(tab.conversation_id or "", MAYA))[0].id), tab, MAYA)
    cancelled = intents.cancel(event(draft="What I typed"), tab)
    assert (cancelled.question, cancelled.notice) == ("What I typed", [])
    *_, settled = await asked(intents, tab, "What is cold brew?")
    assert len(settled.thread) == 2


async def test_stop_ends_the_turn_and_the_page_sees_how(intents: Any) -> None:
    tab = Tab()
    await intents.ask(QUESTION, tab, MAYA, *KNOBS)
    await intents.stop(tab)
    followed = [panes async for panes in intents.follow(tab)]
    assert 'data-state="stopped"' in followed[-1].panes["chat"][0]
    assert "Try again" in "".join((await intents.settle(tab, MAYA, BUILTIN_MODEL)).thread)


async def test_a_page_that_looks_elsewhere_hears_no_more_of_the_turn(intents: Any) -> None:
    tab = Tab()
    await intents.ask(QUESTION, tab, MAYA, *KNOBS)
    following = intents.follow(tab)
    await anext(following)
    await intents.new(tab, MAYA, BUILTIN_MODEL)
    rest = [panes async for panes in following]
    assert len(rest) == 1
    assert changed(rest[0]) == set()


async def test_a_loaded_page_comes_back_to_the_running_turn_of_its_address(intents: Any) -> None:
    await intents.ask(QUESTION, tab := Tab(), MAYA, *KNOBS)
    shown = await intents.load(again := Tab(), MAYA, BUILTIN_MODEL, tab.conversation_id or "", -60)
    assert shown.visitor == MAYA
    assert again.turn_id == tab.turn_id
    assert 'data-state="running"' in shown.panes["chat"][0]
    assert shown.thread == []


async def test_an_address_of_someone_else_shows_an_empty_page(intents: Any) -> None:
    await asked(intents, tab := Tab())
    shown = await intents.load(other := Tab(), NOAH, BUILTIN_MODEL, tab.conversation_id or "", 0)
    assert other.conversation_id is None
    assert "no such conversation" in shown.notice[0]
    assert QUESTION not in "".join(shown.conversations + shown.thread[1:])
    assert "Ask the documents" in shown.thread[0]
    assert "data-turn" not in "".join(shown.panes["reasoning"] + shown.panes["sources"])
    assert shown.visitor == NOAH


@pytest.mark.parametrize("stored", ["", None, "short", "<b>" * 20])
async def test_a_browser_without_a_good_token_gets_one(intents: Any, stored: Any) -> None:
    shown = await intents.load(Tab(), stored, "", "", 0)
    assert 16 <= len(shown.visitor) <= 128
    assert shown.visitor != stored


async def test_nobody_deletes_rates_or_reads_what_is_not_theirs(intents: Any, conversations: Conversations) -> None:
    await asked(intents, tab := Tab())
    (turn,) = await conversations.turns(tab.conversation_id or "", MAYA)
    out = await intents.delete(event(conversation=turn.conversation_id), Tab(), NOAH, BUILTIN_MODEL)
    assert "no such conversation" in out.notice[0]
    assert "no such conversation" in (await intents.rate(event(turn=turn.id, rating="like"), NOAH)).notice[0]
    assert changed(await intents.show_earlier(event(turn=turn.id), tab, NOAH)) == set()
    assert (await conversations.turns(tab.conversation_id or "", MAYA))[0].rating == 0


async def test_a_like_is_there_after_a_reload(intents: Any, conversations: Conversations) -> None:
    await asked(intents, tab := Tab())
    (turn,) = await conversations.turns(tab.conversation_id or "", MAYA)
    assert changed(await intents.rate(event(turn=turn.id, rating="like"), MAYA)) == {"feedback"}
    shown = await intents.load(Tab(), MAYA, BUILTIN_MODEL, turn.conversation_id, 0)
    assert 'data-act="like" aria-label="Good answer 1" title="Good answer" aria-pressed="true"' in shown.thread[0]


async def test_deleting_the_conversation_in_sight_leaves_an_empty_page(intents: Any) -> None:
    await asked(intents, tab := Tab())
    out = await intents.delete(event(conversation=tab.conversation_id or ""), tab, MAYA, BUILTIN_MODEL)
    assert "Ask the documents" in out.thread[0]
    assert QUESTION not in out.conversations[0]
    assert tab.conversation_id is None


async def test_a_chip_of_an_earlier_turn_brings_its_sources(intents: Any, conversations: Conversations) -> None:
    await asked(intents, tab := Tab())
    await asked(intents, tab, "What is cold brew?")
    first = (await conversations.turns(tab.conversation_id or "", MAYA))[0]
    earlier = (await intents.show_earlier(event(turn=first.id), tab, MAYA)).earlier
    reasoning, sources = earlier["reasoning"], earlier["sources"]
    assert reasoning[0] == sources[0] == first.id
    assert f'data-turn="{first.id}"' in sources[1]
    assert any('class="source"' in part for part in sources)


def test_the_built_in_model_switches_its_unused_knobs_off(intents: Any) -> None:
    chosen = intents.choose("no such model", Tab(), MAYA)
    assert "only quotes" in chosen.hint[0]
    assert chosen.is_language_model is False


@pytest.mark.parametrize(
    ("left", "said"), [(0.416, "$0.42 of today’s $1.00 left"), (0.0, "is spent"), (-0.2, "is spent")]
)
def test_what_is_left_of_the_budget_stands_below_the_models(left: float, said: str) -> None:
    assert said in sidebar.budget(Rest(left, 1.0))[0]
    assert sidebar.budget(None) == []


def test_no_text_of_others_becomes_markup() -> None:
    passage = Passage(1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1.0, ((0, 8),))
    events: list[Event] = [
        TurnStarted(turn_id="t", conversation_id="c", question=HOSTILE, model=HOSTILE, program="p", language="en"),
        PassagesFound(query=HOSTILE, passages=(passage,), rejected=(passage,)),
        *(FieldDelta(field=name, text=f"{HOSTILE} [1]\n\n{HOSTILE}") for name in ("thinking", "reasoning", "answer")),
    ]
    html = "".join(part for pane in PANES for part in pane.render(view_of(events), RenderCache()))
    html += chat.bar(HOSTILE, "c", HOSTILE)[0] + chat.empty(EmptyPage([ListedDocument(HOSTILE, 1)], model=HOSTILE))[0]
    assert "<script" not in html
    assert "<img" not in html


async def test_the_page_is_built_with_the_agreed_ids(parts: Parts) -> None:
    demo = page_of(parts)
    ids = {block.elem_id for block in demo.blocks.values()}
    assert ids >= IDS
    for listener in demo.fns.values():
        assert listener.api_visibility == "private"


async def test_a_space_without_a_model_says_so_and_offers_no_typed_names(parts: Parts) -> None:
    demo = page_of(parts, space_id="glass/box")
    assert "typed-model" not in {block.elem_id for block in demo.blocks.values()}
    assert any("without a language model" in str(getattr(block, "value", "")) for block in demo.blocks.values())


async def versions_shown(intents: Any, tab: Tab) -> list[str]:
    """What the pagers of a conversation say, as a page that is loaded now shows them."""
    shown = await intents.load(Tab(), MAYA, BUILTIN_MODEL, tab.conversation_id, 0)
    return re.findall(r">Version (\d of \d)<", "".join(shown.thread))


async def test_asking_an_earlier_question_again_keeps_it_with_all_that_came_after_it(
    intents: Any, conversations: Conversations
) -> None:
    await asked(intents, tab := Tab())
    await asked(intents, tab, "What is cold brew?")
    first, second = await conversations.turns(tab.conversation_id or "", MAYA)
    begun = await intents.retry(event(turn=first.id), tab, MAYA, *KNOBS)
    assert begun.thread == []
    assert "The earlier one stays" in begun.notice[0]
    assert QUESTION in begun.panes["chat"][1]
    _ = [update async for update in intents.follow(tab)]
    settled = await intents.settle(tab, MAYA, BUILTIN_MODEL)
    assert "Version 2 of 2" in settled.thread[0]
    assert "replaces" not in begun.notice[0]
    shown = await intents.show_version(event(version=first.id), tab, MAYA, BUILTIN_MODEL)
    assert [QUESTION in shown.thread[0], "cold brew" in shown.thread[1]] == [True, True]
    assert "Version 1 of 2" in shown.thread[0]
    assert f'data-turn="{second.id}"' in shown.panes["sources"][0]
    assert await versions_shown(intents, tab) == ["1 of 2"]  # also after a reload


async def test_a_question_goes_on_from_the_version_that_its_page_shows(
    intents: Any, conversations: Conversations
) -> None:
    await asked(intents, tab := Tab())
    (first,) = await conversations.turns(tab.conversation_id or "", MAYA)
    await intents.load(other := Tab(), MAYA, BUILTIN_MODEL, tab.conversation_id, 0)
    await intents.retry(event(turn=first.id), tab, MAYA, *KNOBS)
    _ = [update async for update in intents.follow(tab)]
    await asked(intents, other, "What is cold brew?")
    assert [turn.id for turn in await conversations.turns(tab.conversation_id or "", MAYA)][:1] == [first.id]
    assert await versions_shown(intents, tab) == ["1 of 2"]


async def test_paging_away_from_a_version_that_is_edited_leaves_the_edit_as_cancelling_does(
    intents: Any, conversations: Conversations
) -> None:
    await asked(intents, tab := Tab())
    (first,) = await conversations.turns(tab.conversation_id or "", MAYA)
    await intents.retry(event(turn=first.id), tab, MAYA, *KNOBS)
    _ = [update async for update in intents.follow(tab)]
    (second,) = await conversations.turns(tab.conversation_id or "", MAYA)
    await intents.edit(event(turn=second.id), tab, MAYA)
    same = await intents.show_version(event(version=second.id), tab, MAYA, BUILTIN_MODEL)
    assert (same.question, tab.replaces, "Editing" in same.notice[0]) == (None, second.id, True)
    other = await intents.show_version(event(version=first.id), tab, MAYA, BUILTIN_MODEL)
    assert (other.question, tab.replaces, other.notice) == ("", None, [])


async def test_another_version_waits_for_the_end_of_the_answer(intents: Any, conversations: Conversations) -> None:
    await asked(intents, tab := Tab())
    (first,) = await conversations.turns(tab.conversation_id or "", MAYA)
    await intents.retry(event(turn=first.id), tab, MAYA, *KNOBS)
    refused = await intents.show_version(event(version=first.id), tab, MAYA, BUILTIN_MODEL)
    assert "still being written" in refused.notice[0]
    assert changed(refused) == {"notice"}
    _ = [update async for update in intents.follow(tab)]
    assert (await intents.settle(tab, MAYA, BUILTIN_MODEL)).notice == []


async def test_nobody_pages_through_what_is_not_theirs(intents: Any, conversations: Conversations) -> None:
    await asked(intents, tab := Tab())
    (first,) = await conversations.turns(tab.conversation_id or "", MAYA)
    await intents.retry(event(turn=first.id), tab, MAYA, *KNOBS)
    _ = [update async for update in intents.follow(tab)]
    await asked(intents, others := Tab(), visitor=NOAH)
    for its, who in ((tab, NOAH), (others, NOAH), (others, MAYA)):
        refused = await intents.show_version(event(version=first.id), its, who, BUILTIN_MODEL)
        assert "no such" in refused.notice[0]
    assert await versions_shown(intents, tab) == ["2 of 2"]


@pytest.mark.parametrize("way", ["retry", "edit"])
async def test_nothing_is_replaced_that_another_tab_added_and_this_one_never_showed(
    intents: Any, conversations: Conversations, way: str
) -> None:
    await asked(intents, tab := Tab())
    (turn,) = await conversations.turns(tab.conversation_id or "", MAYA)
    await intents.load(other := Tab(), MAYA, BUILTIN_MODEL, turn.conversation_id, 0)
    await asked(intents, other, "What is cold brew?")
    if way == "edit":
        await intents.edit(event(turn=turn.id), tab, MAYA)
        out = await intents.ask("How long do roasted beans stay fresh?", tab, MAYA, *KNOBS)
        assert "Editing" in out.notice[1]
    else:
        out = await intents.retry(event(turn=turn.id), tab, MAYA, *KNOBS)
    assert "went on elsewhere" in out.notice[0]
    assert "cold brew" in out.thread[1]
    assert len(await conversations.turns(turn.conversation_id, MAYA)) == 2
    if way == "edit":  # now it was seen
        await asked(intents, tab, "How long do roasted beans stay fresh?")
        assert len(await conversations.turns(turn.conversation_id, MAYA)) == 1


async def test_a_second_tab_that_asks_too_early_shows_and_follows_the_running_answer(intents: Any) -> None:
    await asked(intents, tab := Tab())
    await intents.load(other := Tab(), MAYA, BUILTIN_MODEL, tab.conversation_id or "", 0)
    await intents.ask("What is cold brew?", other, MAYA, *KNOBS)
    out = await intents.ask("And espresso?", tab, MAYA, *KNOBS)
    assert "still being written" in out.notice[0]
    assert 'data-state="running"' in out.panes["chat"][0]
    assert [panes async for panes in intents.follow(tab)]
    settled = await intents.settle(tab, MAYA, BUILTIN_MODEL)
    assert settled.notice == []
    assert len(settled.thread) == 2


async def test_a_follower_that_comes_with_a_question_waits_for_its_turn_and_draws_the_panes(
    intents: Any,
) -> None:
    tab, numbered = Tab(), (BUILTIN_MODEL, {"question": "0.5"})
    following = asyncio.create_task(anext(intents.follow(tab, {}, "0.5")))
    begun = await intents.ask(QUESTION, tab, MAYA, *numbered)
    assert QUESTION in begun.bar[0]
    assert begun.panes == {}  # what is drawn already is not drawn over
    assert QUESTION in "".join((await following).panes["chat"])


@pytest.mark.parametrize("question", [" ", "x" * 9_000])
async def test_a_follower_of_a_question_that_was_refused_ends_and_changes_nothing(intents: Any, question: str) -> None:
    tab, numbered = Tab(), (BUILTIN_MODEL, {"question": "0.5"})
    _, followed = await asyncio.gather(
        intents.ask(question, tab, MAYA, *numbered), _all(intents.follow(tab, {}, "0.5"))
    )
    assert all(changed(update) == set() for update in followed)


async def test_why_a_question_was_refused_stays_on_the_page_after_an_answer(intents: Any) -> None:
    await asked(intents, tab := Tab())
    begun, _, settled = await asked(intents, tab, "x" * 9_000)
    assert "too long" in begun.notice[0]
    assert settled.notice is None


async def test_opening_the_conversation_that_is_in_sight_does_not_end_its_following(intents: Any) -> None:
    await intents.ask(QUESTION, tab := Tab(), MAYA, *KNOBS)
    following = intents.follow(tab)
    await anext(following)
    await intents.open(event(conversation=tab.conversation_id or ""), tab, MAYA, BUILTIN_MODEL)
    *_, last = [panes async for panes in following]
    assert 'data-state="finished"' in last.panes["chat"][0]


async def test_the_example_that_is_not_in_the_documents_is_refused(intents: Any) -> None:
    _, _, settled = await asked(intents, Tab(), text("example.missing_question"))
    assert "The passages do not answer this." in settled.thread[0]


async def test_what_was_asked_stands_under_the_answer_live_and_stored(
    intents: Any, conversations: Conversations
) -> None:
    kept = {"passages": 2, "history_turns": 1}
    await intents.ask(QUESTION, tab := Tab(), MAYA, BUILTIN_MODEL, kept)
    *_, last = [update async for update in intents.follow(tab)]
    shown = await intents.load(Tab(), MAYA, BUILTIN_MODEL, tab.conversation_id or "", 0)
    for html in ("".join(last.panes["chat"]), shown.thread[0]):
        for chip in (BUILTIN_MODEL, "ChainOfThought", "2 passages", "1 turn of history"):
            assert f">{chip}<" in html
    (turn,) = await conversations.turns(tab.conversation_id or "", MAYA)
    assert turn.asked
    assert (turn.asked.passages_wanted, turn.asked.history_turns) == (2, 1)


async def test_no_two_buttons_of_a_conversation_have_one_name(intents: Any) -> None:
    await asked(intents, tab := Tab())
    await asked(intents, tab, "What is cold brew?")
    await intents.ask(QUESTION, tab, MAYA, *KNOBS)
    await intents.stop(tab)
    [_ async for _ in intents.follow(tab)]
    settled = await intents.settle(tab, MAYA, BUILTIN_MODEL)
    html = "".join(settled.thread + settled.conversations)
    names = re.findall(r'<button[^>]*aria-label="([^"]*)"', html) + re.findall(
        r"<button(?![^>]*aria-label)[^>]*>([^<]+)", html
    )
    assert len(names) >= 12
    assert len(set(names)) == len(names)


async def test_a_document_is_chosen_for_a_program_that_answers_from_one_alone(parts: Parts, intents: Any) -> None:
    (title, document), *_ = [(each.title, each.id) for each in await parts.library.documents(MAYA)]
    stored = {"program": "DocumentAnalysis", "documents": document}
    update = await intents.restore(stored, MAYA)
    assert update.preferences["documents"] == document
    assert update.offered["documents"]["visible"]
    assert (title, document) in update.offered["documents"]["choices"]
    assert not (await intents.restore({"documents": document}, MAYA)).offered["documents"]["visible"]
    for chosen, asked in ((stored, (document,)), ({**stored, "documents": "gone"}, ()), ({"documents": document}, ())):
        tab = Tab()
        await intents.ask(QUESTION, tab, MAYA, KNOBS[0], chosen)
        await _all(intents.follow(tab))
        (turn,) = await parts.conversations.turns(tab.conversation_id or "", MAYA)
        assert turn.asked
        assert turn.asked.documents == asked


async def test_the_knobs_come_back_as_the_browser_kept_them(intents: Any) -> None:
    stored = {"passages": 9, "temperature": 0.2, "instructions": "Be brief.", "mode": "vector", "program": "ReAct"}
    knobs = (await intents.restore(stored)).preferences
    values = [knobs[name] for name in ("passages_wanted", "history_turns", "instructions", "temperature", "program")]
    assert values == [9, 4, "Be brief.", 0.2, "ReAct"]
    assert "vector" not in knobs.values()  # no model makes vectors here
    hostile = (await intents.restore({"program": "<hostile>"})).preferences
    assert (hostile["instructions"], hostile["program"]) == (DEFAULT_INSTRUCTIONS, "ChainOfThought")
