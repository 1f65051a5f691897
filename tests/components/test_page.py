"""What the page does with a visitor's intents, over a real pipeline with the built-in model; the browser is faked."""

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components import chat, page, sidebar
from components.ink import Ink
from components.intents import PANES, Intents, Tab
from components.view import view_of
from pipeline.conversation import Listed, Passage
from pipeline.errors import StoreFault
from pipeline.events import Event, FieldDelta, PassagesFound, TurnStarted
from pipeline.ingest.markdown import read_folder
from pipeline.library import Library
from pipeline.models import Models
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ROOT, Settings
from pipeline.store import Store
from pipeline.turns import Pipeline

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
KNOBS: tuple[str, dict[str, Any]] = (BUILTIN_MODEL, {})
QUESTION = "Why does water temperature change the taste of coffee?"
BAR, NOTICE, CONVERSATIONS, THREAD, LIVE, REASONING, SOURCES = range(7)
IDS = {
    *("question", "chat", "reasoning", "sources", "sidebar", "new-chat", "conversations", "model", "passages"),
    *("history-turns", "temperature", "max-tokens", "instructions"),
}
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">"\'${1}{{2}}'


@pytest.fixture(scope="module")
def search() -> Any:
    built = EdgeIndex.build(read_folder(ROOT / "samples"))
    yield built
    built.close()


@pytest.fixture
async def pipeline(tmp_path: Path, search: EdgeIndex) -> AsyncIterator[Pipeline]:
    values = Settings(data_dir=tmp_path)
    store = Store(values.database_address)
    store.open()
    built = Pipeline(values, Models(values, pace_s=0.002), search, store)
    yield built
    await built.close()
    store.close()


@pytest.fixture
def library(tmp_path: Path, search: EdgeIndex) -> Library:
    return Library(search, Settings(data_dir=tmp_path))


@pytest.fixture
def intents(pipeline: Pipeline) -> Intents:
    return Intents(pipeline)


def event(**given: str) -> Any:
    return SimpleNamespace(**given)


async def _all(following: AsyncIterator[Any]) -> list[Any]:
    return [panes async for panes in following]


def is_kept(value: Any) -> bool:
    return isinstance(value, dict) and value["__type__"] == "update"


def untimed(html: str) -> str:
    """The ending is stored a moment before it is said."""
    return re.sub(r"[\d.]+ (tok/s|s)\b", r"\1", html)


async def asked(
    intents: Intents, tab: Tab, question: str = QUESTION, visitor: str = MAYA
) -> tuple[Any, list[Any], Any]:
    """What is shown at once, while following, and once settled."""
    begun = await intents.ask(question, tab, visitor, *KNOBS)
    followed = [panes async for panes in intents.follow(tab)]
    return begun, followed, await intents.settle(tab, visitor, BUILTIN_MODEL)


async def test_a_question_shows_at_once_then_grows_then_moves_into_the_thread(intents: Intents) -> None:
    tab = Tab()
    begun, followed, settled = await asked(intents, tab)
    assert QUESTION in begun[BAR][0]
    assert QUESTION in begun[CONVERSATIONS][0]
    assert 'data-state="running"' in begun[LIVE][0]
    assert all(isinstance(part, str) for panes in followed for parts in panes for part in parts)
    live, _, sources = followed[-1]
    assert 'data-state="finished"' in live[0]
    assert any('class="cite"' in part for part in live)
    assert any('class="source"' in part for part in sources)
    assert settled[LIVE] == []
    joined = live[0].removesuffix("</article>") + "".join(live[1:]) + "</article>"
    assert untimed(settled[THREAD][0]) == untimed(joined)


async def test_the_views_that_were_sent_are_counted_and_are_far_fewer_than_the_tokens(
    intents: Intents, pipeline: Pipeline
) -> None:
    _, followed, settled = await asked(intents, tab := Tab())
    (turn,) = await pipeline.turns(tab.conversation_id or "", MAYA)
    assert turn.metrics
    assert turn.metrics.updates == len(followed)
    assert turn.metrics.updates <= 0.6 * (turn.metrics.tokens or 0)
    assert "quoted in" in settled[THREAD][0]
    assert f"shown in {len(followed)} updates" in settled[THREAD][0]


async def test_panes_that_did_not_change_come_as_the_same_object(intents: Intents) -> None:
    _, followed, _ = await asked(intents, Tab())
    sources = [panes[2] for panes in followed]
    assert sum(one is not other for one, other in pairwise(sources)) <= 2


