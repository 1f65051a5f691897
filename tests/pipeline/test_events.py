"""The compact record: nothing is lost on the way there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.events import Event, FieldDelta, PassagesFound, StepChanged, is_search, search_step
from pipeline.passages import Passage
from pipeline.recording import fields_of, record_to_wire
from tests.event_strategies import MIDDLE
from tests.recorded import compact, record_from_wire


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


@pytest.mark.parametrize("step", ["wait", "rerank", "answer", "search:2", "search:10", "tool:open_passage"])
def test_a_step_is_a_known_one_a_later_search_or_a_tool(step: str) -> None:
    event = StepChanged(step=step, state="began")
    assert record_from_wire(record_to_wire((event,))) == (event,)


@pytest.mark.parametrize("step", ["", "other", "search:1", "search:02", "tool:", "tool:a b", "answer\n"])
def test_any_other_step_is_refused(step: str) -> None:
    with pytest.raises(ValidationError):
        record_from_wire(record_to_wire((StepChanged(step=step, state="began"),)))


def test_the_step_of_a_search_is_numbered_from_the_second_on() -> None:
    assert [search_step(number) for number in (1, 2, 3)] == ["retrieve", "search:2", "search:3"]
    assert [is_search(each) for each in ("retrieve", "search:2", "tool:search", "answer")] == [True, True, False, False]
