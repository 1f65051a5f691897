"""Which turns before a question a model is sent, and which one it goes on with."""

from __future__ import annotations

import pytest

from pipeline.turn import AskOptions, Turn, TurnRequest
from pipeline.turns.earlier_turns import continued_turn, history_of

ANSWERS = {"a": "Aa", "b": "Bb", "c": "", "d": "Dd"}
TURNS = [Turn(id, "c", "Why?", "m", fields={"answer": answer}) for id, answer in ANSWERS.items()]


@pytest.mark.parametrize(
    ("replaces", "wanted", "ids"),
    [(None, 4, "abd"), (None, 2, "bd"), (None, 0, ""), ("d", 4, "ab"), ("c", 1, "b"), ("a", 4, ""), ("gone", 4, "abd")],
)
def test_the_latest_answered_turns_before_the_asked_one_are_its_history(
    replaces: str | None, wanted: int, ids: str
) -> None:
    request = TurnRequest("And?", AskOptions(history_turns=wanted), replaces=replaces)
    assert [turn.id for turn in history_of(request, TURNS, 1000)] == list(ids)


@pytest.mark.parametrize(
    ("replaces", "continues", "id"),
    [("b", True, "b"), ("b", False, None), ("c", True, None), (None, True, None), ("gone", True, None)],
)
def test_only_a_replaced_turn_that_has_an_answer_is_gone_on_with(
    replaces: str | None, continues: bool, id: str | None
) -> None:
    found = continued_turn(TurnRequest("And?", replaces=replaces, continues=continues), TURNS)
    assert (found and found.id) == id