async def test_a_history_that_cannot_be_saved_is_said_and_no_longer_said_when_it_can(
    tmp_path: Path, search: EdgeIndex
) -> None:
    folder = tmp_path / "not there yet"
    values = Settings(data_dir=folder)
    store = Store(values.database_address)
    with pytest.raises(StoreFault):
        store.open()
    pipeline = Pipeline(values, Models(values, pace_s=0.002), search, store)
    intents, tab = Intents(pipeline), Tab()
    begun, followed, settled = await asked(intents, tab)
    assert "cannot be saved" in begun[BAR][1]
    assert "cannot be saved" in settled[BAR][1]
    assert any('class="cite"' in part for part in followed[-1][0])
    begun, _, settled = await asked(intents, tab, "And in which pot?")
    assert QUESTION in begun[THREAD][0]
    assert ["could not be saved" in each for each in settled[THREAD]] == [True, True]
    folder.mkdir()
    store._opens_again_at = 0.0
    _, _, settled = await asked(intents, tab, "And how long?")
    assert len(settled[BAR]) == 1
    assert ["could not be saved" in each for each in settled[THREAD]] == [False, False, False]
    assert len(await store.turns(tab.conversation_id or "", MAYA)) == 3
    await pipeline.close()
    store.close()


async def test_a_refused_question_stays_in_the_composer_and_says_why(intents: Intents) -> None:
    out = await intents.ask("x" * 9_000, Tab(), MAYA, *KNOBS)
    assert "too long: at most 8,000 characters" in out[NOTICE][0]
    assert all(is_kept(value) for at, value in enumerate(out) if at != NOTICE)


async def test_a_blank_question_does_nothing(intents: Intents) -> None:
    assert all(is_kept(value) for value in await intents.ask(" \n", Tab(), MAYA, *KNOBS))


async def test_pressing_enter_twice_asks_once(intents: Intents, pipeline: Pipeline) -> None:
    tab = Tab()
    await intents.ask(QUESTION, tab, MAYA, *KNOBS)
    assert all(is_kept(value) for value in await intents.ask(QUESTION, tab, MAYA, *KNOBS))
    assert "still being written" in (await intents.ask("Another one?", tab, MAYA, *KNOBS))[NOTICE][0]
    assert tab.conversation_id
    assert len(await pipeline.turns(tab.conversation_id, MAYA)) == 1


async def test_retry_and_edit_replace_the_turn(intents: Intents, pipeline: Pipeline) -> None:
    tab = Tab()
    await asked(intents, tab)
    await asked(intents, tab, "What is cold brew?")
    first = (await pipeline.turns(tab.conversation_id or "", MAYA))[0]
    text, notice = await intents.edit(event(turn=first.id), tab, MAYA)
    assert text == QUESTION
    assert "Cancel" in notice[0]
    *_, settled = await asked(intents, tab, "How long do roasted beans stay fresh?")
    assert len(settled[THREAD]) == 1
    again = (await pipeline.turns(tab.conversation_id or "", MAYA))[0]
    begun = await intents.retry(event(turn=again.id), tab, MAYA, *KNOBS)
    assert begun[THREAD] == []
    assert "roasted beans" in begun[LIVE][1]


async def test_leaving_the_editing_state_asks_a_new_question_again(intents: Intents, pipeline: Pipeline) -> None:
    tab = Tab()
    await asked(intents, tab)
    await intents.edit(event(turn=(await pipeline.turns(tab.conversation_id or "", MAYA))[0].id), tab, MAYA)
    assert intents.cancel(tab) == ("", [])
    *_, settled = await asked(intents, tab, "What is cold brew?")
    assert len(settled[THREAD]) == 2


async def test_stop_ends_the_turn_and_the_page_sees_how(intents: Intents) -> None:
    tab = Tab()
    await intents.ask(QUESTION, tab, MAYA, *KNOBS)
    await intents.stop(tab)
    followed = [panes async for panes in intents.follow(tab)]
    assert 'data-state="stopped"' in followed[-1][0][0]
    assert "Try again" in "".join((await intents.settle(tab, MAYA, BUILTIN_MODEL))[THREAD])


