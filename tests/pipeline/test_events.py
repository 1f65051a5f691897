"""The wire and the compact record: nothing is lost on the way there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from pipeline.conversation import Passage
from pipeline.events import (
    Estimated,
    Event,
    FieldDelta,
    FieldReset,
    PassagesFound,
    Recovered,
    StepChanged,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Usage,
    Warned,
    compact,
    fields_of,
    from_wire,
    record_from_wire,
    record_to_wire,
    to_wire,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FIELD = st.sampled_from(["reasoning", "answer", "thinking"])
FIELDS = st.dictionaries(FIELD, TEXT, max_size=3)
PASSAGES = st.lists(
    st.builds(
        Passage,
        number=st.integers(1, 9),
        document=TEXT,
        title=TEXT,
        section=TEXT,
        text=TEXT,
        score=st.floats(0, 99),
        matched=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=3).map(tuple),
    ),
    max_size=2,
).map(tuple)
SAID = {"seq": st.integers(0, 9_999), "at_s": st.floats(0, 999)}
DELTAS = st.one_of(
    st.builds(FieldDelta, field=FIELD, text=TEXT.filter(bool), **SAID), st.builds(FieldReset, field=FIELD, **SAID)
)
MIDDLE = st.one_of(
    DELTAS,
    st.builds(StepChanged, step=st.just("answer"), state=st.just("ended"), text=TEXT, took_s=st.floats(0, 9), **SAID),
    st.builds(PassagesFound, query=TEXT, passages=PASSAGES, **SAID),
    st.builds(Warned, code=TEXT, text=TEXT, **SAID),
    st.builds(
        Recovered, what=st.just("retry"), from_model=TEXT, to_model=TEXT, code=TEXT, waits_s=st.floats(0, 9), **SAID
    ),
    st.builds(
        Estimated,
        tokens=st.integers(0),
        expected_tokens=st.none() | st.integers(0),
        tokens_per_s=st.none() | st.floats(0, 99),
        eta_s=st.none() | st.floats(0, 99),
        confidence=st.floats(0, 1),
        **SAID,
    ),
)
USAGE = st.builds(Usage, prompt_tokens=st.integers(0), completion_tokens=st.integers(0), exact=st.booleans())
EVENT: st.SearchStrategy[Event] = st.one_of(
    MIDDLE,
    st.builds(
        TurnStarted,
        turn_id=TEXT,
        conversation_id=TEXT,
        question=TEXT,
        model=TEXT,
        program=TEXT,
        language=TEXT,
        **SAID,
    ),
    st.builds(
        TurnFinished,
        fields=FIELDS,
        passages=PASSAGES,
        usage=USAGE,
        cost=st.none() | st.floats(0, 9),
        finish=st.just("stop"),
        model=TEXT,
        cached=st.booleans(),
        saved=st.booleans(),
        **SAID,
    ),
    st.builds(TurnFailed, code=TEXT, text=TEXT, retryable=st.booleans(), partial=FIELDS, saved=st.booleans(), **SAID),
    st.builds(TurnStopped, partial=FIELDS, saved=st.booleans(), **SAID),
)


@given(event=EVENT)
def test_an_event_comes_back_from_the_wire_as_it_went(event: Event) -> None:
    line = to_wire(event)
    assert b"\n" not in line
    assert from_wire(line) == event


@given(event=EVENT)
def test_an_event_is_one_flat_object_with_its_kind_seq_and_time(event: Event) -> None:
    said = json.loads(to_wire(event))
    assert (said["kind"], said["seq"], said["at_s"]) == (event.kind, event.seq, event.at_s)


@given(events=st.lists(MIDDLE, max_size=30))
def test_a_compact_record_folds_to_the_same_fields(events: list[Event]) -> None:
    record = compact(events)
    assert fields_of(record) == fields_of(events)
    assert record_from_wire(record_to_wire(record)) == record
    assert compact(record) == record


def test_a_compact_record_keeps_one_delta_per_field() -> None:
    events: list[Event] = [FieldDelta(field="answer", text=str(number), seq=number) for number in range(9)]
    (delta,) = compact(events)
    assert delta == FieldDelta(field="answer", text="012345678", seq=0)


def test_a_record_from_before_passages_had_places_and_scores_still_loads() -> None:
    passage = b'{"number":1,"document":"a.md","title":"A","section":"","text":"x","score":1.5,"matched":[[0,1]]}'
    found = b'{"seq":1,"at_s":0.1,"query":"x","passages":[' + passage + b'],"kind":"passages_found"}'
    (event,) = record_from_wire(b"[" + found + b"]")
    assert isinstance(event, PassagesFound)
    assert event.passages == (Passage(1, "a.md", "A", "", "x", 1.5, ((0, 1),)),)
    assert (event.rejected, event.quality, event.mode) == ((), None, None)


def test_the_readme_shows_one_line_of_each_kind_with_all_its_keys() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in readme.splitlines() if line.startswith('{"kind"')]
    assert {type(from_wire(json.dumps(line))) for line in lines} == set(get_args(Event))
    for line in lines:
        assert json.loads(to_wire(from_wire(json.dumps(line)))) == line
