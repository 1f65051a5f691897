from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import logging
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.schema import CreateTable

from i18n.messages import error_text
from pipeline.database.connections import described
from pipeline.database.store import LISTED, TITLE_CHARS, Store
from pipeline.database.tables import Table
from pipeline.errors import NotFound, StoreFault
from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
    Warned,
)
from pipeline.exchange_costs import Cost
from pipeline.exchanges import Message, PromptExchange
from pipeline.metrics import measure
from pipeline.passages import Passage, Scores
from pipeline.recording import Recording, timed
from pipeline.request_result import DAY_S, RequestResult
from pipeline.saved_program import SavedProgram
from pipeline.settings import Settings
from pipeline.turn import AskOptions, Conversation, Turn, TurnMetrics
from tests import postgres

ROOT = Path(__file__).parents[3]
ANNA, BEN = "anna-0123456789ab", "ben-0123456789abc"


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "glassbox.db"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What looks into the file is about SQLite alone; the rest holds for PostgreSQL too."""
    if "database" in metafunc.fixturenames:
        is_of_file = "file" in inspect.signature(metafunc.function).parameters
        metafunc.parametrize("database", ["sqlite"] if is_of_file else ["sqlite", "postgresql"])


@pytest.fixture(scope="session")
def server() -> Iterator[str | None]:
    with postgres.server() as address:
        yield address


@pytest.fixture
def url(database: str, file: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    if database == "sqlite":
        yield url_of(file)
        return
    pytest.importorskip("psycopg", reason="no driver here: pip install 'psycopg[binary]'")
    address: str | None = request.getfixturevalue("server")
    if address is None:
        pytest.skip(postgres.NONE)
    with postgres.database(address) as own:
        yield Settings(database_url=own).database_address


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(url)
    store.open()
    yield store
    store.close()


def conversation(id: str = "c1", owner: str | None = ANNA) -> Conversation:
    return Conversation(id=id, owner=owner, title="")


def turn(id: str = "t1", conversation_id: str = "c1", question: str = "Why?", asked_at: float = 1.0) -> Turn:
    return Turn(id=id, conversation_id=conversation_id, question=question, model="m", asked_at=asked_at)


async def ids_of(store: Store, conversation_id: str = "c1", owner: str | None = ANNA) -> list[str]:
    return [turn.id for turn in await store.turns(conversation_id, owner)]


# What is kept


async def test_a_saved_turn_is_read_back_as_it_was(store: Store) -> None:
    asked = turn(question="Why is crema brown?")
    await store.open_turn(conversation(), asked)
    delta = FieldDelta(seq=0, field="answer", text="Oils ☕ [1].")
    done = replace(asked, state="finished", record=(delta,), fields={"answer": "Oils ☕ [1]."})
    assert await store.save_turn(done)
    assert await store.turns("c1", ANNA) == (done,)


async def test_turns_are_read_in_the_order_in_which_they_were_opened(store: Store) -> None:
    for id in ("t3", "t1", "t2"):
        await store.open_turn(conversation(), turn(id, asked_at=5.0))
    assert await ids_of(store) == ["t3", "t1", "t2"]


async def test_a_title_is_the_first_question_on_one_line_and_cut(store: Store) -> None:
    await store.open_turn(conversation(), turn(question="  What\n is\t " + "x" * 300))
    await store.open_turn(conversation(), turn("t2", question="And then?"))
    found = await store.find("c1", ANNA)
    assert found is not None
    assert found.title == ("What is " + "x" * 300)[: TITLE_CHARS - 1] + "…"


async def test_conversations_are_listed_newest_first_by_their_latest_question(store: Store) -> None:
    for at, id in enumerate(("c1", "c2", "c3"), start=1):
        await store.open_turn(conversation(id), turn(f"t-{id}", id, asked_at=at))
    await store.open_turn(conversation("c1"), turn("later", "c1", asked_at=9))
    assert [(c.id, c.changed_at) for c in await store.conversations(ANNA)] == [("c1", 9), ("c3", 3), ("c2", 2)]


async def test_the_list_of_conversations_ends_with_the_newest_two_hundred(store: Store) -> None:
    for at in range(LISTED + 1):
        await store.open_turn(conversation(f"c{at}"), turn(f"t{at}", f"c{at}", asked_at=at + 1))
    listed = [c.id for c in await store.conversations(ANNA)]
    assert (len(listed), listed[0], "c0" in listed) == (LISTED, f"c{LISTED}", False)


async def test_the_last_turns_of_a_question_are_the_owners_alone_and_the_latest_first(store: Store) -> None:
    for at, (id, owner) in enumerate((("c1", ANNA), ("c2", ANNA), ("c3", BEN), ("c4", None), ("c5", ANNA)), start=1):
        await store.open_turn(conversation(id, owner), turn(f"t-{id}", id, "How hot?", asked_at=at))
    await store.open_turn(conversation("c5"), turn("later", "c5", "And then?", asked_at=9), continues=True)
    assert [each.id for each in await store.last_turns(ANNA, "How hot?")] == ["t-c2", "t-c1"]
    assert [each.id for each in await store.last_turns(ANNA, "And then?")] == ["later"]
    assert await store.last_turns(ANNA, "What?\0") == ()


async def test_a_turn_that_replaces_another_is_shown_in_its_place_and_nothing_is_deleted(store: Store) -> None:
    for id in ("t1", "t2", "t3"):
        await store.open_turn(conversation(), turn(id))
    await store.open_turn(conversation(), turn("new"), replaces="t2")
    await store.open_turn(conversation(), turn("next"))
    assert await ids_of(store) == ["t1", "new", "next"]
    for id in ("t2", "t3"):
        assert await store.turn(id, ANNA) == replace(turn(id), parent_id="t1" if id == "t2" else "t2")
    found = await store.find("c1", ANNA)
    assert found
    assert found.active_leaf == "next"


async def test_both_versions_of_a_turn_can_be_shown_with_what_was_asked_after_each(store: Store) -> None:
    for id in ("t1", "t2", "t3"):
        await store.open_turn(conversation(), turn(id, question=f"{id}?"))
    await store.open_turn(conversation(), turn("new"), replaces="t2")
    versions = {"t1": ("t1",), "new": ("t2", "new")}
    assert await store.versions("c1", ANNA) == versions
    assert await store.activate("t2", ANNA)
    assert await ids_of(store) == ["t1", "t2", "t3"]
    assert await store.versions("c1", ANNA) == {"t1": ("t1",), "t2": ("t2", "new"), "t3": ("t3",)}
    assert await store.activate("new", ANNA)
    assert await ids_of(store) == ["t1", "new"]


async def test_a_conversation_has_the_title_of_the_first_question_that_is_shown(store: Store) -> None:
    await store.open_turn(conversation(), turn("t1", question="First?"))
    await store.open_turn(conversation(), turn("t2", question="Other first?"), replaces="t1")
    await store.activate("t1", ANNA)
    assert [each.title for each in await store.conversations(ANNA)] == ["First?"]


async def test_nobody_else_shows_another_version_or_learns_of_it(store: Store) -> None:
    await store.open_turn(conversation(), turn("t1"))
    await store.open_turn(conversation(), turn("t2"), replaces="t1")
    for stranger in (BEN, None):
        assert not await store.activate("t1", stranger)
        assert await store.versions("c1", stranger) == {}
    assert not await store.activate("never", ANNA)
    assert await ids_of(store) == ["t2"]


async def test_replacing_the_first_turn_changes_the_title_and_a_later_one_does_not(store: Store) -> None:
    await store.open_turn(conversation(), turn("t1", question="First?"))
    await store.open_turn(conversation(), turn("t2", question="Second?"))
    await store.open_turn(conversation(), turn("t3", question="Other second?"), replaces="t2")
    assert [c.title for c in await store.conversations(ANNA)] == ["First?"]
    await store.open_turn(conversation(), turn("t4", question="Other first?"), replaces="t1")
    assert [c.title for c in await store.conversations(ANNA)] == ["Other first?"]
    assert await ids_of(store) == ["t4"]


async def test_replacing_a_turn_of_another_conversation_or_of_none_only_adds(store: Store) -> None:
    await store.open_turn(conversation("elsewhere"), turn("t9", "elsewhere"))
    await store.open_turn(conversation(), turn("t1"), replaces="t9")
    await store.open_turn(conversation(), turn("t2"), replaces="never stored")
    assert await ids_of(store) == ["t1", "t2"]
    assert await ids_of(store, "elsewhere") == ["t9"]


async def test_saving_a_turn_that_was_deleted_says_so_and_does_not_bring_it_back(store: Store) -> None:
    await store.open_turn(conversation(), turn())
    assert await store.delete("c1", ANNA)
    assert not await store.save_turn(turn())
    assert await store.find("c1", ANNA) is None


async def test_a_rating_outlives_a_later_save(store: Store) -> None:
    await store.open_turn(conversation(), turn())
    assert await store.rate("t1", ANNA, -1)
    await store.save_turn(replace(turn(), state="finished"))
    assert [t.rating for t in await store.turns("c1", ANNA)] == [-1]


async def test_what_is_no_text_is_replaced_and_the_rest_kept(store: Store) -> None:
    await store.open_turn(conversation(), turn(question="Why \ud83d here\x00?"))
    broken = FieldDelta(seq=0, field="answer", text="half \ud83d é")
    await store.save_turn(replace(turn(), record=(broken,), fields={"answer": "half \ud83d é"}))
    (kept,) = await store.turns("c1", ANNA)
    assert kept.question == "Why � here�?"
    assert kept.record == (replace(broken, text="half � é"),)
    assert kept.fields == {"answer": "half � é"}


# What was measured


def ended(id: str, model: str = "m", **measured: Any) -> Turn:
    metrics = TurnMetrics(model_asked=model, model_used=model, ending="finished", **measured)
    return replace(turn(id, asked_at=float(id[1:])), state="finished", metrics=metrics)


async def test_a_conversation_costs_what_all_its_turns_do_other_versions_included(store: Store) -> None:
    await store.open_turn(conversation(), turn("t1"))
    await store.open_turn(conversation(), turn("t2"), "t1", continues=True)
    await store.open_turn(conversation(), turn("t3"), continues=True)
    assert await store.cost("c1", ANNA) == Cost(None, exact=True)
    await store.save_turn(ended("t1", cost=0.5, exact=True))
    await store.save_turn(ended("t3", cost=None, exact=False))
    assert await store.cost("c1", ANNA) == Cost(0.5, exact=True)
    await store.save_turn(ended("t2", cost=0.25, exact=False))
    assert await store.cost("c1", ANNA) == Cost(0.75, exact=False)
    assert await store.cost("c1", BEN) == Cost(None, exact=True)


async def test_what_was_measured_is_read_back_with_the_turn(store: Store) -> None:
    done = ended("t1", rungs=("retry", "fallback"), finish="length", tokens=9, tokens_per_s=3.5, cost=0.01, exact=True)
    await store.open_turn(conversation(), done)
    assert (await store.turns("c1", ANNA))[0].metrics is None
    await store.save_turn(done)
    await store.add_updates("t1", 7)
    (kept,) = await store.turns("c1", ANNA)
    assert done.metrics
    assert kept.metrics == replace(done.metrics, updates=7)


async def test_the_latest_answers_of_each_model_are_measured_oldest_first(store: Store) -> None:
    for at in range(1, 9):
        one = ended(f"t{at}", "fast" if at % 2 else "slow", tokens=at)
        await store.open_turn(conversation(), one)
        await store.save_turn(one)
    failed = replace(ended("t9", "fast"), metrics=TurnMetrics(model_used="fast", ending="failed"))
    await store.open_turn(conversation(), failed)
    await store.save_turn(failed)
    latest = await store.measured(each=3)
    assert [(each.model_used, each.tokens) for each in latest if each.model_used == "fast"] == [
        ("fast", 3),
        ("fast", 5),
        ("fast", 7),
    ]
    assert [each.tokens for each in latest if each.model_used == "slow"] == [4, 6, 8]


async def test_a_replaced_turn_leaves_its_figures_and_a_deleted_conversation_none(store: Store) -> None:
    first = ended("t1", tokens=1)
    await store.open_turn(conversation(), first)
    await store.save_turn(first)
    await store.open_turn(conversation(), ended("t2"), replaces="t1")
    assert [each.tokens for each in await store.measured(each=5)] == [1]
    await store.delete("c1", ANNA)
    assert await store.measured(each=5) == ()


# Whose it is


async def test_two_visitors_cannot_see_continue_rate_or_delete_each_others_conversations(store: Store) -> None:
    await store.open_turn(conversation(), turn())
    for stranger in (BEN, None):
        assert await store.find("c1", stranger) is None
        assert await store.turns("c1", stranger) == ()
        assert await store.turn("t1", stranger) is None
        assert not await store.rate("t1", stranger, 1)
        assert not await store.delete("c1", stranger)
        with pytest.raises(NotFound):
            await store.open_turn(conversation(owner=stranger), turn("t2"))
        with pytest.raises(NotFound):
            await store.open_turn(conversation(owner=stranger), turn("t2"), replaces="t1")
    assert await store.conversations(BEN) == ()
    assert await store.turns("c1", ANNA) == (turn(),)


async def test_a_conversation_of_nobody_is_found_by_its_id_and_listed_nowhere(store: Store) -> None:
    await store.open_turn(conversation(owner=None), turn())
    for visitor in (ANNA, BEN, None):
        found = await store.find("c1", visitor)
        assert found is not None
        assert found.owner is None
        assert await ids_of(store, owner=visitor) == ["t1"]
        assert await store.turn("t1", visitor)
    assert await store.conversations(ANNA) == ()
    assert await store.rate("t1", BEN, 1)
    assert await store.delete("c1", None)


async def test_an_unknown_id_is_nothing(store: Store) -> None:
    assert await store.find("no", ANNA) is None
    assert await store.turns("no", ANNA) == ()
    assert not await store.delete("no", ANNA)
    assert not await store.rate("no", ANNA, 1)


async def test_deleting_takes_the_turns_along_and_leaves_no_byte_of_them_on_the_disk(store: Store, file: Path) -> None:
    canary = "canary-7d1f"
    await store.open_turn(conversation(), turn(question=canary))
    await store.open_turn(conversation(), turn("edited"), replaces="t1")
    await store.open_turn(conversation("c2"), turn("t2", "c2"))
    assert any(canary.encode() in part.read_bytes() for part in file.parent.iterdir())
    assert await store.delete("c1", ANNA)
    assert not any(canary.encode() in part.read_bytes() for part in file.parent.iterdir())
    assert [c.id for c in await store.conversations(ANNA)] == ["c2"]


async def test_going_on_with_a_conversation_that_was_just_deleted_makes_no_new_one(store: Store) -> None:
    await store.open_turn(conversation(), turn())
    await store.open_turn(conversation(), turn("t2"), continues=True)
    await store.delete("c1", ANNA)
    with pytest.raises(NotFound):
        await store.open_turn(conversation(), turn("t3"), continues=True)
    assert await store.find("c1", ANNA) is None


async def test_opening_a_turn_a_second_time_changes_nothing(store: Store) -> None:
    await store.open_turn(conversation(), turn())
    await store.open_turn(conversation(), turn(question="Another?"))
    assert [each.question for each in await store.turns("c1", ANNA)] == ["Why?"]


# How long


async def test_a_restart_keeps_everything(url: str) -> None:
    first = Store(url)
    first.open()
    await first.open_turn(conversation(), turn())
    await first.save_turn(replace(turn(), state="finished", fields={"answer": "So."}))
    before = (await first.conversations(ANNA), await first.turns("c1", ANNA))
    first.close()
    second = Store(url)
    second.open()
    assert (await second.conversations(ANNA), await second.turns("c1", ANNA)) == before
    second.close()


async def test_turns_left_running_are_stopped_at_the_next_start_with_what_they_had_said(url: str) -> None:
    first = Store(url)
    first.open()
    said = FieldDelta(seq=3, at_s=0.5, field="answer", text="Oils")
    await first.open_turn(conversation(), turn("silent"))
    await first.open_turn(conversation(), turn("speaking"))
    await first.save_turn(replace(turn("speaking"), record=(said,), fields={"answer": "Oils"}))
    first.close()
    second = Store(url)
    second.open()
    silent, speaking = await second.turns("c1", ANNA)
    second.close()
    assert (silent.state, speaking.state) == ("stopped", "stopped")
    why = Warned(code="interrupted")
    assert silent.record == (replace(why, seq=0), TurnStopped(seq=1, partial={}, saved=True))
    assert speaking.record == (
        said,
        replace(why, seq=4, at_s=0.5),
        TurnStopped(seq=5, at_s=0.5, partial={"answer": "Oils"}, saved=True),
    )
    assert speaking.metrics
    assert (speaking.metrics.ending, speaking.metrics.tokens, speaking.metrics.total_s) == ("stopped", 1, None)


async def test_a_recording_that_was_interrupted_ends_after_its_last_piece(url: str) -> None:
    recording = Recording()
    recording.add(
        TurnStarted(seq=0, turn_id="t1", conversation_id="c1", question="?", model="m", program="p", language="en")
    )
    for seq in range(1, 8):
        recording.add(FieldDelta(field="answer", text=f"{seq} ", seq=seq, at_s=float(seq)))
    left = replace(turn(), record=recording.events(), fields=recording.fields(), timings=recording.timings())
    first = Store(url)
    first.open()
    await first.open_turn(conversation(), left)
    first.close()
    second = Store(url)
    second.open()
    (stopped,) = await second.turns("c1", ANNA)
    second.close()
    assert stopped.timings
    pieces = timed(stopped.record, stopped.timings)
    assert [piece.seq for piece in pieces] == list(range(10))
    assert [(piece.kind, piece.at_s) for piece in pieces[-3:]] == [
        ("field_delta", 7.0),
        ("warned", 7.0),
        ("turn_stopped", 7.0),
    ]


async def test_a_damaged_turn_is_a_failed_one_and_keeps_neither_the_others_nor_the_store_from_being_read(
    file: Path,
) -> None:
    first = Store(url_of(file))
    first.open()
    for id in ("t1", "t2", "t3"):
        await first.open_turn(conversation(), turn(id))
    await first.save_turn(replace(turn("t1"), state="finished"))
    first.close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE turns SET recording = X'6A7B' WHERE id IN ('t1', 't2')")
    second = Store(url_of(file))
    second.open()
    turns = await second.turns("c1", ANNA)
    second.close()
    assert [each.state for each in turns] == ["failed", "failed", "stopped"]
    for damaged in turns[:2]:
        (failed,) = damaged.record
        assert isinstance(failed, TurnFailed)
        assert (failed.code, damaged.question) == ("store", "Why?")


WRITER = """
import asyncio, sys
from pipeline.turn import Conversation, Turn
from pipeline.database.store import Store

