"""The fields of several calls become those of one turn: their texts one after another, with a blank line between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.replies.joined_fields import JoinedFields
from pipeline.replies.reading import Change

CALLS = ("first", "second", "third")

# (call, its field, text, None to take the field back, or "" for the call's end)
steps = st.lists(
    st.tuples(st.sampled_from(CALLS), st.sampled_from(("a", "b")), st.sampled_from(("x", "yy", "z ", None, ""))),
    max_size=30,
)


def held(changes: list[Change]) -> str:
    text = ""
    for _, piece in changes:
        text = "" if piece is None else text + piece
    return text


@given(steps=steps)
def test_changes_add_up_to_the_parts_of_all_calls(steps: list[tuple[str, str, str | None]]) -> None:
    joined, changes = JoinedFields(), list[Change]()
    said: dict[tuple[str, str], str] = {}
    ended: set[str] = set()
    for call, source, text in steps:
        if call in ended:
            continue
        if text == "":
            ended.add(call)
            changes += joined.end(call)
            continue
        changes += joined.add(call, source, "reasoning", text)
        said[call, source] = "" if text is None else said.get((call, source), "") + text
        assert held(changes) == joined.text("reasoning")
    for call in CALLS:
        changes += joined.end(call)
    assert held(changes) == joined.text("reasoning")
    assert sorted(held(changes).split("\n\n")) == sorted(text for text in said.values() if text) or not any(
        said.values()
    )


@given(cuts=st.lists(st.integers(1, 9), max_size=20))
def test_calls_one_after_another_take_nothing_back(cuts: list[int]) -> None:
    joined, changes = JoinedFields(), list[Change]()
    for call in CALLS:
        for size in cuts:
            changes += joined.add(call, "reasoning", "reasoning", "x" * size)
        changes += joined.end(call)
    assert all(text is not None for _, text in changes)
    assert held(changes) == "\n\n".join("x" * sum(cuts) for _ in CALLS if cuts)


def test_a_call_waits_for_an_earlier_one_that_has_not_ended() -> None:
    joined = JoinedFields()
    assert joined.add("first", "reasoning", "reasoning", "One") == [("reasoning", "One")]
    assert joined.add("second", "reasoning", "reasoning", "two") == []
    assert joined.add("second", "answer", "answer", "2") == [("answer", "2")]
    assert joined.add("first", "reasoning", "reasoning", " more") == [("reasoning", " more")]
    assert joined.end("first") == [("reasoning", "\n\ntwo")]
    assert joined.add("second", "reasoning", "reasoning", ".") == [("reasoning", ".")]


def test_a_later_call_that_takes_its_text_back_leaves_that_of_the_first() -> None:
    joined = JoinedFields()
    joined.add("first", "reasoning", "reasoning", "one")
    joined.end("first")
    joined.add("second", "reasoning", "reasoning", "two")
    assert joined.add("second", "reasoning", "reasoning", None) == [("reasoning", None), ("reasoning", "one")]
    assert joined.add("second", "reasoning", "reasoning", "three") == [("reasoning", "\n\nthree")]
