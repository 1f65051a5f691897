"""The tree of a conversation: whatever is asked, retried and paged through, nothing is lost and one path is shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.database.branches import Branches

# What can happen to a conversation: a question, a retry or an edit of an earlier turn, a look at another version.
steps = st.lists(st.tuples(st.sampled_from(["ask", "replace", "activate"]), st.integers(0, 30)), max_size=30)


def after(done: list[tuple[str, int]]) -> Branches:
    branches = Branches()
    for number, (step, at) in enumerate(done):
        ids = list(branches.parents)
        earlier = ids[at % len(ids)] if ids else "unknown"
        if step == "activate":
            branches = branches.activated(earlier)
        else:
            branches = branches.opened(f"t{number}", earlier if step == "replace" else None)
    return branches


@given(steps)
def test_every_turn_can_be_shown_and_has_itself_among_its_versions(done: list[tuple[str, int]]) -> None:
    branches = after(done)
    for turn_id in branches.parents:
        shown = branches.activated(turn_id)
        assert turn_id in shown.path()
        assert shown.parents == branches.parents
        assert turn_id in shown.versions()[turn_id]


@given(steps)
def test_the_path_leads_from_a_first_turn_to_a_leaf(done: list[tuple[str, int]]) -> None:
    branches = after(done)
    path = branches.path()
    assert [branches.parents[each] for each in path] == [None, *path[:-1]][: len(path)]
    assert branches.active_leaf not in branches.parents.values() or not path


@given(steps)
def test_versions_hold_each_turn_of_the_path_and_all_its_siblings_in_order_of_asking(
    done: list[tuple[str, int]],
) -> None:
    branches = after(done)
    asked = list(branches.parents)
    versions = branches.versions()
    assert tuple(versions) == branches.path()
    for turn_id, ids in versions.items():
        assert list(ids) == [each for each in asked if branches.parents[each] == branches.parents[turn_id]]


def test_a_turn_stands_below_the_history_that_it_was_asked_on_whatever_became_active_since() -> None:
    branches = Branches().opened("t1").opened("t2").opened("other", replaces="t2")
    assert branches.opened("t3", follows="t2").path() == ("t1", "t2", "t3")
    assert branches.activated("t2").opened("t3", follows="other").path() == ("t1", "other", "t3")
    assert branches.opened("t3", follows="deleted").path() == ("t1", "other", "t3")
    assert branches.opened("t3", follows="t1").path() == ("t1", "other", "t3")


def test_a_turn_that_was_asked_after_another_follows_it_also_when_both_run() -> None:
    branches = Branches().opened("t1").opened("t2").opened("t3")
    assert branches.path() == ("t1", "t2", "t3")
    assert set(branches.versions().values()) == {("t1",), ("t2",), ("t3",)}


def test_showing_a_version_again_shows_what_was_asked_after_it() -> None:
    branches = Branches().opened("t1").opened("t2").opened("t3").opened("again", replaces="t2")
    assert branches.path() == ("t1", "again")
    assert branches.versions()["again"] == ("t2", "again")
    assert branches.path("t3") == ("t1", "t2", "t3")
    assert branches.path("unknown") == branches.path()
    assert branches.activated("t2").path() == ("t1", "t2", "t3")