async def main():
    store = Store(sys.argv[1])
    store.open()
    for at in range(100_000):
        turn = Turn(str(at), "c1", "Why?", "m", fields={"answer": "x" * 400})
        await store.open_turn(Conversation("c1", None, ""), turn)
        print(at, flush=True)

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_it_had_acknowledged(url: str) -> None:
    child = [sys.executable, "-c", WRITER, url]
    with subprocess.Popen(child, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(200)]
        process.kill()
        acknowledged += process.stdout.read().split("\n")[:-1]
    store = Store(url)
    store.open()
    kept = await ids_of(store, owner=None)
    store.close()
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) - len(acknowledged) <= 1
    if (file := make_url(url)).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(file.database or "")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_many_at_once_lose_nothing_and_leave_no_gap(store: Store) -> None:
    async def one(at: int) -> None:
        asked = turn(f"t{at}", f"c{at % 5}")
        await store.open_turn(conversation(f"c{at % 5}"), asked)
        await store.save_turn(replace(asked, state="finished", fields={"answer": str(at)}))
        await store.turns(f"c{at % 5}", ANNA)

    await asyncio.gather(*(one(at) for at in range(200)))
    kept = [turn for c in await store.conversations(ANNA) for turn in await store.turns(c.id, ANNA)]
    assert {(turn.id, turn.fields["answer"]) for turn in kept} == {(f"t{at}", str(at)) for at in range(200)}
    assert len(kept) == 200


