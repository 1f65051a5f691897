"""Comparisons over the local provider: columns beside each other, limits, one search, votes, and what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.comparison import Cell, Column, Comparison, Round, Tally, Vote, tally_of
from pipeline.errors import Busy, NotFound, Refused
from pipeline.events import TurnFinished
from pipeline.experiments.comparisons import Asked, lines_of, questions_of
from pipeline.experiments.questions import Question
from pipeline.models.catalogue import Models
from pipeline.passages import Query
from pipeline.programs.shared_searches import SharedSearches, TurnSearches
from pipeline.retrieval import DEFAULT_OPTIONS, SHARED, Scope, SearchOptions, SearchResult
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import AskOptions, Said, TurnRequest
from server import Parts, build
from tests.provider import Provider
from tests.scripted import find_tea

QUESTION = "Why does water temperature change the taste of coffee?"
MAYA, NOAH = "maya-0123456789abcdef", "noah-0123456789abcdef"

Make = Callable[..., Parts]


class CountingIndex:
    """An index that counts its searches."""

    def __init__(self, index: EdgeIndex) -> None:
        self._index, self.searches = index, list[tuple[Query, Scope, SearchOptions]]()

    async def __call__(self, query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        self.searches.append((query, scope, options))
        return await self._index(query, scope, options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)


@pytest.fixture
async def make(tmp_path: Path, search: EdgeIndex, provider: Provider) -> AsyncIterator[Make]:
    """A function that builds the parts with a model for each behaviour of the local provider."""
    built: list[Parts] = []

    def make(*behaviours: str, index: Any = search, **settings: Any) -> Parts:
        models = tuple(
            ModelEntry(label=name, model=f"hosted_vllm/{name}", api_base=provider.base) for name in behaviours
        )
        values = Settings(**{"models": models, "data_dir": tmp_path, **settings})
        parts = build(values, index=index, models=Models(values, pace_s=0.0))
        built.append(parts)
        return parts

    yield make
    for parts in built:
        await parts.end_turns()
        parts.store.close()


def asked(columns: Sequence[Column], *questions: str, visitor: str = MAYA, **more: Any) -> Asked:
    listed = [Question(each) for each in questions or (QUESTION,)]
    return Asked(questions=listed, columns=columns, request=TurnRequest("", visitor=visitor), **more)


def builtin(**options: Any) -> Column:
    return Column(BUILTIN_MODEL, AskOptions(**options))


async def over(parts: Parts, comparison: Comparison, visitor: str = MAYA) -> Comparison:
    """The comparison when nothing of it runs any more."""
    async with asyncio.timeout(60):
        while parts.comparisons.is_running(comparison.id):  # noqa: ASYNC110  a comparison says no more than that
            await asyncio.sleep(0.02)
    return await parts.comparisons.find(comparison.id, visitor)


async def states(parts: Parts, comparison: Comparison, at: int = 0) -> list[str | None]:
    turns = await parts.comparisons.turns(comparison, at, MAYA)
    return [turn.state if turn else None for turn in turns]


async def test_columns_are_versions_of_one_turn_in_one_conversation_that_is_listed_once(make: Make) -> None:
    parts = make("ok")
    columns = (builtin(), Column("ok"), builtin(passages_wanted=8))
    done = await over(parts, await parts.comparisons.start(asked(columns)))
    assert await states(parts, done) == ["finished"] * 3
    [listed] = await parts.conversations.list(MAYA)
    assert (listed.id, listed.kind, listed.title) == (done.id, "comparison", QUESTION)
    [(_, versions)] = (await parts.conversations.versions(done.id, MAYA)).items()
    assert versions == tuple(cell.turn_id for cell in done.rounds[0].cells)
    turns = await parts.comparisons.turns(done, 0, MAYA)
    assert [turn.model for turn in turns if turn] == [BUILTIN_MODEL, "ok", BUILTIN_MODEL]
    assert [turn.asked.passages_wanted for turn in turns if turn and turn.asked] == [4, 4, 8]


async def test_a_search_that_columns_have_in_common_is_made_once_and_said(make: Make, search: EdgeIndex) -> None:
    index = CountingIndex(search)
    parts = make("ok", index=index)
    columns = (builtin(), Column("ok"), builtin(passages_wanted=8), Column("ok", streams=False))
    done = await over(parts, await parts.comparisons.start(asked(columns)))
    assert sorted(options.passages_wanted for _, _, options in index.searches) == [4, 8]
    assert [cell.reused_search for cell in done.rounds[0].cells].count(True) == 2
    found = [turn.record for turn in await parts.comparisons.turns(done, 0, MAYA) if turn]
    passages = [record[-1].passages for record in found if isinstance(record[-1], TurnFinished)]
    assert passages[0] == passages[1] == passages[3]


async def test_one_column_that_fails_leaves_the_others(make: Make) -> None:
    parts = make("ok", "endless", turn_timeout_s=2)
    done = await over(parts, await parts.comparisons.start(asked((Column("endless"), Column("ok")))))
    assert await states(parts, done) == ["failed", "finished"]


async def test_a_column_that_cannot_be_asked_says_why_and_leaves_the_others(make: Make) -> None:
    parts = make("ok")
    columns = (Column("gone"), builtin(program="Nonsense"), Column("ok"))
    done = await over(parts, await parts.comparisons.start(asked(columns)))
    refusals = [cell.refusal and cell.refusal.code for cell in done.rounds[0].cells]
    assert refusals == ["refused.unknown_model", "refused.unknown_program", None]
    assert await states(parts, done) == [None, None, "finished"]
    with pytest.raises(Refused, match="unknown_model"):
        await parts.comparisons.start(asked((Column("gone"), Column("gone"))))


async def test_a_comparison_has_one_place_of_its_visitor_while_it_runs(make: Make) -> None:
    parts = make("endless", max_turns_per_visitor=1)
    columns = tuple(Column("endless", AskOptions(passages_wanted=wanted)) for wanted in (1, 2, 3))
    running = await parts.comparisons.start(asked(columns))
    for column in range(3):
        assert await parts.comparisons.begun(running.id, 0, column)
    with pytest.raises(Busy, match="visitor"):
        await parts.pipeline.start(TurnRequest(QUESTION, visitor=MAYA))
    with pytest.raises(Busy, match="visitor"):
        await parts.comparisons.start(asked(columns))
    await parts.comparisons.stop(running.id, MAYA)
    assert await states(parts, running) == ["stopped"] * 3
    assert not parts.comparisons.is_running(running.id)
    assert len(await parts.conversations.list(MAYA)) == 1


async def test_columns_begin_as_places_come_free(make: Make) -> None:
    parts = make("ok", max_turns=1, max_waiting=0)
    done = await over(parts, await parts.comparisons.start(asked((builtin(), Column("ok"), builtin(mode="keyword")))))
    assert await states(parts, done) == ["finished"] * 3


async def test_each_column_counts_as_a_question(make: Make) -> None:
    parts = make(rate_limit="2/hour")
    done = await over(parts, await parts.comparisons.start(asked((builtin(), builtin(), builtin(passages_wanted=2)))))
    assert [cell.refusal and cell.refusal.code for cell in done.rounds[0].cells] == [None, None, "busy.rate"]
    with pytest.raises(Busy, match="rate"):
        await parts.comparisons.start(asked((builtin(), builtin())))


async def test_after_a_column_was_stopped_no_further_one_begins(make: Make) -> None:
    parts = make("endless", max_turns=1, max_waiting=0)
    running = await parts.comparisons.start(asked((Column("endless"), Column("endless"))))
    await parts.pipeline.stop(running.rounds[0].cells[0].turn_id)
    done = await over(parts, running)
    first, second = await states(parts, done)
    assert first == "stopped"
    assert second in (None, "stopped")  # it may have been on its way


async def test_it_is_read_again_after_a_restart_with_what_had_been_asked(make: Make) -> None:
    parts = make("ok")
    done = await over(parts, await parts.comparisons.start(asked((builtin(), Column("ok")), is_blind=True)))
    again = make("ok")
    assert await again.comparisons.find(done.id, MAYA) == done
    assert await states(again, done) == ["finished"] * 2
    with pytest.raises(NotFound):
        await again.comparisons.find(done.id, NOAH)


async def test_a_blind_comparison_keeps_its_own_order(make: Make) -> None:
    parts = make()
    columns = tuple(builtin(passages_wanted=wanted) for wanted in (1, 2, 3, 4))
    done = await over(parts, await parts.comparisons.start(asked(columns, is_blind=True)))
    assert done.is_blind
    assert sorted(done.columns, key=lambda each: each.options.passages_wanted) == list(columns)
    turns = await parts.comparisons.turns(done, 0, MAYA)
    assert [turn.asked.passages_wanted for turn in turns if turn and turn.asked] == [
        each.options.passages_wanted for each in done.columns
    ]


async def test_several_questions_are_asked_one_after_another_in_one_conversation(make: Make) -> None:
    parts = make()
    questions = ("How is espresso made?", " ", "How long do beans stay fresh?")
    columns = (builtin(passages_wanted=2), builtin(passages_wanted=6))
    done = await over(parts, await parts.comparisons.start(asked(columns, *questions)))
    assert [each.question for each in done.rounds] == [questions[0], questions[2]]
    assert [await states(parts, done, at) for at in (0, 1)] == [["finished"] * 2] * 2
    assert len(await parts.conversations.list(MAYA)) == 1
    assert len(await parts.conversations.turns(done.id, MAYA)) == 2


async def test_several_questions_are_scored_in_each_column(make: Make) -> None:
    parts = make()
    questions = questions_of("How is espresso made?\t9 bar\n\nWho painted the Mona Lisa?\n")
    assert questions == (Question("How is espresso made?", "9 bar"), Question("Who painted the Mona Lisa?"))
    columns = (builtin(passages_wanted=2), builtin(passages_wanted=6))
    request = TurnRequest("", visitor=MAYA)
    done = await over(
        parts, await parts.comparisons.start(Asked(questions=questions, columns=columns, request=request))
    )
    assert [each.expected for each in done.rounds] == [("9 bar",), ()]
    espresso, picture = await parts.comparisons.scores(done, MAYA)
    assert [(each["gold"] is None, each["supported"]) for each in espresso] == [(False, 1.0)] * 2
    assert [(each["gold"], each["supported"]) for each in picture] == [(None, None)] * 2
    assert await parts.comparisons.scores(done, MAYA) == [espresso, picture]


@pytest.mark.parametrize("text", ['{"question": "Why?", "answer": "So"}', '[{"question": "Why?", "answer": "So"}]'])
def test_a_set_as_json_is_a_list_of_questions(text: str) -> None:
    assert questions_of(text) == (Question("Why?", "So"),)


def test_questions_are_read_as_they_are_written() -> None:
    questions = (Question("Why?", "So", ("Thus",)), Question("How\nmuch?", "9 bar"), Question("Who?"))
    written = lines_of((*questions, Question("And then?", previous=Said("Why?", "So"))))
    assert written == "Why?\tSo|Thus\nHow much?\t9 bar\nWho?"
    assert [each.golds for each in questions_of(written)] == [("So", "Thus"), ("9 bar",), ()]


async def test_a_vote_counts_once_all_have_ended_and_once(make: Make) -> None:
    parts = make("endless")
    columns = (builtin(), Column("endless"))
    running = await parts.comparisons.start(asked(columns))
    with pytest.raises(Refused, match="still_running"):
        await parts.comparisons.vote(running.id, MAYA, 0, 1)
    await parts.comparisons.stop(running.id, MAYA)
    with pytest.raises(Refused, match="invalid_request"):
        await parts.comparisons.vote(running.id, MAYA, 0, 2)
    with pytest.raises(NotFound):
        await parts.comparisons.vote(running.id, NOAH, 0, 1)
    voted = await parts.comparisons.vote(running.id, MAYA, 0, 1)
    assert await parts.comparisons.vote(running.id, MAYA, 0, "tie") == voted
    assert await parts.comparisons.find(running.id, MAYA) == voted
    assert await parts.comparisons.tally(voted, MAYA) == Tally(votes=1, better=(0, 1), ties=0, none_good=0)


@pytest.mark.parametrize(
    ("columns", "questions", "code"),
    [
        ((builtin(),), (QUESTION,), "invalid_request"),
        ((builtin(),) * 5, (QUESTION,), "invalid_request"),
        ((builtin(),) * 2, (" ",), "blank_question"),
        ((builtin(),) * 2, ("x" * 9_000,), "long_question"),
    ],
)
async def test_what_is_no_comparison_is_refused_and_nothing_is_stored(
    make: Make, columns: Sequence[Column], questions: Sequence[str], code: str
) -> None:
    parts = make()
    with pytest.raises(Refused, match=code):
        await parts.comparisons.start(asked(columns, *questions))
    assert await parts.conversations.list(MAYA) == ()


def test_votes_are_counted_by_what_the_columns_are_and_not_by_their_order() -> None:
    one, two, three = builtin(), Column("ok"), Column("ok", streams=False)

    def voted(columns: tuple[Column, ...], *votes: Vote | None) -> Comparison:
        cells = tuple(Cell(turn_id="t") for _ in columns)
        return Comparison(
            id="c", columns=columns, rounds=tuple(Round(question="?", cells=cells, vote=each) for each in votes)
        )

    comparison = voted((one, two), 0, None)
    others = [comparison, voted((two, one), 0, "tie"), voted((one, three), 1), voted((one, two), "none", 0)]
    assert tally_of(comparison, others) == Tally(votes=5, better=(2, 1), ties=1, none_good=1)


async def test_a_shared_search_outlives_who_began_it_and_is_made_again_where_it_failed() -> None:
    made, go = list[str](), asyncio.Event()

    async def search(query: Query, scope: Scope, options: SearchOptions = DEFAULT_OPTIONS) -> SearchResult:
        made.append(query.question)
        await go.wait()
        if len(made) == 2:
            raise ValueError("broken")
        return await find_tea(query, scope, options)

    shared = SharedSearches()
    one, two = TurnSearches(shared), TurnSearches(shared)
    first = asyncio.create_task(one.find(search, Query("tea"), SHARED, DEFAULT_OPTIONS))
    second = asyncio.create_task(two.find(search, Query("tea"), SHARED, DEFAULT_OPTIONS))
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert (await second).passages
    assert (made, two.all_reused, one.all_reused) == (["tea"], True, False)
    with pytest.raises(ValueError, match="broken"):
        await one.find(search, Query("mate"), SHARED, DEFAULT_OPTIONS)
    await two.find(search, Query("mate"), SHARED, DEFAULT_OPTIONS)
    assert (made, two.all_reused) == (["tea", "mate", "mate"], False)
