"""While the store fails nothing that was said is lost, and afterwards it is all there."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.database.store import Store
from pipeline.database.tables import Table
from pipeline.database.write_behind import MOST_UNSAVED, WriteBehind
from pipeline.errors import NotFound, StoreFault
from pipeline.events import TurnFinished, Usage
from pipeline.feedback import NO_FEEDBACK, Feedback
from pipeline.metrics import measure
from pipeline.turn import Conversation, Turn, user_visitor

MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"
USER = user_visitor("0" * 64)


class Outage:
    """A store whose folder can be taken away and brought back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.store = Store(f"sqlite:///{folder / 'glassbox.db'}")
        self.store.open()
        self.history = WriteBehind(self.store)

    def begins(self) -> None:
        self.store._writes.disconnect()
        self.store._reads.disconnect()
        self.folder.rename(self.folder.with_name("away"))

    def ends(self) -> None:
        self.folder.with_name("away").rename(self.folder)

    async def stored(self, conversation_id: str = "c1") -> list[str]:
        return [turn.id for turn in await self.store.turns(conversation_id, MAYA)]


@pytest.fixture
async def outage(tmp_path: Path) -> AsyncIterator[Outage]:
    outage = Outage(tmp_path / "disk")
    yield outage
    outage.store.close()


def conversation(id: str = "c1", owner: str | None = MAYA) -> Conversation:
    return Conversation(id, owner, "")


def turn(id: str, conversation_id: str = "c1") -> Turn:
    return Turn(id, conversation_id, f"Question {id}?", "m", asked_at=1.0)


def finished(turn: Turn, text: str = "So.") -> Turn:
    ending = TurnFinished(
        fields={"answer": text},
        passages=(),
        usage=Usage(1, 1, exact=False),
        cost=None,
        finish="stop",
        model="m",
        cached=False,
        saved=True,
    )
    return replace(turn, state="finished", record=(ending,), fields={"answer": text}, metrics=measure([ending]))


async def said(history: WriteBehind, turn: Turn, *, continues: bool, replaces: str | None = None) -> tuple[bool, bool]:
    """A whole turn → whether its beginning and its ending were stored."""
    begun = await history.open_turn(conversation(turn.conversation_id), turn, replaces, continues=continues)
    return begun, await history.save_turn(finished(turn))


async def test_what_was_said_in_an_outage_is_shown_and_later_stored_in_its_order(outage: Outage) -> None:
    history = outage.history
    assert await said(history, turn("t1"), continues=False) == (True, True)
    outage.begins()
    assert await said(history, turn("t2"), continues=True) == (False, False)
    assert await said(history, turn("t3"), continues=True) == (False, False)
    assert await said(history, turn("n1", "new"), continues=False) == (False, False)
    assert await said(history, turn("n2", "new"), continues=True) == (False, False)
    assert history.trouble
    assert [each.id for each in await history.turns("c1", MAYA)] == ["t2", "t3"]
    assert [each.id for each in await history.turns("new", MAYA)] == ["n1", "n2"]
    assert await history.find("new", MAYA) == conversation("new")
    outage.ends()
    assert await said(history, turn("t4"), continues=True) == (True, True)
    assert history.trouble is None
    assert await outage.stored() == ["t1", "t2", "t3", "t4"]
    assert await outage.stored("new") == ["n1", "n2"]
    assert [each.id for each in await history.turns("c1", MAYA)] == ["t1", "t2", "t3", "t4"]


async def test_a_thumb_of_an_outage_is_stored_with_what_was_said_beside_it(outage: Outage) -> None:
    history, feedback = outage.history, Feedback("Too short.", "Longer.", ("short",), 2.0)
    await history.open_turn(conversation(), turn("t1"), None, continues=False)
    outage.begins()
    await history.save_turn(finished(turn("t1")))
    await said(history, turn("t2"), continues=True)
    for id in ("t1", "t2"):
        assert await history.rate(id, MAYA, -1, feedback)
        shown = await history.turn(id, MAYA)
        assert shown
        assert (shown.rating, shown.feedback) == (-1, feedback)
    outage.ends()
    await said(history, turn("t3"), continues=True)
    stored = await outage.store.turns("c1", MAYA)
    assert [(each.rating, each.feedback) for each in stored] == [(-1, feedback), (-1, feedback), (0, NO_FEEDBACK)]
    assert {each.id for each in await outage.store.rated_turns(MAYA)} == {"t1", "t2"}