async def test_closing_waits_for_what_is_being_written_and_leaves_no_thread(file: Path) -> None:
    store = Store(url_of(file))
    store.open()
    writes = [asyncio.ensure_future(store.open_turn(conversation(), turn(f"t{at}"))) for at in range(20)]
    await asyncio.sleep(0)
    store.close()
    await asyncio.gather(*writes)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("store")]
    assert [part.name for part in file.parent.iterdir()] == [file.name]
    again = Store(url_of(file))
    again.open()
    assert len(await again.turns("c1", ANNA)) == 20
    again.close()
    again.close()


# How durably and in how many bytes


async def test_an_ending_is_committed_with_full_durability_and_what_is_said_before_it_is_not(
    store: Store, database: str
) -> None:
    asked = "PRAGMA synchronous" if database == "sqlite" else "SHOW synchronous_commit"
    durable, other = (2, 1) if database == "sqlite" else ("on", "off")
    in_force: list[object] = []

    @event.listens_for(store._writes._engine, "commit")
    def committed(connection: Connection) -> None:
        in_force.append(connection.exec_driver_sql(asked).scalar())

    await store.open_turn(conversation(), turn())
    await store.save_turn(replace(turn(), fields={"answer": "S"}))
    await store.save_turn(replace(turn(), state="finished", fields={"answer": "So."}))
    await store.add_updates("t1", 1)
    await store.delete("c1", ANNA)
    assert in_force == [other, other, durable, other, durable]