async def test_a_page_that_looks_elsewhere_hears_no_more_of_the_turn(intents: Intents) -> None:
    tab = Tab()
    await intents.ask(QUESTION, tab, MAYA, *KNOBS)
    following = intents.follow(tab)
    await anext(following)
    await intents.new(tab, MAYA, BUILTIN_MODEL)
    rest = [panes async for panes in following]
    assert len(rest) == 1
    assert all(is_kept(value) for value in rest[0])


async def test_a_loaded_page_comes_back_to_the_running_turn_of_its_address(intents: Intents) -> None:
    await intents.ask(QUESTION, tab := Tab(), MAYA, *KNOBS)
    token, *shown = await intents.load(again := Tab(), MAYA, BUILTIN_MODEL, tab.conversation_id or "", -60)
    assert token == MAYA
    assert again.turn_id == tab.turn_id
    assert 'data-state="running"' in shown[LIVE][0]
    assert shown[THREAD] == []


async def test_an_address_of_someone_else_shows_an_empty_page(intents: Intents) -> None:
    await asked(intents, tab := Tab())
    token, *shown = await intents.load(other := Tab(), NOAH, BUILTIN_MODEL, tab.conversation_id or "", 0)
    assert other.conversation_id is None
    assert "no such conversation" in shown[NOTICE][0]
    assert QUESTION not in "".join(shown[CONVERSATIONS] + shown[THREAD][1:])
    assert "Ask the documents" in shown[THREAD][0]
    assert "data-turn" not in "".join(shown[REASONING] + shown[SOURCES])
    assert token == NOAH


@pytest.mark.parametrize("stored", ["", None, "short", "<b>" * 20])
async def test_a_browser_without_a_good_token_gets_one(intents: Intents, stored: Any) -> None:
    token, *_ = await intents.load(Tab(), stored, "", "", 0)
    assert 16 <= len(token) <= 128
    assert token != stored


async def test_nobody_deletes_rates_or_reads_what_is_not_theirs(intents: Intents, pipeline: Pipeline) -> None:
    await asked(intents, tab := Tab())
    (turn,) = await pipeline.turns(tab.conversation_id or "", MAYA)
    out = await intents.delete(event(conversation=turn.conversation_id), Tab(), NOAH, BUILTIN_MODEL)
    assert "no such conversation" in out[NOTICE][0]
    assert "no such conversation" in (await intents.rate(event(turn=turn.id, rating="like"), NOAH))[0]
    assert all(is_kept(value) for value in await intents.look(event(turn=turn.id), tab, NOAH))
    assert (await pipeline.turns(tab.conversation_id or "", MAYA))[0].rating == 0


async def test_a_like_is_there_after_a_reload(intents: Intents, pipeline: Pipeline) -> None:
    await asked(intents, tab := Tab())
    (turn,) = await pipeline.turns(tab.conversation_id or "", MAYA)
    assert is_kept(await intents.rate(event(turn=turn.id, rating="like"), MAYA))
    _, *shown = await intents.load(Tab(), MAYA, BUILTIN_MODEL, turn.conversation_id, 0)
    assert 'data-act="like" aria-label="Good answer 1" title="Good answer" aria-pressed="true"' in shown[THREAD][0]


async def test_deleting_the_conversation_in_sight_leaves_an_empty_page(intents: Intents) -> None:
    await asked(intents, tab := Tab())
    out = await intents.delete(event(conversation=tab.conversation_id or ""), tab, MAYA, BUILTIN_MODEL)
    assert "Ask the documents" in out[THREAD][0]
    assert QUESTION not in out[CONVERSATIONS][0]
    assert tab.conversation_id is None


async def test_a_chip_of_an_earlier_turn_brings_its_sources(intents: Intents, pipeline: Pipeline) -> None:
    await asked(intents, tab := Tab())
    await asked(intents, tab, "What is cold brew?")
    first = (await pipeline.turns(tab.conversation_id or "", MAYA))[0]
    reasoning, sources = await intents.look(event(turn=first.id), tab, MAYA)
    assert reasoning[0] == sources[0] == first.id
    assert f'data-turn="{first.id}"' in sources[1]
    assert any('class="source"' in part for part in sources)


def test_the_built_in_model_switches_its_unused_knobs_off(intents: Intents) -> None:
    _, _, _, hint, *knobs = intents.choose("no such model", Tab())
    assert "only quotes" in hint[0]
    assert [knob["interactive"] for knob in knobs] == [False] * sidebar.KNOBS