async def test_an_ending_says_that_it_is_not_stored_until_it_is(outage: Outage) -> None:
    def saved(turn: Turn) -> bool:
        (ending,) = turn.record
        assert isinstance(ending, TurnFinished)
        return ending.saved

    outage.begins()
    await said(outage.history, turn("t1"), continues=False)
    assert [saved(each) for each in await outage.history.turns("c1", MAYA)] == [False]
    outage.ends()
    await said(outage.history, turn("t2"), continues=True)
    assert [saved(each) for each in await outage.history.turns("c1", MAYA)] == [True, True]


async def test_a_turn_that_outlives_the_outage_is_stored_whole(outage: Outage) -> None:
    outage.begins()
    assert not await outage.history.open_turn(conversation(), turn("t1"), None, continues=False)
    assert not await outage.history.save_turn(replace(turn("t1"), fields={"answer": "S"}))
    outage.ends()
    assert await outage.history.save_turn(replace(turn("t1"), fields={"answer": "So"}))
    assert [each.fields for each in await outage.store.turns("c1", MAYA)] == [{"answer": "So"}]
    assert await outage.history.save_turn(finished(turn("t1")))


async def test_a_turn_that_is_not_stored_is_there_without_its_prompts(outage: Outage) -> None:
    outage.begins()
    await said(outage.history, turn("t1"), continues=False)
    assert await outage.history.turn("t1", MAYA)
    assert await outage.history.exchanges("t1", MAYA) == ()
    with pytest.raises(StoreFault):
        await outage.history.exchanges("t1", NOAH)
    outage.ends()


async def test_a_retry_in_an_outage_takes_the_place_of_the_turn(outage: Outage) -> None:
    for id in ("t1", "t2"):
        await said(outage.history, turn(id), continues=id != "t1")
    outage.begins()
    await outage.history.open_turn(conversation(), turn("again"), "t2", continues=True)
    outage.ends()
    assert [each.id for each in await outage.history.turns("c1", MAYA)] == ["t1", "again"]
    await outage.history.save_turn(finished(turn("again")))
    assert await outage.stored() == ["t1", "again"]


async def test_both_versions_of_a_turn_are_shown_in_an_outage_and_the_chosen_one_after_it(outage: Outage) -> None:
    history = outage.history

    async def shown() -> list[str]:
        return [each.id for each in await history.turns("c1", MAYA)]

    await said(history, turn("t1"), continues=False)
    outage.begins()
    await said(history, turn("t2"), continues=True)
    await said(history, turn("again"), continues=True, replaces="t2")
    outage.ends()
    assert await history.versions("c1", MAYA) == {"t1": ("t1",), "again": ("t2", "again")}
    assert not await history.activate("t2", NOAH)
    assert await history.activate("t2", MAYA)
    assert await shown() == ["t1", "t2"]
    assert [each.id for each in await history.turns("c1", MAYA, "again")] == ["t1", "again"]
    assert await said(history, turn("t3"), continues=True) == (True, True)  # and with it what could not be saved
    assert await outage.stored() == ["t1", "t2", "t3"]
    assert await outage.store.versions("c1", MAYA) == {"t1": ("t1",), "t2": ("t2", "again"), "t3": ("t3",)}


async def test_a_version_chosen_in_an_outage_is_stored_with_the_next_turn_of_anybody(outage: Outage) -> None:
    outage.begins()
    await said(outage.history, turn("t1"), continues=False)
    await said(outage.history, turn("again"), continues=True, replaces="t1")
    assert await outage.history.activate("t1", MAYA)
    outage.ends()
    await said(outage.history, turn("other", "c2"), continues=False)
    assert await outage.stored() == ["t1"]
    assert [each.id for each in await outage.history.turns("c1", MAYA)] == ["t1"]


async def test_nobody_sees_rates_or_deletes_what_is_remembered_of_another(outage: Outage) -> None:
    outage.begins()
    await said(outage.history, turn("t1"), continues=False)
    for stranger in (NOAH, None):
        with pytest.raises(StoreFault):
            await outage.history.turns("c1", stranger)
        with pytest.raises(StoreFault):
            await outage.history.find("c1", stranger)
        assert await outage.history.turn("t1", stranger) is None
        with pytest.raises(StoreFault):
            await outage.history.rate("t1", stranger, 1)
    assert await outage.history.rate("t1", MAYA, 1)
    outage.ends()
    assert not await outage.history.delete("c1", NOAH)
    (kept,) = await outage.history.turns("c1", MAYA)
    assert kept.rating == 1
    assert await outage.history.delete("c1", MAYA)
    assert await outage.history.find("c1", MAYA) is None