SENTENCE = "Hot water dissolves more of the grounds and does it faster [1], so a cool cup tastes thin and sour [2]."


def sampled_passages(at: int) -> tuple[Passage, ...]:
    """Passages of the samples: four of about 1,000 characters, and ten candidates that were not chosen."""
    text = "\n\n".join(file.read_text("utf-8") for file in sorted((ROOT / "samples").rglob("*.md")))
    starts = [(at * 7_919 + place * 4_001) % (len(text) - 1_000) for place in range(14)]
    return tuple(
        Passage(
            number=place + 1,
            document=f"document-{place % 5}.md",
            title="Water and temperature",
            section="Why temperature changes the taste",
            text=text[start : start + (1_000 if place < 4 else 450)],
            score=13.399007797241211 / (place + 1),
            matched=tuple((spot, spot + 5) for spot in range(0, 200, 20)) if place < 4 else (),
            document_id=hashlib.md5(str(start).encode(), usedforsecurity=False).hexdigest(),
            start=start,
            end=start + 1_000,
            scores=Scores(keyword=13.399007797241211 / (place + 1)),
        )
        for place, start in enumerate(starts)
    )


def sampled_turn(at: int) -> Turn:
    """A turn of a model that said 300 tokens over such passages."""
    recording, words, passages = Recording(), (SENTENCE * 12).split(" "), sampled_passages(at)
    id = f"turn-{at:017}"
    recording.add(TurnStarted(turn_id=id, conversation_id="c1", question="Why?", model="m", program="p", language="en"))
    recording.add(PassagesFound(seq=1, query="Why?", passages=passages[:4], rejected=passages[4:]))
    for seq, word in enumerate(words, start=2):
        at_s = round(1 + seq * 0.02 + (seq * at * 37 % 100) / 10_000, 4)
        recording.add(FieldDelta(seq=seq, at_s=at_s, field="answer" if seq > 40 else "reasoning", text=word + " "))
    ending = TurnFinished(
        seq=len(words) + 2,
        at_s=6.0,
        fields=recording.fields(),
        passages=passages[:4],
        usage=Usage(1_500, 300, exact=True),
        cost=0.001,
        finish="stop",
        model="m",
        cached=False,
        saved=True,
    )
    return Turn(
        *(id, "c1", "Why does water temperature change the taste of coffee?", "m"),
        state="finished",
        record=recording.events(ending),
        fields=recording.fields(),
        metrics=measure(recording.events(ending)),
        asked=AskOptions(),
        instructions="Answer the question from the numbered passages alone.",
        timings=recording.timings(),
    )