def test_no_text_of_others_becomes_markup() -> None:
    passage = Passage(1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1.0, ((0, 8),))
    events: list[Event] = [
        TurnStarted(turn_id="t", conversation_id="c", question=HOSTILE, model=HOSTILE, program="p", language="en"),
        PassagesFound(query=HOSTILE, passages=(passage,), rejected=(passage,)),
        *(FieldDelta(field=name, text=f"{HOSTILE} [1]\n\n{HOSTILE}") for name in ("thinking", "reasoning", "answer")),
    ]
    html = "".join(part for pane in PANES for part in pane.render(view_of(events), Ink()))
    html += chat.bar(HOSTILE, "c", HOSTILE)[0] + chat.hero([Listed(HOSTILE, 1)], HOSTILE)[0]
    assert "<script" not in html
    assert "<img" not in html


async def test_the_page_is_built_with_the_agreed_ids(pipeline: Pipeline, library: Library) -> None:
    demo = page.build(pipeline, library, on_space=False, typed_models=True)
    ids = {block.elem_id for block in demo.blocks.values()}
    assert ids >= IDS
    for listener in demo.fns.values():
        assert listener.api_visibility == "private"


async def test_a_space_without_a_model_says_so_and_offers_no_typed_names(pipeline: Pipeline, library: Library) -> None:
    demo = page.build(pipeline, library, on_space=True, typed_models=False)
    assert "typed-model" not in {block.elem_id for block in demo.blocks.values()}
    assert any("without a language model" in str(getattr(block, "value", "")) for block in demo.blocks.values())


async def test_asking_an_earlier_question_again_waits_until_its_visitor_is_sure(
    intents: Intents, pipeline: Pipeline
) -> None:
    await asked(intents, tab := Tab())
    await asked(intents, tab, "What is cold brew?")
    first = (await pipeline.turns(tab.conversation_id or "", MAYA))[0]
    out = await intents.retry(event(turn=first.id), tab, MAYA, *KNOBS)
    assert "replaces this turn and all after it" in out[NOTICE][0]
    assert all(is_kept(value) for at, value in enumerate(out) if at != NOTICE)
    assert intents.close(tab) == []
    assert len(await pipeline.turns(tab.conversation_id or "", MAYA)) == 2
    await intents.retry(event(turn=first.id), tab, MAYA, *KNOBS)
    begun = await intents.again(tab, MAYA, *KNOBS)
    assert begun[THREAD] == begun[NOTICE] == []
    assert QUESTION in begun[LIVE][1]


@pytest.mark.parametrize("way", ["retry", "edit"])
async def test_nothing_is_replaced_that_another_tab_added_and_this_one_never_showed(
    intents: Intents, pipeline: Pipeline, way: str
) -> None:
    await asked(intents, tab := Tab())
    (turn,) = await pipeline.turns(tab.conversation_id or "", MAYA)
    await intents.load(other := Tab(), MAYA, BUILTIN_MODEL, turn.conversation_id, 0)
    await asked(intents, other, "What is cold brew?")
    if way == "edit":
        await intents.edit(event(turn=turn.id), tab, MAYA)
        out = await intents.ask("How long do roasted beans stay fresh?", tab, MAYA, *KNOBS)
        assert "Editing" in out[NOTICE][1]
    else:
        out = await intents.retry(event(turn=turn.id), tab, MAYA, *KNOBS)
    assert "went on elsewhere" in out[NOTICE][0]
    assert "cold brew" in out[THREAD][1]
    assert len(await pipeline.turns(turn.conversation_id, MAYA)) == 2
    if way == "edit":  # now it was seen
        await asked(intents, tab, "How long do roasted beans stay fresh?")
        assert len(await pipeline.turns(turn.conversation_id, MAYA)) == 1


async def test_a_second_tab_that_asks_too_early_shows_and_follows_the_running_answer(intents: Intents) -> None:
    await asked(intents, tab := Tab())
    await intents.load(other := Tab(), MAYA, BUILTIN_MODEL, tab.conversation_id or "", 0)
    await intents.ask("What is cold brew?", other, MAYA, *KNOBS)
    out = await intents.ask("And espresso?", tab, MAYA, *KNOBS)
    assert "still being written" in out[NOTICE][0]
    assert 'data-state="running"' in out[LIVE][0]
    assert [panes async for panes in intents.follow(tab)]
    settled = await intents.settle(tab, MAYA, BUILTIN_MODEL)
    assert settled[NOTICE] == []
    assert len(settled[THREAD]) == 2


