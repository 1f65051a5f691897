"""Groups of turns: what is counted, by whom, and when one of them is the best."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments.turn_groups import LEAST_RATED, best_of, turn_groups
from pipeline.turn import Rating, TurnMetrics
from pipeline.turn_sample import TurnSample

FINISHED = TurnMetrics(ending="finished", first_token_s=0.5, total_s=2.0, cost=0.01)


def sample(
    group: str = "a", unit: str = "v1", rating: Rating = 0, metrics: TurnMetrics = FINISHED, **more: Any
) -> TurnSample:
    return TurnSample(group=group, unit=unit, rating=rating, asked_at=1.0, metrics=metrics, **more)


def rated(group: str, likes: int, dislikes: int) -> list[TurnSample]:
    ratings: list[Rating] = [*[1] * likes, *[-1] * dislikes]  # type: ignore[list-item]
    return [sample(group, f"{group}{at}", rating) for at, rating in enumerate(ratings)]


def test_a_visitor_counts_once_by_the_mean_of_their_turns() -> None:
    many = [sample(unit="loud", rating=-1) for _ in range(50)]
    group = turn_groups([*many, sample(unit="calm", rating=1), sample(unit="silent")])["a"]
    assert (group.turns, group.units, group.likes, group.dislikes) == (52, 3, 1, 50)
    assert group.liked
    assert (group.liked.mean, group.liked.n) == (0.5, 2)


def test_what_was_not_measured_is_left_out_and_a_stop_is_no_failure() -> None:
    metrics = [
        TurnMetrics(ending="failed", rungs=("retry", "fallback")),
        TurnMetrics(ending="stopped"),
        TurnMetrics(ending="finished", cached=True, first_token_s=0.001, total_s=0.002),
    ]
    group = turn_groups(sample(unit=f"v{at}", metrics=each) for at, each in enumerate(metrics))["a"]
    assert group.liked is group.first_token_s is group.total_s is group.cost is None
    assert group.succeeded
    assert (group.succeeded.mean, group.succeeded.n) == (0.5, 2)
    assert group.fell_back
    assert group.fell_back.mean == 1 / 3


def test_the_shares_of_verdicts_are_those_of_answers_with_sentences() -> None:
    checks: list[Any] = [{"supported": 3, "weak": 1}, {"supported": 1}, {}]
    verdicts = turn_groups(sample(unit=f"t{at}", checks=each) for at, each in enumerate(checks))["a"].verdicts
    assert {label: (each.mean, each.n) for label, each in verdicts.items()} == {
        "supported": (0.875, 2),
        "weak": (0.125, 2),
    }


def test_the_best_is_liked_more_than_each_other_and_sure_of_it() -> None:
    def best(*groups: list[TurnSample]) -> str | None:
        return best_of(turn_groups(each for group in groups for each in group), ["a", "b", "c"][: len(groups)])

    assert best(rated("a", 30, 0), rated("b", 0, 30)) == "a"
    assert best(rated("a", 0, 30), rated("b", 30, 0)) == "b"
    assert best(rated("a", 17, 13), rated("b", 13, 17)) is None
    assert best(rated("a", LEAST_RATED - 1, 0), rated("b", 0, 30)) is None
    assert best(rated("a", 30, 0), rated("b", 0, 30), rated("c", 29, 1)) is None
    assert best(rated("a", 30, 0), rated("b", 0, 30), []) is None


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("uvw"), st.sampled_from((-1, 0, 1))), max_size=30))
def test_no_sample_is_lost_and_the_order_changes_nothing(drawn: list[tuple[str, str, Rating]]) -> None:
    samples = [sample(*each) for each in drawn]
    groups = turn_groups(samples)
    assert sum(each.turns for each in groups.values()) == len(samples)
    assert groups == turn_groups(reversed(samples))