def size_of(file: Path) -> int:
    return file.stat().st_size


async def test_a_stored_turn_with_four_passages_costs_at_most_eight_kilobytes(store: Store, file: Path) -> None:
    turns = [sampled_turn(at) for at in range(100)]
    empty = file.with_name("empty.db")
    other = Store(f"sqlite:///{empty}")
    other.open()
    other.close()
    for said in turns:
        await store.open_turn(conversation(), replace(said, state="running", record=said.record[:1], fields={}))
        await store.save_turn(replace(said, state="running", metrics=None))
        await store.save_turn(said)
    assert [each.record for each in await store.turns("c1", ANNA)] == [each.record for each in turns]
    store.close()
    assert (size_of(file) - size_of(empty)) / len(turns) <= 8_000


# The exact prompts


def exchange(text: str = "Why?") -> PromptExchange:
    return PromptExchange(
        model="openai/gpt",
        parameters={"temperature": 0.5},
        messages=(Message("system", "Answer."), Message("user", text)),
        reply="So.",
        usage={"prompt_tokens": 3},
        cost=0.1,
        took_s=1.5,
    )


async def test_exact_prompts_are_read_by_their_owner_alone_and_deleted_with_the_conversation(store: Store) -> None:
    await store.open_turn(conversation(), turn())
    assert await store.exchanges("t1", ANNA) == ()
    failed = replace(exchange(), reply=None, usage=None, cost=None, fault="connection")
    await store.save_turn(turn(), (failed, exchange()))
    assert await store.exchanges("t1", ANNA) == (failed, exchange())
    assert await store.exchanges("t1", BEN) is None
    await store.delete("c1", ANNA)
    assert not await store.delete_exchanges(time.time() + 1)
    await store.save_turn(turn(), (exchange(),))
    assert await store.exchanges("t1", ANNA) is None