async def test_a_conversation_deleted_while_its_turn_runs_is_not_made_anew(outage: Outage) -> None:
    await outage.history.open_turn(conversation(), turn("t1"), None, continues=False)
    assert await outage.history.delete("c1", MAYA)
    assert not await outage.history.save_turn(finished(turn("t1")))
    with pytest.raises(NotFound):
        await outage.history.open_turn(conversation(), turn("t2"), None, continues=True)
    assert await outage.history.find("c1", MAYA) is None


async def test_the_trouble_lasts_until_everything_is_stored(outage: Outage) -> None:
    outage.begins()
    await said(outage.history, turn("t1"), continues=False)
    outage.ends()
    await outage.store.add_updates("t1", 1)  # a small write may work where a whole turn does not
    assert outage.store.trouble is None
    assert outage.history.trouble == "not_saved"
    await outage.history.add_updates("t1", 7)
    await said(outage.history, turn("t2"), continues=True)
    assert outage.history.trouble is None
    first, _ = await outage.store.turns("c1", MAYA)
    assert first.metrics
    assert first.metrics.updates == 7


async def test_only_so_many_are_remembered_and_the_newest_of_them(outage: Outage) -> None:
    outage.begins()
    for at in range(MOST_UNSAVED + 5):
        await said(outage.history, turn(f"t{at}"), continues=at > 0)
    remembered = [each.id for each in await outage.history.turns("c1", MAYA)]
    assert len(remembered) == MOST_UNSAVED
    assert (remembered[0], remembered[-1]) == ("t5", f"t{MOST_UNSAVED + 4}")


async def test_a_database_that_does_not_answer_holds_up_no_turn(outage: Outage) -> None:
    await said(outage.history, turn("t1"), continues=False)
    with closing(sqlite3.connect(outage.folder / "glassbox.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert not await outage.history.open_turn(conversation(), turn("t2"), None, continues=True)
        other.execute("ROLLBACK")
    assert await outage.history.save_turn(finished(turn("t2")))
    assert await outage.stored() == ["t1", "t2"]


async def test_a_bug_of_ours_in_storing_one_turn_keeps_no_other_from_being_stored(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    history = outage.history
    await history.open_turn(conversation(), turn("t1"), None, continues=False)
    broken = replace(turn("t1"), state="stopped", metrics=object())  # type: ignore[arg-type]
    assert not await history.save_turn(broken)
    assert "our own fault: TypeError" in caplog.text
    assert history.trouble is None  # the disk is not to blame
    assert await history.open_turn(conversation("c2"), turn("t2", "c2"), None, continues=False)
    assert await history.save_turn(replace(turn("t2", "c2"), state="stopped"))
    assert await outage.stored("c2") == ["t2"]


async def test_what_a_visitor_said_in_an_outage_is_stored_for_the_user_who_signed_in_meanwhile(outage: Outage) -> None:
    history = outage.history
    await said(history, turn("t1"), continues=False)
    outage.begins()
    await said(history, turn("t2"), continues=True)
    with pytest.raises(StoreFault):
        await history.adopt(MAYA, USER)
    outage.ends()
    await history.adopt(MAYA, USER)
    await history.adopt(MAYA, USER)  # a second time changes nothing
    assert [each.id for each in await history.turns("c1", USER)] == ["t1", "t2"]
    await said(history, turn("t3", "c2"), continues=False)  # was begun before the visitor signed in
    assert {each.id for each in await history.conversations(USER)} == {"c1", "c2"}
    assert await history.conversations(MAYA) == ()


def test_every_row_with_an_owner_changes_hands() -> None:
    """Only what was spent stays where it was: it is counted by the visitor of its day."""
    tables = {table.name: {*table.c.keys()} for table in Table.metadata.sorted_tables}
    assert {name for name, columns in tables.items() if "visitor" in columns} == {"expenses"}
    assert {"conversations", "turns", "turn_metrics"} <= {name for name in tables if "owner" in tables[name]}
