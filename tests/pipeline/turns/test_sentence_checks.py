"""Verdicts as events: derived as sentences become complete, withdrawn with their field, counted at the ending."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import (
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    SentenceChecked,
    TurnFinished,
    TurnStopped,
)
from pipeline.passages import Passage
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import Settings
from pipeline.turn import TurnRequest
from pipeline.turns.sentence_checks import SentenceChecks, checks_of, counted
from server import build
from tests.in_process import events_of

PRESSURE = "A machine presses water through the coffee with a pressure of about 9 bar."
FOUND = PassagesFound(
    query="bar",
    passages=(
        Passage(number=1, document="a.md", title="Espresso", section="", text=f"{PRESSURE} It takes 30 s.", score=1.0),
    ),
)
STOPPED = TurnStopped(partial={}, saved=True)
ANSWER = f"{PRESSURE} [1] Cats dislike the smell of fresh paint [1]. A car has four wheels."


def derived(events: Iterable[Event]) -> list[SentenceChecked]:
    checks = SentenceChecks()
    return [check for event in events for check in checks.derive(event)]


def said(text: str, field: str = "answer", size: int = 7) -> list[Event]:
    return [FieldDelta(field=field, text=text[at : at + size]) for at in range(0, len(text), size)]


def test_each_sentence_has_a_verdict_with_its_place_and_that_of_the_quote() -> None:
    first, second, third = derived([FOUND, *said(ANSWER), STOPPED])
    assert [each.verdict for each in (first, second, third)] == ["verbatim", "not_found", "uncited"]
    assert [each.index for each in (first, second, third)] == [0, 1, 2]
    assert ANSWER[first.start : first.end] == f"{PRESSURE} [1]"
    assert first.passage == 1
    assert first.quote
    assert FOUND.passages[0].text[slice(*first.quote)] == PRESSURE
    assert (third.citations, third.passage) == ((), None)


def test_a_verdict_is_said_when_the_next_sentence_has_begun_and_the_last_one_at_the_ending() -> None:
    checks = SentenceChecks()
    checks.derive(FOUND)
    assert not checks.derive(FieldDelta(field="answer", text=f"{PRESSURE} [1]"))
    assert len(checks.derive(FieldDelta(field="answer", text=" Cats dislike "))) == 1
    assert not checks.derive(FieldDelta(field="answer", text="it [1]."))
    assert len(checks.derive(STOPPED)) == 1


def test_what_a_model_writes_for_itself_is_not_checked() -> None:
    assert not derived([FOUND, *said(ANSWER, "reasoning"), *said(ANSWER, "thinking"), STOPPED])


def test_every_field_is_counted_by_itself() -> None:
    checks = derived([FOUND, *said(f"{PRESSURE} [1]", "summary"), *said(f"{PRESSURE} [1]"), STOPPED])
    assert [(each.field, each.index) for each in checks] == [("summary", 0), ("answer", 0)]


def test_a_reset_withdraws_the_verdicts_and_counts_anew() -> None:
    checks = SentenceChecks()
    events: list[Event] = []
    for event in [FOUND, *said(ANSWER), FieldReset(field="answer"), *said(f"{PRESSURE} [1]"), STOPPED]:
        events += [event, *checks.derive(event)]
    (last,) = checks_of(events)
    assert (last.index, last.verdict) == (0, "verbatim")
    assert counted(checks_of(events)) == {"verbatim": 1}


@pytest.mark.parametrize("passages", [(), FOUND.passages])
def test_an_empty_field_has_no_verdict(passages: tuple[Passage, ...]) -> None:
    assert not derived([PassagesFound(query="q", passages=passages), *said(" \n"), STOPPED])


@given(text=st.text(alphabet="Aa 9.[1]\n|-*`", max_size=60), size=st.integers(1, 9))
def test_verdicts_do_not_depend_on_how_the_text_was_cut(text: str, size: int) -> None:
    assert derived([FOUND, *said(text, size=size), STOPPED]) == derived([FOUND, *said(text, size=99), STOPPED])


async def test_an_ending_counts_the_verdicts_and_says_what_a_refusal_lacks(tmp_path: Path, search: EdgeIndex) -> None:
    parts = build(Settings(data_dir=tmp_path), index=search)
    try:
        *_, answered = await events_of(parts.pipeline, TurnRequest("How is espresso made?"))
        *_, refused = await events_of(parts.pipeline, TurnRequest("Who painted the Mona Lisa?"))
    finally:
        await parts.pipeline.close()
        parts.store.close()
    assert isinstance(answered, TurnFinished)
    assert isinstance(refused, TurnFinished)
    assert answered.checks["verbatim"] >= 1
    assert (answered.abstained, answered.missing) == (False, None)
    assert (refused.abstained, refused.missing) == (True, "Who painted the Mona Lisa?")
    assert refused.checks == {"no_claim": 1}
