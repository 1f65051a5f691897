"""What a turn says of itself is said in the language of its question."""

from __future__ import annotations

import pytest

from pipeline.conversation import Turn, TurnRequest
from pipeline.errors import ModelFault, NotFound, SearchFault
from pipeline.events import TurnStarted, Warned
from pipeline.notices import WARNINGS, fault_text, in_language, warned
from pipeline.progress import Experience, Progress
from pipeline.running import RunningTurn
from pipeline.store import interrupted

QUESTION = "Wie heiß soll das Wasser sein?"


def started(language: str) -> TurnStarted:
    return TurnStarted(turn_id="t", conversation_id="c", question=QUESTION, model="m", program="p", language=language)


def running(language: str) -> RunningTurn:
    turn = RunningTurn(Turn("t", "c", QUESTION, "m"), None, TurnRequest(QUESTION), Progress(Experience()))
    turn.say(started(language))
    return turn


@pytest.mark.parametrize(("language", "table"), [("de", "de"), ("en", "en"), ("fi", "en")])
def test_a_warning_is_said_in_the_language_of_its_turn(language: str, table: str) -> None:
    turn = running(language)
    for code in WARNINGS["en"]:
        turn.say(warned(code))
    said = [event for event in turn.events if isinstance(event, Warned)]
    assert {event.code: event.text for event in said} == WARNINGS[table]


def test_a_warning_of_an_older_version_keeps_its_text() -> None:
    event = Warned(code="no_longer_said", text="Once it was said so.")
    assert in_language(event, "de") == event


@pytest.mark.parametrize("error", [ModelFault("auth"), SearchFault()])
def test_a_fault_is_told_in_the_language_of_its_turn(error: ModelFault | SearchFault) -> None:
    assert fault_text(error, "en") == fault_text(error, "fi") == error.text
    assert fault_text(error, "de") != error.text


def test_a_fault_that_has_no_other_text_keeps_its_own() -> None:
    assert fault_text(NotFound(), "de") == NotFound().text


def test_a_turn_that_the_process_did_not_survive_says_so_in_its_language() -> None:
    warning, _ = interrupted(Turn("t", "c", QUESTION, "m", record=(started("de"),)))
    assert isinstance(warning, Warned)
    assert warning.text == WARNINGS["de"]["interrupted"]
