"""Texts of which pieces are sent that cannot be taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.appended_text import BREAK, AnnouncedText, AppendedText, Sent
from i18n import text
from pipeline.events import FieldDelta, FieldReset
from pipeline.recording import fields_of
from tests.event_strategies import DELTAS

RESET = None
NOTICE = f"{BREAK}{text('answer.withdrawn')}{BREAK}"
PIECES = st.lists(st.sampled_from([RESET, "H", "Ho", "Hot ", "t ", "tea.", "C"]), max_size=20)


def events_of(pieces: list[str | None]) -> list[FieldDelta | FieldReset]:
    return [FieldReset(field="answer") if each is RESET else FieldDelta(field="answer", text=each) for each in pieces]


def whole_of(pieces: list[str | None]) -> str:
    return fields_of(events_of(pieces)).get("answer", "")


def rest_of(whole: str, pieces: list[str | None]) -> str:
    said = whole_of(pieces)
    return whole[len(said) :] if whole.startswith(said) else whole


def sent(pieces: list[str | None]) -> list[str]:
    """What is sent for the pieces of an answer, and last what its end adds."""
    said = AnnouncedText("answer", "en")
    return [*(said.add(event) for event in events_of(pieces)), said.end(whole_of(pieces))]


def shown(pieces: list[str | None]) -> str:
    """What a reader should have in the end, told from the whole texts between the resets."""
    texts = [""]
    for piece in pieces:
        if piece is RESET:
            texts.append("")
        else:
            texts[-1] += piece
    standing = [texts[0]]
    for number, whole in enumerate(texts[1:], start=1):
        is_last = number == len(texts) - 1
        if whole.startswith(standing[-1]):
            standing[-1] = whole
        elif whole and (is_last or not standing[-1].startswith(whole)):
            standing.append(whole)
    return NOTICE.join(standing)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["Hot ", "tea."], ["Hot ", "tea.", ""]),
        ([RESET, "Hot ", "tea."], ["", "Hot ", "tea.", ""]),
        (["Hot ", RESET, "Hot", " tea", "."], ["Hot ", "", "", "tea", ".", ""]),
        (["Hot ", RESET, "H", RESET, "Hot tea."], ["Hot ", "", "", "", "tea.", ""]),
        (["Hot ", RESET, "Cold", " tea."], ["Hot ", "", f"{NOTICE}Cold", " tea.", ""]),
        (["Hot ", RESET, "Ho", "ney", "."], ["Hot ", "", "", f"{NOTICE}Honey", ".", ""]),
        (["Hot tea.", RESET, "Hot"], ["Hot tea.", "", "", f"{NOTICE}Hot"]),
        (["Hot ", RESET], ["Hot ", "", ""]),
    ],
)
def test_a_text_goes_on_where_it_is_the_same_and_is_announced_at_once_where_it_is_not(
    pieces: list[str | None], expected: list[str]
) -> None:
    assert sent(pieces) == expected


@given(pieces=PIECES)
def test_what_is_sent_adds_up_to_what_a_reader_should_have(pieces: list[str | None]) -> None:
    assert "".join(sent(pieces)) == shown(pieces)


@given(events=st.lists(DELTAS, max_size=20))
def test_what_is_sent_ends_with_the_text_and_is_the_text_where_nothing_was_withdrawn(
    events: list[FieldDelta | FieldReset],
) -> None:
    said, whole = AnnouncedText("answer", "en"), fields_of(events).get("answer", "")
    after = "".join(said.add(event) for event in events) + said.end(whole)
    assert after == said.sent
    assert after.endswith(whole)
    if not any(isinstance(event, FieldReset) and event.field == "answer" for event in events):
        assert after == whole


@given(pieces=PIECES, whole=st.sampled_from(["", "H", "Hot ", "Hot tea.", "Cold"]))
def test_what_was_not_said_is_sent_at_the_end(pieces: list[str | None], whole: str) -> None:
    said = AnnouncedText("answer", "en")
    before = "".join(said.add(event) for event in events_of(pieces))
    after = before + said.end(whole)
    assert after == shown([*pieces, *([] if whole.startswith(whole_of(pieces)) else [RESET]), rest_of(whole, pieces)])


def test_the_notice_is_in_the_language_of_the_turn() -> None:
    said = AnnouncedText("answer", "de")
    written = "".join(said.add(event) for event in events_of(["Tee", RESET, "Kaffee"]))
    assert written == f"Tee{BREAK}{text('answer.withdrawn', 'de')}{BREAK}Kaffee"


def test_a_client_that_knows_parts_is_told_where_another_begins() -> None:
    said = AppendedText()
    assert said.add("Hot ") == Sent("Hot ")
    said.reset()
    assert said.is_withdrawn
    assert said.add("Cold") == Sent("Cold", begins_anew=True)
    assert not said.is_withdrawn
