"""When each piece was said: a turn can be played again as it was."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.database.recordings import (
    _DICTIONARY_1,
    DEFLATE_1,
    JSON,
    ZLIB,
    ZLIB_1,
    UnreadableRecording,
    decoded,
    encoded,
    json_of,
)
from pipeline.events import Estimated, Event, FieldDelta, FieldReset, TurnFailed, TurnFinished, TurnStopped, Usage
from pipeline.recording import Recording, Timings, fields_of, record_to_wire, timed
from pipeline.turn import Turn

STEP_S = 0.05
GAPS = st.floats(0, 0.2).map(lambda gap: round(gap, 4))
FIELDS = st.sampled_from(["reasoning", "answer", "thinking"])
TEXTS = st.text(max_size=5).filter(lambda text: text.isprintable())
KINDS = st.one_of(
    st.builds(FieldDelta, field=FIELDS, text=TEXTS),
    st.builds(FieldReset, field=FIELDS),
    st.builds(
        Estimated,
        tokens=st.integers(0, 9),
        expected_tokens=st.none() | st.integers(0, 9),
        tokens_per_s=st.none() | st.floats(0, 9),
        eta_s=st.none(),
        confidence=st.floats(0, 1),
    ),
)


@st.composite
def turns(draw: st.DrawFn) -> list[Event]:
    """Events of a turn, numbered and timed."""
    at_s, events = 0.0, list[Event]()
    for seq, event in enumerate(draw(st.lists(KINDS, max_size=40))):
        at_s = round(at_s + draw(GAPS), 4)
        values = {name: getattr(event, name) for name in type(event).__dataclass_fields__}
        events.append(type(event)(**values | {"seq": seq, "at_s": at_s}))
    return events


def recorded(events: list[Event]) -> Recording:
    recording = Recording()
    for event in events:
        recording.add(event)
    return recording


def played(events: list[Event]) -> tuple[Event, ...]:
    recording = recorded(events)
    return timed(recording.events(), recording.timings())


@given(turns())
def test_what_is_played_again_says_the_same_in_the_same_order(events: list[Event]) -> None:
    again = played(events)
    assert fields_of(again) == fields_of(events)
    assert [each.seq for each in again] == sorted(each.seq for each in again)
    assert [each for each in again if not isinstance(each, FieldDelta)] == [
        each for each in events if not isinstance(each, FieldDelta)
    ]


@given(turns())
def test_every_character_is_said_at_most_a_step_before_its_time(events: list[Event]) -> None:
    def characters(said: tuple[Event, ...] | list[Event]) -> list[tuple[str, str, float]]:
        deltas = [each for each in said if isinstance(each, FieldDelta)]
        return [(each.field, character, each.at_s) for each in deltas for character in each.text]

    before, after = characters(events), characters(played(events))
    assert [each[:2] for each in before] == [each[:2] for each in after]
    assert all(then - STEP_S - 1e-9 <= now <= then for (_, _, then), (_, _, now) in zip(before, after, strict=True))


def test_deltas_in_a_row_are_joined_and_others_are_not() -> None:
    times = (0.0, 0.02, 0.05, 0.0501, 0.2)
    events: list[Event] = [FieldDelta(field="answer", text=str(at), seq=at, at_s=time) for at, time in enumerate(times)]
    texts = [each.text for each in played(events) if isinstance(each, FieldDelta)]
    assert texts == ["012", "3", "4"]
    assert all(after.at_s > before.at_s for before, after in pairwise(played(events)))


def test_a_record_without_timings_is_played_as_it_is() -> None:
    record = (FieldDelta(field="answer", text="So.", seq=3, at_s=1.0),)
    assert timed(record, Timings()) == record


# The stored form


@given(turns(), st.booleans(), st.dictionaries(FIELDS, TEXTS))
def test_a_recording_is_read_back_as_it_was(events: list[Event], has_ended: bool, other: dict[str, str]) -> None:
    recording = recorded(events)
    ending = TurnFailed(
        seq=len(events),
        at_s=9.0,
        code="c",
        retryable=False,
        partial={**recording.fields(), **other},
        saved=True,
    )
    turn = Turn(
        *("t", "c", "q", "m"),
        state="failed" if has_ended else "running",
        record=recording.events(ending if has_ended else None),
        fields=recording.fields(),
        timings=recording.timings(),
        instructions="Be brief.",
    )
    stored = encoded(turn)
    assert stored[:1] == (ZLIB_1 if has_ended else JSON)
    found = decoded(stored)
    assert found.record == turn.record
    assert list(found.fields.items()) == list(turn.fields.items())
    assert (found.timings, found.instructions) == (turn.timings, "Be brief.")


def test_texts_and_passages_are_stored_once() -> None:
    recording = recorded([FieldDelta(field="answer", text="A text that stands once.", seq=0)])
    ending = TurnFinished(
        fields={"reasoning": "", **recording.fields()},
        passages=(),
        usage=Usage(1, 1, exact=False),
        cost=None,
        finish="stop",
        model="m",
        cached=False,
        saved=True,
    )
    turn = Turn("t", "c", "q", "m", record=recording.events(ending), fields=recording.fields())
    assert encoded(turn).count(b"stands once") == 1
    assert decoded(encoded(turn)).record == turn.record


@pytest.mark.parametrize(
    "spoiled", [b"", b"x{}", ZLIB + b"no", DEFLATE_1 + b"no", ZLIB_1 + b"no", JSON + b"[]", JSON + b"{}"]
)
def test_what_is_no_recording_is_unreadable(spoiled: bytes) -> None:
    with pytest.raises(UnreadableRecording):
        decoded(spoiled)


def test_an_ending_that_refers_to_nothing_is_unreadable() -> None:
    ending = TurnFailed(code="c", retryable=False, partial={}, saved=True)
    wrong = {"events": json.loads(record_to_wire((ending,))), "ending_fields": {"answer": None}}
    with pytest.raises(UnreadableRecording):
        decoded(JSON + json.dumps(wrong).encode())


STORED = base64.b64decode(
    "Mnj5zuKBiMPbSjDFnUw9gM2gclBbT6EkMRvYBMwHtlRBLR09AukXNYILgEU/sL"
    "EIiWGcwQuKmAJcoYsWmIgAM4AEFYgyMsUIJMyQcAI2qIGlaxqwBAcATNNb2w=="
)


def test_a_row_of_a_turn_that_has_ended_is_read_for_ever() -> None:
    found = decoded(STORED)
    said = FieldDelta(seq=0, at_s=0.5, field="answer", text="Hot water takes out more.")
    assert found.record == (said, TurnStopped(seq=1, at_s=1.0, partial={"answer": said.text}, saved=True))
    assert timed(found.record, found.timings or Timings()) == (said, found.record[-1])
    assert found.instructions == "Be brief."


def test_a_row_that_was_written_with_another_dictionary_is_unreadable_and_no_other_text() -> None:
    other = zlib.compressobj(zdict=b"The same words in another order would give another text.")
    with pytest.raises(UnreadableRecording):
        decoded(ZLIB_1 + other.compress(json_of(STORED)) + other.flush())


def test_a_damaged_or_shortened_row_is_unreadable_and_no_other_text() -> None:
    damaged = [STORED[:at] + bytes([STORED[at] ^ 1]) + STORED[at + 1 :] for at in range(len(STORED))]
    for row in (*damaged, *(STORED[:end] for end in range(len(STORED)))):
        with pytest.raises(UnreadableRecording):
            decoded(row)


def test_a_row_of_the_form_without_a_check_is_still_read() -> None:
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS, zdict=_DICTIONARY_1)
    assert decoded(DEFLATE_1 + bare.compress(json_of(STORED)) + bare.flush()) == decoded(STORED)


def test_the_bytes_that_rows_are_compressed_with_do_not_change() -> None:
    assert hashlib.sha256(_DICTIONARY_1).hexdigest() == (
        "943ca9a082e96f4cad01d620f7c07084292016560bf118ac51d3bac6da289de5"
    )
