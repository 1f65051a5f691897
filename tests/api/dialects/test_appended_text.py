"""The text of a field for clients that can only append."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.appended_text import BREAK, AppendedText
from pipeline.events import FieldDelta, FieldReset
from pipeline.recording import fields_of
from tests.event_strategies import DELTAS

RESET = None


def sent(*pieces: str | None) -> list[str]:
    """What is sent for the pieces of an answer, and last what its ending adds."""
    text = AppendedText()
    events = [FieldReset(field="answer") if each is RESET else FieldDelta(field="answer", text=each) for each in pieces]
    return [*(text.add(event) for event in events), text.end(fields_of(events).get("answer", ""))]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("Hot ", "tea."), ["Hot ", "tea.", ""]),
        ((RESET, "Hot ", "tea."), ["", "Hot ", "tea.", ""]),
        (("Hot ", RESET, "Hot", " tea", "."), ["Hot ", "", "", "tea", ".", ""]),
        (("Hot ", RESET, "H", RESET, "Hot tea."), ["Hot ", "", "", "", "tea.", ""]),
        (("Hot ", RESET, "Cold", " tea."), ["Hot ", "", "", "", f"{BREAK}Cold tea."]),
        (("Hot tea.", RESET, "Hot"), ["Hot tea.", "", "", f"{BREAK}Hot"]),
        (("Hot ", RESET), ["Hot ", "", ""]),
    ],
)
def test_a_reset_is_followed_by_what_is_missing(pieces: tuple[str | None, ...], expected: list[str]) -> None:
    assert sent(*pieces) == expected


@given(events=st.lists(DELTAS, max_size=20))
def test_what_is_sent_ends_with_the_text_and_is_the_text_where_nothing_else_was_sent(
    events: list[FieldDelta | FieldReset],
) -> None:
    text, whole = AppendedText(), fields_of(events).get("answer", "")
    before = "".join(text.add(event) for event in events)
    after = before + text.end(whole)
    if not whole:
        assert after == before
    elif whole.startswith(before):
        assert after == whole
    else:
        assert after == before + BREAK + whole
