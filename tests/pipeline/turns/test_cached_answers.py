"""A stored answer is replayed for the same question, asked in the same way by the same visitor, and only then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from components.panes import chat
from components.view import view_of
from i18n import text
from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    StepChanged,
    TurnFinished,
    TurnStarted,
    Usage,
    Warned,
)
from pipeline.ingest import Chunk, Document
from pipeline.models.catalogue import Models
from pipeline.recording import fields_of
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import AskOptions, Turn, TurnRequest
from pipeline.turns.cached_answers import replayed
from server import Parts, build
from tests.in_process import events_of
from tests.provider import Provider

QUESTION = "How hot is the water for green tea?"
MAYA, NOAH = "m" * 32, "n" * 32
ASKED = TurnRequest(QUESTION, visitor=MAYA, model="ok")
BEHAVIOURS = ("ok", "thinking", "no-markers", "length", "status-401", "summary", "agent", "busy-once-retry-0")
Open = Callable[..., Parts]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeIndex]:
    made = EdgeIndex(tmp_path_factory.mktemp("index"))
    yield made
    made.close()


@pytest.fixture
async def opened(tmp_path: Path, index: EdgeIndex, provider: Provider) -> AsyncIterator[Open]:
    """A function that builds the parts; a second call is a restart with other settings over the same database."""
    await index.add([document("Green tea wants water of 80 °C.")], "shared", None)
    built: list[Parts] = []

    async def close(parts: Parts) -> None:
        await parts.pipeline.close()
        parts.store.close()

    def open_parts(models: dict[str, Any] | None = None, **settings: Any) -> Parts:
        entries = tuple(
            ModelEntry(label=name, model=f"hosted_vllm/{name}", api_base=provider.base, **(models or {}))
            for name in BEHAVIOURS
        )
        values = Settings(models=entries, data_dir=tmp_path, **settings)
        built.append(build(values, index=index, models=Models(values, pace_s=0.0)))
        return built[-1]

    yield open_parts
    for parts in built:
        await close(parts)
    for each in (*await index.documents(MAYA), *await index.documents(NOAH)):
        await index.remove(each.id, each.owner)


def document(text: str, name: str = "tea.md") -> Document:
    return Document(f"hash of {text}", name, "Tea", "en", "", None, (Chunk("", text, 0, len(text)),))


async def ask(parts: Parts, request: TurnRequest = ASKED) -> list[Event]:
    return await events_of(parts.pipeline, request)


def ending(events: list[Event]) -> TurnFinished:
    assert isinstance(events[-1], TurnFinished), events[-1]
    return events[-1]


async def is_cached(parts: Parts, request: TurnRequest = ASKED) -> bool:
    return ending(await ask(parts, request)).cached


@pytest.mark.parametrize(("model", "program"), [("ok", None), ("thinking", None), ("agent", "ReAct")])
async def test_a_replay_is_the_same_to_the_byte_free_and_asks_no_provider(
    opened: Open, provider: Provider, model: str, program: str | None
) -> None:
    parts = opened(stream_chunk_size=5)
    request = replace(ASKED, model=model, options=AskOptions(program=program))
    first = await ask(parts, request)
    asked = len(provider.requests)
    again = await ask(parts, request)
    before, now = ending(first), ending(again)
    assert (before.cached, now.cached) == (False, True)
    assert (now.fields, now.passages, now.finish, now.model) == (
        before.fields,
        before.passages,
        before.finish,
        before.model,
    )
    assert list(now.fields) == list(before.fields)
    assert (now.cost, now.usage, now.saved) == (0.0, Usage(0, 0, exact=True), True)
    assert len(provider.requests) == asked
    assert {name: said for name, said in now.fields.items() if said} == fields_of(again)
    assert {len(event.text) <= 5 for event in again if isinstance(event, FieldDelta)} == {True}
    assert [type(event) for event in again if isinstance(event, PassagesFound | Warned)] == [
        type(event) for event in first if isinstance(event, PassagesFound | Warned)
    ]
    assert [event.seq for event in again] == list(range(len(again)))
    started = again[0]
    assert isinstance(started, TurnStarted)
    stored = await parts.pipeline.turn(started.turn_id, MAYA)
    assert stored.fields == fields_of(first)


async def test_the_page_says_that_an_answer_was_stored(opened: Open) -> None:
    parts = opened()
    first, again = await ask(parts), await ask(parts)
    assert text("facts.cached_why") not in chat.article(view_of(first))
    article = chat.article(view_of(again))
    assert f">{text('facts.cached')}</span>" in article
    assert text("facts.cached_why") in article


@pytest.mark.parametrize(
    "changed",
    [
        {"question": "How hot is the water for black tea?"},
        {"model": "summary"},
        {"visitor": NOAH},
        {"visitor": None},
        {"model_key": SecretStr("sk-of-her-own")},
        *(
            {"options": AskOptions(**options)}
            for options in (
                {"uses_cache": False},
                {"program": "Direct"},
                {"instructions": "Write like a pirate."},
                {"temperature": 0.3},
                {"max_tokens": 300},
                {"passages_wanted": 3},
                {"mode": "keyword"},
                {"candidates": 40},
                {"language": "de"},
                {"collections": ("shared",)},
            )
        ),
    ],
    ids=str,
)
async def test_another_way_of_asking_gets_an_answer_of_its_own(opened: Open, changed: dict[str, Any]) -> None:
    parts = opened()
    assert not await is_cached(parts)
    assert not await is_cached(parts, replace(ASKED, **changed))
    assert await is_cached(parts)


async def test_the_default_program_is_the_same_by_its_name(opened: Open) -> None:
    parts = opened()
    assert not await is_cached(parts)
    assert await is_cached(parts, replace(ASKED, options=AskOptions(program="ChainOfThought")))


async def test_an_answer_to_a_question_that_shares_no_word_with_the_documents_is_replayed(opened: Open) -> None:
    parts = opened()
    request = replace(ASKED, question="Wie geht Quantenphysik?")
    first = await ask(parts, request)
    assert [event.code for event in first if isinstance(event, Warned)] == ["no_context", "unsupported"]
    assert await is_cached(parts, request)


async def test_no_document_that_came_or_went_is_overlooked(opened: Open, index: EdgeIndex) -> None:
    parts = opened()
    assert not await is_cached(parts)
    (added,) = await index.add([document("Green tea wants water of 70 °C.", "other.md")], "shared", None)
    assert not await is_cached(parts)
    assert await is_cached(parts)
    await index.remove(added.id, None)
    assert await is_cached(parts)  # the answer of before, over the same documents
    await index.add([document("Green tea wants water of 60 °C.")], "own", NOAH)
    assert await is_cached(parts)  # what others have changes nothing
    (tea,) = await index.documents(None)
    await index.remove(tea.id, None)
    assert not await is_cached(parts)


async def test_the_history_counts_by_its_content(opened: Open) -> None:
    parts = opened()
    follow_up = "And for black tea?"
    endings = []
    for _ in range(2):
        started = (await ask(parts))[0]
        assert isinstance(started, TurnStarted)
        request = replace(ASKED, question=follow_up, conversation_id=started.conversation_id)
        endings.append(ending(await ask(parts, request)))
    assert [each.cached for each in endings] == [False, True]
    assert not await is_cached(parts, replace(ASKED, question=follow_up))


async def test_a_retry_asks_the_model_again_and_its_answer_is_the_one_that_is_replayed(
    opened: Open, provider: Provider
) -> None:
    parts = opened()
    started = (await ask(parts))[0]
    assert isinstance(started, TurnStarted)
    request = replace(ASKED, conversation_id=started.conversation_id, replaces=started.turn_id)
    asked = len(provider.requests)
    assert not await is_cached(parts, request)
    assert len(provider.requests) == asked + 1
    assert await is_cached(parts)


@pytest.mark.parametrize("model", ["no-markers", "length", "status-401", "busy-once-retry-0", BUILTIN_MODEL])
async def test_only_an_answer_that_came_well_is_replayed(opened: Open, model: str) -> None:
    parts = opened()
    for _ in range(2):
        assert not await is_cached(parts, replace(ASKED, model=model))


async def test_a_deleted_conversation_is_forgotten_also_where_its_answer_was_replayed(opened: Open) -> None:
    parts = opened()
    first, again = (await ask(parts))[0], await ask(parts)
    assert isinstance(first, TurnStarted)
    assert ending(again).cached
    await parts.conversations.delete(first.conversation_id, MAYA)
    assert not await is_cached(parts)


async def test_an_answer_that_was_disliked_is_not_given_again(opened: Open) -> None:
    parts = opened()
    started = (await ask(parts))[0]
    assert isinstance(started, TurnStarted)
    await parts.conversations.rate(started.turn_id, MAYA, -1)
    assert not await is_cached(parts)


async def test_a_switch_turns_it_off_for_all(opened: Open) -> None:
    parts = opened(cache_answers=False)
    assert [await is_cached(parts) for _ in range(2)] == [False, False]


async def test_a_restart_keeps_answers_unless_the_label_means_another_model(opened: Open) -> None:
    first = opened()
    assert not await is_cached(first)
    assert await is_cached(opened())
    assert not await is_cached(opened({"temperature": 0.1}))


async def test_neither_metrics_nor_estimates_learn_from_a_replay(opened: Open) -> None:
    parts = opened()
    await ask(parts)
    learned = await parts.store.measured(50)
    replay = await ask(parts)
    assert ending(replay).cached
    assert await parts.store.measured(50) == learned
    started = replay[0]
    assert isinstance(started, TurnStarted)
    (turn,) = await parts.store.turns(started.conversation_id, MAYA)
    measured = turn.metrics
    assert measured is not None
    assert (measured.cached, measured.tokens, measured.tokens_per_s, measured.first_token_s) == (True, None, None, None)


def test_what_was_taken_back_is_not_said_again() -> None:
    step = StepChanged(step="reason", state="ended", took_s=3.0)
    said = (
        StepChanged(step="wait", state="began", place=1),
        FieldDelta(field="answer", text="[[ answer"),
        FieldReset(field="answer"),
        FieldDelta(field="reasoning", text="abcde"),
        step,
        FieldDelta(field="answer", text="xyz"),
    )
    turn = Turn("t", "c", QUESTION, "ok", "finished", record=said)
    assert list(replayed(turn, 3)) == [
        FieldDelta(field="reasoning", text="abc"),
        FieldDelta(field="reasoning", text="de"),
        replace(step, took_s=0.0),
        FieldDelta(field="answer", text="xyz"),
    ]