async def test_long_prompts_are_compressed_in_the_thread_that_writes(store: Store) -> None:
    threads: list[str] = []

    class Watched(tuple[PromptExchange, ...]):
        def __iter__(self) -> Iterator[PromptExchange]:
            threads.append(threading.current_thread().name)
            return super().__iter__()

    await store.open_turn(conversation(), turn())
    await store.save_turn(turn(), Watched([exchange()]))
    assert await store.exchanges("t1", ANNA) == (exchange(),)
    assert threads
    assert all(name.startswith("store-write") for name in threads)


async def test_an_ending_and_its_prompts_are_stored_together_or_not_at_all(store: Store, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TRIGGER t BEFORE INSERT ON exchanges BEGIN SELECT RAISE(ABORT, 'no'); END")
    await store.open_turn(conversation(), turn())
    with pytest.raises(StoreFault):
        await store.save_turn(replace(turn(), state="finished"), (exchange(),))
    assert [each.state for each in await store.turns("c1", ANNA)] == ["running"]


async def test_old_prompts_are_swept_and_the_turn_stays(store: Store) -> None:
    await store.open_turn(conversation(), turn())
    await store.save_turn(turn(), (exchange(),))
    assert not await store.delete_exchanges(time.time() - 60)
    assert await store.exchanges("t1", ANNA) == (exchange(),)
    assert await store.delete_exchanges(time.time() + 60)
    assert await store.exchanges("t1", ANNA) == ()
    assert await ids_of(store) == ["t1"]


# When the database fails


GARBAGE = b"this is no database" * 500


def spoil(file: Path, start: int = 0, end: int | None = None) -> bytes:
    """Overwrite a part of a file → what it holds now."""
    before = file.read_bytes() if file.exists() else b""
    file.write_bytes(before[:start] + GARBAGE + (before[end:] if end else b""))
    return file.read_bytes()


def aside(file: Path) -> list[Path]:
    return sorted(part for part in file.parent.iterdir() if "unreadable" in part.name)


async def test_a_file_that_is_no_database_is_moved_aside_as_it_was_and_a_new_history_begins(file: Path) -> None:
    spoil(file)
    store = Store(url_of(file))
    store.open()
    assert store.trouble == "moved_aside"
    await store.open_turn(conversation(), turn())
    assert await ids_of(store) == ["t1"]
    assert [part.read_bytes() for part in aside(file)] == [GARBAGE]
    assert re.fullmatch(r"glassbox\.db\.unreadable-\d{8}-\d{6}", aside(file)[0].name)
    store.close()
    again = Store(url_of(file))
    again.open()
    assert again.trouble is None
    again.close()


async def test_a_database_with_a_broken_page_is_moved_aside_too(file: Path) -> None:
    first = Store(url_of(file))
    first.open()
    for at in range(50):
        await first.open_turn(conversation(), turn(f"t{at}", question="x" * 2_000))
    first.close()
    broken = spoil(file, 40_000, 40_000 + len(GARBAGE))
    second = Store(url_of(file))
    second.open()
    assert second.trouble == "moved_aside"
    assert await second.turns("c1", ANNA) == ()
    second.close()
    assert [part.read_bytes() for part in aside(file)] == [broken]


async def test_a_database_that_breaks_while_it_is_used_gives_way_to_a_new_one(store: Store, file: Path) -> None:
    await store.open_turn(conversation(), turn())
    store._writes.disconnect()
    store._reads.disconnect()
    spoil(file)
    with pytest.raises(StoreFault):
        await store.open_turn(conversation(), turn("t2"))
    assert str(store.trouble) == "not_saved"
    await store.open_turn(conversation(), turn("t3"))
    assert await ids_of(store) == ["t3"]
    assert store.trouble == "moved_aside"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def test_a_full_disk_is_trouble_until_there_is_room_again(disk: Path) -> None:
    store = Store(url_of(disk / "glassbox.db"))
    store.open()
    await store.open_turn(conversation(), turn())
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as out:
        while True:
            out.write(b"x" * 4096)
    with pytest.raises(StoreFault):
        await store.open_turn(conversation(), turn("large", question="x" * 100_000))
    assert store.trouble == "not_saved"
    assert await ids_of(store) == ["t1"]
    filler.unlink()
    await store.open_turn(conversation(), turn("t2"))
    assert store.trouble is None
    assert await ids_of(store) == ["t1", "t2"]
    store.close()


async def test_a_folder_that_is_read_only_at_the_start_is_used_once_it_can_be_written(disk: Path) -> None:
    remount(disk, "ro")
    store = Store(url_of(disk / "glassbox.db"))
    with pytest.raises(StoreFault):
        store.open()
    with pytest.raises(StoreFault):
        await store.open_turn(conversation(), turn())
    assert store.trouble == "not_saved"
    remount(disk, "rw")
    store._opens_again_at = 0.0
    await store.open_turn(conversation(), turn())
    assert store.trouble is None
    assert await ids_of(store) == ["t1"]
    store.close()


async def test_a_disk_that_becomes_read_only_and_writable_again_is_written_again(disk: Path) -> None:
    store = Store(url_of(disk / "glassbox.db"))
    store.open()
    await store.open_turn(conversation(), turn())
    store._writes.disconnect()
    store._reads.disconnect()
    remount(disk, "ro")
    with pytest.raises(StoreFault):
        await store.open_turn(conversation(), turn("t2"))
    remount(disk, "rw")
    await store.open_turn(conversation(), turn("t3"))
    assert store.trouble is None
    assert await ids_of(store) == ["t1", "t3"]
    store.close()


@pytest.mark.parametrize("url", ["no address", "nosuch://x", "sqlite:////proc/no/folder/glassbox.db"])
def test_an_address_that_leads_nowhere_is_a_store_fault(url: str) -> None:
    with pytest.raises(StoreFault):
        Store(url).open()


async def test_a_database_that_cannot_be_written_is_a_store_fault(store: Store, file: Path) -> None:
    read_only = Store(f"sqlite:///file:{file}?mode=ro&uri=true")
    with pytest.raises(StoreFault):
        await read_only.open_turn(conversation(), turn())
    assert await read_only.turns("c1", ANNA) == ()
    read_only.close()


FILLER = """
import asyncio, resource, sys
from pathlib import Path
from pipeline.turn import Conversation, Turn
from pipeline.errors import StoreFault
from pipeline.database.store import Store

async def main():
    store = Store(sys.argv[1])
    store.open()
    nobodys = Conversation("c1", None, "")
    await store.open_turn(nobodys, Turn("before", "c1", "Why?", "m"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    try:
        await store.open_turn(nobodys, Turn("large", "c1", "x" * 1_000_000, "m"))
    except StoreFault:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await store.open_turn(nobodys, Turn("after", "c1", "Why?", "m"))
        print([turn.id for turn in await store.turns("c1", None)])
    store.close()

asyncio.run(main())
"""


def test_a_full_disk_is_a_store_fault_and_the_store_goes_on_when_there_is_room(file: Path) -> None:
    child = [sys.executable, "-W", "error", "-c", FILLER, url_of(file)]
    run = subprocess.run(child, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "['before', 'after']"


async def test_a_closed_store_is_a_store_fault(file: Path) -> None:
    store = Store(url_of(file))
    store.open()
    store.close()
    with pytest.raises(StoreFault):
        await store.save_turn(turn())


async def test_a_fault_carries_no_path_no_statement_and_no_text(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    canary = "canary-7d1f"
    await store.open_turn(conversation(), turn(question=canary))
    with caplog.at_level(logging.DEBUG), pytest.raises(StoreFault) as caught:
        await store.open_turn(conversation(), replace(turn("t2", question=canary), rating=None))  # type: ignore[arg-type]
    shown = "".join(traceback.format_exception(caught.value)) + error_text(caught.value) + caplog.text
    assert "SQLITE_CONSTRAINT" in caplog.text or "NotNullViolation" in caplog.text
    assert not [leak for leak in (canary, "INSERT", "glassbox.db", "sqlalche.me") if leak in shown]


# What it is made of


def test_the_migrations_add_up_to_the_tables(store: Store, url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()


@contextlib.contextmanager
def upgraded(url: str, revision: str) -> Iterator[Connection]:
    """A connection to a database with the tables of an earlier revision."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "pipeline/database/migrations"))
    config.set_main_option("path_separator", "os")
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        yield connection
    engine.dispose()


async def test_a_database_of_an_earlier_version_is_brought_up_to_date_with_all_it_holds(url: str) -> None:
    with upgraded(url, "0001") as connection:
        connection.exec_driver_sql("INSERT INTO conversations VALUES ('c1', NULL, 'Old', 1, 1)")
        values = "('t1', 'c1', NULL, 0, 'Why?', 'm', 'finished', '[]', '{}', 0, 1)"
        connection.exec_driver_sql(f"INSERT INTO turns VALUES {values}")
    store = Store(url)
    store.open()
    (kept,) = await store.turns("c1", None)
    store.close()
    assert (kept.question, kept.metrics, kept.asked) == ("Why?", None, None)


async def test_turns_of_an_earlier_version_follow_one_another_in_the_order_of_asking(url: str) -> None:
    with upgraded(url, "0003") as connection:
        for id in ("c1", "c2"):
            connection.exec_driver_sql(f"INSERT INTO conversations VALUES ('{id}', NULL, 'Old', 1, 1)")
        for id, of, position in (("b", "c1", 0), ("a", "c1", 1), ("c", "c1", 2), ("d", "c2", 0)):
            values = f"('{id}', '{of}', NULL, {position}, 'Why?', 'm', 'finished', '[]', '{{}}', 0, 1, NULL)"
            connection.exec_driver_sql(f"INSERT INTO turns VALUES {values}")
    store = Store(url)
    store.open()
    assert [(each.id, each.parent_id) for each in await store.turns("c1", None)] == [
        ("b", None),
        ("a", "b"),
        ("c", "a"),
    ]
    assert await ids_of(store, "c2", None) == ["d"]
    store.close()


async def test_how_a_turn_was_asked_is_kept_also_with_options_of_another_version(store: Store, file: Path) -> None:
    asked = AskOptions(7, 0, 0.2, 64, "Be brief.", "keyword", 20, reranks=True, rewrites=True)
    await store.open_turn(conversation(), replace(turn(), asked=asked))
    assert [each.asked for each in await store.turns("c1", ANNA)] == [asked]
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("""UPDATE turns SET asked = '{"passages_wanted": 7, "of_tomorrow": 1}'""")
    assert [each.asked for each in await store.turns("c1", ANNA)] == [AskOptions(7)]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_is_one_scheme_however_it_is_written(scheme: str) -> None:
    address = Settings(database_url=f"{scheme}://maya:sesame@db.example/glass").database_address
    assert address == "postgresql+psycopg://maya:sesame@db.example/glass"
    assert described(address).startswith("scheme postgresql, driver psycopg")
    assert "sesame" not in described(address)


def test_the_tables_can_be_made_in_postgres() -> None:
    postgres = make_url("postgresql://").get_dialect()()
    for table in Table.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgres))


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
seconds = st.floats(0, 1e6)
spans = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=2).map(tuple)
passages = st.lists(
    st.builds(
        Passage,
        number=st.integers(1, 9),
        document=text,
        title=text,
        section=text,
        text=text,
        score=seconds,
        matched=spans,
    ),
    max_size=2,
).map(tuple)
fields = st.dictionaries(text, text, max_size=3)
steps = st.sampled_from(["wait", "answer", "search:2", "tool:calculate"])
stamps = {"seq": st.integers(0, 999), "at_s": seconds}
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        TurnStarted,
        turn_id=text,
        conversation_id=text,
        question=text,
        model=text,
        program=text,
        language=text,
        **stamps,
    ),
    st.builds(StepChanged, step=steps, text=text, status=text, took_s=seconds, **stamps),
    st.builds(PassagesFound, query=text, passages=passages, rejected=passages, **stamps),
    st.builds(FieldDelta, field=text, text=text, **stamps),
    st.builds(FieldReset, field=text, **stamps),
    st.builds(Warned, code=text, values=st.dictionaries(text, text, max_size=2), **stamps),
    st.builds(
        TurnFinished,
        fields=fields,
        passages=passages,
        usage=st.builds(Usage),
        cost=st.none() | seconds,
        model=text,
        **stamps,
    ),
    st.builds(TurnFailed, code=text, values=st.dictionaries(text, text, max_size=2), partial=fields, **stamps),
    st.builds(TurnStopped, partial=fields, **stamps),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(text, st.lists(events, max_size=5).map(tuple), fields), min_size=1, max_size=4))
def test_whatever_a_turn_said_is_read_back_exactly(
    said: list[tuple[str, tuple[Event, ...], dict[str, str]]],
) -> None:
    async def round_trip(store: Store) -> None:
        for at, (question, record, texts) in enumerate(said):
            asked = turn(f"t{at}", question=question)
            await store.open_turn(conversation(), asked)
            await store.save_turn(replace(asked, state="finished", record=record, fields=texts))
        kept = await store.turns("c1", ANNA)
        wanted = [(question.replace("\x00", "�"), record, texts) for question, record, texts in said]
        assert [(turn.question, turn.record, turn.fields) for turn in kept] == wanted

    with tempfile.TemporaryDirectory() as folder:
        store = Store(url_of(Path(folder) / "glassbox.db"))
        store.open()
        asyncio.run(round_trip(store))
        store.close()


@pytest.mark.parametrize("owner", [None, 0, [], {}, "\0", "\ud800", "x" * 100_000])
async def test_nobody_lists_nothing_and_no_token_harms_the_store(store: Store, owner: Any) -> None:
    await store.open_turn(conversation(owner=None), turn())
    assert await store.conversations(owner) == ()
    assert await store.find(owner, ANNA) is None
    assert await store.turns("c1", owner) == (await store.turns("c1", None))
    assert not await store.rate(owner, owner, 1)
    assert not await store.delete(owner, owner)
    assert store.trouble is None


async def test_a_result_is_kept_for_a_day_in_the_place_of_an_older_one(store: Store) -> None:
    first = RequestResult("r1", ANNA, "hash", 1000.0, b"{}")
    await store.keep_result(first)
    assert await store.kept_result("r1", 1000.0) == first
    assert await store.kept_result("r1", 1000.1) is None
    await store.keep_result(RequestResult("r2", None, "hash", 1000.0 + DAY_S + 1, b"[]"))
    assert await store.kept_result("r1", 0.0) is None
    newer = RequestResult("r2", None, "other", 1000.0 + DAY_S + 2, b"{}")
    await store.keep_result(newer)
    assert await store.kept_result("r2", 0.0) == newer


async def test_a_saved_program_is_its_owners_alone(store: Store) -> None:
    mine = SavedProgram("saved-1", "Mine \ud800", "Direct", b'{"a": 1}', 2.0)
    await store.save_program(ANNA, mine)
    await store.save_program("someone-else", replace(mine, title="Taken"))
    await store.save_program(ANNA, replace(mine, name="saved-0", created_at=1.0))
    kept = replace(mine, title="Mine \ufffd")
    assert await store.saved_program(ANNA, "saved-1") == kept
    assert await store.saved_program("someone-else", "saved-1") is None
    assert [each.name for each in await store.saved_programs(ANNA)] == ["saved-0", "saved-1"]
    assert await store.saved_programs("someone-else") == ()
    await store.remove_program("someone-else", "saved-1")
    await store.save_program(ANNA, replace(kept, state=b"{}"))
    assert await store.saved_program(ANNA, "saved-1") == replace(kept, state=b"{}")
    await store.remove_program(ANNA, "saved-1")
    assert [each.name for each in await store.saved_programs(ANNA)] == ["saved-0"]