async def test_a_follower_that_comes_with_a_question_waits_for_its_turn_and_draws_the_panes(intents: Intents) -> None:
    tab, numbered = Tab(), (BUILTIN_MODEL, {"question": "0.5"})
    following = asyncio.create_task(anext(intents.follow(tab, {}, "0.5")))
    begun = await intents.ask(QUESTION, tab, MAYA, *numbered)
    assert QUESTION in begun[BAR][0]
    assert all(is_kept(parts) for parts in begun[LIVE:])  # what is drawn already is not drawn over
    live, *_ = await following
    assert QUESTION in "".join(live)


@pytest.mark.parametrize("question", [" ", "x" * 9_000])
async def test_a_follower_of_a_question_that_was_refused_ends_and_changes_nothing(
    intents: Intents, question: str
) -> None:
    tab, numbered = Tab(), (BUILTIN_MODEL, {"question": "0.5"})
    _, followed = await asyncio.gather(
        intents.ask(question, tab, MAYA, *numbered), _all(intents.follow(tab, {}, "0.5"))
    )
    assert all(is_kept(value) for panes in followed for value in panes)


async def test_why_a_question_was_refused_stays_on_the_page_after_an_answer(intents: Intents) -> None:
    await asked(intents, tab := Tab())
    begun, _, settled = await asked(intents, tab, "x" * 9_000)
    assert "too long" in begun[NOTICE][0]
    assert is_kept(settled[NOTICE])


async def test_opening_the_conversation_that_is_in_sight_does_not_end_its_following(intents: Intents) -> None:
    await intents.ask(QUESTION, tab := Tab(), MAYA, *KNOBS)
    following = intents.follow(tab)
    await anext(following)
    await intents.open(event(conversation=tab.conversation_id or ""), tab, MAYA, BUILTIN_MODEL)
    *_, last = [panes async for panes in following]
    assert 'data-state="finished"' in last[0][0]


async def test_the_example_that_is_not_in_the_documents_is_refused(intents: Intents) -> None:
    _, _, settled = await asked(intents, Tab(), chat.EXAMPLES[-1][1])
    assert "The passages do not answer this." in settled[THREAD][0]


async def test_what_was_asked_stands_under_the_answer_live_and_stored(intents: Intents, pipeline: Pipeline) -> None:
    kept = {"passages": 2, "history_turns": 1}
    await intents.ask(QUESTION, tab := Tab(), MAYA, BUILTIN_MODEL, kept)
    *_, (live, *_) = [panes async for panes in intents.follow(tab)]
    _, *shown = await intents.load(Tab(), MAYA, BUILTIN_MODEL, tab.conversation_id or "", 0)
    for html in ("".join(live), shown[THREAD][0]):
        for chip in (BUILTIN_MODEL, "ChainOfThought", "2 passages", "1 turn of history"):
            assert f">{chip}<" in html
    (turn,) = await pipeline.turns(tab.conversation_id or "", MAYA)
    assert turn.asked
    assert (turn.asked.passages_wanted, turn.asked.history_turns) == (2, 1)


async def test_no_two_buttons_of_a_conversation_have_one_name(intents: Intents) -> None:
    await asked(intents, tab := Tab())
    await asked(intents, tab, "What is cold brew?")
    await intents.ask(QUESTION, tab, MAYA, *KNOBS)
    await intents.stop(tab)
    [_ async for _ in intents.follow(tab)]
    settled = await intents.settle(tab, MAYA, BUILTIN_MODEL)
    html = "".join(settled[THREAD] + settled[CONVERSATIONS])
    names = re.findall(r'<button[^>]*aria-label="([^"]*)"', html) + re.findall(
        r"<button(?![^>]*aria-label)[^>]*>([^<]+)", html
    )
    assert len(names) >= 12
    assert len(set(names)) == len(names)


def test_the_knobs_come_back_as_the_browser_kept_them(intents: Intents) -> None:
    stands = intents.restore({"passages": 9, "temperature": 0.2, "instructions": "Be brief.", "mode": "vector"})
    values = [each["value"] for each in stands]
    assert values[:4] == [9, 4, "Be brief.", 0.2]
    assert "vector" not in values  # no model makes vectors here
    assert [each["value"] for each in intents.restore("<hostile>")][2] == intents._pipeline.default_instructions
